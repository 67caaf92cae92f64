//! A cohort on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_store::{Reason, RunState};

use super::order::Orders;
use super::slot::Slot;
use super::{
    BlockOfDescents, BlockOfSteps, BlockState, LiveRun, Outcome, Standing, Task, View, batches, converge, full, range,
};
use crate::plan::{BatchSchedule, Block};

/// The trainers of a cohort's blocks.
///
/// Blocks share nothing but the order of rows, so they advance without waiting for each other: a block's epoch is one task,
/// and the tasks are taken first come, first served, which keeps all cores busy when blocks are not a multiple of them.
pub(crate) struct Training<'a, T> {
    slots: Vec<Slot<'a, T>>,
    /// Blocks that converge advance one after the other: rows, not blocks, are what threads share.
    is_converging: bool,
}

/// How runs end before their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Their trial was not among the best, at this rung or when another reached the target.
    Pruned(Option<u32>),
    /// Their trial reached the target. In a full-batch cohort their weights are at hand only if the sweep has one.
    Reached,
}

impl End {
    /// State, reason and rung of a run that ends so. The reason of a pruned one is not told.
    pub(super) fn of_run(self) -> (RunState, Reason, Option<u32>) {
        match self {
            Self::Pruned(rung) => (RunState::Pruned, Reason::MaxEpochs, rung),
            Self::Reached => (RunState::Complete, Reason::EarlyStopped, None),
        }
    }
}

/// One block on its way through its epochs.
pub(super) trait Trainer<T>: Send {
    /// Whether a live run has not had this many scored epochs.
    fn is_due(&self, epoch: u32) -> bool;

    /// Trains one epoch, or what is left of it, unless told to pause on the way. `until` is the epoch that is advanced to.
    fn epoch(&mut self, until: u32, pause: &(dyn Fn() -> bool + Sync));

    /// The runs that have not left, by their place in the plan: those that wait for a column too.
    fn live(&self) -> Vec<usize>;

    /// Passes over the rows so far.
    fn passes(&self) -> u32;

    /// The live runs, by their place in the plan, with their standings.
    fn standings(&self) -> Vec<(usize, Standing)>;

    /// Ends live runs, by their place in the plan, as they stood at the end of the last epoch.
    fn end(&mut self, runs: &[usize], end: End);

    /// The outcomes of runs that have left since they were last asked for.
    fn take_outcomes(&mut self) -> Vec<Outcome>;

    /// The block as it stood when the first of its runs had had all of its epochs, with these runs still on their way;
    /// once, and only where more epochs could go on from there.
    fn take_end(&mut self) -> Option<BlockState<T>>;

    /// The live runs as plain numbers; of a block that converges, all of its runs.
    fn state(&self) -> BlockState<T>;

    /// The outcomes of runs, by their place in the plan, that a panic has ended after so many passes.
    fn lost(&self, runs: &[usize], passes: u32, panic: &str) -> Vec<Outcome>;
}

impl<'a, T: Real> Training<'a, T> {
    /// A cohort before its first epoch.
    pub(crate) fn new<'v: 'a>(task: Task<'a, 'v, T>) -> Self {
        Self::from_states(task, None, true)
    }

    /// As [`Training::new`], with no look for learning rates that are left open: what is trained is of no use but to time it.
    pub(crate) fn untested<'v: 'a>(task: Task<'a, 'v, T>) -> Self {
        Self::from_states(task, None, false)
    }

    /// A cohort whose blocks stood as `states` say; blocks whose runs are in none of them have ended.
    pub(crate) fn restored<'v: 'a>(task: Task<'a, 'v, T>, states: Vec<BlockState<T>>) -> Self {
        Self::from_states(task, Some(states), false)
    }

