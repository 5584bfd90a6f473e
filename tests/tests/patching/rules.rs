//! What the rule language promises for functions that a glob matches, and for several rules on one
//! function.
//!
//! corpus/shop makes known calls; this file has their numbers, which must be exact.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Collected, Gopatch, Gopatchd, NEWEST_GO, Operation, Process, Scratch, gopatch};
use serde_json::{Value, json};
use xtask::corpus;

const GO: [&str; 4] = ["1.19", "1.21.13", "1.24.13", NEWEST_GO];

/// `gopatch` with these rules only, and its report as JSON.
fn patch(scratch: &Scratch, go: &str, mode: &str, rules: &str) -> Result<(Gopatch, Value)> {
    fs::write(scratch.file("rules.yaml"), rules)?;
    let mut command = gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out"])?;
    command.args(["--format", "json"]).arg(corpus::build("shop", go, mode)?).current_dir(scratch.path());
    let done = Gopatch::run(&mut command)?;
    let report = serde_json::from_str(&done.stdout).with_context(|| format!("{}{}", done.stdout, done.stderr))?;
    Ok((done, report))
}

/// Patches the program with these rules and runs it.
fn run(go: &str, mode: &str, rules: &str) -> Result<(Collected, Gopatch, Value)> {
    let scratch = Scratch::new()?;
    let (done, report) = patch(&scratch, go, mode, rules)?;
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let mut program = Command::new(scratch.file("out"));
    program.env("GOPATCH_SOCKET", gopatchd.socket());
    Process::run(&mut program, scratch.path(), "shop", Duration::from_secs(20))?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    Ok((collected, done, report))
}

