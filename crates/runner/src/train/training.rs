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
mod tests;
