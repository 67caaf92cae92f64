//! Stores that have lost a file, or have one too many.

use gradsweep_runner::RunError;
use gradsweep_store::{Damage, Store, StoreError, best_model};

use super::{SWEEP, finished, request, run, tables};

#[test]
fn a_plan_that_is_gone_is_made_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), SWEEP, &[]);
    let (_, store) = finished(&request);
    let whole = tables(&store);
    let plan = store.dir().join("plan.parquet");
    let bytes = std::fs::read(&plan).expect("written");
    std::fs::remove_file(&plan).expect("there");
    let summary = run(&request).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(summary.epochs_trained, 0, "no run was lost");
    assert_eq!(std::fs::read(&plan).expect("made again"), bytes);
    assert!(tables(&store) == whole);
}

#[test]
fn a_part_that_is_gone_is_missed_and_its_runs_are_trained_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), SWEEP, &[]);
    let (_, store) = finished(&request);
    let whole = tables(&store);
    let part = store.dir().join("parts/00001.parquet");
    std::fs::remove_file(&part).expect("there");
    match store.trials() {
        Err(StoreError::Damaged {
            path,
            source: Damage::Gone,
        }) => assert_eq!(path, part),
        other => panic!("{other:?}"),
    }
    let summary = run(&request).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        summary.epochs_trained > 0 && summary.lost[0].contains("00001.parquet"),
        "{:?}",
        summary.lost
    );
    assert!(tables(&store) == whole);
    assert!(run(&request).is_ok_and(|summary| summary.nothing_to_do && summary.lost.is_empty()));
}

#[test]
fn what_a_killed_process_left_goes_where_nothing_is_to_do() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), SWEEP, &[]);
    let (_, store) = finished(&request);
    let left = [
        store.dir().join(".report.html.a1B2c3"),
        best_model(store.dir()).join(".README.md.Zz0Yy1"),
    ];
    for path in &left {
        std::fs::write(path, "half").expect("written");
    }
    let other = store.dir().join("notes.txt");
    std::fs::write(&other, "somebody's").expect("written");
    let summary = run(&request).unwrap_or_else(|error| panic!("{error}"));
    assert!(summary.nothing_to_do);
    assert!(left.iter().all(|path| !path.exists()) && other.exists());
}

#[test]
fn a_store_without_its_resolved_config_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), SWEEP, &[]);
    let (_, store) = finished(&request);
    std::fs::remove_file(store.dir().join("resolved.toml")).expect("there");
    let error = Store::open(store.dir())
        .and_then(|store| store.resolved_text())
        .expect_err("gone");
    assert!(error.to_string().contains("resolved.toml"), "{error}");
    assert_eq!(RunError::from(error).exit_code(), 4);
    // The config makes it again, and no run is lost.
    let summary = run(&request).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(summary.epochs_trained, 0);
    store.resolved_text().expect("written anew");
}
