//! What the developer's commands share with the tests: the corpus of Go programs, and the
//! workspace's folders.
//!
//! Nothing that is shipped depends on this crate.

pub mod corpus;
pub mod workspace;
