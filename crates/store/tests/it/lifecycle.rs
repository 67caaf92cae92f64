//! Create, extend, replace, finish; what other processes see meanwhile.

use std::collections::BTreeSet;
use std::path::Path;

use gradsweep_store::{ExitKind, Store, StoreError, StoreWriter, TrialState, probe};

use crate::sample::{manifest, part, parts, plan, run_id};

fn files(dir: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_small_sweep_is_few_files_and_reads_back() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("deep").join("store");
    let plan = plan(4, 3);
    let mut writer = StoreWriter::create(&dir, &manifest(), "config", "all", &plan).expect("new");
    writer.append(&parts(plan.runs.iter(), 3)).expect("appended");
    let written = writer.finish().expect("finished");
    assert_eq!((written.trials, written.runs), (4, 12));
    assert_eq!(written.unconverged, 12);
    assert_eq!(written.history, 12 * 3 * 2 * 2);
    assert_eq!(written.best.as_ref().map(|row| row.trial), Some(0));
    let expected = [
        "LOCK",
        "coefficients.parquet",
        "config.toml",
        "history.parquet",
        "manifest.json",
        "parts",
        "plan.parquet",
        "resolved.toml",
        "runs.parquet",
        "trials.parquet",
    ];
    assert_eq!(files(&dir), expected.map(str::to_owned).into());
    assert_eq!(files(&dir.join("parts")).len(), 1);

    let store = Store::open(&dir).expect("opened");
    assert_eq!(store.manifest(), &manifest());
    assert_eq!(store.config_text().expect("text"), "config");
    assert_eq!(store.plan().expect("plan"), plan);
    let runs = store.runs().expect("runs");
    let expected = part(&plan.runs[7], 3);
    assert_eq!(runs[7].record.as_ref(), Some(&expected.runs[0]));
    let run = plan.runs[7].run;
    assert_eq!(store.history(run).expect("history"), expected.history);
    assert_eq!(store.coefficients(run).expect("coefficients"), expected.coefficients);
}

#[test]
fn an_unfinished_store_reads_as_its_tables_will() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(3, 2);
    let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    writer.append(&parts(plan.runs[..3].iter(), 2)).expect("appended");
    let store = Store::open(&dir).expect("opened while it is written");
    let before = store.trials().expect("made in memory");
    let states: Vec<TrialState> = before.rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [TrialState::Complete, TrialState::Waiting, TrialState::Waiting]);
    let run = plan.runs[2].run;
    let (runs, history) = (store.runs(), store.history(run));
    let coefficients = store.coefficients(run);
    writer.finish().expect("finished");
    assert_eq!(store.trials().expect("table"), before);
    assert_eq!(store.runs().expect("table"), runs.expect("made in memory"));
    assert_eq!(store.history(run).ok(), history.ok());
    assert_eq!(store.coefficients(run).ok(), coefficients.ok());
}

#[test]
fn extending_keeps_parts_and_says_what_is_done() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let small = plan(2, 2);
    let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &small).expect("created");
    writer.append(&parts(small.runs.iter(), 2)).expect("appended");
    writer.finish().expect("finished");

    let mut larger = manifest();
    larger.plan_hash = "larger".to_owned();
    let grown = plan(3, 2);
    let (mut writer, kept) = StoreWriter::extend(&dir, &larger, "c2", "r2", &grown).expect("more");
    let done: BTreeSet<_> = small.runs.iter().map(|run| run.run).collect();
    assert_eq!(kept.finished, done);
    assert!(kept.set_aside.is_empty());
    let store = Store::open(&dir).expect("opened");
    assert_eq!(store.trials().expect("not the old table").rows.len(), 3);
    writer.append(&parts(grown.runs[4..].iter(), 2)).expect("appended");
    writer.finish().expect("finished");

    let whole = scratch.path().join("whole");
    let mut writer = StoreWriter::create(&whole, &larger, "c2", "r2", &grown).expect("created");
    writer.append(&parts(grown.runs.iter(), 2)).expect("appended");
    writer.finish().expect("finished");
    let (a, b) = (store, Store::open(&whole).expect("opened"));
    assert_eq!(a.trials().expect("read"), b.trials().expect("read"));
    assert_eq!(a.runs().expect("read"), b.runs().expect("read"));
    assert_eq!(
        a.history(run_id(1, 1)).expect("read"),
        b.history(run_id(1, 1)).expect("read")
    );
}

