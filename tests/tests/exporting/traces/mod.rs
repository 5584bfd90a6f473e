//! One trace, from the first service to the last.
//!
//! `lineage`: client and three services, and what each call belongs to; `headers`: what is read;
//! `peers`: what others see of what is written; `sampling`: which traces are kept; `rivals`: what
//! has gone wrong elsewhere; `switch`: off and on; `sdk`: beside OpenTelemetry's SDK.

mod headers;
mod lineage;
mod peers;
mod rivals;
mod sampling;
mod sdk;
mod switch;
