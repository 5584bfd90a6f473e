//! Go's own tests of net/http and crypto/tls have the same results in a patched test binary.
//!
//! Decides: which tests are left out: those, and only those, that two runs of the unpatched binary do not agree on.
//! Trusts: what a test binary prints with -test.v.
//! Never does: look whether a test should pass; the unpatched binary says what its result is.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Process, Scratch, backends, gopatch};
use xtask::corpus;

/// Longest run of one binary, at -test.short and without.
const PATIENCE: Duration = Duration::from_mins(5);

/// A burst of requests in one test must not find its ring full.
const RING_BYTES: &str = "16777216";

/// A package of Go's, as the corpus has it.
struct Package {
    program: &'static str,
    folder: &'static str,
    /// A rule that must have seen something.
    rule: &'static str,
}

const NET_HTTP: Package = Package { program: "net-http", folder: "src/net/http", rule: "http.server" };
const CRYPTO_TLS: Package = Package { program: "crypto-tls", folder: "src/crypto/tls", rule: "tls.handshake" };

/// What is hooked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hooked {
    /// What the default rules name.
    Default,
    /// That, and every function that can be.
    Everything,
}

const SHORT: &[&str] = &["-test.short"];
const FULL: &[&str] = &[];

#[test]
fn net_http_1_24() -> Result<()> {
    results_are_the_same(&NET_HTTP, "1.24.13", Hooked::Default, SHORT)
}

#[test]
fn net_http_1_27() -> Result<()> {
    results_are_the_same(&NET_HTTP, "1.27.4", Hooked::Default, SHORT)
}

#[test]
fn crypto_tls_1_24() -> Result<()> {
    results_are_the_same(&CRYPTO_TLS, "1.24.13", Hooked::Default, SHORT)
}

#[test]
fn crypto_tls_1_27() -> Result<()> {
    results_are_the_same(&CRYPTO_TLS, "1.27.4", Hooked::Default, SHORT)
}

#[test]
#[ignore = "soak: takes minutes"]
fn all_of_net_http() -> Result<()> {
    results_are_the_same(&NET_HTTP, "1.24.13", Hooked::Default, FULL)?;
    results_are_the_same(&NET_HTTP, "1.27.4", Hooked::Default, FULL)
}

#[test]
#[ignore = "soak: takes minutes"]
fn all_of_crypto_tls() -> Result<()> {
    results_are_the_same(&CRYPTO_TLS, "1.24.13", Hooked::Default, FULL)?;
    results_are_the_same(&CRYPTO_TLS, "1.27.4", Hooked::Default, FULL)
}

#[test]
#[ignore = "soak: takes minutes"]
fn with_every_function_hooked() -> Result<()> {
    for package in [&NET_HTTP, &CRYPTO_TLS] {
        for go in ["1.24.13", "1.27.4"] {
            results_are_the_same(package, go, Hooked::Everything, SHORT)?;
        }
    }
    Ok(())
}

fn results_are_the_same(package: &Package, go: &str, hooked: Hooked, options: &[&str]) -> Result<()> {
    let scratch = Scratch::new()?;
    let original = corpus::build(package.program, go, "default")?;
    let patched = match hooked {
        Hooked::Default => gopatch::patched(&scratch, package.program, go, "default")?,
        Hooked::Everything => gopatch::patch_everything(&scratch, &original)?,
    };
    let folder = corpus::goroot(go)?.join(package.folder);
    let run = |program: &Path| results(&scratch, program, &folder, options);

    let (once, twice) = (run(&original)?, run(&original)?);
    let mut expected = once.clone();
    expected.retain(|name, result| twice.get(name) == Some(result));
    let unsteady: Vec<_> = once.keys().chain(twice.keys()).filter(|name| !expected.contains_key(*name)).collect();
    if !unsteady.is_empty() {
        eprintln!("{} with Go {go}: two runs of the unpatched tests do not agree on {unsteady:?}", package.program);
    }
    ensure!(!expected.is_empty(), "the tests printed no result");
    let same = |results: &Results| {
        let other: Vec<_> = expected.iter().filter(|(name, result)| results.get(*name) != Some(*result)).collect();
        ensure!(other.is_empty(), "the patched tests do not give {other:?}");
        let new: Vec<_> =
            results.keys().filter(|name| !once.contains_key(*name) && !twice.contains_key(*name)).collect();
        ensure!(new.is_empty(), "tests that the unpatched binary has not: {new:?}");
        Ok(())
    };

    same(&run(&patched)?).with_context(|| format!("Go {go}, no gopatchd"))?;
    for backend in backends() {
        let gopatchd = Gopatchd::start(&scratch, backend, &["--ring-bytes", RING_BYTES])?;
        let results = run(&patched)?;
        let said = gopatchd.stop()?;
        same(&results).with_context(|| format!("Go {go}, backend {backend}"))?;
        ensure!(said.of(package.rule).any(|operation| !operation.unfinished), "no {} was seen", package.rule);
    }
    Ok(())
}

/// PASS, FAIL or SKIP by the test's name; a subtest's has its parents' in front.
type Results = BTreeMap<String, String>;

fn results(scratch: &Scratch, program: &Path, folder: &Path, options: &[&str]) -> Result<Results> {
    let mut command = Command::new(program);
    command
        .arg("-test.v")
        .args(options)
        .current_dir(folder)
        .env("GOPATCH_SOCKET", gopatch_tests::gopatchd::socket(scratch));
    let mut process = Process::start(&mut command, scratch.path(), "tests")?;
    process.wait(PATIENCE)?;
    let printed = String::from_utf8_lossy(&std::fs::read(process.stdout_path())?).into_owned();
    // Some tests fail on a machine without a network, patched or not. But each run must come to its end.
    let end = printed.lines().rev().take(5).any(|line| line == "PASS" || line == "FAIL");
    ensure!(end, "{}", process.told("did not run all tests"));
    Ok(parse(&printed))
}

/// `--- PASS: TestName/sub (0.00s)` may stand behind what the test itself has printed without a newline.
fn parse(printed: &str) -> Results {
    let results = printed.lines().filter_map(|line| {
        let (result, rest) = line.split_once("--- ")?.1.split_once(": ")?;
        let (name, _) = rest.split_once(" (")?;
        ["PASS", "FAIL", "SKIP"].contains(&result).then(|| (name.to_owned(), result.to_owned()))
    });
    results.collect()
}
