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
use gradsweep_math::fused::LinearBlock;
use gradsweep_math::metric::Metric;
use gradsweep_math::workspace::{Scores, Scratch};
use gradsweep_store::{Reason, RunState, Split};

use super::gather::Gather;
use super::ledger::Ledger;
use super::order::Orders;
use super::outcome::is_diverged;
use super::{Outcome, Task, evaluate};
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
    ledger: Ledger<'a, 'v, T>,
    orders: &'a Orders,
    block: LinearBlock<T>,
    scratch: Scratch<T>,
    gather: Gather<T>,
    outcomes: Vec<Outcome>,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    fn new(task: Task<'a, 'v, T>, orders: &'a Orders, index: usize, block: &'a Block) -> Self {
        let ledger = Ledger::new(task, index, block);
        let fused = LinearBlock::new(&task.view.map, &ledger.columns);
        let raw_columns = task.view.x.ncols();
        Self {
            orders,
            scratch: Scratch::new(raw_columns, fused.width()),
            gather: Gather::new(orders.largest_step(), raw_columns),
            block: fused,
            outcomes: Vec::with_capacity(ledger.columns.len()),
            ledger,
        }
    }

    fn epoch(&mut self) {
        let start = Instant::now();
        self.ledger.epochs += 1;
        let last_batch = self.steps();
        let live = self.block.live().to_vec();
        let validation = self.validate();
        let is_lost = |position: &usize| self.has_diverged(*position, &last_batch, &validation);
        let (diverged, others): (Vec<usize>, Vec<usize>) = (0..live.len()).partition(is_lost);
        let is_last = |position: &usize| self.ledger.allowed(live[*position]) == self.ledger.epochs;
        let complete: Vec<usize> = others.into_iter().filter(is_last).collect();
        let mut finished = self.finish(&complete, &validation);
        for &position in &diverged {
            let parameters = self.block.parameters(position);
            finished.push(
                self.ledger
                    .outcome(live[position], parameters, RunState::Failed, Reason::Diverged),
            );
        }
        self.ledger.spend(&live, start.elapsed().as_secs_f64());
        self.ledger.report(&live, validation.iter().map(Vec::as_slice));
        let gone: Vec<usize> = complete.into_iter().chain(diverged).collect();
        for (&position, mut outcome) in gone.iter().zip(finished) {
            self.ledger.leave(live[position], &mut outcome);
            self.outcomes.push(outcome);
        }
        if !gone.is_empty() {
            self.block.retire(&gone);
            self.scratch = Scratch::new(self.ledger.task.view.x.ncols(), self.block.width());
        }
    }

    /// All steps of an epoch; returns the losses of the last batch, before its step.
    fn steps(&mut self) -> Scores {
        let Self {
            block,
            gather,
            scratch,
            ledger,
            orders,
            ..
        } = self;
        let view = ledger.task.view;
        let order = orders.of_epoch(ledger.epochs);
        let mut scores = Scores::new(view.groups.len(), block.width());
        let trained: Vec<usize> = (0..view.groups.len())
            .filter(|&group| block.pass().trains_on(group))
            .collect();
        for step in 0..order.steps() {
            let batch = gather.batch(view, trained.iter().map(|&group| (group, order.rows(step, group))));
            let is_last = step + 1 == order.steps();
            block.train_batch(&batch, scratch, is_last.then_some(&mut scores));
        }
        scores
    }

    /// Validation scores of every live column under the weights at the epoch's end.
    fn validate(&mut self) -> Vec<Vec<(Metric, f64)>> {
        let Self {
            block, scratch, ledger, ..
        } = self;
        let view = ledger.task.view;
        if !view.has_validation() {
            return vec![Vec::new(); block.live().len()];
        }
        let scores = evaluate::score(view, block, Role::Val, scratch);
        let mut all = Vec::with_capacity(block.live().len());
        for (position, &column) in block.live().iter().enumerate() {
            let fold = ledger.columns[column].objective.fold;
            let values = evaluate::free_metrics(view, &scores, position, fold, Role::Val);
            ledger.score(column, Split::Val, &values);
            all.push(values);
        }
        all
    }

    fn has_diverged(&self, position: usize, last_batch: &Scores, validation: &[Vec<(Metric, f64)>]) -> bool {
        let view = self.ledger.task.view;
        let objective = self.block.objective(position);
        let trained = || view.groups_as(objective.fold, Role::Train);
        // Of the sums over a group, the last batch has this share; weights do not matter to so coarse a test.
        let weight: f64 = trained()
            .map(|group| {
                let share = self.orders.rows_of_last_step(group) as f64 / view.groups[group].len().max(1) as f64;
                share * view.class_sums[group].iter().sum::<f64>()
            })
            .sum();
        let loss: f64 = trained().map(|group| last_batch.loss_of(group, position)).sum();
        let held_out = validation[position]
            .iter()
            .find(|(metric, _)| *metric == Metric::LogLoss);
        !self.block.is_finite(position)
            || is_diverged(loss / weight.max(f64::MIN_POSITIVE))
            || held_out.is_some_and(|&(_, loss)| is_diverged(loss))
    }

    /// The outcomes of columns that have had their epochs.
    fn finish(&mut self, positions: &[usize], validation: &[Vec<(Metric, f64)>]) -> Vec<Outcome> {
        if positions.is_empty() {
            return Vec::new();
        }
        let Self {
            block, scratch, ledger, ..
        } = self;
        let view = ledger.task.view;
        let scores = evaluate::score(view, block, Role::Train, scratch);
        let fold_of = |position: usize| block.objective(position).fold;
        let ordered = evaluate::ordered_metrics(view, block.pass(), fold_of, positions);
        let outcome = |(&position, ordered): (&usize, Vec<(Metric, f64)>)| {
            let objective = block.objective(position);
            let loss = evaluate::training_loss(view, &scores, position, objective);
            let (column, parameters) = (block.live()[position], block.parameters(position));
            if is_diverged(loss) {
                return ledger.outcome(column, parameters, RunState::Failed, Reason::Diverged);
            }
            let mut outcome = ledger.outcome(column, parameters, RunState::Complete, Reason::MaxEpochs);
            let train = evaluate::free_metrics(view, &scores, position, objective.fold, Role::Train);
            outcome.history.extend(ledger.points(Split::Train, &train));
            ledger.finish(&mut outcome, &train, &validation[position], &ordered);
            outcome.set_objective(loss);
            outcome
        };
        positions.iter().zip(ordered).map(outcome).collect()
    }
}
