//! What `gopatchd` exports to: a real OpenTelemetry Collector, a real Prometheus, and certificates
//! for them.

pub mod otelcol;
pub mod otlpsink;
pub mod prometheus;
pub mod tls;
