//! `model.C = { auto = true }`: the path begins where the L1 penalty lets go of the first weight.

use gradsweep_runner::RunError;
use gradsweep_runner::gradcheck;
use gradsweep_runner::sweep;
use gradsweep_store::{ParamValue, Store};

use super::{finished, request, run};

/// The values of C by trial, and how many weights are not 0 in the first run of each.
fn path(store: &Store) -> Vec<(f64, usize)> {
    let trials = store.trials().expect("trials");
    let place = trials.params.iter().position(|path| path == "model.C").expect("swept");
    let runs = store.runs().expect("runs");
    let of_trial = |row: &gradsweep_store::TrialRow| {
        let ParamValue::Float(c) = row.params[place] else {
            panic!("C is a number");
        };
        let run = runs.iter().find(|run| run.trial == row.trial).expect("planned").run;
        let weights = store.coefficients(run).expect("coefficients");
        let weights = weights.iter().filter(|row| &*row.feature != "(intercept)");
        (c, weights.filter(|row| row.coefficient != 0.0).count())
    };
    trials.rows.iter().map(of_trial).collect()
}

#[test]
fn the_first_value_holds_every_weight_and_the_second_does_not() {
    let least =
        "[validation]\nstrategy = \"none\"\n[sweep.parameters]\nmodel.C = { auto = true, num = 40, ratio = 1e-3 }\n";
    for (sets, factor) in [
        (&["model.l1_ratio=1.0"][..], Some(1.0)),
        (
            &["model.l1_ratio=1.0", "run.precision=f64", "train.tol=1e-8"],
            Some(1.0),
        ),
        (&["model.l1_ratio=0.25"], Some(0.25)),
        (&["model.l1_ratio=1.0", "model.class_weight=balanced"], None),
        (&["model.l1_ratio=1.0", "preprocess.scale=none"], None),
        (&["model.l1_ratio=1.0", "model.fit_intercept=false"], None),
        (&["model.l1_ratio=1.0", "data.weight=income"], None),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (summary, store) = finished(&request(dir.path(), least, sets));
        let path = path(&store);
        assert_eq!((summary.trials, path.len()), (40, 40));
        assert_eq!(path[0].1, 0, "{sets:?}: {path:?}");
        assert!(path[1].1 > 0 && path[39].1 > path[1].1, "{sets:?}: {path:?}");
        assert!(path.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!((path[39].0 / path[0].0 / 1e3 - 1.0).abs() < 2e-5);
        if let Some(factor) = factor {
            let lasso = tempfile::tempdir().expect("a temporary directory");
            let (_, store) = finished(&request(lasso.path(), least, &["model.l1_ratio=1.0"]));
            assert!((path[0].0 / self::path(&store)[0].0 / factor - 1.0).abs() < 2e-5);
        }
    }
}

#[test]
fn ridge_takes_a_thousandth_and_the_least_swept_share_decides() {
    let first = |more: &str, sets: &[&str]| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let body = format!("[validation]\nfolds = 3\n[sweep.parameters]\nmodel.C = {{ auto = true, num = 3 }}\n{more}");
        let (summary, store) = finished(&request(dir.path(), &body, sets));
        let stored = store.trials().expect("trials");
        (summary.trials, stored.rows[0].params[0].clone())
    };
    let number = |value: ParamValue| match value {
        ParamValue::Float(value) => value,
        other => panic!("{other:?}"),
    };
    let (_, lasso) = first("", &["model.l1_ratio=1.0"]);
    let (_, ridge) = first("", &[]);
    let (trials, several) = first("model.l1_ratio = [0.0, 1.0, 0.5]\n", &[]);
    assert_eq!(trials, 9);
    let lasso = number(lasso);
    assert!((number(ridge) / lasso * 1e3 - 1.0).abs() < 2e-5);
    assert!((number(several) / lasso * 2.0 - 1.0).abs() < 2e-5);
}

#[test]
fn the_values_are_resolved_and_the_same_config_has_nothing_to_do() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body =
        "[model]\nl1_ratio = 1.0\n[validation]\nfolds = 3\n[sweep.parameters]\nmodel.C = { auto = true, num = 5 }\n";
    let request = request(dir.path(), body, &[]);
    let (_, plan) = sweep::plan(&request).expect("a plan");
    assert!(
        plan.notes.iter().any(|note| note.contains("model.C auto: 5 values")),
        "{:?}",
        plan.notes
    );
    let (_, store) = finished(&request);
    let resolved = store.resolved_text().expect("resolved");
    assert!(
        resolved.contains("model.C = [") && !resolved.contains("auto = true"),
        "{resolved}"
    );
    assert!(finished(&request).0.nothing_to_do);
    let mut one_thread = request.clone();
    one_thread.config.run.threads = 1;
    assert!(finished(&one_thread).0.nothing_to_do);
    assert!(gradcheck::gradcheck(&request).expect("checked").passed());
}

#[test]
fn a_target_without_a_slope_has_no_path() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let rows = ["0,yes", "1,yes", "0,no", "1,no"].repeat(10).join("\n");
    std::fs::write(dir.path().join("table.csv"), format!("a,late\n{rows}\n")).expect("written");
    let body = "[preprocess]\nscale = \"none\"\n[validation]\nstrategy = \"none\"\n[sweep.parameters]\nmodel.C = { auto = true }\n";
    let error = run(&request(dir.path(), body, &["data.exclude=[]"])).expect_err("nothing to begin with");
    assert!(matches!(error, RunError::NoPath) && error.exit_code() == 3, "{error}");
}
