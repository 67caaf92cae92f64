//! `(TP + TN) / n`.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let counts = rows.confusion();
    (counts.true_positives + counts.true_negatives) / rows.total()
}
