//! A rule with a condition or a sample records the calls it selects, and of each both ends or none.
//!
//! corpus/conditions makes known calls, each with a number, and this file makes the same list.
//! Counts are exact; those of samples lie within five standard deviations.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Collected, Gopatch, Gopatchd, NEWEST_GO, Operation, Process, Scratch, gopatch};
use serde_json::{Value, json};
use xtask::corpus;

#[test]
fn go_1_19() -> Result<()> {
    the_selected_calls_are_recorded("1.19", "default")
}

#[test]
fn go_1_21() -> Result<()> {
    the_selected_calls_are_recorded("1.21.13", "default")
}

#[test]
fn go_1_24_without_dwarf() -> Result<()> {
    the_selected_calls_are_recorded("1.24.13", "stripped")
}

#[test]
fn go_1_27() -> Result<()> {
    the_selected_calls_are_recorded("1.27.4", "default")
}

#[test]
fn go_1_27_in_a_position_independent_executable() -> Result<()> {
    the_selected_calls_are_recorded("1.27.4", "pie")
}

/// Enough for everything that is recorded between two reads of gopatchd.
const LARGE_RING: &str = "67108864";

/// A call of `look`.
struct Call {
    order: &'static str,
    name: String,
    n: i64,
    small: u8,
    ok: bool,
    id: i64,
}

/// The calls of `look`, and the numbers of those of `spilled`.
fn calls() -> (Vec<Call>, Vec<i64>) {
    let (mut calls, mut spilled) = (Vec::new(), Vec::new());
    let mut id = 0;
    for order in ["nil", "bare", "first", "held", "text"] {
        for length in [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65] {
            for n in [i64::MIN, -1, 0, 1, 1 << 40] {
                let name = digits(length);
                calls.push(Call { order, name, n, small: 250 + (id % 6) as u8, ok: id % 7 == 0, id });
                id += 1;
            }
        }
        spilled.push(id);
    }
    (calls, spilled)
}

fn digits(length: usize) -> String {
    "0123456789abcdef".repeat(5)[..length].to_owned()
}

type Selects = Box<dyn Fn(&Call) -> bool>;

/// Conditions at the entry of `look`, and the calls that each selects.
fn conditions() -> Vec<(String, Selects)> {
    fn selects(text: &str, is: impl Fn(&Call) -> bool + 'static) -> (String, Selects) {
        (text.to_owned(), Box::new(is))
    }
    let mut conditions = vec![
        selects("ok", |call| call.ok),
        selects("!ok && n >= 0", |call| !call.ok && call.n >= 0),
        selects("n == -9223372036854775808 || n > 0xff_ffff_ffff", |call| [i64::MIN, 1 << 40].contains(&call.n)),
        selects("n <= -1", |call| call.n < 0),
        selects("small > 253", |call| call.small > 253),
        selects("small <= 250 || small == 255", |call| [250, 255].contains(&call.small)),
        selects("name != \"0\"", |call| call.name != "0"),
        selects("hasPrefix(name, \"01234567\")", |call| call.name.len() >= 8),
        selects("hasPrefix(name, \"\") && len(name) < 9 && len(name) != 3", |call| {
            call.name.len() < 9 && call.name.len() != 3
        }),
        selects("hasPrefix(name, \"0123x\")", |_| false),
        selects("o == nil", |call| call.order == "nil"),
        selects("o != nil", |call| call.order != "nil"),
        selects("o.next == nil", |call| !["nil", "first"].contains(&call.order)),
        selects("o.next.name == `second`", |call| call.order == "first"),
        selects("o.next.name != \"second\"", |_| false),
        selects("!(o.next.name == \"second\")", |call| call.order != "first"),
        selects("o.next.next.name == \"\"", |_| false),
        selects("o.count < 0", |call| call.order == "bare"),
        selects("o.count == 1_073_741_824 || o.count < -4", |call| ["first", "bare"].contains(&call.order)),
        selects("o.flag && !o.next.flag", |call| call.order == "held"),
        selects("o.next.flag", |call| call.order == "first"),
        selects("len(o.tags) == 2 || len(o.lines) == 0", |call| call.order != "nil"),
        selects("len(o.lines) > 2", |call| call.order == "first"),
        selects("o.held != nil", |call| ["held", "text"].contains(&call.order)),
        selects("o.held.(*circle).radius == -7", |call| call.order == "held"),
        selects("!(o.held.(*circle).radius < 0)", |call| call.order != "held"),
        selects("o.cause.(square).side >= 9223372036854775808", |call| call.order == "held"),
        selects("(n == 0 || n == 1) && (hasPrefix(name, \"012\") || !(len(name) > 1)) && !(small == 251)", |call| {
            [0, 1].contains(&call.n) && call.name.len() != 2 && call.small != 251
        }),
    ];
    for length in [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64] {
        let (name, text) = (digits(length), format!("name == \"{}\"", digits(length)));
        conditions.push((text, Box::new(move |call| call.name == name)));
        // The same except for its last byte.
        if length > 0 {
            let other = format!("{}x", digits(length - 1));
            conditions.push((format!("name == \"{other}\""), Box::new(|_| false)));
        }
    }
    conditions
}

