//! The curvature that all runs share: the Gram matrix of the centered features and its eigenvectors.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis, s};
use ndarray_linalg::{Eigh, UPLO};

use super::gram::Gram;
use crate::affine::{AffineMap, FoldMap, Link};
use crate::codes::NO_SLOT;
use crate::curvature::FirstMoments;

/// Features whose second moments are a whole matrix, at the most: more of them take a diagonal, whose steps the pairs that a
/// run has seen must make good.
pub const MOST_WHOLE: usize = 2000;

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
    pub(super) gram: Gram,
    /// Eigenvectors of the part of it that is whole, without the intercept, as columns.
    vectors: Array2<f64>,
    /// Eigenvalues, floored where they are lost to rounding.
    values: Vec<f64>,
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
        let (spread, features, weight) = centered(map, &map.union(), moments, fit_intercept);
        let (gram, values, vectors) = decomposed(features, weight);
        Self {
            spread,
            gram: Gram::whole(Arc::new(gram)),
            vectors,
            values,
        }
    }

    /// As [`Curvature::new`], with a diagonal for the features of codes; and for all features where `whole`, the second moments
    /// of the columns of numbers, is missing.
    ///
    /// # Shapes
    /// `whole` (D + 1, D + 1).
    ///
    /// # Panics
    /// As [`Curvature::new`].
    pub fn parted(
        map: &AffineMap,
        whole: Option<&ArrayView2<'_, f64>>,
        first: &FirstMoments,
        fit_intercept: bool,
    ) -> Self {
        let p = map.features;
        let (mut center, mut variance) = means_and_variances(map, first, fit_intercept);
        let negligible = 1e-12 * variance.iter().copied().fold(0.0, f64::max);
        for variance in variance.iter_mut().filter(|variance| **variance <= negligible) {
            *variance = 1.0 / first.weight;
        }
        let (mut members, mut own) = (Vec::new(), (Array2::eye(1), Vec::new(), Array2::eye(0)));
        if let Some(moments) = whole {
            let (numbers, kept) = map.without_codes();
            let (spread, features, weight) = centered(&numbers, &numbers.union(), moments, fit_intercept);
            own = decomposed(features, weight);
            for ((&feature, mean), own) in kept.iter().zip(spread.center.iter()).zip(own.0.diag()) {
                (center[feature], variance[feature]) = (*mean, *own);
            }
            members = kept;
        }
        members.push(p);
        let deviation = variance.iter().map(|variance| variance.sqrt()).collect();
        variance.push(1.0);
        let (gram, values, vectors) = own;
        Self {
            spread: Spread {
                center: center.into(),
                deviation,
            },
            gram: Gram::parted(gram, members, variance),
            vectors,
            values,
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
        if let Some((_, members)) = self.gram.members().and_then(<[usize]>::split_last) {
            self.solve_parted(gradients, terms, members);
            return;
        }
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

    /// As [`Curvature::solve`], where only the features of `members` are whole.
    fn solve_parted(&self, gradients: &mut Array2<f64>, terms: &[(f64, f64)], members: &[usize]) {
        let last = gradients.ncols() - 1;
        let mut turned = gradients.select(Axis(1), members).dot(&self.vectors);
        for ((mut turned, mut row), &(scale, l2)) in turned.rows_mut().into_iter().zip(gradients.rows_mut()).zip(terms)
        {
            for (value, eigenvalue) in turned.iter_mut().zip(&self.values) {
                *value /= scale * eigenvalue + l2;
            }
            for (feature, value) in row.iter_mut().enumerate() {
                let ridge = if feature < last { l2 } else { 0.0 };
                *value /= scale * self.gram.at(feature, feature) + ridge;
            }
        }
        let back = turned.dot(&self.vectors.t());
        for (&feature, column) in members.iter().zip(back.columns()) {
            gradients.column_mut(feature).assign(&column);
        }
    }
}

/// The matrix of centered second moments with an independent intercept, and the eigenvalues and vectors of its features.
fn decomposed(mut features: Array2<f64>, weight: f64) -> (Array2<f64>, Vec<f64>, Array2<f64>) {
    let p = features.nrows();
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
    (gram, values.to_vec(), vectors)
}

/// Centers and variances around them of all features, each as the first fold sees it that knows it. The raw columns of a
/// feature exclude each other: a value and the mark of its absence, levels.
fn means_and_variances(map: &AffineMap, first: &FirstMoments, fit_intercept: bool) -> (Vec<f64>, Vec<f64>) {
    let union = map.union();
    let mut mean = union.offset.clone();
    let mut square: Vec<f64> = union.offset.iter().map(|offset| offset * offset).collect();
    for (link, factor) in map.links.iter().zip(&union.factor) {
        let Link { raw, feature } = *link;
        let (sum, of_squares) = (first.sums[raw] / first.weight, first.squares[raw] / first.weight);
        mean[feature] += factor * sum;
        square[feature] += factor * (factor * of_squares + 2.0 * union.offset[feature] * sum);
    }
    let features = map.codes.features();
    let knowing: Vec<Option<usize>> = features
        .iter()
        .map(|&feature| map.folds.iter().position(|fold| !fold.is_held[feature]))
        .collect();
    for fold in 0..map.folds.len() {
        for (&slot, weight) in map.codes.slots(fold).iter().zip(&first.codes) {
            if slot != NO_SLOT && knowing[slot as usize] == Some(fold) {
                mean[features[slot as usize]] += weight / first.weight;
                square[features[slot as usize]] += weight / first.weight;
            }
        }
    }
    if !fit_intercept {
        return (vec![0.0; mean.len()], square);
    }
    let variance = square
        .iter()
        .zip(&mean)
        .map(|(square, mean)| (square - mean * mean).max(0.0));
    let variance = variance.collect();
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_the_sample_misses_has_a_curvature() {
        // Two features over 100 rows, the second 0 in all of them.
        let moments = ndarray::array![[100.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 100.0]];
        let curvature = Curvature::new(&AffineMap::identity(2), &moments.view(), true);
        assert_eq!((curvature.gram.at(0, 0), curvature.gram.at(1, 1)), (1.0, 0.01));
        let mut gradient = ndarray::array![[0.5, 0.5, 0.5]];
        curvature.solve(&mut gradient, &[(0.25, 0.0)]);
        assert_eq!(gradient, ndarray::array![[2.0, 200.0, 2.0]]);
    }
}
