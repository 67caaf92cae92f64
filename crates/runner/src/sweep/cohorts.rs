//! The cohorts of a sweep, trained to their end or, where the sweep prunes, together from rung to rung.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use gradsweep_data::{Element, Encoding};
use gradsweep_math::Real;
use gradsweep_store::{Reason, RunState, StoreWriter};

use super::Loaded;
use crate::checkpoint;
use crate::config::Config;
use crate::error::RunError;
use crate::event::{Event, Observer};
use crate::plan::{Plan, Preparation};
use crate::record;
use crate::rungs::{Ladder, Standings, means, survivors};
use crate::stop::{StopCause, StopFlag};
use crate::summary::Seconds;
use crate::train::{BlockState, End, Outcome, Standing, Stood, Task, Training, View, regroup};

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

/// Least time between two checkpoints.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// How cohorts stood when an earlier process stopped, by the names of their checkpoints.
pub(super) type Stopped<T> = BTreeMap<String, Vec<BlockState<T>>>;

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
    (mut data, mut stopped): (Loaded<T>, Stopped<T>),
    work: &Work<'_>,
    writer: &mut StoreWriter,
    seconds: &mut Seconds,
) -> Result<(Loaded<T>, Trained), RunError> {
    let mut trained = Trained::default();
    let mut race = Race::new(work)?;
    let names: Vec<String> = (0..work.pending.cohorts.len()).map(|index| work.name(index)).collect();
    let mut cohorts: Vec<Cohort<T>> = names
        .iter()
        .map(|name| stopped.remove(name).map_or(Cohort::Waiting, Cohort::Paused))
        .collect();
    // Its blocks are those of the runs that are left.
    let mut plan = work.pending.clone();
    let rungs = work.ladder.map_or(&[][..], Ladder::epochs);
    for (rung, end) in rungs.iter().copied().map(Some).chain([None]).enumerate() {
        for (index, cohort) in cohorts.iter_mut().enumerate() {
            if matches!(cohort, Cohort::Done) {
                continue;
            }
            if work.stop.is_set() {
                return Err(work.stopped(&trained));
            }
            data = data.switch(work.config, work.rows, work.rows_of(index), seconds)?;
            let view = View::new(&data, work.config);
            let since = Instant::now();
            let stood = BTreeMap::new();
            let mut outcomes = Vec::new();
            cohort.check(work.task(&plan, index, &view, &stood), rung);
            if !race.fallen.is_empty() {
                let mut training = cohort.take(work.task(&plan, index, &view, &stood));
                training.end(&race.fallen, End::Pruned(rung.checked_sub(1).map(|rung| rung as u32)));
                outcomes = training.take_outcomes();
                let states = training.states();
                drop(training);
                let left: BTreeSet<usize> = states.iter().flat_map(|state| &state.runs).map(|run| run.run).collect();
                plan.recut(index, |run| left.contains(&run));
                *cohort = Cohort::of(regroup(states, &plan.cohorts[index].blocks));
            }
            let mut training = cohort.take(work.task(&plan, index, &view, &stood));
            let epoch = end.unwrap_or(u32::MAX);
            let mut since = since;
            let has_reached = loop {
                let due = work.next_checkpoint();
                let pause = || work.stop.is_set() || due.is_some_and(|due| Instant::now() >= due);
                outcomes.append(&mut race.advance(work, &view, &mut training, epoch, &pause));
                let has_reached = race.winner.is_some() || training.has_reached(epoch);
                seconds.train += since.elapsed().as_secs_f64();
                trained.record(
                    work,
                    (rung, &view, &data.encoding),
                    std::mem::take(&mut outcomes),
                    (writer, seconds),
                )?;
                if has_reached {
                    break true;
                }
                if due.is_some() {
                    let writing = Instant::now();
                    let of = work.of(index);
                    writer.write_checkpoint(&checkpoint::pack(work.plan, of, &training.states()))?;
                    seconds.write += writing.elapsed().as_secs_f64();
                }
                if work.stop.is_set() {
                    break false;
                }
                since = Instant::now();
            };
            if !has_reached {
                return Err(work.stopped(&trained));
            }
            *cohort = Cohort::of(training.states());
            if matches!(cohort, Cohort::Done) {
                writer.remove_checkpoints(&names[index])?;
                work.observer.observe(&Event::Recorded { cohort: index });
            }
            if race.winner.is_some() {
                break;
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
    for (index, cohort) in cohorts.iter_mut().enumerate() {
        if matches!(cohort, Cohort::Paused(_)) {
            data = data.switch(work.config, work.rows, work.rows_of(index), seconds)?;
            let view = View::new(&data, work.config);
            let stood = BTreeMap::new();
            let mut training = cohort.take(work.task(&plan, index, &view, &stood));
            race.close(work, &mut training);
            let outcomes = training.take_outcomes();
            trained.record(work, (rungs.len(), &view, &data.encoding), outcomes, (writer, seconds))?;
        }
    }
    Ok((data, trained))
}

impl<T: Real> Cohort<T> {
    fn of(states: Vec<BlockState<T>>) -> Self {
        if states.is_empty() {
            Self::Done
        } else {
            Self::Paused(states)
        }
    }

    /// Forgets, before the first rung, a state that is none of the cohort: it comes from a file.
    fn check<'a, 'v: 'a>(&mut self, task: Task<'a, 'v, T>, rung: usize) {
        if let Self::Paused(states) = self
            && rung == 0
            && !Training::untested(task).could_stand(states)
        {
            *self = Self::Waiting;
        }
    }

    /// The cohort as it stands, for a while; without blocks when none of its runs is left.
    fn take<'a, 'v: 'a>(&mut self, task: Task<'a, 'v, T>) -> Training<'a, 'v, T> {
        match std::mem::replace(self, Self::Done) {
            Self::Paused(states) => Training::restored(task, states),
            Self::Waiting => Training::new(task),
            Self::Done => Training::restored(task, Vec::new()),
        }
    }
}

impl<'a> Work<'a> {
    fn task<'v, T>(
        &self,
        plan: &'a Plan,
        cohort: usize,
        view: &'a View<'v, T>,
        stood: &'a BTreeMap<usize, Stood>,
    ) -> Task<'a, 'v, T> {
        Task {
            plan,
            cohort,
            view,
            stood,
            observer: self.observer,
        }
    }

    /// The whole cohort, runs that are recorded included, of which a pending one is what is left.
    fn of(&self, pending: usize) -> &'a crate::plan::Cohort {
        let left = &self.pending.cohorts[pending];
        let first = left.blocks.first().and_then(|block| block.runs.first());
        let holds = |cohort: &&crate::plan::Cohort| {
            let mut runs = cohort.blocks.iter().flat_map(|block| &block.runs);
            runs.any(|run| Some(run) == first)
        };
        self.plan.cohorts.iter().find(holds).unwrap_or(left)
    }

    /// The rows that a pending cohort walks over.
    fn rows_of(&self, pending: usize) -> (u32, &'a Preparation) {
        self.pending.rows_of(self.pending.cohorts[pending].rows)
    }

    fn name(&self, pending: usize) -> String {
        checkpoint::name(self.plan, self.of(pending))
    }

    /// When training pauses for the next checkpoint. Trials that are compared on their way have none: where all of them stand
    /// decides what becomes of each.
    fn next_checkpoint(&self) -> Option<Instant> {
        // With no time at all between two checkpoints there would be nothing but checkpoints.
        let every = self.config.run.checkpoint_every().unwrap_or(Duration::MAX);
        let every = every.max(SHORTEST_INTERVAL);
        if self.compares() {
            return None;
        }
        // Beyond the clock's range is never, and still a checkpoint when the sweep is stopped.
        let now = Instant::now();
        Some(now.checked_add(every).unwrap_or(now + Duration::from_secs(1 << 30)))
    }

    fn compares(&self) -> bool {
        self.ladder.is_some() || self.config.sweep.target.is_some()
    }

    fn stopped(&self, trained: &Trained) -> RunError {
        let recorded = self.plan.runs.len() - self.pending.pending() + trained.runs;
        RunError::Stopped {
            dir: self.dir.to_path_buf(),
            cause: self.stop.cause().unwrap_or(StopCause::Asked),
            finished: recorded,
            runs: self.plan.runs.len(),
        }
    }
}

