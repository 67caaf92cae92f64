//! Mini-batch training: every block walks over the batches of an epoch with all of its columns.
//!
//! Blocks share nothing but the order of rows, so they advance without waiting for each other: a block's epoch is one
//! task, and the tasks are taken first come, first served, which keeps all cores busy when blocks are not a multiple of
//! them.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::{Column, LinearBlock};
use gradsweep_math::metric::Metric;
use gradsweep_math::penalty::l2;
use gradsweep_math::workspace::{Scores, Scratch};
use gradsweep_store::{Reason, RunState, Split};

use super::evaluate;
use super::gather::Gather;
use super::order::Orders;
use super::outcome::DIVERGED_LOSS;
use super::{HistoryPoint, Outcome, Task};
use crate::event::Event;
use crate::plan::Block;

/// Trains all blocks of a cohort by batches of `batch_rows` training rows.
pub(super) fn train<T: Real>(
    task: &Task<'_, '_, T>,
    blocks: &[Block],
    batch_rows: usize,
    shuffle: bool,
) -> Vec<Outcome> {
    let view = task.view;
    let folds = task.plan.cohorts[task.cohort]
        .blocks
        .iter()
        .flat_map(|block| &block.runs);
    let largest = folds
        .map(|&run| view.rows_as(task.plan.runs[run].fold, Role::Train))
        .max()
        .unwrap_or(0);
    let orders = Orders::new(view.groups, largest.div_ceil(batch_rows).max(1), shuffle, view.seed);
    let finished = Mutex::new(Vec::new());
    rayon::scope_fifo(|scope| {
        for (index, block) in blocks.iter().enumerate() {
            let trainer = Trainer::new(*task, &orders, index, block);
            scope.spawn_fifo(|scope| drive(scope, trainer, &finished));
        }
    });
    finished.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One epoch, then the next as a new task behind the other blocks'.
fn drive<'scope, 'v: 'scope, T: Real>(
    scope: &rayon::ScopeFifo<'scope>,
    mut trainer: Trainer<'scope, 'v, T>,
    finished: &'scope Mutex<Vec<Outcome>>,
) {
    trainer.epoch();
    if trainer.block.live().is_empty() {
        finished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut trainer.outcomes);
    } else {
        scope.spawn_fifo(|scope| drive(scope, trainer, finished));
    }
}

/// One block on its way through its epochs.
struct Trainer<'a, 'v, T> {
    task: Task<'a, 'v, T>,
    orders: &'a Orders,
    index: usize,
    /// The plan's run of each of the block's original columns.
    runs: &'a [usize],
    columns: Vec<Column>,
    block: LinearBlock<T>,
    scratch: Scratch<T>,
    gather: Gather<T>,
    epochs: u32,
    /// Seconds of each column so far.
    seconds: Vec<f64>,
    history: Vec<Vec<HistoryPoint>>,
    outcomes: Vec<Outcome>,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    fn new(task: Task<'a, 'v, T>, orders: &'a Orders, index: usize, block: &'a Block) -> Self {
        let columns: Vec<Column> = block.runs.iter().map(|&run| task.view.column(task.plan, run)).collect();
        let fused = LinearBlock::new(&task.view.map, &columns);
        let raw_columns = task.view.x.ncols();
        Self {
            task,
            orders,
            index,
            runs: &block.runs,
            scratch: Scratch::new(raw_columns, fused.width()),
            gather: Gather::new(orders.largest_step(), raw_columns),
            block: fused,
            epochs: 0,
            seconds: vec![0.0; columns.len()],
            history: vec![Vec::new(); columns.len()],
            outcomes: Vec::with_capacity(columns.len()),
            columns,
        }
    }

    fn epoch(&mut self) {
        let start = Instant::now();
        self.epochs += 1;
        let last_batch = self.steps();
        let live = self.block.live().to_vec();
        let validation = self.validate();
        let diverged: Vec<usize> = (0..live.len())
            .filter(|&position| self.has_diverged(position, &last_batch, &validation))
            .collect();
        let is_last = |position: &usize| {
            let trial = self.task.plan.trial_of(self.runs[live[*position]]);
            trial.train.epochs == self.epochs && !diverged.contains(position)
        };
        let complete: Vec<usize> = (0..live.len()).filter(is_last).collect();
        let finished = self.finish(&complete, &validation);
        let share = start.elapsed().as_secs_f64() / live.len() as f64;
        for &column in &live {
            self.seconds[column] += share;
        }
        self.report(&live, &validation);
        for outcome in finished {
            self.leave(outcome);
        }
        for &position in &diverged {
            let outcome = self.failed(position);
            self.leave(outcome);
        }
        let gone: Vec<usize> = complete.into_iter().chain(diverged).collect();
        if !gone.is_empty() {
            self.block.retire(&gone);
        }
    }

    /// All steps of an epoch; returns the losses of the last batch, before its step.
    fn steps(&mut self) -> Scores {
        let order = self.orders.of_epoch(self.epochs);
        let mut scores = Scores::new(self.task.view.groups.len(), self.block.width());
        for step in 0..order.steps() {
            let Self {
                block,
                gather,
                scratch,
                task,
                ..
            } = &mut *self;
            let groups = (0..task.view.groups.len()).filter(|&group| block.trains_on(group));
            let batch = gather.batch(task.view, groups.map(|group| (group, order.rows(step, group))));
            let is_last = step + 1 == order.steps();
            block.train_batch(&batch, scratch, is_last.then_some(&mut scores));
        }
        scores
    }

