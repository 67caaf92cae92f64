//! `TP / (TP + FP)`; 0 when nothing is predicted positive, as scikit-learn's default.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let counts = rows.confusion();
    let predicted = counts.true_positives + counts.false_positives;
    if predicted > 0.0 {
        counts.true_positives / predicted
    } else {
        0.0
    }
}
