//! A function that a rule skips does not run, however it is called, and its callers get the rule's
//! constants.
//!
//! In corpus/skips each function that runs prints so. This file has the output of a run in which
//! none does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ::gopatch::verify;
use anyhow::{Context, Result, ensure};
use gopatch_protocol::manifest::{self, Manifest};
use gopatch_tests::{Gopatch, Gopatchd, NEWEST_GO, Process, Scratch, gopatch};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use xtask::corpus;

const GO: [&str; 4] = ["1.19", "1.21.13", "1.24.13", NEWEST_GO];
const MODES: [&str; 3] = ["default", "pie", "stripped"];

/// What the program prints with the rules of skip.yaml.
const NOTHING_RAN: &str = "\
-128 65535 -2147483648 -9223372036854775808 18446744073709551615 0 true
-1.5 1e+100 0 -3
\"disabled by policy: grüße\" \"\" <nil>
true true true true true
true true true
1 2 3 4 5 6 7 8 nil 200 true 81985529216486895 65000 <nil>
5 -1 77 255
true <nil>
true <nil>
true <nil>
true <nil>
ran: generic
a 1
ran: generic
3 1
false
5 1 6
true true
1099511627776
0
";

fn rules() -> Result<String> {
    Ok(fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patching/skip.yaml"))?)
}

/// Patches the program with these rules only. Also returns the report, null without one.
fn patch(scratch: &Scratch, go: &str, mode: &str, rules: &str) -> Result<(Gopatch, Value)> {
    fs::write(scratch.file("rules.yaml"), rules)?;
    let mut command =
        gopatch::command(&["--no-default-rules", "--rules", "rules.yaml", "-o", "out", "--format", "json"])?;
    let done = Gopatch::run(command.arg(corpus::build("skips", go, mode)?).current_dir(scratch.path()))?;
    let report = serde_json::from_str(&done.stdout).unwrap_or_default();
    Ok((done, report))
}

fn run(scratch: &Scratch, socket: &Path) -> Result<String> {
    let mut program = Command::new(scratch.file("out"));
    Process::run(program.env("GOPATCH_SOCKET", socket), scratch.path(), "skips", Duration::from_mins(1))
}

#[test]
fn what_is_skipped_does_not_run_with_or_without_gopatchd() -> Result<()> {
    for go in GO {
        for mode in MODES {
            let scratch = Scratch::new()?;
            let (done, _) = patch(&scratch, go, mode, &rules()?)?;
            ensure!(done.status == Some(0), "Go {go}, {mode}: {}{}", done.stdout, done.stderr);
            let alone = run(&scratch, &PathBuf::new())?;
            ensure!(alone == NOTHING_RAN, "Go {go}, {mode}, without gopatchd: {alone}");
            let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
            let watched = run(&scratch, gopatchd.socket())?;
            ensure!(watched == NOTHING_RAN, "Go {go}, {mode}, with gopatchd: {watched}");
            let collected = gopatchd.stop()?;
            ensure!(collected.operations.is_empty(), "no rule records anything: {:#?}", collected.operations);
        }
    }
    Ok(())
}

/// All rules of the function record both ends of a skipped call, in their order, as if its body
/// took no time.
#[test]
fn a_skipped_call_is_recorded_where_a_rule_captures_it() -> Result<()> {
    let rules = r#"rules:
      - name: door
        import: main
        receiver: "*door"
        function: check
        skip: [true, nil]
        caller_keeps: [d]
        enter: { name: { value: name } }
        exit: { ok: { value: "results[0]" }, failed: { value: "results[1] != nil" }, door: { value: d.name } }
      - name: outer
        import: main
        receiver: "*door"
        function: check
        order: outermost
        exit: { ok: { value: "results[0]" } }
        enter: {}
      - { name: entry, import: main, receiver: "*door", function: check, enter: { name: { value: name } } }
      - { name: exits, import: main, receiver: "*", function: chec*, exit: { ok: { value: "results[0]" } }, partial: true }
      - name: spilled
        import: main
        function: spilled
        skip: [1, 2, 3, 4, 5, 6, 7, 8, "text", 200, true, 81985529216486895, 65000, nil]
        exit: { k: { value: k }, last: { value: last }, small: { value: small }, word: { value: word } }
        enter: { a: { value: "c == nil", optional: true } }
      - name: allow
        import: main
        function: allow
        skip: [true, "not today", nil, nil]
        enter: { key: { value: key } }
        exit: { why: { value: "results[1]" } }
    "#;
    for go in GO {
        let scratch = Scratch::new()?;
        let (done, report) = patch(&scratch, go, "default", rules)?;
        ensure!(done.status == Some(0), "Go {go}: {}{}", done.stdout, done.stderr);
        let counts: Vec<_> = report["rules"]
            .as_array()
            .context("rules")?
            .iter()
            .map(|rule| {
                let function = &rule["functions"][0];
                (function["entries"].clone(), function["exits"].clone())
            })
            .collect();
        let count = |entries: u32, exits: u32| (json!(entries), json!(exits));
        ensure!(counts[..3] == [count(1, 1), count(1, 1), count(1, 0)], "Go {go}: {counts:?}");
        let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
        let printed = run(&scratch, gopatchd.socket())?;
        ensure!(!printed.contains("door.check") && printed.contains("ran: gate.check"), "Go {go}: {printed}");
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        let seen =
            |rule: &str| collected.of_rule(rule).map(|operation| json!(operation.attributes)).collect::<Vec<_>>();
        let expected = |name: &str| json!({"name": name, "ok": true, "failed": false, "door": "front"});
        ensure!(seen("door") == [expected("front"), expected("back")], "Go {go}: {:#?}", seen("door"));
        ensure!(seen("outer") == vec![json!({"ok": true}); 2], "Go {go}: {:#?}", seen("outer"));
        ensure!(seen("entry") == [json!({"name": "front"}), json!({"name": "back"})], "Go {go}: {:#?}", seen("entry"));
        // The gate's check runs and returns false.
        let exits = [true, true, false, false].map(|ok| json!({"ok": ok}));
        ensure!(seen("exits") == exits, "Go {go}: {:#?}", seen("exits"));
        let spilled = json!({"k": 8, "last": "text", "small": 200, "word": 65000});
        ensure!(seen("spilled") == [spilled], "Go {go}: {:#?}", seen("spilled"));
        // Many goroutines call it while garbage is collected and stacks grow.
        let allow = seen("allow");
        let rounds = (0..200).flat_map(|round| vec![format!("key {round}"); 8]);
        let mut keys: Vec<_> =
            allow.iter().filter_map(|attributes| attributes["key"].as_str().map(str::to_owned)).collect();
        let mut expected: Vec<_> = rounds.collect();
        keys.sort();
        expected.sort();
        ensure!(keys == expected, "Go {go}: {} calls of allow", allow.len());
        ensure!(allow.iter().all(|attributes| attributes["why"] == "not today"), "Go {go}: {allow:#?}");
        for (outer, inner) in collected.of_rule("outer").zip(collected.of_rule("door")) {
            ensure!(outer.start_unix_nano <= inner.start_unix_nano, "Go {go}: {outer:?} {inner:?}");
            ensure!(outer.duration_nano >= inner.duration_nano, "Go {go}: {outer:?} {inner:?}");
        }
    }
    Ok(())
}

#[test]
fn a_body_that_also_runs_elsewhere_is_refused() -> Result<()> {
    for mode in MODES {
        for go in GO {
            let rule = |function: &str, signature: &str, skip: &str, partial: bool| {
                format!(
                    "rules: [{{ name: r, import: main, function: {function}, signature: '{signature}', skip: {skip}, \
                     partial: {partial} }}]"
                )
            };
            // No instruction is left of the copies of the second.
            let small = |partial| rule("small", "func small(n int) int", "[99]", partial);
            let constant = |partial| rule("constant", "func constant() bool", "[false]", partial);
            for (rules, partial, expected) in [
                (small(false), false, "\n5 1 99\n"),
                (small(true), true, "\n5 1 99\n"),
                (constant(false), false, "\ntrue false\n"),
            ] {
                let scratch = Scratch::new()?;
                let (done, report) = patch(&scratch, go, mode, &rules)?;
                ensure!(done.status == Some(i32::from(!partial)), "Go {go}, {mode}: {}{}", done.stdout, done.stderr);
                ensure!(report["refused"][0]["code"] == "inlined", "Go {go}, {mode}: {report:#}");
                // The function itself is skipped nevertheless.
                let printed = run(&scratch, &PathBuf::new())?;
                ensure!(printed.contains(expected), "Go {go}, {mode}: {printed}");
            }
            let wrapper = rule(
                "check, receiver: \"*gate\"",
                "func (g *gate) check(name string) (bool, error)",
                "[true, nil]",
                false,
            );
            let assembly = rule("viaAssembly", "func viaAssembly() int64", "[5]", false);
            for (rules, expected) in [(wrapper, "the compiler made the function"), (assembly, "is written in assembly")]
            {
                let scratch = Scratch::new()?;
                let (done, _) = patch(&scratch, go, mode, &rules)?;
                ensure!(done.status == Some(2), "Go {go}, {mode}: {}{}", done.stdout, done.stderr);
                ensure!(done.stderr.contains(expected), "Go {go}, {mode}: {}", done.stderr);
            }
        }
    }
    Ok(())
}

#[test]
fn constants_that_are_not_results_are_errors_with_their_place() -> Result<()> {
    let rule = |function: &str, skip: &str| {
        format!("rules:\n  - name: r\n    import: main\n    function: {function}\n    skip:\n{skip}")
    };
    let lines = |constants: &[&str]| format!("      - {}\n", constants.join("\n      - "));
    let integers = |first: &str| lines(&[first, "1", "1", "1", "1", "1", "true"]);
    for (rules, expected) in [
        (rule("integers", &integers("128")), "rules.yaml:6: rule r: skip.0: main.integers: 128 does not fit in int8"),
        (rule("integers", &integers("1.0")), "rules.yaml:6: rule r: skip.0: main.integers: 1.0 is not a value of type int8"),
        (rule("integers", &integers("nil")), "nil is not a value of type int8: only whole numbers are"),
        (rule("integers", &lines(&["1", "2"])), "the function has 7 results, but `skip` has 2 constants"),
        (rule("texts", &lines(&["a", "5", "nil"])), "rules.yaml:7: rule r: skip.1: main.texts: 5 is not a value of type string"),
        (rule("texts", &lines(&["a", "b", "c"])), "\"c\" is not a value of type error: only nil is"),
        (rule("'*'", "      []\n"), "rules.yaml:5: rule r: skip: not allowed with a glob"),
        (rule("allow", &lines(&["{}"])), "expected a number, a string, `true`, `false` or `nil`"),
        (
            "rules: [{ name: r, import: runtime, function: GC, skip: [] }]".to_owned(),
            "rule r: skip: functions of the runtime cannot be skipped",
        ),
        (
            "rules:\n  - { name: a, import: main, function: leaf, skip: [1] }\n  - { name: b, import: main, function: leaf, skip: [2] }\n"
                .to_owned(),
            "rules.yaml:3: rule b: skip: main.leaf already has its results from rule a",
        ),
    ] {
        let scratch = Scratch::new()?;
        let (done, _) = patch(&scratch, NEWEST_GO, "default", &rules)?;
        ensure!(done.status == Some(2) && done.stderr.contains(expected), "{rules}expected {expected}: {}", done.stderr);
        ensure!(!scratch.file("out").exists(), "{rules}: an output was written");
    }
    Ok(())
}

#[test]
fn a_patched_file_shows_what_it_skips() -> Result<()> {
    let scratch = Scratch::new()?;
    let (done, _) = patch(&scratch, NEWEST_GO, "default", &rules()?)?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let run = |arguments: &[&str]| Gopatch::run(gopatch::command(arguments)?.current_dir(scratch.path()));
    let text = run(&["inspect", "out"])?.stdout;
    ensure!(
        text.contains("main.(*door).check: 1 entry, 0 exits\n") && text.contains("returns true, nil at once"),
        "{text}"
    );
    let listed = run(&["rules", "list", "rules.yaml"])?.stdout;
    ensure!(listed.contains("returns -1.5, 1e100, 0, -3 at once"), "{listed}");
    let restored = run(&["restore", "out", "-o", "restored"])?;
    ensure!(restored.status == Some(0), "{}", restored.stderr);
    let original = fs::read(corpus::build("skips", NEWEST_GO, "default")?)?;
    ensure!(fs::read(scratch.file("restored"))? == original, "restore does not give back the input");
    Ok(())
}

/// A forged change of a manifest.
type Change<'c> = &'c dyn Fn(&mut Manifest);

/// A thunk returns exactly where the manifest says so. The verifier notices any difference, even
/// when the digests of the changed file are correct.
#[test]
fn a_manifest_that_differs_from_the_code_is_noticed() -> Result<()> {
    let scratch = Scratch::new()?;
    let rules = "rules:\n  - { name: a, import: main, function: leaf, skip: [1] }\n  - { name: b, import: main, function: huge }\n";
    let (done, _) = patch(&scratch, NEWEST_GO, "default", rules)?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let output = fs::read(scratch.file("out"))?;
    let manifest = verify::verify(&output, None)?;
    let (leaf, huge) = (manifest.functions[0].va, manifest.functions[1].va);
    let skips = |manifest: &mut Manifest, function| {
        manifest.sites.iter_mut().filter(|site| site.skips.is_some()).for_each(|site| site.skips = function);
    };
    let changes: [(&str, Change<'_>); 5] = [
        ("returns, but the manifest does not say", &|it| it.functions[0].skip = None),
        ("a way out at", &|it| {
            it.functions[0].skip = None;
            skips(it, None);
        }),
        ("should return at once at one site, but does so at 0", &|it| it.functions[1].skip = Some(Vec::new())),
        ("is not at the beginning of", &|it| it.functions[0].va = huge),
        ("is not at the beginning of", &|it| {
            it.functions[1].skip = it.functions[0].skip.take();
            it.functions[0].va = leaf + 1;
            skips(it, Some(1));
        }),
    ];
    let noticed = |output: &[u8], change: Change<'_>, expected: &str| {
        // Makes room for what the change adds.
        let mut changed = Manifest { tool: String::new(), ..manifest.clone() };
        change(&mut changed);
        let error = verify::verify(&with_manifest(output, &manifest, changed)?, None).err();
        let message = error.map(|error| format!("{:#}", anyhow::Error::from(error))).unwrap_or_default();
        ensure!(message.contains(expected), "expected {expected}: {message:?}");
        Ok(())
    };
    for (expected, change) in changes {
        noticed(&output, change, expected)?;
    }
    // `mov eax, 1; ret` becomes `mov ebp, 1; ret`.
    let thunk = manifest.sites.iter().find(|site| site.skips.is_some()).context("no thunk")?.thunk;
    let at = (thunk - manifest.code.va + manifest.code.offset) as usize;
    ensure!(output[at..at + 7] == [0xb8, 1, 0, 0, 0, 0xf3, 0xc3], "{:x?}", &output[at..at + 7]);
    let mut other_code = output.clone();
    other_code[at] = 0xbd;
    noticed(&other_code, &|_| (), "does not set a result")
}

/// The file with another manifest, as if gopatch had written it.
fn with_manifest(output: &[u8], old: &Manifest, mut new: Manifest) -> Result<Vec<u8>> {
    let mut output = output.to_vec();
    let code = new.code.offset as usize..(new.code.offset + new.code.size) as usize;
    let id = code.start + new.code.id_offset as usize;
    output[id..id + 16].fill(0);
    new.code.sha256 = manifest::to_hex(&Sha256::digest(&output[code]));
    let (old, mut json) = (serde_json::to_vec(old)?, serde_json::to_vec(&new)?);
    let at = output.windows(old.len()).rposition(|bytes| bytes == old).context("no manifest")?;
    ensure!(json.len() <= old.len(), "the new manifest is longer");
    json.resize(old.len(), b' ');
    output[at..at + old.len()].copy_from_slice(&json);
    output[id..id + 16].copy_from_slice(&Sha256::digest(&json)[..16]);
    Ok(output)
}
