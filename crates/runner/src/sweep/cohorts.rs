//! The cohorts of a sweep, trained to their end or, where the sweep prunes, together from rung to rung.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use gradsweep_data::{Element, Encoding};
use gradsweep_math::Real;
use gradsweep_store::{Part, Reason, RunId, RunState, Split, StoreWriter};

use super::Loaded;
use crate::checkpoint::{self, CohortState};
use crate::config::Config;
use crate::error::RunError;
use crate::event::{Event, Observer};
use crate::more_epochs;
use crate::plan::{Block, Plan, Preparation};
use crate::record;
use crate::rungs::{Ladder, Standings, means, survivors};
use crate::stop::{StopCause, StopFlag};
use crate::summary::Seconds;
use crate::train::{BlockState, End, LiveRun, Outcome, Standing, Stood, Task, Training, View, regroup};

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

/// A cohort between two rungs.
enum Cohort<T> {
    Waiting,
    Paused(Vec<BlockState<T>>),
    Done,
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
            let stood = BTreeMap::new();
            let mut outcomes = Vec::new();
            cohorts.check(index, work, &mut plan, &view);
            if !race.fallen.is_empty() && cohorts.rungs[index] < rung {
                let mut training = cohorts.take(index, work.task(&plan, index, &view, &stood));
                training.end(&race.fallen, End::Pruned(rung.checked_sub(1).map(|rung| rung as u32)));
                outcomes = training.take_outcomes();
                let states = training.states();
                drop(training);
                let left: BTreeSet<usize> = states.iter().flat_map(BlockState::runs).collect();
                plan.recut(index, |run| left.contains(&run));
                cohorts.all[index] = Cohort::of(regroup(states, &plan.cohorts[index].blocks));
            }
            cohorts.rungs[index] = rung;
            let mut training = cohorts.take(index, work.task(&plan, index, &view, &stood));
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
            let stood = BTreeMap::new();
            let mut training = cohorts.take(index, work.task(&plan, index, &view, &stood));
            race.close(work, &mut training);
            let outcomes = training.take_outcomes();
            join(
                &mut last,
                trained.part(work, (rungs.len(), &view, &data.encoding), outcomes),
            );
        }
    }
    let writing = Instant::now();
    writer.append(&last)?;
    if race.winner.is_some() {
        for name in &cohorts.names {
            writer.remove_checkpoints(name)?;
        }
    }
    seconds.write += writing.elapsed().as_secs_f64();
    Ok((data, trained))
}

/// Two parts as one.
fn join(part: &mut Part, other: Part) {
    part.runs.extend(other.runs);
    part.history.extend(other.history);
    part.coefficients.extend(other.coefficients);
}

/// The cohorts of a sweep between two rungs, and what of them is on disk.
struct Cohorts<T> {
    all: Vec<Cohort<T>>,
    names: Vec<String>,
    /// Rungs whose pruned runs have left each cohort.
    rungs: Vec<usize>,
    /// What more epochs would go on from.
    ends: Vec<Vec<BlockState<T>>>,
    /// Those whose state comes from a file and has not been looked at.
    unchecked: BTreeSet<usize>,
    /// Those that have gone on since their last checkpoint.
    unsaved: BTreeSet<usize>,
    /// When training pauses for the next checkpoint; never beyond the clock's range.
    due: Option<Instant>,
}

impl<T: Real> Cohorts<T> {
    /// The cohorts as they stood, those of them with blocks of their own in the plan.
    fn new(work: &Work<'_>, mut stopped: Stopped<T>, plan: &mut Plan) -> Self {
        let names: Vec<String> = (0..work.pending.cohorts.len()).map(|index| work.name(index)).collect();
        let mut rungs = vec![0; names.len()];
        let mut ends = Vec::new();
        ends.resize_with(names.len(), Vec::new);
        let cohort = |(index, name): (usize, &String)| {
            let Some(state) = stopped.remove(name) else {
                return Cohort::Waiting;
            };
            (rungs[index], ends[index]) = (state.rungs, state.ends);
            let blocks = state.blocks.iter().map(|block| Block { runs: block.runs() });
            plan.cohorts[index].blocks = blocks.collect();
            Cohort::Paused(state.blocks)
        };
        let all: Vec<Cohort<T>> = names.iter().enumerate().map(cohort).collect();
        Self {
            unchecked: (0..all.len()).collect(),
            all,
            names,
            rungs,
            ends,
            unsaved: BTreeSet::new(),
            due: work.next_checkpoint(Duration::ZERO),
        }
    }

