//! `trials.parquet`: scores over folds, ranks, and the sweep's choice.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use polars::prelude::{DataFrame, PolarsResult};

use crate::error::StoreError;
use crate::frame::{Frame, column, param_column, scores};
use crate::manifest::{Manifest, MetricInfo};
use crate::plan::PlanTable;
use crate::rows::{MEAN_TRAIN, MEAN_VAL, PARAM, RunRow, SE_VAL, STD_VAL, Score, TrialRow, TrialTable, trials};
use crate::run::{RunRecord, RunState, TrialState};
use crate::tables::select::{is_one_se, one_standard_error};

/// Scores and ranks every trial. `rows` are the runs, by trial, fold, repeat, restart.
pub(crate) fn rank(plan: &PlanTable, manifest: &Manifest, rows: &[RunRow]) -> TrialTable {
    let mut by_trial: BTreeMap<u32, &[RunRow]> = BTreeMap::new();
    for runs in rows.chunk_by(|a, b| a.trial == b.trial) {
        by_trial.insert(runs[0].trial, runs);
    }
    let mut planned: Vec<_> = plan.trials.iter().collect();
    planned.sort_by_key(|trial| trial.trial);
    let mut table = TrialTable {
        params: plan.params.clone(),
        metrics: manifest.metrics.clone(),
        rows: planned
            .into_iter()
            .map(|trial| {
                let runs = by_trial.get(&trial.trial).copied().unwrap_or(&[]);
                TrialRow {
                    params: trial.params.clone(),
                    ..score_trial(trial.trial, runs, &manifest.metrics)
                }
            })
            .collect(),
    };
    let select = manifest.metrics.iter().position(|m| m.name == manifest.select);
    assign_ranks(&mut table, select);
    if is_one_se(manifest)
        && let Some(trial) = one_standard_error(&table, &manifest.select).map(|row| row.trial)
    {
        for row in &mut table.rows {
            row.is_selected = row.trial == trial;
        }
    }
    table
}

/// One trial with all but its hyperparameters and rank.
fn score_trial(trial: u32, runs: &[RunRow], metrics: &[MetricInfo]) -> TrialRow {
    let states: Vec<Option<RunState>> = runs
        .iter()
        .map(|run| run.record.as_ref().map(|record| record.state))
        .collect();
    let n_failed = states.iter().filter(|state| **state == Some(RunState::Failed)).count();
    let state = if n_failed > 0 {
        TrialState::Failed
    } else if states.is_empty() || states.contains(&None) {
        TrialState::Waiting
    } else if states.contains(&Some(RunState::Pruned)) {
        TrialState::Pruned
    } else {
        TrialState::Complete
    };
    let scores = metrics
        .iter()
        .map(|metric| {
            let val = fold_scores(runs, |record| record.val_score(&metric.name));
            let train = fold_scores(runs, |record| record.train_score(&metric.name));
            let (mean_val, std_val) = mean_and_std(val.as_deref());
            let n_folds = val.map_or(0, |folds| folds.len());
            Score {
                mean_val,
                std_val,
                se_val: std_val.map(|std| std / (n_folds as f64).sqrt()),
                mean_train: mean_and_std(train.as_deref()).0,
            }
        })
        .collect();
    TrialRow {
        trial,
        params: Vec::new(),
        scores,
        rank: 0,
        state,
        rung: runs.iter().filter_map(|run| run.record.as_ref()?.rung).max(),
        n_runs: runs.len() as u32,
        n_failed: n_failed as u32,
        is_selected: false,
    }
}

/// The score of each fold of each repeat, restarts averaged; nothing unless every run has one.
fn fold_scores(runs: &[RunRow], of: impl Fn(&RunRecord) -> Option<f64>) -> Option<Vec<f64>> {
    let folds = runs.chunk_by(|a, b| (a.fold, a.repeat) == (b.fold, b.repeat));
    let means = folds.map(|restarts| {
        let mut sum = 0.0;
        for run in restarts {
            sum += of(run.record.as_ref()?)?;
        }
        Some(sum / restarts.len() as f64)
    });
    let means: Option<Vec<f64>> = means.collect();
    means.filter(|means| !means.is_empty())
}