    fn from_states<'v: 'a>(task: Task<'a, 'v, T>, states: Option<Vec<BlockState<T>>>, finds_rates: bool) -> Self {
        let cohort = &task.plan.cohorts[task.cohort];
        let waiting: BTreeSet<usize> = states.iter().flatten().flat_map(BlockState::waiting).copied().collect();
        // Runs that have begun have found theirs.
        let seeks_rate = |run: usize| finds_rates || waiting.contains(&run);
        // Each block with the state its runs are in.
        let blocks: Vec<(usize, &'a Block, Option<BlockState<T>>)> = match states {
            None => cohort
                .blocks
                .iter()
                .enumerate()
                .map(|(index, block)| (index, block, None))
                .collect(),
            Some(states) => {
                let place = |state: BlockState<T>| {
                    let first = *state.runs().first()?;
                    let mut blocks = cohort.blocks.iter().enumerate();
                    let (index, block) = blocks.find(|(_, block)| block.runs.contains(&first))?;
                    Some((index, block, Some(state)))
                };
                states.into_iter().filter_map(place).collect()
            }
        };
        let mut panics = BTreeMap::new();
        let mut slots: Vec<Slot<'a, T>> = match cohort.schedule {
            BatchSchedule::Converge => {
                let own: Vec<&Block> = blocks.iter().map(|(_, block, _)| *block).collect();
                if own.is_empty() {
                    Vec::new()
                } else {
                    let ground = Arc::new(converge::Ground::new(&task, &own));
                    let trainer = |(index, block, state)| -> Slot<'a, T> {
                        let state = Option::map(state, descents);
                        Slot::new(converge::Trainer::new(task, &ground, (index, block), state))
                    };
                    blocks.into_iter().map(trainer).collect()
                }
            }
            BatchSchedule::Full => {
                let segments = Arc::new(full::segments(task.view.groups));
                let found = range::find(&task, &range::large_batches(task.view), seeks_rate);
                panics = found.panics;
                let rates = found.rates;
                let trainer = |(index, block, state)| -> Slot<'a, T> {
                    let state = Option::map(state, steps);
                    Slot::new(full::Trainer::new(task, &segments, (index, block), state, &rates))
                };
                blocks.into_iter().map(trainer).collect()
            }
            BatchSchedule::Batches { rows, shuffle } => {
                let orders = Arc::new(orders(task.view, rows, shuffle));
                let found = range::find(&task, &orders, seeks_rate);
                panics = found.panics;
                let rates = found.rates;
                let trainer = |(index, block, state)| -> Slot<'a, T> {
                    let state = Option::map(state, steps);
                    Slot::new(batches::Trainer::new(task, &orders, (index, block), state, &rates))
                };
                blocks.into_iter().map(trainer).collect()
            }
        };
        if !panics.is_empty() {
            for slot in &mut slots {
                slot.end_untested(&panics);
            }
        }
        Self {
            slots,
            is_converging: cohort.schedule == BatchSchedule::Converge,
        }
    }

    /// Whether a cohort can stand as states say that come from a file: of its blocks, with as many numbers, each run once and none
    /// beyond its epochs.
    pub(crate) fn could_stand<'v: 'a>(task: Task<'a, 'v, T>, states: &[BlockState<T>]) -> bool {
        let cohort = &task.plan.cohorts[task.cohort];
        let length = task.view.features.len() + 1;
        let fresh = match cohort.schedule {
            BatchSchedule::Converge => Vec::new(),
            _ => Self::untested(task).states(),
        };
        let allowed = |run: usize| task.plan.trial_of(run).last_epoch().saturating_add(1);
        let mut seen = BTreeSet::new();
        states.iter().all(|state| {
            let is_of_a_block = match state {
                BlockState::Descents(block) => {
                    let own = block.runs.iter().map(|run| run.run);
                    let mut blocks = cohort.blocks.iter();
                    cohort.schedule == BatchSchedule::Converge
                        && blocks.any(|block| block.runs.iter().copied().eq(own.clone()))
                        && block.has_length(length)
                }
                BlockState::Steps(block) => {
                    let has_epochs = |run: &LiveRun<T>| {
                        let epochs = block.passes.checked_sub(run.first_pass);
                        epochs.is_some_and(|epochs| epochs <= allowed(run.run))
                    };
                    let is_of = |own: &BlockState<T>| matches!(own, BlockState::Steps(own) if block.is_of(own));
                    fresh.iter().any(is_of) && block.runs.iter().all(has_epochs)
                }
            };
            is_of_a_block && state.runs().into_iter().all(|run| seen.insert(run))
        })
    }

    /// Trains every block until its live runs have had `epoch` epochs, or until `pause` says so, which is asked between
    /// batches and between rounds of a trip over the rows. Runs that converge go to their end.
    pub(crate) fn advance(&mut self, epoch: u32, pause: &(dyn Fn() -> bool + Sync)) {
        if self.is_converging {
            for slot in &mut self.slots {
                while slot.is_due(epoch) && !pause() {
                    slot.epoch(epoch, pause);
                }
            }
            return;
        }
        rayon::scope_fifo(|scope| {
            for slot in &mut self.slots {
                if slot.is_due(epoch) && !pause() {
                    scope.spawn_fifo(move |scope| drive(scope, slot, epoch, pause));
                }
            }
        });
    }

    /// Whether no live run is short of `epoch` epochs.
    pub(crate) fn has_reached(&self, epoch: u32) -> bool {
        !self.slots.iter().any(|slot| slot.is_due(epoch))
    }

    /// The live runs of solvers that advance by epochs, by their place in the plan, with their standings.
    pub(crate) fn standings(&self) -> Vec<(usize, Standing)> {
        self.sound().flat_map(Trainer::standings).collect()
    }

    /// Ends live runs, by their place in the plan, as they stood at the end of the last epoch.
    pub(crate) fn end(&mut self, runs: &[usize], end: End) {
        for slot in &mut self.slots {
            slot.end(runs, end);
        }
    }

    /// The epochs that every live run has had at the least.
    pub(crate) fn least_epoch(&self) -> u32 {
        let standings = self.sound().flat_map(Trainer::standings);
        standings.map(|(_, standing)| standing.epoch).min().unwrap_or(0)
    }

    /// The outcomes of the runs that have ended since this was last asked for.
    pub(crate) fn take_outcomes(&mut self) -> Vec<Outcome> {
        self.slots.iter_mut().flat_map(Slot::take_outcomes).collect()
    }

    /// The blocks of which a run has had all of its epochs since this was last asked for, as they stood then.
    pub(crate) fn take_ends(&mut self) -> Vec<BlockState<T>> {
        self.slots.iter_mut().filter_map(Slot::take_end).collect()
    }

    /// The trainers of the blocks that no panic has ended.
    fn sound(&self) -> impl Iterator<Item = &(dyn Trainer<T> + 'a)> {
        self.slots.iter().filter_map(Slot::trainer)
    }

    /// The blocks that have live runs, as plain numbers.
    pub(crate) fn states(&self) -> Vec<BlockState<T>> {
        let going = self.sound().filter(|trainer| trainer.is_due(u32::MAX));
        going.map(Trainer::state).collect()
    }
}

