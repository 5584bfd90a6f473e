//! The policy and the provenance of docs/hardening.md: what a pipeline checks of a patched file,
//! and what it keeps.
//!
//! The worked example is the document's. Digests are computed here, not by gopatch's library.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::manifest::to_hex;
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch, release_binary};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use xtask::{corpus, workspace};

/// A folder with a program as `server`.
fn with_server() -> Result<Scratch> {
    let scratch = Scratch::new()?;
    fs::copy(corpus::build("httpserver", NEWEST_GO, "default")?, scratch.file("server"))?;
    Ok(scratch)
}

/// Runs `gopatch ARGUMENTS` in a folder.
fn run(scratch: &Scratch, arguments: &[&str]) -> Result<Gopatch> {
    Gopatch::run(gopatch::command(arguments)?.current_dir(scratch.path()))
}

fn sha256(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(to_hex(&Sha256::digest(bytes)))
}

fn read_json(path: &Path) -> Result<Value> {
    serde_json::from_slice(&fs::read(path)?).with_context(|| path.display().to_string())
}

#[test]
fn the_worked_example_works() -> Result<()> {
    let document = fs::read_to_string(workspace::root().join("docs/hardening.md"))?;
    let blocks = |kind: &str| {
        let fence = format!("```{kind}\n");
        let blocks = document.split(&fence).skip(1);
        blocks.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (commands, policies, printed) = (blocks("sh"), blocks("yaml"), blocks("text"));
    ensure!((commands.len(), policies.len(), printed.len()) == (1, 2, 2), "the document has changed");

    let scratch = with_server()?;
    fs::write(scratch.file("policy.yaml"), &policies[0])?;
    let folder = release_binary("gopatch")?.parent().context("it is in a folder")?.to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH")?);
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &commands[0]]).env("PATH", path).current_dir(scratch.path());
    let done = Gopatch::run(&mut shell)?;
    ensure!(done.status == Some(0) && done.stderr.is_empty(), "{:?}\n{}", done.status, done.stderr);
    let lines: Vec<_> = done.stdout.lines().collect();
    ensure!(lines.len() == 2 && lines[0] == printed[0].trim_end(), "{}", done.stdout);
    ensure!(lines[1].starts_with("server.patched: ") && lines[1].ends_with(&sha256(&scratch.file("server"))?));
    ensure!(read_json(&scratch.file("report.json"))?["refused"] == json!([]));

    fs::write(scratch.file("policy.yaml"), &policies[1])?;
    let done = run(&scratch, &["inspect", "server.patched", "--policy", "policy.yaml"])?;
    ensure!(done.status == Some(1) && done.stdout == printed[1], "{:?}\n{}", done.status, done.stdout);
    ensure!(done.stderr == "gopatch: error: server.patched: does not meet policy.yaml\n", "{}", done.stderr);
    Ok(())
}

#[test]
fn a_refusal_is_in_the_file_and_violates_the_policy() -> Result<()> {
    let scratch = with_server()?;
    fs::write(scratch.file("all.yaml"), gopatch::EVERYTHING)?;
    let done = run(&scratch, &["server", "-o", "out", "--rules", "all.yaml", "--report", "r", "--format", "json"])?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let report = read_json(&scratch.file("r"))?;
    let refused = report["refused"].as_array().context("refused")?;
    ensure!(!refused.is_empty(), "a program of this size has places that cannot be hooked");
    let mut codes: Vec<_> = refused.iter().filter_map(|place| place["code"].as_str()).collect();
    codes.sort_unstable();
    codes.dedup();

    let judged = |policy: &str| {
        fs::write(scratch.file("p.yaml"), policy)?;
        run(&scratch, &["inspect", "out", "--policy", "p.yaml", "--format", "json"])
    };
    let done = judged("refused: none\n")?;
    ensure!(done.status == Some(1), "{}", done.stdout);
    let verdict: Value = serde_json::from_str(&done.stdout)?;
    let violations = verdict["violations"].as_array().context("violations")?;
    ensure!(verdict["met"] == false && violations.len() == codes.len(), "{codes:?}: {verdict:#}");
    for (violation, code) in violations.iter().zip(&codes) {
        let what = violation["what"].as_str().unwrap_or_default();
        ensure!((&violation["line"], &violation["key"]) == (&json!(1), &json!("refused")), "{violation:#}");
        ensure!(what.starts_with("rule everything: ") && what.ends_with(&format!("[{code}]")), "{what}");
    }
    let done = judged(&format!("refused: [{}]\n", codes.join(", ")))?;
    ensure!(done.status == Some(0), "{}", done.stdout);
    if let [first, rest @ ..] = &codes[..] {
        let done = judged(&format!("refused: [{}]\n", rest.join(", ")))?;
        ensure!(done.status == Some(1) && done.stdout.contains(first), "{}", done.stdout);
    }
    Ok(())
}

