//! Each fold's preprocessing, folded into the weights: one stored matrix serves all folds without a leak.
//!
//! Imputing by a constant, scaling, and tying rare levels to one weight are affine in the stored columns, so fold f's
//! statistics go into the weights of the runs of that fold instead of into a copy of the data:
//!
//! `z_i = b + Σ_links factor_f[link] · w[feature] · x[i, raw] + Σ_features offset_f[feature] · w[feature]`
//!
//! A **raw column** is a column of the stored matrix, a **feature** is a weight, a **link** joins one to the other.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::Real;

/// One raw column's contribution to one feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Column of the stored matrix.
    pub raw: usize,
    /// Row of the parameters.
    pub feature: usize,
}

/// What one fold's training rows say about every link and feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldMap {
    /// Factor of each link.
    pub factor: Vec<f64>,
    /// Offset of each feature.
    pub offset: Vec<f64>,
    /// Features without information in this fold (constant, absent): their weight is held at 0.
    pub is_held: Vec<bool>,
}

/// The preprocessing of all folds.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap {
    /// Number of columns of the stored matrix, D.
    pub raw_columns: usize,
    /// Number of features, P.
    pub features: usize,
    /// Links, shared by all folds.
    pub links: Vec<Link>,
    /// One map per fold.
    pub folds: Vec<FoldMap>,
}

impl AffineMap {
    /// The map that changes nothing: every raw column is a feature.
    pub fn identity(columns: usize) -> Self {
        Self {
            raw_columns: columns,
            features: columns,
            links: (0..columns)
                .map(|column| Link {
                    raw: column,
                    feature: column,
                })
                .collect(),
            folds: vec![FoldMap {
                factor: vec![1.0; columns],
                offset: vec![0.0; columns],
                is_held: vec![false; columns],
            }],
        }
    }

    /// Every feature as the first fold sees it that does not hold it.
    pub fn union(&self) -> FoldMap {
        let of_feature: Vec<&FoldMap> = (0..self.features)
            .map(|feature| {
                let knows = |fold: &&FoldMap| !fold.is_held[feature];
                self.folds.iter().find(knows).unwrap_or(&self.folds[0])
            })
            .collect();
        FoldMap {
            factor: self
                .links
                .iter()
                .enumerate()
                .map(|(index, link)| of_feature[link.feature].factor[index])
                .collect(),
            offset: (0..self.features)
                .map(|feature| of_feature[feature].offset[feature])
                .collect(),
            is_held: (0..self.features)
                .map(|feature| of_feature[feature].is_held[feature])
                .collect(),
        }
    }

    /// A quadratic form over stored columns and constant as one over a fold's features and intercept: `Aᵀ·H·A`.
    ///
    /// # Shapes
    /// `h` (D + 1, D + 1) symmetric → (P + 1, P + 1).
    pub fn congruence(&self, map: &FoldMap, h: &ArrayView2<'_, f64>) -> Array2<f64> {
        let (constant, intercept) = (self.raw_columns, self.features);
        // Rows of A as (feature, factor), by what they multiply.
        let spread = |from: &ArrayView2<'_, f64>| {
            let mut out = Array2::<f64>::zeros((self.features + 1, from.ncols()));
            for (link, &factor) in self.links.iter().zip(&map.factor) {
                out.row_mut(link.feature).scaled_add(factor, &from.row(link.raw));
            }
            for (feature, &offset) in map.offset.iter().enumerate() {
                out.row_mut(feature).scaled_add(offset, &from.row(constant));
            }
            out.row_mut(intercept).assign(&from.row(constant));
            out
        };
        let half = spread(h);
        spread(&half.t())
    }

    /// The features of stored rows as one fold sees them, in f64: the slow twin of [`BlockAffine`], for checks and `explain`.
    ///
    /// # Shapes
    /// `x` (m, D) → (m, P).
    pub fn features_of<T: Real>(&self, fold: usize, x: &ArrayView2<'_, T>) -> Array2<f64> {
        let map = &self.folds[fold];
        let mut out = Array2::zeros((x.nrows(), self.features));
        for mut row in out.rows_mut() {
            for (value, offset) in row.iter_mut().zip(&map.offset) {
                *value = *offset;
            }
        }
        for (link, factor) in self.links.iter().zip(&map.factor) {
            for (value, raw) in out.column_mut(link.feature).iter_mut().zip(x.column(link.raw)) {
                *value += factor * raw.as_f64();
            }
        }
        out
    }
}

