//! `−(1/n) Σ y·log p + (1−y)·log(1−p)`, from the score in its stable form.

use super::ScoredRows;
use crate::loss::logistic::loss;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    rows.mean(loss)
}
