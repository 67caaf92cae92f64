//! `compare`: ranks, differences, columns.

use gradsweep_report::{Format, Query, changes, compare, groups, importance};
use serde_json::Value;

use crate::sample::{path, sgd, sweeps};

fn by(metric: &str, top: Option<usize>) -> Query {
    Query {
        by: Some(metric.to_owned()),
        top,
        ..Query::default()
    }
}

#[test]
fn one_sweep_is_its_ranking() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let comparison = compare(&sweeps, &Query::default()).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial       C          log_loss    Δ to best (paired)       p  P(best)  roc_auc
    1      1  0.5179  0.48610 ± 0.0006                     –       –     1.00   0.7218
    2      2      10  0.48612 ± 0.0006  +0.000020 ± 0.000009   0.160     0.00   0.7218
    3      3     inf  0.49020 ± 0.0006  +0.004100 ± 0.000018  2.0e-5     0.00   0.7218
    4      0    0.01  0.49310 ± 0.0006  +0.007000 ± 0.000009  1.7e-6     0.00   0.7218
    Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share
    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first
    the 1se rule takes trial 1 (C = 0.5179): also the best
    ");
}

#[test]
fn sweeps_are_ranked_together() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[sgd(), path()]);
    let comparison = compare(&sweeps, &by("log_loss", None)).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  sweep         trial  state     learning_rate  batch_rows       C  solver          log_loss    Δ to best (paired)         p  P(best)  roc_auc
    1  flights-path      1  complete              –           –  0.5179  adam    0.48610 ± 0.0006                     –         –     1.00   0.7218
    2  flights-path      2  complete              –           –      10  adam    0.48612 ± 0.0006  +0.000020 ± 0.000009     0.160     0.00   0.7218
    3  flights-sgd       0  complete           0.05         256       1  sgd     0.48655 ± 0.0006  +0.000450 ± 0.000009  0.000411     0.00   0.7218
    4  flights-path      3  complete              –           –     inf  adam    0.49020 ± 0.0006  +0.004100 ± 0.000018    2.0e-5     0.00   0.7218
    5  flights-path      0  complete              –           –    0.01  adam    0.49310 ± 0.0006  +0.007000 ± 0.000009    1.7e-6     0.00   0.7218
    6  flights-sgd       1  failed               50         256       1  sgd                    –                     –         –        –        –
    Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share
    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first
    the 1se rule takes trial 1 in flights-path (C = 0.5179): also the best
    ");
    let top = compare(&sweeps, &by("log_loss", Some(2))).expect("comparable");
    insta::assert_snapshot!(top.render(Format::Md), @"
    | # | sweep | trial | learning_rate | batch_rows | C | solver | log_loss | Δ to best (paired) | p | P(best) | roc_auc |
    | --: | :-- | --: | --: | --: | --: | :-- | --: | --: | --: | --: | --: |
    | 1 | flights-path | 1 | – | – | 0.5179 | adam | 0.48610 ± 0.0006 | – | – | 1.00 | 0.7218 |
    | 2 | flights-path | 2 | – | – | 10 | adam | 0.48612 ± 0.0006 | +0.000020 ± 0.000009 | 0.160 | 0.00 | 0.7218 |

    4 more trials not shown

    Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share

    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first

    the 1se rule takes trial 1 in flights-path (C = 0.5179): also the best
    ");
}

#[test]
fn csv_has_one_column_per_quantity_in_full() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let comparison = compare(&sweeps, &by("roc_auc", Some(2))).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Csv), @"
    rank,sweep,trial,state,param.model.C,mean_val_roc_auc,std_val_roc_auc,se_val_roc_auc,mean_train_roc_auc,mean_val_log_loss,std_val_log_loss,se_val_log_loss,mean_train_log_loss,delta_roc_auc,se_delta_roc_auc,p_delta_roc_auc,n_paired,p_best,one_se
    1,flights-path,0,complete,0.01,0.7218,0,0,0.7225,0.4930999999999999,0.0010000000000000009,0.0005773502691896263,0.4921,,,,,0.25,false
    2,flights-path,1,complete,0.517947467923121,0.7218,0,0,0.7225,0.4861,0.0010100000000000109,0.0005831237718815284,0.4850999999999999,0,0,1,3,0.25,false
    ");
}

#[test]
fn json_agrees_with_the_store() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let comparison = compare(&sweeps, &Query::default()).expect("comparable");
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
    let comparison = compare(&sweeps, &Query::default()).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  sweep         trial       C  learning_rate  batch_rows  solver          log_loss    Δ to best (paired)       p  P(best)  roc_auc
    1  flights-path      1  0.5179              –           –  adam    0.48610 ± 0.0006                     –       –     1.00   0.7218
    2  flights-path      2      10              –           –  adam    0.48612 ± 0.0006  +0.000020 ± 0.000009   0.160     0.00   0.7218
    3  flights-sgd       0       1           0.05         256  sgd     0.48655 ± 0.0006                     –       –        –   0.7218
    4  flights-path      3     inf              –           –  adam    0.49020 ± 0.0006  +0.004100 ± 0.000018  2.0e-5     0.00   0.7218
    5  flights-path      0    0.01              –           –  adam    0.49310 ± 0.0006  +0.007000 ± 0.000009  1.7e-6     0.00   0.7218
    Δ is given where a trial was scored on the same held-out rows as the best
    Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share
    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first
    the 1se rule takes trial 1 in flights-path (C = 0.5179): also the best
    ");
}

