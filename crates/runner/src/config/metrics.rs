//! `[metrics]`: which scores are computed.

use super::key::{Bounds, Kind, Spec, choices, settings};

settings! {
    /// Which scores are computed.
    pub MetricsConfig {
        /// The scores of every run; `sweep.metric` and `early_stopping.metric` are added by themselves.
        report "report": Vec<Metric> =
            Spec::of(Kind::List(&Kind::Choice(Metric::CHOICES), 0), "[\"f1\"]")
                .default("[\"log_loss\", \"roc_auc\", \"accuracy\"]");
        /// The probability from which a row counts as 1.
        threshold "threshold": f64 = Spec::of(Kind::Number(Bounds::UNIT), "0.3").default("0.5").unit("probability");
        /// Epochs between two scores of first-order solvers, for those that are not free. Absent: every epoch for a score
        /// that an early stop, a rung or `sweep.target` waits for, at the end for the others.
        every "every": Option<u32> = Spec::of(Kind::Integer(1, u32::MAX as i64), "5").unit("epochs");
    }
}

choices! {
    /// A score of predictions against labels.
    pub Metric {
        /// The mean negative logarithm of the probability given to the label.
        LogLoss "log_loss";
        /// The area under the ROC curve.
        RocAuc "roc_auc";
        /// The area under the precision-recall curve, as a step function.
        AveragePrecision "average_precision";
        /// The mean squared error of the probability.
        BrierScore "brier_score";
        /// The share of rows that are right.
        Accuracy "accuracy";
        /// The mean of the recalls of both classes.
        BalancedAccuracy "balanced_accuracy";
        /// The harmonic mean of precision and recall.
        F1 "f1";
        /// The share of predicted ones that are ones.
        Precision "precision";
        /// The share of ones that are found.
        Recall "recall";
        /// The correlation of labels and predictions.
        MatthewsCorrcoef "matthews_corrcoef";
    }
}

impl Metric {
    /// Whether more is better; the direction follows from the name.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Self::LogLoss | Self::BrierScore)
    }

    /// Whether a score is as good as a target.
    pub(crate) fn reaches(self, score: f64, target: f64) -> bool {
        if self.higher_is_better() {
            score >= target
        } else {
            score <= target
        }
    }
}
