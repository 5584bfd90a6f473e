//! All machine code that gopatch emits, for x86-64 Go programs on Linux.
//!
//! The crate turns plans into bytes for a given address, and does no I/O. The caller finds out
//! everything about the program: which instructions a site displaces, where a value lies, which
//! offsets the runtime's structures have. The crate decides how the code works with that and why it
//! is safe.
//!
//! * [`plan`]: what a hook captures, in terms of machine code. The input of the rest.
//! * [`thunk`]: the code that a hooked site jumps to. It writes a record into a ring. Its
//!   documentation states the numbered invariants that all emitted code keeps.
//! * [`skip`]: the code that runs in place of a function's body.
//! * [`relay`]: instructions that moved only to make room.
//! * [`attach`]: the code by which a process finds gopatchd, maps its rings and leaves them.
//! * [`arena`]: the layout of the private memory that all of this shares.
//!
//! What the emitted code exchanges with gopatchd is in `gopatch-protocol`.
//!
//! # Example
//!
//! The thunk of a function's entry that records each call and its first argument, an integer:
//!
//! ```
//! use gopatch_protocol::manifest::At;
//! use gopatch_trampolines::arena::Arena;
//! use gopatch_trampolines::plan::filter::Filter;
//! use gopatch_trampolines::plan::{
//!     CapturePlan, Gpr, HookPlan, Leaf, Path, Root, RuntimeOffsets, SitePlan, Source,
//! };
//! use gopatch_trampolines::thunk;
//! use iced_x86::{Decoder, DecoderOptions};
//!
//! // Go's ABIInternal passes the first argument in RAX.
//! let argument = Path {
//!     root: Root::Value { first: Source::Register(Gpr::Rax), second: None },
//!     steps: Vec::new(),
//!     offset: 0,
//!     leaf: Leaf::Int { size: 8, signed: true },
//! };
//! let hook = HookPlan {
//!     function: 0,
//!     point: 0,
//!     at: At::Enter,
//!     captures: vec![CapturePlan { paths: vec![argument] }],
//!     keep: Vec::new(),
//!     filter: Filter::default(),
//!     marked: false,
//!     context: None,
//! };
//! // The site displaces `push rbp; mov rbp, rsp; sub rsp, 0x20`.
//! let prologue = [0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20];
//! let site = SitePlan {
//!     after: Decoder::with_ip(64, &prologue, 0x462c0a, DecoderOptions::NONE).iter().collect(),
//!     resume: Some(0x462c12),
//!     ..SitePlan::default()
//! };
//! // Offsets in Go 1.27's runtime, and an arena for one function without a words table.
//! let offsets = RuntimeOffsets {
//!     g_stack_lo: 0,
//!     g_stack_hi: 8,
//!     g_m: 0x30,
//!     g_goid: 0x98,
//!     m_p: 0xa0,
//!     p_id: 0,
//! };
//! let arena = Arena::new(0x80_0000, 1, false);
//!
//! let code = thunk::emit(&hook, &site, &offsets, &arena, 0xc0_0000)?;
//!
//! // First comes the comparison of the function's enable byte with 0.
//! let first = Decoder::with_ip(64, &code, 0xc0_0000, DecoderOptions::NONE).decode();
//! assert_eq!(first.ip_rel_memory_address(), arena.enable(0));
//! # Ok::<(), gopatch_trampolines::EmitError>(())
//! ```

#![forbid(unsafe_code)]

pub mod arena;
mod asm;
pub mod attach;
mod moved;
pub mod plan;
pub mod relay;
pub mod skip;
pub mod thunk;

pub use asm::EmitError;
