//! Rows with their scores, labels and weights, and what several metrics share: means, confusion counts and the order by
//! score.

use std::cell::OnceCell;

use super::order::{ByScore, Tie};

/// Rows ready to be measured.
#[derive(Debug)]
pub struct ScoredRows {
    /// Score and label of each row.
    rows: Vec<(f64, bool)>,
    /// Weight of each row; absent where all count the same.
    weights: Option<Vec<f64>>,
    cut: f64,
    positives: f64,
    negatives: f64,
    by_score: OnceCell<ByScore>,
}

/// Counts of a threshold's decisions; sums of weights where rows have weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Confusion {
    pub(super) true_positives: f64,
    pub(super) false_positives: f64,
    pub(super) true_negatives: f64,
    pub(super) false_negatives: f64,
}

impl ScoredRows {
    /// Rows with raw scores z (log odds) and labels; probabilities above `threshold` count as positive, those equal to it
    /// do not, as scikit-learn's `predict` has it at one half.
    pub fn new(rows: impl IntoIterator<Item = (f64, bool)>, threshold: f64) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        let positives: usize = rows.iter().map(|row| usize::from(row.1)).sum();
        Self {
            positives: positives as f64,
            negatives: (rows.len() - positives) as f64,
            rows,
            weights: None,
            cut: cut(threshold),
            by_score: OnceCell::new(),
        }
    }

    /// Rows with raw scores, labels and weights, as `sample_weight` of scikit-learn's metrics: a row of weight k counts as
    /// k rows, one of weight 0 as none.
    ///
    /// # Panics
    /// If a weight is negative or not a number.
    pub fn weighted(rows: impl IntoIterator<Item = (f64, bool, f64)>, threshold: f64) -> Self {
        let (mut scored, mut weights) = (Vec::new(), Vec::new());
        let mut of_class = [0.0, 0.0];
        for (z, y, weight) in rows {
            assert!(weight >= 0.0, "a row's weight is not negative: {weight}");
            if weight > 0.0 {
                scored.push((z, y));
                weights.push(weight);
                of_class[usize::from(y)] += weight;
            }
        }
        let [negatives, positives] = of_class;
        Self {
            rows: scored,
            weights: Some(weights),
            cut: cut(threshold),
            positives,
            negatives,
            by_score: OnceCell::new(),
        }
    }

    /// Positive rows, or the sum of their weights.
    pub(super) fn positives(&self) -> f64 {
        self.positives
    }

    /// Negative rows, or the sum of their weights.
    pub(super) fn negatives(&self) -> f64 {
        self.negatives
    }

    /// All rows, or the sum of their weights.
    pub(super) fn total(&self) -> f64 {
        self.positives + self.negatives
    }

    /// The mean of a function of label and score.
    pub(super) fn mean(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        let values = self.rows.iter().map(|&(z, y)| of(f64::from(u8::from(y)), z));
        let sum: f64 = match &self.weights {
            None => values.sum(),
            Some(weights) => values.zip(weights).map(|(value, weight)| value * weight).sum(),
        };
        sum / self.total()
    }

    /// Predictions against labels. Sums are indexed, not branched to: labels and scores have no order a processor could
    /// foresee.
    pub(super) fn confusion(&self) -> Confusion {
        let cell = |&(z, y): &(f64, bool)| 2 * usize::from(z > self.cut) + usize::from(y);
        let [true_negatives, false_negatives, false_positives, true_positives] = match &self.weights {
            None => {
                let mut counts = [0_u64; 4];
                self.rows.iter().for_each(|row| counts[cell(row)] += 1);
                counts.map(|count| count as f64)
            }
            Some(weights) => {
                let mut sums = [0.0; 4];
                let rows = self.rows.iter().zip(weights);
                rows.for_each(|(row, weight)| sums[cell(row)] += weight);
                sums
            }
        };
        Confusion {
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
        }
    }

    /// Goes through the groups of equal score, highest first.
    pub(super) fn for_each_tie_from_the_top(&self, visit: impl FnMut(Tie)) {
        let sorted = self
            .by_score
            .get_or_init(|| ByScore::new(&self.rows, self.weights.as_deref()));
        sorted.for_each_tie(visit);
    }
}

/// The score above which a probability lies above `threshold`: log(t / (1 − t)).
pub fn cut(threshold: f64) -> f64 {
    (threshold / (1.0 - threshold)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;

    #[test]
    fn a_row_of_weight_k_counts_as_k_rows_and_of_weight_0_as_none() {
        let row = |i: u32| (f64::from(i * 7 % 11) / 2.0 - 2.0, i * 5 % 7 < 3);
        let repeated = (0..60).flat_map(|i| std::iter::repeat_n(row(i), (i % 4) as usize));
        let rows = (0..60).map(|i| (row(i).0, row(i).1, f64::from(i % 4)));
        let (repeated, weighted) = (ScoredRows::new(repeated, 0.4), ScoredRows::weighted(rows, 0.4));
        for metric in Metric::ALL {
            let (a, b) = (metric.value(&repeated), metric.value(&weighted));
            assert!((a - b).abs() < 1e-14, "{}: {a} {b}", metric.name());
        }
    }

    #[test]
    fn a_probability_at_the_threshold_is_not_above_it() {
        let rows = ScoredRows::new([(0.0, true), (f64::MIN_POSITIVE, true)], 0.5);
        assert_eq!(rows.confusion().true_positives, 1.0);
        let [none, all] = [1.0, 0.0].map(|threshold| ScoredRows::new([(40.0, true), (-40.0, true)], threshold));
        assert_eq!(
            (none.confusion().true_positives, all.confusion().true_positives),
            (0.0, 2.0)
        );
    }

    #[test]
    #[should_panic(expected = "a row's weight is not negative: -1")]
    fn negative_weights_are_refused() {
        ScoredRows::weighted([(0.0, true, -1.0)], 0.5);
    }
}
