//! A block of linear models: many runs, one product forward and one backward per tile.

mod state;

pub use state::ColumnState;

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, s};

use super::pass::tiles;
use super::{Objective, Pass, Rows};
use crate::Real;
use crate::affine::{AffineMap, BlockAffine};
use crate::optimizer::{Kind, Optimizer, Settings};
use crate::penalty::l2;
use crate::workspace::{Scores, Scratch, Sums, padded_width};

/// One run of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What it minimizes.
    pub objective: Objective,
    /// Its optimizer.
    pub kind: Kind,
    /// Its optimizer's hyperparameters.
    pub settings: Settings,
    /// Starting weights (P).
    pub start: Vec<f64>,
    /// Starting intercept.
    pub intercept: f64,
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
    l2: Vec<T>,
    l1: Vec<T>,
    optimizers: Vec<(Range<usize>, Box<dyn Optimizer<T>>)>,
    pass: Pass<T>,
}

impl<T: Real> LinearBlock<T> {
    /// A block of runs at their starting weights.
    ///
    /// # Panics
    /// If `columns` is empty or a column's shapes do not fit the map.
    pub fn new(map: &AffineMap, columns: &[Column]) -> Self {
        Self::of(map, columns, &Vec::from_iter(0..columns.len()))
    }

    /// A block of some of the runs, as [`LinearBlock::live`] will list them, at their starting weights.
    ///
    /// # Panics
    /// If none is chosen, or a column's shapes do not fit the map.
    pub fn of(map: &AffineMap, columns: &[Column], chosen: &[usize]) -> Self {
        assert!(!chosen.is_empty(), "a block has at least one column");
        let (k, width) = (chosen.len(), padded_width(chosen.len()));
        let own: Vec<&Column> = chosen.iter().map(|&column| &columns[column]).collect();
        let objective = |j: usize| &own[j.min(k - 1)].objective;
        let params = Array2::from_shape_fn((map.features + 1, width), |(i, j)| {
            let value = match (own.get(j), i == map.features) {
                (None, _) => 0.0,
                (Some(column), true) => column.intercept,
                (Some(column), false) if map.folds[column.objective.fold].is_held[i] => 0.0,
                (Some(column), false) => column.start[i],
            };
            T::from_f64(value)
        });
        let folds: Vec<usize> = (0..width).map(|j| objective(j).fold).collect();
        let mut block = Self {
            live: chosen.to_vec(),
            grad: Array2::zeros(params.dim()),
            params,
            affine: BlockAffine::new(map, &folds),
            l2: (0..width)
                .map(|j| T::from_f64(if j < k { objective(j).l2 } else { 0.0 }))
                .collect(),
            l1: own.iter().map(|column| T::from_f64(column.objective.l1)).collect(),
            optimizers: optimizers(&own, map.features + 1),
            pass: Pass::new(map.raw_columns, own.iter().map(|column| &column.objective), width),
            columns: columns.to_vec(),
        };
        block.refresh();
        block
    }

    /// The runs' columns of products over rows, at their weights of now.
    pub fn pass(&self) -> &Pass<T> {
        &self.pass
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

    /// What the run at a position minimizes.
    pub fn objective(&self, position: usize) -> &Objective {
        &self.columns[self.live[position]].objective
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

    /// One step of every run on a batch, cut into tiles; with `scores`, the loss under the weights before the step too.
    ///
    /// Every run divides by what the batch's rows weigh for it.
    pub fn train_batch(&mut self, batch: &[Rows<'_, T>], scratch: &mut Scratch<T>, mut scores: Option<&mut Scores>) {
        scratch.db.fill(T::zero());
        let mut weight_of_column = vec![0.0f64; self.width()];
        let mut is_first = true;
        for rows in batch {
            let class_sums = rows.class_sums();
            for (column, sum) in weight_of_column.iter_mut().enumerate() {
                *sum += self.pass.weight_of(class_sums, rows.group, column);
            }
            for tile in tiles(*rows, scratch.tile_rows) {
                self.pass.residuals(tile, scratch, scores.as_deref_mut());
                self.pass.backward(tile, scratch, !is_first);
                is_first = false;
            }
        }
        if is_first {
            return;
        }
        self.affine
            .adjoint(&scratch.g.view(), &scratch.db, self.grad.view_mut());
        self.finish_gradient(&weight_of_column);
        self.step();
    }

    /// The gradient of the mean objective from the sums of a pass over training rows of `weight` for each live column.
    ///
    /// # Shapes
    /// (P + 1, k).
    pub fn gradient(&mut self, sums: &Sums, weight: &[f64]) -> ArrayView2<'_, T> {
        let g = sums.g.mapv(T::from_f64);
        let db: Vec<T> = sums.db.iter().map(|&sum| T::from_f64(sum)).collect();
        self.affine.adjoint(&g.view(), &db, self.grad.view_mut());
        self.finish_gradient(weight);
        self.grad.view()
    }

    /// One step of every run along the gradient computed last.
    pub fn step(&mut self) {
        for (columns, optimizer) in &mut self.optimizers {
            let range = s![.., columns.clone()];
            optimizer.step(self.params.slice_mut(range), self.grad.slice(range));
        }
        if self.l1.iter().any(|&l1| l1 > T::zero()) {
            self.shrink();
        }
        self.refresh();
    }

    /// The proximal step of the lasso after a step: weights are drawn towards 0 by the step's own gain, so that runs come to
    /// rest at the penalized minimum with exact zeros.
    fn shrink(&mut self) {
        let features = self.params.nrows() - 1;
        let mut gain = vec![T::zero(); self.live.len()];
        for feature in 0..features {
            for (columns, optimizer) in &self.optimizers {
                optimizer.gain(feature, &mut gain[columns.clone()]);
            }
            let weights = self.params.row_mut(feature).into_iter();
            for ((w, &gain), &l1) in weights.zip(&gain).zip(&self.l1) {
                let threshold = gain * l1;
                *w -= w.max(-threshold).min(threshold);
            }
        }
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
        self.params = self.params.select(Axis(1), &order).as_standard_layout().into_owned();
        self.affine.keep(&order);
        self.l2 = order.iter().map(|&position| self.l2[position]).collect();
        self.l1 = kept.iter().map(|&position| self.l1[position]).collect();
        self.grad = Array2::zeros(self.params.dim());
        self.params.slice_mut(s![.., kept.len()..]).fill(T::zero());
        self.pass.keep(&order, kept.len());
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
        let Pass { w, b, .. } = &mut self.pass;
        self.affine.forward(&self.params.view(), w.view_mut(), b);
    }

    /// Divides by the weight of the training rows, adds the penalty, and clears what must not move.
    fn finish_gradient(&mut self, weight: &[f64]) {
        let inverse: Vec<T> = (0..self.width())
            .map(|j| {
                let sum = weight.get(j).copied().unwrap_or(0.0);
                T::from_f64(if sum > 0.0 { 1.0 / sum } else { 0.0 })
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
            if !self.columns[column].objective.fit_intercept {
                self.grad[[intercepts, position]] = T::zero();
            }
        }
    }
}

/// One optimizer per stretch of columns of one kind.
fn optimizers<T: Real>(columns: &[&Column], rows: usize) -> Vec<(Range<usize>, Box<dyn Optimizer<T>>)> {
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
