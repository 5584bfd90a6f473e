//! Why an executable cannot be patched.
//!
//! Decides: what each message says; the error of each phase passes through.

use gopatch_protocol::wire;
use gopatch_trampolines::EmitError;
use gopatch_trampolines::attach::MAX_SOCKET_PATH;

use crate::dwarf::DwarfError;
use crate::elf::ElfError;
use crate::golang::GoError;
use crate::layout::LayoutError;
use crate::program::{ParameterError, ProgramError};
use crate::rules::condition::ComparisonError;
use crate::rules::resolve::ResolveError;
use crate::rules::skip::SkipError;
use crate::rules::{Place, Rule, RuleError};
use crate::types::{Origin, TypeError};
use crate::verify::VerifyError;
use crate::write::WriteError;

/// Why nothing came out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is a phase's error, and says itself what it is")]
pub enum PatchError {
    #[error(transparent)]
    Elf(#[from] ElfError),
    #[error(transparent)]
    Go(#[from] GoError),
    #[error(transparent)]
    Dwarf(#[from] DwarfError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Type(#[from] TypeError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Emit(#[from] EmitError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the output does not stand up to checking, so it was not kept; this is a fault of gopatch")]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    InRule(#[from] Box<InRule>),
    #[error("no rule matches a function of this program, so there is nothing to do; add rules with --rules")]
    NothingMatches,
    #[error("none of the matched functions can be hooked: {0}")]
    AllRefused(String),
    #[error("{name} of Go's runtime is not in this program's {origin}")]
    Runtime { name: String, origin: Origin },
    #[error("runtime.retake cannot be hooked, so the program could not find a gopatchd that starts later: {0}")]
    Tick(&'static str),
    #[error("the socket's path has {len} bytes, but a Unix socket's has at most {most}", most = MAX_SOCKET_PATH - 1)]
    Socket { len: usize },
    #[error("the socket's path has a zero byte in it")]
    SocketZero,
}

/// What is wrong with a rule for this very program.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct InRule {
    place: Place,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("the rules have this name twice")]
    SameName,
    #[error("this program has no {0}{1}")]
    NoMatch(String, String),
    #[error(
        "{function} is inlined at {count} place{} and has no body of its own, so it cannot be hooked; its copies are in {into}",
        if *count == 1 { "" } else { "s" }
    )]
    Inlined { function: String, count: usize, into: String },
    #[error("{function}: `{text}`: {source}")]
    Resolve { function: String, text: String, source: ResolveError },
    #[error("{function}: `{text}`: {source}")]
    Condition { function: String, text: String, source: ComparisonError },
    #[error(
        "{function}: with `exit` alone the call is decided on when it returns, but a capture there needs what the entry \
         keeps; give the rule `enter: {{}}`, so that it is decided there"
    )]
    DecidedTooLate { function: String },
    #[error("{function}: {source}")]
    Skip { function: String, source: SkipError },
    #[error("{function} has its results from rule {other} already")]
    SkippedTwice { function: String, other: String },
    #[error("{function}: {source}")]
    Parameters { function: String, source: ParameterError },
    #[error(
        "{function}: a record would have {captures} captures and up to {bytes} bytes; {most} captures and {room} bytes \
         are the most",
        most = wire::MAX_CAPTURES,
        room = wire::MAX_PAYLOAD
    )]
    RecordTooLarge { function: String, captures: usize, bytes: usize },
}

impl Rule {
    pub(super) fn failure(&self, field: &str, problem: Problem) -> PatchError {
        PatchError::InRule(Box::new(InRule { place: self.place(field), problem }))
    }
}
