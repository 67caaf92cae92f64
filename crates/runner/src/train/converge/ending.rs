//! How runs end, and what is said of them then.

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::Objective;
use gradsweep_math::solver::{Descent, Verdict};
use gradsweep_math::workspace::Scores;
use gradsweep_store::{Reason, RunState, Split};

use super::PATIENCE;
use super::separation::{self, Look};
use super::state::Ended;
use super::trainer::{Next, Trainer};
use super::trips;
use crate::plan::Method;
use crate::train::{Outcome, evaluate};

/// Stored columns up to which a converged run without a penalty is examined by its Hessian.
const MOST_EXAMINED_COLUMNS: usize = 1024;

impl<T: Real> Trainer<'_, '_, T> {
    /// Takes note of what became of a run's evaluation.
    pub(super) fn take_note(&mut self, column: usize, verdict: Verdict, (scores, position): (&Scores, usize)) -> Next {
        let view = self.ledger.task.view;
        let fold = self.ledger.columns[column].objective.fold;
        let run = &mut self.runs[column];
        let Some(descent) = &mut run.descent else {
            return Next::Nothing;
        };
        run.epochs += 1;
        if run.epochs == PATIENCE
            && matches!(
                self.ledger.task.plan.method_of(self.ledger.runs[column]),
                Method::QuasiNewton { may_switch: true }
            )
        {
            descent.take_hessians();
        }
        if matches!(verdict, Verdict::Accepted | Verdict::Converged) {
            run.train = evaluate::free_metrics(view, scores, position, fold, Role::Train);
            run.val = evaluate::free_metrics(view, scores, position, fold, Role::Val);
            self.ledger.score_at(column, run.epochs, Split::Val, &run.val);
            self.ledger.score_at(column, run.epochs, Split::Train, &run.train);
        }
        let is_free = descent.goal().l1 == 0.0 && descent.goal().l2 == 0.0;
        let end = match verdict {
            Verdict::Converged if is_free && view.map.expanded_columns() <= MOST_EXAMINED_COLUMNS => {
                return Next::Examine;
            }
            Verdict::Lost => Some((RunState::Failed, Reason::Diverged)),
            Verdict::Converged => Some((RunState::Complete, Reason::Tol)),
            Verdict::Stalled => Some((RunState::Complete, Reason::MaxEpochs)),
            _ => None,
        };
        if let Some((state, reason)) = end {
            self.end(column, state, reason, None);
            return Next::Nothing;
        }
        match verdict {
            Verdict::Accepted | Verdict::Returned => Next::Walk,
            _ => Next::Nothing,
        }
    }

    /// Looks at runs without a penalty whose gradient is small: it also is where the classes are separated and the weights
    /// are merely large. Newton's next step tells: it separates the classes, or it moves no score. Returns the runs of
    /// which neither holds; they go on to a hundredth of the tolerance.
    pub(super) fn examine(&mut self, suspects: &[usize]) -> Vec<usize> {
        if suspects.is_empty() {
            return Vec::new();
        }
        let view = self.ledger.task.view;
        let objectives: Vec<&Objective> = suspects
            .iter()
            .map(|&column| &self.ledger.columns[column].objective)
            .collect();
        let parameters = |&column: &usize| self.runs[column].descent.as_ref().map(Descent::parameters);
        let points: Vec<Vec<f64>> = suspects.iter().filter_map(parameters).collect();
        let hessians = trips::hessians(view, &self.ground.segments, &objectives, &points);
        let weights: Vec<f64> = objectives
            .iter()
            .map(|objective| view.training_weight(objective))
            .collect();
        let mut going_on = Vec::new();
        for ((&column, hessian), weight) in suspects.iter().zip(hessians).zip(weights) {
            let Some(descent) = &mut self.runs[column].descent else {
                continue;
            };
            let Some(direction) = descent.newton_direction(&(hessian / weight)) else {
                continue;
            };
            let objective = &self.ledger.columns[column].objective;
            match separation::look(view, &self.ground.segments, objective, &direction) {
                Look::Separated(feature) => {
                    self.end(column, RunState::Failed, Reason::Separated, Some(feature));
                }
                Look::Still => self.end(column, RunState::Complete, Reason::Tol, None),
                Look::Moving => {
                    descent.demand(0.01 * descent.goal().tol);
                    going_on.push(column);
                }
            }
        }
        going_on
    }

