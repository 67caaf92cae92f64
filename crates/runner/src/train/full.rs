//! Full-batch training: one update per epoch from the gradient over all training rows.
//!
//! A pass under the weights of epoch e gives their gradient, their training scores and, on held-out rows, their validation
//! scores at once. Rows are cut into at most 64 segments by the plan; threads take segments, and their sums are added in
//! the order of the segments, so bits do not depend on threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::{Column, LinearBlock};
use gradsweep_math::metric::Metric;
use gradsweep_math::optimizer::Kind;
use gradsweep_math::workspace::{Scratch, Sums};
use gradsweep_store::{Reason, RunState, Split};
use rayon::prelude::*;

use super::ledger::Ledger;
use super::outcome::is_diverged;
use super::training::End;
use super::{BlockOfSteps, BlockState, Outcome, Standing, Task, evaluate};
use crate::plan::Block;

/// Pieces that rows are cut into, at the most.
const SEGMENTS: usize = 64;
/// Rows below which a segment is not worth its sums.
const SMALLEST_SEGMENT: usize = 1024;

/// Bytes of the sums of all segments above which neighbors share sums; two sums there are in any case.
const LARGEST_SUMS: usize = 512 << 20;

/// How many neighboring segments add to the same sums: 1, unless the sums are so many weights that memory would go to them.
pub(crate) fn segments_of_sum(segments: usize, weights: usize, width: usize) -> usize {
    let most = (LARGEST_SUMS / (weights * width * size_of::<f64>()).max(1)).max(2);
    segments.div_ceil(most).max(1)
}

/// Rows of one group each, in order.
pub(super) fn segments(groups: &[Range<usize>]) -> Vec<(usize, Range<usize>)> {
    let rows: usize = groups.iter().map(ExactSizeIterator::len).sum();
    let longest = rows
        .div_ceil(SEGMENTS)
        .max(SMALLEST_SEGMENT)
        .next_multiple_of(SMALLEST_SEGMENT);
    groups
        .iter()
        .enumerate()
        .flat_map(|(group, rows)| {
            let end = rows.end;
            rows.clone()
                .step_by(longest)
                .map(move |first| (group, first..(first + longest).min(end)))
        })
        .collect()
}

/// One block on its way through its epochs.
///
/// A trip measures the weights that the last step made and then takes the next step, so that a block whose runs have had e
/// scored epochs stands one step further.
pub(super) struct Trainer<'a, 'v, T> {
    ledger: Ledger<'a, 'v, T>,
    segments: Arc<Vec<(usize, Range<usize>)>>,
    block: LinearBlock<T>,
    /// The weights that the standings are of, where the sweep may stop at any epoch; by column.
    before: Vec<Vec<T>>,
    outcomes: Vec<Outcome>,
    /// The block as it stood when its runs had had their epochs.
    end: Option<BlockOfSteps<T>>,
}