    /// Validation scores of every live column under the weights at the epoch's end.
    fn validate(&mut self) -> Vec<Vec<(Metric, f64)>> {
        if !self.task.view.has_validation() {
            return vec![Vec::new(); self.block.live().len()];
        }
        let scores = evaluate::score(self.task.view, &self.block, Role::Val, &mut self.scratch);
        let live = self.block.live().iter().enumerate();
        let values: Vec<Vec<(Metric, f64)>> = live
            .map(|(position, &column)| {
                let fold = self.columns[column].fold;
                evaluate::free_metrics(self.task.view, &scores, position, fold, Role::Val)
            })
            .collect();
        for (&column, values) in self.block.live().iter().zip(&values) {
            self.history[column].extend(points(self.epochs, Split::Val, values));
        }
        values
    }

    fn has_diverged(&self, position: usize, last_batch: &Scores, validation: &[Vec<(Metric, f64)>]) -> bool {
        let column = &self.columns[self.block.live()[position]];
        let steps = self.orders.steps();
        let groups = || self.task.view.groups_as(column.fold, Role::Train);
        let loss: f64 = groups().map(|group| last_batch.loss[[group, position]]).sum();
        let rows: usize = groups()
            .map(|group| self.task.view.groups[group].len())
            .map(|rows| rows - rows * (steps - 1) / steps)
            .sum();
        let is_lost = |loss: f64| !loss.is_finite() || loss > DIVERGED_LOSS;
        let held_out = validation[position]
            .iter()
            .find(|(metric, _)| *metric == Metric::LogLoss);
        !self.block.is_finite(position)
            || is_lost(loss / (rows as f64).max(1.0))
            || held_out.is_some_and(|&(_, loss)| is_lost(loss))
    }

    /// The outcomes of columns that have had their epochs.
    fn finish(&mut self, positions: &[usize], validation: &[Vec<(Metric, f64)>]) -> Vec<Outcome> {
        if positions.is_empty() {
            return Vec::new();
        }
        let view = self.task.view;
        let scores = evaluate::score(view, &self.block, Role::Train, &mut self.scratch);
        let fold_of = |position: usize| self.columns[self.block.live()[position]].fold;
        let ordered = evaluate::ordered_metrics(view, &self.block, fold_of, positions);
        positions
            .iter()
            .zip(ordered)
            .map(|(&position, ordered)| {
                let fold = fold_of(position);
                let mut outcome = self.outcome(position, RunState::Complete, Reason::MaxEpochs);
                outcome.train = evaluate::free_metrics(view, &scores, position, fold, Role::Train);
                outcome.val = in_order(&view.metrics, &validation[position], &ordered);
                let weights = &outcome.parameters[..outcome.parameters.len() - 1];
                let penalty = l2::value(outcome.l2, weights.iter().copied());
                outcome.objective = Some(evaluate::training_loss(view, &scores, position, fold) + penalty);
                outcome.history.extend(points(self.epochs, Split::Val, &ordered));
                outcome
                    .history
                    .extend(points(self.epochs, Split::Train, &outcome.train));
                outcome
            })
            .collect()
    }

    fn failed(&mut self, position: usize) -> Outcome {
        self.outcome(position, RunState::Failed, Reason::Diverged)
    }

    fn outcome(&self, position: usize, state: RunState, reason: Reason) -> Outcome {
        let column = self.block.live()[position];
        Outcome {
            run: self.runs[column],
            state,
            reason,
            converged: false,
            epochs: self.epochs,
            objective: None,
            grad_norm: None,
            l2: self.columns[column].l2,
            parameters: self.block.parameters(position),
            train: Vec::new(),
            val: Vec::new(),
            history: self.history[column].clone(),
            seconds: 0.0,
        }
    }

    fn leave(&mut self, mut outcome: Outcome) {
        let column = self
            .runs
            .iter()
            .position(|&run| run == outcome.run)
            .expect("a run of this block");
        outcome.seconds = self.seconds[column];
        let allowed = self.task.plan.trial_of(outcome.run).train.epochs;
        self.task.observer.observe(&Event::RunFinished {
            run: outcome.run,
            failed: outcome.state == RunState::Failed,
            epochs_saved: allowed - self.epochs,
        });
        self.outcomes.push(outcome);
    }

    fn report(&self, live: &[usize], validation: &[Vec<(Metric, f64)>]) {
        let select = self.task.view.select;
        let value = |values: &Vec<(Metric, f64)>| values.iter().find(|(metric, _)| *metric == select).map(|(_, v)| *v);
        let runs = live
            .iter()
            .zip(validation)
            .filter_map(|(&column, values)| Some((self.runs[column], value(values)?)));
        self.task.observer.observe(&Event::EpochFinished {
            cohort: self.task.cohort,
            block: self.index,
            epoch: self.epochs,
            columns: live.len(),
            validation: runs.collect(),
        });
    }
}

/// Scores as points of the history.
pub(super) fn points(epoch: u32, split: Split, values: &[(Metric, f64)]) -> impl Iterator<Item = HistoryPoint> {
    values.iter().map(move |&(metric, value)| HistoryPoint {
        epoch,
        split,
        metric,
        value,
    })
}

/// Free and ordered values in the order of the config's metrics.
pub(super) fn in_order(metrics: &[Metric], free: &[(Metric, f64)], ordered: &[(Metric, f64)]) -> Vec<(Metric, f64)> {
    let find = |metric: Metric| free.iter().chain(ordered).find(|(of, _)| *of == metric).copied();
    metrics.iter().filter_map(|&metric| find(metric)).collect()
}
