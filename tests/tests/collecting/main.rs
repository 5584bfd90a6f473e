//! A patched program and `gopatchd`: the program works as before, and gopatchd sees each of its
//! calls once.

mod arguments;
mod behaviour;
mod everything;
mod execution;
mod h2c;
mod idle;
mod processes;
mod random;
mod requests;
mod rights;
mod sessions;
mod signals;
mod std_tests;
mod survival;
mod top;
mod torture;
mod uprobes;
