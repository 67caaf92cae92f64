//! Mini-batch training: every block walks over the batches of an epoch with all of its columns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::LinearBlock;
use gradsweep_math::metric::Metric;
use gradsweep_math::workspace::{Scores, Scratch};
use gradsweep_store::{Reason, RunState, Split};

use super::gather::Gather;
use super::ledger::{Ledger, points};
use super::order::Orders;
use super::outcome::is_diverged;
use super::training::End;
use super::{BlockOfSteps, BlockState, Outcome, Standing, Task, evaluate};
use crate::plan::Block;

/// A run that ends, by its position.
type Ending = (usize, RunState, Reason);

/// One block on its way through its epochs.
pub(super) struct Trainer<'a, 'v, T> {
    ledger: Ledger<'a, 'v, T>,
    orders: Arc<Orders>,
    block: LinearBlock<T>,
    scratch: Scratch<T>,
    gather: Gather<T>,
    /// Batches of the epoch at hand that have been taken.
    batches: usize,
    outcomes: Vec<Outcome>,
    /// The block as it stood when its runs had had their epochs.
    end: Option<BlockOfSteps<T>>,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    pub(super) fn new(
        task: Task<'a, 'v, T>,
        orders: &Arc<Orders>,
        (index, block): (usize, &'a Block),
        state: Option<BlockOfSteps<T>>,
        rates: &BTreeMap<usize, f64>,
    ) -> Self {
        let mut ledger = Ledger::new(task, index, block);
        ledger.find_rates(rates);
        let mut fused = ledger.block(state.as_ref());
        ledger.give_rates(&mut fused);
        Self {
            scratch: Scratch::new(task.view.map.raw_columns, fused.width()),
            gather: Gather::new(orders.largest_step(), task.view.x.ncols()),
            orders: Arc::clone(orders),
            block: fused,
            batches: state.map_or(0, |state| state.batches),
            outcomes: Vec::with_capacity(ledger.columns.len()),
            end: None,
            ledger,
        }
    }

    /// What is left of the epoch at hand; less when it is told to pause.
    fn walk(&mut self, until: u32, pause: &(dyn Fn() -> bool + Sync)) {
        let start = Instant::now();
        let live = self.block.live().to_vec();
        let Some(last_batch) = self.steps(pause) else {
            self.ledger.spend(&live, start.elapsed().as_secs_f64());
            return;
        };
        self.ledger.passes += 1;
        self.batches = 0;
        let mut standings = self.validate();
        let is_lost = |position: &usize| self.has_diverged(*position, &last_batch, &standings[*position]);
        let (diverged, sound): (Vec<usize>, Vec<usize>) = (0..live.len()).partition(is_lost);
        let is_due = |&&position: &&usize| self.ledger.scores_in_order(self.ledger.epochs(live[position]), until);
        let due: Vec<usize> = sound.iter().filter(is_due).copied().collect();
        self.score_in_order(&due, &mut standings);
        for (&column, standing) in live.iter().zip(&standings) {
            self.ledger.score(column, Split::Val, &standing.val);
            self.ledger.score(column, Split::Train, &standing.train);
        }
        let mut ends = Vec::new();
        for &position in &sound {
            let has_stopped = self.ledger.watch(&self.block, position, &standings[position]);
            // A run that stops here would do so whatever the number of epochs.
            if has_stopped {
                ends.push((position, RunState::Complete, Reason::EarlyStopped));
            } else if self.ledger.allowed(live[position]) == self.ledger.epochs(live[position]) {
                ends.push((position, RunState::Complete, Reason::MaxEpochs));
            }
        }
        let has_run_out = |(.., reason): &&Ending| *reason == Reason::MaxEpochs;
        // The first of them: those that leave later have begun in columns that would not have been free.
        let keeps_end = ends.iter().any(|end| has_run_out(&end)) && self.end.is_none() && self.ledger.keeps_ends();
        let others = ends
            .iter()
            .filter(|end| !has_run_out(end))
            .map(|(position, ..)| *position);
        let for_good: Vec<usize> = others.chain(diverged.iter().copied()).collect();
        let end = keeps_end.then(|| self.ledger.state(&self.block, 0));
        let mut finished = self.finish(&ends, &standings);
        for &position in &diverged {
            let parameters = self.block.parameters(position);
            finished.push(
                self.ledger
                    .outcome(live[position], parameters, RunState::Failed, Reason::Diverged),
            );
        }
        self.ledger.spend(&live, start.elapsed().as_secs_f64());
        self.ledger
            .report(&live, standings.iter().map(|standing| standing.val.as_slice()));
        let standing = |position: usize| standings[position].clone();
        if let Some(end) = end {
            self.end = Some(self.ledger.end_of(end, &live, &for_good, standing));
        }
        for (column, standing) in live.into_iter().zip(standings) {
            self.ledger.standings[column] = standing;
        }
        let gone: Vec<usize> = ends.iter().map(|(position, ..)| *position).chain(diverged).collect();
        self.let_go(&gone, finished);
        if let Some(block) = self.ledger.refill(&self.block) {
            self.block = block;
            self.scratch = Scratch::new(self.ledger.task.view.map.raw_columns, self.block.width());
        }
    }

    /// Adds the scores that need rows in order to the standings of some runs.
    fn score_in_order(&self, positions: &[usize], standings: &mut [Standing]) {
        let view = self.ledger.task.view;
        let fold_of = |position: usize| self.block.objective(position).fold;
        let ordered = evaluate::ordered_metrics(view, self.block.pass(), fold_of, positions);
        for (&position, ordered) in positions.iter().zip(ordered) {
            standings[position].add(view.has_validation(), ordered);
        }
    }

    /// Runs leave, with their outcomes.
    fn let_go(&mut self, positions: &[usize], outcomes: Vec<Outcome>) {
        if positions.is_empty() {
            return;
        }
        for (&position, mut outcome) in positions.iter().zip(outcomes) {
            self.ledger.leave(self.block.live()[position], &mut outcome);
            self.outcomes.push(outcome);
        }
        self.block.retire(positions);
        self.scratch = Scratch::new(self.ledger.task.view.map.raw_columns, self.block.width());
    }

    /// The steps that are left of an epoch; returns the losses of the last batch, before its step, or nothing when told to
    /// pause before it.
    fn steps(&mut self, pause: &(dyn Fn() -> bool + Sync)) -> Option<Scores> {
        let Self {
            block,
            gather,
            scratch,
            ledger,
            orders,
            batches,
            ..
        } = self;
        let view = ledger.task.view;
        let order = orders.of_epoch(ledger.passes + 1);
        let mut scores = Scores::new(view.groups.len(), block.width());
        let trained: Vec<usize> = (0..view.groups.len())
            .filter(|&group| block.pass().trains_on(group))
            .collect();
        while *batches < order.steps() {
            if pause() {
                block.settle();
                return None;
            }
            let step = *batches;
            let batch = gather.batch(view, trained.iter().map(|&group| (group, order.rows(step, group))));
            let is_last = step + 1 == order.steps();
            ledger.set_rates(
                block,
                f64::from(ledger.passes) + (step as f64 + 0.5) / order.steps() as f64,
            );
            block.train_batch(&batch, scratch, is_last.then_some(&mut scores));
            *batches += 1;
        }
        block.settle();
        Some(scores)
    }

    /// Every live column under the weights at the epoch's end, with the scores of its held-out rows.
    fn validate(&mut self) -> Vec<Standing> {
        let Self {
            block, scratch, ledger, ..
        } = self;
        let view = ledger.task.view;
        let scores = view
            .has_validation()
            .then(|| evaluate::score(view, block, Role::Val, scratch));
        let standing = |position: usize| Standing {
            epoch: ledger.epochs(block.live()[position]),
            val: scores.as_ref().map_or_else(Vec::new, |scores| {
                evaluate::free_metrics(view, scores, position, block.objective(position).fold, Role::Val)
            }),
            ..Standing::default()
        };
        (0..block.live().len()).map(standing).collect()
    }

    fn has_diverged(&self, position: usize, last_batch: &Scores, standing: &Standing) -> bool {
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
        !self.block.is_finite(position)
            || is_diverged(loss / weight.max(f64::MIN_POSITIVE))
            || standing.val_score(Metric::LogLoss).is_some_and(is_diverged)
    }

    /// The outcomes of runs that end, by position, with the weights they have, or the best they had where that is watched.
    fn finish(&mut self, ends: &[Ending], standings: &[Standing]) -> Vec<Outcome> {
        if ends.is_empty() {
            return Vec::new();
        }
        let Self {
            block, scratch, ledger, ..
        } = self;
        let view = ledger.task.view;
        let positions: Vec<usize> = ends.iter().map(|(position, ..)| *position).collect();
        ledger.take_best(block, &positions);
        let scores = evaluate::score(view, block, Role::Train, scratch);
        let fold_of = |position: usize| block.objective(position).fold;
        let ordered = evaluate::ordered_metrics(view, block.pass(), fold_of, &positions);
        let outcome = |(&(position, state, reason), ordered): (&Ending, Vec<(Metric, f64)>)| {
            let objective = block.objective(position);
            let loss = evaluate::training_loss(view, &scores, position, objective);
            let (column, parameters) = (block.live()[position], block.parameters(position));
            if is_diverged(loss) {
                return ledger.outcome(column, parameters, RunState::Failed, Reason::Diverged);
            }
            let mut outcome = ledger.outcome(column, parameters, state, reason);
            let best = ledger.best(column).map(|best| &best.standing);
            let standing = best.unwrap_or(&standings[position]);
            let train = evaluate::free_metrics(view, &scores, position, objective.fold, Role::Train);
            outcome.history.extend(points(standing.epoch, Split::Train, &train));
            let train = Standing {
                train: train.into_iter().chain(standing.train.iter().copied()).collect(),
                loss: Some(loss),
                ..standing.clone()
            };
            ledger.settle(&mut outcome, &train, &ordered);
            outcome
        };
        ends.iter().zip(ordered).map(outcome).collect()
    }
}

impl<T: Real> super::training::Trainer<T> for Trainer<'_, '_, T> {
    fn is_due(&self, epoch: u32) -> bool {
        !self.block.live().is_empty() && self.ledger.passes < epoch
    }

