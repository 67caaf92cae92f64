//! The curvature that all runs share: the Gram matrix of the centered features and its eigenvectors.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, s};
use ndarray_linalg::{Eigh, UPLO};

use crate::affine::{AffineMap, FoldMap};

/// Second moments of the features around their means, with an independent intercept, and their eigenvectors.
///
/// The Hessian of the logistic loss is the second moments weighted by `p(1−p)`, between 0 and ¼, so one matrix times one
/// number per run is near enough for every C, fold and restart to start from: quasi-Newton steps do the rest.
///
/// # Source
/// Böhning and Lindsay 1988 for the bound by ¼ of the second moments.
#[derive(Debug, Clone)]
pub struct Curvature {
    spread: Spread,
    /// (P + 1, P + 1): centered second moments; 1 for the intercept.
    pub(super) gram: Arc<Array2<f64>>,
    /// Eigenvectors of the features' part, columns (P, P).
    pub(super) vectors: Array2<f64>,
    /// Eigenvalues, floored where they are lost to rounding.
    pub(super) values: Vec<f64>,
}

/// Where the features lie that a run sees: the center of its coordinates, and what its scores' rounding is relative to.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Means of the features (P); zeros where the intercept is not learned.
    pub center: Arc<[f64]>,
    /// Their deviations (P).
    pub deviation: Arc<[f64]>,
}

impl Spread {
    /// From second moments of stored columns and constant, seen through one fold.
    ///
    /// # Shapes
    /// `moments` (D + 1, D + 1), as [`Curvature::new`] takes them.
    pub fn new(map: &AffineMap, fold: &FoldMap, moments: &ArrayView2<'_, f64>, fit_intercept: bool) -> Self {
        centered(map, fold, moments, fit_intercept).0
    }
}

/// The spread of the features, their second moments around the center (P, P), and the weight of all rows.
fn centered(
    map: &AffineMap,
    fold: &FoldMap,
    moments: &ArrayView2<'_, f64>,
    fit_intercept: bool,
) -> (Spread, Array2<f64>, f64) {
    let p = map.features;
    let mut gram = map.congruence(fold, moments);
    let weight = gram[[p, p]];
    gram /= weight;
    let mut center = vec![0.0; p];
    if fit_intercept {
        center = gram.slice(s![..p, p]).to_vec();
    }
    let gram = Array2::from_shape_fn((p, p), |(i, j)| gram[[i, j]] - center[i] * center[j]);
    let deviation = gram.diag().iter().map(|variance| variance.max(0.0).sqrt()).collect();
    let spread = Spread {
        center: center.into(),
        deviation,
    };
    (spread, gram, weight)
}

/// Eigenvalues below this share of the largest are rounding.
const FLOOR: f64 = 1e-9;

impl Curvature {
    /// From second moments of stored columns and constant, seen through the first fold of `map` that knows each feature.
    ///
    /// # Shapes
    /// `moments` (D + 1, D + 1): `Σ [x 1]ᵀ[x 1]` over any large sample of the rows.
    ///
    /// # Panics
    /// If LAPACK finds no eigenvectors, which finite moments have.
    pub fn new(map: &AffineMap, moments: &ArrayView2<'_, f64>, fit_intercept: bool) -> Self {
        let p = map.features;
        let (spread, mut features, weight) = centered(map, &map.union(), moments, fit_intercept);
        // A level that the sample happens to miss is no feature without curvature: one row of it is assumed.
        let negligible = 1e-12 * features.diag().iter().copied().fold(0.0, f64::max);
        for variance in features.diag_mut() {
            if *variance <= negligible {
                *variance = 1.0 / weight;
            }
        }
        let mut gram = Array2::eye(p + 1);
        gram.slice_mut(s![..p, ..p]).assign(&features);
        let (mut values, vectors) = if p > 1 {
            features
                .eigh(UPLO::Lower)
                .expect("finite symmetric matrices have eigenvectors")
        } else {
            // The LAPACK bindings refuse a matrix of one element.
            (features.diag().to_owned(), Array2::ones((p, p)))
        };
        let largest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        values.mapv_inplace(|value| value.max(FLOOR * largest));
        Self {
            spread,
            gram: Arc::new(gram),
            vectors,
            values: values.to_vec(),
        }
    }

    /// Where the features lie, all rows together.
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// `(scale·G + l2)⁻¹` times many gradients at once, each with its own scale and ridge.
    ///
    /// # Shapes
    /// `gradients` (k, P + 1), a row per run, replaced by the products.
    pub(super) fn solve(&self, gradients: &mut Array2<f64>, terms: &[(f64, f64)]) {
        let p = self.values.len();
        let mut turned = gradients.slice(s![.., ..p]).dot(&self.vectors);
        for (mut row, &(scale, l2)) in turned.rows_mut().into_iter().zip(terms) {
            for (value, eigenvalue) in row.iter_mut().zip(&self.values) {
                *value /= scale * eigenvalue + l2;
            }
        }
        gradients.slice_mut(s![.., ..p]).assign(&turned.dot(&self.vectors.t()));
        for (value, &(scale, _)) in gradients.column_mut(p).iter_mut().zip(terms) {
            *value /= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_the_sample_misses_has_a_curvature() {
        // Two features over 100 rows, the second 0 in all of them.
        let moments = ndarray::array![[100.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 100.0]];
        let curvature = Curvature::new(&AffineMap::identity(2), &moments.view(), true);
        assert_eq!((curvature.gram[[0, 0]], curvature.gram[[1, 1]]), (1.0, 0.01));
        let mut gradient = ndarray::array![[0.5, 0.5, 0.5]];
        curvature.solve(&mut gradient, &[(0.25, 0.0)]);
        assert_eq!(gradient, ndarray::array![[2.0, 200.0, 2.0]]);
    }
}
