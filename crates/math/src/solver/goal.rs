//! What a run has to reach, and the coordinates it walks in.

use std::sync::Arc;

use super::curvature::Spread;
use crate::Real;
use crate::penalty::{l1, l2};

/// The penalty of a run, what must not move, and when it has arrived.
///
/// A descent walks in centered coordinates `(w, c)` with `c = b + center·w`, the score of the average row, which makes the
/// intercept independent of the weights where the curvature is that of the centered features.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Ridge strength on the mean loss.
    pub l2: f64,
    /// Lasso strength on the mean loss.
    pub l1: f64,
    /// Whether the intercept is learned.
    pub fit_intercept: bool,
    /// The largest derivative (or distance from the subgradient) at which the run has converged.
    pub tol: f64,
    /// Features without information: their weights stay 0 (P).
    pub is_held: Arc<[bool]>,
    /// Center and deviation of every feature.
    pub spread: Spread,
    /// What the arithmetic of the passes cannot tell apart.
    pub rounding: Rounding,
}

/// Relative rounding of what passes over rows measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// Of a mean loss.
    pub loss: f64,
    /// Of the pivots of a matrix of curvatures with ones on its diagonal.
    pub pivot: f64,
}

impl Rounding {
    /// That of products made in `T`.
    pub fn of<T: Real>() -> Self {
        if T::NAME == "f32" {
            Self {
                loss: 1e-6,
                pivot: 1e-6,
            }
        } else {
            Self {
                loss: 1e-12,
                pivot: 4e-15,
            }
        }
    }
}

impl Goal {
    /// Number of features, P.
    pub(super) fn features(&self) -> usize {
        self.is_held.len()
    }

    /// From `(w, b)` to centered coordinates.
    pub(super) fn centered(&self, parameters: &[f64]) -> Vec<f64> {
        let mut u = parameters.to_vec();
        u[self.features()] += self.shift(parameters);
        u
    }

    /// From centered coordinates to `(w, b)`.
    pub(super) fn parameters(&self, u: &[f64]) -> Vec<f64> {
        let mut parameters = u.to_vec();
        parameters[self.features()] -= self.shift(u);
        parameters
    }

    fn shift(&self, weights: &[f64]) -> f64 {
        self.spread.center.iter().zip(weights).map(|(mean, w)| mean * w).sum()
    }

    /// The gradient in centered coordinates, ridge included, from that of the mean loss by `(w, b)`.
    pub(super) fn gradient(&self, of_loss: &[f64], u: &[f64]) -> Vec<f64> {
        let p = self.features();
        let of_intercept = if self.fit_intercept { of_loss[p] } else { 0.0 };
        let mut g: Vec<f64> = (0..p)
            .map(|i| {
                if self.is_held[i] {
                    0.0
                } else {
                    of_loss[i] - self.spread.center[i] * of_intercept + self.l2 * u[i]
                }
            })
            .collect();
        g.push(of_intercept);
        g
    }

    /// The largest distance from optimality over all parameters `(w, b)`; NaN where a derivative is.
    pub(super) fn distance(&self, of_loss: &[f64], u: &[f64]) -> f64 {
        let p = self.features();
        let free = (0..p).filter(|&i| !self.is_held[i]);
        let weights = free.map(|i| l1::subgradient_distance(of_loss[i] + self.l2 * u[i], u[i], self.l1));
        let intercept = if self.fit_intercept { of_loss[p].abs() } else { 0.0 };
        // A NaN must not pass for the smallest of all.
        weights
            .chain([intercept])
            .fold(0.0, |max: f64, g| if max.is_nan() || max >= g { max } else { g })
    }

    /// The objective: mean loss and penalties.
    pub(super) fn objective(&self, loss: f64, u: &[f64]) -> f64 {
        let weights = || u[..self.features()].iter().copied();
        loss + l2::value(self.l2, weights()) + l1::value(self.l1, weights())
    }

    /// About the largest term of a score: what its rounding is relative to.
    pub(super) fn largest_term(&self, u: &[f64]) -> f64 {
        let terms = u.iter().zip(self.spread.deviation.iter());
        terms.fold(0.0, |largest: f64, (w, deviation)| largest.max(w.abs() * deviation))
    }

    /// The derivative of the lasso along a direction, coming from or going to the side where weights keep their sign:
    /// a weight that is 0 at `u` has the sign it had at `before`, or else the one it is about to have.
    pub(super) fn lasso_slope(&self, u: &[f64], before: &[f64], direction: &[f64]) -> f64 {
        if self.l1 == 0.0 {
            return 0.0;
        }
        let sign = |i: usize| {
            let w = if u[i] == 0.0 { before[i] } else { u[i] };
            if w == 0.0 { direction[i].signum() } else { w.signum() }
        };
        self.l1 * (0..self.features()).map(|i| sign(i) * direction[i]).sum::<f64>()
    }

    /// Clears what must not move.
    pub(super) fn hold(&self, direction: &mut [f64]) {
        for (value, &is_held) in direction.iter_mut().zip(self.is_held.iter()) {
            if is_held {
                *value = 0.0;
            }
        }
        if !self.fit_intercept {
            direction[self.features()] = 0.0;
        }
    }
}
