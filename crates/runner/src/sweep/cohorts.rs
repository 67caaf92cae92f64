//! The cohorts of a sweep, trained to their end or, where the sweep prunes, together from rung to rung.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use gradsweep_data::Element;
use gradsweep_math::Real;
use gradsweep_store::{RunState, StoreWriter};

use super::Repeat;
use crate::config::Config;
use crate::error::RunError;
use crate::event::{Event, Observer};
use crate::plan::Plan;
use crate::record;
use crate::rungs::{Ladder, Standings, survivors};
use crate::stop::StopFlag;
use crate::summary::Seconds;
use crate::train::{BlockState, Outcome, Task, Training, View};

/// What is trained, and under which rules.
pub(super) struct Work<'a> {
    /// The config, its values of C known.
    pub(super) config: &'a Config,
    /// The whole plan.
    pub(super) plan: &'a Plan,
    /// The plan without the runs that are recorded.
    pub(super) pending: &'a Plan,
    /// Where the sweep prunes.
    pub(super) ladder: Option<&'a Ladder>,
    /// The first rows only.
    pub(super) rows: Option<usize>,
    /// The store's directory.
    pub(super) dir: &'a Path,
    pub(super) stop: &'a StopFlag,
    pub(super) observer: &'a dyn Observer,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Trained {
    /// Columns times epochs.
    pub(super) epochs: u64,
    /// What outcomes had to say, as the feature that separates the classes.
    pub(super) notes: Vec<String>,
    runs: usize,
}

/// A cohort between two rungs.
enum Cohort<T> {
    Waiting,
    Paused(Vec<BlockState<T>>),
    Done,
}

/// Trains all runs that are still to be trained, and records each when it ends.
pub(super) fn train<T: Real + Element>(
    mut data: Repeat<T>,
    work: &Work<'_>,
    writer: &mut StoreWriter,
    seconds: &mut Seconds,
) -> Result<(Repeat<T>, Trained), RunError> {
    let mut trained = Trained::default();
    let mut race = Race::new(work)?;
    let mut cohorts: Vec<Cohort<T>> = work.pending.cohorts.iter().map(|_| Cohort::Waiting).collect();
    let rungs = work.ladder.map_or(&[][..], Ladder::epochs);
    let ends = rungs.iter().copied().map(Some).chain([None]);
    for (rung, end) in ends.enumerate() {
        for index in 0..cohorts.len() {
            if matches!(cohorts[index], Cohort::Done) {
                continue;
            }
            if work.stop.is_set() {
                return Err(work.stopped(&trained));
            }
            data = data.switch(work.config, work.rows, work.pending.cohorts[index].repeat, seconds)?;
            let view = View::new(&data, work.config);
            let training_since = Instant::now();
            let task = Task {
                plan: work.pending,
                cohort: index,
                view: &view,
                stood: &BTreeMap::new(),
                observer: work.observer,
            };
            let mut training = match std::mem::replace(&mut cohorts[index], Cohort::Done) {
                Cohort::Paused(states) => Training::restored(task, states),
                _ => Training::new(task),
            };
            if !race.fallen.is_empty() {
                training.prune(&race.fallen, rung as u32 - 1);
            }
            let epoch = end.unwrap_or(u32::MAX);
            training.advance(epoch, &|| work.stop.is_set());
            let mut outcomes = training.take_outcomes();
            race.take(&view, &outcomes, &training.standings(), work.ladder);
            let has_reached = training.has_reached(epoch);
            let left = training.states();
            seconds.train += training_since.elapsed().as_secs_f64();
            trained.take(&outcomes);
            outcomes.sort_by_key(|outcome| outcome.run);
            if let Some(ladder) = work.ladder {
                for outcome in &mut outcomes {
                    outcome.rung = match outcome.state {
                        RunState::Complete => Some(ladder.end()),
                        RunState::Failed => Some(rung as u32),
                        RunState::Pruned => outcome.rung,
                    };
                }
            }
            let writing = Instant::now();
            if !outcomes.is_empty() {
                writer.append(&record::part(work.pending, &view, &data.encoding, outcomes))?;
            }
            seconds.write += writing.elapsed().as_secs_f64();
            if !has_reached {
                return Err(work.stopped(&trained));
            }
            if left.is_empty() {
                work.observer.observe(&Event::Recorded { cohort: index });
            } else {
                cohorts[index] = Cohort::Paused(left);
            }
        }
        if end.is_some() {
            race.decide(work, rung);
        }
    }
    Ok((data, trained))
}

