//! Metrics of scored rows. Their direction is part of the name and they are never negated.
//!
//! Adding one: a file with `pub(super) fn value(rows: &ScoredRows) -> f64`, and a line in the list below.

mod accuracy;
mod average_precision;
mod balanced_accuracy;
mod brier_score;
mod f1;
#[cfg(test)]
mod golden;
mod log_loss;
mod matthews_corrcoef;
mod order;
mod precision;
mod recall;
mod roc_auc;
mod scored;

pub use scored::{ScoredRows, cut};

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident, $module:ident, $higher_is_better:literal;)*) => {
        /// The metrics there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $($(#[$doc])* $variant,)*
        }

        impl Metric {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in config and tables.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($module),)*
                }
            }

            /// Whether a larger value is better.
            pub fn higher_is_better(self) -> bool {
                match self {
                    $(Self::$variant => $higher_is_better,)*
                }
            }

            /// The metric's value on scored rows; NaN where it is not defined (as `roc_auc` with one class).
            pub fn value(self, rows: &ScoredRows) -> f64 {
                match self {
                    $(Self::$variant => $module::value(rows),)*
                }
            }
        }
    };
}

metrics! {
    /// Mean negative log-likelihood.
    LogLoss, log_loss, false;
    /// Area under the ROC curve.
    RocAuc, roc_auc, true;
    /// Average precision.
    AveragePrecision, average_precision, true;
    /// Mean squared error of the probability.
    BrierScore, brier_score, false;
    /// Share of rows on the right side of the threshold.
    Accuracy, accuracy, true;
    /// Mean of the two classes' recalls.
    BalancedAccuracy, balanced_accuracy, true;
    /// Harmonic mean of precision and recall.
    F1, f1, true;
    /// Share of true positives among predicted positives.
    Precision, precision, true;
    /// Share of positives that are found.
    Recall, recall, true;
    /// Matthews correlation coefficient.
    MatthewsCorrcoef, matthews_corrcoef, true;
}

impl Metric {
    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// Whether a pass measures it by the way, at every epoch, without keeping scores.
    pub fn is_free(self) -> bool {
        matches!(self, Self::LogLoss | Self::Accuracy | Self::BrierScore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logit(p: f64) -> f64 {
        (p / (1.0 - p)).ln()
    }

    /// Values of scikit-learn 1.9.1 on these eight rows; two scores are tied across classes.
    #[test]
    fn every_metric_agrees_with_scikit_learn() {
        let p = [0.1, 0.4, 0.35, 0.8, 0.4, 0.65, 0.9, 0.2];
        let y = [false, true, false, true, false, false, true, true];
        let rows = ScoredRows::new(p.iter().map(|&p| logit(p)).zip(y), 0.5);
        let expected = GOLDEN;
        for (metric, expected) in Metric::ALL.iter().zip(expected) {
            let value = metric.value(&rows);
            assert!((value - expected).abs() < 1e-12, "{} {value} {expected}", metric.name());
        }
    }

    const GOLDEN: [f64; 10] = [
        0.618_877_986_411_905_1,
        0.718_75,
        0.792_857_142_857_142_8,
        0.220_625_000_000_000_02,
        0.625,
        0.625,
        0.571_428_571_428_571_4,
        0.666_666_666_666_666_6,
        0.5,
        0.258_198_889_747_161_1,
    ];

    #[test]
    fn degenerate_rows_have_the_values_scikit_learn_gives_them() {
        let nothing_predicted = ScoredRows::new([(-1.0, true), (-2.0, false)], 0.5);
        for metric in [Metric::Precision, Metric::F1, Metric::MatthewsCorrcoef, Metric::Recall] {
            assert_eq!(metric.value(&nothing_predicted), 0.0, "{}", metric.name());
        }
        let one_class = ScoredRows::new([(1.0, true), (2.0, true)], 0.5);
        assert!(Metric::RocAuc.value(&one_class).is_nan());
        let signed_zeros = ScoredRows::new([(0.0, true), (-0.0, false)], 0.5);
        assert_eq!(Metric::RocAuc.value(&signed_zeros), 0.5);
    }

    /// The definition of the area, pair by pair, on rows with many ties.
    #[test]
    fn roc_auc_is_the_share_of_ordered_pairs() {
        let rows: Vec<(f64, bool)> = (0..200).map(|i| (f64::from(i * 7 % 23), i * 13 % 5 < 2)).collect();
        let (mut pairs, mut sum) = (0.0, 0.0);
        for (a, _) in rows.iter().filter(|row| row.1) {
            for (b, _) in rows.iter().filter(|row| !row.1) {
                pairs += 1.0;
                sum += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
            }
        }
        let value = Metric::RocAuc.value(&ScoredRows::new(rows, 0.5));
        assert!((value - sum / pairs).abs() < 1e-15);
    }

    /// A pass adds up the free ones row by row; the others are none of their parts' means.
    #[test]
    fn free_metrics_are_means_over_rows() {
        let is_positive = |i: u32| {
            if i < 17 {
                i.is_multiple_of(2)
            } else {
                i.is_multiple_of(5)
            }
        };
        let rows: Vec<(f64, bool)> = (0..60)
            .map(|i| (f64::from(i * i % 23) / 8.0 - 1.0, is_positive(i)))
            .collect();
        let of = |metric: Metric, rows: &[(f64, bool)]| metric.value(&ScoredRows::new(rows.iter().copied(), 0.5));
        for &metric in Metric::ALL {
            let parts = (17.0 * of(metric, &rows[..17]) + 43.0 * of(metric, &rows[17..])) / 60.0;
            let is_mean = (parts - of(metric, &rows)).abs() < 1e-12;
            assert_eq!(metric.is_free(), is_mean, "{}", metric.name());
        }
    }

    #[test]
    fn names_lead_back_to_their_metric() {
        for &metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
        }
        assert_eq!(Metric::from_name("log_los"), None);
    }
}
