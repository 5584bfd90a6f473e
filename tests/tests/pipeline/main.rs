//! The whole way, as users take it: the documents' examples, `deploy/`, `gopatchd ab`, the budgets,
//! and real programs.

mod ab;
mod budgets;
mod caddy;
mod deploy;
mod documented;
mod etcd;
mod greeter;
mod hardening;
mod operations;
mod public;
