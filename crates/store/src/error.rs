//! Everything that can go wrong with a store.

use std::path::{Path, PathBuf};

use crate::format::FormatVersion;
use crate::model::{ModelVersion, NotNumbers};

/// Why a store could not be written or read. Every variant names the path it is about.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock.
    #[error("{} is in use by {}", dir.display(), holder(*pid, host.as_deref()))]
    InUse {
        /// The store's directory.
        dir: PathBuf,
        /// Process that holds it, as far as its lock file says.
        pid: Option<u32>,
        /// Machine that process runs on.
        host: Option<String>,
    },
    /// A new store was asked for where one lies already.
    #[error("{} holds a sweep already", dir.display())]
    Exists {
        /// The store's directory.
        dir: PathBuf,
    },
    /// There is no manifest, so there is no store.
    #[error("{} holds no sweep (it has no manifest.json)", dir.display())]
    NoStore {
        /// The directory that was looked at.
        dir: PathBuf,
    },
    /// A store is a directory; this is something else.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// Replacing would delete something that no sweep wrote.
    #[error("{} is not part of a sweep, so {} is not replaced", path.display(), dir.display())]
    Foreign {
        /// The directory that was to be replaced.
        dir: PathBuf,
        /// The first thing found that is not a store's.
        path: PathBuf,
    },
    /// A later version of the program wrote the store.
    #[error("{} has store format {found}; this program reads up to {supported}", path.display())]
    TooNew {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: FormatVersion,
        /// The newest version this program reads.
        supported: FormatVersion,
    },
    /// There is no model.
    #[error("{} holds no model (it has no model.json)", dir.display())]
    NoModel {
        /// The folder that was looked at.
        dir: PathBuf,
    },
    /// A later version of the program wrote the model.
    #[error("{} has model format {found}; this program reads up to {supported}", path.display())]
    ModelTooNew {
        /// Its `model.json`.
        path: PathBuf,
        /// Its version.
        found: ModelVersion,
        /// The newest version this program reads.
        supported: ModelVersion,
    },
    /// `manifest.json` is not a manifest.
    #[error("{} is damaged", path.display())]
    DamagedManifest {
        /// The manifest.
        path: PathBuf,
        /// What the JSON reader said, with line and column.
        source: serde_json::Error,
    },
    /// A file does not hold what was written.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Damage,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A table could not be encoded as Parquet.
    #[error("cannot encode {}", path.display())]
    Encode {
        /// The file it was for.
        path: PathBuf,
        /// What the encoder said.
        source: polars::error::PolarsError,
    },
    /// A model could not be encoded.
    #[error("cannot encode {}", path.display())]
    EncodeModel {
        /// The file it was for.
        path: PathBuf,
        /// What is wrong with the model.
        source: Damage,
    },
}

/// What is wrong with a file of a store.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It ends early, or something else wrote it.
    #[error("it carries no checksum of gradsweep: cut short, or written by something else")]
    NoChecksum,
    /// Its bytes changed since they were written.
    #[error("its checksum does not match its content")]
    Checksum,
    /// The bytes are as written, but no Parquet that this program reads.
    #[error("it cannot be decoded")]
    Undecodable(#[source] polars::error::PolarsError),
    /// The bytes are as somebody sealed them, but the decoder gave up on them.
    #[error("it stops its decoder")]
    Unreadable,
    /// It is a link, a pipe or a device, which is not read.
    #[error("it is not an ordinary file of this store (a link, a pipe or a device)")]
    NotAFile,
    /// It was there and is not any more.
    #[error("it is gone, and what was recorded in it")]
    Gone,
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It has another length than it should have.
    #[error("it has {found} bytes, which is not its length")]
    Length {
        /// Its length.
        found: u64,
    },
    /// It is not the JSON of a model.
    #[error("it is not the JSON of a model")]
    Json(#[source] serde_json::Error),
    /// It does not hold the numbers of a model.
    #[error("it does not hold the numbers of its model")]
    Numbers(#[source] NotNumbers),
    /// It contradicts itself.
    #[error("{what}")]
    Inconsistent {
        /// How.
        what: String,
    },
    /// A column is absent.
    #[error("it has no column {column:?}")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// A column has another type.
    #[error("column {column:?} holds {found}, not {expected}")]
    WrongType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The type it should have.
        expected: &'static str,
    },
    /// A cell holds a text that is none of the known words, or is empty where it must not be.
    #[error("column {column:?} holds {value} in row {row}")]
    BadCell {
        /// The column.
        column: String,
        /// 0-based row.
        row: usize,
        /// What it holds.
        value: String,
    },
}

/// How the program ends after an error: which of the documented exit codes it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitKind {
    /// The command cannot be done as asked (2).
    Usage,
    /// The disk, or a store that is damaged or too new (4).
    Disk,
    /// The directory is in use (5).
    InUse,
}

