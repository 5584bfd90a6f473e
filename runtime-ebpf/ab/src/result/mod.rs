//! What the runs amount to: the metrics, their comparison with the original, the machine, and
//! whether the limits held.

pub(crate) mod comparison;
pub(crate) mod gates;
pub(crate) mod machine;
pub(crate) mod metrics;
