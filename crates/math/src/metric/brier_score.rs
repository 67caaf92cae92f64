//! `(1/n) Σ (p − y)²`.
//!
//! # Source
//! G. W. Brier 1950.

use super::ScoredRows;
use crate::loss::logistic::residual;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let sum: f64 = rows
        .rows()
        .iter()
        .map(|&(z, y)| residual(f64::from(u8::from(y)), z).powi(2))
        .sum();
    sum / rows.rows().len() as f64
}
