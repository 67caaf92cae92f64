//! The threshold that is best for a metric of decisions.

use crate::error::RunError;

/// A metric of decisions that one threshold between the extremes is best for. Precision and recall are not: they are perfect when
/// nothing or everything is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Harmonic mean of precision and recall.
    F1,
    /// Mean of the two classes' recalls.
    BalancedAccuracy,
    /// Share of rows that are right.
    Accuracy,
    /// Matthews correlation coefficient.
    MatthewsCorrcoef,
}

/// Rows by what was decided and what is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Counts {
    pub(super) true_positives: f64,
    pub(super) false_positives: f64,
    pub(super) true_negatives: f64,
    pub(super) false_negatives: f64,
}

impl Decision {
    const ALL: [Self; 4] = [Self::F1, Self::BalancedAccuracy, Self::Accuracy, Self::MatthewsCorrcoef];

    /// Its name, as everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::F1 => "f1",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::Accuracy => "accuracy",
            Self::MatthewsCorrcoef => "matthews_corrcoef",
        }
    }

    /// The metric of that name.
    pub fn from_name(name: &str) -> Result<Self, RunError> {
        let named = Self::ALL.into_iter().find(|metric| metric.name() == name);
        named.ok_or_else(|| RunError::NotFound {
            what: format!(
                "no threshold is best for {name:?}: name one of {}",
                Self::ALL.map(Self::name).join(", ")
            ),
        })
    }

    /// Its value; 0 where it divides by nothing, as scikit-learn's.
    pub(super) fn value(self, counts: &Counts) -> f64 {
        let Counts {
            true_positives: tp,
            false_positives: fp,
            true_negatives: tn,
            false_negatives: fn_,
        } = *counts;
        let ratio = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
        match self {
            Self::F1 => ratio(2.0 * tp, 2.0 * tp + fp + fn_),
            Self::BalancedAccuracy => f64::midpoint(ratio(tp, tp + fn_), ratio(tn, tn + fp)),
            Self::Accuracy => ratio(tp + tn, tp + fp + tn + fn_),
            Self::MatthewsCorrcoef => {
                let whole = (tp + fp).sqrt() * (tp + fn_).sqrt() * (tn + fp).sqrt() * (tn + fn_).sqrt();
                ratio(tp * tn - fp * fn_, whole)
            }
        }
    }
}

impl Counts {
    /// The decisions of a threshold: probabilities above it are positive.
    pub(super) fn of(rows: impl IntoIterator<Item = (f64, bool)>, threshold: f64) -> Self {
        let mut counts = Self::default();
        for (p, y) in rows {
            *match (p > threshold, y) {
                (true, true) => &mut counts.true_positives,
                (true, false) => &mut counts.false_positives,
                (false, false) => &mut counts.true_negatives,
                (false, true) => &mut counts.false_negatives,
            } += 1.0;
        }
        counts
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.true_negatives += other.true_negatives;
        self.false_negatives += other.false_negatives;
    }
}

/// The threshold with the best value on rows of probabilities and labels: in the middle between the two probabilities it parts. Of
/// several, the one nearest to `usual`.
pub(super) fn best(metric: Decision, rows: &[(f64, bool)], usual: f64) -> f64 {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = sorted.iter().filter(|row| row.1).count() as f64;
    let mut counts = Counts {
        true_negatives: sorted.len() as f64 - positives,
        false_negatives: positives,
        ..Counts::default()
    };
    let (mut best, mut threshold) = (f64::NEG_INFINITY, usual);
    let mut above = 1.0;
    let mut consider = |counts: &Counts, between: f64| {
        let value = metric.value(counts);
        let is_nearer = (between - usual).abs() < (threshold - usual).abs();
        if value > best || (value == best && is_nearer) {
            (best, threshold) = (value, between);
        }
    };
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        consider(&counts, f64::midpoint(above, tied[0].0));
        above = tied[0].0;
        let found = tied.iter().filter(|row| row.1).count() as f64;
        let wrong = tied.len() as f64 - found;
        counts.true_positives += found;
        counts.false_negatives -= found;
        counts.false_positives += wrong;
        counts.true_negatives -= wrong;
    }
    consider(&counts, above / 2.0);
    threshold
}

#[cfg(test)]
mod tests {
    use gradsweep_math::metric::{Metric, ScoredRows};

    use super::*;

    fn rows() -> Vec<(f64, bool)> {
        (0..150_u32)
            .map(|i| {
                let p = f64::from(i * 37 % 101) / 101.0 + 0.003;
                (p, (i * 13 % 97) < (i * 37 % 101) / 2)
            })
            .collect()
    }

    #[test]
    fn values_are_those_of_the_metrics() {
        for threshold in [0.05, 0.3, 0.77] {
            let logits = rows().into_iter().map(|(p, y)| ((p / (1.0 - p)).ln(), y));
            let scored = ScoredRows::new(logits, threshold);
            for metric in Decision::ALL {
                let known = Metric::from_name(metric.name()).expect("a metric").value(&scored);
                let own = metric.value(&Counts::of(rows(), threshold));
                assert!((known - own).abs() < 1e-12, "{metric:?} {known} {own}");
            }
        }
    }

    #[test]
    fn no_threshold_is_better_than_the_best() {
        let rows = rows();
        for metric in Decision::ALL {
            let value = |threshold| metric.value(&Counts::of(rows.iter().copied(), threshold));
            let best = value(best(metric, &rows, 0.5));
            assert!((0..=1000).all(|i| value(f64::from(i) / 1000.0) <= best));
        }
    }

    #[test]
    fn precision_has_no_best_threshold() {
        let error = Decision::from_name("precision").expect_err("refused");
        assert!(error.to_string().contains("f1, balanced_accuracy"));
    }
}
