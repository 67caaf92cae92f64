//! `Σ (R_i − R_{i−1})·P_i` over the distinct scores from the top, without interpolation. Exact.
//!
//! # Source
//! Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, chapter 8, in scikit-learn's form.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
    rows.for_each_tie_from_the_top(|tie| {
        found += tie.positives;
        seen += tie.positives + tie.negatives;
        sum += tie.positives * (found / seen);
    });
    if rows.positives() > 0.0 {
        sum / rows.positives()
    } else {
        0.0
    }
}
