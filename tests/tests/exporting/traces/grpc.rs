//! The same over gRPC: unary calls and streams.

use anyhow::{Context, Result};
use gopatch_tests::chain::tree::{Node, Tree};
use gopatch_tests::chain::{Programs, Protocol, Requests};
use gopatch_tests::{Gopatchd, NEWEST_GO, Scratch, alone, backends, gopatch};

const SHAPES: &str = "unary,stream,bare,streambare,spawnbare,streamspawnbare,group,streamgroup,pool,streampool,poolbare,\
                      forward,streamforward";

fn whole(mode: &str, backend: &str, count: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain-grpc", NEWEST_GO, mode)?);
    let requests = Requests { protocol: Protocol::Grpc, shapes: SHAPES, count, in_flight: 64 };
    let mut outcome = programs.run(&scratch, Gopatchd::start(&scratch, backend, &[])?, requests)?;
    outcome.ensure_all_seen()?;
    let tree = Tree::new(outcome.collected.operations.iter().filter_map(Node::from_operation))?;
    tree.ensure_whole(0..count).with_context(|| format!("{mode}, {backend}"))
}

#[test]
fn every_call_over_grpc_is_one_trace() -> Result<()> {
    for backend in backends() {
        whole("default", backend, 390)?;
    }
    whole("stripped", "memfd", 390)
}

#[test]
#[ignore = "soak: 10,000 calls for each mode and backend"]
fn ten_thousand_calls_over_grpc_are_as_many_traces() -> Result<()> {
    let _turn = alone();
    for mode in ["default", "stripped"] {
        for backend in backends() {
            whole(mode, backend, 10_000)?;
        }
    }
    Ok(())
}
