//! Each fold's preprocessing, folded into the weights: one stored matrix serves all folds without a leak.
//!
//! Imputing by a constant, scaling, and tying rare levels to one weight are affine in the stored columns, so fold f's
//! statistics go into the weights of the runs of that fold instead of into a copy of the data:
//!
//! `z_i = b + Σ_links factor_f[link] · w[feature] · x[i, raw] + Σ_features offset_f[feature] · w[feature]`
//!
//! A **raw column** is a column of the stored matrix, a **feature** is a weight, a **link** joins one to the other. Features
//! that [`Codes`] lead to have no raw column and no link: their effective weight is their weight.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use crate::Real;
use crate::codes::{Codes, NO_SLOT};

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
    /// Number of columns of the stored matrix that hold numbers, D; those of codes lie behind them.
    pub raw_columns: usize,
    /// Number of features, P.
    pub features: usize,
    /// Links, shared by all folds.
    pub links: Vec<Link>,
    /// One map per fold.
    pub folds: Vec<FoldMap>,
    /// Columns of codes.
    pub codes: Arc<Codes>,
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
            codes: Arc::default(),
        }
    }

    /// Rows of the effective weights: one per raw column, then one per slot of the codes.
    pub fn weights(&self) -> usize {
        self.raw_columns + self.codes.features().len()
    }

    /// Raw columns if every level of the codes had one.
    pub fn expanded_columns(&self) -> usize {
        self.raw_columns + self.codes.count()
    }

    /// The same map with a raw column for every level, over rows made by [`expand`].
    #[must_use]
    pub fn expanded(&self) -> Self {
        let mut map = Self {
            raw_columns: self.expanded_columns(),
            codes: Arc::default(),
            ..self.clone()
        };
        let features = self.codes.features();
        for code in 0..self.codes.count() {
            let mut slots: Vec<u32> = self.codes.slots_of(code).collect();
            slots.sort_unstable();
            slots.dedup();
            for slot in slots {
                map.links.push(Link {
                    raw: self.raw_columns + code,
                    feature: features[slot as usize],
                });
                for (fold, own) in map.folds.iter_mut().enumerate() {
                    let leads = self.codes.slots(fold)[code] == slot;
                    own.factor.push(if leads { 1.0 } else { 0.0 });
                }
            }
        }
        map
    }

    /// Whether codes lead to each feature.
    pub fn is_coded(&self) -> Vec<bool> {
        let mut is_coded = vec![false; self.features];
        for &feature in self.codes.features() {
            is_coded[feature] = true;
        }
        is_coded
    }

    /// The map of the features that have raw columns, in their order; and which these are.
    pub fn without_codes(&self) -> (Self, Vec<usize>) {
        let is_coded = self.is_coded();
        let kept: Vec<usize> = (0..self.features).filter(|&feature| !is_coded[feature]).collect();
        let mut place = vec![0; self.features];
        for (new, &old) in kept.iter().enumerate() {
            place[old] = new;
        }
        let links = self.links.iter().map(|link| Link {
            raw: link.raw,
            feature: place[link.feature],
        });
        let fold = |fold: &FoldMap| FoldMap {
            factor: fold.factor.clone(),
            offset: kept.iter().map(|&feature| fold.offset[feature]).collect(),
            is_held: kept.iter().map(|&feature| fold.is_held[feature]).collect(),
        };
        let map = Self {
            raw_columns: self.raw_columns,
            features: kept.len(),
            links: links.collect(),
            folds: self.folds.iter().map(fold).collect(),
            codes: Arc::default(),
        };
        (map, kept)
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
    /// `x` (m, D and columns of codes) → (m, P).
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
        let slots = self.codes.slots(fold);
        for column in self.raw_columns..self.raw_columns + self.codes.columns() {
            for (mut row, code) in out.rows_mut().into_iter().zip(x.column(column)) {
                if let Some(&slot) = slots.get(code.as_f64() as usize).filter(|slot| **slot != NO_SLOT) {
                    row[self.codes.features()[slot as usize]] += 1.0;
                }
            }
        }
        out
    }
}

