//! What a hook does with trace contexts: where it finds them, and where it takes them.
//!
//! Trusts: offsets and addresses, which the patcher took from the binary itself or, for maps, from
//! the version of Go.

use super::Path;

/// A word: what lies at the end of a path, or the pointer itself to which it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The path.
    pub path: Path,
    /// Whether the word is the address at the path's end, not what lies there.
    pub is_address: bool,
}

/// What a hook does with trace contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextPlan {
    /// At the entry of an operation: gives the call a context.
    Open(Box<Open>),
    /// At the exits of an operation: the call has none any more.
    Close,
    /// At the exits of a boundary: deeper calls of the goroutine have none any more.
    CloseDeeper,
    /// At the entry of a function that writes the header fields of a request: writes the context
    /// before them.
    Write(Box<Write>),
    /// At its exits: in what it has written, replaces the copy of the context that the server's call
    /// around has read, as a reverse proxy sends it.
    Replace(BufioWriter),
    /// At the exits of the function that starts goroutines.
    Spawn {
        /// Id of the new goroutine.
        child: Word,
        /// Id of the goroutine that started it.
        parent: Word,
    },
}

impl ContextPlan {
    /// Whether the hook also writes a record.
    pub fn is_recorded(&self) -> bool {
        match self {
            Self::Open(_) | Self::Close | Self::CloseDeeper => true,
            Self::Write(_) | Self::Replace(_) | Self::Spawn { .. } => false,
        }
    }
}

/// How a call gets its context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Whether the call serves a request from elsewhere. Then a `context.Context` is where others
    /// find this call, not where it finds its parent.
    pub is_server: bool,
    /// The `context.Context` of the call.
    pub chain: Option<Chain>,
    /// The header fields that may bring a context.
    pub read: Option<Fields>,
    /// The word by which a writer finds the call.
    pub send: Option<Word>,
}

/// A `context.Context`, and how to get from one to its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The interface's first word, an itab.
    pub tab: Word,
    /// Its second word.
    pub data: Word,
    /// Addresses of the types whose values begin with their parent, a `context.Context`.
    pub types: Vec<u64>,
}

/// Header fields: a `map[string][]string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// The map's word.
    pub map: Word,
    /// How maps lie in memory.
    pub layout: MapLayout,
}

/// How Go's maps lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapLayout {
    /// `internal/runtime/maps.Map`, since Go 1.24.
    Groups,
    /// `runtime.hmap`, before, and with `GOEXPERIMENT=noswissmap`.
    Buckets,
}

/// How a context gets into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The word under which the call was opened ([`Open::send`]).
    pub of: Word,
    /// Where the program may have a context of its own.
    pub own: Fields,
    /// The pointer to the `bufio.Writer`.
    pub to: Word,
    /// Its fields.
    pub writer: BufioWriter,
}

/// Offsets of the fields of a `bufio.Writer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufioWriter {
    /// `err`, an interface.
    pub err: i32,
    /// `buf`, a slice.
    pub buf: i32,
    /// `n`, the bytes of it in use.
    pub n: i32,
}
