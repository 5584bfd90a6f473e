//! Why an executable cannot be patched. The error of each phase passes through.

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

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the error of a phase, or its message describes it")]
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
    #[error("the output failed verification and was not kept; this is a bug in gopatch")]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    InRule(#[from] Box<InRule>),
    #[error("no rule matches a function of this program{}\nhint: add rules with --rules", .0.concat())]
    NothingMatches(Vec<String>),
    #[error("no matched function can be hooked: {0}")]
    AllRefused(String),
    #[error("no {name} of Go's runtime in this program's {origin}")]
    Runtime { name: String, origin: Origin },
    #[error("cannot hook runtime.retake, which keeps the session with gopatchd: {0}")]
    Tick(&'static str),
    #[error("socket path too long: {len} bytes, of at most {most}", most = MAX_SOCKET_PATH - 1)]
    Socket { len: usize },
    #[error(
        "{bytes} bytes of data follow the ELF file, such as a zip, a payload or a signature, and the program may look \
         for them at its end\n\
         hint: pass --trailing-data keep to end the output with a copy of them, or --trailing-data drop if nothing \
         reads them"
    )]
    TrailingData { bytes: usize },
    #[error("the socket path contains a zero byte")]
    SocketZero,
}

/// What is wrong with a rule for this program.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct InRule {
    place: Place,
    problem: Problem,
}

impl InRule {
    /// The problem, without its place.
    pub(super) fn reason(&self) -> String {
        self.problem.to_string()
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("this name is used twice")]
    SameName,
    #[error("there is no rule {0}{1}")]
    NoRule(String, String),
    #[error("the program has no {0}{1}")]
    NoMatch(String, String),
    #[error(
        "{function} cannot be hooked: the compiler inlined it at {count} place{} and left no body; its copies are in {into}",
        if *count == 1 { "" } else { "s" }
    )]
    Inlined { function: String, count: usize, into: String },
    #[error("{function}: `{text}`: {source}")]
    Resolve { function: String, text: String, source: ResolveError },
    #[error("{function}: `{text}`: {source}")]
    Condition { function: String, text: String, source: ComparisonError },
    #[error(
        "{function}: a capture at the exit needs values from the entry, before it is known whether the call is recorded\n\
         hint: give the rule `enter: {{}}`, to decide there"
    )]
    DecidedTooLate { function: String },
    #[error("{function}: {source}")]
    Skip { function: String, source: SkipError },
    #[error("{function} already has its results from rule {other}")]
    SkippedTwice { function: String, other: String },
    #[error("{function}: {source}")]
    Parameters { function: String, source: ParameterError },
    #[error(
        "{function}: record too large: {captures} captures of up to {bytes} bytes, of at most {most} captures and {room} \
         bytes",
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