/// How often each operation was seen, by its name without type arguments.
fn counts<'s>(operations: impl Iterator<Item = &'s Operation>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for operation in operations {
        *counts.entry(operation.name.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn a_glob_hooks_every_function_that_it_matches() -> Result<()> {
    let rules = r#"rules:
      - { name: all, import: example.com/shop/..., function: "*", partial: true }
      - { name: main, import: main, function: ["get*", "la*"], partial: true }
      - { name: closures, import: main, function: "*.func*", partial: true }
      - { name: values, import: "*/shop/store", receiver: "It*", function: "*", partial: true }
    "#;
    for (go, mode) in [(GO[0], "default"), (GO[2], "pie"), (GO[3], "default")] {
        let (collected, _, report) = run(go, mode, rules)?;
        let all = counts(collected.of_rule("all"));
        for (function, calls) in
            [("(*List).Push", 7), ("Map", 2), ("Map.func1", 5), ("run", 5), ("Item.Get", 1), ("GetAll", 5)]
        {
            let name = format!("example.com/shop/store.{function}");
            ensure!(all.get(&name) == Some(&calls), "Go {go}: {calls} calls of {name} expected: {all:#?}");
        }
        ensure!(all.values().sum::<usize>() == 25, "Go {go}: too many calls: {all:#?}");
        let main = counts(collected.of_rule("main"));
        let expected = [("main.getNothing".to_owned(), 1), ("main.last".to_owned(), 1)];
        ensure!(main == BTreeMap::from(expected), "Go {go}: {main:#?}");
        let closures = counts(collected.of_rule("closures"));
        ensure!(closures.values().sum::<usize>() == 3 + 6, "Go {go}: {closures:#?}");
        let values = counts(collected.of_rule("values"));
        ensure!(values == BTreeMap::from([("example.com/shop/store.Item.Get".to_owned(), 1)]), "Go {go}: {values:#?}");
        let rules = report["rules"].as_array().context("rules")?;
        ensure!(rules.iter().all(|rule| rule["glob"] == true), "{report:#}");
    }
    Ok(())
}

#[test]
fn captures_of_a_glob_resolve_everywhere_or_are_optional() -> Result<()> {
    let rule = |optional: bool| {
        format!(
            "rules: [{{ name: r, import: example.com/shop/store, function: '*', partial: true, caller_keeps: [l], \
             enter: {{ name: {{ value: name, optional: {optional} }} }}, \
             exit: {{ length: {{ value: len(l.items), optional: true }} }} }}]"
        )
    };
    for go in GO {
        let (collected, _, report) = run(go, "default", &rule(true))?;
        let of = |name: &str| -> Vec<_> {
            let name = format!("example.com/shop/store.{name}");
            collected.of_rule("r").filter(|operation| operation.name == name).map(|it| json!(it.attributes)).collect()
        };
        let lengths = |name, last| (1..=last).map(|length| json!({"name": name, "length": length})).collect::<Vec<_>>();
        let pushed = [lengths("pointer", 3), lengths("int", 4)].concat();
        ensure!(of("(*List).Push") == pushed, "Go {go}: {:#?}", of("(*List).Push"));
        ensure!(of("Item.Get") == [json!({"name": "b"})], "Go {go}: {:#?}", of("Item.Get"));
        ensure!(of("run").iter().all(|attributes| *attributes == json!({})), "Go {go}: {:#?}", of("run"));
        let functions = report["rules"][0]["functions"].as_array().context("functions")?;
        let run = functions.iter().find(|function| function["name"] == "example.com/shop/store.run");
        let left_out = &run.context("run")?["left_out"];
        ensure!(*left_out == json!(["name: `name`", "length: `len(l.items)`"]), "{left_out}");
    }
    let scratch = Scratch::new()?;
    fs::write(scratch.file("rules.yaml"), rule(false))?;
    let mut command = gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out"])?;
    let done = Gopatch::run(command.arg(corpus::build("shop", NEWEST_GO, "default")?).current_dir(scratch.path()))?;
    ensure!(done.status == Some(2) && done.stderr.contains("no parameter or result `name`"), "{}", done.stderr);
    Ok(())
}

#[test]
fn what_a_glob_cannot_hook_is_summed_up() -> Result<()> {
    let rule = |partial| format!("rules: [{{ name: r, import: '*', function: '*', partial: {partial} }}]");
    for (partial, status) in [(false, 1), (true, 0)] {
        let scratch = Scratch::new()?;
        let (done, report) = patch(&scratch, NEWEST_GO, "default", &rule(partial))?;
        ensure!(done.status == Some(status), "{:?} {}", done.status, done.stderr);
        let refused = report["refused"].as_array().context("refused")?;
        ensure!(refused.len() > 1, "only {} refusals", refused.len());
        let functions = report["rules"][0]["functions"].as_array().context("functions")?;
        let of_runtime = |function: &&Value| function["name"].as_str().is_some_and(|name| name.starts_with("runtime."));
        ensure!(functions.len() > 200 && !functions.iter().any(|function| of_runtime(&function)));

        let mut command = gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "again"])?;
        command.arg(corpus::build("shop", NEWEST_GO, "default")?).current_dir(scratch.path());
        let text = Gopatch::run(&mut command)?.stdout;
        let lines: Vec<_> = text.lines().filter(|line| line.contains("refused") && line.contains("rule r")).collect();
        ensure!(lines.len() == 1 && text.lines().count() == 4, "{text}");
        let number = lines[0].split_whitespace().nth(1).and_then(|number| number.parse().ok());
        ensure!(number == Some(refused.len()), "{text}");
        let verified = Gopatch::run(gopatch::command(&["verify", "again"])?.current_dir(scratch.path()))?;
        ensure!(verified.status == Some(0), "{}", verified.stderr);
    }
    Ok(())
}

