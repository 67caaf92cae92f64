//! Training until converged: quasi-Newton and Newton runs that share every trip over the rows.
//!
//! The runs of a block say at which points they want to be evaluated; one trip evaluates all of them, held-out rows
//! included, and each run takes its next step or leaves. Runs that wait for neighbors along C join when these are solved.

mod curvatures;
mod path;
mod separation;
mod trips;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::{Column, Objective};
use gradsweep_math::metric::Metric;
use gradsweep_math::solver::{Curvature, Descent, Evaluation, Goal, Rounding, Verdict, advance};
use gradsweep_math::workspace::Scores;
use gradsweep_store::{Reason, RunState, Split};
use ndarray::Array2;
use rayon::prelude::*;

use super::full::segments;
use super::ledger::Ledger;
use super::slot::message;
use super::{Outcome, Stood, Task, evaluate};
use crate::plan::{Block, Method};
use curvatures::Curvatures;
use path::Start;
use separation::Look;
use trips::Segment;

/// Epochs after which a quasi-Newton run that may do so takes its own Hessians.
const PATIENCE: u32 = 30;
/// Stored columns up to which a converged run without a penalty is examined by its Hessian.
const MOST_EXAMINED_COLUMNS: usize = 1024;

/// Hessians that are timed, at the most: as many as are summed at a time.
const HESSIANS_TRIED: usize = 64;

/// Trains all runs of a cohort until they have converged or had their epochs.
pub(super) fn train<T: Real>(task: &Task<'_, '_, T>, blocks: &[Block]) -> Vec<Outcome> {
    let segments = segments(task.view.groups);
    let curvatures = Curvatures::new(task, &segments, blocks);
    blocks
        .iter()
        .enumerate()
        .flat_map(|(index, block)| {
            let train = || Trainer::new(*task, &segments, &curvatures, index, block).train();
            // Blocks share nothing that they write to: a panic ends the runs of its own.
            catch_unwind(AssertUnwindSafe(train)).unwrap_or_else(|panic| {
                let ledger = Ledger::new(*task, index, block);
                ledger.lost(&block.runs, 0, &message(panic.as_ref()))
            })
        })
        .collect()
}

/// Seconds of one trip of all runs of a cohort over the rows, and of the Hessians of those that take their own.
pub(super) fn time_trip<T: Real>(task: &Task<'_, '_, T>, blocks: &[Block]) -> [f64; 2] {
    let (plan, view) = (task.plan, task.view);
    let segments = segments(view.groups);
    let mut seconds = [0.0; 2];
    for block in blocks {
        let columns: Vec<Column> = block.runs.iter().map(|&run| view.column(plan, run)).collect();
        let objectives: Vec<&Objective> = columns.iter().map(|column| &column.objective).collect();
        let point = |column: &Column| column.start.iter().copied().chain([0.0]).collect();
        let points: Vec<Vec<f64>> = columns.iter().map(point).collect();
        let start = Instant::now();
        trips::trip(view, &segments, &objectives, &points);
        seconds[0] += start.elapsed().as_secs_f64();
        let newton = block
            .runs
            .iter()
            .filter(|&&run| plan.method_of(run) == Method::Newton)
            .count();
        if newton > 0 {
            let tried = newton.min(HESSIANS_TRIED);
            let start = Instant::now();
            trips::hessians(view, &segments, &objectives[..tried], &points[..tried]);
            seconds[1] += start.elapsed().as_secs_f64() * newton as f64 / tried as f64;
        }
    }
    seconds
}

/// Trains the runs of a cohort: seconds before the first epoch, seconds of all epochs, and epochs summed over runs.
pub(super) fn time<T: Real>(task: &Task<'_, '_, T>, blocks: &[Block]) -> (f64, f64, u64) {
    let start = Instant::now();
    let segments = segments(task.view.groups);
    let curvatures = Curvatures::new(task, &segments, blocks);
    let setup = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let of_block = |(index, block)| Trainer::new(*task, &segments, &curvatures, index, block).train();
    let outcomes = blocks.iter().enumerate().flat_map(of_block);
    let epochs = outcomes.map(|outcome| u64::from(outcome.epochs)).sum();
    (setup, start.elapsed().as_secs_f64(), epochs)
}

/// One run of the block.
struct Run {
    start: Start,
    descent: Option<Descent>,
    is_done: bool,
    epochs: u32,
    /// Scores at its standing.
    train: Vec<(Metric, f64)>,
    val: Vec<(Metric, f64)>,
}

/// What a run needs after an evaluation.
enum Next {
    /// A direction.
    Walk,
    /// A look whether its classes are separated.
    Examine,
    /// Another evaluation, or nothing any more.
    Nothing,
}

