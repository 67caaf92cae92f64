//! Why an export cannot be made.

use std::path::PathBuf;

use gradsweep_store::{ExitKind, StoreError};

use super::format::ExportFormat;
use crate::error::ReportError;
use crate::sanitize::sanitize;

/// Why an export cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store or the model could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table could not be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The name does not end as the readers of the format expect.
    #[error("{} does not end in .{ending}", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
        /// What it has to end in.
        ending: &'static str,
    },
    /// A directory was asked for, and there is something in it that no export wrote.
    #[error("{} is there already and is not an empty directory", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// No file was named.
    #[error("--to {format} writes a file, and none was named")]
    NoFile {
        /// The format.
        format: ExportFormat,
    },
    /// The format cannot hold models of this kind.
    #[error("--to {format} takes logistic models, and this one is {:?}", sanitize(kind))]
    Kind {
        /// The format.
        format: ExportFormat,
        /// What the model is.
        kind: String,
    },
    /// The weights do not fit into the file format.
    #[error("could not encode {}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: safetensors::SafeTensorError,
    },
    /// The address is none that this program can open.
    #[error("{:?} is not an address of the form http://HOST[:PORT][/PATH]", sanitize(uri))]
    Uri {
        /// What was given.
        uri: String,
    },
    /// The server could not be reached, or hung up.
    #[error("no answer from {uri}")]
    Unreachable {
        /// The server.
        uri: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server answered with something else than success.
    #[error("{uri} answered {status} to {endpoint}: {}", sanitize(message))]
    Refused {
        /// The server.
        uri: String,
        /// What was asked of it.
        endpoint: &'static str,
        /// The status of the answer.
        status: u16,
        /// What it said.
        message: String,
    },
}

impl ExportError {
    /// What to type next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(StoreError::NoModel { dir }) => Some(format!(
                "a sweep writes its model when it is finished and output.save_models is \"best\"; make one with: gradsweep refit {} --data FILES",
                dir.parent().and_then(std::path::Path::parent).unwrap_or(dir).display()
            )),
            Self::Store(error) => error.hint(),
            Self::Report(error) => error.hint(),
            Self::Write { .. } | Self::Kind { .. } | Self::Encode { .. } => None,
            Self::Ending { path, ending } => Some(format!("--out {}", path.with_extension(ending).display())),
            Self::NotEmpty { .. } => Some("name a directory that is not there yet".to_owned()),
            Self::NoFile { format } => Some(format!("--to {format} --out {}", format.example())),
            Self::Uri { .. } => {
                Some("start a server with `mlflow server` and give --uri http://127.0.0.1:5000".to_owned())
            }
            Self::Unreachable { .. } => {
                Some("is the server running? `mlflow server` starts one on http://127.0.0.1:5000".to_owned())
            }
            Self::Refused { status, .. } => (*status == 404).then(|| "is this an MLflow tracking server?".to_owned()),
        }
    }

    /// Which exit code this error belongs to.
    pub fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Store(error) => error.exit_kind(),
            Self::Report(error) => error.exit_kind(),
            Self::Write { .. } | Self::Encode { .. } | Self::Unreachable { .. } | Self::Refused { .. } => {
                ExitKind::Disk
            }
            Self::Ending { .. }
            | Self::NotEmpty { .. }
            | Self::NoFile { .. }
            | Self::Kind { .. }
            | Self::Uri { .. } => ExitKind::Usage,
        }
    }
}
