//! How steep the objective can be: the largest step gradient descent survives.

use ndarray::{Array2, ArrayView2};
use ndarray_linalg::{EigValsh, UPLO};

/// The second moments of feature rows, the intercept's column of ones included: `[X 1]ᵀ[X 1] / m`.
///
/// # Shapes
/// `x` (m, P) → (P + 1, P + 1).
pub fn second_moments(x: &ArrayView2<'_, f64>) -> Array2<f64> {
    let (m, features) = x.dim();
    let mut out = Array2::zeros((features + 1, features + 1));
    let inverse = 1.0 / m as f64;
    out.slice_mut(ndarray::s![..features, ..features]).assign(&(x.t().dot(x) * inverse));
    for (j, column) in x.columns().into_iter().enumerate() {
        out[[j, features]] = column.sum() * inverse;
        out[[features, j]] = out[[j, features]];
    }
    out[[features, features]] = 1.0;
    out
}

/// The learning rate above which gradient descent on the logistic loss may diverge: `2 / (λmax(M)/4 + l2)`.
///
/// M are the second moments of the features; ¼M bounds the Hessian everywhere. `None` when LAPACK finds no eigenvalues
/// (moments that are not finite).
///
/// # Source
/// Böhning and Lindsay 1988 for the bound; Nesterov, *Lectures on Convex Optimization*, theorem 2.1.14 for the step.
pub fn largest_stable_rate(moments: &Array2<f64>, l2: f64) -> Option<f64> {
    let eigenvalues = moments.eigvalsh(UPLO::Lower).ok()?;
    let largest = eigenvalues.iter().copied().fold(f64::NAN, f64::max);
    (largest.is_finite() && largest > 0.0).then(|| 2.0 / (largest / 4.0 + l2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_bound_is_that_of_the_largest_eigenvalue() {
        // Two uncorrelated standardized columns: M is the identity, so L = 1/4 and the largest rate is 8.
        let x = array![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
        let moments = second_moments(&x.view());
        assert!((largest_stable_rate(&moments, 0.0).expect("finite") - 8.0).abs() < 1e-12);
        assert!((largest_stable_rate(&moments, 0.25).expect("finite") - 4.0).abs() < 1e-12);
        // The same column twice doubles the curvature.
        let twice = array![[1.0, 1.0], [-1.0, -1.0]];
        assert!((largest_stable_rate(&second_moments(&twice.view()), 0.0).expect("finite") - 4.0).abs() < 1e-12);
    }
}
