//! Which trials are still in a sweep whose trials are compared on their way.

use std::collections::{BTreeMap, BTreeSet};

use gradsweep_math::Real;
use gradsweep_store::{RunId, RunState, Split};

use super::cohorts::{Stopped, Work};
use crate::error::RunError;
use crate::rungs::{Standings, means, survivors};
use crate::train::{BlockState, End, LiveRun, Outcome, Standing, Training, View};

/// What an earlier process has seen of a run: the selecting metric by epoch and, if the run has ended, its last.
struct Earlier {
    points: Vec<(u32, f64)>,
    has_ended: bool,
    /// Its last, of a run that has ended and did not fail.
    last: Option<f64>,
}

/// The trials that are still in the sweep, and how their runs stand.
pub(super) struct Race {
    alive: BTreeSet<usize>,
    standings: Standings,
    /// Runs of the trials that the last rung has ended.
    pub(super) fallen: Vec<usize>,
    /// The trial that has reached the target.
    pub(super) winner: Option<usize>,
    /// What is known of runs that an earlier process trained: their scores by epoch, and for those that have ended the last.
    earlier: BTreeMap<usize, Earlier>,
}

impl Race {
    pub(super) fn new<T>(work: &Work<'_>, stopped: &Stopped<T>) -> Result<Self, RunError> {
        let mut race = Self {
            alive: (0..work.plan.trials.len()).collect(),
            standings: Standings::new(),
            fallen: Vec::new(),
            winner: None,
            earlier: BTreeMap::new(),
        };
        if work.compares() {
            race.earlier = on_their_way(work, stopped);
            if work.pending.pending() < work.plan.runs.len() {
                race.earlier.extend(recorded(work)?);
            }
            let ends = race
                .earlier
                .iter()
                .filter(|(_, earlier)| earlier.has_ended)
                .map(|(run, earlier)| (*run, earlier.last));
            race.standings.extend(ends);
        }
        Ok(race)
    }

    /// Advances a cohort to an epoch, or to the one in which a trial reaches the target; returns what has ended.
    pub(super) fn advance<T: Real>(
        &mut self,
        work: &Work<'_>,
        view: &View<'_, T>,
        training: &mut Training<'_, T>,
        end: u32,
        pause: &(dyn Fn() -> bool + Sync),
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            let next = if work.config.sweep.target.is_some() {
                // Of the runs that are furthest behind, where training was stopped while an epoch was under way.
                (training.least_epoch() + 1).min(end)
            } else {
                end
            };
            training.advance(next, pause);
            let ended = training.take_outcomes();
            if work.compares() {
                self.take(view, &ended, &training.standings());
            }
            outcomes.extend(ended);
            if training.has_reached(next) && self.has_winner(work) {
                self.close(work, training);
                outcomes.append(&mut training.take_outcomes());
                return outcomes;
            }
            if training.has_reached(end) || pause() {
                return outcomes;
            }
        }
    }

    /// Looks for a trial of which all runs together reach the target: the best, the first of equals.
    pub(super) fn has_winner(&mut self, work: &Work<'_>) -> bool {
        let Some(target) = work.config.sweep.target else {
            return false;
        };
        let metric = work.config.sweep.metric;
        let means = means(work.plan, &self.standings);
        let better = |a: f64, b: f64| if metric.higher_is_better() { a > b } else { a < b };
        let mut best: Option<(usize, f64)> = None;
        for &trial in &self.alive {
            if let Some(mean) = means[trial].filter(|mean| metric.reaches(*mean, target))
                && best.is_none_or(|(_, held)| better(mean, held))
            {
                best = Some((trial, mean));
            }
        }
        self.winner = best.map(|(trial, _)| trial);
        self.winner.is_some()
    }

    /// Ends a cohort when a trial has reached the target: its runs are complete, the others pruned.
    pub(super) fn close<T: Real>(&self, work: &Work<'_>, training: &mut Training<'_, T>) {
        let live = training.standings().into_iter().map(|(run, _)| run);
        let (own, others): (Vec<usize>, Vec<usize>) =
            live.partition(|run| Some(work.plan.runs[*run].trial) == self.winner);
        training.end(&own, End::Reached);
        training.end(&others, End::Pruned(None));
    }

    /// Takes note of how the runs of a cohort stand.
    fn take<T: Real>(&mut self, view: &View<'_, T>, outcomes: &[Outcome], standings: &[(usize, Standing)]) {
        for outcome in outcomes {
            let score = outcome.val.iter().find(|(metric, _)| *metric == view.select);
            let score = score.filter(|_| outcome.state != RunState::Failed);
            self.standings.insert(outcome.run, score.map(|(_, score)| *score));
        }
        for (run, standing) in standings {
            self.standings.insert(*run, standing.val_score(view.select));
        }
    }

    /// Compares the trials at a rung that all of them have reached.
    pub(super) fn decide(&mut self, work: &Work<'_>, rung: usize) {
        let Some(ladder) = work.ladder else { return };
        for (&run, earlier) in &self.earlier {
            let at = earlier.points.iter().find(|(epoch, _)| *epoch == ladder.epochs()[rung]);
            // A run that has not ended and has no score there has been trained up to there since.
            if let Some(score) = at
                .map(|(_, score)| Some(*score))
                .or(earlier.has_ended.then_some(earlier.last))
            {
                self.standings.insert(run, score);
            }
        }
        let higher_is_better = work.config.sweep.metric.higher_is_better();
        let kept = survivors(
            ladder,
            rung,
            work.plan,
            &self.alive,
            (&self.standings, higher_is_better),
        );
        let has_fallen = |run: &usize| {
            let trial = work.plan.runs[*run].trial;
            self.alive.contains(&trial) && !kept.contains(&trial)
        };
        self.fallen = (0..work.plan.runs.len()).filter(has_fallen).collect();
        self.alive = kept;
    }
}

