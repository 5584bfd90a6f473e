//! What a patched program and gopatchd exchange, without any machine code.
//!
//! * [`wire`]: the messages, the control page, the rings and the records that the two exchange at
//!   run time.
//! * [`context`]: the trace context of a call, within its record.
//! * [`manifest`]: the description of sites and records that a patched file carries.
//! * [`recipe`]: its part that says how to make the file again.
//! * [`naming`]: templates for the names of operations, as rules write them and the manifest stores
//!   them.
//!
//! The patcher writes a manifest; gopatchd reads it from the executable of each process that
//! attaches, and with it can decode that process's records. Every reader in this crate takes
//! untrusted bytes, checks them, and never panics.
//!
//! ```
//! use gopatch_protocol::naming::{self, Template};
//! use gopatch_protocol::wire::{Record, record};
//!
//! // A record as it lies in a ring: a fixed header, then one word for each capture.
//! let mut payload = [0; record::WORDS + 8];
//! payload[record::SIZE] = 40;
//! payload[record::POINT] = 3;
//! payload[record::PRESENT] = 1;
//! payload[record::WORDS..].copy_from_slice(&200u64.to_le_bytes());
//!
//! let record = Record::parse(&payload).expect("the size fits");
//! let (words, strings) = record.captured(1).expect("there is one capture");
//! assert_eq!((record.point(), record.present()), (3, 1));
//! assert_eq!((u64::from_le_bytes(words[0]), strings), (200, &[][..]));
//! // A record that claims more bytes than there are is refused.
//! assert!(Record::parse(&payload[..39]).is_none());
//!
//! // The name of an operation, with an attribute and an optional part.
//! let name = "{http.request.method}[ {http.route}]";
//! assert_eq!(naming::check(name), Ok(()));
//! assert_eq!(naming::attributes(name).collect::<Vec<_>>(), ["http.request.method", "http.route"]);
//! assert!(Template::read(name).pieces[1].optional);
//! ```

#![forbid(unsafe_code)]

pub mod context;
pub mod manifest;
pub mod naming;
pub mod recipe;
pub mod wire;