/// One epoch, then the next as a new task behind the other blocks'.
fn drive<'scope, 'a: 'scope, T: Real>(
    scope: &rayon::ScopeFifo<'scope>,
    slot: &'scope mut Slot<'a, T>,
    until: u32,
    pause: &'scope (dyn Fn() -> bool + Sync),
) {
    slot.epoch(until, pause);
    if slot.is_due(until) && !pause() {
        scope.spawn_fifo(move |scope| drive(scope, slot, until, pause));
    }
}

/// The state of a block that takes steps.
fn steps<T>(state: BlockState<T>) -> BlockOfSteps<T> {
    match state {
        BlockState::Steps(block) => block,
        BlockState::Descents(_) => panic!("a cohort that takes steps holds no descents"),
    }
}

/// The state of a block that converges.
fn descents<T>(state: BlockState<T>) -> BlockOfDescents {
    match state {
        BlockState::Descents(block) => block,
        BlockState::Steps(_) => panic!("a cohort that converges takes no steps"),
    }
}

/// The orders of a cohort's rows: as many batches as give the fold with most training rows batches of `batch_rows`.
pub(super) fn orders<T: Real>(view: &View<'_, T>, batch_rows: usize, shuffle: bool) -> Orders {
    // Of all folds, whichever of them have runs left, so that a sweep that goes on has the batches it began with.
    let folds = 0..view.folds.roles.len();
    let largest = folds.map(|fold| view.rows_as(fold, Role::Train)).max().unwrap_or(0);
    Orders::new(view.groups, largest.div_ceil(batch_rows).max(1), shuffle, view.seed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use gradsweep_data::{self as data, Dataset};
    use gradsweep_math::metric::Metric;

    use super::*;
    use crate::config::{self, Config};
    use crate::dataset::{load_spec, shape_of};
    use crate::event::Silent;
    use crate::plan::Plan;
    use crate::search;
    use crate::train::View;

    const EPOCHS: u32 = 7;

    /// Both kinds of cohorts, all optimizers, three folds that share blocks.
    fn config(dir: &std::path::Path) -> Config {
        let mut table = "a,b,c,late\n".to_owned();
        for i in 0..240u32 {
            let draw = |prime: u32| f64::from((i * prime + 5) % 97) / 48.5 - 1.0;
            let is_late = draw(31) + draw(57) * 0.5 + draw(83) * 0.7 > 0.1;
            writeln!(table, "{},{},{},{}", draw(31), draw(57), draw(17), u8::from(is_late)).expect("a String");
        }
        let path = dir.join("table.csv");
        std::fs::write(&path, table).expect("the temporary directory is writable");
        let text = format!(
            "[data]\ntrain = {:?}\ntarget = \"late\"\n[validation]\nfolds = 3\n[train]\nepochs = {EPOCHS}\n\
             [sweep.parameters]\ntrain.solver = [\"gd\", \"sgd\", \"adam\", \"adamw\", \"adagrad\", \"rmsprop\"]\n\
             train.momentum = [0.9]\ntrain.weight_decay = [0.1]\ntrain.learning_rate = [0.03, 0.3]\n\
             train.batch_rows = [16, \"full\"]\nmodel.C = [0.1, 10.0]\nmodel.l1_ratio = [0.0, 0.5]\n",
            path.display().to_string()
        );
        config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn setting(dir: &std::path::Path) -> (Config, Dataset<f32>, Plan) {
        let config = config(dir);
        let data: Dataset<f32> = data::load(&load_spec(&config, None)).expect("a table");
        let trials = search::trials(&config).expect("trials");
        let plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
        (config, data, plan)
    }

    /// What counts of outcomes, in the order of the plan.
    fn settled(mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
        outcomes.sort_by_key(|outcome| outcome.run);
        for outcome in &mut outcomes {
            outcome.seconds = 0.0;
        }
        outcomes
    }

    fn is_inside<T>(state: &BlockState<T>) -> bool {
        matches!(state, BlockState::Steps(block) if block.batches > 0)
    }

    #[test]
    fn a_stopped_and_restored_training_gives_the_same_bits() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (config, data, plan) = setting(dir.path());
        let view = View::new(&data, &config);
        let stood = BTreeMap::new();
        assert_eq!(plan.cohorts.len(), 2);
        for cohort in 0..plan.cohorts.len() {
            let task = Task {
                plan: &plan,
                cohort,
                view: &view,
                stood: &stood,
                observer: &Silent,
            };
            let mut through = Training::new(task);
            through.advance(u32::MAX, &|| false);
            let expected = settled(through.take_outcomes());
            assert_eq!(expected.len(), plan.cohorts[cohort].width());
            let is_batched = matches!(plan.cohorts[cohort].schedule, BatchSchedule::Batches { .. });
            let mut paused_inside = 0;
            // Every block is asked once before it starts.
            let starts = plan.cohorts[cohort].blocks.len();
            for looks in [1, 4, 33, 111] {
                let (mut outcomes, mut states, mut rounds) = (Vec::new(), None, 0);
                loop {
                    let mut training = match states.take() {
                        None => Training::new(task),
                        Some(states) => Training::restored(task, states),
                    };
                    let asked = AtomicUsize::new(0);
                    training.advance(u32::MAX, &|| asked.fetch_add(1, Ordering::Relaxed) >= starts + looks);
                    outcomes.append(&mut training.take_outcomes());
                    let left: Vec<BlockState<f32>> = training.states();
                    rounds += 1;
                    paused_inside += left.iter().filter(|state| is_inside(state)).count();
                    if left.is_empty() {
                        break;
                    }
                    states = Some(left);
                }
                assert!(rounds > 1 || looks > 4, "{looks} looks were enough for all epochs");
                assert_eq!(
                    settled(outcomes),
                    expected,
                    "cohort {cohort}, paused after {looks} looks"
                );
            }
            assert_eq!(is_batched, paused_inside > 0);
        }
    }

    /// Many runs of each kind of cohort in one block, most of which stop early or diverge.
    #[test]
    fn runs_that_wait_take_the_columns_of_those_that_leave() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut config, data, _) = setting(dir.path());
        let path = config.data.train[0].clone();
        let text = format!(
            "[data]\ntrain = {path:?}\ntarget = \"late\"\n[validation]\nfolds = 3\n[train]\nepochs = 30\n\
             early_stopping = {{ patience = 1 }}\n[sweep.parameters]\ntrain.solver = [\"sgd\", \"adam\"]\n\
             train.learning_rate = {{ min = 1e-3, max = 30.0, num = 12, log = true }}\n\
             train.batch_rows = [16, \"full\"]\nmodel.C = {{ min = 1e-3, max = 1e3, num = 6, log = true }}\n"
        );
        config.clone_from(&config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}")));
        let trials = search::trials(&config).expect("trials");
        let mut plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
        for cohort in &mut plan.cohorts {
            let runs = cohort.blocks.iter().flat_map(|block| block.runs.clone()).collect();
            cohort.blocks = vec![Block { runs }];
            assert!(
                cohort.width() > 2 * gradsweep_math::workspace::WIDEST_BLOCK - 64,
                "{}",
                cohort.width()
            );
        }
        let view = View::new(&data, &config);
        let stood = BTreeMap::new();
        for cohort in 0..plan.cohorts.len() {
            let widths = Widths::default();
            let task = Task {
                plan: &plan,
                cohort,
                view: &view,
                stood: &stood,
                observer: &Silent,
            };
            let watched = Task {
                observer: &widths,
                ..task
            };
            let on_threads = |threads: usize, task: Task<'_, '_, f32>| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .expect("a pool");
                pool.install(|| {
                    let mut training = Training::new(task);
                    training.advance(u32::MAX, &|| false);
                    settled(training.take_outcomes())
                })
            };
            let expected = on_threads(1, watched);
            assert_eq!(expected, on_threads(3, task), "threads change nothing");
            assert_eq!(expected.len(), plan.cohorts[cohort].width());
            let late = expected.iter().filter(|outcome| outcome.first_pass > 0).count();
            assert_eq!(late, expected.len() - gradsweep_math::workspace::WIDEST_BLOCK);
            assert!(expected.iter().all(|outcome| outcome.epochs <= 30));
            // While runs wait, hardly a register of columns is empty.
            let widths = widths
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .clone();
            let last = expected.iter().map(|outcome| outcome.first_pass).max().expect("runs") as usize;
            let is_wide = |width: &usize| *width > gradsweep_math::workspace::WIDEST_BLOCK - 16;
            assert!(
                last > 2 && widths[..last - 1].iter().all(is_wide),
                "{widths:?}, the last begins in {last}"
            );
            // Paused and put together again on the way, it ends as it would have.
            let (mut outcomes, mut states) = (Vec::new(), None);
            let mut rounds = 0;
            loop {
                let mut training = match states.take() {
                    None => Training::new(task),
                    Some(states) => Training::restored(task, states),
                };
                let asked = AtomicUsize::new(0);
                training.advance(u32::MAX, &|| asked.fetch_add(1, Ordering::Relaxed) >= 20);
                outcomes.append(&mut training.take_outcomes());
                let left: Vec<BlockState<f32>> = training.states();
                rounds += 1;
                if left.is_empty() {
                    break;
                }
                states = Some(left);
            }
            assert!(rounds > 1, "never paused");
            assert_eq!(settled(outcomes), expected, "cohort {cohort}");
            // A run whose rows come in the order it would have alone has the epochs it would have alone.
            if plan.cohorts[cohort].schedule == BatchSchedule::Full {
                let has_waited = |outcome: &&Outcome| outcome.first_pass > 0 && outcome.epochs == 30;
                let waited = expected.iter().find(has_waited).expect("one that waited");
                let mut alone = plan.clone();
                alone.cohorts[cohort].blocks = vec![Block { runs: vec![waited.run] }];
                let mut training = Training::new(Task { plan: &alone, ..task });
                training.advance(u32::MAX, &|| false);
                let own = &training.take_outcomes()[0];
                assert_eq!(
                    (own.epochs, own.best_epoch, own.first_pass),
                    (waited.epochs, waited.best_epoch, 0)
                );
                assert!(own.val.iter().zip(&waited.val).all(|(a, b)| (a.1 - b.1).abs() < 1e-4));
            }
        }
    }

    /// The columns of each pass of a cohort of one block.
    #[derive(Default)]
    struct Widths(std::sync::Mutex<Vec<usize>>);

    impl crate::event::Observer for Widths {
        fn observe(&self, event: &crate::event::Event) {
            if let crate::event::Event::EpochFinished { columns, .. } = event {
                let mut widths = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                widths.push(*columns);
            }
        }
    }

    #[test]
    fn pruned_runs_leave_with_the_scores_of_their_epoch_and_the_others_do_not_notice() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (config, data, plan) = setting(dir.path());
        let view = View::new(&data, &config);
        let stood = BTreeMap::new();
        for cohort in 0..plan.cohorts.len() {
            let task = Task {
                plan: &plan,
                cohort,
                view: &view,
                stood: &stood,
                observer: &Silent,
            };
            let mut through = Training::new(task);
            through.advance(u32::MAX, &|| false);
            let expected = settled(through.take_outcomes());
            let mut training = Training::new(task);
            training.advance(3, &|| false);
            assert!(training.has_reached(3) && !training.has_reached(4));
            let standings = training.standings();
            assert!(standings.iter().all(|(_, standing)| standing.epoch == 3));
            let pruned: Vec<usize> = standings
                .iter()
                .map(|(run, _)| *run)
                .filter(|run| run % 3 != 0)
                .collect();
            training.end(&pruned, End::Pruned(Some(1)));
            let gone = settled(training.take_outcomes());
            assert_eq!(gone.len(), pruned.len());
            for outcome in &gone {
                assert_eq!((outcome.state, outcome.reason), (RunState::Pruned, None));
                assert_eq!((outcome.epochs, outcome.rung), (3, Some(1)));
                let loss =
                    |values: &[(Metric, f64)]| values.iter().find(|(m, _)| *m == Metric::LogLoss).map(|(_, v)| *v);
                let whole = expected
                    .iter()
                    .find(|other| other.run == outcome.run)
                    .expect("the same run");
                let at_three = whole
                    .history
                    .iter()
                    .find(|p| (p.epoch, p.split, p.metric) == (3, gradsweep_store::Split::Val, Metric::LogLoss));
                assert_eq!(loss(&outcome.val), at_three.map(|point| point.value));
                assert!(loss(&outcome.train).is_some() && outcome.objective.is_some());
            }
            training.advance(u32::MAX, &|| false);
            let left = settled(training.take_outcomes());
            assert_eq!(left.len() + gone.len(), expected.len());
            for outcome in &left {
                let whole = expected
                    .iter()
                    .find(|other| other.run == outcome.run)
                    .expect("the same run");
                assert_eq!((outcome.state, outcome.epochs), (whole.state, whole.epochs));
                // A narrower block may add in another order.
                let close = |a: &f64, b: &f64| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
                assert!(
                    outcome
                        .parameters
                        .iter()
                        .zip(&whole.parameters)
                        .all(|(a, b)| close(a, b))
                );
            }
        }
    }

    /// Trips that pause between rounds of their rows go on from the sums they had.
    #[test]
    fn descents_stopped_inside_a_trip_and_restored_give_the_same_bits() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut table = "a,b,c,late\n".to_owned();
        for i in 0..24_000u32 {
            let draw = |prime: u32| f64::from((i * prime + 5) % 997) / 498.5 - 1.0;
            let is_late = draw(31) + draw(57) * 0.5 + draw(83) * 0.7 > 0.1;
            writeln!(table, "{},{},{},{}", draw(31), draw(57), draw(17), u8::from(is_late)).expect("a String");
        }
        let path = dir.path().join("table.csv");
        std::fs::write(&path, table).expect("the temporary directory is writable");
        let text = format!(
            "[data]\ntrain = {:?}\ntarget = \"late\"\n[validation]\nfolds = 2\n[train]\nepochs = 9\n\
             [sweep.parameters]\ntrain.solver = [\"lbfgs\", \"newton\"]\n\
             model.C = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0]\n",
            path.display().to_string()
        );
        let config = config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
        let data: Dataset<f32> = data::load(&load_spec(&config, None)).expect("a table");
        let trials = search::trials(&config).expect("trials");
        let plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
        let (view, stood) = (View::new(&data, &config), BTreeMap::new());
        let task = Task {
            plan: &plan,
            cohort: 0,
            view: &view,
            stood: &stood,
            observer: &Silent,
        };
        let mut through = Training::new(task);
        through.advance(u32::MAX, &|| false);
        let expected = settled(through.take_outcomes());
        assert_eq!(expected.len(), 24);
        let (mut in_sums, mut in_hessians) = (0, 0);
        for looks in [3, 4, 17] {
            let (mut outcomes, mut states) = (Vec::new(), None);
            loop {
                let mut training = match states.take() {
                    None => Training::new(task),
                    Some(states) => Training::restored(task, states),
                };
                let asked = AtomicUsize::new(0);
                training.advance(u32::MAX, &|| asked.fetch_add(1, Ordering::Relaxed) >= looks);
                outcomes.append(&mut training.take_outcomes());
                let left: Vec<BlockState<f32>> = training.states();
                for state in &left {
                    let BlockState::Descents(block) = state else {
                        panic!("a cohort that converges")
                    };
                    in_sums += usize::from(block.trip.as_ref().is_some_and(|trip| trip.hessians.is_none()));
                    in_hessians += usize::from(block.trip.as_ref().is_some_and(|trip| trip.hessians.is_some()));
                }
                if left.is_empty() {
                    break;
                }
                states = Some(left);
            }
            assert_eq!(settled(outcomes), expected, "paused after {looks} looks");
        }
        assert!(in_sums > 2 && in_hessians > 0, "{in_sums} {in_hessians}");
    }
}