/// What a trip says of one live column.
struct Seen {
    standing: Standing,
    /// Set when the run ends here.
    end: Option<(RunState, Reason)>,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    pub(super) fn new(
        task: Task<'a, 'v, T>,
        segments: &Arc<Vec<(usize, Range<usize>)>>,
        (index, block): (usize, &'a Block),
        state: Option<BlockOfSteps<T>>,
        rates: &BTreeMap<usize, f64>,
    ) -> Self {
        let mut ledger = Ledger::new(task, index, block);
        ledger.find_rates(rates);
        let mut block = ledger.block(state.as_ref());
        ledger.give_rates(&mut block);
        let mut before = vec![Vec::new(); ledger.columns.len()];
        for run in state.into_iter().flat_map(|state| state.runs) {
            if let Some(column) = ledger.runs.iter().position(|own| *own == run.run) {
                before[column] = run.before;
            }
        }
        Self {
            segments: Arc::clone(segments),
            before,
            outcomes: Vec::with_capacity(ledger.columns.len()),
            end: None,
            block,
            ledger,
        }
    }

    /// One trip over all rows: scores of the weights at hand, outcomes of the runs that end here, a step for the others.
    fn trip(&mut self, until: u32) {
        let start = Instant::now();
        let sums = self.sums();
        let live = self.block.live().to_vec();
        let mut seen = self.seen(&live, &sums);
        self.score_in_order(&live, until, &mut seen);
        for (position, seen) in seen.iter_mut().enumerate() {
            let is_failed = matches!(seen.end, Some((RunState::Failed, _)));
            // A run that stops here would do so whatever the number of epochs.
            let is_free = matches!(seen.end, None | Some((_, Reason::MaxEpochs)));
            if !is_failed && self.ledger.watch(&self.block, position, &seen.standing) && is_free {
                seen.end = Some((RunState::Complete, Reason::EarlyStopped));
            }
        }
        for (&column, seen) in live.iter().zip(&seen) {
            if self.ledger.epochs(column) > 0 {
                self.ledger.score(column, Split::Val, &seen.standing.val);
                self.ledger.score(column, Split::Train, &seen.standing.train);
            }
        }
        let ending: Vec<usize> = (0..live.len())
            .filter(|&position| seen[position].end.is_some())
            .collect();
        let has_run_out = |position: &usize| matches!(seen[*position].end, Some((_, Reason::MaxEpochs)));
        let out: Vec<usize> = ending.iter().copied().filter(has_run_out).collect();
        // The first of them: those that leave later have begun in columns that would not have been free.
        let keeps_end = !out.is_empty() && self.end.is_none() && self.ledger.keeps_ends();
        let for_good: Vec<usize> = ending
            .iter()
            .copied()
            .filter(|position| !has_run_out(position))
            .collect();
        let parameters = |&position: &usize| {
            let mut own = Vec::new();
            self.block.copy_parameters(position, &mut own);
            (position, own)
        };
        let last: Vec<(usize, Vec<T>)> = if keeps_end {
            out.iter().map(parameters).collect()
        } else {
            Vec::new()
        };
        let finished = self.finish(&ending, &seen);
        if keeps_end {
            // Not the best weights they had: these are what their outcomes have.
            self.block
                .set_parameters(last.iter().map(|(position, own)| (*position, own.as_slice())));
        }
        if self.ledger.task.view.may_stop {
            for (position, &column) in live.iter().enumerate() {
                self.block.copy_parameters(position, &mut self.before[column]);
            }
        }
        self.ledger
            .set_rates(&mut self.block, f64::from(self.ledger.passes) + 0.5);
        self.block.step();
        let end = keeps_end.then(|| self.numbers());
        self.block.retire(&ending);
        self.ledger.spend(&live, start.elapsed().as_secs_f64());
        if let Some(end) = end {
            let standing = |position: usize| seen[position].standing.clone();
            let mut end = self.ledger.end_of(end, &live, &for_good, standing);
            end.passes += 1;
            self.end = Some(end);
        }
        if self.ledger.passes > 0 {
            self.ledger
                .report(&live, seen.iter().map(|seen| seen.standing.val.as_slice()));
        }
        for (&position, mut outcome) in ending.iter().zip(finished) {
            self.ledger.leave(live[position], &mut outcome);
            self.outcomes.push(outcome);
        }
        for (column, seen) in live.into_iter().zip(seen) {
            self.ledger.standings[column] = seen.standing;
        }
        self.ledger.passes += 1;
        if let Some(block) = self.ledger.refill(&self.block) {
            self.block = block;
        }
    }

    /// The block as it stands.
    fn numbers(&self) -> BlockOfSteps<T> {
        let mut state = self.ledger.state(&self.block, 0);
        for (run, &column) in state.runs.iter_mut().zip(self.block.live()) {
            run.before.clone_from(&self.before[column]);
        }
        state
    }

    fn sums(&self) -> Sums {
        let view = self.ledger.task.view;
        let (weights, width) = (view.map.weights(), self.block.width());
        let parts: Vec<Sums> = self
            .segments
            .par_chunks(segments_of_sum(self.segments.len(), weights, width))
            .map_init(
                || Scratch::new(view.map.raw_columns, width),
                |scratch, segments| {
                    let mut sums = Sums::new(weights, view.groups.len(), width);
                    for (group, rows) in segments {
                        let rows = view.rows(*group, rows.clone());
                        self.block.pass().accumulate(rows, view.cut, scratch, &mut sums);
                    }
                    sums
                },
            )
            .collect();
        let mut total = Sums::new(weights, view.groups.len(), width);
        for part in &parts {
            total.add(part);
        }
        total
    }

    fn seen(&mut self, live: &[usize], sums: &Sums) -> Vec<Seen> {
        let Self { ledger, block, .. } = self;
        let weight_of = |&column: &usize| ledger.task.view.training_weight(&ledger.columns[column].objective);
        let weights: Vec<f64> = live.iter().map(weight_of).collect();
        let gradient = block.gradient(sums, &weights);
        let norm = |position: usize| {
            gradient
                .column(position)
                .iter()
                .map(|g| g.as_f64().abs())
                // A NaN must not pass for the smallest gradient of all.
                .fold(0.0, |max: f64, g| if max.is_nan() || max >= g { max } else { g })
        };
        let norms: Vec<f64> = (0..live.len()).map(norm).collect();
        norms
            .iter()
            .enumerate()
            .map(|(position, &norm)| self.look(position, norm, sums))
            .collect()
    }

    fn look(&self, position: usize, grad_norm: f64, sums: &Sums) -> Seen {
        let view = self.ledger.task.view;
        let column = self.block.live()[position];
        let Column {
            ref objective, kind, ..
        } = self.ledger.columns[column];
        let fold = objective.fold;
        let tol = self.ledger.task.plan.trial_of(self.ledger.runs[column]).train.tol;
        let loss = evaluate::training_loss(view, &sums.scores, position, objective);
        let standing = Standing {
            epoch: self.ledger.epochs(column),
            val: evaluate::free_metrics(view, &sums.scores, position, fold, Role::Val),
            train: evaluate::free_metrics(view, &sums.scores, position, fold, Role::Train),
            loss: Some(loss),
            grad_norm: Some(grad_norm),
        };
        let end = if !self.block.is_finite(position)
            || is_diverged(loss)
            || standing.val_score(Metric::LogLoss).is_some_and(is_diverged)
        {
            Some((RunState::Failed, Reason::Diverged))
        } else if kind == Kind::Gd && grad_norm <= tol {
            Some((RunState::Complete, Reason::Tol))
        } else if self.ledger.epochs(column) >= self.ledger.allowed(column) {
            Some((RunState::Complete, Reason::MaxEpochs))
        } else {
            None
        };
        Seen { standing, end }
    }

    /// Adds the scores that need rows in order to the standings of the runs that have not failed and whose epoch has them.
    fn score_in_order(&self, live: &[usize], until: u32, seen: &mut [Seen]) {
        let view = self.ledger.task.view;
        let fold_of = |position: usize| self.block.objective(position).fold;
        let sound: Vec<usize> = (0..seen.len())
            .filter(|&position| !matches!(seen[position].end, Some((RunState::Failed, _))))
            .filter(|&position| self.ledger.scores_in_order(self.ledger.epochs(live[position]), until))
            .collect();
        let ordered = evaluate::ordered_metrics(view, self.block.pass(), fold_of, &sound);
        for (&position, ordered) in sound.iter().zip(ordered) {
            seen[position].standing.add(view.has_validation(), ordered);
        }
    }

    fn finish(&mut self, ending: &[usize], seen: &[Seen]) -> Vec<Outcome> {
        let view = self.ledger.task.view;
        self.ledger.take_best(&mut self.block, ending);
        let fold_of = |position: usize| self.block.objective(position).fold;
        let is_complete = |position: &usize| matches!(seen[*position].end, Some((RunState::Complete, _)));
        let survivors: Vec<usize> = ending.iter().copied().filter(is_complete).collect();
        let mut ordered = evaluate::ordered_metrics(view, self.block.pass(), fold_of, &survivors).into_iter();
        let outcome = |&position: &usize| {
            let Seen { standing, end } = &seen[position];
            let (state, reason) = (*end)?;
            let column = self.block.live()[position];
            let parameters = self.block.parameters(position);
            let mut outcome = self.ledger.outcome(column, parameters, state, reason);
            if state == RunState::Complete {
                let ordered = ordered.next().unwrap_or_default();
                outcome.converged = reason == Reason::Tol;
                let standing = self.ledger.best(column).map_or(standing, |best| &best.standing);
                self.ledger.settle(&mut outcome, standing, &ordered);
            }
            Some(outcome)
        };
        ending.iter().filter_map(outcome).collect()
    }
}

impl<T: Real> super::training::Trainer<T> for Trainer<'_, '_, T> {
    fn is_due(&self, epoch: u32) -> bool {
        !self.block.live().is_empty() && self.ledger.passes <= epoch
    }

