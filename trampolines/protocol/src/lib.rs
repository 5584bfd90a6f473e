//! What a patched program and gopatchd share, without any machine code.
//!
//! * [`wire`]: what the two exchange at run time: socket messages, control page, rings, records.
//! * [`manifest`]: the description of sites and records that a patched file carries.
//! * [`naming`]: templates for the names of operations, as rules write them and the manifest stores them.
//!
//! The patcher writes a manifest; gopatchd reads it from the executable of a process that attaches. A name in it is a template:
//!
//! ```
//! use gopatch_protocol::naming::Template;
//!
//! let template = Template::read("GET {url.path}");
//! assert_eq!(template.attributes().collect::<Vec<_>>(), ["url.path"]);
//! ```

#![forbid(unsafe_code)]

pub mod manifest;
pub mod naming;
pub mod wire;
