//! A fitted calibration: from log odds to calibrated log odds.

use serde::{Deserialize, Serialize};

use super::{isotonic, platt};

/// How probabilities are calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A logistic regression on the log odds.
    Platt,
    /// A rising step function of the log odds.
    Isotonic,
}

/// A fitted calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Map {
    /// The calibrated log odds are `slope · z + intercept`.
    Platt {
        /// Times the log odds.
        slope: f64,
        /// Added.
        intercept: f64,
    },
    /// Straight lines between points; constant beyond them.
    Isotonic {
        /// Log odds, ascending.
        z: Vec<f64>,
        /// The probability at each.
        probability: Vec<f64>,
    },
}

impl Map {
    /// Fits a calibration to rows of log odds and labels.
    pub(super) fn fit(method: Method, rows: &[(f64, bool)]) -> Self {
        match method {
            Method::Platt => {
                let (slope, intercept) = platt::fit(rows);
                Self::Platt { slope, intercept }
            }
            Method::Isotonic => {
                let (z, probability) = isotonic::fit(rows);
                Self::Isotonic { z, probability }
            }
        }
    }

    /// Calibrated log odds, infinite where the probability is 0 or 1.
    pub(crate) fn apply(&self, z: f64) -> f64 {
        match self {
            Self::Platt { slope, intercept } => slope * z + intercept,
            Self::Isotonic { z: ends, probability } => {
                let p = isotonic::at(z, ends, probability);
                (p / (1.0 - p)).ln()
            }
        }
    }

    /// Whether it is one that a fit can give.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Platt { slope, intercept } => slope.is_finite() && intercept.is_finite(),
            Self::Isotonic { z, probability } => {
                !z.is_empty()
                    && z.len() == probability.len()
                    && z.is_sorted()
                    && probability.is_sorted()
                    && probability.iter().all(|p| (0.0..=1.0).contains(p))
                    && z.iter().all(|z| z.is_finite())
            }
        }
    }
}
