//! The cohorts of a sweep between two rungs or checkpoints.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gradsweep_math::Real;
use gradsweep_store::{Part, StoreWriter};

use super::cohorts::{Stopped, Work};
use crate::checkpoint::{self, CohortState};
use crate::error::RunError;
use crate::event::Event;
use crate::more_epochs;
use crate::plan::{Block, Plan};
use crate::summary::Seconds;
use crate::train::{BlockState, Task, Training, View, regroup};

/// A cohort between two rungs.
pub(super) enum Cohort<T> {
    Waiting,
    Paused(Vec<BlockState<T>>),
    Done,
}

/// The cohorts of a sweep between two rungs, and what of them is on disk.
pub(super) struct Cohorts<T> {
    pub(super) all: Vec<Cohort<T>>,
    names: Vec<String>,
    /// Rungs whose pruned runs have left each cohort.
    pub(super) rungs: Vec<usize>,
    /// What more epochs would go on from.
    ends: Vec<Vec<BlockState<T>>>,
    /// Those whose state comes from a file and has not been looked at.
    unchecked: BTreeSet<usize>,
    /// Those that have gone on since their last checkpoint.
    unsaved: BTreeSet<usize>,
    /// When training pauses for the next checkpoint; never beyond the clock's range.
    pub(super) due: Option<Instant>,
}

impl<T: Real> Cohorts<T> {
    /// The cohorts as they stood, those of them with blocks of their own in the plan.
    pub(super) fn new(work: &Work<'_>, mut stopped: Stopped<T>, plan: &mut Plan) -> Self {
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
    pub(super) fn check(&mut self, index: usize, work: &Work<'_>, plan: &mut Plan, view: &View<'_, T>) {
        let is_unchecked = self.unchecked.remove(&index);
        let Some(Cohort::Paused(states)) = self.all.get(index).filter(|_| is_unchecked) else {
            return;
        };
        let task = Task::new(plan, index, view, work.observer);
        if !Training::could_stand(task, states) {
            self.all[index] = Cohort::Waiting;
            self.ends[index].clear();
            self.rungs[index] = 0;
            plan.cohorts[index]
                .blocks
                .clone_from(&work.pending.cohorts[index].blocks);
        }
    }

    pub(super) fn is_done(&self, index: usize) -> bool {
        matches!(self.all[index], Cohort::Done)
    }

    /// Writes which runs wait in cohorts of which others are recorded: without it nothing would say, after a kill, which of
    /// them were to share their blocks.
    pub(super) fn save_waiting(
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
    pub(super) fn take<'a, 'v: 'a>(&mut self, index: usize, task: Task<'a, 'v, T>) -> Training<'a, T> {
        match std::mem::replace(&mut self.all[index], Cohort::Done) {
            Cohort::Paused(states) => Training::restored(task, states),
            Cohort::Waiting => Training::new(task),
            Cohort::Done => Training::restored(task, Vec::new()),
        }
    }

    /// Puts what a rung has left of a cohort into blocks of its own.
    pub(super) fn regroup(&mut self, index: usize, states: Vec<BlockState<T>>, plan: &mut Plan) {
        let left: BTreeSet<usize> = states.iter().flat_map(BlockState::runs).collect();
        plan.recut(index, |run| left.contains(&run));
        self.all[index] = Cohort::of(regroup(states, &plan.cohorts[index].blocks));
    }

    /// Puts a cohort down at a rung, or at its end.
    pub(super) fn put(&mut self, index: usize, states: Vec<BlockState<T>>) {
        self.all[index] = Cohort::of(states);
        if self.is_done(index) {
            self.unsaved.remove(&index);
        } else {
            self.unsaved.insert(index);
        }
    }

    /// Keeps how blocks stood when the first of their runs had had all of its epochs. Runs that leave later, after others have
    /// taken free columns, are in these states already.
    pub(super) fn keep_ends(&mut self, index: usize, ends: Vec<BlockState<T>>) {
        for end in ends {
            let runs = end.runs();
            let mut kept = self.ends[index].iter().flat_map(BlockState::runs);
            if !kept.any(|run| runs.contains(&run)) {
                self.ends[index].push(end);
            }
        }
    }

    /// Leaves of a cohort whose runs are all recorded what more epochs would go on from.
    pub(super) fn finish(
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

    /// Writes the last part of a sweep; if a trial has reached the target, no cohort goes on from its checkpoint.
    pub(super) fn close(
        &self,
        last: &Part,
        has_winner: bool,
        (writer, seconds): (&mut StoreWriter, &mut Seconds),
    ) -> Result<(), RunError> {
        let writing = Instant::now();
        writer.append(last)?;
        if has_winner {
            for name in &self.names {
                writer.remove_checkpoints(name)?;
            }
        }
        seconds.write += writing.elapsed().as_secs_f64();
        Ok(())
    }

    /// Writes how every cohort stands that has gone on since it was last written, the one at hand too.
    pub(super) fn save(
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
    pub(super) fn of(states: Vec<BlockState<T>>) -> Self {
        if states.is_empty() {
            Self::Done
        } else {
            Self::Paused(states)
        }
    }
}