#[test]
fn what_cannot_be_judged_has_another_status() -> Result<()> {
    let scratch = with_server()?;
    gopatch::patch(&scratch.file("server"), scratch.file("out"))?;
    let mut bytes = fs::read(scratch.file("out"))?;
    let manifest = bytes.windows(8).rposition(|bytes| bytes == b"\"rule\":\"").context("it has a manifest")?;
    bytes[manifest + 8] ^= 1;
    fs::write(scratch.file("tampered"), bytes)?;
    fs::write(scratch.file("good.yaml"), "required_rules: http.server\n")?;
    fs::write(scratch.file("wrong.yaml"), "# ours\nrequired_rule: http.server\n")?;
    for (file, policy, status, message) in [
        ("out", "good.yaml", 0, ""),
        ("server", "good.yaml", 1, "server: does not meet good.yaml"),
        ("out", "wrong.yaml", 2, "wrong.yaml:2: unknown field `required_rule`"),
        ("out", "missing.yaml", 2, "missing.yaml: cannot read the policy"),
        ("tampered", "good.yaml", 2, "tampered: "),
        ("good.yaml", "good.yaml", 1, "good.yaml: does not meet good.yaml"),
    ] {
        let done = run(&scratch, &["inspect", file, "--policy", policy])?;
        ensure!(done.status == Some(status), "{file} {policy}: {:?} {}{}", done.status, done.stdout, done.stderr);
        ensure!(done.stderr.contains(message), "{file} {policy}: {}", done.stderr);
        ensure!(status != 2 || done.stdout.is_empty(), "{file} {policy}: {}", done.stdout);
    }
    let done = run(&scratch, &["inspect", "server", "--policy", "good.yaml"])?;
    ensure!(done.stdout == "good.yaml:1: required_rules: http.server: the file is not patched\n", "{}", done.stdout);
    Ok(())
}

#[test]
fn provenance_names_what_the_output_was_made_from() -> Result<()> {
    let made = |scratch: &Scratch, more: &[&str]| {
        fs::write(scratch.file("ours.yaml"), "rules: [{ name: ours, import: net/http, function: Error }]\n")?;
        let path = |name: &str| scratch.file(name).display().to_string();
        let (input, output, rules, statement) = (path("server"), path("out"), path("ours.yaml"), path("statement"));
        let arguments = ["-q", &input, "-o", &output, "--rules", &rules, "--provenance", &statement];
        let done = Gopatch::run(gopatch::command(&arguments)?.args(more))?;
        ensure!(done.status == Some(0) && done.stdout.is_empty(), "{:?} {}", done.status, done.stderr);
        fs::read_to_string(scratch.file("statement")).context("there is a statement")
    };
    let (scratch, elsewhere) = (with_server()?, with_server()?);
    let text = made(&scratch, &[])?;
    ensure!(text == made(&scratch, &[])?, "a second run gives another statement");
    ensure!(text == made(&elsewhere, &[])?, "the statement depends on the folder");
    let folder = scratch.path().file_name().context("a folder's name")?.to_string_lossy();
    ensure!(!text.contains(&*folder), "{text}");

    let done = run(&scratch, &["inspect", "out", "--format", "json"])?;
    let manifest: Value = serde_json::from_str(&done.stdout)?;
    let default_rules = sha256(&workspace::root().join("patcher/rules/default.yaml"))?;
    let file = |name: &str, sha256: &str| json!({ "name": name, "digest": { "sha256": sha256 } });
    let expected = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [file("out", &sha256(&scratch.file("out"))?)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:gopatch:build-type:patch:v1",
                "externalParameters": {
                    "input": "server",
                    "rules": ["default rules", "ours.yaml"],
                    "rulesSha256": manifest["rules_sha256"],
                    "socket": "/run/gopatch/gopatchd.sock",
                    "attach": "late",
                    "symbols": false,
                    "trailingData": "refuse",
                },
                "resolvedDependencies": [
                    file("server", &sha256(&scratch.file("server"))?),
                    file("default rules", &default_rules),
                    file("ours.yaml", &sha256(&scratch.file("ours.yaml"))?),
                ],
            },
            "runDetails": {
                "builder": {
                    "id": "urn:gopatch:builder:command",
                    "version": { "gopatch": env!("CARGO_PKG_VERSION") },
                },
            },
        },
    });
    let statement: Value = serde_json::from_str(&text)?;
    ensure!(statement == expected, "{statement:#}\nis not\n{expected:#}");

    let other: Value = serde_json::from_str(&made(&scratch, &["--socket", "/run/other.sock", "--symbols"])?)?;
    ensure!(other["subject"][0]["digest"]["sha256"] == sha256(&scratch.file("out"))?, "{other:#}");
    ensure!(other["subject"] != statement["subject"], "another output has the same digest");
    let parameters = &other["predicate"]["buildDefinition"]["externalParameters"];
    ensure!((&parameters["socket"], &parameters["symbols"]) == (&json!("/run/other.sock"), &json!(true)));
    Ok(())
}

#[test]
fn provenance_overwrites_no_other_file() -> Result<()> {
    let scratch = with_server()?;
    for (name, of) in [("server", "IN"), ("out", "OUT"), ("report", "the report")] {
        let arguments = ["server", "-o", "out", "--report", "report", "--provenance", name];
        let done = run(&scratch, &arguments)?;
        ensure!(done.status == Some(2), "{name}: {:?}", done.status);
        ensure!(done.stderr.contains(&format!("{name}: the provenance would overwrite {of}\n")), "{}", done.stderr);
    }
    ensure!(!scratch.file("out").exists() && !scratch.file("report").exists(), "an output was written");
    Ok(())
}
