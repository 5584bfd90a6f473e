//! What the developer's commands share with the tests: the corpus of Go programs and the workspace's places.
//!
//! Decides: where the workspace and its built programs are.
//! Trusts: the tools of the machine: cargo, go, clang.
//! Never does: anything in a user's build. Nothing that is shipped depends on this crate.

pub mod corpus;
pub mod workspace;