impl StoreError {
    /// Which exit code this error belongs to.
    pub fn exit_kind(&self) -> ExitKind {
        match self {
            Self::InUse { .. } => ExitKind::InUse,
            Self::Exists { .. }
            | Self::NoStore { .. }
            | Self::NoModel { .. }
            | Self::NotADirectory { .. }
            | Self::Foreign { .. } => ExitKind::Usage,
            Self::TooNew { .. }
            | Self::ModelTooNew { .. }
            | Self::EncodeModel { .. }
            | Self::DamagedManifest { .. }
            | Self::Damaged { .. }
            | Self::Io { .. }
            | Self::Encode { .. } => ExitKind::Disk,
        }
    }

    /// Whether it says that a file of the store is damaged or gone: what can be made again is made again when the sweep goes on.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            _ => self.is_gone(),
        }
    }

    /// Whether it says that there is no such file to read.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Io { action: "read", source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    /// What to do next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::InUse { .. } => {
                Some("wait until that sweep ends, or choose another directory with --set output.dir=...".to_owned())
            }
            Self::Exists { dir } => Some(format!(
                "continue it with: gradsweep resume {}; or set output.if_exists = \"replace\"",
                dir.display()
            )),
            Self::NoStore { dir } => Some(format!(
                "list the sweeps below a directory with: gradsweep list {}",
                dir.parent()
                    .filter(|parent| !parent.as_os_str().is_empty())
                    .unwrap_or(Path::new("."))
                    .display()
            )),
            Self::NotADirectory { .. } => Some("a sweep is a directory; name another one with output.dir".to_owned()),
            Self::Foreign { .. } => Some("move it away, or choose another directory with output.dir".to_owned()),
            Self::TooNew { .. } | Self::ModelTooNew { .. } => Some("read it with a newer gradsweep".to_owned()),
            Self::NoModel { .. } => Some(
                "a sweep keeps the model of its selected trial unless output.save_models = \"none\"; gradsweep refit fits one \
                 afterwards"
                    .to_owned(),
            ),
            Self::DamagedManifest { path, .. } => path.parent().map(|dir| {
                format!(
                    "remove {} and run the config again: {} is then taken over",
                    path.display(),
                    dir.display()
                )
            }),
            Self::Damaged { path, .. } => damaged_hint(path),
            Self::Io { path, .. } if self.is_gone() && path.extension().is_some_and(|ending| ending == "parquet") => {
                damaged_hint(path)
            }
            Self::Io { source, .. } => io_hint(source),
            Self::Encode { .. } | Self::EncodeModel { .. } => None,
        }
    }
}

fn damaged_hint(path: &Path) -> Option<String> {
    let parent = path.parent()?;
    if path.ends_with("model.json") || path.extension().is_some_and(|ending| ending == "safetensors") {
        return Some(
            "copy the whole folder again, or fit the model again with: gradsweep refit STORE --data FILES".to_owned(),
        );
    }
    let dir = if parent.ends_with("parts") {
        parent.parent()?
    } else {
        parent
    };
    Some(format!(
        "make it again with: gradsweep resume {}; runs that were lost are trained again",
        dir.display()
    ))
}

fn io_hint(source: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind;
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("make room and resume: what was recorded so far is kept".to_owned())
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("choose a directory you can write to with --set output.dir=...".to_owned())
        }
        ErrorKind::NotADirectory => Some("part of this path is a file, not a directory".to_owned()),
        _ => None,
    }
}

fn holder(pid: Option<u32>, host: Option<&str>) -> String {
    match (pid, host) {
        (Some(pid), Some(host)) => format!("process {pid} on {host}"),
        (Some(pid), None) => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_kinds_follow_the_contract() {
        let dir = PathBuf::from("sweeps/a");
        let in_use = StoreError::InUse {
            dir: dir.clone(),
            pid: Some(7),
            host: Some("here".to_owned()),
        };
        assert_eq!(in_use.exit_kind(), ExitKind::InUse);
        assert_eq!(in_use.to_string(), "sweeps/a is in use by process 7 on here");
        let exists = StoreError::Exists { dir: dir.clone() };
        assert_eq!(exists.exit_kind(), ExitKind::Usage);
        let too_new = StoreError::TooNew {
            path: dir,
            found: FormatVersion(9),
            supported: FormatVersion(1),
        };
        assert_eq!(too_new.exit_kind(), ExitKind::Disk);
        assert!(too_new.hint().is_some());
    }

    #[test]
    fn a_damaged_part_points_at_its_store() {
        let error = StoreError::Damaged {
            path: PathBuf::from("sweeps/a/parts/00001.parquet"),
            source: Damage::Checksum,
        };
        let hint = error.hint().expect("a hint");
        assert!(hint.contains("gradsweep resume sweeps/a;"), "{hint}");
    }

    #[test]
    fn a_table_that_is_gone_points_at_its_store() {
        let error = StoreError::Io {
            action: "read",
            path: PathBuf::from("sweeps/a/plan.parquet"),
            source: std::io::ErrorKind::NotFound.into(),
        };
        assert!(error.is_lost());
        assert!(error.hint().expect("a hint").contains("gradsweep resume sweeps/a;"));
    }

    #[test]
    fn a_full_disk_says_that_records_are_kept() {
        let error = StoreError::Io {
            action: "write",
            path: PathBuf::from("a"),
            source: std::io::ErrorKind::StorageFull.into(),
        };
        assert!(error.hint().expect("a hint").contains("kept"));
    }
}
