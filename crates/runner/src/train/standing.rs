//! How a run stands at the end of an epoch.

use gradsweep_math::metric::Metric;

/// The scores of a live run under the weights it had at the end of its last scored epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// The epoch, from 1; 0 before the first.
    pub epoch: u32,
    /// Scores on held-out rows: those a pass measures by the way, then the others where they were asked for.
    pub val: Vec<(Metric, f64)>,
    /// Scores on training rows, where the pass measures them.
    pub train: Vec<(Metric, f64)>,
    /// Mean training loss with the class weights, without the penalty, where the pass measures it.
    pub loss: Option<f64>,
    /// Largest absolute derivative of the objective, where the pass measures it.
    pub grad_norm: Option<f64>,
}

impl Standing {
    /// A held-out score.
    pub fn val_score(&self, metric: Metric) -> Option<f64> {
        score(&self.val, metric)
    }

    /// Adds scores that need rows in order: of held-out rows, or of training rows where nothing is held out.
    pub(super) fn add(&mut self, is_held_out: bool, ordered: Vec<(Metric, f64)>) {
        if is_held_out {
            self.val.extend(ordered);
        } else {
            self.train.extend(ordered);
        }
    }
}

/// The value of one metric.
pub(super) fn score(values: &[(Metric, f64)], metric: Metric) -> Option<f64> {
    values.iter().find(|(of, _)| *of == metric).map(|(_, value)| *value)
}
