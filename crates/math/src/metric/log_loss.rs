//! `−(1/n) Σ y·log p + (1−y)·log(1−p)`, from the score in its stable form.

use super::ScoredRows;
use crate::loss::logistic::loss;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let sum: f64 = rows.rows().iter().map(|&(z, y)| loss(f64::from(u8::from(y)), z)).sum();
    sum / rows.rows().len() as f64
}