#[test]
fn runs_that_left_the_plan_are_not_in_the_tables() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let wide = plan(3, 2);
    let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &wide).expect("created");
    writer.append(&parts(wide.runs.iter(), 2)).expect("appended");
    drop(writer);
    let narrow = plan(2, 2);
    let (writer, kept) = StoreWriter::extend(&dir, &manifest(), "c", "r", &narrow).expect("less");
    assert_eq!(kept.finished.len(), 4);
    let written = writer.finish().expect("finished");
    assert_eq!((written.runs, written.waiting), (4, 0));
}

#[test]
fn only_one_writer_at_a_time() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(1, 1);
    let writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    for second in [
        StoreWriter::extend(&dir, &manifest(), "c", "r", &plan).map(|_| ()),
        StoreWriter::replace(&dir, &manifest(), "c", "r", &plan).map(|_| ()),
        StoreWriter::create(&dir, &manifest(), "c", "r", &plan).map(|_| ()),
    ] {
        let error = second.expect_err("in use");
        assert_eq!(error.exit_kind(), ExitKind::InUse, "{error}");
    }
    drop(writer);
    StoreWriter::extend(&dir, &manifest(), "c", "r", &plan).expect("free again");
}

#[test]
fn create_and_extend_ask_for_the_right_directory() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(1, 1);
    let none = StoreWriter::extend(&dir, &manifest(), "c", "r", &plan).expect_err("no store");
    assert!(matches!(none, StoreError::NoStore { .. }));
    assert!(!dir.exists(), "a refused command leaves nothing");
    drop(StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created"));
    let twice = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect_err("twice");
    assert!(matches!(twice, StoreError::Exists { .. }));
    assert_eq!(twice.exit_kind(), ExitKind::Usage);
}

#[test]
fn a_directory_without_a_manifest_is_taken_over() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(2, 2);
    let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    writer.append(&parts(plan.runs.iter(), 2)).expect("appended");
    writer.finish().expect("finished");
    std::fs::write(dir.join("notes.txt"), "mine").expect("written");
    std::fs::remove_file(dir.join("manifest.json")).expect("removed");
    assert_eq!(probe(&dir).expect("readable"), None);
    drop(StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("taken over"));
    let trials = Store::open(&dir).expect("opened").trials().expect("read");
    assert!(trials.rows.iter().all(|row| row.state == TrialState::Waiting));
    assert!(dir.join("notes.txt").exists());
}

#[test]
fn replacing_removes_a_sweep_and_nothing_else() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(2, 2);
    let mut writer = StoreWriter::replace(&dir, &manifest(), "c", "r", &plan).expect("created");
    writer.append(&parts(plan.runs.iter(), 2)).expect("appended");
    writer.finish().expect("finished");

    std::fs::write(dir.join("notes.txt"), "mine").expect("written");
    let before = files(&dir);
    let error = StoreWriter::replace(&dir, &manifest(), "c", "r", &plan).expect_err("not ours");
    assert!(
        matches!(&error, StoreError::Foreign { path, .. } if path.ends_with("notes.txt")),
        "{error}"
    );
    assert_eq!(files(&dir), before);

    std::fs::remove_file(dir.join("notes.txt")).expect("removed");
    std::fs::write(dir.join(".runs.parquet.a1B2c3"), "left by a kill").expect("written");
    drop(StoreWriter::replace(&dir, &manifest(), "c", "r", &plan).expect("replaced"));
    assert!(!dir.join("trials.parquet").exists());
    assert!(files(&dir.join("parts")).is_empty());
    assert!(!dir.join(".runs.parquet.a1B2c3").exists());
}