    /// Forgets a state from a file that is none of the cohort.
    fn check(&mut self, index: usize, work: &Work<'_>, plan: &mut Plan, view: &View<'_, T>) {
        let is_unchecked = self.unchecked.remove(&index);
        let Some(Cohort::Paused(states)) = self.all.get(index).filter(|_| is_unchecked) else {
            return;
        };
        let stood = BTreeMap::new();
        let task = Task {
            plan: &*plan,
            cohort: index,
            view,
            stood: &stood,
            observer: work.observer,
        };
        if !Training::could_stand(task, states) {
            self.all[index] = Cohort::Waiting;
            self.ends[index].clear();
            self.rungs[index] = 0;
            plan.cohorts[index].blocks.clone_from(&work.pending.cohorts[index].blocks);
        }
    }

    fn is_done(&self, index: usize) -> bool {
        matches!(self.all[index], Cohort::Done)
    }

    /// Writes which runs wait in cohorts of which others are recorded: without it nothing would say, after a kill, which of
    /// them were to share their blocks.
    fn save_waiting(
        &self,
        work: &Work<'_>,
        (writer, seconds): (&mut StoreWriter, &mut Seconds),
    ) -> Result<(), RunError> {
        let writing = Instant::now();
        for (index, cohort) in self.all.iter().enumerate() {
            let left = &work.pending.cohorts[index];
            if matches!(cohort, Cohort::Waiting) && left.width() < work.of(index).width() {
                let state = CohortState::<T> {
                    waiting: left.blocks.iter().flat_map(|block| &block.runs).copied().collect(),
                    ..CohortState::none()
                };
                writer.write_checkpoint(&checkpoint::pack(work.plan, work.of(index), &state))?;
            }
        }
        seconds.write += writing.elapsed().as_secs_f64();
        Ok(())
    }

    /// A cohort as it stands, for a while; without blocks when none of its runs is left.
    fn take<'a, 'v: 'a>(&mut self, index: usize, task: Task<'a, 'v, T>) -> Training<'a, T> {
        match std::mem::replace(&mut self.all[index], Cohort::Done) {
            Cohort::Paused(states) => Training::restored(task, states),
            Cohort::Waiting => Training::new(task),
            Cohort::Done => Training::restored(task, Vec::new()),
        }
    }

    /// Puts a cohort down at a rung, or at its end.
    fn put(&mut self, index: usize, states: Vec<BlockState<T>>) {
        self.all[index] = Cohort::of(states);
        if self.is_done(index) {
            self.unsaved.remove(&index);
        } else {
            self.unsaved.insert(index);
        }
    }

    /// Keeps how blocks stood when the first of their runs had had all of its epochs. Runs that leave later, after others have
    /// taken free columns, are in these states already.
    fn keep_ends(&mut self, index: usize, ends: Vec<BlockState<T>>) {
        for end in ends {
            let runs = end.runs();
            let mut kept = self.ends[index].iter().flat_map(BlockState::runs);
            if !kept.any(|run| runs.contains(&run)) {
                self.ends[index].push(end);
            }
        }
    }

    /// Leaves of a cohort whose runs are all recorded what more epochs would go on from.
    fn finish(
        &mut self,
        work: &Work<'_>,
        index: usize,
        (writer, seconds): (&mut StoreWriter, &mut Seconds),
    ) -> Result<(), RunError> {
        let writing = Instant::now();
        let state = CohortState {
            rungs: self.rungs[index],
            ends: std::mem::take(&mut self.ends[index]),
            ..CohortState::none()
        };
        if state.ends.is_empty() || more_epochs::refusal(work.config, work.plan).is_some() {
            writer.remove_checkpoints(&self.names[index])?;
        } else {
            writer.finish_checkpoint(&checkpoint::pack(work.plan, work.of(index), &state))?;
        }
        seconds.write += writing.elapsed().as_secs_f64();
        Ok(())
    }