/// A run that has ended.
struct Ended {
    column: usize,
    state: RunState,
    reason: Reason,
    note: Option<String>,
}

struct Trainer<'a, 'v, T> {
    ledger: Ledger<'a, 'v, T>,
    segments: &'a [Segment],
    curvatures: &'a Curvatures,
    runs: Vec<Run>,
    ended: Vec<Ended>,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    fn new(
        task: Task<'a, 'v, T>,
        segments: &'a [Segment],
        curvatures: &'a Curvatures,
        index: usize,
        block: &'a Block,
    ) -> Self {
        let ledger = Ledger::new(task, index, block);
        let runs = path::starts(task.plan, ledger.runs)
            .into_iter()
            .enumerate()
            .map(|(column, start)| (start, ledger.stood(column)))
            .map(|(start, stood)| Run {
                start: if stood.is_some() { Start::Own } else { start },
                descent: None,
                is_done: false,
                epochs: stood.map_or(0, |stood| stood.epochs),
                train: Vec::new(),
                val: Vec::new(),
            })
            .collect();
        Self {
            ledger,
            segments,
            curvatures,
            runs,
            ended: Vec::new(),
        }
    }

    fn train(mut self) -> Vec<Outcome> {
        loop {
            self.admit();
            let live: Vec<usize> = (0..self.runs.len())
                .filter(|&column| self.runs[column].descent.is_some() && !self.runs[column].is_done)
                .collect();
            if live.is_empty() {
                return self.outcomes();
            }
            let start = Instant::now();
            self.ledger.passes += 1;
            self.pass(&live);
            self.ledger.spend(&live, start.elapsed().as_secs_f64());
            self.ledger
                .report(&live, live.iter().map(|&column| self.runs[column].val.as_slice()));
        }
    }

