//! What both trainers keep of a block besides its numbers: who its columns are, their time and their history.

use gradsweep_math::Real;
use gradsweep_math::fused::Column;
use gradsweep_math::metric::Metric;
use gradsweep_store::{Reason, RunState, Split};

use super::{HistoryPoint, Outcome, Stood, Task};
use crate::event::Event;
use crate::plan::Block;

/// A block's books, by the positions its columns started at.
pub(super) struct Ledger<'a, 'v, T> {
    pub(super) task: Task<'a, 'v, T>,
    /// The block's place in its cohort.
    index: usize,
    /// The plan's run of each column.
    pub(super) runs: &'a [usize],
    /// The settings of each column.
    pub(super) columns: Vec<Column>,
    /// Epochs trained.
    pub(super) epochs: u32,
    seconds: Vec<f64>,
    history: Vec<Vec<HistoryPoint>>,
}

impl<'a, 'v, T: Real> Ledger<'a, 'v, T> {
    pub(super) fn new(task: Task<'a, 'v, T>, index: usize, block: &'a Block) -> Self {
        let columns: Vec<Column> = block.runs.iter().map(|&run| task.view.column(task.plan, run)).collect();
        Self {
            task,
            index,
            runs: &block.runs,
            epochs: 0,
            seconds: vec![0.0; columns.len()],
            history: vec![Vec::new(); columns.len()],
            columns,
        }
    }

    /// Where the run of a column stood, if it goes on.
    pub(super) fn stood(&self, column: usize) -> Option<&'a Stood> {
        self.task.stood.get(&self.runs[column])
    }

    /// The epoch in which the run of a column ends at the latest.
    pub(super) fn allowed(&self, column: usize) -> u32 {
        let trained = self.stood(column).map_or(0, |stood| stood.epochs);
        trained.saturating_add(self.task.plan.trial_of(self.runs[column]).train.epochs)
    }

    /// Shares the seconds of a pass between the columns that were in it.
    pub(super) fn spend(&mut self, columns: &[usize], seconds: f64) {
        for &column in columns {
            self.seconds[column] += seconds / columns.len() as f64;
        }
    }

    /// Adds the scores at the end of the epoch to a column's history.
    pub(super) fn score(&mut self, column: usize, split: Split, values: &[(Metric, f64)]) {
        let points = self.points(split, values);
        self.history[column].extend(points);
    }

    /// Adds the scores at the end of an epoch of a column's own to its history.
    pub(super) fn score_at(&mut self, column: usize, epoch: u32, split: Split, values: &[(Metric, f64)]) {
        self.history[column].extend(points(epoch, split, values));
    }

    /// Scores of the epoch at hand as points of the history.
    pub(super) fn points(&self, split: Split, values: &[(Metric, f64)]) -> Vec<HistoryPoint> {
        points(self.epochs, split, values)
    }

    /// The outcome of a column's run, its scores still to be filled in.
    pub(super) fn outcome(&self, column: usize, parameters: Vec<f64>, state: RunState, reason: Reason) -> Outcome {
        Outcome {
            run: self.runs[column],
            state,
            reason,
            converged: false,
            epochs: self.epochs,
            objective: None,
            grad_norm: None,
            l1: self.columns[column].objective.l1,
            l2: self.columns[column].objective.l2,
            parameters,
            train: Vec::new(),
            val: Vec::new(),
            history: self.history[column].clone(),
            seconds: 0.0,
            note: None,
        }
    }

    /// Gives an outcome its final scores: those a pass measures by the way, and the ordered ones of its held-out rows, or
    /// of its training rows where nothing is held out.
    pub(super) fn finish(
        &self,
        outcome: &mut Outcome,
        train: &[(Metric, f64)],
        val: &[(Metric, f64)],
        ordered: &[(Metric, f64)],
    ) {
        let view = self.task.view;
        let in_order = |free: &[(Metric, f64)], ordered: &[(Metric, f64)]| {
            let find = |metric: &Metric| free.iter().chain(ordered).find(|(of, _)| of == metric).copied();
            view.metrics.iter().filter_map(find).collect()
        };
        if view.has_validation() {
            (outcome.train, outcome.val) = (in_order(train, &[]), in_order(val, ordered));
            outcome.history.extend(points(outcome.epochs, Split::Val, ordered));
        } else {
            outcome.train = in_order(train, ordered);
            outcome.history.extend(points(outcome.epochs, Split::Train, ordered));
        }
    }

    /// Tells that a run has left, and gives its outcome the time it took.
    pub(super) fn leave(&self, column: usize, outcome: &mut Outcome) {
        outcome.seconds = self.seconds[column];
        self.task.observer.observe(&Event::RunFinished {
            run: outcome.run,
            failed: outcome.state == RunState::Failed,
            epochs_saved: self.allowed(column) - outcome.epochs,
        });
    }

    /// Tells that an epoch has ended, with the selecting metric's validation values of its columns.
    pub(super) fn report<'s>(&self, live: &[usize], validation: impl Iterator<Item = &'s [(Metric, f64)]>) {
        let select = self.task.view.select;
        let value = |values: &[(Metric, f64)]| values.iter().find(|(metric, _)| *metric == select).map(|(_, v)| *v);
        let runs = live.iter().zip(validation);
        let runs = runs.filter_map(|(&column, values)| Some((self.runs[column], value(values)?)));
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
fn points(epoch: u32, split: Split, values: &[(Metric, f64)]) -> Vec<HistoryPoint> {
    values
        .iter()
        .map(|&(metric, value)| HistoryPoint {
            epoch,
            split,
            metric,
            value,
        })
        .collect()
}
