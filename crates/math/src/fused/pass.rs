//! One trip of many columns over rows: forward product, loss kernel in place, backward product.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, s};

use super::Objective;
use super::routes::Routes;
use crate::Real;
use crate::affine::AffineMap;
use crate::blas;
use crate::elementwise::{ColumnTerms, LANES, RowTerms};
use crate::workspace::{Scores, Scratch, Sums};

/// Rows after which an `f32` gradient is emptied into the f64 sums.
const ROWS_PER_FLUSH: usize = 2048;

/// Stored rows of one row group.
///
/// # Shapes
/// `x` (m, D and columns of codes) row-major, `y` (m) of 0 and 1, `weight` (m).
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    /// Stored columns.
    pub x: ArrayView2<'a, T>,
    /// Labels.
    pub y: &'a [T],
    /// Sample weights; `None` = 1 each.
    pub weight: Option<&'a [T]>,
    /// The row group all of these rows belong to.
    pub group: usize,
}

impl<T: Real> Rows<'_, T> {
    /// The weight of the rows of class 0 and of class 1.
    pub fn class_sums(&self) -> [f64; 2] {
        match self.weight {
            None => {
                let ones = self.y.iter().copied().sum::<T>().as_f64();
                [self.y.len() as f64 - ones, ones]
            }
            Some(weight) => {
                let mut sums = [0.0; 2];
                for (y, weight) in self.y.iter().zip(weight) {
                    sums[usize::from(*y > T::zero())] += weight.as_f64();
                }
                sums
            }
        }
    }

    fn terms(&self) -> RowTerms<'_, T> {
        RowTerms {
            y: self.y,
            weight: self.weight,
        }
    }
}

/// Effective weights of the stored columns, a column per run, and what every row counts for each of them.
///
/// # Shapes
/// `w` (D + F, k): the raw columns', then the slots' of the codes; `b` (k); k is 1 or a multiple of [`LANES`]. Columns past
/// the live ones train on nothing.
#[derive(Debug, Clone)]
pub struct Pass<T> {
    pub(super) w: Array2<T>,
    pub(super) b: Vec<T>,
    /// By class: (groups, k), the class weight where the column trains on the group, else 0.
    weight: [Array2<T>; 2],
    /// Where codes lead, where there are any.
    pub(super) routes: Option<Routes>,
}

