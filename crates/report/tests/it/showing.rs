//! `show`: a sweep, a trial, a run.

use gradsweep_report::{Format, show};
use serde_json::Value;

use crate::sample::{path, settled, sgd, sweeps};

#[test]
fn a_sweep_at_a_glance() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[sgd()]);
    let page = show(&sweeps[0].store, None).expect("shown");
    let text = settled(&page.render(Format::Table), scratch.path());
    insta::with_settings!({filters => vec![(r"\d+(\.\d)? k?B", "[size]")]}, {
        insta::assert_snapshot!(text, @r#"
        flights-sgd   sweeps/flights-sgd
          created  2026-01-02 03:04 by gradsweep 0.1.0
          data     327,346 rows, 19 columns, 159 features; late = "yes" counts as 1 (23.4 %)
          trials   2 trials: 1 complete, 1 failed; they differ in learning_rate
          runs     6 runs: 3 complete, 3 failed
          best     trial 0, learning_rate = 0.05: log_loss 0.48655 ± 0.0006, roc_auc 0.7218
          files    [size]: coefficients.parquet, config.toml, history.parquet, manifest.json, parts/, plan.parquet, resolved.toml, runs.parquet, trials.parquet
          next     gradsweep compare sweeps/flights-sgd
                   gradsweep show sweeps/flights-sgd best
        "#);
    });
}

#[test]
fn a_trial_with_its_folds_and_model() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let page = show(&sweeps[0].store, Some("best")).expect("shown");
    let text = settled(&page.render(Format::Table), scratch.path());
    insta::assert_snapshot!(text, @"
    Trial 1 of flights-path   sweeps/flights-path
      rank    1 of 4, selected
      params  model.C = 0.517947467923121

    Scores
      metric                 val    train
      log_loss  0.48610 ± 0.0006  0.48510
      roc_auc   0.72180 ± 0.0000  0.72250

    Runs
      run               fold  state     reason  epochs  converged  log_loss  roc_auc
      101000000000abcd     0  complete  tol          4  yes         0.48509  0.72180
      101100000000abcd     1  complete  tol          4  yes         0.48610  0.72180
      101200000000abcd     2  complete  tol          4  yes         0.48711  0.72180

    Learning curve of log_loss by epoch, mean over runs
      val    █▂▁▁  1: 0.68610 → 4: 0.48922
      train  █▂▁▁  1: 0.68510 → 4: 0.48822

    Coefficients: mean ± standard deviation over runs, greatest first
      feature          standardized  in data units  runs
      (intercept)   -1.392 ± 0.0010         -1.392     3
      hour         +0.3921 ± 0.0010        +0.0812     3
      carrier=EV   +0.1442 ± 0.0010        +0.1442     3
      month        -0.0072 ± 0.0010        -0.0021     3
    ");
    let same = show(&sweeps[0].store, Some("1")).expect("shown");
    assert_eq!(same, page);
}

#[test]
fn a_trial_as_markdown_and_csv() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[sgd()]);
    let page = show(&sweeps[0].store, Some("1")).expect("shown");
    let text = settled(&page.render(Format::Md), scratch.path());
    insta::assert_snapshot!(text, @"
    # Trial 1 of flights-sgd   sweeps/flights-sgd

    - rank: 2 of 2
    - state: failed
    - params: train.learning_rate = 50; train.batch_rows = 256

    ## Scores

    | metric | val | train |
    | :-- | --: | --: |
    | log_loss | – | – |
    | roc_auc | – | – |

    ## Runs

    | run | fold | state | reason | epochs | converged | log_loss | roc_auc |
    | :-- | --: | :-- | :-- | --: | :-- | --: | --: |
    | 201000000000abcd | 0 | failed | diverged | 1 | – | – | – |
    | 201100000000abcd | 1 | failed | diverged | 1 | – | – | – |
    | 201200000000abcd | 2 | failed | diverged | 1 | – | – | – |
    ");
    insta::assert_snapshot!(page.render(Format::Csv), @"
    run,fold,fold_label,repeat,restart,state,reason,converged,epochs,n_train,n_val,seconds,train_log_loss,train_roc_auc,val_log_loss,val_roc_auc
    201000000000abcd,0,0,0,0,failed,diverged,false,1,218231,109115,0,,,,
    201100000000abcd,1,1,0,0,failed,diverged,false,1,218231,109115,0,,,,
    201200000000abcd,2,2,0,0,failed,diverged,false,1,218231,109115,0,,,,
    ");
}

#[test]
fn a_run_by_the_start_of_its_id() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let page = show(&sweeps[0].store, Some("1012")).expect("shown");
    let text = settled(&page.render(Format::Table), scratch.path());
    insta::assert_snapshot!(text, @"
    Run 101200000000abcd of flights-path   sweeps/flights-path
      trial      1
      fold       2
      state      complete (tol) after 4 epochs, converged
      params     model.C = 0.517947467923121
      objective  0.48510, greatest gradient 8.50e-5
      penalty    l1 0, l2 1.000e-6
      rows       218,231 trained on, 109,115 held out
      time       2 ms of its cohort's

    Scores
      metric        val    train
      log_loss  0.48711  0.48510
      roc_auc   0.72180  0.72250

    Learning curve of log_loss by epoch
      val    █▂▁▁  1: 0.68711 → 4: 0.49023
      train  █▂▁▁  1: 0.68510 → 4: 0.48822

    Coefficients, greatest first
      feature      standardized  in data units
      (intercept)        -1.391         -1.392
      hour              +0.3931        +0.0812
      carrier=EV        +0.1452        +0.1442
      month             -0.0062        -0.0021
    ");
    insta::assert_snapshot!(page.render(Format::Csv), @"
    feature,coefficient,coefficient_standardized,std_standardized,n_runs
    (intercept),-1.392,-1.391,,1
    hour,0.0812,0.3931,,1
    carrier=EV,0.1442,0.1452,,1
    month,-0.0021,-0.0062,,1
    ");
}

#[test]
fn json_holds_everything() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let json = |what: Option<&str>| -> Value {
        let page = show(&sweeps[0].store, what).expect("shown");
        serde_json::from_str(&page.render(Format::Json)).expect("JSON")
    };
    let sweep = json(None);
    assert_eq!(sweep["best"]["trial"], 1);
    assert_eq!(sweep["runs"], 12);
    assert_eq!(sweep["unconverged"], 3);
    assert_eq!(sweep["data"]["rows"], 327_346);
    let trial = json(Some("3"));
    assert_eq!(trial["params"]["model.C"], "inf");
    assert_eq!(trial["runs"].as_array().map(Vec::len), Some(3));
    assert_eq!(trial["history"].as_array().map(Vec::len), Some(3 * 4 * 2));
    let run = json(Some("1012"));
    assert_eq!(run["fold"], 2);
    assert_eq!(run["coefficients"][0]["feature"], "(intercept)");
    assert_eq!(run["history"].as_array().map(Vec::len), Some(8));
}

#[test]
fn a_run_that_waits_is_shown_as_waiting() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.waiting_from = 0;
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let page = show(&sweeps[0].store, Some("1012")).expect("shown");
    let text = settled(&page.render(Format::Table), scratch.path());
    insta::assert_snapshot!(text, @"
    Run 101200000000abcd of flights-path   sweeps/flights-path
      trial   1
      fold    2
      state   waiting
      params  model.C = 0.517947467923121
    ");
    show(&sweeps[0].store, Some("2")).expect("a trial without records is shown too");
}
