//! What both trainers keep of a block besides its numbers: who its columns are, their time and their history.

use std::collections::{BTreeMap, VecDeque};

use gradsweep_math::Real;
use gradsweep_math::elementwise::LANES;
use gradsweep_math::fused::{Column, ColumnState, LinearBlock};
use gradsweep_math::metric::Metric;
use gradsweep_math::schedule::{Schedule, Shape};
use gradsweep_math::workspace::WIDEST_BLOCK;
use gradsweep_store::{Reason, RunState, Split};

use super::standing::score;
use super::watch::{Change, Rule};
use super::{Best, BlockOfSteps, HistoryPoint, LiveRun, Outcome, Standing, Stood, Task};
use crate::config::{LearningRate, ScheduleKind};
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
    /// Passes over the rows so far.
    pub(super) passes: u32,
    /// Passes before the first epoch of each run.
    first_pass: Vec<u32>,
    /// The columns that wait for others to leave, in their order.
    waiting: VecDeque<usize>,
    /// Scores at the end of the last epoch.
    pub(super) standings: Vec<Standing>,
    /// When each run stops early.
    rules: Vec<Option<Rule>>,
    /// The best weights of each run that is watched.
    bests: Vec<Option<Best<T>>>,
    /// Learning rate and schedule of each column; none where all rates are constant.
    schedules: Option<Vec<(f64, Schedule)>>,
    /// Room for the rates of live columns.
    rates: Vec<f64>,
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
            passes: 0,
            first_pass: vec![0; columns.len()],
            waiting: VecDeque::new(),
            standings: vec![Standing::default(); columns.len()],
            rules: block
                .runs
                .iter()
                .map(|&run| Rule::new(task.plan.trial_of(run).train.early_stopping.as_ref()?))
                .collect(),
            bests: vec![None; columns.len()],
            schedules: schedules(&task, block, &columns),
            rates: Vec::with_capacity(columns.len()),
            seconds: vec![0.0; columns.len()],
            history: vec![Vec::new(); columns.len()],
            columns,
        }
    }

    /// The columns that train from the start, as many as a block is wide; the others wait. Where there is a state, books and
    /// numbers are those of it, and runs that are not in it have left.
    pub(super) fn block(&mut self, state: Option<&BlockOfSteps<T>>) -> LinearBlock<T> {
        let map = &self.task.view.map;
        let Some(state) = state else {
            let live: Vec<usize> = (0..self.columns.len().min(WIDEST_BLOCK)).collect();
            self.waiting = (live.len()..self.columns.len()).collect();
            return LinearBlock::of(map, &self.columns, &live);
        };
        self.passes = state.passes;
        let (mut live, mut numbers) = (Vec::new(), Vec::with_capacity(state.runs.len()));
        for (column, run) in self.runs.iter().enumerate() {
            let Some(own) = state.runs.iter().find(|own| own.run == *run) else {
                self.waiting.extend(state.waiting.contains(run).then_some(column));
                continue;
            };
            self.first_pass[column] = own.first_pass;
            self.seconds[column] = own.seconds;
            self.history[column].clone_from(&own.history);
            self.standings[column].clone_from(&own.standing);
            self.bests[column].clone_from(&own.best);
            self.columns[column].settings.learning_rate = own.learning_rate;
            live.push(column);
            numbers.push(&own.column);
        }
        let mut block = LinearBlock::of(map, &self.columns, &live);
        block.restore(&numbers);
        // The end of a block is from before others took free columns.
        let wide = (state.batches == 0).then(|| self.refill(&block)).flatten();
        wide.unwrap_or(block)
    }

    /// The block with columns for runs that have waited, where enough have fallen free that it is worth its while. They
    /// begin with the next pass; how the rows are ordered in it follows from its number, whoever takes part.
    pub(super) fn refill(&mut self, block: &LinearBlock<T>) -> Option<LinearBlock<T>> {
        let live = block.live();
        let room = WIDEST_BLOCK.saturating_sub(live.len());
        if self.waiting.is_empty() || room < LANES {
            return None;
        }
        let admitted: Vec<usize> = self.waiting.drain(..room.min(self.waiting.len())).collect();
        for &column in &admitted {
            self.first_pass[column] = self.passes;
        }
        let columns: Vec<usize> = live.iter().copied().chain(admitted).collect();
        let mut wide = LinearBlock::of(&self.task.view.map, &self.columns, &columns);
        let state = |position: usize| {
            if position < live.len() {
                block.state(position)
            } else {
                wide.state(position)
            }
        };
        let states: Vec<ColumnState<T>> = (0..columns.len()).map(state).collect();
        wide.restore(&states.iter().collect::<Vec<_>>());
        self.give_rates(&mut wide);
        Some(wide)
    }

    /// Epochs that the run of a column has had.
    pub(super) fn epochs(&self, column: usize) -> u32 {
        self.passes - self.first_pass[column]
    }

    /// The live runs as plain numbers.
    pub(super) fn state(&self, block: &LinearBlock<T>, batches: usize) -> BlockOfSteps<T> {
        let run = |(position, &column): (usize, &usize)| LiveRun {
            run: self.runs[column],
            column: block.state(position),
            before: Vec::new(),
            learning_rate: self.columns[column].settings.learning_rate,
            history: self.history[column].clone(),
            standing: self.standings[column].clone(),
            best: self.bests[column].clone(),
            first_pass: self.first_pass[column],
            seconds: self.seconds[column],
        };
        BlockOfSteps {
            passes: self.passes,
            batches,
            runs: block.live().iter().enumerate().map(run).collect(),
            waiting: self.waiting.iter().map(|&column| self.runs[column]).collect(),
        }
    }

    /// History and seconds of a column.
    pub(super) fn books(&self, column: usize) -> (&[HistoryPoint], f64) {
        (&self.history[column], self.seconds[column])
    }

    /// Gives a column the history and the seconds that it had.
    pub(super) fn set_books(&mut self, column: usize, history: Vec<HistoryPoint>, seconds: f64) {
        (self.history[column], self.seconds[column]) = (history, seconds);
    }

    /// The standings of live columns, by the plan's runs.
    pub(super) fn standings_of(&self, live: &[usize]) -> Vec<(usize, Standing)> {
        let standing = |&column: &usize| (self.runs[column], self.standings[column].clone());
        live.iter().map(standing).collect()
    }

    /// The positions at which live columns hold one of these runs of the plan.
    pub(super) fn positions(&self, live: &[usize], runs: &[usize]) -> Vec<usize> {
        (0..live.len())
            .filter(|&position| runs.contains(&self.runs[live[position]]))
            .collect()
    }

    /// Where the run of a column stood, if it goes on.
    pub(super) fn stood(&self, column: usize) -> Option<&'a Stood> {
        self.task.stood.get(&self.runs[column])
    }

    /// The epoch in which the run of a column ends at the latest.
    pub(super) fn allowed(&self, column: usize) -> u32 {
        let trained = self.stood(column).map_or(0, |stood| stood.epochs);
        trained.saturating_add(self.task.plan.trial_of(self.runs[column]).last_epoch())
    }

    /// Whether more epochs would mean more for the runs of the block: none has a number of its own, nor goes on already.
    pub(super) fn keeps_ends(&self) -> bool {
        let is_swept = |run: &usize| {
            let trial = self.task.plan.trial_of(*run);
            trial.params.iter().any(|(path, _)| path == "train.epochs")
        };
        !self
            .runs
            .iter()
            .any(|run| is_swept(run) || self.task.stood.contains_key(run))
    }

    /// The block that `state` is of, without the runs that leave it for good at these positions, the others with the scores of
    /// the epoch.
    pub(super) fn end_of(
        &self,
        mut state: BlockOfSteps<T>,
        live: &[usize],
        gone: &[usize],
        standing: impl Fn(usize) -> Standing,
    ) -> BlockOfSteps<T> {
        // The runs of a state lie in the order of their positions.
        for (position, run) in state.runs.iter_mut().enumerate() {
            run.standing = standing(position);
            run.seconds = self.seconds[live[position]];
        }
        let left: Vec<usize> = gone.iter().map(|&position| self.runs[live[position]]).collect();
        state.runs.retain(|run| !left.contains(&run.run));
        state
    }

    /// Sets the learning rates that live columns have after `time` passes, where any of them changes.
    pub(super) fn set_rates(&mut self, block: &mut LinearBlock<T>, time: f64) {
        let Some(schedules) = &self.schedules else { return };
        self.rates.clear();
        let rate = |&column: &usize| {
            let (rate, schedule) = &schedules[column];
            rate * schedule.factor(time - f64::from(self.first_pass[column]))
        };
        self.rates.extend(block.live().iter().map(rate));
        block.set_learning_rates(&self.rates);
    }

    /// Gives every live column the learning rate of its settings, and its schedule that to start from.
    pub(super) fn give_rates(&mut self, block: &mut LinearBlock<T>) {
        let rate = |&column: &usize| self.columns[column].settings.learning_rate;
        let rates: Vec<f64> = block.live().iter().map(rate).collect();
        block.set_learning_rates(&rates);
        for ((rate, _), column) in self.schedules.iter_mut().flatten().zip(&self.columns) {
            *rate = column.settings.learning_rate;
        }
    }

    /// Gives the runs that leave their learning rate open those that were found.
    pub(super) fn find_rates(&mut self, rates: &BTreeMap<usize, f64>) {
        for (run, column) in self.runs.iter().zip(&mut self.columns) {
            if let Some(&rate) = rates.get(run) {
                column.settings.learning_rate = rate;
            }
        }
    }

    /// The learning rate that a run found for itself.
    fn found_rate(&self, column: usize) -> Option<f64> {
        let trial = self.task.plan.trial_of(self.runs[column]);
        let is_open = trial.train.learning_rate == LearningRate::Auto && trial.train.solver.is_first_order();
        is_open.then(|| self.columns[column].settings.learning_rate)
    }

    /// Takes note of the scores at the end of an epoch of the run at a position, and keeps its weights where they are the
    /// best so far. Returns whether it stops here.
    pub(super) fn watch(&mut self, block: &LinearBlock<T>, position: usize, standing: &Standing) -> bool {
        let column = block.live()[position];
        let Some(rule) = self.rules[column].filter(|_| standing.epoch > 0) else {
            return false;
        };
        let best = &mut self.bests[column];
        match rule.judge(best.as_ref(), standing) {
            Change::Improved => {
                let mut parameters = best.take().map(|best| best.parameters).unwrap_or_default();
                block.copy_parameters(position, &mut parameters);
                *best = rule.score(standing).map(|score| Best {
                    score,
                    parameters,
                    standing: standing.clone(),
                });
                false
            }
            Change::Going => false,
            Change::Stopped => true,
        }
    }

    /// The best weights of a run that is watched.
    pub(super) fn best(&self, column: usize) -> Option<&Best<T>> {
        self.bests[column].as_ref()
    }

    /// Gives the runs at these positions the best weights they had, where they are watched.
    pub(super) fn take_best(&self, block: &mut LinearBlock<T>, positions: &[usize]) {
        let best = |&position: &usize| Some((position, self.best(block.live()[position])?.parameters.as_slice()));
        let bests: Vec<(usize, &[T])> = positions.iter().filter_map(best).collect();
        if !bests.is_empty() {
            block.set_parameters(bests);
        }
    }

    /// Whether the scores that need rows in order are made at the end of an epoch of training, which the last of `until` is:
    /// every `metrics.every` epochs where that is given, and else where one of them is watched.
    pub(super) fn scores_in_order(&self, epoch: u32, until: u32) -> bool {
        let view = self.task.view;
        // A refit watches nothing: it holds no rows out.
        let is_watched = view.has_validation() && view.watched.iter().any(|metric| !metric.is_free());
        let every = view.every.or(is_watched.then_some(1));
        epoch > 0 && (every.is_some_and(|every| epoch.is_multiple_of(every)) || (is_watched && epoch == until))
    }

    /// Shares the seconds of a pass between the columns that were in it.
    pub(super) fn spend(&mut self, columns: &[usize], seconds: f64) {
        for &column in columns {
            self.seconds[column] += seconds / columns.len() as f64;
        }
    }

    /// Adds the scores at the end of the epoch to a column's history.
    pub(super) fn score(&mut self, column: usize, split: Split, values: &[(Metric, f64)]) {
        self.score_at(column, self.epochs(column), split, values);
    }

    /// Adds the scores at the end of an epoch of a column's own to its history.
    pub(super) fn score_at(&mut self, column: usize, epoch: u32, split: Split, values: &[(Metric, f64)]) {
        self.history[column].extend(points(epoch, split, values));
    }

    /// The outcome of a column's run, its scores still to be filled in.
    pub(super) fn outcome(&self, column: usize, parameters: Vec<f64>, state: RunState, reason: Reason) -> Outcome {
        Outcome {
            run: self.runs[column],
            state,
            reason: (state != RunState::Pruned).then_some(reason),
            converged: false,
            epochs: self.epochs(column),
            first_pass: self.first_pass[column],
            found_rate: self.found_rate(column),
            best_epoch: self.best(column).map(|best| best.standing.epoch),
            rung: None,
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

    /// The outcomes of runs, by the plan's numbers, that a panic of the program has ended after so many passes, with the
    /// history they have until then.
    pub(super) fn lost(&self, runs: &[usize], passes: u32, panic: &str) -> Vec<Outcome> {
        let own = (0..self.runs.len()).filter(|&column| runs.contains(&self.runs[column]));
        let outcome = |column: usize| {
            let had = if self.waiting.contains(&column) {
                0
            } else {
                passes.saturating_sub(self.first_pass[column])
            };
            // A run that went on has those it came with.
            let epochs = had.max(self.stood(column).map_or(0, |stood| stood.epochs));
            let mut outcome = self.outcome(column, Vec::new(), RunState::Failed, Reason::Panic);
            outcome.epochs = epochs;
            outcome.best_epoch = outcome.best_epoch.filter(|best| *best <= epochs);
            outcome.history.retain(|point| point.epoch <= epochs);
            outcome.note = Some(panic.to_owned());
            // It may have been the test of its rates that panicked.
            outcome.found_rate = None;
            self.leave(column, &mut outcome);
            outcome
        };
        own.map(outcome).collect()
    }

    /// The runs that have not left, by the plan's numbers: those of live columns, and those that wait for one.
    pub(super) fn left(&self, live: &[usize]) -> Vec<usize> {
        let columns = live.iter().chain(&self.waiting);
        columns.map(|&column| self.runs[column]).collect()
    }

    /// Gives an outcome the scores of a standing, and the ordered ones where the standing lacks them.
    pub(super) fn settle(&self, outcome: &mut Outcome, standing: &Standing, ordered: &[(Metric, f64)]) {
        self.finish(outcome, &standing.train, &standing.val, ordered);
        if let Some(loss) = standing.loss {
            outcome.set_objective(loss);
        }
        outcome.grad_norm = standing.grad_norm;
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
            let find = |metric: &Metric| ordered.iter().chain(free).find(|(of, _)| of == metric).copied();
            view.metrics.iter().filter_map(find).collect()
        };
        let epoch = outcome.best_epoch.unwrap_or(outcome.epochs);
        let (split, own) = if view.has_validation() {
            (outcome.train, outcome.val) = (in_order(train, &[]), in_order(val, ordered));
            (Split::Val, val)
        } else {
            outcome.train = in_order(train, ordered);
            (Split::Train, train)
        };
        // Those that were scored on the way are in the history.
        let is_new = |(metric, _): &&(Metric, f64)| score(own, *metric).is_none();
        let new: Vec<(Metric, f64)> = ordered.iter().filter(is_new).copied().collect();
        outcome.history.extend(points(epoch, split, &new));
    }

    /// Tells that a run has left, and gives its outcome the time it took.
    pub(super) fn leave(&self, column: usize, outcome: &mut Outcome) {
        outcome.seconds = self.seconds[column];
        self.task.observer.observe(&Event::RunFinished {
            run: outcome.run,
            failed: outcome.state == RunState::Failed,
            // What the last rung saves is no surprise: nobody waits for it.
            epochs_saved: if outcome.state == RunState::Pruned {
                0
            } else {
                self.allowed(column).saturating_sub(outcome.epochs)
            },
        });
    }

    /// Tells that an epoch has ended, with the selecting metric's validation values of its columns.
    pub(super) fn report<'s>(&self, live: &[usize], validation: impl Iterator<Item = &'s [(Metric, f64)]>) {
        let select = self.task.view.select;
        let runs = live.iter().zip(validation);
        let runs = runs.filter_map(|(&column, values)| Some((self.runs[column], score(values, select)?)));
        self.task.observer.observe(&Event::EpochFinished {
            cohort: self.task.cohort,
            block: self.index,
            epoch: self.passes,
            columns: live.len(),
            validation: runs.collect(),
        });
    }
}

/// Learning rate and schedule of every column; none where no rate ever changes.
fn schedules<T: Real>(task: &Task<'_, '_, T>, block: &Block, columns: &[Column]) -> Option<Vec<(f64, Schedule)>> {
    let schedule = |(&run, column): (&usize, &Column)| {
        let trial = task.plan.trial_of(run);
        let schedule = Schedule {
            shape: match trial.train.schedule.kind {
                ScheduleKind::Constant => Shape::Constant,
                ScheduleKind::Cosine => Shape::Cosine,
                ScheduleKind::Step => Shape::Step,
            },
            warmup: trial.train.schedule.warmup_epochs,
            epochs: trial.train.epochs,
        };
        (column.settings.learning_rate, schedule)
    };
    let schedules: Vec<(f64, Schedule)> = block.runs.iter().zip(columns).map(schedule).collect();
    let changes = schedules.iter().any(|(_, schedule)| !schedule.is_constant());
    changes.then_some(schedules)
}

/// Scores as points of the history.
pub(super) fn points(epoch: u32, split: Split, values: &[(Metric, f64)]) -> Vec<HistoryPoint> {
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
