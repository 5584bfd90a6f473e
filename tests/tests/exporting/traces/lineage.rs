//! What a call belongs to that a handler makes: the request whose context it was given, without one
//! the request on its goroutine, without one the request whose goroutine started its own, and
//! without one none. A wrong guess would merge two requests' traces.

use anyhow::Result;
use gopatch_tests::chain::tree::{Node, Tree};
use gopatch_tests::chain::{Programs, Protocol, Requests};
use gopatch_tests::{Gopatchd, NEWEST_GO, Scratch, gopatch};

/// Shapes of corpus/chain whose calls have a request's context.
pub(crate) const CONTEXT: &str = "direct,post,redirect,panic,proxy,spawn,group,pool,derived,detached,timer";
/// Shapes with calls without one, on the handler's goroutine.
pub(crate) const GOROUTINE: &str = "bare,twice";
/// Shapes with calls without one, on goroutines that the handler started.
pub(crate) const SPAWN: &str = "spawnbare,deep,groupbare";
/// Shapes whose calls belong to no request: jobs of a pool, of workers that another request started,
/// of timers, and calls that outlive their request.
pub(crate) const ROOT: &str = "poolbare,lazybare,timerbare,latebare,late";

fn belongs(shapes: &str, count: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    let requests = Requests { protocol: Protocol::Http1, shapes, count, in_flight: 16 };
    let mut outcome = programs.run(&scratch, Gopatchd::start(&scratch, "memfd", &[])?, requests)?;
    outcome.ensure_all_seen()?;
    Tree::new(outcome.collected.operations.iter().filter_map(Node::from_operation))?.ensure_whole(0..count)
}

#[test]
fn a_call_belongs_to_the_request_whose_context_it_has() -> Result<()> {
    belongs(CONTEXT, 220)
}

#[test]
fn a_call_without_a_context_belongs_to_the_request_on_its_goroutine() -> Result<()> {
    belongs(GOROUTINE, 100)
}

#[test]
fn a_call_on_a_new_goroutine_belongs_to_the_request_that_started_it() -> Result<()> {
    belongs(SPAWN, 90)
}

#[test]
fn a_job_of_no_request_begins_a_trace() -> Result<()> {
    belongs(ROOT, 100)
}