/// Both rules keep words for the exit; `place` leaves by a return, and by a tail call where the
/// compiler emits one.
#[test]
fn rules_on_one_function_share_its_sites() -> Result<()> {
    let rules = |order| {
        format!(
            r#"rules:
      - name: one
        import: main
        receiver: "*order"
        function: place
        order: {order}
        caller_keeps: [o]
        enter: {{ name: {{ value: name }} }}
        exit: {{ id: {{ value: o.id }}, failed: {{ value: "results[0] != nil" }} }}
      - name: two
        import: main
        receiver: "*order"
        function: place
        caller_keeps: [o, name]
        enter: {{ fail: {{ value: fail }} }}
        exit: {{ last: {{ value: o.name }}, name: {{ value: name }} }}
      - {{ name: three, import: main, receiver: "*", function: pl*, order: innermost, exit: {{}} }}
      - {{ name: four, import: main, receiver: "*order", function: place, order: outermost, enter: {{}} }}
    "#
        )
    };
    for go in GO {
        for (order, one_is_outside) in [("-1", true), ("1", false)] {
            let (collected, done, _) = run(go, "default", &rules(order))?;
            ensure!(done.status == Some(0), "Go {go}: {}", done.stderr);
            let (one, two): (Vec<_>, Vec<_>) = (collected.of_rule("one").collect(), collected.of_rule("two").collect());
            ensure!(one.len() == 7 && two.len() == 7, "Go {go}: {} and {} calls", one.len(), two.len());
            let mut last = String::new();
            for (index, (one, two)) in one.iter().zip(&two).enumerate() {
                let (name, failed) = (format!("name {index}"), index % 3 == 1);
                if !failed {
                    last.clone_from(&name);
                }
                let expected = json!({"name": name, "id": index + 1, "failed": failed});
                ensure!(json!(one.attributes) == expected, "Go {go}: {:?} {expected}", one.attributes);
                let expected = json!({"fail": failed, "last": last, "name": name});
                ensure!(json!(two.attributes) == expected, "Go {go}: {:?} {expected}", two.attributes);
                let (outer, inner) = if one_is_outside { (one, two) } else { (two, one) };
                let end = |operation: &Operation| operation.start_unix_nano + operation.duration_nano;
                ensure!(outer.start_unix_nano <= inner.start_unix_nano, "Go {go}: {outer:?} {inner:?}");
                ensure!(outer.duration_nano > inner.duration_nano, "Go {go}: {outer:?} {inner:?}");
                // Converting a time stamp may round by a nanosecond.
                ensure!(end(outer) + 1 >= end(inner), "Go {go}: {outer:?} {inner:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_rule_is_for_a_range_of_versions() -> Result<()> {
    let rules = r#"rules:
      - { name: always, import: main, function: main }
      - { name: new, import: main, function: last, go: ">=1.24, <99" }
      - { name: old, import: main, function: last, go: "<1.24" }
      - { name: std, import: strconv, function: FormatInt, version: "<1.24" }
      # The program lacks this module, so its version does not matter.
      - { name: none, import: example.com/none, function: f, version: ">=1", optional: true }
      - { name: module, import: example.com/shop/store, function: "*", version: ">=1" }
    "#;
    let module = ("module", "needs example.com/shop >=1; the program has (devel)");
    let std = ("std", "needs Go <1.24; the program has go1.27.4");
    for (go, expected) in [
        (NEWEST_GO, vec![module, ("old", "needs Go <1.24; the program has go1.27.4"), std]),
        ("1.21.13", vec![module, ("new", "needs Go >=1.24, <99; the program has go1.21.13")]),
    ] {
        let scratch = Scratch::new()?;
        let (done, report) = patch(&scratch, go, "default", rules)?;
        ensure!(done.status == Some(0), "Go {go}: {}", done.stderr);
        let rules = report["rules"].as_array().context("rules")?;
        let left_out: BTreeMap<_, _> =
            rules.iter().filter_map(|rule| Some((rule["rule"].as_str()?, rule["left_out"].as_str()?))).collect();
        ensure!(left_out == expected.into_iter().collect(), "Go {go}: {left_out:#?}");
    }
    Ok(())
}

#[test]
fn errors_name_the_place_and_a_near_name() -> Result<()> {
    let head = "# Line 1.\nrules:\n  - name: r\n    import: main\n";
    let place = "    receiver: \"*order\"\n    function: place\n";
    for (rest, expected) in [
        ("    function: last\n    entr: {}\n", "rules.yaml:6: rule r: ", "(did you mean `enter`?)"),
        ("    function: last\n    kind: sever\n", "rules.yaml:6: rule r: ", "(did you mean `server`?)"),
        ("    function: last\n    enter:\n      a: { vale: a }\n", "rules.yaml:7: rule r: ", "(did you mean `value`?)"),
        ("    function: last\n    enter:\n      a: { value: a..b }\n", "rules.yaml:7: rule r: enter.a: ", "is not a path"),
        ("    function: last\n    go: '1.22'\n", "rules.yaml:6: rule r: go: ", "`1.22` is not a comparison"),
        ("    function: last\n    order: first\n", "rules.yaml:6: rule r: ", "`outermost`, `innermost`, or a whole number"),
        ("    function: last\n    operation: 'a[ {b}'\n", "rules.yaml:6: rule r: operation: ", "`[ {b}` is not closed"),
        (
            "    function: last\n    operation: 'a[ {order}]'\n    exit: { orders: { value: 'results[0] == nil' } }\n",
            "rules.yaml:6: rule r: operation: the rule captures no attribute `order`",
            "(did you mean `orders`?)",
        ),
        (
            "    function: last\n    exit: { ok: { value: 'results[0] == nil' } }\n    dimensions: [ok, okay]\n",
            "rules.yaml:7: rule r: dimensions: the rule captures no attribute `okay`",
            "(did you mean `ok`?)",
        ),
        (
            "    function: last\n    dimensions: [ok, ok]\n    exit: { ok: { value: 'results[0] == nil' } }\n",
            "rules.yaml:6: rule r: dimensions: ",
            "`ok` is listed twice",
        ),
        ("    function: lst\n", "rules.yaml:5: rule r: function: ", "(did you mean `main.last`?)"),
        ("    receiver: '*ordr'\n    function: place\n", "rules.yaml:5: rule r: receiver: ", "`main.(*order).place`?"),
        ("    function: [gat*, gut*]\n", "rules.yaml:5: rule r: function: ", "no function gat*, gut* in main"),
    ]
    .into_iter()
    .map(|(rest, at, what)| (format!("{head}{rest}"), (at, what)))
    .chain([
        (format!("{head}{place}    enter:\n      a:\n        value: nam\n"), ("rules.yaml:8: rule r: enter.a: ", "`name`?")),
        (
            format!("{head}{place}    caller_keeps: [o]\n    exit:\n      x: {{ value: o.id }}\n      a.b: {{ value: o.nme }}\n"),
            ("rules.yaml:10: rule r: exit.a.b: ", "main.order has no field `nme`; it has id, name (did you mean `name`?)"),
        ),
        (
            "rules:\n  - { name: r, import: example.com/shop/stor, function: run }\n".to_owned(),
            ("rules.yaml:2: rule r: import: ", "(did you mean `example.com/shop/store`?)"),
        ),
        (
            "rules:\n  - { name: r, import: main, function: last }\n  - import: main\n    function: main\n    name: r\n".to_owned(),
            ("rules.yaml:5: rule r: name: ", "twice"),
        ),
        ("rules:\n  - name: r\n    function: f\n".to_owned(), ("rules.yaml:2: rule r: ", "missing field `import`")),
    ]) {
        let scratch = Scratch::new()?;
        fs::write(scratch.file("rules.yaml"), &rest)?;
        let mut command = gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out"])?;
        let done = Gopatch::run(command.arg(corpus::build("shop", NEWEST_GO, "default")?).current_dir(scratch.path()))?;
        let (at, what) = expected;
        ensure!(done.status == Some(2), "{rest}{}{}", done.stdout, done.stderr);
        ensure!(done.stderr.contains(at) && done.stderr.contains(what), "{rest}expected {at} {what}: {}", done.stderr);
    }
    Ok(())
}

#[test]
fn rules_are_checked_and_listed() -> Result<()> {
    let scratch = Scratch::new()?;
    let program = corpus::build("shop", NEWEST_GO, "default")?;
    let program = program.to_str().context("the path is not UTF-8")?;
    let rules =
        "rules: [{ name: mine, import: main, function: last, go: '>=1.20', exit: { a: { value: 'WHAT == nil' } } }]";
    let run = |arguments: &[&str]| Gopatch::run(gopatch::command(arguments)?.current_dir(scratch.path()));

    fs::write(scratch.file("rules.yaml"), rules.replace("WHAT", "results[0]"))?;
    let alone = run(&["rules", "check", "rules.yaml"])?;
    ensure!(alone.status == Some(0) && alone.stdout.contains("1 rules"), "{}{}", alone.stdout, alone.stderr);
    let with = run(&["rules", "check", "rules.yaml", program])?;
    ensure!(with.status == Some(0) && with.stdout.contains("main.last: 0 entries, 1 exit"), "{}", with.stdout);
    let text = run(&["rules", "list", "rules.yaml"])?.stdout;
    ensure!(text.contains("http.server ") && text.contains("function main.last") && text.contains(">=1.20"), "{text}");
    let list: Value = serde_json::from_str(&run(&["rules", "list", "rules.yaml", "--format", "json"])?.stdout)?;
    let last = list.as_array().and_then(|list| list.last()).context("a list")?;
    ensure!(last["rule"] == "mine" && last["line"] == 1 && last["attributes"] == json!(["a"]), "{last:#}");
    ensure!(run(&["rules", "schema"])?.stdout.contains("caller_keeps"));

    fs::write(scratch.file("rules.yaml"), rules.replace("WHAT", "nothing"))?;
    let alone = run(&["rules", "check", "rules.yaml"])?;
    ensure!(alone.status == Some(0), "only a program can tell: {}", alone.stderr);
    let with = run(&["rules", "check", "rules.yaml", program])?;
    ensure!(with.status == Some(2) && with.stderr.contains("rules.yaml:1: rule mine: exit.a: "), "{}", with.stderr);
    Ok(())
}
