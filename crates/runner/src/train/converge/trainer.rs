//! A block of runs on their way to their minima.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::{Hessians, Objective};
use gradsweep_math::metric::Metric;
use gradsweep_math::solver::{Curvature, Descent, Evaluation, Verdict, advance};
use gradsweep_math::workspace::{Scores, Sums};
use ndarray::Array2;
use rayon::prelude::*;

use super::curvatures::Curvatures;
use super::path::{self, Start};
use super::state::{BlockOfDescents, Ended};
use super::trips::{Partial, Seen, Segment, Trip};
use crate::plan::Block;
use crate::train::full::segments;
use crate::train::ledger::Ledger;
use crate::train::training::End;
use crate::train::{BlockState, Outcome, Standing, Task, evaluate, training};

/// What all blocks of a cohort share.
pub(crate) struct Ground {
    pub(super) segments: Vec<Segment>,
    pub(super) curvatures: Curvatures,
}

impl Ground {
    /// For the blocks that have runs on their way.
    pub(crate) fn new<T: Real>(task: &Task<'_, '_, T>, blocks: &[&Block]) -> Self {
        let segments = segments(task.view.groups);
        Self {
            curvatures: Curvatures::new(task, &segments, blocks),
            segments,
        }
    }
}

/// One run of the block.
pub(super) struct Run {
    pub(super) start: Start,
    pub(super) descent: Option<Descent>,
    pub(super) is_done: bool,
    pub(super) epochs: u32,
    /// Scores at its standing.
    pub(super) train: Vec<(Metric, f64)>,
    pub(super) val: Vec<(Metric, f64)>,
}

/// What a run needs after an evaluation.
pub(super) enum Next {
    /// A direction.
    Walk,
    /// A look whether its classes are separated.
    Examine,
    /// Another evaluation, or nothing any more.
    Nothing,
}

/// What the live runs ask of a trip.
pub(super) struct Asked {
    live: Vec<usize>,
    /// The point of each.
    points: Vec<Vec<f64>>,
    /// The columns of the trip, each by the position of a live run.
    pub(super) slots: Vec<usize>,
    /// The column of each live run.
    of_column: Vec<usize>,
}

/// A trip that was told to pause.
#[derive(Default)]
pub(super) struct Paused {
    pub(super) sums: Option<Partial<Sums>>,
    pub(super) hessians: Option<Partial<Hessians>>,
}

/// One block on its way.
pub(crate) struct Trainer<'a, 'v, T> {
    pub(super) ledger: Ledger<'a, 'v, T>,
    pub(super) ground: Arc<Ground>,
    pub(super) runs: Vec<Run>,
    /// Those that are done, in the order in which they ended.
    pub(super) ended: Vec<Ended>,
    pub(super) paused: Paused,
    pub(super) outcomes: Vec<Outcome>,
    /// The block as it stood when the first of its runs had had its epochs.
    pub(super) end: Option<BlockOfDescents>,
    /// Whether the outcomes have been made.
    pub(super) is_over: bool,
}

impl<'a, 'v, T: Real> Trainer<'a, 'v, T> {
    pub(crate) fn new(
        task: Task<'a, 'v, T>,
        ground: &Arc<Ground>,
        (index, block): (usize, &'a Block),
        state: Option<BlockOfDescents>,
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
        let mut trainer = Self {
            ledger,
            ground: Arc::clone(ground),
            runs,
            ended: Vec::new(),
            paused: Paused::default(),
            outcomes: Vec::new(),
            end: None,
            is_over: false,
        };
        if let Some(state) = state {
            trainer.restore(state);
        }
        trainer
    }

    /// The runs that are on their way.
    pub(super) fn live(&self) -> Vec<usize> {
        (0..self.runs.len())
            .filter(|&column| self.runs[column].descent.is_some() && !self.runs[column].is_done)
            .collect()
    }

    pub(super) fn curvature(&self, column: usize) -> &Curvature {
        self.ground
            .curvatures
            .of(self.ledger.columns[column].objective.fit_intercept)
    }

    /// One trip over all rows: every live run is told what it asked for, and takes its next step or leaves; unless the trip is
    /// told to pause on its way.
    fn pass(&mut self, live: &[usize], pause: &(dyn Fn() -> bool + Sync)) -> ControlFlow<()> {
        let view = self.ledger.task.view;
        let asked = self.asked(live);
        let (objectives, points) = self.of_slots(&asked, &asked.slots);
        let trip = Trip::new(view, &self.ground.segments, &objectives, &points);
        let mut sums = self.paused.sums.take().unwrap_or_else(|| trip.no_sums(view));
        let mut went = trip.add_sums(view, &self.ground.segments, &mut sums, pause);
        let mut hessians = BTreeMap::new();
        if went.is_continue() {
            let mut partial = self.paused.hessians.take();
            went = self.find_hessians(&asked, &mut partial, &mut hessians, pause);
            self.paused.hessians = partial.filter(|_| went.is_break());
        }
        if went.is_break() {
            self.paused.sums = Some(sums);
            return went;
        }
        let (seen, scores) = trip.seen(view, sums);
        let of_column = asked.of_column;

        let of_run = |index: usize| {
            let seen = &seen[of_column[index]];
            (seen, &scores[seen.scores])
        };
        let evaluations = live.iter().enumerate().map(|(index, &column)| {
            let (seen, scores) = of_run(index);
            self.evaluation(column, seen, scores, hessians.remove(&column))
        });
        let verdicts = self.tell(live, evaluations.collect());
        let (mut walking, mut suspects, mut out) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (&column, verdict)) in live.iter().zip(verdicts).enumerate() {
            let (seen, scores) = of_run(index);
            let next = self.take_note(column, verdict, (scores, seen.position));
            if !self.runs[column].is_done && self.runs[column].epochs >= self.ledger.allowed(column) {
                out.push(column);
            }
            match next {
                Next::Walk => walking.push(column),
                Next::Examine => suspects.push(column),
                Next::Nothing => {}
            }
        }
        walking.extend(self.examine(&suspects));
        walking.sort_unstable();
        self.advance(&walking);
        self.look_for_separation(&walking);
        self.run_out(&out);
        ControlFlow::Continue(())
    }

