//! The cohorts of a sweep, trained to their end or, where the sweep prunes, together from rung to rung.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use gradsweep_data::{Element, Encoding};
use gradsweep_math::Real;
use gradsweep_store::{Part, Reason, RunState, StoreWriter};

use super::Loaded;
use super::paused::{Cohort, Cohorts};
use super::race::{Race, epochs_of};
use crate::checkpoint::{self, CohortState};
use crate::config::Config;
use crate::error::RunError;
use crate::event::{Event, Observer};
use crate::plan::{Plan, Preparation};
use crate::record;
use crate::rungs::Ladder;
use crate::stop::{StopCause, StopFlag};
use crate::summary::Seconds;
use crate::train::{End, Outcome, Task, View};

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
    /// Runs of trials that are still to be asked for, at the most.
    pub(super) later: usize,
    pub(super) stop: &'a StopFlag,
    pub(super) observer: &'a dyn Observer,
}

/// Least time between two checkpoints.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// Share of the time that checkpoints may take, where they are not asked for every moment.
const LARGEST_SHARE: f64 = 0.01;
/// Intervals from which on checkpoints keep to that share.
const SPARING: Duration = Duration::from_secs(1);

/// How cohorts stood when an earlier process stopped, by the names of their checkpoints.
pub(super) type Stopped<T> = BTreeMap<String, CohortState<T>>;

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Trained {
    /// Columns times epochs.
    pub(super) epochs: u64,
    /// What outcomes had to say, as the feature that separates the classes.
    pub(super) notes: Vec<String>,
    /// What the panics said that ended runs, once for each run.
    pub(super) panics: Vec<String>,
    /// The smallest and the largest learning rate that runs found for themselves.
    pub(super) rates: Option<[f64; 2]>,
    /// Epochs that an earlier process has trained runs for.
    begun: BTreeMap<usize, u32>,
    runs: usize,
}

/// Trains all runs that are still to be trained, and records each when it ends.
///
/// What became of trials at a rung is written nowhere: it follows from the scores that runs had there, which records and
/// checkpoints hold, so a sweep that goes on decides all rungs again from the first. A cohort that had left a rung behind
/// waits until the others have too.
pub(super) fn train<T: Real + Element>(
    (mut data, stopped): (Loaded<T>, Stopped<T>),
    work: &Work<'_>,
    writer: &mut StoreWriter,
    seconds: &mut Seconds,
) -> Result<(Loaded<T>, Trained), RunError> {
    let mut trained = Trained::default();
    // Its blocks are those of the runs that are left.
    let mut plan = work.pending.clone();
    let mut race = Race::new(work, &stopped)?;
    trained.begun = epochs_of(&stopped);
    let mut cohorts = Cohorts::new(work, stopped, &mut plan);
    cohorts.save_waiting(work, (writer, seconds))?;
    let rungs = work.ladder.map_or(&[][..], Ladder::epochs);
    // What ends with the trial that reaches the target, in one part: a sweep that is killed has all of it or nothing.
    let mut last = Part::default();
    let is_over = race.has_winner(work);
    for (rung, end) in rungs.iter().copied().map(Some).chain([None]).enumerate() {
        for index in 0..cohorts.all.len() {
            if is_over || cohorts.is_done(index) || cohorts.rungs[index] > rung {
                continue;
            }
            if work.stop.is_set() {
                cohorts.save(work, None, (writer, seconds))?;
                return Err(work.stopped(&trained));
            }
            data = data.switch(work.config, work.rows, work.rows_of(index), seconds)?;
            let view = View::new(&data, work.config);
            let since = Instant::now();
            let mut outcomes = Vec::new();
            cohorts.check(index, work, &mut plan, &view);
            if !race.fallen.is_empty() && cohorts.rungs[index] < rung {
                let mut training = cohorts.take(index, Task::new(&plan, index, &view, work.observer));
                training.end(&race.fallen, End::Pruned(rung.checked_sub(1).map(|rung| rung as u32)));
                outcomes = training.take_outcomes();
                let states = training.states();
                drop(training);
                cohorts.regroup(index, states, &mut plan);
            }
            cohorts.rungs[index] = rung;
            let mut training = cohorts.take(index, Task::new(&plan, index, &view, work.observer));
            let epoch = end.unwrap_or(u32::MAX);
            let mut since = since;
            let has_reached = loop {
                let due = cohorts.due;
                let pause = || work.stop.is_set() || due.is_some_and(|due| Instant::now() >= due);
                outcomes.append(&mut race.advance(work, &view, &mut training, epoch, &pause));
                cohorts.keep_ends(index, training.take_ends());
                let has_reached = race.winner.is_some() || training.has_reached(epoch);
                seconds.train += since.elapsed().as_secs_f64();
                let ended = std::mem::take(&mut outcomes);
                let part = trained.part(work, (rung, &view, &data.encoding), ended);
                if race.winner.is_some() {
                    join(&mut last, part);
                    break true;
                }
                let writing = Instant::now();
                writer.append(&part)?;
                seconds.write += writing.elapsed().as_secs_f64();
                if has_reached {
                    break true;
                }
                cohorts.save(work, Some((index, &training)), (writer, seconds))?;
                if work.stop.is_set() {
                    break false;
                }
                since = Instant::now();
            };
            if !has_reached {
                return Err(work.stopped(&trained));
            }
            cohorts.put(index, training.states());
            if race.winner.is_some() {
                break;
            }
            if cohorts.is_done(index) {
                cohorts.finish(work, index, (writer, seconds))?;
                work.observer.observe(&Event::Recorded { cohort: index });
            }
        }
        if race.winner.is_some() {
            break;
        }
        if end.is_some() {
            race.decide(work, rung);
        }
    }
    // A trial has reached the target: what still is on its way ends, and what has not begun never does.
    for index in 0..cohorts.all.len() {
        if matches!(cohorts.all[index], Cohort::Paused(_)) {
            data = data.switch(work.config, work.rows, work.rows_of(index), seconds)?;
            let view = View::new(&data, work.config);
            let mut training = cohorts.take(index, Task::new(&plan, index, &view, work.observer));
            race.close(work, &mut training);
            let outcomes = training.take_outcomes();
            join(
                &mut last,
                trained.part(work, (rungs.len(), &view, &data.encoding), outcomes),
            );
        }
    }
    cohorts.close(&last, race.winner.is_some(), (writer, seconds))?;
    Ok((data, trained))
}

