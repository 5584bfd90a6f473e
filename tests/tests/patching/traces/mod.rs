//! What debuggers, panics and crashes show of a patched program: the same as of the unpatched one.

mod debuggers;
mod faults;
mod nils;
