//! One trace, from the first service to the last.
//!
//! `switch`: off and on.

mod switch;
