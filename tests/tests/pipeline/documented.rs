//! The worked example of docs/rules.md does what the document says.
//!
//! The rules are the document's; corpus/orders makes known calls.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, NEWEST_GO, Operation, Process, SOON, Scratch, backends, gopatch};
use serde_json::{Value, json};
use xtask::{corpus, workspace};

/// The heading of the example.
const HEADING: &str = "## A worked example";

/// A claim of the threat model without its test would be a promise.
#[test]
fn each_claim_of_the_threat_model_has_its_test() -> Result<()> {
    let text = fs::read_to_string(workspace::root().join("docs/threat-model.md"))?;
    let claims = text.lines().filter(|line| line.starts_with('|')).filter_map(|line| line.rsplit('|').nth(1));
    let words = claims.flat_map(|tests| tests.split('`').skip(1).step_by(2));
    let names: Vec<_> = words
        .filter(|name| {
            name.len() > 12 && !name.contains(|c: char| c != '_' && !c.is_ascii_lowercase() && !c.is_ascii_digit())
        })
        .collect();
    ensure!(names.len() > 30, "only {} claims were found", names.len());
    let mut search = Command::new("grep");
    search.args(["-rh", "--include=*.rs", "-A4", "#\\[test\\]"]);
    search.args(["patcher", "trampolines", "runtime-ebpf", "tests"]).current_dir(workspace::root());
    let tests = workspace::output(&mut search)?;
    for name in names {
        ensure!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
    }
    Ok(())
}

#[test]
fn the_worked_example_works() -> Result<()> {
    let reference = fs::read_to_string(workspace::root().join("docs/rules.md"))?;
    let (_, example) = reference.split_once(HEADING).context("the document has the example")?;
    let rules = example.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).context("it has rules")?;
    for (go, mode) in [("1.19", "default"), ("1.21.13", "pie"), ("1.24.13", "default"), (NEWEST_GO, "pie")] {
        let original = corpus::build("orders", go, mode)?;
        for backend in backends() {
            let scratch = Scratch::new()?;
            let patched = gopatch::patch_with(&scratch, &original, rules)?;
            let inspected = gopatch::command(&["inspect", "--format", "json"])?.arg(&patched).output()?;
            let manifest: Value = serde_json::from_slice(&inspected.stdout)?;
            let functions = manifest["functions"].as_array().context("the manifest has functions")?;
            let dimensions = |rule| functions.iter().find(|it| it["rule"] == rule).map(|it| &it["dimensions"]);
            ensure!(dimensions("orders.place") == Some(&json!(["order.failed", "error.type"])), "{functions:#?}");
            ensure!(dimensions("orders.price") == Some(&Value::Null), "{functions:#?}");
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            let run = |program| {
                let mut command = Command::new(program);
                command.env("GOPATCH_SOCKET", gopatchd.socket());
                Process::run(&mut command, scratch.path(), "orders", SOON)
            };
            let (before, after) = (run(&original)?, run(&patched)?);
            ensure!(before == "20 failed; prices: 160000\ntrue welcome, root <nil>\n", "{before}");
            ensure!(after == "20 failed; prices: 160000\nfalse closed by policy <nil>\n", "{after}");
            let collected = gopatchd.stop()?;
            collected.ensure_all_seen()?;
            let operations = |rule: &'static str| collected.of_rule(rule).collect::<Vec<_>>();
            ensure_placed(&operations("orders.place")).with_context(|| format!("Go {go} {mode}, {backend}"))?;
            // Of 100 orders 20 have three lines and 20 have four; those of customer 3 are the ten
            // with three.
            let large = operations("orders.large").len();
            ensure!(large == 40 - 10, "Go {go}: {large} large orders");
            // Five standard deviations.
            let priced = operations("orders.price").len();
            ensure!(priced.abs_diff(1_000) < 150, "Go {go}: {priced} of 10,000 prices");
            ensure!(operations("admin.shut").is_empty(), "Go {go}: the rule records nothing");
        }
    }
    Ok(())
}

/// Each order, in the sequence of their placing.
fn ensure_placed(operations: &[&Operation]) -> Result<()> {
    ensure!(operations.len() == 100, "{} orders", operations.len());
    let mut pending = 0;
    for (index, operation) in operations.iter().enumerate() {
        let (customer, lines) = (format!("customer {}", index % 10), index % 5);
        pending += i64::from(lines > 0);
        let mut expected = json!({
            "order.customer": customer,
            "order.lines": lines,
            "order.failed": lines == 0,
            "service.pending": pending,
        });
        if lines == 0 {
            expected["error.type"] = json!("*errors.errorString");
        }
        ensure!(operation.name == format!("place {customer}"), "{}", operation.name);
        ensure!(json!(operation.attributes) == expected, "{:#?} is not {expected:#}", operation.attributes);
    }
    Ok(())
}
