//! The chance that a positive row scores above a negative one, ties counting half. Exact.
//!
//! # Source
//! Hanley and `McNeil` 1982 (the Mann-Whitney statistic).

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    // Integer and half counts, where rows have no weights: exact below 2^53 pairs.
    let mut positives_above = 0.0;
    let mut pairs = 0.0;
    rows.for_each_tie_from_the_top(|tie| {
        pairs += tie.negatives * (positives_above + tie.positives / 2.0);
        positives_above += tie.positives;
    });
    pairs / (rows.positives() * rows.negatives())
}