impl<T: Real> Pass<T> {
    /// A pass over rows of `raw_columns` numbers: `width` columns with weights 0, the first of which have these objectives.
    ///
    /// # Panics
    /// If there is no objective, or more than `width`.
    pub fn new<'a>(raw_columns: usize, objectives: impl IntoIterator<Item = &'a Objective>, width: usize) -> Self {
        let objectives: Vec<&Objective> = objectives.into_iter().collect();
        assert!(!objectives.is_empty() && objectives.len() <= width);
        let groups = objectives[0].is_trained.len();
        let of_class = |class: usize| {
            Array2::from_shape_fn((groups, width), |(group, j)| match objectives.get(j) {
                Some(objective) if objective.is_trained[group] => T::from_f64(objective.class_weight[class]),
                _ => T::zero(),
            })
        };
        Self {
            w: Array2::zeros((raw_columns, width)),
            b: vec![T::zero(); width],
            weight: [of_class(0), of_class(1)],
            routes: None,
        }
    }

    /// As [`Pass::new`], over rows of numbers and codes as `map` knows them.
    ///
    /// # Panics
    /// As [`Pass::new`].
    pub fn of_map<'a>(map: &AffineMap, objectives: impl IntoIterator<Item = &'a Objective>, width: usize) -> Self {
        let objectives: Vec<&Objective> = objectives.into_iter().collect();
        let mut pass = Self::new(map.weights(), objectives.iter().copied(), width);
        let last = objectives.len() - 1;
        let folds = (0..width).map(|column| objectives[column.min(last)].fold);
        pass.routes = Routes::new(map, folds.collect());
        pass
    }

    /// Columns of the products: live columns and padding.
    pub fn width(&self) -> usize {
        self.b.len()
    }

    /// Sets effective weights and intercepts; columns past the given ones keep 0.
    ///
    /// # Shapes
    /// `w` (D, k'), `b` (k') with k' ≤ k.
    pub fn set(&mut self, w: &ArrayView2<'_, f64>, b: &[f64]) {
        for (from, mut to) in w.rows().into_iter().zip(self.w.rows_mut()) {
            for (from, to) in from.iter().zip(&mut to) {
                *to = T::from_f64(*from);
            }
        }
        for (from, to) in b.iter().zip(&mut self.b) {
            *to = T::from_f64(*from);
        }
    }

    /// Whether any column trains on a row group.
    pub fn trains_on(&self, group: usize) -> bool {
        let trains = |weight: &Array2<T>| weight.row(group).iter().any(|&is| is != T::zero());
        self.weight.iter().any(trains)
    }

    /// What rows of a group with these sums by class count for a column.
    pub(super) fn weight_of(&self, class_sums: [f64; 2], group: usize, column: usize) -> f64 {
        (0..2)
            .map(|class| self.weight[class][[group, column]].as_f64() * class_sums[class])
            .sum()
    }

    /// Keeps the given columns, in that order; those from `live` on train on nothing.
    pub(super) fn keep(&mut self, order: &[usize], live: usize) {
        for weight in &mut self.weight {
            *weight = weight.select(Axis(1), order).as_standard_layout().into_owned();
            weight.slice_mut(s![.., live..]).fill(T::zero());
        }
        self.w = Array2::zeros((self.w.nrows(), order.len()));
        self.b = vec![T::zero(); order.len()];
        if let Some(routes) = &mut self.routes {
            routes.keep(order);
        }
    }

    /// Gradient and scores of rows of one group, added to `sums`.
    ///
    /// `cut` is the score above which accuracy counts a row as positive. A group nobody trains on needs no backward product.
    pub fn accumulate(&self, rows: Rows<'_, T>, cut: f64, scratch: &mut Scratch<T>, sums: &mut Sums) {
        if !self.trains_on(rows.group) {
            self.score(rows, 0..self.width(), cut, scratch, &mut sums.scores);
            return;
        }
        scratch.db.fill(T::zero());
        let mut pending = 0;
        for tile in tiles(rows, scratch.tile_rows) {
            self.scored_residuals(tile, cut, scratch, &mut sums.scores);
            self.backward(tile, scratch, pending > 0);
            self.backward_codes(&tile, scratch, sums);
            pending += tile.y.len();
            if pending >= ROWS_PER_FLUSH {
                sums.flush(scratch);
                pending = 0;
            }
        }
        if pending > 0 {
            sums.flush(scratch);
        }
    }

    /// Scores of rows of one group for the columns in `columns`, without gradients.
    ///
    /// # Panics
    /// If the range does not start and end at whole registers of lanes (a pass of one column aside).
    pub fn score(
        &self,
        rows: Rows<'_, T>,
        columns: Range<usize>,
        cut: f64,
        scratch: &mut Scratch<T>,
        scores: &mut Scores,
    ) {
        let intercept = &self.b[columns.clone()];
        let terms = ColumnTerms {
            intercept,
            // Scores count every row; the kernel reads no column weight for them.
            weight: [intercept; 2],
            cut: T::from_f64(cut),
        };
        for tile in tiles(rows, scratch.tile_rows) {
            self.forward(tile, columns.clone(), scratch);
            let z = &mut scratch.z[..tile.y.len() * columns.len()];
            let sums = scores.of_group(rows.group, columns.start, columns.end);
            T::score(z, tile.terms(), terms, sums);
        }
    }

    /// Raw scores z of rows for the columns in `columns`, as (m, columns) row-major, appended to `out`.
    pub fn predict(&self, rows: Rows<'_, T>, columns: Range<usize>, scratch: &mut Scratch<T>, out: &mut Vec<T>) {
        for tile in tiles(rows, scratch.tile_rows) {
            self.forward(tile, columns.clone(), scratch);
            let z = &scratch.z[..tile.y.len() * columns.len()];
            for row in z.chunks_exact(columns.len()) {
                out.extend(row.iter().zip(&self.b[columns.clone()]).map(|(&z, &b)| z + b));
            }
        }
    }

    /// The columns, in whole registers, that hold those of the first `live` for which `wanted` holds.
    pub fn covering(&self, live: usize, wanted: impl Fn(usize) -> bool) -> Option<Range<usize>> {
        let first = (0..live).find(|&position| wanted(position))?;
        let last = (0..live).rev().find(|&position| wanted(position))?;
        if self.width() == 1 {
            return Some(0..1);
        }
        Some(first / LANES * LANES..(last + 1).next_multiple_of(LANES))
    }

    /// Residuals of a tile in the scratch; with `scores`, their losses too.
    pub(super) fn residuals(&self, tile: Rows<'_, T>, scratch: &mut Scratch<T>, scores: Option<&mut Scores>) {
        if let Some(scores) = scores {
            self.scored_residuals(tile, 0.0, scratch, scores);
            return;
        }
        self.forward(tile, 0..self.width(), scratch);
        let Scratch { z, db, .. } = scratch;
        let z = &mut z[..tile.y.len() * self.width()];
        T::residual(z, tile.terms(), self.terms(tile.group, 0.0), db);
    }

    fn scored_residuals(&self, tile: Rows<'_, T>, cut: f64, scratch: &mut Scratch<T>, scores: &mut Scores) {
        let width = self.width();
        self.forward(tile, 0..width, scratch);
        let Scratch { z, db, .. } = scratch;
        let z = &mut z[..tile.y.len() * width];
        let sums = scores.of_group(tile.group, 0, width);
        T::residual_and_score(z, tile.terms(), self.terms(tile.group, cut), db, sums);
    }

    /// Second derivatives of a tile's losses in the scratch.
    pub(super) fn curvatures(&self, tile: Rows<'_, T>, scratch: &mut Scratch<T>) {
        self.forward(tile, 0..self.width(), scratch);
        let z = &mut scratch.z[..tile.y.len() * self.width()];
        T::curvature(z, tile.terms(), self.terms(tile.group, 0.0));
    }

    /// `XᵀdZ` of the residuals in the scratch, into its gradient: that of the columns of numbers.
    pub(super) fn backward(&self, tile: Rows<'_, T>, scratch: &mut Scratch<T>, accumulate: bool) {
        let shape = (tile.y.len(), self.width());
        let dz =
            ArrayView2::from_shape(shape, &scratch.z[..shape.0 * shape.1]).expect("the slice has the shape's length");
        let x = self.numbers(tile);
        if x.ncols() > 0 {
            blas::backward(&x, &dz, accumulate, &mut scratch.g.view_mut());
        }
    }

    /// The residuals in the scratch, added to the gradient of the slots that the tile's codes lead to.
    fn backward_codes(&self, tile: &Rows<'_, T>, scratch: &mut Scratch<T>, sums: &mut Sums) {
        let Some(routes) = &self.routes else { return };
        let (k, Scratch { z, slots, .. }) = (self.width(), scratch);
        let g = &mut sums.g.as_slice_mut().expect("row-major")[routes.numbers * k..];
        routes.walk(tile, &(0..k), slots, |columns, slots| {
            T::scatter_sums(
                (&z[columns.start..], k),
                (&mut g[columns.start..], k),
                columns.len(),
                slots,
            );
        });
    }

    fn forward(&self, tile: Rows<'_, T>, columns: Range<usize>, scratch: &mut Scratch<T>) {
        let shape = (tile.y.len(), columns.len());
        let Scratch { z, slots, .. } = scratch;
        let z = &mut z[..shape.0 * shape.1];
        let x = self.numbers(tile);
        if x.ncols() == 0 {
            z.fill(T::zero());
        } else {
            let mut z = ndarray::ArrayViewMut2::from_shape(shape, &mut *z).expect("the slice has the shape's length");
            blas::forward(&x, &self.w.slice(s![..x.ncols(), columns.clone()]), &mut z);
        }
        let Some(routes) = &self.routes else { return };
        let k = self.width();
        let w = &self.w.as_slice().expect("row-major")[routes.numbers * k..];
        routes.walk(&tile, &columns, slots, |own, slots| {
            let z = &mut z[own.start - columns.start..];
            T::gather((z, columns.len()), (&w[own.start..], k), own.len(), slots);
        });
    }

    /// The columns of numbers of a tile.
    fn numbers<'a>(&self, tile: Rows<'a, T>) -> ArrayView2<'a, T> {
        match &self.routes {
            None => tile.x,
            Some(routes) => tile.x.slice_move(s![.., ..routes.numbers]),
        }
    }

    fn terms(&self, group: usize, cut: f64) -> ColumnTerms<'_, T> {
        let width = self.width();
        let of_class = |class: usize| {
            let weight = self.weight[class].as_slice().expect("row-major");
            &weight[group * width..(group + 1) * width]
        };
        ColumnTerms {
            intercept: &self.b,
            weight: [of_class(0), of_class(1)],
            cut: T::from_f64(cut),
        }
    }
}

/// Rows cut into tiles of at most `tile_rows` rows.
pub(super) fn tiles<T: Real>(rows: Rows<'_, T>, tile_rows: usize) -> impl Iterator<Item = Rows<'_, T>> {
    let m = rows.y.len();
    (0..m).step_by(tile_rows).map(move |first| {
        let last = (first + tile_rows).min(m);
        Rows {
            x: rows.x.slice_move(s![first..last, ..]),
            y: &rows.y[first..last],
            weight: rows.weight.map(|weight| &weight[first..last]),
            group: rows.group,
        }
    })
}
