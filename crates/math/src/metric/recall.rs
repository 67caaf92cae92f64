//! `TP / (TP + FN)`; 0 when there are no positives, as scikit-learn's default.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    if rows.positives() > 0.0 {
        rows.confusion().true_positives / rows.positives()
    } else {
        0.0
    }
}