const LOOK: &str = "func look(o *order, name string, n int64, small uint8, ok bool, id int) (int, error)";
const SPILLED: [&str; 2] = [
    "func spilled(a wide, b wide, name string, d int32, id int) (wide, wide, string, int)",
    "type wide struct{ a, b, c, d, e int64 }",
];
const RISKY: &str = "func risky(o *order, id int, wanted bool) int";

/// All rules. Rules on one function share its sites.
fn rules() -> Value {
    let both = |name: String, of: &str, signature: Value, filter: Value| {
        let mut rule = json!({
            "name": name, "import": "main", "function": of, "signature": signature,
            "enter": { "id": { "value": "id" } }, "exit": { "r": { "value": "results[0]" } },
        });
        let into = rule.as_object_mut().expect("it is an object");
        into.extend(filter.as_object().expect("it is an object").clone());
        rule
    };
    let numbered = conditions().into_iter().enumerate();
    let mut rules: Vec<_> = numbered
        .map(|(index, (when, _))| both(format!("look.{index}"), "look", json!(LOOK), json!({ "when": when })))
        .collect();
    let busy = json!("func busy(worker int, id int) int");
    rules.extend([
        json!({ "name": "failed", "import": "main", "function": "look", "signature": LOOK,
            "when": "results[1] != nil", "exit": { "r": { "value": "results[0]" } } }),
        json!({ "name": "chosen", "import": "main", "function": "look", "signature": LOOK, "exit": { "r": { "value": "results[0]" } },
            "when": "results[0] >= 100 && results[0] < 103 || results[1] == nil && results[0] == 202" }),
        json!({ "name": "bare", "import": "main", "function": "look", "signature": LOOK, "when": "id == 7" }),
        json!({ "name": "entered", "import": "main", "function": "look", "signature": LOOK,
            "when": "id >= 370", "enter": { "id": { "value": "id" } } }),
        json!({ "name": "spilled", "import": "main", "function": "spilled", "signature": SPILLED,
            "when": "name == \"stack 1\" && d < 0", "enter": { "id": { "value": "id" } }, "exit": { "r": { "value": "results[3]" } } }),
        json!({ "name": "returned", "import": "main", "function": "spilled", "signature": SPILLED,
            "when": "results[1].a == 150", "exit": { "r": { "value": "results[3]" } } }),
        json!({ "name": "descend", "import": "main", "function": "descend", "signature": "func descend(n int) int",
            "when": "n == 0 || n == 3 || n >= 7 && n < 9", "enter": { "id": { "value": "n" } }, "exit": { "r": { "value": "results[0]" } } }),
        json!({ "name": "guarded", "import": "main", "function": "guarded", "kind": "boundary" }),
        json!({ "name": "wanted", "import": "main", "function": "risky", "signature": RISKY, "when": "wanted", "caller_keeps": ["o"],
            "enter": { "id": { "value": "id" } }, "exit": { "r": { "value": "results[0]" }, "name": { "value": "o.name" } } }),
        json!({ "name": "unwanted", "import": "main", "function": "risky", "signature": RISKY, "when": "!wanted",
            "enter": { "id": { "value": "id" } }, "exit": { "r": { "value": "results[0]" } } }),
        json!({ "name": "every.tenth", "import": "main", "function": "busy", "signature": busy, "sample": 0.1,
            "enter": { "worker": { "value": "worker" } }, "exit": { "r": { "value": "results[0]" } } }),
        json!({ "name": "some", "import": "main", "function": "busy", "signature": busy, "sample": "1/4", "order": "outermost",
            "when": "worker < 4 && id >= 2500", "enter": { "worker": { "value": "worker" } }, "exit": { "r": { "value": "results[0]" } } }),
        both("deep".to_owned(), "deep", json!("func deep(n int, id int) int"), json!({ "sample": 0.5 })),
    ]);
    json!({ "rules": rules })
}

