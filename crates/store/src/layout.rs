//! Where everything lies inside a store's directory, and what belongs to a store at all.

use std::path::{Path, PathBuf};

use crate::disk::{Disk, disk};
use crate::error::{Damage, StoreError};

pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const RESOLVED: &str = "resolved.toml";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const PLAN: &str = "plan.parquet";
pub(crate) const LOCK: &str = "LOCK";
pub(crate) const PARTS: &str = "parts";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
pub(crate) const MODELS: &str = "models";
pub(crate) const TRIALS: &str = "trials.parquet";
pub(crate) const RUNS: &str = "runs.parquet";
pub(crate) const HISTORY: &str = "history.parquet";
pub(crate) const COEFFICIENTS: &str = "coefficients.parquet";
pub(crate) const PREDICTIONS: &str = "predictions.parquet";
/// What is made from the parts.
pub(crate) const TABLES: [&str; 5] = [TRIALS, RUNS, HISTORY, COEFFICIENTS, PREDICTIONS];
/// The page of a sweep.
pub const REPORT: &str = "report.html";

/// Every file that may lie directly in a store, also those that only some versions write.
const FILES: [&str; 11] = [
    CONFIG,
    RESOLVED,
    MANIFEST,
    PLAN,
    LOCK,
    TRIALS,
    RUNS,
    HISTORY,
    COEFFICIENTS,
    PREDICTIONS,
    REPORT,
];

/// Folders below a store, each with the endings of the files it may hold.
const FOLDERS: [(&str, &[&str]); 3] = [
    (PARTS, &["parquet", "damaged", "old"]),
    (CHECKPOINTS, &["json", "safetensors"]),
    (MODELS, &["json", "safetensors", "md"]),
];

/// Length of the random ending of a temporary file: `.name.XXXXXX`.
const TEMPORARY_SUFFIX: usize = 6;

/// Everything in `dir` that a sweep wrote, folders after what they hold and the manifest last, so that a removal cut short
/// still leaves a store. `Foreign` if there is anything else.
pub(crate) fn own_entries(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut own = Vec::new();
    for path in entries(dir)? {
        let name = file_name(&path);
        let folder = FOLDERS.iter().find(|(folder, _)| *folder == name);
        if let Some((_, endings)) = folder.filter(|_| is_real_dir(&path)) {
            folder_entries(dir, &path, endings, &mut own)?;
        } else if !is_real_dir(&path) && (FILES.contains(&name) || is_temporary(name)) {
            own.push(path);
        } else {
            return Err(StoreError::Foreign {
                dir: dir.to_path_buf(),
                path,
            });
        }
    }
    own.sort_by_key(|path| file_name(path) == MANIFEST && path.parent() == Some(dir));
    Ok(own)
}

fn folder_entries(dir: &Path, folder: &Path, endings: &[&str], own: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    for path in entries(folder)? {
        let name = file_name(&path);
        let ending = path.extension().and_then(|ending| ending.to_str());
        if is_real_dir(&path) {
            folder_entries(dir, &path, endings, own)?;
        } else if is_temporary_of_any(name) || ending.is_some_and(|e| endings.contains(&e)) {
            own.push(path);
        } else {
            return Err(StoreError::Foreign {
                dir: dir.to_path_buf(),
                path,
            });
        }
    }
    own.push(folder.to_path_buf());
    Ok(())
}

/// Removes temporary files that a killed process left in `dir` and its folders.
pub(crate) fn remove_temporaries(dir: &Path) -> Result<(), StoreError> {
    temporaries(dir)?.iter().try_for_each(|path| remove_file(path))
}

/// The temporary files in `dir` and its folders.
pub(crate) fn temporaries(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut folders = vec![dir.to_path_buf()];
    let models = dir.join(MODELS);
    if is_real_dir(&models) {
        folders.extend(entries(&models)?);
    }
    folders.extend([dir.join(PARTS), dir.join(CHECKPOINTS), models]);
    let mut found = Vec::new();
    for folder in folders.iter().filter(|folder| *folder == dir || is_real_dir(folder)) {
        let own = entries(folder)?.into_iter().filter(|path| {
            let name = file_name(path);
            let is_inner = folder != dir && is_temporary_of_any(name);
            (is_inner || is_temporary(name)) && !is_real_dir(path)
        });
        found.extend(own);
    }
    Ok(found)
}

/// The bytes of a file of a store. A link, which could lead out of it, and anything else that is no file is not read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    let fail = |source| StoreError::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    };
    check_is_file(path)?;
    std::fs::read(path).map_err(fail)
}

/// An error where something lies at `path` that is no ordinary file.
pub(crate) fn check_is_file(path: &Path) -> Result<(), StoreError> {
    let is_other = std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if is_other {
        return Err(StoreError::Damaged {
            path: path.to_path_buf(),
            source: Damage::NotAFile,
        });
    }
    Ok(())
}