    /// Ends the runs that have had all of their epochs and are not done. The block as it is now, with them on their way, is
    /// what more epochs would have gone on from: runs that start from these would have waited for them.
    pub(super) fn run_out(&mut self, out: &[usize]) {
        let out: Vec<usize> = out
            .iter()
            .copied()
            .filter(|&column| !self.runs[column].is_done)
            .collect();
        let is_first = || {
            let mut ended = self.ended.iter().filter(|ended| ended.reason == Reason::MaxEpochs);
            ended.all(|ended| self.runs[ended.column].epochs < self.ledger.allowed(ended.column))
        };
        if !out.is_empty() && self.ledger.keeps_ends() && is_first() {
            let mut end = self.numbers();
            end.epochs += 1;
            self.end = Some(end);
        }
        for column in out {
            self.end(column, RunState::Complete, Reason::MaxEpochs, None);
        }
    }

    fn end(&mut self, column: usize, state: RunState, reason: Reason, note: Option<String>) {
        self.runs[column].is_done = true;
        self.ended.push(Ended {
            column,
            state,
            reason,
            note,
        });
    }

    /// Ends the runs without a penalty whose classes a step of theirs separates: their weights would grow for ever.
    pub(super) fn look_for_separation(&mut self, walking: &[usize]) {
        for &column in walking {
            let run = &self.runs[column];
            let Some(descent) = run.descent.as_ref().filter(|_| run.epochs >= separation::FIRST_LOOK) else {
                continue;
            };
            let objective = &self.ledger.columns[column].objective;
            if objective.l1 > 0.0 || objective.l2 > 0.0 {
                continue;
            }
            let Some(direction) = descent.direction() else {
                continue;
            };
            if let Look::Separated(feature) =
                separation::look(self.ledger.task.view, &self.ground.segments, objective, &direction)
            {
                self.end(column, RunState::Failed, Reason::Separated, Some(feature));
            }
        }
    }

    /// The outcomes of all runs; scores that need rows in order are made for all of them together.
    pub(super) fn settle(&self) -> Vec<Outcome> {
        let (view, ended) = (self.ledger.task.view, &self.ended);
        let complete: Vec<usize> = ended
            .iter()
            .filter(|ended| ended.state == RunState::Complete)
            .map(|ended| ended.column)
            .collect();
        let parameters = |column: usize| {
            self.runs[column]
                .descent
                .as_ref()
                .map(Descent::parameters)
                .unwrap_or_default()
        };
        let ordered = if complete.is_empty() {
            Vec::new()
        } else {
            let objectives: Vec<&Objective> = complete.iter().map(|&c| &self.ledger.columns[c].objective).collect();
            let points: Vec<Vec<f64>> = complete.iter().map(|&column| parameters(column)).collect();
            let pass = trips::pass_at(view, &objectives, &points);
            let positions: Vec<usize> = (0..complete.len()).collect();
            evaluate::ordered_metrics(view, &pass, |position| objectives[position].fold, &positions)
        };
        let mut ordered = ordered.into_iter();
        ended
            .iter()
            .map(|ended| {
                let run = &self.runs[ended.column];
                let mut outcome =
                    self.ledger
                        .outcome(ended.column, parameters(ended.column), ended.state, ended.reason);
                outcome.epochs = run.epochs;
                outcome.note.clone_from(&ended.note);
                if ended.state == RunState::Complete {
                    outcome.converged = ended.reason == Reason::Tol;
                    outcome.grad_norm = run.descent.as_ref().and_then(Descent::distance);
                    outcome.objective = run.descent.as_ref().and_then(Descent::objective);
                    let ordered = ordered.next().unwrap_or_default();
                    self.ledger.finish(&mut outcome, &run.train, &run.val, &ordered);
                }
                self.ledger.leave(ended.column, &mut outcome);
                outcome
            })
            .collect()
    }
}