    fn curvature(&self, column: usize) -> &'a Curvature {
        self.curvatures.of(self.ledger.columns[column].objective.fit_intercept)
    }

    /// Starts the runs that wait for nothing any more.
    fn admit(&mut self) {
        let start = |column: usize| {
            let run = &self.runs[column];
            if run.descent.is_some() || run.is_done {
                return None;
            }
            match run.start {
                Start::Own => Some(self.own_start(column)),
                Start::Between { first, second, share } => (self.runs[first].is_done && self.runs[second].is_done)
                    .then(|| self.start_between(column, (first, second), share)),
            }
        };
        let started: Vec<Option<Descent>> = (0..self.runs.len()).into_par_iter().map(start).collect();
        for (run, descent) in self.runs.iter_mut().zip(started) {
            run.descent = run.descent.take().or(descent);
        }
    }

    fn goal(&self, column: usize) -> Goal {
        let (plan, run) = (self.ledger.task.plan, self.ledger.runs[column]);
        let Objective {
            fold,
            l2,
            l1,
            fit_intercept,
            ..
        } = self.ledger.columns[column].objective;
        Goal {
            l2,
            l1,
            fit_intercept,
            tol: plan.trial_of(run).train.tol,
            is_held: self.ledger.task.view.map.folds[fold].is_held.as_slice().into(),
            spread: self.curvatures.spread(fold, fit_intercept, plan.method_of(run)),
            rounding: Rounding::of::<T>(),
        }
    }

    /// A run where it stood.
    fn go_on(&self, column: usize, stood: &Stood) -> Descent {
        let method = self.ledger.task.plan.method_of(self.ledger.runs[column]);
        let is_patient = stood.epochs >= PATIENCE && method == Method::QuasiNewton { may_switch: true };
        let takes_hessians = method == Method::Newton || is_patient;
        Descent::new(self.goal(column), &stood.parameters, 0.25, takes_hessians)
    }

    /// A run at its starting weights; one that starts at zeros has the intercept of the null model.
    fn own_start(&self, column: usize) -> Descent {
        if let Some(stood) = self.ledger.stood(column) {
            return self.go_on(column, stood);
        }
        let (view, plan) = (self.ledger.task.view, self.ledger.task.plan);
        let run = &self.ledger.columns[column];
        let objective = &run.objective;
        let sums = view.class_sums_as(objective.fold, Role::Train);
        let of_class = |class: usize| objective.class_weight[class] * sums[class];
        let is_null = run.start.iter().all(|&w| w == 0.0) && objective.fit_intercept;
        let intercept = if is_null { (of_class(1) / of_class(0)).ln() } else { 0.0 };
        let rate = of_class(1) / (of_class(0) + of_class(1));
        let curvature = if is_null { rate * (1.0 - rate) } else { 0.25 };
        let held = &view.map.folds[objective.fold].is_held;
        let weights = run
            .start
            .iter()
            .zip(held)
            .map(|(&w, &is_held)| if is_held { 0.0 } else { w });
        let parameters: Vec<f64> = weights.chain([intercept]).collect();
        let is_newton = plan.method_of(self.ledger.runs[column]) == Method::Newton;
        Descent::new(self.goal(column), &parameters, curvature, is_newton)
    }

    fn start_between(&self, column: usize, (first, second): (usize, usize), share: f64) -> Descent {
        let solved = |column: usize| {
            self.runs[column]
                .descent
                .as_ref()
                .filter(|run| run.distance().is_some())
        };
        match (solved(first), solved(second)) {
            (Some(first), Some(second)) => {
                Descent::beside(self.goal(column), first, Some((second, share)), self.curvature(column))
            }
            (Some(one), None) | (None, Some(one)) => {
                Descent::beside(self.goal(column), one, None, self.curvature(column))
            }
            (None, None) => self.own_start(column),
        }
    }

    /// One trip over all rows: every live run is told what it asked for, and takes its next step or leaves.
    fn pass(&mut self, live: &[usize]) {
        let view = self.ledger.task.view;
        let point = |&column: &usize| {
            self.runs[column]
                .descent
                .as_ref()
                .map(Descent::point)
                .unwrap_or_default()
        };
        let points: Vec<Vec<f64>> = live.iter().map(point).collect();
        let (slots, of_column) = self.shared(live, &points);
        let objective = |column: usize| &self.ledger.columns[column].objective;
        let slot_objectives: Vec<&Objective> = slots.iter().map(|&index| objective(live[index])).collect();
        let slot_points: Vec<Vec<f64>> = slots.iter().map(|&index| points[index].clone()).collect();
        let (seen, scores) = trips::trip(view, self.segments, &slot_objectives, &slot_points);
        let mut hessians = self.hessians(live, &points, (&slots, &of_column));

        let of_run = |index: usize| {
            let seen = &seen[of_column[index]];
            (seen, &scores[seen.scores])
        };
        let evaluations = live.iter().enumerate().map(|(index, &column)| {
            let (seen, scores) = of_run(index);
            self.evaluation(column, seen, scores, hessians.remove(&column))
        });
        let verdicts = self.tell(live, evaluations.collect());
        let (mut walking, mut suspects) = (Vec::new(), Vec::new());
        for (index, (&column, verdict)) in live.iter().zip(verdicts).enumerate() {
            let (seen, scores) = of_run(index);
            match self.take_note(column, verdict, (scores, seen.position)) {
                Next::Walk => walking.push(column),
                Next::Examine => suspects.push(column),
                Next::Nothing => {}
            }
        }
        walking.extend(self.examine(&suspects));
        walking.sort_unstable();
        self.advance(&walking);
        self.look_for_separation(&walking);
    }

    /// The columns of the trip, and which of them each live run takes: runs at one point of one loss share a column, as all
    /// strengths of a fold do at their start.
    fn shared(&self, live: &[usize], points: &[Vec<f64>]) -> (Vec<usize>, Vec<usize>) {
        let mut slots: Vec<usize> = Vec::new();
        let mut last_of_fold: BTreeMap<usize, usize> = BTreeMap::new();
        let of_column = (0..live.len())
            .map(|index| {
                let own = &self.ledger.columns[live[index]].objective;
                let same = last_of_fold.get(&own.fold).copied().filter(|&slot| {
                    let other = &self.ledger.columns[live[slots[slot]]].objective;
                    other.class_weight == own.class_weight && points[slots[slot]] == points[index]
                });
                same.unwrap_or_else(|| {
                    slots.push(index);
                    last_of_fold.insert(own.fold, slots.len() - 1);
                    slots.len() - 1
                })
            })
            .collect();
        (slots, of_column)
    }

    /// The Hessian of the mean loss of every live run that wants one; runs that share a column of the trip share it.
    fn hessians(
        &self,
        live: &[usize],
        points: &[Vec<f64>],
        (slots, of_column): (&[usize], &[usize]),
    ) -> BTreeMap<usize, Arc<Array2<f64>>> {
        let wants = |index: &usize| {
            let run = &self.runs[live[*index]];
            run.descent.as_ref().is_some_and(Descent::wants_hessian)
        };
        let wanting: Vec<usize> = (0..live.len()).filter(wants).collect();
        let mut wanted: Vec<usize> = wanting.iter().map(|&index| of_column[index]).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return BTreeMap::new();
        }
        let objectives: Vec<&Objective> = wanted
            .iter()
            .map(|&slot| &self.ledger.columns[live[slots[slot]]].objective)
            .collect();
        let points: Vec<Vec<f64>> = wanted.iter().map(|&slot| points[slots[slot]].clone()).collect();
        let view = self.ledger.task.view;
        let sums = trips::hessians(view, self.segments, &objectives, &points);
        let mean = |(sum, objective): (Array2<f64>, &&Objective)| Arc::new(sum / view.training_weight(objective));
        let means = sums.into_iter().zip(&objectives).map(mean);
        let of_slot: BTreeMap<usize, Arc<Array2<f64>>> = wanted.iter().copied().zip(means).collect();
        wanting
            .iter()
            .filter_map(|&index| Some((live[index], Arc::clone(of_slot.get(&of_column[index])?))))
            .collect()
    }

    fn evaluation(
        &self,
        column: usize,
        seen: &trips::Seen,
        scores: &Scores,
        hessian: Option<Arc<Array2<f64>>>,
    ) -> Evaluation {
        let view = self.ledger.task.view;
        let objective = &self.ledger.columns[column].objective;
        let weight = view.training_weight(objective);
        let squared: f64 = view
            .groups_as(objective.fold, Role::Train)
            .map(|group| scores.squared[[group, seen.position]])
            .sum();
        let [zero, one] = view.class_sums_as(objective.fold, Role::Train);
        Evaluation {
            loss: evaluate::training_loss(view, scores, seen.position, objective),
            gradient: seen.gradient.iter().map(|sum| sum / weight).collect(),
            curvature: squared / (zero + one),
            hessian,
        }
    }

    /// Tells the live runs what was seen of them.
    fn tell(&mut self, live: &[usize], evaluations: Vec<Evaluation>) -> Vec<Verdict> {
        let runs = self.runs.iter_mut().enumerate();
        let descents: Vec<&mut Descent> = runs
            .filter(|(column, _)| live.binary_search(column).is_ok())
            .filter_map(|(_, run)| run.descent.as_mut())
            .collect();
        descents
            .into_par_iter()
            .zip(evaluations)
            .map(|(descent, evaluation)| descent.tell(evaluation))
            .collect()
    }

    /// Takes note of what became of a run's evaluation.
    fn take_note(&mut self, column: usize, verdict: Verdict, (scores, position): (&Scores, usize)) -> Next {
        let (view, allowed) = (self.ledger.task.view, self.ledger.allowed(column));
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
            Verdict::Converged
                if is_free && run.epochs < allowed && view.map.expanded_columns() <= MOST_EXAMINED_COLUMNS =>
            {
                return Next::Examine;
            }
            Verdict::Lost => Some((RunState::Failed, Reason::Diverged)),
            Verdict::Converged => Some((RunState::Complete, Reason::Tol)),
            _ if run.epochs >= allowed => Some((RunState::Complete, Reason::MaxEpochs)),
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
    fn examine(&mut self, suspects: &[usize]) -> Vec<usize> {
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
        let hessians = trips::hessians(view, self.segments, &objectives, &points);
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
            match separation::look(view, self.segments, objective, &direction) {
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

    fn end(&mut self, column: usize, state: RunState, reason: Reason, note: Option<String>) {
        self.runs[column].is_done = true;
        self.ended.push(Ended {
            column,
            state,
            reason,
            note,
        });
    }

    /// New directions for the runs that need one.
    fn advance(&mut self, walking: &[usize]) {
        for (learned, curvature) in [false, true].into_iter().zip(self.curvatures.shared()) {
            let Some(curvature) = curvature else { continue };
            let columns = &self.ledger.columns;
            let mut descents: Vec<&mut Descent> = self
                .runs
                .iter_mut()
                .enumerate()
                .filter(|(column, _)| walking.binary_search(column).is_ok())
                .filter(|(column, _)| columns[*column].objective.fit_intercept == learned)
                .filter_map(|(_, run)| run.descent.as_mut())
                .collect();
            advance(&mut descents, curvature);
        }
    }

    /// Ends the runs without a penalty whose classes a step of theirs separates: their weights would grow for ever.
    fn look_for_separation(&mut self, walking: &[usize]) {
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
                separation::look(self.ledger.task.view, self.segments, objective, &direction)
            {
                self.end(column, RunState::Failed, Reason::Separated, Some(feature));
            }
        }
    }

    /// The outcomes of all runs; scores that need rows in order are made for all of them together.
    fn outcomes(mut self) -> Vec<Outcome> {
        let view = self.ledger.task.view;
        let ended = std::mem::take(&mut self.ended);
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