/// Mean, and standard deviation with one less in the denominator where there are two values.
fn mean_and_std(values: Option<&[f64]>) -> (Option<f64>, Option<f64>) {
    let Some(values) = values else {
        return (None, None);
    };
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 || !mean.is_finite() {
        return (Some(mean), None);
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (Some(mean), Some((squares / (n - 1.0)).sqrt()))
}

/// Complete trials by the selecting metric, then pruned ones by how far they got, then waiting ones, then failed ones; ties by number.
/// Without any held-out rows (strategy "none") the score on the training rows decides.
fn assign_ranks(table: &mut TrialTable, select: Option<usize>) {
    let higher_is_better = select.is_some_and(|index| table.metrics[index].higher_is_better);
    let is_validated = |row: &TrialRow| select.is_some_and(|i| row.scores[i].mean_val.is_some());
    let has_validation = table.rows.iter().any(is_validated);
    let score = |row: &TrialRow| {
        let score = row.scores.get(select?)?;
        if has_validation {
            score.mean_val
        } else {
            score.mean_train
        }
    };
    let stage = |row: &TrialRow| match row.state {
        TrialState::Complete => 0,
        TrialState::Pruned => 1,
        TrialState::Waiting => 2,
        TrialState::Failed => 3,
    };
    let by_score = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) if higher_is_better => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    let mut order: Vec<usize> = (0..table.rows.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&table.rows[a], &table.rows[b]);
        stage(a)
            .cmp(&stage(b))
            .then(b.rung.cmp(&a.rung))
            .then(by_score(score(a), score(b)))
            .then(a.trial.cmp(&b.trial))
    });
    for (place, &index) in order.iter().enumerate() {
        let row = &table.rows[index];
        let is_eligible = row.state == TrialState::Complete && score(row).is_some();
        table.rows[index].is_selected = place == 0 && is_eligible;
        table.rows[index].rank = place as u32 + 1;
    }
}

/// The rows of the file.
pub(crate) fn trials_frame(table: &TrialTable) -> PolarsResult<DataFrame> {
    let rows = &table.rows;
    let numbers = |of: fn(&TrialRow) -> u32| rows.iter().map(of).collect::<Vec<u32>>();
    let mut columns = vec![column(trials::TRIAL, numbers(|row| row.trial))];
    for (index, path) in table.params.iter().enumerate() {
        let values = rows.iter().map(|row| &row.params[index]);
        columns.push(param_column(&format!("{PARAM}{path}"), values));
    }
    for (index, metric) in table.metrics.iter().enumerate() {
        let mut push = |prefix: &str, of: fn(&Score) -> Option<f64>| {
            let values = rows.iter().map(|row| of(&row.scores[index]));
            columns.push(scores(&format!("{prefix}{}", metric.name), values));
        };
        push(MEAN_VAL, |score| score.mean_val);
        push(STD_VAL, |score| score.std_val);
        push(SE_VAL, |score| score.se_val);
        push(MEAN_TRAIN, |score| score.mean_train);
    }
    let states: Vec<&str> = rows.iter().map(|row| row.state.name()).collect();
    let rungs: Vec<Option<u32>> = rows.iter().map(|row| row.rung).collect();
    let selected: Vec<bool> = rows.iter().map(|row| row.is_selected).collect();
    columns.extend([
        column(trials::RANK, numbers(|row| row.rank)),
        column(trials::STATE, states),
        column(trials::RUNG, rungs),
        column(trials::N_RUNS, numbers(|row| row.n_runs)),
        column(trials::N_FAILED, numbers(|row| row.n_failed)),
        column(trials::SELECTED, selected),
    ]);
    DataFrame::new(rows.len(), columns)
}

