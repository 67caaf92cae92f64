//! Correlation of prediction and label; 0 when either is constant.
//!
//! # Source
//! B. W. Matthews 1975.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let counts = rows.confusion();
    let covariance = counts.true_positives * counts.true_negatives - counts.false_positives * counts.false_negatives;
    let predicted = [
        counts.true_positives + counts.false_positives,
        counts.true_negatives + counts.false_negatives,
    ];
    let scale = (rows.positives().sqrt() * rows.negatives().sqrt()) * (predicted[0].sqrt() * predicted[1].sqrt());
    if scale > 0.0 { covariance / scale } else { 0.0 }
}