#[test]
fn without_held_out_rows_training_scores_rank() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.has_validation = false;
    recipe.folds = 1;
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let comparison = compare(&sweeps, &Query::default()).expect("comparable");
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
    let comparison = compare(&sweeps, &Query::default()).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial  state          C          log_loss    Δ to best (paired)       p  P(best)  roc_auc
    1      1  complete  0.5179  0.48610 ± 0.0006                     –       –     1.00   0.7218
    2      0  complete    0.01  0.49310 ± 0.0006  +0.007000 ± 0.000009  1.7e-6     0.00   0.7218
    3      2  waiting       10                 –                     –       –        –        –
    4      3  waiting      inf                 –                     –       –        –        –
    Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share
    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first
    the 1se rule takes trial 1 (C = 0.5179): also the best
    ");
}

#[test]
fn a_filter_decides_what_is_compared_and_sorting_what_is_read_first() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let query = Query {
        filter: Some("param.model.C != inf and log_loss > 0.4861".to_owned()),
        sort: Some("-C".to_owned()),
        ..Query::default()
    };
    let comparison = compare(&sweeps, &query).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial     C          log_loss  Δ to best (paired)       p  P(best)  roc_auc
    1      2    10  0.48612 ± 0.0006                   –       –     1.00   0.7218
    2      0  0.01  0.49310 ± 0.0006  +0.00698 ± 0.00002  6.8e-6     0.00   0.7218
    2 trials left out by --where
    Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share
    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first
    ");
    let none = Query {
        filter: Some("C > 1e9 and C < inf".to_owned()),
        ..Query::default()
    };
    let error = compare(&sweeps, &none).expect_err("nothing is left");
    assert_eq!(error.to_string(), "none of the 4 trials has C > 1e9 and C < inf");
}

#[test]
fn folds_by_time_have_no_p() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.keys[1].1 = "time".into();
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let comparison = compare(&sweeps, &by("log_loss", Some(2))).expect("comparable");
    insta::assert_snapshot!(comparison.render(Format::Table), @"
    #  trial       C          log_loss    Δ to best (paired)  P(best)  roc_auc
    1      1  0.5179  0.48610 ± 0.0006                     –     1.00   0.7218
    2      2      10  0.48612 ± 0.0006  +0.000020 ± 0.000006     0.00   0.7218
    2 more trials not shown
    the corrected t-test is not valid: folds by time; no p, and the error of Δ is the plain one
    P(best): share of 2,000 resamples of the 3 fold scores in which the trial comes first
    the 1se rule takes trial 1 (C = 0.5179): also the best
    ");
    let json: Value = serde_json::from_str(&comparison.render(Format::Json)).expect("JSON");
    assert_eq!(json["test"], "not valid: folds by time");
    assert_eq!(json["rows"][1]["p_delta_log_loss"], Value::Null);
}

#[test]
fn a_front_holds_what_is_not_beaten_in_both() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let query = |metrics: &[&str]| Query {
        pareto: Some(metrics.iter().map(|name| (*name).to_owned()).collect()),
        ..Query::default()
    };
    // All trials have the same area, so that only the best by loss is left.
    let front = compare(&sweeps, &query(&["log_loss", "roc_auc"])).expect("comparable");
    insta::assert_snapshot!(front.render(Format::Table), @"
    #  trial       C          log_loss  roc_auc
    1      1  0.5179  0.48610 ± 0.0006   0.7218
    1 trial that no other beats in both log_loss and roc_auc
    the 1se rule takes trial 1 (C = 0.5179): also the best
    ");
    let error = compare(&sweeps, &query(&["log_loss"])).expect_err("one metric");
    assert_eq!(error.to_string(), "a Pareto front is of two metrics, not of 1");
}

#[test]
fn groups_show_the_best_and_the_middle_of_each_value() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[sgd(), path()]);
    let sheet = groups(&sweeps, &Query::default(), "solver").expect("groupable");
    insta::assert_snapshot!(sheet.render(Format::Table), @"
    solver  trials  failed      best trial     best log_loss  median log_loss
    adam         4       0  flights-path 1  0.48610 ± 0.0006          0.48816
    sgd          2       1   flights-sgd 0  0.48655 ± 0.0006          0.48655
    ");
    let error = groups(&sweeps, &Query::default(), "solvr").expect_err("no such column");
    assert_eq!(error.hint().as_deref(), Some("did you mean solver?"));
}

#[test]
fn changes_name_every_key_that_differs() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let both = sweeps(scratch.path(), &[sgd(), path()]);
    let sheet = changes(&both).expect("two sweeps");
    insta::assert_snapshot!(sheet.render(Format::Table), @"
    key                  flights-sgd  flights-path
    model.C              1.0          0.01, 0.5179, 10, inf
    train.batch_rows     256          –
    train.learning_rate  0.05, 50     –
    train.solver         sgd          adam
    ");
    assert!(changes(&both[..1]).is_err());
}

#[test]
fn importance_finds_the_parameter_that_matters() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = sgd();
    let rates = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
    let pairs = rates
        .iter()
        .flat_map(|rate| [64_i64, 128, 256, 512].map(|rows| (*rate, rows)));
    recipe.trials = pairs
        .map(|(rate, rows)| {
            let loss = 0.5 + 0.1 * f64::log10(rate).powi(2) + 1e-5 * rows as f64;
            let params = vec![
                gradsweep_store::ParamValue::Float(rate),
                gradsweep_store::ParamValue::Int(rows),
            ];
            (params, Some(loss))
        })
        .collect();
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let sheet = importance(&sweeps, &Query::default()).expect("enough trials");
    let json: Value = serde_json::from_str(&sheet.render(Format::Json)).expect("JSON");
    assert_eq!(json["rows"][0]["parameter"], "param.train.learning_rate");
    let share = json["rows"][0]["share"].as_f64().expect("a number");
    assert!(share > 0.9, "{share}");
    let again = importance(&sweeps, &Query::default()).expect("enough trials");
    assert_eq!(again, sheet);
}
