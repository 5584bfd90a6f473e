//! Histograms: with explicit buckets, and the exponential one of OpenTelemetry's metrics data
//! model.
//!
//! Decides: the bucket of a value.
//! Trusts: nothing. A value that is not a number is not counted.
//! Never does: lose a count. An exponential histogram gets coarser when its values spread.

use std::collections::VecDeque;

/// The last operation that fell into a bucket, as an example of those counted there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) value: f64,
    pub(crate) unix_nanos: u64,
    pub(crate) trace: u128,
    pub(crate) span: u64,
}

/// What every histogram has besides its buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Totals {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// A histogram with explicit bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Explicit {
    pub(crate) totals: Totals,
    /// Upper bounds, inclusive.
    pub(crate) bounds: &'static [f64],
    /// One count for each bound, and one for values above all of them.
    pub(crate) counts: Box<[u64]>,
}

/// A histogram whose buckets grow by 2^(2^-scale).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exponential {
    pub(crate) totals: Totals,
    pub(crate) scale: i32,
    pub(crate) zeros: u64,
    /// Index of the first bucket. Bucket `i` holds values above `base^i`, up to and including
    /// `base^(i+1)`.
    pub(crate) first: i32,
    pub(crate) counts: VecDeque<u64>,
}

/// Most buckets of an exponential histogram, and its first scale: those of OpenTelemetry's SDKs.
const MAX_BUCKETS: usize = 160;
const MAX_SCALE: i32 = 20;

/// The smallest scale: one bucket for 2^1024 holds every number.
const MIN_SCALE: i32 = -10;

impl Totals {
    const EMPTY: Self = Self { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add(&mut self, value: f64, weight: u64) {
        self.count = self.count.saturating_add(weight);
        self.sum += value * weight as f64;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}

impl Explicit {
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self { totals: Totals::EMPTY, bounds, counts: vec![0; bounds.len() + 1].into() }
    }

    /// The bucket of a value.
    pub(crate) fn bucket(&self, value: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }

    /// Counts a value `weight` times.
    pub(crate) fn add(&mut self, value: f64, weight: u64) {
        if value.is_finite() {
            self.totals.add(value, weight);
            let count = &mut self.counts[self.bucket(value)];
            *count = count.saturating_add(weight);
        }
    }
}

impl Exponential {
    pub(crate) fn new() -> Self {
        Self { totals: Totals::EMPTY, scale: MAX_SCALE, zeros: 0, first: 0, counts: VecDeque::new() }
    }

    /// Counts a value `weight` times, unless it is negative.
    pub(crate) fn add(&mut self, value: f64, weight: u64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        self.totals.add(value, weight);
        if value < f64::MIN_POSITIVE {
            self.zeros = self.zeros.saturating_add(weight);
            return;
        }
        let mut index = index(value, self.scale);
        if self.counts.is_empty() {
            self.first = index;
        }
        while self.scale > MIN_SCALE && self.span_with(index) > MAX_BUCKETS as i64 {
            self.coarsen();
            index >>= 1;
        }
        while index < self.first {
            self.counts.push_front(0);
            self.first -= 1;
        }
        let place = (index - self.first) as usize;
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] = self.counts[place].saturating_add(weight);
    }

    /// The value that `part` of all values do not exceed, as exactly as the buckets allow.
    #[cfg(test)]
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        let wanted = (part * self.totals.count as f64).ceil() as u64;
        let mut seen = self.zeros;
        if self.totals.count == 0 {
            return None;
        }
        for (index, count) in (self.first..).zip(&self.counts) {
            seen += count;
            if seen >= wanted {
                return Some(2f64.powf(f64::from(index + 1) * 2f64.powi(-self.scale)));
            }
        }
        Some(0.0)
    }

    /// Buckets from the smallest to the greatest index, including this one.
    fn span_with(&self, index: i32) -> i64 {
        let last = i64::from(self.first) + self.counts.len().max(1) as i64 - 1;
        last.max(index.into()) - i64::from(self.first.min(index)) + 1
    }

    /// Merges each two buckets.
    fn coarsen(&mut self) {
        let first = self.first >> 1;
        let mut counts = VecDeque::with_capacity(self.counts.len() / 2 + 1);
        for (index, count) in (self.first..).zip(&self.counts) {
            let place = ((index >> 1) - first) as usize;
            if counts.len() <= place {
                counts.resize(place + 1, 0);
            }
            counts[place] += count;
        }
        (self.first, self.counts) = (first, counts);
        self.scale -= 1;
    }
}

/// The bucket of a positive, normal value: the greatest `i` for which `base^i` is less than it.
pub(crate) fn index(value: f64, scale: i32) -> i32 {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1023;
    let fraction = bits & ((1 << 52) - 1);
    if scale <= 0 {
        // A power of two is the upper bound of its bucket.
        return (exponent - i32::from(fraction == 0)) >> -scale;
    }
    if fraction == 0 {
        return (exponent << scale) - 1;
    }
    let exact = value.log2() * f64::from(1u32 << scale);
    // Rounding may have crossed the power of two above or below.
    (exact.ceil() as i32 - 1).clamp(exponent << scale, ((exponent + 1) << scale) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        let mut histogram = Explicit::new(&[0.0, 1.0, 5.0]);
        for (value, weight) in [(0.0, 1), (1.0, 1), (1.1, 10), (5.0, 1), (5.1, 1), (f64::NAN, 1)] {
            histogram.add(value, weight);
        }
        assert_eq!(*histogram.counts, [1, 1, 11, 1]);
        assert_eq!((histogram.totals.count, histogram.totals.min, histogram.totals.max), (14, 0.0, 5.1));
    }

    #[test]
    fn powers_of_two_are_upper_bounds() {
        for scale in [-3, -1, 0, 1, 5, 20] {
            for exponent in [-20, -1, 0, 1, 7, 30] {
                let expected = if scale >= 0 { (exponent << scale) - 1 } else { (exponent - 1) >> -scale };
                assert_eq!(index(2f64.powi(exponent), scale), expected, "2^{exponent} at scale {scale}");
            }
        }
        assert_eq!(index(1.5, 0), 0);
        assert_eq!(index(3.0, 0), 1);
        assert_eq!(index(3.0, 1), 3, "more than 2 x 1.41, at most 4");
    }

    proptest! {
        /// Each value is within its bucket, no value is lost, and there are never too many buckets.
        #[test]
        fn an_exponential_histogram_counts_everything(values in prop::collection::vec(1e-9f64..1e9, 1..300)) {
            let mut histogram = Exponential::new();
            for value in &values {
                histogram.add(*value, 1);
            }
            prop_assert!(histogram.counts.len() <= MAX_BUCKETS);
            prop_assert_eq!(histogram.counts.iter().sum::<u64>(), values.len() as u64);
            for value in &values {
                let index = index(*value, histogram.scale);
                let base = |index: i32| 2f64.powf(f64::from(index) * 2f64.powi(-histogram.scale));
                prop_assert!(base(index) * (1.0 - 1e-9) <= *value && *value <= base(index + 1) * (1.0 + 1e-9));
                prop_assert!(histogram.counts[(index - histogram.first) as usize] > 0);
            }
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let median = histogram.quantile(0.5).expect("some");
            prop_assert!(median >= sorted[(sorted.len() - 1) / 2] * (1.0 - 1e-9));
        }
    }
}
