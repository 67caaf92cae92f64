//! What happens during a sweep. The recorder, the progress bars and the log all listen to the same events.

use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The data are in memory.
    DataLoaded,
    /// The runs to train are known.
    Planned {
        /// Runs to train now.
        runs: usize,
        /// Cohorts they are cut into.
        cohorts: usize,
        /// The most epochs each of them may take, summed.
        column_epochs: u64,
        /// The same of the runs that may follow from the scores of these, as a guess.
        later_column_epochs: u64,
        /// Whether they follow from the scores of others that were planned and trained before.
        goes_on: bool,
        /// The trial of every run of the plan.
        trials: Vec<usize>,
        /// The metric of [`Event::EpochFinished::validation`].
        metric: &'static str,
        /// Whether larger values of it are better.
        higher_is_better: bool,
    },
    /// A block of columns has finished an epoch.
    EpochFinished {
        /// Cohort, 0-based.
        cohort: usize,
        /// Block within the cohort, 0-based.
        block: usize,
        /// Epoch, from 1.
        epoch: u32,
        /// Columns that trained in it.
        columns: usize,
        /// The selecting metric's validation value of each run, where the pass measures it.
        validation: Vec<(usize, f64)>,
    },
    /// A run has left its block.
    RunFinished {
        /// Index into the plan's runs.
        run: usize,
        /// Whether it failed.
        failed: bool,
        /// Epochs it was allowed and did not need.
        epochs_saved: u32,
    },
    /// How cohorts stand is on disk.
    CheckpointWritten {
        /// Those that had gone on since the last one.
        cohorts: usize,
    },
    /// A cohort's results are on disk.
    Recorded {
        /// Cohort, 0-based.
        cohort: usize,
    },
}

/// A consumer of events. Called from several threads.
pub trait Observer: Sync {
    /// Takes note of an event.
    fn observe(&self, event: &Event);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _event: &Event) {}
}
