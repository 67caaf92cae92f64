//! `2·TP / (2·TP + FP + FN)`; 0 when the denominator is.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let counts = rows.confusion();
    let denominator = 2.0 * counts.true_positives + counts.false_positives + counts.false_negatives;
    if denominator > 0.0 {
        2.0 * counts.true_positives / denominator
    } else {
        0.0
    }
}
