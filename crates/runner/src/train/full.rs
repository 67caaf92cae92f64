//! Full-batch training: one update per epoch from the gradient over all training rows.
//!
//! A pass under the weights of epoch e gives their gradient, their training scores and, on held-out rows, their validation
//! scores at once. Rows are cut into at most 64 segments by the plan; threads take segments, and their sums are added in
//! the order of the segments, so bits do not depend on threads.

use std::ops::Range;
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
use super::{Outcome, Task, evaluate};
use crate::plan::Block;

/// Pieces that rows are cut into, at the most.
const SEGMENTS: usize = 64;
/// Rows below which a segment is not worth its sums.
const SMALLEST_SEGMENT: usize = 1024;

/// Trains all blocks of a cohort on all of their training rows at once.
pub(super) fn train<T: Real>(task: &Task<'_, '_, T>, blocks: &[Block]) -> Vec<Outcome> {
    let segments = segments(task.view.groups);
    blocks
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, block)| Trainer::new(*task, &segments, index, block).train())
        .collect()
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
struct Trainer<'a, 'v, T> {
    ledger: Ledger<'a, 'v, T>,
    segments: &'a [(usize, Range<usize>)],
    block: LinearBlock<T>,
}

/// What a pass says of one live column.
struct Standing {
    grad_norm: f64,
    loss: f64,
    train: Vec<(Metric, f64)>,
    val: Vec<(Metric, f64)>,
    /// Set when the run ends here.
    end: Option<(RunState, Reason)>,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    fn new(task: Task<'a, 'v, T>, segments: &'a [(usize, Range<usize>)], index: usize, block: &'a Block) -> Self {
        let ledger = Ledger::new(task, index, block);
        Self {
            segments,
            block: LinearBlock::new(&task.view.map, &ledger.columns),
            ledger,
        }
    }

    fn train(mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(self.ledger.columns.len());
        while !self.block.live().is_empty() {
            self.pass(&mut outcomes);
        }
        outcomes
    }

    /// One trip over all rows: scores of the weights at hand, outcomes of the runs that end here, a step for the others.
    fn pass(&mut self, outcomes: &mut Vec<Outcome>) {
        let start = Instant::now();
        let sums = self.sums();
        let live = self.block.live().to_vec();
        let standings = self.standings(&live, &sums);
        if self.ledger.epochs > 0 {
            for (&column, standing) in live.iter().zip(&standings) {
                self.ledger.score(column, Split::Val, &standing.val);
                self.ledger.score(column, Split::Train, &standing.train);
            }
        }
        let ending: Vec<usize> = (0..live.len())
            .filter(|&position| standings[position].end.is_some())
            .collect();
        let finished = self.finish(&ending, &standings);
        self.block.step();
        self.block.retire(&ending);
        self.ledger.spend(&live, start.elapsed().as_secs_f64());
        if self.ledger.epochs > 0 {
            self.ledger
                .report(&live, standings.iter().map(|standing| standing.val.as_slice()));
        }
        for (&position, mut outcome) in ending.iter().zip(finished) {
            self.ledger.leave(live[position], &mut outcome);
            outcomes.push(outcome);
        }
        self.ledger.epochs += 1;
    }

    fn sums(&self) -> Sums {
        let view = self.ledger.task.view;
        let (raw_columns, width) = (view.x.ncols(), self.block.width());
        let parts: Vec<Sums> = self
            .segments
            .par_iter()
            .map_init(
                || Scratch::new(raw_columns, width),
                |scratch, (group, rows)| {
                    let mut sums = Sums::new(raw_columns, view.groups.len(), width);
                    let rows = view.rows(*group, rows.clone());
                    self.block.pass().accumulate(rows, view.cut, scratch, &mut sums);
                    sums
                },
            )
            .collect();
        let mut total = Sums::new(raw_columns, view.groups.len(), width);
        for part in &parts {
            total.add(part);
        }
        total
    }

    fn standings(&mut self, live: &[usize], sums: &Sums) -> Vec<Standing> {
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
            .map(|(position, &norm)| self.standing(position, norm, sums))
            .collect()
    }

    fn standing(&self, position: usize, grad_norm: f64, sums: &Sums) -> Standing {
        let view = self.ledger.task.view;
        let column = self.block.live()[position];
        let Column {
            ref objective, kind, ..
        } = self.ledger.columns[column];
        let fold = objective.fold;
        let tol = self.ledger.task.plan.trial_of(self.ledger.runs[column]).train.tol;
        let loss = evaluate::training_loss(view, &sums.scores, position, objective);
        let val = evaluate::free_metrics(view, &sums.scores, position, fold, Role::Val);
        let held_out = val.iter().find(|(metric, _)| *metric == Metric::LogLoss);
        let end = if !self.block.is_finite(position)
            || is_diverged(loss)
            || held_out.is_some_and(|&(_, loss)| is_diverged(loss))
        {
            Some((RunState::Failed, Reason::Diverged))
        } else if kind == Kind::Gd && grad_norm <= tol {
            Some((RunState::Complete, Reason::Tol))
        } else if self.ledger.epochs >= self.ledger.allowed(column) {
            Some((RunState::Complete, Reason::MaxEpochs))
        } else {
            None
        };
        let train = evaluate::free_metrics(view, &sums.scores, position, fold, Role::Train);
        Standing {
            grad_norm,
            loss,
            train,
            val,
            end,
        }
    }

    fn finish(&self, ending: &[usize], standings: &[Standing]) -> Vec<Outcome> {
        let view = self.ledger.task.view;
        let fold_of = |position: usize| self.block.objective(position).fold;
        let is_complete = |position: &usize| matches!(standings[*position].end, Some((RunState::Complete, _)));
        let survivors: Vec<usize> = ending.iter().copied().filter(is_complete).collect();
        let mut ordered = evaluate::ordered_metrics(view, self.block.pass(), fold_of, &survivors).into_iter();
        let outcome = |&position: &usize| {
            let standing = &standings[position];
            let (state, reason) = standing.end?;
            let column = self.block.live()[position];
            let parameters = self.block.parameters(position);
            let mut outcome = self.ledger.outcome(column, parameters, state, reason);
            if state == RunState::Complete {
                let ordered = ordered.next().unwrap_or_default();
                outcome.converged = reason == Reason::Tol;
                outcome.set_objective(standing.loss);
                outcome.grad_norm = Some(standing.grad_norm);
                self.ledger
                    .finish(&mut outcome, &standing.train, &standing.val, &ordered);
            }
            Some(outcome)
        };
        ending.iter().filter_map(outcome).collect()
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