/// Reads the file back. Directions of the metrics come from the manifest.
pub(crate) fn trials_from(frame: &Frame, manifest: &Manifest) -> Result<TrialTable, StoreError> {
    let number = frame.all_u32(trials::TRIAL)?;
    let rank = frame.all_u32(trials::RANK)?;
    let state = frame.all_words(trials::STATE, TrialState::parse)?;
    let rung = frame.u32(trials::RUNG)?;
    let n_runs = frame.all_u32(trials::N_RUNS)?;
    let n_failed = frame.all_u32(trials::N_FAILED)?;
    let selected = frame.bool(trials::SELECTED)?;
    let paths = frame.names_after(PARAM);
    let params = paths
        .iter()
        .map(|path| frame.params(&format!("{PARAM}{path}")))
        .collect::<Result<Vec<_>, _>>()?;
    let metric_columns = manifest
        .metrics
        .iter()
        .map(|metric| {
            let read = |prefix: &str| frame.f64(&format!("{prefix}{}", metric.name));
            Ok([read(MEAN_VAL)?, read(STD_VAL)?, read(SE_VAL)?, read(MEAN_TRAIN)?])
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let rows = (0..number.len()).map(|row| TrialRow {
        trial: number[row],
        params: params.iter().map(|column| column[row].clone()).collect(),
        scores: metric_columns
            .iter()
            .map(|[mean, std, se, train]| Score {
                mean_val: mean.get(row),
                std_val: std.get(row),
                se_val: se.get(row),
                mean_train: train.get(row),
            })
            .collect(),
        rank: rank[row],
        state: state[row],
        rung: rung.get(row),
        n_runs: n_runs[row],
        n_failed: n_failed[row],
        is_selected: selected.get(row).unwrap_or(false),
    });
    let rows = rows.collect();
    Ok(TrialTable {
        params: paths,
        metrics: manifest.metrics.clone(),
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlannedTrial;
    use crate::run::RunId;
    use crate::value::ParamValue;

    const LOSS: &str = "log_loss";

    fn manifest(higher_is_better: bool) -> Manifest {
        Manifest {
            select: LOSS.to_owned(),
            metrics: vec![MetricInfo {
                name: LOSS.to_owned(),
                higher_is_better,
            }],
            ..Manifest::default()
        }
    }

    fn plan(n: u32) -> PlanTable {
        PlanTable {
            trials: (0..n)
                .map(|trial| PlannedTrial {
                    trial,
                    params: Vec::new(),
                })
                .collect(),
            ..PlanTable::default()
        }
    }

    fn run(trial: u32, fold: u32, restart: u32, state: RunState, score: Option<f64>) -> RunRow {
        RunRow {
            run: RunId(u64::from(trial * 100 + fold * 10 + restart)),
            trial,
            fold,
            repeat: 0,
            restart,
            record: Some(RunRecord {
                state,
                val: score.map(|value| (LOSS.into(), value)).into_iter().collect(),
                train: vec![(LOSS.into(), f64::from(10 - trial))],
                ..RunRecord::default()
            }),
        }
    }

    fn ranks(table: &TrialTable) -> Vec<u32> {
        table.rows.iter().map(|row| row.rank).collect()
    }

    #[test]
    fn restarts_are_averaged_before_folds() {
        let complete = RunState::Complete;
        let rows = [
            run(0, 0, 0, complete, Some(1.0)),
            run(0, 0, 1, complete, Some(3.0)),
            run(0, 1, 0, complete, Some(4.0)),
            run(0, 1, 1, complete, Some(4.0)),
        ];
        let table = rank(&plan(1), &manifest(false), &rows);
        let score = table.rows[0].scores[0];
        assert_eq!(score.mean_val, Some(3.0));
        // Folds score 2 and 4: the deviation is √2, the error √2/√2 = 1.
        assert_eq!(score.std_val, Some(2.0_f64.sqrt()));
        assert!((score.se_val.expect("two folds") - 1.0).abs() < 1e-15);
        assert_eq!(table.rows[0].n_runs, 4);
        assert!(table.rows[0].is_selected);
    }

    #[test]
    fn one_fold_has_no_standard_error() {
        let rows = [run(0, 0, 0, RunState::Complete, Some(1.0))];
        let score = rank(&plan(1), &manifest(false), &rows).rows[0].scores[0];
        assert_eq!((score.std_val, score.se_val), (None, None));
        assert_eq!(score.mean_val, Some(1.0));
    }

    #[test]
    fn order_is_complete_pruned_waiting_failed() {
        let mut rows = vec![
            run(0, 0, 0, RunState::Failed, Some(0.0)),
            run(1, 0, 0, RunState::Complete, Some(0.0)),
            run(2, 0, 0, RunState::Pruned, Some(0.1)),
            run(3, 0, 0, RunState::Pruned, Some(0.4)),
            run(4, 0, 0, RunState::Complete, Some(0.5)),
            run(5, 0, 0, RunState::Complete, Some(0.5)),
            run(6, 0, 0, RunState::Complete, None),
        ];
        rows[1].record = None;
        for (index, rung) in [(2, 1), (3, 2)] {
            if let Some(record) = &mut rows[index].record {
                record.rung = Some(rung);
            }
        }
        let table = rank(&plan(7), &manifest(false), &rows);
        assert_eq!(ranks(&table), [7, 6, 5, 4, 1, 2, 3]);
        assert_eq!(table.selected().map(|row| row.trial), Some(4));
        let reverse = rank(&plan(7), &manifest(true), &rows);
        assert_eq!(ranks(&reverse), [7, 6, 5, 4, 1, 2, 3]);
    }

    #[test]
    fn the_rule_of_one_standard_error_selects_and_ranks_stay() {
        let mut plan = plan(2);
        plan.params = vec!["model.C".to_owned()];
        for (trial, c) in plan.trials.iter_mut().zip([1.0, 0.1]) {
            trial.params = vec![ParamValue::Float(c)];
        }
        let rows: Vec<RunRow> = [(0, 0.2), (0, 0.4), (1, 0.21), (1, 0.41)]
            .into_iter()
            .zip([0, 1, 0, 1])
            .map(|((trial, score), fold)| run(trial, fold, 0, RunState::Complete, Some(score)))
            .collect();
        let selected = |select: &str| {
            let mut manifest = manifest(false);
            manifest.keys.insert("sweep.select".to_owned(), select.into());
            let table = rank(&plan, &manifest, &rows);
            assert_eq!(ranks(&table), [1, 2]);
            assert_eq!(table.rows.iter().filter(|row| row.is_selected).count(), 1);
            table.selected().map(|row| row.trial)
        };
        assert_eq!((selected("best"), selected("1se")), (Some(0), Some(1)));
    }

    #[test]
    fn direction_decides() {
        let rows = [
            run(0, 0, 0, RunState::Complete, Some(0.2)),
            run(1, 0, 0, RunState::Complete, Some(0.3)),
        ];
        assert_eq!(ranks(&rank(&plan(2), &manifest(false), &rows)), [1, 2]);
        assert_eq!(ranks(&rank(&plan(2), &manifest(true), &rows)), [2, 1]);
    }

    #[test]
    fn a_failed_trial_is_never_selected() {
        let rows = [run(0, 0, 0, RunState::Failed, Some(0.1))];
        let table = rank(&plan(1), &manifest(false), &rows);
        assert_eq!(table.rows[0].rank, 1);
        assert_eq!(table.selected(), None);
        assert_eq!(table.rows[0].n_failed, 1);
    }

    #[test]
    fn without_held_out_rows_training_scores_rank() {
        let rows: Vec<RunRow> = (0..3).map(|trial| run(trial, 0, 0, RunState::Complete, None)).collect();
        let table = rank(&plan(3), &manifest(false), &rows);
        assert_eq!(ranks(&table), [3, 2, 1]);
        assert_eq!(table.rows[2].scores[0].mean_val, None);
        assert!(table.rows[2].is_selected);
    }
}