/// Rows with a 0/1 number per level in the place of codes.
///
/// # Shapes
/// `x` (m, D and columns of codes) → `out` (m', D + codes), m' ≥ m, of which the first m rows are overwritten.
pub fn expand<T: Real>(x: &ArrayView2<'_, T>, codes: &Codes, out: &mut ArrayViewMut2<'_, T>) {
    let numbers = x.ncols() - codes.columns();
    for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
        out.slice_mut(s![..numbers]).assign(&x.slice(s![..numbers]));
        out.slice_mut(s![numbers..]).fill(T::zero());
        for code in x.slice(s![numbers..]) {
            if let Some(value) = out.get_mut(numbers + code.as_f64() as usize) {
                *value = T::one();
            }
        }
    }
}

/// The map of a block of columns, spread out so that the loops run over columns.
#[derive(Debug, Clone)]
pub struct BlockAffine<T> {
    links: Vec<Link>,
    /// (links, k)
    factor: Array2<T>,
    /// Features that have raw columns: all, where there are no codes (P').
    features: Vec<usize>,
    /// (P', k)
    offset: Array2<T>,
    has_offset: bool,
    /// Features in the place of whose effective weights stand their weights, behind the raw columns.
    coded: Arc<Codes>,
    raw_columns: usize,
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
        let is_coded = map.is_coded();
        let features: Vec<usize> = (0..map.features).filter(|&feature| !is_coded[feature]).collect();
        let offset = spread(features.len(), &|fold, place| fold.offset[features[place]]);
        Self {
            links: map.links.clone(),
            factor: spread(map.links.len(), &|fold, link| fold.factor[link]),
            has_offset: offset.iter().any(|&value| value != T::zero()),
            features,
            offset,
            coded: Arc::clone(&map.codes),
            raw_columns: map.raw_columns,
        }
    }

    /// Features that have raw columns, in their order.
    pub(crate) fn features(&self) -> &[usize] {
        &self.features
    }

    /// Whether codes lead to a feature.
    pub(crate) fn is_coded(&self, feature: usize) -> bool {
        feature < self.features.len() + self.coded.features().len() && self.features.binary_search(&feature).is_err()
    }

    /// Effective weights and intercepts of the stored columns.
    ///
    /// # Shapes
    /// `params` (P + 1, k), the last row the intercepts → `w` (D + F, k), `b` (k).
    pub fn forward(&self, params: &ArrayView2<'_, T>, mut w: ArrayViewMut2<'_, T>, b: &mut [T]) {
        for (slot, &feature) in self.coded.features().iter().enumerate() {
            w.row_mut(self.raw_columns + slot).assign(&params.row(feature));
        }
        self.forward_numbers(params, w.slice_mut(s![..self.raw_columns, ..]), b);
    }

    /// As [`BlockAffine::forward`], for the raw columns alone.
    ///
    /// # Shapes
    /// `w` (D, k).
    pub(crate) fn forward_numbers(&self, params: &ArrayView2<'_, T>, mut w: ArrayViewMut2<'_, T>, b: &mut [T]) {
        w.fill(T::zero());
        for (link, factor) in self.links.iter().zip(self.factor.rows()) {
            let (weights, mut row) = (params.row(link.feature), w.row_mut(link.raw));
            for ((out, &factor), &weight) in slice_mut(&mut row).iter_mut().zip(slice(&factor)).zip(slice(&weights)) {
                *out += factor * weight;
            }
        }
        b.copy_from_slice(slice(&params.row(params.nrows() - 1)));
        if self.has_offset {
            for (offset, &feature) in self.offset.rows().into_iter().zip(&self.features) {
                let weights = params.row(feature);
                for ((out, &offset), &weight) in b.iter_mut().zip(slice(&offset)).zip(slice(&weights)) {
                    *out += offset * weight;
                }
            }
        }
    }

    /// The adjoint of [`BlockAffine::forward`]: gradient of the parameters from that of the stored columns.
    ///
    /// # Shapes
    /// `g` = `XᵀdZ` (D + F, k), `db` = Σ dz (k) → `grad` (P + 1, k), overwritten.
    pub fn adjoint(&self, g: &ArrayView2<'_, T>, db: &[T], mut grad: ArrayViewMut2<'_, T>) {
        for (slot, &feature) in self.coded.features().iter().enumerate() {
            grad.row_mut(feature).assign(&g.row(self.raw_columns + slot));
        }
        self.adjoint_numbers(g, db, grad);
    }

    /// As [`BlockAffine::adjoint`], for the features that have raw columns alone.
    ///
    /// # Shapes
    /// `g` (D or more, k).
    pub(crate) fn adjoint_numbers(&self, g: &ArrayView2<'_, T>, db: &[T], mut grad: ArrayViewMut2<'_, T>) {
        let last = grad.nrows() - 1;
        for (offset, &feature) in self.offset.rows().into_iter().zip(&self.features) {
            let mut row = grad.row_mut(feature);
            if self.has_offset {
                for ((out, &offset), &db) in slice_mut(&mut row).iter_mut().zip(slice(&offset)).zip(db) {
                    *out = offset * db;
                }
            } else {
                row.fill(T::zero());
            }
        }
        for (link, factor) in self.links.iter().zip(self.factor.rows()) {
            let (raw, mut row) = (g.row(link.raw), grad.row_mut(link.feature));
            for ((out, &factor), &raw) in slice_mut(&mut row).iter_mut().zip(slice(&factor)).zip(slice(&raw)) {
                *out += factor * raw;
            }
        }
        slice_mut(&mut grad.row_mut(last)).copy_from_slice(db);
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
            codes: Arc::default(),
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

    /// Two columns of codes with five levels: that of code 1 is tied to the first feature in fold 1, that of code 4 to none.
    pub(crate) fn coded() -> AffineMap {
        let codes = Codes::new(
            2,
            vec![0, 2, 4],
            vec![vec![0, 1, 2, 2, NO_SLOT], vec![0, 0, 2, 2, NO_SLOT]],
        );
        let link = |raw: usize, feature: usize| Link { raw, feature };
        let fold = |scale: f64, is_held: [bool; 5]| FoldMap {
            factor: vec![scale, -0.5 * scale, scale],
            offset: vec![0.0, 0.3 * scale, 0.0, -0.2, 0.0],
            is_held: is_held.to_vec(),
        };
        AffineMap {
            raw_columns: 3,
            features: 5,
            links: vec![link(0, 1), link(1, 1), link(2, 3)],
            folds: vec![fold(1.5, [false; 5]), fold(0.5, [false, false, true, false, false])],
            codes: Arc::new(codes),
        }
    }

    #[test]
    fn levels_as_codes_are_levels_as_columns() {
        let map = coded();
        let none = f64::from(crate::codes::NO_LEVEL);
        let x = array![
            [1.0, 0.0, -2.0, 0.0, 2.0],
            [0.5, 1.0, 4.0, 1.0, 3.0],
            [0.1, 0.2, 0.3, none, 4.0]
        ];
        let wide = map.expanded();
        assert_eq!((map.weights(), wide.raw_columns, wide.links.len()), (6, 8, 3 + 5));
        let mut expanded = Array2::from_elem((4, 8), 7.0);
        expand(&x.view(), &map.codes, &mut expanded.view_mut());
        let expanded = expanded.slice(s![..3, ..]);
        for fold in 0..2 {
            let features = map.features_of(fold, &x.view());
            assert_eq!(features, wide.features_of(fold, &expanded));
            assert_eq!(features[[1, 0]], fold as f64);
        }
        let (numbers, kept) = map.without_codes();
        assert_eq!(kept, [1, 3]);
        let direct = numbers.features_of(1, &x.view());
        assert_eq!(direct, map.features_of(1, &x.view()).select(ndarray::Axis(1), &kept));
    }
}
