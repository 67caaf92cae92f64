//! A block of linear models: many runs, one product forward and one backward per tile.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, s};

use crate::Real;
use crate::affine::{AffineMap, BlockAffine};
use crate::blas;
use crate::elementwise::{ColumnTerms, LANES};
use crate::optimizer::{Kind, Optimizer, Settings};
use crate::penalty::l2;
use crate::workspace::{Scores, Scratch, Sums, padded_width};

/// Rows after which an `f32` gradient is emptied into the f64 sums.
const ROWS_PER_FLUSH: usize = 2048;

/// One run of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Which fold's preprocessing it sees.
    pub fold: usize,
    /// Whether it trains on each row group.
    pub is_trained: Vec<bool>,
    /// Ridge strength on the mean loss.
    pub l2: f64,
    /// Whether the intercept is learned (else it stays where it starts).
    pub fit_intercept: bool,
    /// Its optimizer.
    pub kind: Kind,
    /// Its optimizer's hyperparameters.
    pub settings: Settings,
    /// Starting weights (P).
    pub start: Vec<f64>,
    /// Starting intercept.
    pub intercept: f64,
}

/// Stored rows of one row group.
///
/// # Shapes
/// `x` (m, D) row-major, `y` (m) of 0 and 1.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    /// Stored columns.
    pub x: ArrayView2<'a, T>,
    /// Labels.
    pub y: &'a [T],
    /// The row group all of these rows belong to.
    pub group: usize,
}

/// The runs of one block: parameters, optimizers and masks, a column each.
///
/// # Shapes
/// Parameters are (P + 1, k): a row per feature and the intercepts last; k is the block's padded width. Columns past the
/// live ones train on nothing.
pub struct LinearBlock<T> {
    /// Which of the columns given at the start each position holds.
    live: Vec<usize>,
    columns: Vec<Column>,
    params: Array2<T>,
    grad: Array2<T>,
    affine: BlockAffine<T>,
    /// (groups, k), 1 where the column trains.
    is_trained: Array2<T>,
    l2: Vec<T>,
    optimizers: Vec<(Range<usize>, Box<dyn Optimizer<T>>)>,
    /// Effective weights (D, k) and intercepts (k) of the stored columns.
    w: Array2<T>,
    b: Vec<T>,
}

impl<T: Real> LinearBlock<T> {
    /// A block of runs at their starting weights.
    ///
    /// # Panics
    /// If `columns` is empty or a column's shapes do not fit the map.
    pub fn new(map: &AffineMap, columns: &[Column]) -> Self {
        assert!(!columns.is_empty(), "a block has at least one column");
        let (k, width) = (columns.len(), padded_width(columns.len()));
        let at = |j: usize| &columns[j.min(k - 1)];
        let groups = columns[0].is_trained.len();
        let params = Array2::from_shape_fn((map.features + 1, width), |(i, j)| {
            let value = match (columns.get(j), i == map.features) {
                (None, _) => 0.0,
                (Some(column), true) => column.intercept,
                (Some(column), false) if map.folds[column.fold].is_held[i] => 0.0,
                (Some(column), false) => column.start[i],
            };
            T::from_f64(value)
        });
        let folds: Vec<usize> = (0..width).map(|j| at(j).fold).collect();
        let mut block = Self {
            live: (0..k).collect(),
            grad: Array2::zeros(params.dim()),
            params,
            affine: BlockAffine::new(map, &folds),
            is_trained: Array2::from_shape_fn((groups, width), |(g, j)| {
                if j < k && columns[j].is_trained[g] {
                    T::one()
                } else {
                    T::zero()
                }
            }),
            l2: (0..width)
                .map(|j| T::from_f64(if j < k { at(j).l2 } else { 0.0 }))
                .collect(),
            optimizers: optimizers(columns, map.features + 1),
            w: Array2::zeros((map.raw_columns, width)),
            b: vec![T::zero(); width],
            columns: columns.to_vec(),
        };
        block.refresh();
        block
    }

    /// The bytes of a block of `width` columns with `parameters` = P + 1 rows, its optimizer state included.
    pub fn required_bytes(map: &AffineMap, width: usize) -> usize {
        let per_column = 5 * (map.features + 1) + map.raw_columns + map.links.len() + 2;
        per_column * width * size_of::<T>()
    }

    /// Columns of the block's products: live columns and padding.
    pub fn width(&self) -> usize {
        self.params.ncols()
    }

    /// Which of the columns given at the start are live, in the order of their positions.
    pub fn live(&self) -> &[usize] {
        &self.live
    }

    /// The parameters of the run at a position: weights, then the intercept, in f64.
    pub fn parameters(&self, position: usize) -> Vec<f64> {
        self.params
            .column(position)
            .iter()
            .map(|value| value.as_f64())
            .collect()
    }

    /// Whether all parameters of the run at a position are finite.
    pub fn is_finite(&self, position: usize) -> bool {
        self.params.column(position).iter().all(|value| value.is_finite())
    }

