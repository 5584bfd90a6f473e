//! Medians, quartiles, and the confidence interval of a ratio. Averages are not used, because one
//! disturbed round would move them. Rounds are assumed to be independent.

use serde::Serialize;

/// Two-sided 95 % quantiles of Student's t, by degrees of freedom from 1.
const STUDENT: [f64; 4] = [12.706, 4.303, 3.182, 2.776];

/// Probability that the median lies outside the interval.
const OUTSIDE: f64 = 0.05;

/// A median with its quartiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
}

/// The median of ratios, each of two runs in the same round, with its 95 % confidence interval.
///
/// With 6 rounds or more, the interval lies between two of the ratios, chosen by rank (an inverted
/// sign test), which assumes nothing of their distribution. With fewer rounds no such interval
/// reaches 95 %; then it is Student's on the ratios' logarithms, which assumes that these are
/// normally distributed, and is wide.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// The median.
    pub(crate) median: f64,
    /// The lower end of the interval.
    pub(crate) low: f64,
    /// The upper end of the interval.
    pub(crate) high: f64,
}

impl Spread {
    /// The spread of values, interpolated between the two nearest; `None` without values.
    pub fn new(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Some(Self { median: quantile(&values, 0.5)?, low: quantile(&values, 0.25)?, high: quantile(&values, 0.75)? })
    }
}

impl Ratio {
    /// The median and interval of ratios, one per round. `None` if there are fewer than two, or if
    /// one is not a positive number.
    pub(crate) fn new(ratios: &[f64]) -> Option<Self> {
        let mut ratios = ratios.to_vec();
        if ratios.len() < 2 || !ratios.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0) {
            return None;
        }
        ratios.sort_by(f64::total_cmp);
        let (low, high) = interval_by_rank(&ratios).or_else(|| interval_of_logarithms(&ratios))?;
        Some(Self { median: quantile(&ratios, 0.5)?, low, high })
    }

    /// Whether noise alone may explain the difference.
    pub(crate) fn is_within_noise(self) -> bool {
        self.low <= 1.0 && 1.0 <= self.high
    }
}

/// A quantile of sorted values, interpolated between the two nearest.
fn quantile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let at = (sorted.len().checked_sub(1)?) as f64 * fraction;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

/// The narrowest symmetric pair of ranks that contains the median with 95 % confidence: each ratio
/// is as likely to lie below the median as above it.
fn interval_by_rank(sorted: &[f64]) -> Option<(f64, f64)> {
    let count = sorted.len();
    let (mut rank, mut outside) = (0, 0.0);
    // The probability that exactly `rank` ratios lie below the median.
    let mut probability = 0.5_f64.powi(count as i32);
    while 2.0 * (outside + probability) <= OUTSIDE {
        outside += probability;
        probability *= (count - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    let low = rank.checked_sub(1)?;
    Some((sorted[low], sorted[count - 1 - low]))
}

fn interval_of_logarithms(ratios: &[f64]) -> Option<(f64, f64)> {
    let logarithms: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
    let count = logarithms.len() as f64;
    let mean = logarithms.iter().sum::<f64>() / count;
    let variance = logarithms.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let margin = STUDENT.get(ratios.len().checked_sub(2)?)? * (variance / count).sqrt();
    Some(((mean - margin).exp(), (mean + margin).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_interpolated() {
        let spread = Spread::new(&[4.0, 1.0, 3.0, 2.0, 5.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 2.0, high: 4.0 });
        assert_eq!(Spread::new(&[1.0, 2.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::new(&[]), None);
    }

    #[test]
    fn ranks_match_the_tables_of_the_sign_test() {
        // The 95 % ranks, counted from 1 for the lowest.
        for (count, rank) in [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (15, 4), (20, 6), (25, 8)] {
            let ratios: Vec<f64> = (1..=count).map(f64::from).collect();
            assert_eq!(interval_by_rank(&ratios), Some((f64::from(rank), f64::from(count + 1 - rank))), "{count}");
        }
        assert_eq!(interval_by_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
    }

    #[test]
    fn few_rounds_have_a_wide_interval_around_the_median() {
        let two = Ratio::new(&[1.0, 1.02]).unwrap();
        assert!(two.is_within_noise() && two.low < 0.9 && two.high > 1.1, "{two:?}");
        let three = Ratio::new(&[2.0, 2.1, 2.05]).unwrap();
        assert!(!three.is_within_noise() && three.low > 1.8 && three.high < 2.3, "{three:?}");
        // By hand: logarithms 0 and 0.0198, mean 0.0099, deviation 0.0140, margin 12.706 * 0.0140 /
        // sqrt 2 = 0.1258.
        assert!((two.high - 1.145).abs() < 0.001, "{two:?}");
        for ratios in [[0.5, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 9.0]] {
            let ratio = Ratio::new(&ratios).unwrap();
            assert!(ratio.low <= ratio.median && ratio.median <= ratio.high, "{ratio:?}");
        }
    }

    #[test]
    fn ratios_must_be_positive_numbers() {
        assert_eq!(Ratio::new(&[1.0]), None);
        assert_eq!(Ratio::new(&[1.0, 0.0]), None);
        assert_eq!(Ratio::new(&[1.0, f64::NAN, 1.0]), None);
    }
}
