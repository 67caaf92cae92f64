//! A trial's scores by epoch: means over its runs, in which a run that has ended keeps its last score.

use std::collections::{BTreeMap, BTreeSet};

use gradsweep_store::{HistoryRow, Name, RunId, Split, Store, StoreError};

use super::results::Results;

/// Scores by epoch, of each of some trials.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Curves(BTreeMap<u32, Vec<Curve>>);

/// One metric of one trial on one kind of rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) split: Split,
    pub(super) metric: Name,
    /// Epoch and mean, ascending.
    pub(super) points: Vec<(u32, f64)>,
}

impl Curves {
    pub(super) fn read(results: &Results, store: &Store) -> Result<Self, StoreError> {
        let runs: Vec<RunId> = results.runs.iter().map(|run| run.run).collect();
        let trial_of: BTreeMap<RunId, u32> = results.runs.iter().map(|run| (run.run, run.trial)).collect();
        let history = store.history_of(&runs)?;
        let mut rows: BTreeMap<u32, Vec<&HistoryRow>> = BTreeMap::new();
        for row in &history {
            if let Some(trial) = trial_of.get(&row.run) {
                rows.entry(*trial).or_default().push(row);
            }
        }
        Ok(Self(
            rows.into_iter().map(|(trial, rows)| (trial, curves(&rows))).collect(),
        ))
    }

    pub(super) fn of(&self, trial: u32) -> &[Curve] {
        self.0.get(&trial).map_or(&[], Vec::as_slice)
    }
}

fn curves(rows: &[&HistoryRow]) -> Vec<Curve> {
    let mut kinds: Vec<(Split, &Name)> = Vec::new();
    for row in rows {
        if !kinds.contains(&(row.split, &row.metric)) {
            kinds.push((row.split, &row.metric));
        }
    }
    kinds
        .into_iter()
        .map(|(split, metric)| {
            let mut runs: BTreeMap<RunId, BTreeMap<u32, f64>> = BTreeMap::new();
            for row in rows.iter().filter(|row| (row.split, &row.metric) == (split, metric)) {
                runs.entry(row.run).or_default().insert(row.epoch, row.value);
            }
            let epochs: BTreeSet<u32> = runs.values().flat_map(BTreeMap::keys).copied().collect();
            let mean = |epoch: u32| {
                let so_far = runs.values().filter_map(|run| run.range(..=epoch).next_back());
                let values: Vec<f64> = so_far.map(|(_, value)| *value).collect();
                // Before its first score a run says nothing, and a mean over other runs would be of other rows.
                (values.len() == runs.len()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            };
            let points = epochs.into_iter().filter_map(|epoch| Some((epoch, mean(epoch)?)));
            Curve {
                split,
                metric: metric.clone(),
                points: points.filter(|(_, value)| value.is_finite()).collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_has_ended_keeps_its_last_score() {
        let row = |run, epoch, value| HistoryRow {
            run: RunId(run),
            epoch,
            split: Split::Val,
            metric: "log_loss".into(),
            value,
        };
        let rows = [row(1, 1, 4.0), row(1, 2, 2.0), row(2, 2, 1.0), row(2, 4, 0.0)];
        let curves = curves(&rows.iter().collect::<Vec<_>>());
        assert_eq!(curves.len(), 1);
        assert_eq!(curves[0].points, [(2, 1.5), (4, 1.0)]);
    }
}
