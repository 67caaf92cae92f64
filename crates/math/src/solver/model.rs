//! The quadratic model a run takes its steps from, before what it has seen refines it.

use std::sync::Arc;

use ndarray::Array2;

use super::factor::Factor;
use super::goal::Goal;

/// A pivot below which single coordinates do not show how far a minimum still is.
const FLAT: f64 = 1e-6;

/// The Hessian of the mean loss, as far as a run knows it.
#[derive(Debug, Clone)]
pub(super) enum Model {
    /// This number times the shared Gram matrix.
    Shared {
        /// Mean of `p(1−p)`.
        scale: f64,
    },
    /// Its own at some earlier point.
    Own(Own),
}

/// A Hessian in centered coordinates, and its factor with the ridge.
#[derive(Debug, Clone)]
pub(super) struct Own {
    /// (P + 1, P + 1), without the ridge.
    pub(super) matrix: Arc<Array2<f64>>,
    /// Of the matrix with the ridge.
    factor: Factor,
}

impl Own {
    /// A Hessian of the mean loss by `(w, b)`, factored with the ridge of `goal`.
    ///
    /// Where the factorization fails (collinear features without a penalty), the smallest ridge that lets it succeed is
    /// added to the factor alone.
    pub(super) fn new(goal: &Goal, hessian: &Array2<f64>) -> Self {
        Self::with(goal, Arc::new(centered(goal, hessian)))
    }

    /// The same Hessian under the ridge of another goal.
    pub(super) fn with(goal: &Goal, matrix: Arc<Array2<f64>>) -> Self {
        let p = goal.features();
        let mut ridged = (*matrix).clone();
        for i in 0..p {
            ridged[[i, i]] += goal.l2;
            if goal.is_held[i] {
                ridged.row_mut(i).fill(0.0);
                ridged.column_mut(i).fill(0.0);
                ridged[[i, i]] = 1.0;
            }
        }
        if !goal.fit_intercept {
            ridged.row_mut(p).fill(0.0);
            ridged.column_mut(p).fill(0.0);
            ridged[[p, p]] = 1.0;
        }
        let factor = Factor::new(ridged, goal.rounding.pivot);
        Self { matrix, factor }
    }

    /// Whether the objective is nearly flat in some direction: features are nearly collinear.
    pub(super) fn is_flat(&self) -> bool {
        self.factor.smallest_pivot() < FLAT
    }

    /// The inverse times a gradient.
    pub(super) fn solve(&self, gradient: &[f64]) -> Vec<f64> {
        self.factor.solve(gradient.iter().copied().collect()).to_vec()
    }
}

/// A Hessian by `(w, b)` in the centered coordinates of a goal: `b = c − center·w`.
fn centered(goal: &Goal, hessian: &Array2<f64>) -> Array2<f64> {
    let p = goal.features();
    let center = &goal.spread.center;
    let cross: Vec<f64> = (0..p).map(|i| hessian[[i, p]]).collect();
    let of_intercept = hessian[[p, p]];
    Array2::from_shape_fn((p + 1, p + 1), |(i, j)| match (i == p, j == p) {
        (true, true) => of_intercept,
        (false, true) => cross[i] - center[i] * of_intercept,
        (true, false) => cross[j] - center[j] * of_intercept,
        (false, false) => {
            hessian[[i, j]] - center[i] * cross[j] - cross[i] * center[j] + center[i] * center[j] * of_intercept
        }
    })
}
