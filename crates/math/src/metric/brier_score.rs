//! `(1/n) Σ (p − y)²`.
//!
//! # Source
//! G. W. Brier 1950.

use super::ScoredRows;
use crate::loss::logistic::residual;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    rows.mean(|y, z| residual(y, z).powi(2))
}