    /// What the live runs ask of the next trip: runs at one point of one loss share a column, as all strengths of a fold do at
    /// their start.
    pub(super) fn asked(&self, live: &[usize]) -> Asked {
        let point = |&column: &usize| {
            self.runs[column]
                .descent
                .as_ref()
                .map(Descent::point)
                .unwrap_or_default()
        };
        let points: Vec<Vec<f64>> = live.iter().map(point).collect();
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
        Asked {
            live: live.to_vec(),
            points,
            slots,
            of_column,
        }
    }

    /// Objectives and points of columns of the trip, each by the live run that stands for it.
    pub(super) fn of_slots(&self, asked: &Asked, slots: &[usize]) -> (Vec<&Objective>, Vec<Vec<f64>>) {
        let objective = |&index: &usize| &self.ledger.columns[asked.live[index]].objective;
        let points = slots.iter().map(|&index| asked.points[index].clone());
        (slots.iter().map(objective).collect(), points.collect())
    }

    /// The live runs that want their Hessians, by position, and the columns of the trip that these are of.
    pub(super) fn wanted_hessians(&self, asked: &Asked) -> (Vec<usize>, Vec<usize>) {
        let wants = |index: &usize| {
            let run = &self.runs[asked.live[*index]];
            run.descent.as_ref().is_some_and(Descent::wants_hessian)
        };
        let wanting: Vec<usize> = (0..asked.live.len()).filter(wants).collect();
        let mut columns: Vec<usize> = wanting.iter().map(|&index| asked.of_column[index]).collect();
        columns.sort_unstable();
        columns.dedup();
        (wanting, columns)
    }

    /// Finds the Hessian of the mean loss of every live run that wants one, unless told to pause on the way; runs that share a
    /// column of the trip share it.
    fn find_hessians(
        &self,
        asked: &Asked,
        partial: &mut Option<Partial<Hessians>>,
        found: &mut BTreeMap<usize, Arc<Array2<f64>>>,
        pause: &(dyn Fn() -> bool + Sync),
    ) -> ControlFlow<()> {
        let (wanting, columns) = self.wanted_hessians(asked);
        if columns.is_empty() {
            return ControlFlow::Continue(());
        }
        let slots: Vec<usize> = columns.iter().map(|&column| asked.slots[column]).collect();
        let (objectives, points) = self.of_slots(asked, &slots);
        let view = self.ledger.task.view;
        let trip = Trip::of_hessians(view, &objectives, &points);
        let sums = partial.get_or_insert_with(|| trip.no_hessians(view));
        trip.add_hessians(view, &self.ground.segments, sums, pause)?;
        let sums = trip.hessians(view, &objectives, sums);
        let mean = |(sum, objective): (Array2<f64>, &&Objective)| Arc::new(sum / view.training_weight(objective));
        let means = sums.into_iter().zip(&objectives).map(mean);
        let of_column: BTreeMap<usize, Arc<Array2<f64>>> = columns.iter().copied().zip(means).collect();
        let of_run = wanting.iter().filter_map(|&index| {
            let hessian = of_column.get(&asked.of_column[index])?;
            Some((asked.live[index], Arc::clone(hessian)))
        });
        found.extend(of_run);
        ControlFlow::Continue(())
    }

    fn evaluation(&self, column: usize, seen: &Seen, scores: &Scores, hessian: Option<Arc<Array2<f64>>>) -> Evaluation {
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

    /// New directions for the runs that need one.
    fn advance(&mut self, walking: &[usize]) {
        for (learned, curvature) in [false, true].into_iter().zip(self.ground.curvatures.shared()) {
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
}

impl<T: Real> training::Trainer<T> for Trainer<'_, '_, T> {
    /// Runs that converge go to their own end.
    fn is_due(&self, _epoch: u32) -> bool {
        !self.is_over
    }

    fn epoch(&mut self, _until: u32, pause: &(dyn Fn() -> bool + Sync)) {
        self.admit();
        let live = self.live();
        if live.is_empty() {
            self.outcomes = self.settle();
            self.is_over = true;
            return;
        }
        let start = Instant::now();
        let went = self.pass(&live, pause);
        self.ledger.spend(&live, start.elapsed().as_secs_f64());
        if went.is_continue() {
            self.ledger.passes += 1;
            self.ledger
                .report(&live, live.iter().map(|&column| self.runs[column].val.as_slice()));
        }
    }

    /// All of its runs: none of them is told of before the block is over.
    fn live(&self) -> Vec<usize> {
        if self.is_over {
            Vec::new()
        } else {
            self.ledger.runs.to_vec()
        }
    }

    fn passes(&self) -> u32 {
        self.ledger.passes
    }

    /// None: their epochs are not those of other solvers.
    fn standings(&self) -> Vec<(usize, Standing)> {
        Vec::new()
    }

    /// Nobody compares them on their way.
    fn end(&mut self, _runs: &[usize], _end: End) {}

    fn take_outcomes(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.outcomes)
    }

    fn take_end(&mut self) -> Option<BlockState<T>> {
        self.end.take().map(BlockState::Descents)
    }

    fn state(&self) -> BlockState<T> {
        BlockState::Descents(self.numbers())
    }

    fn lost(&self, runs: &[usize], passes: u32, panic: &str) -> Vec<Outcome> {
        self.ledger.lost(runs, passes, panic)
    }
}