/// The epochs of the runs that checkpoints hold.
pub(super) fn epochs_of<T>(stopped: &Stopped<T>) -> BTreeMap<usize, u32> {
    let blocks = stopped.values().flat_map(|state| &state.blocks);
    let runs = blocks.flat_map(|block| -> Vec<(usize, u32)> {
        match block {
            BlockState::Steps(block) => block.runs.iter().map(|run| (run.run, run.standing.epoch)).collect(),
            BlockState::Descents(block) => block.runs.iter().map(|run| (run.run, run.epochs)).collect(),
        }
    });
    runs.collect()
}

/// The selecting metric by epoch of the runs that checkpoints hold.
fn on_their_way<T>(work: &Work<'_>, stopped: &Stopped<T>) -> BTreeMap<usize, Earlier> {
    let blocks = stopped.values().flat_map(|state| &state.blocks);
    let runs = blocks.flat_map(|block| match block {
        BlockState::Steps(block) => &block.runs[..],
        BlockState::Descents(_) => &[],
    });
    let select = work.config.sweep.metric.name();
    let earlier = |run: &LiveRun<T>| {
        let own = run.history.iter();
        let own = own.filter(|point| point.split == Split::Val && point.metric.name() == select);
        let points = own.map(|point| (point.epoch, point.value)).collect();
        (
            run.run,
            Earlier {
                points,
                has_ended: false,
                last: None,
            },
        )
    };
    runs.map(earlier).collect()
}

/// The selecting metric, by epoch and at the end, of the runs that the store has and that are not trained again.
fn recorded(work: &Work<'_>) -> Result<BTreeMap<usize, Earlier>, RunError> {
    let store = gradsweep_store::Store::open(work.dir)?;
    let select = work.config.sweep.metric.name();
    let pending = work.pending.cohorts.iter().flat_map(|cohort| &cohort.blocks);
    let pending: BTreeSet<usize> = pending.flat_map(|block| &block.runs).copied().collect();
    let places: BTreeMap<RunId, usize> = work
        .plan
        .runs
        .iter()
        .enumerate()
        .map(|(index, run)| (run.id, index))
        .filter(|(_, index)| !pending.contains(index))
        .collect();
    let (mut recorded, mut ends) = (BTreeMap::new(), BTreeMap::new());
    for row in store.runs()? {
        let (Some(record), Some(&index)) = (&row.record, places.get(&row.run)) else {
            continue;
        };
        let has_failed = record.state == RunState::Failed;
        let earlier = Earlier {
            points: Vec::new(),
            has_ended: true,
            last: record.val_score(select).filter(|_| !has_failed),
        };
        recorded.insert(index, earlier);
        // A run that failed has scores up to the epoch before.
        ends.insert(index, if has_failed { record.epochs } else { u32::MAX });
    }
    let ids: Vec<RunId> = recorded.keys().map(|&index| work.plan.runs[index].id).collect();
    for point in store.history_of(&ids)? {
        let index = places[&point.run];
        if point.split == Split::Val && &*point.metric == select && point.epoch < ends[&index] {
            recorded
                .entry(index)
                .and_modify(|earlier: &mut Earlier| earlier.points.push((point.epoch, point.value)));
        }
    }
    Ok(recorded)
}