    fn epoch(&mut self, until: u32, pause: &(dyn Fn() -> bool + Sync)) {
        self.walk(until, pause);
    }

    fn live(&self) -> Vec<usize> {
        self.ledger.left(self.block.live())
    }

    fn standings(&self) -> Vec<(usize, Standing)> {
        self.ledger.standings_of(self.block.live())
    }

    fn end(&mut self, runs: &[usize], end: End) {
        let positions = self.ledger.positions(self.block.live(), runs);
        let live = self.block.live();
        let standings: Vec<Standing> = live
            .iter()
            .map(|&column| self.ledger.standings[column].clone())
            .collect();
        let (state, reason, rung) = end.of_run();
        let ends: Vec<Ending> = positions.iter().map(|&position| (position, state, reason)).collect();
        let mut outcomes = self.finish(&ends, &standings);
        for outcome in &mut outcomes {
            outcome.rung = rung;
        }
        self.let_go(&positions, outcomes);
    }

    fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }

    fn take_end(&mut self) -> Option<BlockState<T>> {
        self.end.take().map(BlockState::Steps)
    }

    fn passes(&self) -> u32 {
        self.ledger.passes
    }

    fn lost(&self, runs: &[usize], passes: u32, panic: &str) -> Vec<Outcome> {
        self.ledger.lost(runs, passes, panic)
    }

    fn state(&self) -> BlockState<T> {
        BlockState::Steps(self.ledger.state(&self.block, self.batches))
    }
}
