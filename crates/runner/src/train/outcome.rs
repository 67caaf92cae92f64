//! What became of a run.

use gradsweep_math::metric::Metric;
use gradsweep_math::penalty::{l1, l2};
use gradsweep_store::{Reason, RunState, Split};

/// A metric's value at the end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryPoint {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Which rows.
    pub split: Split,
    /// Which metric.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Index into the plan's runs.
    pub run: usize,
    /// Complete, pruned or failed.
    pub state: RunState,
    /// Why it ended; nothing where it was pruned.
    pub reason: Option<Reason>,
    /// Whether the largest gradient fell below the tolerance.
    pub converged: bool,
    /// Epochs trained.
    pub epochs: u32,
    /// Passes of its block before its first epoch: more than none where it waited for a column.
    pub first_pass: u32,
    /// The learning rate that it found, where none is given.
    pub found_rate: Option<f64>,
    /// The epoch whose weights it ends with, where it was watched for an early stop.
    pub best_epoch: Option<u32>,
    /// The last rung it reached in a search that prunes.
    pub rung: Option<u32>,
    /// Mean training loss and penalty under the final weights.
    pub objective: Option<f64>,
    /// Largest absolute derivative of the objective (full-batch solvers).
    pub grad_norm: Option<f64>,
    /// Lasso strength on the mean loss.
    pub l1: f64,
    /// Ridge strength on the mean loss.
    pub l2: f64,
    /// Weights, then the intercept, in the preprocessed space.
    pub parameters: Vec<f64>,
    /// Scores on training rows.
    pub train: Vec<(Metric, f64)>,
    /// Scores on held-out rows.
    pub val: Vec<(Metric, f64)>,
    /// Scores by epoch.
    pub history: Vec<HistoryPoint>,
    /// Its share of the block's time.
    pub seconds: f64,
    /// What its reason is about: the feature that separates the classes.
    pub note: Option<String>,
}

impl Outcome {
    /// Sets the objective from the mean training loss, adding the penalty of its weights.
    pub(super) fn set_objective(&mut self, loss: f64) {
        let weights = || self.parameters[..self.parameters.len() - 1].iter().copied();
        self.objective = Some(loss + l2::value(self.l2, weights()) + l1::value(self.l1, weights()));
    }
}

/// Whether a mean loss is that of a run that diverged: not finite, or above 100, where the class prior's is at most log 2 and
/// probabilities are off by factors of e¹⁰⁰ on average.
pub(super) fn is_diverged(loss: f64) -> bool {
    !loss.is_finite() || loss > 100.0
}
