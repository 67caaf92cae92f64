//! Which trial a sweep takes: the best by its mean score, or the most penalized that is as good within the noise of the folds.

use std::cmp::Ordering;

use crate::manifest::Manifest;
use crate::rows::{TrialRow, TrialTable};
use crate::run::TrialState;

/// The parameters that the rule of one standard error goes by.
const C: &str = "model.C";
const L1_RATIO: &str = "model.l1_ratio";

/// Whether a sweep selects by the rule of one standard error.
pub(crate) fn is_one_se(manifest: &Manifest) -> bool {
    manifest.keys.get("sweep.select").and_then(serde_json::Value::as_str) == Some("1se")
}

/// The trial that the rule of one standard error takes: of the complete trials whose mean held-out score of `metric` is within one standard
/// error of the best one's, that with the smallest C, then the larger `l1_ratio`, then the better rank. `None` where C was not swept or
/// there is no standard error.
///
/// # Source
/// Breiman, Friedman, Olshen and Stone 1984, section 3.4.3.
pub fn one_standard_error<'a>(table: &'a TrialTable, metric: &str) -> Option<&'a TrialRow> {
    let metric = table.metrics.iter().position(|info| info.name == metric)?;
    let parameter = |path: &str| table.params.iter().position(|own| own == path);
    let (c, l1_ratio) = (parameter(C)?, parameter(L1_RATIO));
    let mean = |row: &TrialRow| row.scores[metric].mean_val.filter(|mean| mean.is_finite());
    let complete = || {
        table
            .rows
            .iter()
            .filter(|row| row.state == TrialState::Complete && mean(row).is_some())
    };
    let best = complete().min_by_key(|row| row.rank)?;
    let (best_mean, error) = (mean(best)?, best.scores[metric].se_val?);
    let is_as_good = |row: &&TrialRow| {
        mean(row).is_some_and(|mean| {
            if table.metrics[metric].higher_is_better {
                mean >= best_mean - error
            } else {
                mean <= best_mean + error
            }
        })
    };
    let number = |row: &TrialRow, index: usize| row.params[index].as_f64();
    complete()
        .filter(is_as_good)
        .filter(|row| number(row, c).is_some())
        .min_by(|a, b| {
            let by_c = number(a, c).partial_cmp(&number(b, c)).unwrap_or(Ordering::Equal);
            let by_l1 = l1_ratio.map_or(Ordering::Equal, |index| {
                number(b, index)
                    .partial_cmp(&number(a, index))
                    .unwrap_or(Ordering::Equal)
            });
            by_c.then(by_l1).then(a.rank.cmp(&b.rank))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::MetricInfo;
    use crate::rows::Score;
    use crate::value::ParamValue;

    /// Trials with (C, `l1_ratio`, mean); each standard error is 0.1.
    fn table(trials: &[(f64, f64, f64)], higher_is_better: bool) -> TrialTable {
        let mut order: Vec<usize> = (0..trials.len()).collect();
        order.sort_by(|&a, &b| {
            let order = trials[a].2.total_cmp(&trials[b].2);
            if higher_is_better { order.reverse() } else { order }
        });
        let rank = |index: usize| order.iter().position(|&other| other == index).expect("a permutation") as u32 + 1;
        TrialTable {
            params: vec![C.to_owned(), L1_RATIO.to_owned()],
            metrics: vec![MetricInfo {
                name: "m".to_owned(),
                higher_is_better,
            }],
            rows: (0..trials.len())
                .map(|index| TrialRow {
                    trial: index as u32,
                    params: vec![ParamValue::Float(trials[index].0), ParamValue::Float(trials[index].1)],
                    scores: vec![Score {
                        mean_val: Some(trials[index].2),
                        std_val: Some(0.2),
                        se_val: Some(0.1),
                        mean_train: None,
                    }],
                    rank: rank(index),
                    state: TrialState::Complete,
                    rung: None,
                    n_runs: 4,
                    n_failed: 0,
                    is_selected: false,
                })
                .collect(),
        }
    }

    fn taken(table: &TrialTable) -> Option<u32> {
        one_standard_error(table, "m").map(|row| row.trial)
    }

    #[test]
    fn the_smallest_c_within_one_standard_error_is_taken() {
        let losses = [(10.0, 0.0, 0.50), (1.0, 0.0, 0.55), (0.1, 0.0, 0.59), (0.01, 0.0, 0.61)];
        assert_eq!(taken(&table(&losses, false)), Some(2));
        let areas = losses.map(|(c, l1, loss)| (c, l1, 1.0 - loss));
        assert_eq!(taken(&table(&areas, true)), Some(2));
    }

    #[test]
    fn among_equal_c_the_larger_share_of_l1_goes_first_then_the_rank() {
        assert_eq!(
            taken(&table(&[(1.0, 0.0, 0.50), (1.0, 1.0, 0.55), (1.0, 0.5, 0.51)], false)),
            Some(1)
        );
        assert_eq!(taken(&table(&[(1.0, 0.5, 0.52), (1.0, 0.5, 0.51)], false)), Some(1));
    }

    #[test]
    fn without_c_or_a_standard_error_there_is_no_such_trial() {
        let mut no_error = table(&[(1.0, 0.0, 0.5)], false);
        no_error.rows[0].scores[0].se_val = None;
        assert_eq!(taken(&no_error), None);
        let mut no_c = table(&[(1.0, 0.0, 0.5)], false);
        no_c.params[0] = "train.tol".to_owned();
        assert_eq!(taken(&no_c), None);
    }

    #[test]
    fn failed_trials_are_not_taken() {
        let mut table = table(&[(1.0, 0.0, 0.5), (0.1, 0.0, 0.5)], false);
        table.rows[1].state = TrialState::Failed;
        assert_eq!(taken(&table), Some(0));
    }
}
