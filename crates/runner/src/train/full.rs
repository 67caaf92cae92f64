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
use gradsweep_math::penalty::l2;
use gradsweep_math::workspace::{Scratch, Sums};
use gradsweep_store::{Reason, RunState, Split};
use rayon::prelude::*;

use super::batches::{in_order, points};
use super::evaluate;
use super::outcome::DIVERGED_LOSS;
use super::{HistoryPoint, Outcome, Task};
use crate::event::Event;
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
fn segments(groups: &[Range<usize>]) -> Vec<(usize, Range<usize>)> {
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
    task: Task<'a, 'v, T>,
    segments: &'a [(usize, Range<usize>)],
    index: usize,
    runs: &'a [usize],
    columns: Vec<Column>,
    block: LinearBlock<T>,
    epochs: u32,
    seconds: Vec<f64>,
    history: Vec<Vec<HistoryPoint>>,
}

/// What a pass says of one live column.
struct Standing {
    grad_norm: f64,
    loss: f64,
    train: Vec<(Metric, f64)>,
    val: Vec<(Metric, f64)>,
    /// Set when the run ends here.
    end: Option<(RunState, Reason)>,
    converged: bool,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    fn new(task: Task<'a, 'v, T>, segments: &'a [(usize, Range<usize>)], index: usize, block: &'a Block) -> Self {
        let columns: Vec<Column> = block.runs.iter().map(|&run| task.view.column(task.plan, run)).collect();
        Self {
            task,
            segments,
            index,
            runs: &block.runs,
            block: LinearBlock::new(&task.view.map, &columns),
            epochs: 0,
            seconds: vec![0.0; columns.len()],
            history: vec![Vec::new(); columns.len()],
            columns,
        }
    }

    fn train(mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(self.columns.len());
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
        let training_rows: Vec<f64> = live
            .iter()
            .map(|&column| self.task.view.rows_as(self.columns[column].fold, Role::Train) as f64)
            .collect();
        let gradient = self.block.gradient(&sums, &training_rows);
        let norms: Vec<f64> = (0..live.len())
            .map(|position| {
                gradient
                    .column(position)
                    .iter()
                    .fold(0.0, |max: f64, g| max.max(g.as_f64().abs()))
            })
            .collect();
        let standings: Vec<Standing> = norms
            .iter()
            .enumerate()
            .map(|(position, &norm)| self.standing(position, norm, &sums))
            .collect();
        if self.epochs > 0 {
            for (&column, standing) in live.iter().zip(&standings) {
                let history = &mut self.history[column];
                history.extend(points(self.epochs, Split::Val, &standing.val));
                history.extend(points(self.epochs, Split::Train, &standing.train));
            }
        }
        let ending: Vec<usize> = (0..live.len())
            .filter(|&position| standings[position].end.is_some())
            .collect();
        let mut finished = self.finish(&ending, &standings);
        self.block.step();
        self.block.retire(&ending);
        let share = start.elapsed().as_secs_f64() / live.len() as f64;
        for &column in &live {
            self.seconds[column] += share;
        }
        if self.epochs > 0 {
            self.report(&live, &standings);
        }
        for outcome in &mut finished {
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
        }
        outcomes.append(&mut finished);
        self.epochs += 1;
    }

    fn sums(&self) -> Sums {
        let view = self.task.view;
        let (raw_columns, width) = (view.x.ncols(), self.block.width());
        let parts: Vec<Sums> = self
            .segments
            .par_iter()
            .map_init(
                || Scratch::new(raw_columns, width),
                |scratch, (group, rows)| {
                    let mut sums = Sums::new(raw_columns, view.groups.len(), width);
                    self.block
                        .accumulate(view.rows(*group, rows.clone()), view.cut, scratch, &mut sums);
                    sums
                },
            )
            .collect();
        let mut parts = parts.into_iter();
        let first = parts
            .next()
            .unwrap_or_else(|| Sums::new(raw_columns, view.groups.len(), width));
        parts.fold(first, |mut sum, part| {
            sum.add(&part);
            sum
        })
    }

    fn standing(&self, position: usize, grad_norm: f64, sums: &Sums) -> Standing {
        let view = self.task.view;
        let column = self.block.live()[position];
        let fold = self.columns[column].fold;
        let trial = self.task.plan.trial_of(self.runs[column]);
        let loss = evaluate::training_loss(view, &sums.scores, position, fold);
        let val = evaluate::free_metrics(view, &sums.scores, position, fold, Role::Val);
        let is_lost = |loss: f64| !loss.is_finite() || loss > DIVERGED_LOSS;
        let held_out = val.iter().find(|(metric, _)| *metric == Metric::LogLoss);
        let diverged =
            !self.block.is_finite(position) || is_lost(loss) || held_out.is_some_and(|&(_, loss)| is_lost(loss));
        let converged = !diverged && self.columns[column].kind == Kind::Gd && grad_norm <= trial.train.tol;
        let end = if diverged {
            Some((RunState::Failed, Reason::Diverged))
        } else if converged {
            Some((RunState::Complete, Reason::Tol))
        } else if self.epochs >= trial.train.epochs {
            Some((RunState::Complete, Reason::MaxEpochs))
        } else {
            None
        };
        Standing {
            grad_norm,
            loss,
            train: evaluate::free_metrics(view, &sums.scores, position, fold, Role::Train),
            val,
            end,
            converged,
        }
    }

    fn finish(&self, ending: &[usize], standings: &[Standing]) -> Vec<Outcome> {
        let view = self.task.view;
        let fold_of = |position: usize| self.columns[self.block.live()[position]].fold;
        let survivors: Vec<usize> = ending
            .iter()
            .copied()
            .filter(|&position| matches!(standings[position].end, Some((RunState::Complete, _))))
            .collect();
        let ordered = evaluate::ordered_metrics(view, &self.block, fold_of, &survivors);
        let outcome = |&position: &usize| {
            let standing = &standings[position];
            let (state, reason) = standing.end?;
            let column = self.block.live()[position];
            let mut outcome = Outcome {
                run: self.runs[column],
                state,
                reason,
                converged: standing.converged,
                epochs: self.epochs,
                objective: None,
                grad_norm: None,
                l2: self.columns[column].l2,
                parameters: self.block.parameters(position),
                train: Vec::new(),
                val: Vec::new(),
                history: self.history[column].clone(),
                seconds: 0.0,
            };
            if let Some(survivor) = survivors.iter().position(|&survivor| survivor == position) {
                let weights = &outcome.parameters[..outcome.parameters.len() - 1];
                outcome.objective = Some(standing.loss + l2::value(outcome.l2, weights.iter().copied()));
                outcome.grad_norm = Some(standing.grad_norm);
                outcome.train.clone_from(&standing.train);
                outcome.val = in_order(&view.metrics, &standing.val, &ordered[survivor]);
                outcome
                    .history
                    .extend(points(self.epochs, Split::Val, &ordered[survivor]));
            }
            Some(outcome)
        };
        ending.iter().filter_map(outcome).collect()
    }

    fn report(&self, live: &[usize], standings: &[Standing]) {
        let select = self.task.view.select;
        let value = |standing: &Standing| {
            standing
                .val
                .iter()
                .find(|(metric, _)| *metric == select)
                .map(|(_, v)| *v)
        };
        let runs = live
            .iter()
            .zip(standings)
            .filter_map(|(&column, standing)| Some((self.runs[column], value(standing)?)));
        self.task.observer.observe(&Event::EpochFinished {
            cohort: self.task.cohort,
            block: self.index,
            epoch: self.epochs,
            columns: live.len(),
            validation: runs.collect(),
        });
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