    /// Writes how every cohort stands that has gone on since it was last written, the one at hand too.
    fn save(
        &mut self,
        work: &Work<'_>,
        at_hand: Option<(usize, &Training<'_, T>)>,
        (writer, seconds): (&mut StoreWriter, &mut Seconds),
    ) -> Result<(), RunError> {
        let (writing, mut cohorts) = (Instant::now(), 0);
        let mut write = |index: usize, state: &CohortState<T>| {
            cohorts += 1;
            writer.write_checkpoint(&checkpoint::pack(work.plan, work.of(index), state))
        };
        for index in std::mem::take(&mut self.unsaved) {
            if let Cohort::Paused(blocks) = &mut self.all[index] {
                // Only lent: a state may be large.
                let state = CohortState {
                    rungs: self.rungs[index],
                    blocks: std::mem::take(blocks),
                    ends: std::mem::take(&mut self.ends[index]),
                    waiting: Vec::new(),
                };
                let written = write(index, &state);
                (*blocks, self.ends[index]) = (state.blocks, state.ends);
                written?;
            }
        }
        if let Some((index, training)) = at_hand {
            let state = CohortState {
                rungs: self.rungs[index],
                blocks: training.states(),
                ends: std::mem::take(&mut self.ends[index]),
                waiting: Vec::new(),
            };
            let written = write(index, &state);
            self.ends[index] = state.ends;
            written?;
        }
        if cohorts > 0 {
            work.observer.observe(&Event::CheckpointWritten { cohorts });
        }
        self.due = work.next_checkpoint(writing.elapsed());
        seconds.write += writing.elapsed().as_secs_f64();
        Ok(())
    }
}

impl<T: Real> Cohort<T> {
    fn of(states: Vec<BlockState<T>>) -> Self {
        if states.is_empty() {
            Self::Done
        } else {
            Self::Paused(states)
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

    /// When training pauses for the next checkpoint, after one that took so long.
    fn next_checkpoint(&self, took: Duration) -> Option<Instant> {
        // With no time at all between two checkpoints there would be nothing but checkpoints.
        let every = self.config.run.checkpoint_every().unwrap_or(Duration::MAX);
        let mut every = every.max(SHORTEST_INTERVAL);
        if every >= SPARING {
            every = every.max(took.div_f64(LARGEST_SHARE));
        }
        Instant::now().checked_add(every)
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

/// What an earlier process has seen of a run: the selecting metric by epoch and, if the run has ended, its last.
struct Earlier {
    points: Vec<(u32, f64)>,
    end: Option<Option<f64>>,
}

/// The trials that are still in the sweep, and how their runs stand.
struct Race {
    alive: BTreeSet<usize>,
    standings: Standings,
    /// Runs of the trials that the last rung has ended.
    fallen: Vec<usize>,
    /// The trial that has reached the target.
    winner: Option<usize>,
    /// What is known of runs that an earlier process trained: their scores by epoch, and for those that have ended the last.
    earlier: BTreeMap<usize, Earlier>,
}

impl Race {
    fn new<T>(work: &Work<'_>, stopped: &Stopped<T>) -> Result<Self, RunError> {
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
                .filter_map(|(run, earlier)| Some((*run, earlier.end?)));
            race.standings.extend(ends);
        }
        Ok(race)
    }

    /// Advances a cohort to an epoch, or to the one in which a trial reaches the target; returns what has ended.
    fn advance<T: Real>(
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
    fn close<T: Real>(&self, work: &Work<'_>, training: &mut Training<'_, T>) {
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
        for (&run, earlier) in &self.earlier {
            let at = earlier.points.iter().find(|(epoch, _)| *epoch == ladder.epochs()[rung]);
            // A run that has not ended and has no score there has been trained up to there since.
            if let Some(score) = at.map(|(_, score)| Some(*score)).or(earlier.end) {
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
fn epochs_of<T>(stopped: &Stopped<T>) -> BTreeMap<usize, u32> {
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
        (run.run, Earlier { points, end: None })
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
        let end = record.val_score(select).filter(|_| !has_failed);
        let points = Vec::new();
        recorded.insert(index, Earlier { points, end: Some(end) });
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