/// Two parts as one.
fn join(part: &mut Part, other: Part) {
    part.runs.extend(other.runs);
    part.history.extend(other.history);
    part.coefficients.extend(other.coefficients);
}

impl<'a> Work<'a> {
    /// The whole cohort, runs that are recorded included, of which a pending one is what is left.
    pub(super) fn of(&self, pending: usize) -> &'a crate::plan::Cohort {
        let left = &self.pending.cohorts[pending];
        let first = left.blocks.first().and_then(|block| block.runs.first());
        let holds = |cohort: &&crate::plan::Cohort| {
            let mut runs = cohort.blocks.iter().flat_map(|block| &block.runs);
            runs.any(|run| Some(run) == first)
        };
        self.plan.cohorts.iter().find(holds).unwrap_or(left)
    }

    /// The rows that a pending cohort walks over.
    pub(super) fn rows_of(&self, pending: usize) -> (u32, &'a Preparation) {
        self.pending.rows_of(self.pending.cohorts[pending].rows)
    }

    pub(super) fn name(&self, pending: usize) -> String {
        checkpoint::name(self.plan, self.of(pending))
    }

    /// When training pauses for the next checkpoint, after one that took so long.
    pub(super) fn next_checkpoint(&self, took: Duration) -> Option<Instant> {
        // With no time at all between two checkpoints there would be nothing but checkpoints.
        let every = self.config.run.checkpoint_every().unwrap_or(Duration::MAX);
        let mut every = every.max(SHORTEST_INTERVAL);
        if every >= SPARING {
            every = every.max(took.div_f64(LARGEST_SHARE));
        }
        Instant::now().checked_add(every)
    }

    pub(super) fn compares(&self) -> bool {
        self.ladder.is_some() || self.config.sweep.target.is_some()
    }

    fn stopped(&self, trained: &Trained) -> RunError {
        let recorded = self.plan.runs.len() - self.pending.pending() + trained.runs;
        RunError::Stopped {
            dir: self.dir.to_path_buf(),
            cause: self.stop.cause().unwrap_or(StopCause::Asked),
            finished: recorded,
            runs: self.plan.runs.len() + self.later,
        }
    }
}

impl Trained {
    /// Whether any run was trained.
    pub(super) fn is_begun(&self) -> bool {
        self.runs > 0
    }

    /// Takes in what became of further runs.
    pub(super) fn add(&mut self, other: Self) {
        self.epochs += other.epochs;
        self.runs += other.runs;
        self.notes.extend(other.notes);
        self.panics.extend(other.panics);
        self.rates = match (self.rates, other.rates) {
            (Some([least, most]), Some([low, high])) => Some([least.min(low), most.max(high)]),
            (one, other) => one.or(other),
        };
    }

    /// Takes note of outcomes, and makes the part of the store that they are. `rung` is the one that was on its way.
    fn part<T: Real>(
        &mut self,
        work: &Work<'_>,
        (rung, view, encoding): (usize, &View<'_, T>, &Encoding),
        mut outcomes: Vec<Outcome>,
    ) -> Part {
        self.runs += outcomes.len();
        for outcome in &outcomes {
            let begun = self.begun.get(&outcome.run).copied().unwrap_or(0);
            self.epochs += u64::from(outcome.epochs.saturating_sub(begun));
        }
        for outcome in &outcomes {
            let notes = match outcome.reason {
                Some(Reason::Panic) => &mut self.panics,
                _ => &mut self.notes,
            };
            notes.extend(outcome.note.clone());
        }
        for rate in outcomes.iter().filter_map(|outcome| outcome.found_rate) {
            let [least, most] = self.rates.unwrap_or([rate; 2]);
            self.rates = Some([least.min(rate), most.max(rate)]);
        }
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
        record::part(work.pending, view, encoding, outcomes)
    }
}
