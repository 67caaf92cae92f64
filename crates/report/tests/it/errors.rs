//! What is said when there is no such thing.

use gradsweep_report::{Query, ReportError, compare, open, show};
use gradsweep_store::ExitKind;

use crate::sample::{path, settled, sweeps};

fn text(error: &ReportError, below: &std::path::Path) -> String {
    let hint = error.hint().unwrap_or_default();
    settled(&format!("{error}\n  help: {hint}"), below)
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let sweeps = sweeps(scratch.path(), &[path()]);
    let store = &sweeps[0].store;
    let said = |result: Result<(), ReportError>| {
        let error = result.expect_err("there is no such thing");
        assert_eq!(error.exit_kind(), ExitKind::Usage);
        text(&error, scratch.path())
    };
    let metric = said(
        compare(
            &sweeps,
            &Query {
                by: Some("auc_roc".to_owned()),
                ..Query::default()
            },
        )
        .map(|_| ()),
    );
    insta::assert_snapshot!(metric, @r#"
    no sweep here reports the metric "auc_roc"
      help: there are: log_loss, roc_auc
    "#);
    insta::assert_snapshot!(said(show(store, Some("17")).map(|_| ())), @"
    sweeps/flights-path has no trial 17
      help: its trials are 0 to 3; list them with: gradsweep compare sweeps/flights-path
    ");
    insta::assert_snapshot!(said(show(store, Some("ffff")).map(|_| ())), @r#"
    sweeps/flights-path has no run whose id starts with "ffff"
      help: a run is named by the start of its id, a trial by its number; see a trial's runs with: gradsweep show sweeps/flights-path best
    "#);
    insta::assert_snapshot!(said(show(store, Some("101")).map(|_| ())), @r#"
    3 runs of sweeps/flights-path have an id that starts with "101"
      help: give more digits: 101000000000abcd, 101100000000abcd, 101200000000abcd
    "#);
    insta::assert_snapshot!(said(show(store, Some("\u{1b}[2J")).map(|_| ())), @r#"
    sweeps/flights-path has no run whose id starts with "�[2J"
      help: a run is named by the start of its id, a trial by its number; see a trial's runs with: gradsweep show sweeps/flights-path best
    "#);
    assert!(matches!(compare(&[], &Query::default()), Err(ReportError::NoSweeps)));
}

#[test]
fn a_directory_without_a_sweep_is_named() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let error = open(&[scratch.path().join("nothing")]).expect_err("no store");
    insta::assert_snapshot!(text(&error, scratch.path()), @"
    sweeps/nothing holds no sweep (it has no manifest.json)
      help: list the sweeps below a directory with: gradsweep list sweeps
    ");
}

#[test]
fn a_sweep_without_results_has_no_best() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.waiting_from = 0;
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let error = show(&sweeps[0].store, Some("best")).expect_err("nothing is selected");
    assert!(matches!(error, ReportError::NothingSelected { .. }));
}
