//! Every request is one operation: none is lost, none is doubled, and each is what its client sent.
//!
//! Decides how many requests, with which versions of Go, over which protocols; `exact` compares.

use std::process::Command;

use anyhow::{Context, Result};
use gopatch_tests::load::{FAST, HTTP, MIX};
use gopatch_tests::{Load, Scratch, backends, exact, gopatch};

#[test]
fn go_1_19() -> Result<()> {
    every_request_is_one_operation("1.19")
}

#[test]
fn go_1_21() -> Result<()> {
    every_request_is_one_operation("1.21.13")
}

#[test]
fn go_1_24() -> Result<()> {
    every_request_is_one_operation("1.24.13")
}

#[test]
fn go_1_27() -> Result<()> {
    every_request_is_one_operation("1.27.4")
}

fn every_request_is_one_operation(go: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let program = gopatch::patched(&scratch, "httpserver", go, "default")?;
    for backend in backends() {
        for (mix, count) in [(FAST, 20_000), (MIX, 2_000)] {
            for (tls, proto) in HTTP {
                let load = Load { tls, proto, mix, count, in_flight: 64, tag: "r" };
                exact::run(&scratch, &mut Command::new(&program), backend, load)
                    .with_context(|| format!("Go {go}, backend {backend}, {load:?}"))?;
            }
        }
    }
    Ok(())
}
