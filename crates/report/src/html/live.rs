//! A sweep in the middle of its training.

use gradsweep_store::{TrialState, TrialTable};

/// What is known of a sweep that is running and not yet in its store.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Live {
    /// Runs that are being trained or were.
    pub runs: usize,
    /// Runs that have ended.
    pub done: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// The share of epochs done, 0 to 1.
    pub share: f64,
    /// Trials with the mean of the last validation scores of their runs.
    pub scores: Vec<(u32, f64)>,
    /// Seconds between two writings of the page; the page asks for itself again after as many.
    pub seconds: u32,
}

impl Live {
    /// Gives trials without a score the one they have so far.
    pub(super) fn fill(&self, table: &mut TrialTable, metric: &str) {
        let Some(index) = table.metrics.iter().position(|held| held.name == metric) else {
            return;
        };
        for (trial, score) in &self.scores {
            let row = table.rows.iter_mut().find(|row| row.trial == *trial);
            if let Some(row) = row.filter(|row| row.state == TrialState::Waiting) {
                row.scores[index].mean_val = Some(*score);
            }
        }
    }

    /// `42 of 320 runs done, 1 failed, 17 % of the epochs`.
    pub(super) fn in_words(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!(
            "{} of {} runs done{failed}, {:.0} % of the epochs",
            self.done,
            self.runs,
            100.0 * self.share.clamp(0.0, 1.0)
        )
    }
}
