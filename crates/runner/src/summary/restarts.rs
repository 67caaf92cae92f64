//! How far the restarts of one run are apart.

use gradsweep_store::{RunRow, RunState};
use serde::Serialize;

use crate::plan::Plan;

/// The spread of restarts: repeats of the same fit from other starting weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Restarts {
    /// Restarts of each fit, at the most.
    pub each: u32,
    /// Fits with at least two complete restarts.
    pub fits: usize,
    /// The largest distance between the validation scores of two restarts of one fit (training scores where nothing is held
    /// out).
    pub max_distance: f64,
    /// The trial and the fold of that fit.
    pub widest: (u32, u32),
    /// Whether the objective has one minimum, so that some fit's score is at least half of the distance from that of it.
    pub is_convex: bool,
}

impl Restarts {
    /// The spread of a sweep's complete restarts in a metric; none where there is none.
    pub(super) fn new(runs: &[RunRow], plan: &Plan, metric: &str) -> Option<Self> {
        let each = plan.trials.iter().map(|trial| trial.train.restarts).max()?;
        if each < 2 {
            return None;
        }
        let score = |row: &RunRow| {
            let record = row
                .record
                .as_ref()
                .filter(|record| record.state == RunState::Complete)?;
            record.val_score(metric).or_else(|| record.train_score(metric))
        };
        let mut spread: Option<Self> = None;
        // Rows come by trial, fold, repeat, restart.
        for fit in runs.chunk_by(|a, b| (a.trial, a.fold, a.repeat) == (b.trial, b.fold, b.repeat)) {
            let scores: Vec<f64> = fit.iter().filter_map(score).collect();
            if scores.len() < 2 {
                continue;
            }
            let (least, most) = scores
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), score| {
                    (least.min(*score), most.max(*score))
                });
            let own = Self {
                each,
                fits: spread.as_ref().map_or(0, |spread| spread.fits) + 1,
                max_distance: most - least,
                widest: (fit[0].trial, fit[0].fold),
                // Every model that is built is a generalized linear one.
                is_convex: true,
            };
            spread = Some(match spread {
                Some(wider) if wider.max_distance >= own.max_distance => Self {
                    fits: own.fits,
                    ..wider
                },
                _ => own,
            });
        }
        spread
    }

    /// What is said of it.
    pub fn sentence(&self, metric: &str) -> String {
        let (trial, fold) = self.widest;
        let distance = format!(
            "{} restarts of a fit are at most {:.1e} apart in {metric} (trial {trial}, fold {fold})",
            self.each, self.max_distance
        );
        if self.is_convex {
            format!("{distance}: there is one minimum, so some fit is at least half of that away from it")
        } else {
            format!("{distance}: they are in different minima")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::plan::Shape;
    use crate::search;
    use gradsweep_store::RunRecord;

    fn row(fold: u32, restart: u32, state: RunState, loss: f64) -> RunRow {
        RunRow {
            run: gradsweep_store::RunId(0),
            trial: 3,
            fold,
            repeat: 0,
            restart,
            record: Some(RunRecord {
                state,
                val: vec![("log_loss".into(), loss)],
                ..RunRecord::default()
            }),
        }
    }

    fn plan(restarts: u32) -> Plan {
        let text = format!(
            "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nrestarts = {restarts}\ninit = {{ kind = \"normal\" }}\n"
        );
        let config = parse(&text, "a.toml", "a", &[]).expect("a config");
        let trials = search::trials(&config).expect("a trial");
        Plan::new(&config, trials, Shape::EMPTY, "")
    }

    #[test]
    fn the_widest_fit_counts_and_only_complete_runs() {
        let rows = [
            row(0, 0, RunState::Complete, 0.5),
            row(0, 1, RunState::Complete, 0.75),
            row(0, 2, RunState::Complete, 0.625),
            row(1, 0, RunState::Complete, 0.5),
            row(1, 1, RunState::Failed, 90.0),
            row(1, 2, RunState::Complete, 0.5),
        ];
        let spread = Restarts::new(&rows, &plan(3), "log_loss").expect("restarts");
        assert_eq!((spread.fits, spread.max_distance, spread.widest), (2, 0.25, (3, 0)));
        assert!(
            spread
                .sentence("log_loss")
                .starts_with("3 restarts of a fit are at most 2.5e-1 apart")
        );
        assert_eq!(Restarts::new(&rows, &plan(1), "log_loss"), None);
        assert_eq!(Restarts::new(&rows[3..5], &plan(3), "log_loss"), None);
    }
}
