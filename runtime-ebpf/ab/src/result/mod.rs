//! What the runs come to: metrics, their comparison, and whether the limits held.

pub(crate) mod comparison;
pub(crate) mod gates;
pub(crate) mod machine;
pub(crate) mod metrics;
