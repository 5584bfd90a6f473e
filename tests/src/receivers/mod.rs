//! What `gopatchd` exports to: a real OpenTelemetry Collector, a real Prometheus, and certificates
//! for them; and what patched programs send requests to: servers that are not Go.

pub mod otelcol;
pub mod otlpsink;
pub mod peers;
pub mod prometheus;
pub mod raw;
pub mod tls;
