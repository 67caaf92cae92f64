//! A block of linear models: many runs, one product forward and one backward per tile.

mod coded;
mod state;

pub use state::ColumnState;

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, s};

use super::pass::tiles;
use super::{Objective, Pass, Rows};
use crate::Real;
use crate::affine::{AffineMap, BlockAffine, slice, slice_mut};
use crate::optimizer::{Kind, Optimizer, Penalties, Settings};
use crate::penalty::l1::shrink;
use crate::penalty::l2;
use crate::workspace::{Scores, Scratch, Sums, padded_width};
use coded::Coded;

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
    coded: Option<Coded<T>>,
}

impl<T: Real> LinearBlock<T> {
    /// A block of runs at their starting weights.
    ///
    /// # Panics
    /// If `columns` is empty or a column's shapes do not fit the map.
    pub fn new(map: &AffineMap, columns: &[Column]) -> Self {
        Self::of(map, columns, &(0..columns.len()).collect::<Vec<_>>())
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
        let mut optimizers = optimizers(&own, map.features + 1);
        let may_be_late = optimizers.iter_mut().all(|(_, optimizer)| optimizer.rows().is_some());
        let mut block = Self {
            live: chosen.to_vec(),
            grad: Array2::zeros(params.dim()),
            params,
            affine: BlockAffine::new(map, &folds),
            l2: (0..width)
                .map(|j| T::from_f64(if j < k { objective(j).l2 } else { 0.0 }))
                .collect(),
            l1: own.iter().map(|column| T::from_f64(column.objective.l1)).collect(),
            optimizers,
            pass: Pass::of_map(map, own.iter().map(|column| &column.objective), width),
            coded: Coded::new(&map.codes, may_be_late),
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
        let per_column = 5 * (map.features + 1) + map.weights() + map.links.len() + 2;
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
        debug_assert!(self.is_settled(), "steps are late");
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
        self.meet(batch);
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
                if let Some(coded) = &mut self.coded {
                    coded.backward(&self.pass, &tile, scratch);
                }
                is_first = false;
            }
        }
        if is_first {
            return;
        }
        self.affine
            .adjoint_numbers(&scratch.g.view(), &scratch.db, self.grad.view_mut());
        if let Some(coded) = self.coded.take() {
            self.step_coded(coded, &weight_of_column);
            return;
        }
        self.finish_gradient(&weight_of_column);
        self.step();
    }

    /// Brings the weights that a batch's codes lead to up to date.
    fn meet(&mut self, batch: &[Rows<'_, T>]) {
        let Some(mut coded) = self.coded.take() else { return };
        coded.touch(batch, self.width());
        coded.catch_up_touched(|slot, feature, missed| self.take_missed(slot, feature, missed));
        self.coded = Some(coded);
    }

    /// Brings all weights up to date. Steps on batches of codes may be late; whoever looks at the weights calls this first.
    pub fn settle(&mut self) {
        let Some(mut coded) = self.coded.take() else { return };
        coded.catch_up(|slot, feature, missed| self.take_missed(slot, feature, missed));
        self.coded = Some(coded);
    }

    /// Whether no weight is behind.
    fn is_settled(&self) -> bool {
        self.coded.as_ref().is_none_or(Coded::is_up_to_date)
    }

    /// The steps that a feature's row has missed, which the penalty alone has moved, and its effective weight.
    fn take_missed(&mut self, slot: usize, feature: usize, missed: u64) {
        let mut row = self.params.row_mut(feature);
        let w = slice_mut(&mut row);
        for (columns, optimizer) in &mut self.optimizers {
            let penalties = Penalties {
                l2: &self.l2[columns.clone()],
                l1: &self.l1[columns.clone()],
            };
            if let Some(rows) = optimizer.rows() {
                rows.idle(feature, &mut w[columns.clone()], penalties, missed);
            }
        }
        self.refresh_slot(slot, feature);
    }

    fn refresh_slot(&mut self, slot: usize, feature: usize) {
        let Some(routes) = &self.pass.routes else { return };
        let place = routes.numbers + slot;
        self.pass.w.row_mut(place).assign(&self.params.row(feature));
    }

    /// The rest of a step where there are codes: of all rows, or of those that the batch touches.
    fn step_coded(&mut self, mut coded: Coded<T>, weight: &[f64]) {
        let k = self.width();
        if !coded.is_late() {
            for (feature, mut row) in self.grad.rows_mut().into_iter().enumerate() {
                if self.affine.is_coded(feature) {
                    row.fill(T::zero());
                }
            }
            for (_, feature, g) in coded.touched(k) {
                slice_mut(&mut self.grad.row_mut(feature)).copy_from_slice(g);
            }
            coded.step();
            self.coded = Some(coded);
            self.finish_gradient(weight);
            self.step();
            return;
        }
        let inverse = self.inverses(weight);
        let intercept = self.params.nrows() - 1;
        for (_, feature, g) in coded.touched(k) {
            slice_mut(&mut self.grad.row_mut(feature)).copy_from_slice(g);
        }
        let touched = coded.touched(k).map(|(_, feature, _)| feature);
        let rows: Vec<usize> = self.affine.features().iter().copied().chain(touched).collect();
        for &row in rows.iter().chain([&intercept]) {
            self.finish_row(row, &inverse);
        }
        self.hold_intercepts();
        let has_lasso = self.l1.iter().any(|&l1| l1 > T::zero());
        let mut gain = vec![T::zero(); self.live.len()];
        for &row in rows.iter().chain([&intercept]) {
            let (mut w, g) = (self.params.row_mut(row), self.grad.row(row));
            let (w, g) = (slice_mut(&mut w), slice(&g));
            for (columns, optimizer) in &mut self.optimizers {
                if let Some(rows) = optimizer.rows() {
                    rows.step_row(row, &mut w[columns.clone()], &g[columns.clone()]);
                }
                optimizer.gain(row, &mut gain[columns.clone()]);
            }
            if has_lasso && row < intercept {
                shrink(w, &gain, &self.l1);
            }
        }
        coded.step();
        let moved: Vec<(usize, usize)> = coded.touched(k).map(|(slot, feature, _)| (slot, feature)).collect();
        for (slot, feature) in moved {
            self.refresh_slot(slot, feature);
        }
        self.coded = Some(coded);
        let Pass { w, b, routes, .. } = &mut self.pass;
        let numbers = routes.as_ref().map_or(w.nrows(), |routes| routes.numbers);
        self.affine
            .forward_numbers(&self.params.view(), w.slice_mut(s![..numbers, ..]), b);
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
            shrink(slice_mut(&mut self.params.row_mut(feature)), &gain, &self.l1);
        }
    }

    /// Retires the runs at the given positions; the block narrows when whole registers of columns fall free.
    pub fn retire(&mut self, positions: &[usize]) {
        if positions.is_empty() {
            return;
        }
        self.settle();
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

    /// One over the weight of each column's training rows; 0 where there are none.
    fn inverses(&self, weight: &[f64]) -> Vec<T> {
        (0..self.width())
            .map(|j| {
                let sum = weight.get(j).copied().unwrap_or(0.0);
                T::from_f64(if sum > 0.0 { 1.0 / sum } else { 0.0 })
            })
            .collect()
    }

    /// Divides by the weight of the training rows, adds the penalty, and clears what must not move.
    fn finish_gradient(&mut self, weight: &[f64]) {
        let inverse = self.inverses(weight);
        for mut row in self.grad.rows_mut() {
            for (g, &inverse) in slice_mut(&mut row).iter_mut().zip(&inverse) {
                *g *= inverse;
            }
        }
        l2::add_gradient(&self.l2, &self.params.view(), &mut self.grad.view_mut());
        self.hold_intercepts();
    }

    /// As [`LinearBlock::finish_gradient`], for one row.
    fn finish_row(&mut self, row: usize, inverse: &[T]) {
        let is_weight = row + 1 < self.params.nrows();
        let (mut g, w) = (self.grad.row_mut(row), self.params.row(row));
        let hyper = inverse.iter().zip(&self.l2);
        for ((g, &w), (&inverse, &l2)) in slice_mut(&mut g).iter_mut().zip(slice(&w)).zip(hyper) {
            *g *= inverse;
            if is_weight {
                *g += l2 * w;
            }
        }
    }

    /// Clears the gradient of the intercepts that stay where they are.
    fn hold_intercepts(&mut self) {
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