/// Makes a folder and those above it, each of which lasts when this returns. A link in its place is an error.
pub(crate) fn make_dir(path: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::Io {
        action: "create",
        path: path.to_path_buf(),
        source,
    };
    if path.is_dir() {
        return Ok(());
    }
    let mut missing = vec![path];
    while let Some(parent) = missing.last().and_then(|path| path.parent()) {
        if parent.as_os_str().is_empty() || parent.exists() {
            break;
        }
        missing.push(parent);
    }
    for folder in missing.into_iter().rev() {
        match disk().create_dir(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(fail(error)),
            _ => {}
        }
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        disk().sync_dir(parent.unwrap_or(Path::new("."))).map_err(fail)?;
    }
    Ok(())
}

/// An error where a folder of a store is a link: what is written through it would lie elsewhere.
pub(crate) fn check_is_own(folder: &Path) -> Result<(), StoreError> {
    if std::fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(StoreError::Damaged {
            path: folder.to_path_buf(),
            source: Damage::NotAFile,
        });
    }
    Ok(())
}

pub(crate) fn remove_file(path: &Path) -> Result<(), StoreError> {
    disk().remove_file(path).map_err(|source| StoreError::Io {
        action: "remove",
        path: path.to_path_buf(),
        source,
    })
}

/// The paths in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let fail = |source| StoreError::Io {
        action: "list",
        path: folder.to_path_buf(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.sort();
    Ok(paths)
}

pub(crate) fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

/// A directory itself, not a link to one: links are never followed when something is removed.
fn is_real_dir(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether `name` is a temporary of one of the files that lie directly in a store.
fn is_temporary(name: &str) -> bool {
    temporary_of(name).is_some_and(|of| FILES.contains(&of))
}

/// Whether `name` is a temporary of some Parquet, JSON or weights file.
pub(crate) fn is_temporary_of_any(name: &str) -> bool {
    temporary_of(name)
        .and_then(|of| Path::new(of).extension())
        .is_some_and(|ending| ["parquet", "json", "safetensors", "md"].iter().any(|e| ending == *e))
}

fn temporary_of(name: &str) -> Option<&str> {
    let (of, suffix) = name.strip_prefix('.')?.rsplit_once('.')?;
    let is_random = suffix.len() == TEMPORARY_SUFFIX && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_random.then_some(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(dir: &Path, name: &str) {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("folder");
        std::fs::write(path, "").expect("file");
    }

    #[test]
    fn the_manifest_goes_last() {
        let dir = tempfile::tempdir().expect("scratch directory");
        for name in [
            "manifest.json",
            "runs.parquet",
            "parts/00001.parquet",
            "models/best/manifest.json",
            ".plan.parquet.aB3dE6",
        ] {
            touch(dir.path(), name);
        }
        let own = own_entries(dir.path()).expect("all of it is a store's");
        assert_eq!(own.last(), Some(&dir.path().join("manifest.json")));
        assert_eq!(own.len(), 8);
        let position = |name: &str| own.iter().position(|path| *path == dir.path().join(name));
        assert!(position("parts") > position("parts/00001.parquet"));
    }

    #[test]
    fn anything_else_is_foreign() {
        for name in ["thesis.tex", "parts/notes.txt", "data/a.parquet", ".hidden"] {
            let dir = tempfile::tempdir().expect("scratch directory");
            touch(dir.path(), "manifest.json");
            touch(dir.path(), name);
            match own_entries(dir.path()) {
                Err(StoreError::Foreign { path, .. }) => {
                    assert!(path.starts_with(dir.path()), "{}", path.display());
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_folder_is_foreign() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let elsewhere = tempfile::tempdir().expect("another directory");
        touch(elsewhere.path(), "00001.parquet");
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("parts")).expect("link");
        assert!(matches!(own_entries(dir.path()), Err(StoreError::Foreign { .. })));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_not_read() {
        let dir = tempfile::tempdir().expect("scratch directory");
        touch(dir.path(), "outside.json");
        let link = dir.path().join("manifest.json");
        std::os::unix::fs::symlink(dir.path().join("outside.json"), &link).expect("link");
        let error = read(&link).expect_err("a link");
        assert!(
            matches!(
                error,
                StoreError::Damaged {
                    source: Damage::NotAFile,
                    ..
                }
            ),
            "{error}"
        );
        assert!(check_is_own(&link).is_err());
        read(&dir.path().join("outside.json")).expect("a file");
    }

    #[test]
    fn temporaries_are_recognized_by_name() {
        assert!(is_temporary(".runs.parquet.a1B2c3"));
        assert!(!is_temporary("runs.parquet"));
        assert!(!is_temporary(".runs.parquet.a1B2"));
        assert!(!is_temporary(".notes.txt.a1B2c3"));
        assert!(is_temporary_of_any(".00012.parquet.a1B2c3"));
    }
}
