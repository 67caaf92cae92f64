//! The Cholesky factor of a Hessian, whatever the units of its features and however nearly collinear they are.

use ndarray::{Array1, Array2};
use ndarray_linalg::{Cholesky, Diag, SolveTriangular, UPLO};

/// A factor of a positive semidefinite matrix.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// Lower factor of the matrix with ones on the diagonal.
    lower: Array2<f64>,
    /// What brings the matrix there, from both sides.
    unit: Vec<f64>,
}

impl Factor {
    /// Factors a matrix whose pivots are rounding below `rounding` times its diagonal; where features are collinear up to
    /// that, with the smallest ridge that lets it succeed.
    ///
    /// # Panics
    /// If an element is not finite.
    pub(super) fn new(mut matrix: Array2<f64>, rounding: f64) -> Self {
        // With ones on the diagonal, what is rounding does not depend on the units of the features.
        let inverse_root = |&value: &f64| if value > 0.0 { 1.0 / value.sqrt() } else { 1.0 };
        let unit: Vec<f64> = matrix.diag().iter().map(inverse_root).collect();
        for ((i, j), value) in matrix.indexed_iter_mut() {
            *value *= unit[i] * unit[j];
        }
        let mut added = 0.0;
        loop {
            // A pivot that is all rounding passes LAPACK's test and spoils the step.
            match cholesky(&matrix) {
                Some(lower) if lower.diag().iter().all(|pivot| pivot * pivot > rounding) => {
                    return Self { lower, unit };
                }
                _ => {
                    let more = if added == 0.0 { 10.0 * rounding } else { 9.0 * added };
                    added += more;
                    matrix.diag_mut().mapv_inplace(|value| value + more);
                }
            }
            assert!(added < 1e300, "a Hessian of finite rows is finite");
        }
    }

    /// The smallest share of a feature's curvature that the features before it do not explain.
    pub(super) fn smallest_pivot(&self) -> f64 {
        let pivots = self.lower.diag();
        pivots
            .iter()
            .fold(1.0, |smallest: f64, pivot| smallest.min(pivot * pivot))
    }

    /// The inverse times a vector.
    pub(super) fn solve(&self, mut right: Array1<f64>) -> Array1<f64> {
        let scale = |vector: &mut Array1<f64>| {
            for (value, unit) in vector.iter_mut().zip(&self.unit) {
                *value *= unit;
            }
        };
        scale(&mut right);
        if right.len() == 1 {
            right[0] /= self.lower[[0, 0]].powi(2);
        } else {
            let half = self.lower.solve_triangular(UPLO::Lower, Diag::NonUnit, &right);
            let solved = half.and_then(|half| self.lower.t().solve_triangular(UPLO::Upper, Diag::NonUnit, &half));
            // Triangles without zeros on their diagonal can be solved.
            right = solved.unwrap_or(right);
        }
        scale(&mut right);
        right
    }
}

/// The lower factor, if the matrix is positive definite. (The LAPACK bindings refuse a matrix of one element.)
fn cholesky(matrix: &Array2<f64>) -> Option<Array2<f64>> {
    if matrix.len() == 1 {
        return (matrix[[0, 0]] > 0.0).then(|| matrix.mapv(f64::sqrt));
    }
    matrix.cholesky(UPLO::Lower).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn units_do_not_matter_and_one_element_is_a_matrix() {
        let matrix = array![[2.0e-16, 0.5e-8], [0.5e-8, 3.0]];
        let x = Factor::new(matrix.clone(), 4e-15).solve(array![1e-8, 2.0]);
        let back = matrix.dot(&x);
        assert!(
            (back[0] - 1e-8).abs() < 1e-20 && (back[1] - 2.0).abs() < 1e-12,
            "{back}"
        );
        assert_eq!(Factor::new(array![[4.0]], 4e-15).solve(array![2.0]), array![0.5]);
    }

    #[test]
    fn collinear_features_share_the_step() {
        let x = Factor::new(array![[1.0, 1.0], [1.0, 1.0]], 4e-15).solve(array![1.0, 1.0]);
        assert!((x[0] - 0.5).abs() < 1e-6 && (x[1] - 0.5).abs() < 1e-6, "{x}");
    }
}
