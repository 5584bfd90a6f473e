//! A patched program and `gopatchd`: the program works as before, and gopatchd sees each of its
//! calls once.

mod arguments;
mod behaviour;
mod daemon;
mod everything;
mod execution;
mod h2c;
mod processes;
mod random;
mod requests;
mod sessions;
mod signals;
mod std_tests;
mod survival;
mod top;
mod torture;
mod uprobes;
