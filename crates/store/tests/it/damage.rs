//! What happens to stores that something happened to.

use std::path::Path;

use gradsweep_store::{Damage, ExitKind, Store, StoreError, StoreWriter, probe};

use crate::sample::{manifest, parts, plan};

fn store(dir: &Path) {
    let plan = plan(2, 2);
    let mut writer = StoreWriter::create(dir, &manifest(), "c", "r", &plan).expect("created");
    writer.append(&parts(plan.runs[..2].iter(), 2)).expect("appended");
    writer.append(&parts(plan.runs[2..].iter(), 2)).expect("appended");
    writer.finish().expect("finished");
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_damaged_table_is_named_and_made_again() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    store(&dir);
    flip(&dir.join("trials.parquet"));
    let error = Store::open(&dir).expect("opened").trials().expect_err("damaged");
    assert!(
        matches!(
            &error,
            StoreError::Damaged { path, source: Damage::Checksum } if path.ends_with("trials.parquet")
        ),
        "{error}"
    );
    assert_eq!(error.exit_kind(), ExitKind::Disk);
    assert!(error.hint().expect("a hint").contains("gradsweep resume"));
    let (writer, kept) = StoreWriter::extend(&dir, &manifest(), "c", "r", &plan(2, 2)).expect("resumed");
    assert_eq!(kept.finished.len(), 4);
    writer.finish().expect("made again");
    Store::open(&dir).expect("opened").trials().expect("whole again");
}

#[test]
fn runs_of_a_damaged_part_are_to_be_done_again() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    store(&dir);
    flip(&dir.join("parts/00001.parquet"));
    let plan = plan(2, 2);
    let (mut writer, kept) = StoreWriter::extend(&dir, &manifest(), "c", "r", &plan).expect("more");
    assert_eq!(kept.finished, plan.runs[2..].iter().map(|run| run.run).collect());
    assert_eq!(kept.set_aside.len(), 1);
    assert!(kept.set_aside[0].path.ends_with("00001.parquet.damaged"));
    assert_eq!(kept.set_aside[0].why, "its checksum does not match its content");
    writer.append(&parts(plan.runs[..2].iter(), 2)).expect("appended");
    assert_eq!(writer.finish().expect("finished").waiting, 0);
}

#[test]
fn a_damaged_or_newer_manifest_is_named() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    store(&dir);
    let path = dir.join("manifest.json");
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, &text[..text.len() / 2]).expect("written");
    let error = Store::open(&dir).expect_err("cut short");
    assert!(matches!(error, StoreError::DamagedManifest { .. }), "{error}");
    std::fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).expect("written");
    let error = probe(&dir).expect_err("newer");
    assert!(matches!(error, StoreError::TooNew { .. }), "{error}");
    for refused in [
        StoreWriter::extend(&dir, &manifest(), "c", "r", &plan(2, 2)).map(|_| ()),
        StoreWriter::replace(&dir, &manifest(), "c", "r", &plan(2, 2)).map(|_| ()),
    ] {
        assert!(matches!(refused, Err(StoreError::TooNew { .. })));
    }
    assert!(dir.join("trials.parquet").exists());
}

#[test]
fn a_file_in_place_of_a_directory_is_named() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let file = scratch.path().join("file");
    std::fs::write(&file, "").expect("written");
    let plan = plan(1, 1);
    let error = StoreWriter::create(&file, &manifest(), "c", "r", &plan).expect_err("a file");
    assert!(matches!(error, StoreError::NotADirectory { .. }), "{error}");
    let error = Store::open(&file).expect_err("a file");
    assert!(matches!(error, StoreError::NotADirectory { .. }), "{error}");
    let below = file.join("store");
    let error = StoreWriter::create(&below, &manifest(), "c", "r", &plan).expect_err("below one");
    assert!(error.to_string().contains("file"), "{error}");
    assert_eq!(error.exit_kind(), ExitKind::Disk);
}

#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_takes_no_files_is_named() {
    let plan = plan(1, 1);
    let dir = Path::new("/proc/self/gradsweep");
    let error = StoreWriter::create(dir, &manifest(), "c", "r", &plan).expect_err("not writable");
    assert!(matches!(&error, StoreError::Io { path, .. } if path == dir), "{error}");
}

#[test]
fn a_directory_in_place_of_a_table_is_named() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(1, 1);
    let writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    std::fs::create_dir(dir.join("history.parquet")).expect("in the way");
    let error = writer.finish().expect_err("in the way");
    assert!(
        matches!(&error, StoreError::Io { path, .. } if path.ends_with("history.parquet")),
        "{error}"
    );
    assert!(!dir.join("trials.parquet").exists(), "it comes last");
}