fn run(go: &str, mode: &str, rules: &Value, ring_bytes: &str, arguments: &[&str]) -> Result<Collected> {
    let scratch = Scratch::new()?;
    fs::write(scratch.file("rules.yaml"), rules.to_string())?;
    let mut command = gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out"])?;
    let done = Gopatch::run(command.arg(corpus::build("conditions", go, mode)?).current_dir(scratch.path()))?;
    ensure!(done.status == Some(0), "{}{}", done.stdout, done.stderr);
    let gopatchd = Gopatchd::start(&scratch, "memfd", &["--ring-bytes", ring_bytes])?;
    let mut program = Command::new(scratch.file("out"));
    program.args(arguments).env("GOPATCH_SOCKET", gopatchd.socket()).env("GOMAXPROCS", "4");
    Process::run(&mut program, scratch.path(), "conditions", Duration::from_mins(1))?;
    gopatchd.stop()
}

/// A number that an operation has recorded.
fn number(operation: &Operation, attribute: &str) -> Result<i64> {
    operation.attributes.get(attribute).and_then(Value::as_i64).with_context(|| format!("{operation:?}"))
}

fn numbers<'s>(operations: impl Iterator<Item = &'s Operation>, attribute: &str) -> Result<Vec<i64>> {
    let mut numbers = operations.map(|operation| number(operation, attribute)).collect::<Result<Vec<_>>>()?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Fails unless `seen` is likely when each of `calls` is recorded with probability `ratio`.
fn ensure_likely(seen: usize, calls: usize, ratio: f64, what: &str) -> Result<()> {
    let (calls, seen) = (calls as f64, seen as f64);
    let (mean, deviation) = (calls * ratio, (calls * ratio * (1.0 - ratio)).sqrt());
    ensure!((seen - mean).abs() < 5.0 * deviation, "{what}: {seen} of {calls}, {mean} ± {deviation} expected");
    Ok(())
}

fn the_selected_calls_are_recorded(go: &str, mode: &str) -> Result<()> {
    let collected = run(go, mode, &rules(), LARGE_RING, &[])?;
    collected.ensure_all_seen()?;
    let (calls, spilled) = calls();
    for (index, (text, is_selected)) in conditions().iter().enumerate() {
        let rule = format!("look.{index}");
        let expected: Vec<_> = calls.iter().filter(|call| is_selected(call)).map(|call| call.id).collect();
        let seen = numbers(collected.of_rule(&rule), "id")?;
        ensure!(seen == expected, "{text}: {} calls {seen:?}, not {}: {expected:?}", seen.len(), expected.len());
    }
    let failed: Vec<_> = calls.iter().filter(|call| call.n < 0).map(|call| call.id).collect();
    ensure!(
        numbers(collected.of_rule("failed"), "r")? == failed,
        "failed: {:?}",
        numbers(collected.of_rule("failed"), "r")?
    );
    let is_good = |id: i64| calls.iter().any(|call| call.id == id && call.n >= 0);
    ensure!(is_good(202), "rule `chosen` needs a call that does not fail");
    ensure!(numbers(collected.of_rule("chosen"), "r")? == [100, 101, 102, 202]);
    ensure!(collected.of_rule("bare").count() == 1);
    ensure!(numbers(collected.of_rule("entered"), "id")? == [370, 371, 372, 373, 374]);
    let odd: Vec<_> = spilled.iter().copied().filter(|id| id % 2 == 1).collect();
    ensure!(
        numbers(collected.of_rule("spilled"), "id")? == odd,
        "{odd:?} {:?}",
        numbers(collected.of_rule("spilled"), "id")?
    );
    ensure!(numbers(collected.of_rule("returned"), "r")? == [150]);
    ensure!(numbers(collected.of_rule("descend"), "id")? == [0, 3, 7, 8]);

    for (rule, wanted) in [("wanted", true), ("unwanted", false)] {
        let expected: Vec<_> = (0..60).filter(|id| (id % 4 < 2) == wanted).collect();
        ensure!(
            numbers(collected.of_rule(rule), "id")? == expected,
            "{rule}: {:?}",
            numbers(collected.of_rule(rule), "id")?
        );
        for operation in collected.of_rule(rule) {
            let panicked = number(operation, "id")? % 3 == 0;
            ensure!(operation.unwound == panicked, "{operation:?}");
            let name = operation.text("name");
            ensure!(name == (wanted && !panicked).then_some("kept"), "{operation:?}");
        }
    }

    for (rule, workers, each, ratio) in [("every.tenth", 8, 12_500, 0.1), ("some", 4, 10_000, 0.25)] {
        let mut by_worker = BTreeMap::<i64, usize>::new();
        for operation in collected.of_rule(rule) {
            let worker = number(operation, "worker")?;
            ensure!(number(operation, "r")? / 1_000_000 == worker, "{operation:?}");
            ensure!(operation.sample == Some(ratio), "{operation:?}");
            *by_worker.entry(worker).or_default() += 1;
        }
        ensure_likely(by_worker.values().sum(), workers * each, ratio, rule)?;
        ensure!(by_worker.len() == workers, "{by_worker:?}");
        for (worker, seen) in by_worker {
            ensure_likely(seen, each, ratio, &format!("{rule} of worker {worker}"))?;
        }
        // No call twice, and no pattern that workers share.
        let mut seen = numbers(collected.of_rule(rule), "r")?;
        let recorded = seen.len();
        seen.dedup();
        ensure!(seen.len() == recorded, "{rule}: a call was recorded twice");
        let first: Vec<_> = seen.iter().filter(|r| **r < 1_000_000).map(|r| r % 1_000_000).collect();
        let second = seen.iter().filter(|r| (1_000_000..2_000_000).contains(*r)).map(|r| r % 1_000_000);
        let both = second.filter(|id| first.contains(id)).count();
        ensure_likely(both, each, ratio * ratio, &format!("{rule}: calls of the same number"))?;
    }
    ensure_likely(collected.of_rule("deep").count(), 8 * 2001, 0.5, "deep")?;

    // Each entry has its exit and each exit its entry: both ends of an operation are of one call.
    let mut records = 60;
    for operation in &collected.operations {
        ensure!(!operation.unfinished, "{operation:?}");
        let (entry, exit) = (operation.attributes.get("id"), operation.attributes.get("r"));
        ensure!(entry.is_none() || exit.is_none() || entry == exit, "{operation:?}");
        ensure!(
            operation.unwound || exit.is_some() || ["entered", "bare"].contains(&operation.rule.as_str()),
            "{operation:?}"
        );
        let has_one =
            operation.unwound || ["failed", "chosen", "entered", "returned"].contains(&operation.rule.as_str());
        records += if has_one { 1 } else { 2 };
    }
    ensure!(collected.summary.records == records, "{:?}, {records} records expected", collected.summary);
    Ok(())
}

#[test]
fn a_call_whose_entry_finds_no_room_has_no_exit() -> Result<()> {
    let rules = json!({ "rules": [{ "name": "busy", "import": "main", "function": "busy", "sample": 0.9,
        "enter": { "id": { "value": "id" } }, "exit": { "r": { "value": "results[0]" } } }] });
    let collected = run(NEWEST_GO, "default", &rules, "4096", &[])?;
    let Collected { summary, operations, .. } = &collected;
    ensure!(summary.lost.ring_full > 100, "the rings were never full: {summary:?}");
    ensure!(summary.unpaired_exits == 0 && summary.words_missing == 0, "{summary:?}");
    for operation in operations.iter().filter(|operation| !operation.unwound && !operation.unfinished) {
        ensure!(number(operation, "r")? % 1_000_000 == number(operation, "id")?, "{operation:?}");
    }
    Ok(())
}

#[test]
fn a_call_whose_mark_finds_no_room_is_counted() -> Result<()> {
    let rules = json!({ "rules": [{ "name": "deep", "import": "main", "function": "deep", "when": "id >= 0",
        "enter": { "id": { "value": "id" } }, "exit": { "r": { "value": "results[0]" } } }] });
    let collected = run(NEWEST_GO, "default", &rules, LARGE_RING, &["crowd"])?;
    let Collected { summary, operations, .. } = &collected;
    ensure!(summary.words_missing > 1000, "there was always room: {summary:?}");
    ensure!(summary.lost.total == 0 && summary.unpaired_exits == 0, "{summary:?}");
    ensure!(summary.operations + summary.words_missing == 10 * 60_001, "{summary:?}");
    for operation in operations.iter().filter(|operation| !operation.unwound && !operation.unfinished) {
        ensure!(operation.attributes.get("r") == operation.attributes.get("id"), "{operation:?}");
    }
    Ok(())
}

#[test]
fn an_invalid_condition_is_an_error_with_its_place() -> Result<()> {
    let program = corpus::build("conditions", NEWEST_GO, "default")?;
    let rule = |function: &str, rest: &str| {
        format!("rules:\n  - name: r\n    import: main\n    function: {function}\n{rest}\n    enter: {{}}\n")
    };
    for (rules, expected) in [
        (rule("look", "    when: n = 3"), "rules.yaml:5: rule r: when: `n = 3` is not a condition: "),
        (rule("look", "    # A line.\n    when: nam == \"\""), "rules.yaml:6: rule r: when: main.look: `nam`: "),
        (rule("look", "    when: nam == \"\""), "(did you mean `name`?)"),
        (rule("look", "    when: o.cont > 3"), "main.order has no field `cont`; "),
        (rule("look", "    when: o.cont > 3"), "(did you mean `count`?)"),
        (rule("look", "    when: n == \"\""), "an integer cannot be compared with a string"),
        (rule("look", "    when: ok && n"), "an integer cannot be compared with true or false"),
        (rule("look", "    when: small == 256"), "256 is out of the range of an unsigned integer of 8 bits"),
        (
            rule("look", "    when: o.count < -2147483649"),
            "-2147483649 is out of the range of a signed integer of 32 bits",
        ),
        (rule("look", "    when: results[1] != nil"), "a result is known at the exit only"),
        (rule("look", "    when: o.held.(*triangle) != nil"), "main.triangle"),
        (rule("look", "    when: n == 1").replace("enter", "exit"), "a parameter is known at the entry only"),
        (rule("'*'", "    partial: true\n    when: n == 1"), "rules.yaml:6: rule r: when: main."),
        (rule("look", "    sample: 1.5"), "rules.yaml:5: rule r: "),
        (rule("look", "    sample: 1.5"), "a ratio of more than 0 and at most 1"),
        (
            rule("look", "    kind: boundary\n    sample: 0.1"),
            "rules.yaml:6: rule r: sample: not allowed with `kind: boundary`",
        ),
        (
            rule("look", "    caller_keeps: [o]\n    when: results[1] == nil")
                .replace("enter: {}", "exit: { name: { value: o.name } }"),
            "give the rule `enter: {}`",
        ),
        (rule("look", "    whn: ok"), "(did you mean `when`?)"),
    ] {
        let scratch = Scratch::new()?;
        fs::write(scratch.file("rules.yaml"), &rules)?;
        let mut command = gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out"])?;
        let done = Gopatch::run(command.arg(&program).current_dir(scratch.path()))?;
        ensure!(
            done.status == Some(2) && done.stderr.contains(expected),
            "{rules}expected {expected}: {}",
            done.stderr
        );
    }
    Ok(())
}

#[test]
fn conditions_and_samples_are_shown() -> Result<()> {
    let scratch = Scratch::new()?;
    let program = corpus::build("conditions", NEWEST_GO, "default")?;
    let rules = "rules: [{ name: r, import: main, function: look, when: ' n > 3 ', sample: 1/50 }]";
    fs::write(scratch.file("rules.yaml"), rules)?;
    let run = |arguments: &[&str]| Gopatch::run(gopatch::command(arguments)?.arg(&program).current_dir(scratch.path()));
    let list = Gopatch::run(gopatch::command(&["rules", "list", "rules.yaml"])?.current_dir(scratch.path()))?;
    let patched = run(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out"])?;
    let checked = run(&["rules", "check", "rules.yaml"])?;
    let inspected = Gopatch::run(gopatch::command(&["inspect", "out"])?.current_dir(scratch.path()))?;
    for done in [list, patched, checked, inspected] {
        ensure!(done.stdout.contains("when n > 3, sampled 1/50\n"), "{}{}", done.stdout, done.stderr);
    }
    let command = &mut gopatch::command(&["inspect", "out", "--format", "json"])?;
    let manifest: Value = serde_json::from_str(&Gopatch::run(command.current_dir(scratch.path()))?.stdout)?;
    let function = &manifest["functions"][0];
    ensure!(function["when"] == "n > 3" && function["sample"] == json!(0.02), "{function:#}");
    Ok(())
}
