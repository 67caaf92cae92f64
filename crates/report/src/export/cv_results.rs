//! The table that scikit-learn's searches call `cv_results_`, as a CSV file.
//!
//! Names, order and conventions are scikit-learn's: splits are numbered over repeats, standard deviations have the number of
//! splits in the denominator, ranks begin at 1, ties share the better one, and a trial without a score ranks last. Two things
//! are this program's own: losses keep their sign (there is no `neg_`), and `trial` and `state` come last.

use gradsweep_store::{MetricInfo, ParamValue};

use super::results::{Results, Rows, mean_and_std};
use crate::json::Json;
use crate::table::{Grid, Side, float, whole};

/// The table, a row per trial.
pub(super) fn table(results: &Results) -> String {
    let by_trial = results.by_trial();
    let trials: Vec<_> = results
        .table
        .rows
        .iter()
        .map(|row| (row, by_trial.get(&row.trial).copied().unwrap_or(&[])))
        .collect();
    let mut names: Vec<String> = Vec::new();
    let mut columns: Vec<Vec<ParamValue>> = Vec::new();
    let mut add = |name: String, cells: Vec<ParamValue>| {
        names.push(name);
        columns.push(cells);
    };

    let seconds = trials
        .iter()
        .map(|(_, runs)| mean_and_std(&results.by_split(runs, |record| Some(record.seconds))));
    let (means, deviations): (Vec<_>, Vec<_>) = seconds.unzip();
    add("mean_fit_time".to_owned(), means.into_iter().map(float).collect());
    add("std_fit_time".to_owned(), deviations.into_iter().map(float).collect());
    for (index, path) in results.table.params.iter().enumerate() {
        let cells = trials.iter().map(|(row, _)| row.params[index].clone());
        add(format!("param_{path}"), cells.collect());
    }
    let params = trials.iter().map(|(row, _)| {
        let pairs = results.params(row);
        let pairs = pairs.map(|(path, value)| (path.to_owned(), Json::Value(value.clone())));
        ParamValue::Text(Json::Object(pairs.collect()).line())
    });
    add("params".to_owned(), params.collect());
    for metric in &results.table.metrics {
        for (rows, word) in [(Rows::Val, "test"), (Rows::Train, "train")] {
            let scores: Vec<Vec<Option<f64>>> = trials
                .iter()
                .map(|(_, runs)| results.scores(runs, &metric.name, rows))
                .collect();
            for split in 0..results.splits.len() {
                let cells = scores.iter().map(|scores| float(scores[split]));
                add(format!("split{split}_{word}_{}", metric.name), cells.collect());
            }
            let (means, deviations): (Vec<_>, Vec<_>) = scores.iter().map(|scores| mean_and_std(scores)).unzip();
            add(
                format!("mean_{word}_{}", metric.name),
                means.iter().copied().map(float).collect(),
            );
            add(
                format!("std_{word}_{}", metric.name),
                deviations.into_iter().map(float).collect(),
            );
            if rows == Rows::Val {
                let ranks = ranks(&means, metric).into_iter().map(whole);
                add(format!("rank_{word}_{}", metric.name), ranks.collect());
            }
        }
    }
    add(
        "trial".to_owned(),
        trials.iter().map(|(row, _)| whole(row.trial)).collect(),
    );
    let states = trials.iter().map(|(row, _)| ParamValue::Text(row.state.to_string()));
    add("state".to_owned(), states.collect());

    let mut grid = Grid::new();
    for name in names {
        grid.column(name, Side::Left);
    }
    for row in 0..trials.len() {
        grid.row(columns.iter().map(|cells| cells[row].clone()).collect());
    }
    grid.to_csv()
}

/// Places from 1; equal means share the better place, and what has no mean comes last.
fn ranks(means: &[Option<f64>], metric: &MetricInfo) -> Vec<usize> {
    let goodness: Vec<Option<f64>> = means
        .iter()
        .map(|mean| mean.map(|mean| if metric.higher_is_better { mean } else { -mean }))
        .collect();
    let better = |own: &Option<f64>| match own {
        Some(own) => goodness.iter().flatten().filter(|other| *other > own).count(),
        None => goodness.iter().flatten().count(),
    };
    goodness.iter().map(|own| 1 + better(own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_better_rank_and_the_missing_come_last() {
        let loss = |higher_is_better| MetricInfo {
            name: "m".to_owned(),
            higher_is_better,
        };
        let means = [Some(0.3), Some(0.1), None, Some(0.1)];
        assert_eq!(ranks(&means, &loss(false)), [3, 1, 4, 1]);
        assert_eq!(ranks(&means, &loss(true)), [1, 2, 4, 2]);
    }
}
