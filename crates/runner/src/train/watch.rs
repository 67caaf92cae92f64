//! Early stopping: the best weights that a run has had, and whether it still improves.

use gradsweep_math::Real;
use gradsweep_math::metric::Metric;

use super::Standing;
use crate::config::EarlyStopping;

/// The weights under which a run scored best so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Best<T> {
    /// The watched score.
    pub score: f64,
    /// Weights, then the intercept (P + 1).
    pub parameters: Vec<T>,
    /// All scores under them.
    pub standing: Standing,
}

/// When a run stops early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    metric: Metric,
    patience: u32,
    min_delta: f64,
}

/// What a new score means to a run that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is the best so far.
    Improved,
    /// The best is recent enough.
    Going,
    /// The best was `patience` epochs ago.
    Stopped,
}

impl Rule {
    pub(super) fn new(config: &EarlyStopping) -> Option<Self> {
        Some(Self {
            metric: Metric::from_name(config.metric.name())?,
            patience: config.patience,
            min_delta: config.min_delta,
        })
    }

    /// Compares a standing with the best so far. One without the watched score, or with one that is not a number, changes
    /// nothing.
    pub(super) fn judge<T: Real>(&self, best: Option<&Best<T>>, standing: &Standing) -> Change {
        let score = self.score(standing);
        let Some(best) = best else {
            return if score.is_some() {
                Change::Improved
            } else {
                Change::Going
            };
        };
        let gain = |score: f64| {
            if self.metric.higher_is_better() {
                score - best.score
            } else {
                best.score - score
            }
        };
        if score.is_some_and(|score| gain(score) > self.min_delta) {
            Change::Improved
        } else if standing.epoch - best.standing.epoch >= self.patience {
            Change::Stopped
        } else {
            Change::Going
        }
    }

    /// The watched score.
    pub(super) fn score(&self, standing: &Standing) -> Option<f64> {
        standing.val_score(self.metric).filter(|score| !score.is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(epoch: u32, metric: Metric, score: f64) -> Standing {
        Standing {
            epoch,
            val: vec![(metric, score)],
            ..Standing::default()
        }
    }

    /// The change at each of the scores, from epoch 1.
    fn changes(metric: Metric, min_delta: f64, scores: &[f64]) -> Vec<Change> {
        let rule = Rule {
            metric,
            patience: 2,
            min_delta,
        };
        let mut best: Option<Best<f64>> = None;
        (1..)
            .zip(scores)
            .map(|(epoch, &score)| {
                let standing = standing(epoch, metric, score);
                let change = rule.judge(best.as_ref(), &standing);
                if change == Change::Improved {
                    best = Some(Best {
                        score,
                        parameters: Vec::new(),
                        standing,
                    });
                }
                change
            })
            .collect()
    }

    #[test]
    fn a_run_stops_when_its_best_is_as_old_as_the_patience() {
        use Change::{Going, Improved, Stopped};
        let losses = [0.7, 0.6, 0.65, 0.59, 0.59, 0.6];
        let expected = [Improved, Improved, Going, Improved, Going, Stopped];
        assert_eq!(changes(Metric::LogLoss, 0.0, &losses), expected);
        let areas = losses.map(|loss| 1.0 - loss);
        assert_eq!(changes(Metric::RocAuc, 0.0, &areas), expected);
    }

    #[test]
    fn small_gains_and_scores_that_are_no_numbers_do_not_count() {
        use Change::{Going, Improved, Stopped};
        assert_eq!(
            changes(Metric::LogLoss, 0.1, &[0.7, 0.65, 0.55]),
            [Improved, Going, Improved]
        );
        assert_eq!(
            changes(Metric::LogLoss, 0.1, &[0.7, 0.65, 0.61]),
            [Improved, Going, Stopped]
        );
        assert_eq!(changes(Metric::RocAuc, 0.0, &[f64::NAN; 4]), [Going; 4]);
    }
}
