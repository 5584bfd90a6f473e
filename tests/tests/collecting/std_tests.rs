//! Go's own tests of net/http and crypto/tls have the same results in a test binary that is patched
//! with the default rules.
//!
//! The expected results are those of the unpatched binary, pass or fail.

use anyhow::{Context, Result, ensure};
use gopatch_tests::std_test::StdTest;
use gopatch_tests::{Gopatchd, Scratch, alone, backends, gopatch};

/// A burst of requests in one test must not find its ring full.
const RING_BYTES: &str = "16777216";

/// A package of Go, and a rule that must record something.
struct Package {
    name: &'static str,
    rule: &'static str,
}

const NET_HTTP: Package = Package { name: "net/http", rule: "http.server" };
const CRYPTO_TLS: Package = Package { name: "crypto/tls", rule: "tls.handshake" };

const SHORT: &[&str] = &["-test.short"];
const FULL: &[&str] = &[];

#[test]
fn net_http_1_24() -> Result<()> {
    results_are_the_same(&NET_HTTP, "1.24.13", SHORT)
}

#[test]
fn net_http_1_27() -> Result<()> {
    results_are_the_same(&NET_HTTP, "1.27.4", SHORT)
}

#[test]
fn crypto_tls_1_24() -> Result<()> {
    results_are_the_same(&CRYPTO_TLS, "1.24.13", SHORT)
}

#[test]
fn crypto_tls_1_27() -> Result<()> {
    results_are_the_same(&CRYPTO_TLS, "1.27.4", SHORT)
}

#[test]
#[ignore = "soak: takes minutes"]
fn all_of_net_http() -> Result<()> {
    results_are_the_same(&NET_HTTP, "1.24.13", FULL)?;
    results_are_the_same(&NET_HTTP, "1.27.4", FULL)
}

#[test]
#[ignore = "soak: takes minutes"]
fn all_of_crypto_tls() -> Result<()> {
    results_are_the_same(&CRYPTO_TLS, "1.24.13", FULL)?;
    results_are_the_same(&CRYPTO_TLS, "1.27.4", FULL)
}

fn results_are_the_same(package: &Package, go: &str, options: &[&str]) -> Result<()> {
    // Some of Go's tests fail when the machine is slow.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let tests = StdTest::new(&scratch, package.name, go, "default", options)?;
    let patched = gopatch::patch(&tests.original, scratch.file("patched"))?;
    // Some of Go's tests depend on time: a difference must occur twice.
    let run = || {
        let same = |results| tests.ensure_same(&results).map(|()| results);
        tests.run(&patched, |_| Ok(())).and_then(same)
    };
    let run = || run().or_else(|_| run());
    run().with_context(|| format!("Go {go}, no gopatchd"))?;
    for backend in backends() {
        let gopatchd = Gopatchd::start(&scratch, backend, &["--ring-bytes", RING_BYTES])?;
        run().with_context(|| format!("Go {go}, backend {backend}"))?;
        let collected = gopatchd.stop()?;
        ensure!(
            collected.of_rule(package.rule).any(|operation| !operation.unfinished),
            "no {} was recorded",
            package.rule
        );
    }
    Ok(())
}
