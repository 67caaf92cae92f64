//! Trials with their scores by split: a split is one fold of one repeat, and restarts are averaged.

use std::collections::BTreeMap;

use gradsweep_store::{Manifest, MetricInfo, ParamValue, RunRecord, RunRow, Store, StoreError, TrialRow, TrialTable};

/// A finished or unfinished sweep as a table of trials by splits.
#[derive(Debug, Clone)]
pub(super) struct Results {
    pub(super) manifest: Manifest,
    pub(super) table: TrialTable,
    /// Runs by trial, fold, repeat, restart.
    pub(super) runs: Vec<RunRow>,
    /// Repeat and fold of each split, in the order in which scikit-learn's repeated splitters give them.
    pub(super) splits: Vec<(u32, u32)>,
}

/// Which rows a score is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Train,
    Val,
}

impl Results {
    pub(super) fn read(store: &Store) -> Result<Self, StoreError> {
        let runs = store.runs()?;
        let mut splits: Vec<(u32, u32)> = runs.iter().map(|run| (run.repeat, run.fold)).collect();
        splits.sort_unstable();
        splits.dedup();
        Ok(Self {
            manifest: store.manifest().clone(),
            table: store.trials()?,
            runs,
            splits,
        })
    }

    /// The runs of each trial, by its number.
    pub(super) fn by_trial(&self) -> BTreeMap<u32, &[RunRow]> {
        let chunks = self.runs.chunk_by(|a, b| a.trial == b.trial);
        chunks.map(|runs| (runs[0].trial, runs)).collect()
    }

    /// A quantity of a trial's runs by split; nothing where a run has none.
    pub(super) fn by_split(&self, runs: &[RunRow], of: impl Fn(&RunRecord) -> Option<f64>) -> Vec<Option<f64>> {
        let mean = |split: &(u32, u32)| {
            let own = runs.iter().filter(|run| (run.repeat, run.fold) == *split);
            let values: Option<Vec<f64>> = own.map(|run| of(run.record.as_ref()?)).collect();
            let values = values.filter(|values| !values.is_empty())?;
            Some(values.iter().sum::<f64>() / values.len() as f64).filter(|mean| mean.is_finite())
        };
        self.splits.iter().map(mean).collect()
    }

    /// A trial's scores by split.
    pub(super) fn scores(&self, runs: &[RunRow], metric: &str, rows: Rows) -> Vec<Option<f64>> {
        self.by_split(runs, |record| match rows {
            Rows::Train => record.train_score(metric),
            Rows::Val => record.val_score(metric),
        })
    }

    /// A trial's hyperparameters that have a value, by their paths.
    pub(super) fn params<'a>(&'a self, row: &'a TrialRow) -> impl Iterator<Item = (&'a str, &'a ParamValue)> {
        let paths = self.table.params.iter().map(String::as_str);
        paths.zip(&row.params).filter(|(_, value)| !value.is_null())
    }

    /// The metric that ranks, with its direction.
    pub(super) fn select(&self) -> MetricInfo {
        self.manifest.select_metric().cloned().unwrap_or_else(|| MetricInfo {
            name: self.manifest.select.clone(),
            higher_is_better: false,
        })
    }

    /// A trial's score of a metric that other tools are given as its value: of held-out rows, or of the training rows where
    /// the sweep held nothing out.
    pub(super) fn value(&self, row: &TrialRow, metric: &str) -> Option<f64> {
        let index = self.table.metrics.iter().position(|held| held.name == metric)?;
        let is_train = !crate::summary::is_validated(&self.table, metric);
        crate::summary::headline(&row.scores[index], is_train)
            .0
            .filter(|value| value.is_finite())
    }

    /// When the sweep was begun, in seconds since 1970.
    pub(super) fn begun(&self) -> f64 {
        let time = self.manifest.created.parse::<jiff::Timestamp>();
        time.map_or(0.0, |time| time.as_second() as f64)
    }
}

/// Mean, and standard deviation with the count in the denominator, as scikit-learn's tables have them; nothing unless every
/// split has a score.
pub(super) fn mean_and_std(scores: &[Option<f64>]) -> (Option<f64>, Option<f64>) {
    let values: Option<Vec<f64>> = scores.iter().copied().collect();
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return (None, None);
    };
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (Some(mean), Some(variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_the_populations() {
        assert_eq!(mean_and_std(&[Some(1.0), Some(3.0)]), (Some(2.0), Some(1.0)));
        assert_eq!(mean_and_std(&[Some(1.0), None]), (None, None));
        assert_eq!(mean_and_std(&[]), (None, None));
    }
}
