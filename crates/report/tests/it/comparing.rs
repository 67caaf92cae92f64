//! `compare`: ranks, differences, columns.

use gradsweep_report::{Format, compare};
use serde_json::Value;

use crate::sample::{path, sgd, sweeps};

#[test]
fn one_sweep_is_its_ranking() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let comparison = compare(&sweeps, None, None).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial       C          log_loss    Δ to best (paired)  roc_auc
    1      1  0.5179  0.48610 ± 0.0006                     –   0.7218
    2      2      10  0.48612 ± 0.0006  +0.000020 ± 0.000006   0.7218
    3      3     inf  0.49020 ± 0.0006  +0.004100 ± 0.000012   0.7218
    4      0    0.01  0.49310 ± 0.0006  +0.007000 ± 0.000006   0.7218
    ");
}

#[test]
fn sweeps_are_ranked_together() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[sgd(), path()]);
    let comparison = compare(&sweeps, Some("log_loss"), None).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  sweep         trial  state     learning_rate  batch_rows       C  solver          log_loss    Δ to best (paired)  roc_auc
    1  flights-path      1  complete              –           –  0.5179  adam    0.48610 ± 0.0006                     –   0.7218
    2  flights-path      2  complete              –           –      10  adam    0.48612 ± 0.0006  +0.000020 ± 0.000006   0.7218
    3  flights-sgd       0  complete           0.05         256       1  sgd     0.48655 ± 0.0006  +0.000450 ± 0.000006   0.7218
    4  flights-path      3  complete              –           –     inf  adam    0.49020 ± 0.0006  +0.004100 ± 0.000012   0.7218
    5  flights-path      0  complete              –           –    0.01  adam    0.49310 ± 0.0006  +0.007000 ± 0.000006   0.7218
    6  flights-sgd       1  failed               50         256       1  sgd                    –                     –        –
    ");
    let top = compare(&sweeps, Some("log_loss"), Some(2)).expect("comparable");
    insta::assert_snapshot!(top.render(Format::Md), @"
    | # | sweep | trial | learning_rate | batch_rows | C | solver | log_loss | Δ to best (paired) | roc_auc |
    | --: | :-- | --: | --: | --: | --: | :-- | --: | --: | --: |
    | 1 | flights-path | 1 | – | – | 0.5179 | adam | 0.48610 ± 0.0006 | – | 0.7218 |
    | 2 | flights-path | 2 | – | – | 10 | adam | 0.48612 ± 0.0006 | +0.000020 ± 0.000006 | 0.7218 |

    4 more trials not shown
    ");
}

#[test]
fn csv_has_one_column_per_quantity_in_full() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let comparison = compare(&sweeps, Some("roc_auc"), Some(2)).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Csv), @"
    rank,sweep,trial,state,param.model.C,mean_val_roc_auc,std_val_roc_auc,se_val_roc_auc,mean_train_roc_auc,mean_val_log_loss,std_val_log_loss,se_val_log_loss,mean_train_log_loss,delta_roc_auc,se_delta_roc_auc,n_paired
    1,flights-path,0,complete,0.01,0.7218,0,0,0.7225,0.4930999999999999,0.0010000000000000009,0.0005773502691896263,0.4921,,,
    2,flights-path,1,complete,0.517947467923121,0.7218,0,0,0.7225,0.4861,0.0010100000000000109,0.0005831237718815284,0.4850999999999999,0,0,3
    ");
}

#[test]
fn json_agrees_with_the_store() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let comparison = compare(&sweeps, None, None).expect("comparable");
    let json: Value = serde_json::from_str(&comparison.render(Format::Json)).expect("JSON");
    assert_eq!(json["by"], "log_loss");
    let rows = json["rows"].as_array().expect("rows");
    let table = sweeps[0].store.trials().expect("readable");
    assert_eq!(rows.len(), table.rows.len());
    for row in rows {
        let number = row["trial"].as_u64().expect("a number") as u32;
        let trial = table.trial(number).expect("a trial of the table");
        assert_eq!(row["rank"], trial.rank);
        assert_eq!(row["mean_val_log_loss"].as_f64(), trial.scores[0].mean_val);
        assert_eq!(row["se_val_log_loss"].as_f64(), trial.scores[0].se_val);
    }
    assert_eq!(rows[3]["param.model.C"], 0.01);
    assert_eq!(rows[2]["param.model.C"], "inf");
    assert_eq!(rows[0]["delta_log_loss"], Value::Null);
    let delta = rows[1]["delta_log_loss"].as_f64().expect("a number");
    assert!((delta - 2e-5).abs() < 1e-12, "{delta}");
    // The folds' common part is gone: the error of the difference is far below that of either mean.
    let se = rows[1]["se_delta_log_loss"].as_f64().expect("a number");
    let of_mean = rows[1]["se_val_log_loss"].as_f64().expect("a number");
    assert!(se < 0.05 * of_mean, "{se} and {of_mean}");
    assert_eq!(rows[1]["n_paired"], 3);
}

#[test]
fn other_folds_are_not_subtracted() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut other = sgd();
    other.trials.truncate(1);
    other.keys[3].1 = 1.into();
    let sweeps = sweeps(scratch.path(), &[path(), other]);
    let comparison = compare(&sweeps, None, None).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  sweep         trial       C  learning_rate  batch_rows  solver          log_loss    Δ to best (paired)  roc_auc
    1  flights-path      1  0.5179              –           –  adam    0.48610 ± 0.0006                     –   0.7218
    2  flights-path      2      10              –           –  adam    0.48612 ± 0.0006  +0.000020 ± 0.000006   0.7218
    3  flights-sgd       0       1           0.05         256  sgd     0.48655 ± 0.0006                     –   0.7218
    4  flights-path      3     inf              –           –  adam    0.49020 ± 0.0006  +0.004100 ± 0.000012   0.7218
    5  flights-path      0    0.01              –           –  adam    0.49310 ± 0.0006  +0.007000 ± 0.000006   0.7218
    Δ is given where a trial was scored on the same held-out rows as the best
    ");
}

#[test]
fn without_held_out_rows_training_scores_rank() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.has_validation = false;
    recipe.folds = 1;
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let comparison = compare(&sweeps, None, None).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial       C  log_loss (train)  Δ to best (paired)  roc_auc (train)
    1      1  0.5179           0.48510                   –           0.7225
    2      2      10           0.48512            +0.00002           0.7225
    3      3     inf           0.48920            +0.00410           0.7225
    4      0    0.01           0.49210            +0.00700           0.7225
    no rows were held out: these are scores on the training rows
    ");
}

#[test]
fn a_stopped_sweep_ranks_what_it_has() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.waiting_from = 2;
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let comparison = compare(&sweeps, None, None).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial  state          C          log_loss    Δ to best (paired)  roc_auc
    1      1  complete  0.5179  0.48610 ± 0.0006                     –   0.7218
    2      0  complete    0.01  0.49310 ± 0.0006  +0.007000 ± 0.000006   0.7218
    3      2  waiting       10                 –                     –        –
    4      3  waiting      inf                 –                     –        –
    ");
}
