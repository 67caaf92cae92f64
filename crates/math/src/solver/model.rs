//! The quadratic model a run takes its steps from, before what it has seen refines it.

use std::sync::Arc;

use ndarray::{Array2, ArrayView1};
use ndarray_linalg::{Cholesky, Diag, SolveTriangular, UPLO};

use super::goal::Goal;

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
    /// Lower Cholesky factor of the matrix with the ridge.
    factor: Array2<f64>,
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
        let largest = ridged.diag().iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let mut added = 0.0;
        loop {
            // A pivot that is all rounding passes LAPACK's test and spoils the step.
            match ridged.cholesky(UPLO::Lower) {
                Ok(factor) if factor.diag().iter().all(|pivot| pivot * pivot > 1e-13 * largest) => {
                    return Self { matrix, factor };
                }
                _ => {
                    let more = if added == 0.0 { 1e-12 * largest } else { 9.0 * added };
                    added += more;
                    for i in 0..=p {
                        ridged[[i, i]] += more;
                    }
                }
            }
            assert!(added.is_finite(), "a Hessian of finite rows is finite");
        }
    }

    /// The inverse times a gradient.
    pub(super) fn solve(&self, gradient: &[f64]) -> Vec<f64> {
        let right = ArrayView1::from(gradient).to_owned();
        let half = self.factor.solve_triangular(UPLO::Lower, Diag::NonUnit, &right);
        half.and_then(|half| self.factor.t().solve_triangular(UPLO::Upper, Diag::NonUnit, &half))
            .map_or_else(|_| gradient.to_vec(), |solution| solution.to_vec())
    }
}

/// A Hessian by `(w, b)` in the centered coordinates of a goal: `b = c − center·w`.
fn centered(goal: &Goal, hessian: &Array2<f64>) -> Array2<f64> {
    let p = goal.features();
    let center = &goal.center;
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