impl Trained {
    /// Takes note of outcomes, and writes them down. `rung` is the one that was on its way.
    fn record<T: Real>(
        &mut self,
        work: &Work<'_>,
        (rung, view, encoding): (usize, &View<'_, T>, &Encoding),
        mut outcomes: Vec<Outcome>,
        (writer, seconds): (&mut StoreWriter, &mut Seconds),
    ) -> Result<(), RunError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        self.runs += outcomes.len();
        self.epochs += outcomes.iter().map(|outcome| u64::from(outcome.epochs)).sum::<u64>();
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
        let writing = Instant::now();
        writer.append(&record::part(work.pending, view, encoding, outcomes))?;
        seconds.write += writing.elapsed().as_secs_f64();
        Ok(())
    }
}

/// The selecting metric of a run by epoch, and at its end.
type Recorded = (Vec<(u32, f64)>, Option<f64>);

/// The trials that are still in the sweep, and how their runs stand.
struct Race {
    alive: BTreeSet<usize>,
    standings: Standings,
    /// Runs of the trials that the last rung has ended.
    fallen: Vec<usize>,
    /// The trial that has reached the target.
    winner: Option<usize>,
    /// What the store says of runs that an earlier process recorded: their scores by epoch, and the last one.
    recorded: BTreeMap<usize, Recorded>,
}

impl Race {
    fn new(work: &Work<'_>) -> Result<Self, RunError> {
        let mut race = Self {
            alive: (0..work.plan.trials.len()).collect(),
            standings: Standings::new(),
            fallen: Vec::new(),
            winner: None,
            recorded: BTreeMap::new(),
        };
        if work.compares() && work.pending.pending() < work.plan.runs.len() {
            race.recorded = recorded(work)?;
            let last = race.recorded.iter().map(|(run, (_, last))| (*run, *last));
            race.standings.extend(last);
        }
        Ok(race)
    }

    /// Advances a cohort to an epoch, or to the one in which a trial reaches the target; returns what has ended.
    fn advance<T: Real>(
        &mut self,
        work: &Work<'_>,
        view: &View<'_, T>,
        training: &mut Training<'_, '_, T>,
        end: u32,
        pause: &(dyn Fn() -> bool + Sync),
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            let next = if work.config.sweep.target.is_some() {
                (training.epoch() + 1).min(end)
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
    fn has_winner(&mut self, work: &Work<'_>) -> bool {
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
    fn close<T: Real>(&self, work: &Work<'_>, training: &mut Training<'_, '_, T>) {
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
fn recorded(work: &Work<'_>) -> Result<BTreeMap<usize, Recorded>, RunError> {
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
