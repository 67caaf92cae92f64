//! A block's training at a safe point, as plain numbers: what a checkpoint holds of it.

use std::collections::BTreeMap;

use gradsweep_math::fused::ColumnState;

use super::converge::BlockOfDescents;
use super::{Best, HistoryPoint, Standing};
use crate::plan::Block;

/// The runs of a block, between two batches or two trips over the rows, or inside a trip.
///
/// With the plan, the cohort and the data it is all that their training depends on from here: put into a training of the same
/// plan it goes on bit for bit. The order of rows is no part of it, for seed and epoch give it.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockState<T> {
    /// Runs of first-order optimizers.
    Steps(BlockOfSteps<T>),
    /// Runs that converge.
    Descents(BlockOfDescents),
}

/// The live runs of a block of first-order optimizers.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockOfSteps<T> {
    /// Passes over the rows so far: epochs that its first runs have had.
    pub passes: u32,
    /// Batches of the next pass that live runs have had too.
    pub batches: usize,
    /// The live runs, in the order of their columns.
    pub runs: Vec<LiveRun<T>>,
    /// The runs that wait for a column, by their place in the plan, in their order.
    pub waiting: Vec<usize>,
}

/// One run on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveRun<T> {
    /// Index into the plan's runs.
    pub run: usize,
    /// Its weights and what its optimizer has gathered.
    pub column: ColumnState<T>,
    /// The weights that its standing is of, where its own have moved on and the sweep may end at any epoch; else empty.
    pub before: Vec<T>,
    /// Its learning rate, before any schedule: the config's, or the one that was found for it.
    pub learning_rate: f64,
    /// Its scores by epoch.
    pub history: Vec<HistoryPoint>,
    /// Its scores at the end of the last epoch.
    pub standing: Standing,
    /// The best weights it has had, where it may stop early.
    pub best: Option<Best<T>>,
    /// Passes over the rows before its first epoch.
    pub first_pass: u32,
    /// Its share of the block's time so far.
    pub seconds: f64,
}

impl<T> BlockState<T> {
    /// Its runs, as places in the plan, in the order of their columns; those that wait for one last.
    pub fn runs(&self) -> Vec<usize> {
        match self {
            Self::Steps(block) => {
                let live = block.runs.iter().map(|run| run.run);
                live.chain(block.waiting.iter().copied()).collect()
            }
            Self::Descents(block) => block.runs.iter().map(|run| run.run).collect(),
        }
    }

    /// The runs that wait for a column.
    pub(super) fn waiting(&self) -> &[usize] {
        match self {
            Self::Steps(block) => &block.waiting,
            Self::Descents(_) => &[],
        }
    }
}

impl<T> BlockOfSteps<T> {
    /// Whether it has the runs, or some of the runs, of a block that begins as `fresh` says, with as many numbers each.
    pub(super) fn is_of(&self, fresh: &Self) -> bool {
        let Some(first) = fresh.runs.first() else {
            return false;
        };
        let length = first.column.parameters.len();
        let is_known = |run: &usize| fresh.waiting.contains(run) || fresh.runs.iter().any(|own| own.run == *run);
        self.waiting.iter().all(is_known)
            && self.runs.iter().all(|run| {
                let own = fresh.runs.iter().find(|own| own.run == run.run);
                // What the optimizer of a run that waits would gather is not known before it has a column.
                let has_memory = own.is_none_or(|own| run.has_memory_of(own));
                is_known(&run.run) && run.has_length(length) && has_memory
            })
    }
}

impl<T> LiveRun<T> {
    fn has_length(&self, length: usize) -> bool {
        let best = self.best.as_ref().map_or(length, |best| best.parameters.len());
        [self.column.parameters.len(), best] == [length; 2] && [0, length].contains(&self.before.len())
    }

    fn has_memory_of(&self, fresh: &Self) -> bool {
        let memory = |run: &Self| -> Vec<usize> { run.column.memory.moments.iter().map(Vec::len).collect() };
        memory(self) == memory(fresh) && self.column.memory.powers.len() == fresh.column.memory.powers.len()
    }
}

/// The same runs in other blocks.
///
/// # Panics
/// If the states are of runs that converge or do not stand at the end of one and the same epoch, or the blocks do not hold
/// exactly their runs.
pub(crate) fn regroup<T>(states: Vec<BlockState<T>>, blocks: &[Block]) -> Vec<BlockState<T>> {
    let steps = |state| match state {
        BlockState::Steps(block) => block,
        BlockState::Descents(_) => panic!("runs that converge stay in their block"),
    };
    let states: Vec<BlockOfSteps<T>> = states.into_iter().map(steps).collect();
    let Some(passes) = states.first().map(|state| state.passes) else {
        return Vec::new();
    };
    let is_together =
        |state: &BlockOfSteps<T>| (state.passes, state.batches) == (passes, 0) && state.waiting.is_empty();
    assert!(
        states.iter().all(is_together),
        "only runs at the end of one epoch can share a block"
    );
    let runs = states.into_iter().flat_map(|state| state.runs);
    let mut runs: BTreeMap<usize, LiveRun<T>> = runs.map(|run| (run.run, run)).collect();
    let regrouped = blocks
        .iter()
        .map(|block| {
            let own = block.runs.iter();
            BlockState::Steps(BlockOfSteps {
                passes,
                batches: 0,
                waiting: Vec::new(),
                runs: own
                    .map(|run| runs.remove(run).expect("a block holds live runs"))
                    .collect(),
            })
        })
        .collect();
    assert!(runs.is_empty(), "{} live runs are in no block", runs.len());
    regrouped
}
