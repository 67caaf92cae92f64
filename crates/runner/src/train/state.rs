//! A block's training at a safe point, as plain numbers: what a checkpoint holds of it.

use gradsweep_math::fused::ColumnState;

use super::{Best, HistoryPoint, Standing};

/// The live runs of a block, between two batches or two trips over the rows.
///
/// With the plan, the cohort and the data it is all that their training depends on from here: put into a training of the same
/// plan it goes on bit for bit. The order of rows is no part of it, for seed and epoch give it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockState<T> {
    /// Epochs that every live run has had.
    pub epochs: u32,
    /// Batches of the next epoch that they have had too.
    pub batches: usize,
    /// The live runs, in the order of their columns.
    pub runs: Vec<LiveRun<T>>,
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
    /// Its share of the block's time so far.
    pub seconds: f64,
}