impl Work<'_> {
    fn stopped(&self, trained: &Trained) -> RunError {
        let recorded = self.plan.runs.len() - self.pending.pending() + trained.runs;
        RunError::Stopped {
            dir: self.dir.to_path_buf(),
            is_over_time: matches!(self.stop.cause(), Some(crate::stop::StopCause::TimeLimit)),
            finished: recorded,
            runs: self.plan.runs.len(),
        }
    }
}

impl Trained {
    fn take(&mut self, outcomes: &[Outcome]) {
        self.runs += outcomes.len();
        self.epochs += outcomes.iter().map(|outcome| u64::from(outcome.epochs)).sum::<u64>();
        self.notes
            .extend(outcomes.iter().filter_map(|outcome| outcome.note.clone()));
    }
}

/// The trials that are still in the sweep, and how their runs stand.
struct Race {
    alive: BTreeSet<usize>,
    standings: Standings,
    /// Runs of the trials that the last rung has ended.
    fallen: Vec<usize>,
    /// What the store says of runs that an earlier process recorded: their scores by epoch, and the last one.
    recorded: BTreeMap<usize, (Vec<(u32, f64)>, Option<f64>)>,
}

impl Race {
    fn new(work: &Work<'_>) -> Result<Self, RunError> {
        let mut race = Self {
            alive: (0..work.plan.trials.len()).collect(),
            standings: Standings::new(),
            fallen: Vec::new(),
            recorded: BTreeMap::new(),
        };
        if work.ladder.is_some() && work.pending.pending() < work.plan.runs.len() {
            race.recorded = recorded(work)?;
        }
        Ok(race)
    }

    /// Takes note of the runs of a cohort at a rung.
    fn take<T: Real>(
        &mut self,
        view: &View<'_, T>,
        outcomes: &[Outcome],
        standings: &[(usize, crate::train::Standing)],
        ladder: Option<&Ladder>,
    ) {
        if ladder.is_none() {
            return;
        }
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
    fn decide(&mut self, work: &Work<'_>, rung: usize) {
        let Some(ladder) = work.ladder else { return };
        for (&run, (history, last)) in &self.recorded {
            let at = history.iter().find(|(epoch, _)| *epoch == ladder.epochs()[rung]);
            self.standings.insert(run, at.map(|(_, score)| *score).or(*last));
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

/// The selecting metric of the runs that the store has, by epoch and at the end.
fn recorded(work: &Work<'_>) -> Result<BTreeMap<usize, (Vec<(u32, f64)>, Option<f64>)>, RunError> {
    let store = gradsweep_store::Store::open(work.dir)?;
    let select = work.config.sweep.metric.name();
    let places: BTreeMap<_, usize> = work
        .plan
        .runs
        .iter()
        .enumerate()
        .map(|(index, run)| (run.id, index))
        .collect();
    let mut recorded = BTreeMap::new();
    for row in store.runs()? {
        let (Some(record), Some(&index)) = (&row.record, places.get(&row.run)) else {
            continue;
        };
        let is_usable = record.state != RunState::Failed;
        let history = store.history(row.run)?;
        let points = history
            .iter()
            .filter(|point| point.split == gradsweep_store::Split::Val && &*point.metric == select)
            .map(|point| (point.epoch, point.value));
        let points = if is_usable { points.collect() } else { Vec::new() };
        recorded.insert(index, (points, record.val_score(select).filter(|_| is_usable)));
    }
    Ok(recorded)
}
