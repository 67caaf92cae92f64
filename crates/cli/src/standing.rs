//! How the trials of a sweep stand while it trains, from its events.

use std::path::Path;

use gradsweep_report::number;
use gradsweep_runner::event::Event;
use gradsweep_store::Store;

/// What is known of a sweep that trains.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// The trial of each run.
    trials: Vec<usize>,
    /// The last validation value of each run.
    values: Vec<f64>,
    /// What tells each trial apart, as `C = 0.1`.
    names: Vec<String>,
    pub(crate) metric: &'static str,
    higher_is_better: bool,
    pub(crate) runs: usize,
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) column_epochs: u64,
    pub(crate) trained: u64,
    /// Epochs of the runs that were planned so far; `column_epochs` counts those that may follow, too.
    planned: u64,
}

impl Standing {
    /// Takes note of an event. `dir` is where the sweep's store lies, which names the trials.
    pub(crate) fn take(&mut self, event: &Event, dir: &Path) {
        match event {
            Event::Planned {
                runs,
                column_epochs,
                later_column_epochs,
                goes_on,
                trials,
                metric,
                higher_is_better,
                ..
            } => {
                // A sweep whose runs go on is planned anew each time.
                let before = if *goes_on {
                    std::mem::take(self)
                } else {
                    Self::default()
                };
                let planned = before.planned + column_epochs;
                let mut values = before.values;
                values.resize(trials.len(), f64::NAN);
                *self = Self {
                    runs: before.runs + runs,
                    planned,
                    column_epochs: planned + later_column_epochs,
                    values,
                    trials: trials.clone(),
                    names: names(dir),
                    metric,
                    higher_is_better: *higher_is_better,
                    ..before
                };
            }
            Event::EpochFinished {
                columns, validation, ..
            } => {
                self.trained += *columns as u64;
                for (run, value) in validation {
                    self.values[*run] = *value;
                }
            }
            Event::RunFinished {
                failed,
                epochs_saved,
                run,
            } => {
                self.done += 1;
                self.trained += u64::from(*epochs_saved);
                if *failed {
                    self.failed += 1;
                    self.values[*run] = f64::NAN;
                }
            }
            Event::DataLoaded | Event::CheckpointWritten { .. } | Event::Recorded { .. } => {}
        }
    }

    /// The share of the epochs that is done.
    pub(crate) fn share(&self) -> f64 {
        self.trained as f64 / self.column_epochs.max(1) as f64
    }

    /// Trials with the mean over their runs' last scores, the best first.
    pub(crate) fn ranked(&self) -> Vec<(usize, f64)> {
        let trials = self.trials.iter().max().map_or(0, |last| last + 1);
        let mut sums = vec![(0.0, 0u32); trials];
        for (&trial, &value) in self.trials.iter().zip(&self.values) {
            if value.is_finite() {
                sums[trial].0 += value;
                sums[trial].1 += 1;
            }
        }
        let scored = sums.iter().enumerate().filter(|(_, (_, runs))| *runs > 0);
        let mut means: Vec<(usize, f64)> = scored
            .map(|(trial, (sum, runs))| (trial, sum / f64::from(*runs)))
            .collect();
        means.sort_by(|a, b| {
            let (a, b) = if self.higher_is_better { (b, a) } else { (a, b) };
            a.1.total_cmp(&b.1)
        });
        means
    }

    /// The first trials as lines of a table; nothing where there is one trial.
    pub(crate) fn table(&self, ranked: &[(usize, f64)], lines: usize) -> String {
        if self.names.len() < 2 {
            return String::new();
        }
        let shown = ranked.iter().take(lines).enumerate();
        let line = |(place, (trial, mean)): (usize, &(usize, f64))| {
            let name = self.names.get(*trial).map_or("", String::as_str);
            format!(
                "\n  {:>8}  trial {trial:<5} {} {}   {name}",
                place + 1,
                self.metric,
                number::score(*mean)
            )
        };
        shown.map(line).collect()
    }
}

/// What tells each planned trial apart; nothing where the plan cannot be read, for this is talk.
fn names(dir: &Path) -> Vec<String> {
    let plan = Store::open(dir).and_then(|store| store.plan());
    plan.map_or_else(
        |_| Vec::new(),
        |plan| {
            let trials = plan.trials.iter();
            trials
                .map(|trial| gradsweep_report::in_words(&plan.params, &trial.params))
                .collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_ranked_by_the_mean_of_their_runs() {
        let mut standing = Standing::default();
        let planned = Event::Planned {
            runs: 4,
            cohorts: 1,
            column_epochs: 8,
            later_column_epochs: 8,
            goes_on: false,
            trials: vec![0, 0, 1, 1],
            metric: "log_loss",
            higher_is_better: false,
        };
        standing.take(&planned, Path::new("no such store"));
        let finished = Event::EpochFinished {
            cohort: 0,
            block: 0,
            epoch: 1,
            columns: 4,
            validation: vec![(0, 0.5), (1, 0.7), (2, 0.5), (3, f64::NAN)],
        };
        standing.take(&finished, Path::new("no such store"));
        assert_eq!(standing.ranked(), [(1, 0.5), (0, 0.6)]);
        assert!((standing.share() - 0.25).abs() < 1e-15);
        standing.take(
            &Event::RunFinished {
                run: 2,
                failed: true,
                epochs_saved: 1,
            },
            Path::new("no such store"),
        );
        assert_eq!((standing.done, standing.failed, standing.trained), (1, 1, 5));
        assert_eq!(standing.ranked(), [(0, 0.6)]);
        // More trials follow from the scores of these: what is done stays done.
        let planned = Event::Planned {
            runs: 2,
            cohorts: 1,
            column_epochs: 4,
            later_column_epochs: 4,
            goes_on: true,
            trials: vec![0, 0, 1, 1, 2, 2],
            metric: "log_loss",
            higher_is_better: false,
        };
        standing.take(&planned, Path::new("no such store"));
        assert_eq!((standing.runs, standing.done, standing.trained), (6, 1, 5));
        assert!((standing.share() - 5.0 / 16.0).abs() < 1e-15);
        assert_eq!(standing.ranked(), [(0, 0.6)]);
    }
}