    fn epoch(&mut self, until: u32, _pause: &(dyn Fn() -> bool + Sync)) {
        self.trip(until);
    }

    fn live(&self) -> Vec<usize> {
        self.ledger.left(self.block.live())
    }

    fn standings(&self) -> Vec<(usize, Standing)> {
        self.ledger.standings_of(self.block.live())
    }

    /// The runs' scores are those of their standings, and so are the weights of those that are complete.
    fn end(&mut self, runs: &[usize], end: End) {
        let positions = self.ledger.positions(self.block.live(), runs);
        let (state, reason, rung) = end.of_run();
        let live = self.block.live().to_vec();
        if state == RunState::Complete {
            let before = positions
                .iter()
                .map(|&position| (position, self.before[live[position]].as_slice()));
            self.block
                .set_parameters(before.filter(|(_, parameters)| !parameters.is_empty()));
            self.ledger.take_best(&mut self.block, &positions);
        }
        let scored: &[usize] = if state == RunState::Complete { &positions } else { &[] };
        let fold_of = |position: usize| self.block.objective(position).fold;
        let ordered = evaluate::ordered_metrics(self.ledger.task.view, self.block.pass(), fold_of, scored);
        let mut ordered = ordered.into_iter();
        for &position in &positions {
            let column = live[position];
            let parameters = self.block.parameters(position);
            let mut outcome = self.ledger.outcome(column, parameters, state, reason);
            outcome.epochs = self.ledger.standings[column].epoch;
            outcome.rung = rung;
            let best = self.ledger.best(column).map(|best| &best.standing);
            let standing = best.unwrap_or(&self.ledger.standings[column]);
            self.ledger
                .settle(&mut outcome, standing, &ordered.next().unwrap_or_default());
            self.ledger.leave(column, &mut outcome);
            self.outcomes.push(outcome);
        }
        self.block.retire(&positions);
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
        BlockState::Steps(self.numbers())
    }
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn segments_cover_each_group_in_order_and_stay_few() {
        let groups = [0..40_000, 40_000..40_010, 40_010..100_000];
        let cut = segments(&groups);
        assert!(cut.len() <= 64 + groups.len());
        for (group, rows) in groups.iter().enumerate() {
            let own: Vec<_> = cut
                .iter()
                .filter(|(of, _)| *of == group)
                .map(|(_, rows)| rows.clone())
                .collect();
            assert_eq!((own[0].start, own[own.len() - 1].end), (rows.start, rows.end));
            assert!(own.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