    /// Whether any live column trains on a row group.
    pub fn trains_on(&self, group: usize) -> bool {
        self.is_trained.row(group).iter().any(|&is| is != T::zero())
    }

    /// One step of every run on a batch, cut into tiles; with `scores`, the loss under the weights before the step too.
    ///
    /// Every run divides by its own number of training rows in the batch.
    pub fn train_batch(&mut self, batch: &[Rows<'_, T>], scratch: &mut Scratch<T>, mut scores: Option<&mut Scores>) {
        scratch.db.fill(T::zero());
        let mut rows_of_column = vec![0.0f64; self.width()];
        let mut is_first = true;
        for rows in batch {
            for (sum, &is) in rows_of_column.iter_mut().zip(self.is_trained.row(rows.group)) {
                *sum += is.as_f64() * rows.y.len() as f64;
            }
            for tile in tiles(*rows, scratch.tile_rows) {
                self.residuals(tile, scratch, scores.as_deref_mut());
                self.backward(tile, scratch, !is_first);
                is_first = false;
            }
        }
        if is_first {
            return;
        }
        self.affine
            .adjoint(&scratch.g.view(), &scratch.db, self.grad.view_mut());
        self.finish_gradient(&rows_of_column);
        self.step();
    }

    /// Gradient and scores of rows of one group under the current weights, added to `sums`; full-batch solvers' half pass.
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
    /// If the range does not start and end at whole registers of lanes (a block of one column aside).
    pub fn score(
        &self,
        rows: Rows<'_, T>,
        columns: Range<usize>,
        cut: f64,
        scratch: &mut Scratch<T>,
        scores: &mut Scores,
    ) {
        let unmasked = &self.b[columns.clone()];
        for tile in tiles(rows, scratch.tile_rows) {
            self.forward(tile, columns.clone(), scratch);
            let terms = ColumnTerms {
                intercept: unmasked,
                is_trained: unmasked,
                cut: T::from_f64(cut),
            };
            let z = &mut scratch.z[..tile.y.len() * columns.len()];
            T::score(
                z,
                tile.y,
                terms,
                scores.of_group(rows.group, columns.start, columns.end),
            );
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

    /// The columns, in whole registers, that hold the live columns for which `wanted` holds.
    pub fn covering(&self, wanted: impl Fn(&Column) -> bool) -> Option<Range<usize>> {
        let is_wanted = |position: &usize| wanted(&self.columns[self.live[*position]]);
        let first = (0..self.live.len()).find(is_wanted)?;
        let last = (0..self.live.len()).rev().find(is_wanted)?;
        if self.width() == 1 {
            return Some(0..1);
        }
        Some(first / LANES * LANES..(last + 1).next_multiple_of(LANES))
    }

    /// The gradient of the mean objective from the sums of a pass, for `training_rows` of each live column.
    ///
    /// # Shapes
    /// (P + 1, k).
    pub fn gradient(&mut self, sums: &Sums, training_rows: &[f64]) -> ArrayView2<'_, T> {
        let g = sums.g.mapv(T::from_f64);
        let db: Vec<T> = sums.db.iter().map(|&sum| T::from_f64(sum)).collect();
        self.affine.adjoint(&g.view(), &db, self.grad.view_mut());
        self.finish_gradient(training_rows);
        self.grad.view()
    }

    /// One step of every run along the gradient computed last.
    pub fn step(&mut self) {
        for (columns, optimizer) in &mut self.optimizers {
            let range = s![.., columns.clone()];
            optimizer.step(self.params.slice_mut(range), self.grad.slice(range));
        }
        self.refresh();
    }

    /// Retires the runs at the given positions; the block narrows when whole registers of columns fall free.
    pub fn retire(&mut self, positions: &[usize]) {
        if positions.is_empty() {
            return;
        }
        let kept: Vec<usize> = (0..self.live.len())
            .filter(|position| !positions.contains(position))
            .collect();
        if kept.is_empty() {
            self.live.clear();
            return;
        }
        let padding = padded_width(kept.len()) - kept.len();
        // Padding columns are any columns with their masks cleared: retired ones first in line.
        let spare = (0..self.width()).filter(|position| !kept.contains(position));
        let order: Vec<usize> = kept.iter().copied().chain(spare).take(kept.len() + padding).collect();
        let order_of = |axis: &Array2<T>| axis.select(Axis(1), &order).as_standard_layout().into_owned();
        self.params = order_of(&self.params);
        self.is_trained = order_of(&self.is_trained);
        self.affine.keep(&order);
        self.l2 = order.iter().map(|&position| self.l2[position]).collect();
        self.grad = Array2::zeros(self.params.dim());
        self.w = Array2::zeros((self.w.nrows(), order.len()));
        self.b = vec![T::zero(); order.len()];
        self.params.slice_mut(s![.., kept.len()..]).fill(T::zero());
        self.is_trained.slice_mut(s![.., kept.len()..]).fill(T::zero());
        let mut first = 0;
        self.optimizers.retain_mut(|(columns, optimizer)| {
            let inside: Vec<usize> = kept
                .iter()
                .filter(|p| columns.contains(p))
                .map(|p| p - columns.start)
                .collect();
            optimizer.keep(&inside);
            *columns = first..first + inside.len();
            first = columns.end;
            !inside.is_empty()
        });
        self.live = kept.iter().map(|&position| self.live[position]).collect();
        self.refresh();
    }

    /// Effective weights from parameters; after every change of the parameters.
    fn refresh(&mut self) {
        self.affine.forward(&self.params.view(), self.w.view_mut(), &mut self.b);
    }

    /// Divides by the training rows, adds the penalty, and clears what must not move.
    fn finish_gradient(&mut self, training_rows: &[f64]) {
        let inverse: Vec<T> = (0..self.width())
            .map(|j| {
                let rows = training_rows.get(j).copied().unwrap_or(0.0);
                T::from_f64(if rows > 0.0 { 1.0 / rows } else { 0.0 })
            })
            .collect();
        for mut row in self.grad.rows_mut() {
            for (g, &inverse) in crate::affine::slice_mut(&mut row).iter_mut().zip(&inverse) {
                *g *= inverse;
            }
        }
        l2::add_gradient(&self.l2, &self.params.view(), &mut self.grad.view_mut());
        let intercepts = self.grad.nrows() - 1;
        for (position, &column) in self.live.iter().enumerate() {
            if !self.columns[column].fit_intercept {
                self.grad[[intercepts, position]] = T::zero();
            }
        }
    }

    fn forward(&self, tile: Rows<'_, T>, columns: Range<usize>, scratch: &mut Scratch<T>) {
        let shape = (tile.y.len(), columns.len());
        let z = &mut scratch.z[..shape.0 * shape.1];
        let mut z = ndarray::ArrayViewMut2::from_shape(shape, z).expect("the slice has the shape's length");
        blas::forward(&tile.x, &self.w.slice(s![.., columns]), &mut z);
    }

    fn terms(&self, group: usize, cut: f64) -> ColumnTerms<'_, T> {
        let width = self.width();
        let masks = self.is_trained.as_slice().expect("row-major");
        ColumnTerms {
            intercept: &self.b,
            is_trained: &masks[group * width..(group + 1) * width],
            cut: T::from_f64(cut),
        }
    }

    fn residuals(&self, tile: Rows<'_, T>, scratch: &mut Scratch<T>, scores: Option<&mut Scores>) {
        if let Some(scores) = scores {
            self.scored_residuals(tile, 0.0, scratch, scores);
            return;
        }
        self.forward(tile, 0..self.width(), scratch);
        let Scratch { z, db, .. } = scratch;
        T::residual(
            &mut z[..tile.y.len() * self.width()],
            tile.y,
            self.terms(tile.group, 0.0),
            db,
        );
    }

    fn scored_residuals(&self, tile: Rows<'_, T>, cut: f64, scratch: &mut Scratch<T>, scores: &mut Scores) {
        let width = self.width();
        self.forward(tile, 0..width, scratch);
        let Scratch { z, db, .. } = scratch;
        let sums = scores.of_group(tile.group, 0, width);
        T::residual_and_score(
            &mut z[..tile.y.len() * width],
            tile.y,
            self.terms(tile.group, cut),
            db,
            sums,
        );
    }

    fn backward(&self, tile: Rows<'_, T>, scratch: &mut Scratch<T>, accumulate: bool) {
        let shape = (tile.y.len(), self.width());
        let dz =
            ArrayView2::from_shape(shape, &scratch.z[..shape.0 * shape.1]).expect("the slice has the shape's length");
        blas::backward(&tile.x, &dz, accumulate, &mut scratch.g.view_mut());
    }
}

/// Rows cut into tiles of at most `tile_rows` rows.
fn tiles<T: Real>(rows: Rows<'_, T>, tile_rows: usize) -> impl Iterator<Item = Rows<'_, T>> {
    let m = rows.y.len();
    (0..m).step_by(tile_rows).map(move |first| {
        let last = (first + tile_rows).min(m);
        Rows {
            x: rows.x.slice_move(s![first..last, ..]),
            y: &rows.y[first..last],
            group: rows.group,
        }
    })
}

/// One optimizer per stretch of columns of one kind.
fn optimizers<T: Real>(columns: &[Column], rows: usize) -> Vec<(Range<usize>, Box<dyn Optimizer<T>>)> {
    let mut first = 0;
    columns
        .chunk_by(|a, b| a.kind == b.kind)
        .map(|stretch| {
            let settings: Vec<Settings> = stretch.iter().map(|column| column.settings).collect();
            let range = first..first + stretch.len();
            first = range.end;
            (range, stretch[0].kind.build(rows, &settings))
        })
        .collect()
}