/// The map of a block of columns, spread out so that the loops run over columns.
#[derive(Debug, Clone)]
pub struct BlockAffine<T> {
    links: Vec<Link>,
    /// (links, k)
    factor: Array2<T>,
    /// (P, k)
    offset: Array2<T>,
    has_offset: bool,
}

impl<T: Real> BlockAffine<T> {
    /// Spreads `map` over the columns of a block.
    ///
    /// # Shapes
    /// `fold_of_column` (k).
    pub fn new(map: &AffineMap, fold_of_column: &[usize]) -> Self {
        let k = fold_of_column.len();
        let spread = |len: usize, value: &dyn Fn(&FoldMap, usize) -> f64| {
            Array2::from_shape_fn((len, k), |(i, j)| T::from_f64(value(&map.folds[fold_of_column[j]], i)))
        };
        let offset = spread(map.features, &|fold, feature| fold.offset[feature]);
        Self {
            links: map.links.clone(),
            factor: spread(map.links.len(), &|fold, link| fold.factor[link]),
            has_offset: offset.iter().any(|&value| value != T::zero()),
            offset,
        }
    }

    /// Effective weights and intercepts of the stored columns.
    ///
    /// # Shapes
    /// `params` (P + 1, k), the last row the intercepts → `w` (D, k), `b` (k).
    pub fn forward(&self, params: &ArrayView2<'_, T>, mut w: ArrayViewMut2<'_, T>, b: &mut [T]) {
        w.fill(T::zero());
        for (link, factor) in self.links.iter().zip(self.factor.rows()) {
            let (weights, mut row) = (params.row(link.feature), w.row_mut(link.raw));
            for ((out, &factor), &weight) in slice_mut(&mut row).iter_mut().zip(slice(&factor)).zip(slice(&weights)) {
                *out += factor * weight;
            }
        }
        b.copy_from_slice(slice(&params.row(self.offset.nrows())));
        if self.has_offset {
            for (offset, weights) in self.offset.rows().into_iter().zip(params.rows()) {
                for ((out, &offset), &weight) in b.iter_mut().zip(slice(&offset)).zip(slice(&weights)) {
                    *out += offset * weight;
                }
            }
        }
    }

    /// The adjoint of [`BlockAffine::forward`]: gradient of the parameters from that of the stored columns.
    ///
    /// # Shapes
    /// `g` = `XᵀdZ` (D, k), `db` = Σ dz (k) → `grad` (P + 1, k), overwritten.
    pub fn adjoint(&self, g: &ArrayView2<'_, T>, db: &[T], mut grad: ArrayViewMut2<'_, T>) {
        let features = self.offset.nrows();
        if self.has_offset {
            for (offset, mut row) in self.offset.rows().into_iter().zip(grad.rows_mut()) {
                for ((out, &offset), &db) in slice_mut(&mut row).iter_mut().zip(slice(&offset)).zip(db) {
                    *out = offset * db;
                }
            }
        } else {
            grad.fill(T::zero());
        }
        for (link, factor) in self.links.iter().zip(self.factor.rows()) {
            let (raw, mut row) = (g.row(link.raw), grad.row_mut(link.feature));
            for ((out, &factor), &raw) in slice_mut(&mut row).iter_mut().zip(slice(&factor)).zip(slice(&raw)) {
                *out += factor * raw;
            }
        }
        slice_mut(&mut grad.row_mut(features)).copy_from_slice(db);
    }

    /// Keeps the given columns, in that order.
    pub fn keep(&mut self, columns: &[usize]) {
        for spread in [&mut self.factor, &mut self.offset] {
            *spread = spread
                .select(ndarray::Axis(1), columns)
                .as_standard_layout()
                .into_owned();
        }
    }
}

