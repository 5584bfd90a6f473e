//! Medians, and how sure a ratio is.
//!
//! Decides: that a figure is a median with its quartiles, and that a ratio is of two runs in the same round. The interval
//! of a ratio holds its median with 95 % confidence. From 6 rounds on it lies between two of the ratios themselves, chosen
//! by their rank (the sign test turned around), and so assumes nothing of how they are distributed. With fewer rounds no
//! such interval has 95 %, and it is Student's of the ratios' logarithms, which assumes that these are normal, and is wide.
//! Trusts: that rounds do not depend on each other.
//! Never does: average what it shows. One disturbed round would move an average.

use serde::Serialize;

/// Student's t for 95 % on both sides, by degrees of freedom from 1.
const STUDENT: [f64; 4] = [12.706, 4.303, 3.182, 2.776];

/// Chance that the median lies outside of the interval.
const OUTSIDE: f64 = 0.05;

/// A median and the quartiles around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The value in the middle.
    pub(crate) median: f64,
    /// A quarter of the values lie below.
    pub(crate) low: f64,
    /// A quarter of the values lie above.
    pub(crate) high: f64,
}

/// A ratio of pairs, with the interval that holds its median with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// Of the pairs' ratios.
    pub(crate) median: f64,
    /// The interval's lower end.
    pub(crate) low: f64,
    /// The interval's upper end.
    pub(crate) high: f64,
}

impl Spread {
    /// Of these values; `None` of none.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Some(Self { median: quantile(&values, 0.5)?, low: quantile(&values, 0.25)?, high: quantile(&values, 0.75)? })
    }
}

impl Ratio {
    /// Of these ratios, one a round. `None` when there are fewer than two, or one that is no positive number.
    pub(crate) fn of(ratios: &[f64]) -> Option<Self> {
        let mut ratios = ratios.to_vec();
        if ratios.len() < 2 || !ratios.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0) {
            return None;
        }
        ratios.sort_by(f64::total_cmp);
        let (low, high) = by_rank(&ratios).or_else(|| of_logarithms(&ratios))?;
        Some(Self { median: quantile(&ratios, 0.5)?, low, high })
    }

    /// Whether the noise may be all of the difference.
    pub(crate) fn within_noise(self) -> bool {
        self.low <= 1.0 && 1.0 <= self.high
    }
}

/// A quantile of sorted values, between the two nearest.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = (sorted.len().checked_sub(1)?) as f64 * part;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

/// The narrowest pair of ranks, as far from one end as from the other, that hold the median with 95 % confidence: each
/// ratio is as likely to lie below the median as above.
fn by_rank(sorted: &[f64]) -> Option<(f64, f64)> {
    let count = sorted.len();
    let (mut rank, mut outside) = (0, 0.0);
    let mut chance = 0.5_f64.powi(count as i32);
    // `chance` is that exactly `rank` ratios lie below the median.
    while 2.0 * (outside + chance) <= OUTSIDE {
        outside += chance;
        chance *= (count - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    let low = rank.checked_sub(1)?;
    Some((sorted[low], sorted[count - 1 - low]))
}

fn of_logarithms(ratios: &[f64]) -> Option<(f64, f64)> {
    let logarithms: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
    let count = logarithms.len() as f64;
    let mean = logarithms.iter().sum::<f64>() / count;
    let variance = logarithms.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let reach = STUDENT.get(ratios.len().checked_sub(2)?)? * (variance / count).sqrt();
    Some(((mean - reach).exp(), (mean + reach).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0, 5.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 2.0, high: 4.0 });
        assert_eq!(Spread::of(&[1.0, 2.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn intervals_by_rank_are_those_of_the_tables() {
        // Ranks for 95 %, as tables of the sign test have them: from the lowest on, counted from 1.
        for (count, rank) in [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (15, 4), (20, 6), (25, 8)] {
            let ratios: Vec<f64> = (1..=count).map(f64::from).collect();
            assert_eq!(by_rank(&ratios), Some((f64::from(rank), f64::from(count + 1 - rank))), "{count}");
        }
        assert_eq!(by_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
    }

    #[test]
    fn few_rounds_have_a_wide_interval_around_the_median() {
        let two = Ratio::of(&[1.0, 1.02]).unwrap();
        assert!(two.within_noise() && two.low < 0.9 && two.high > 1.1, "{two:?}");
        let three = Ratio::of(&[2.0, 2.1, 2.05]).unwrap();
        assert!(!three.within_noise() && three.low > 1.8 && three.high < 2.3, "{three:?}");
        // By hand: logarithms 0 and 0.0198, mean 0.0099, deviation 0.0140, reach 12.706 * 0.0140 / sqrt 2 = 0.1258.
        assert!((two.high - 1.145).abs() < 0.001, "{two:?}");
        for ratios in [[0.5, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 9.0]] {
            let ratio = Ratio::of(&ratios).unwrap();
            assert!(ratio.low <= ratio.median && ratio.median <= ratio.high, "{ratio:?}");
        }
    }

    #[test]
    fn what_is_no_ratio_has_none() {
        assert_eq!(Ratio::of(&[1.0]), None);
        assert_eq!(Ratio::of(&[1.0, 0.0]), None);
        assert_eq!(Ratio::of(&[1.0, f64::NAN, 1.0]), None);
    }
}
