//! One trace, from the first service to the last.
//!
//! `chain`: client and three services, each request a trace; `lineage`: what a call without a header
//! belongs to; `headers`: what is read; `peers`: what others see of what is written; `http2` and
//! `grpc`: the same over those; `sampling`: which traces are kept; `rivals`: what has gone wrong
//! elsewhere; `switch`: off and on; `sdk`: beside OpenTelemetry's SDK.

mod chain;
mod grpc;
mod headers;
mod http2;
mod lineage;
mod peers;
mod rivals;
mod sampling;
mod sdk;
mod switch;