/// A row of a row-major matrix as a slice.
pub(crate) fn slice<'a, T>(row: &'a ndarray::ArrayView1<'_, T>) -> &'a [T] {
    row.as_slice().expect("rows of row-major matrices are contiguous")
}

/// A row of a row-major matrix as a mutable slice.
pub(crate) fn slice_mut<'a, T>(row: &'a mut ndarray::ArrayViewMut1<'_, T>) -> &'a mut [T] {
    row.as_slice_mut().expect("rows of row-major matrices are contiguous")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Two folds; raw column 0 is numeric with a missing mask in column 1, columns 2 and 3 are levels tied in fold 1.
    fn example() -> AffineMap {
        let links = [(0, 0), (1, 0), (2, 1), (3, 1), (3, 2)].map(|(raw, feature)| Link { raw, feature });
        AffineMap {
            raw_columns: 4,
            features: 3,
            links: links.to_vec(),
            folds: vec![
                FoldMap {
                    factor: vec![0.5, -0.2, 1.0, 0.0, 1.0],
                    offset: vec![0.3, 0.0, 0.0],
                    is_held: vec![false; 3],
                },
                FoldMap {
                    factor: vec![2.0, 0.1, 1.0, 1.0, 0.0],
                    offset: vec![-0.7, 0.0, 0.0],
                    is_held: vec![false; 3],
                },
            ],
        }
    }

    #[test]
    fn effective_weights_score_as_the_features_do() {
        let map = example();
        let block = BlockAffine::<f64>::new(&map, &[0, 1]);
        let params = array![[0.4, -1.0], [2.0, 0.5], [-0.3, 0.9], [0.1, 0.2]];
        let x = array![[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [-2.0, 0.0, 0.0, 0.0]];
        let (mut w, mut b) = (Array2::zeros((4, 2)), vec![0.0; 2]);
        block.forward(&params.view(), w.view_mut(), &mut b);
        let z = x.dot(&w);
        for fold in 0..2 {
            let features = map.features_of(fold, &x.view());
            for i in 0..3 {
                let direct = features.row(i).dot(&params.slice(ndarray::s![..3, fold])) + params[[3, fold]];
                assert!((direct - (z[[i, fold]] + b[fold])).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn a_congruence_is_the_form_of_the_features() {
        let map = example();
        let x = array![[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [-2.0, 0.0, 0.0, 0.0]];
        let with_one = |x: &Array2<f64>| {
            let ones = Array2::ones((x.nrows(), 1));
            ndarray::concatenate(ndarray::Axis(1), &[x.view(), ones.view()]).expect("equal heights")
        };
        let stored = with_one(&x);
        for fold in 0..2 {
            let features = with_one(&map.features_of(fold, &x.view()));
            let found = map.congruence(&map.folds[fold], &stored.t().dot(&stored).view());
            let expected = features.t().dot(&features);
            assert!((found - expected).iter().all(|e| e.abs() < 1e-14));
        }
    }

    #[test]
    fn the_adjoint_is_the_transpose_of_the_forward_map() {
        let block = BlockAffine::<f64>::new(&example(), &[0, 1]);
        let params = array![[0.4, -1.0], [2.0, 0.5], [-0.3, 0.9], [0.1, 0.2]];
        let g = array![[0.3, 0.1], [-0.2, 0.8], [1.1, -0.4], [0.6, 0.7]];
        let db = [0.25, -0.75];
        let (mut w, mut b) = (Array2::zeros((4, 2)), vec![0.0; 2]);
        block.forward(&params.view(), w.view_mut(), &mut b);
        let mut grad = Array2::zeros((4, 2));
        block.adjoint(&g.view(), &db, grad.view_mut());
        for j in 0..2 {
            let forward: f64 = w.column(j).dot(&g.column(j)) + b[j] * db[j];
            let backward: f64 = params.column(j).dot(&grad.column(j));
            assert!((forward - backward).abs() < 1e-14, "{forward} {backward}");
        }
    }
}
