//! gopatchd itself: what it costs while nothing happens, and what it may do.

mod idle;
mod rights;
