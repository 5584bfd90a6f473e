//! What `gopatchd` pushes to a real OpenTelemetry Collector and what a real Prometheus scrapes from
//! it.
//!
//! `collector`, `otel` and `prometheus` test the receivers that the other modules rely on.

mod collector;
mod dashboard;
mod endurance;
mod export;
mod hostile;
mod otel;
mod outage;
mod prometheus;
mod scrape;
mod traces;
mod urls;
