//! The trace context of a call: what a record of a point with
//! [`context`](crate::manifest::Point::context) ends with.
//!
//! ```text
//!  0 u8 trace[32]   hex digits
//! 32 u8 span[16]    hex digits
//! 48 u8 parent[16]  hex digits, or zeros
//! 64 u8 flags       W3C trace flags
//! 65 u8 by          By
//! 66 u8 zeros[6]
//! ```
//!
//! All bytes are 0 if the call has none, as there was no room for it.
//!
//! Trusts: nothing. [`TraceContext::read`] takes bytes that another process wrote. Never does: I/O.

/// Bytes of a context in a record.
pub const BYTES: usize = 72;
/// Offset of the call's own id.
pub const SPAN: usize = 32;
/// Offset of the parent's id.
pub const PARENT: usize = 48;
/// Offset of the flags.
pub const FLAGS: usize = 64;
/// Offset of how the parent was found.
pub const BY: usize = 65;

/// How a call's parent was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum By {
    /// There is none: the call begins a trace.
    Nothing = 0,
    /// By the `context.Context` that the call was given.
    Context = 1,
    /// It is the innermost open call of the goroutine.
    Goroutine = 2,
    /// The goroutine was started within it.
    Spawn = 3,
    /// By the header of a request: it is in another process.
    Header = 4,
}

/// What became of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Event {
    /// It was read from a request.
    Read = 0,
    /// A request had one that is not valid, so it was ignored.
    Invalid = 1,
    /// It was written into a request.
    Written = 2,
    /// A request had a copy of the one that the server call around it had read; the parent's id in it
    /// was replaced.
    Replaced = 3,
    /// The program has written one of its own.
    Own = 4,
    /// There was no room to write it, or not the expected buffer.
    NoRoom = 5,
    /// Two open calls send the same headers, so none of them was written.
    Shared = 6,
    /// There was no room for the context of a call, or for a key to find it by.
    Full = 7,
    /// A map of headers was too large, or being changed.
    Unreadable = 8,
    /// A `tracestate` had more than 512 bytes; the last members were dropped.
    StateDropped = 9,
}

impl Event {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Invalid,
        Self::Written,
        Self::Replaced,
        Self::Own,
        Self::NoRoom,
        Self::Shared,
        Self::Full,
        Self::Unreadable,
        Self::StateDropped,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Invalid => "invalid",
            Self::Written => "written",
            Self::Replaced => "replaced",
            Self::Own => "own",
            Self::NoRoom => "no_room",
            Self::Shared => "shared",
            Self::Full => "full",
            Self::Unreadable => "unreadable",
            Self::StateDropped => "state_dropped",
        }
    }
}

/// A trace context, as a record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace's id.
    pub trace: u128,
    /// The call's own id.
    pub span: u64,
    /// The parent's id, if there is one.
    pub parent: Option<u64>,
    /// W3C trace flags.
    pub flags: u8,
    /// How the parent was found.
    pub by: By,
}

impl TraceContext {
    /// Reads the context at the end of a payload without padding; `None` if it has none, or none
    /// that is valid.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let bytes = payload.last_chunk::<{ BYTES }>()?;
        let span = number(&bytes[SPAN..PARENT])?;
        let trace = number(&bytes[..SPAN])?;
        let by = [By::Nothing, By::Context, By::Goroutine]
            .into_iter()
            .chain([By::Spawn, By::Header])
            .find(|by| *by as u8 == bytes[BY])?;
        let parent = match by {
            By::Nothing => None,
            _ => Some(number(&bytes[PARENT..FLAGS])? as u64),
        };
        (trace != 0 && span != 0 && parent != Some(0)).then_some(Self {
            trace,
            span: span as u64,
            parent,
            flags: bytes[FLAGS],
            by,
        })
    }
}

/// The number that at most 32 hex digits give.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_only_if_it_is_valid() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let text = |by: u8| {
            let mut bytes = format!("any bytes{trace}b7ad6b716920333100f067aa0ba902b7").into_bytes();
            bytes.extend([1, by, 0, 0, 0, 0, 0, 0]);
            bytes
        };
        let read = TraceContext::read(&text(By::Header as u8)).expect("it is valid");
        assert_eq!((format!("{:032x}", read.trace).as_str(), read.span), (trace, 0xb7ad_6b71_6920_3331));
        assert_eq!((read.parent, read.flags, read.by), (Some(0x00f0_67aa_0ba9_02b7), 1, By::Header));
        assert_eq!(TraceContext::read(&text(0)).map(|root| root.parent), Some(None));
        assert_eq!(TraceContext::read(&text(9)), None, "no such way");
        assert_eq!(TraceContext::read(&[0; 80]), None, "none was recorded");
        let mut upper = text(1);
        upper[9] = b'A';
        assert_eq!(TraceContext::read(&upper), None, "upper case");
    }
}
