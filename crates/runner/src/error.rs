//! What can stop a sweep.

use std::path::PathBuf;

use gradsweep_data::{ApplyError, CacheError, DataError};
use gradsweep_store::{ExitKind, Reason, StoreError};

use crate::config::Problems;
use crate::inference::Refusal;
use crate::plan::bytes;
use crate::stop::StopCause;

/// A sweep that could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The config is wrong.
    #[error(transparent)]
    Config(#[from] Problems),
    /// The data are wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The cache of prepared rows could not be read or cleared.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// New rows do not fit a model, or predictions cannot be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A trial could not be fitted on all rows.
    #[error("the refit of trial {trial} failed: {reason}")]
    RefitFailed {
        /// The trial.
        trial: u32,
        /// Why.
        reason: Reason,
    },
    /// The store is wrong, full or in use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `if_exists = "error"` and there is a sweep.
    #[error("{} holds a sweep", dir.display())]
    Exists {
        /// The output directory.
        dir: PathBuf,
    },
    /// The directory holds another sweep.
    #[error("{} holds a sweep with other settings: {}", dir.display(), changed.join("; "))]
    Changed {
        /// The output directory.
        dir: PathBuf,
        /// What differs, a key each.
        changed: Vec<String>,
    },
    /// The files changed while a sweep read them anew for another repeat.
    #[error("the data changed while the sweep was running: what is recorded is of the rows as they were")]
    DataChanged,
    /// A signal, the caller, the time limit or failed runs ended the sweep early.
    #[error("stopped {cause}: {finished} of {runs} runs have ended and are recorded in {}", dir.display())]
    Stopped {
        /// The store's directory.
        dir: PathBuf,
        /// What did it.
        cause: StopCause,
        /// Runs that have ended.
        finished: usize,
        /// Runs of the plan.
        runs: usize,
    },
    /// The held-out rows of a fold do not define a metric that decides.
    #[error("the held-out rows of fold {fold} have one class only, \"{class}\": {metric} does not score them")]
    Unscored {
        /// The fold's label.
        fold: String,
        /// The metric.
        metric: &'static str,
        /// The class.
        class: String,
    },
    /// `model.C = { auto = true }` on data without a slope.
    #[error("`model.C` has no automatic path: no feature is associated with the target")]
    NoPath,
    /// A run or row that does not exist.
    #[error("{what}")]
    NotFound {
        /// What was asked for and what there is.
        what: String,
    },
    /// A run has no standard errors.
    #[error(transparent)]
    Inference(#[from] Refusal),
    /// The linked BLAS computes wrong products under threads.
    #[error("{wrong} of 32 products of the linked OpenBLAS ({core}) are wrong when made by several threads")]
    UnsoundBlas {
        /// Wrong products.
        wrong: usize,
        /// The kernels' name.
        core: String,
    },
    /// The plan needs more memory than it may have, even with the rows on disk.
    #[error(
        "the plan needs about {} of memory with its rows on disk, and run.memory_limit = \"{limit}\" allows {}",
        bytes(*needed),
        bytes(*available)
    )]
    Memory {
        /// Bytes of labels, weights and results.
        needed: u64,
        /// Bytes of the limit.
        available: u64,
        /// The limit as written.
        limit: String,
        /// Weights of a run, where Newton's method would take a matrix of them.
        newton: Option<usize>,
    },
    /// A panic of the program outside of the training of a block.
    #[error("a bug of gradsweep ended it: {said}")]
    Bug {
        /// The output directory.
        dir: PathBuf,
        /// Whether that holds a sweep.
        is_begun: bool,
        /// What the panic said.
        said: String,
    },
    /// The thread pool could not be made.
    #[error("could not start the worker threads")]
    Threads {
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },
}

impl RunError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) => error.hint(),
            Self::Apply(error) => error.hint(),
            Self::RefitFailed { .. } => Some("name another trial with --trial N".to_owned()),
            Self::Store(error) => error.hint(),
            Self::Inference(refusal) => refusal.hint(),
            Self::Exists { .. } => {
                Some("write elsewhere with --set output.dir=DIR, or set output.if_exists to \"resume\" or \"replace\"".to_owned())
            }
            Self::Changed { .. } => Some(
                "run it into another directory with --set output.dir=DIR, or start over with --set output.if_exists=replace"
                    .to_owned(),
            ),
            Self::DataChanged => Some("put the old files back and run the same command again".to_owned()),
            Self::Stopped {
                dir,
                cause: StopCause::Failures { .. },
                ..
            } => Some(format!(
                "go on without the failed runs: gradsweep resume {0}; or train them once more: gradsweep resume {0} --retry-failed",
                dir.display()
            )),
            Self::Stopped { dir, .. } => Some(format!("go on with gradsweep resume {}", dir.display())),
            Self::Unscored { .. } => Some(
                "rank by another metric (--set sweep.metric=log_loss), or hold out more rows: fewer folds, strategy = \"stratified\""
                    .to_owned(),
            ),
            Self::NoPath => Some("give its values: model.C = { min = 1e-4, max = 1e4, num = 9, log = true }".to_owned()),
            Self::UnsoundBlas { .. } => {
                Some("install an OpenBLAS built with pthreads (Debian: libopenblas-dev) and check with gradsweep doctor".to_owned())
            }
            Self::Memory {
                newton: Some(weights), ..
            } => Some(format!(
                "newton takes a matrix of {weights} x {weights} numbers per run: take --set train.solver=lbfgs"
            )),
            Self::Bug { dir, is_begun, .. } => {
                let stays = if *is_begun {
                    format!("what is recorded stays, and gradsweep resume {} goes on; ", dir.display())
                } else {
                    String::new()
                };
                Some(format!("{stays}please report it with the lines above, which name the place in the source"))
            }
            Self::Memory { .. } => Some(
                "raise it with --set run.memory_limit=SIZE, sweep fewer values at a time, or take fewer rows with --rows N"
                    .to_owned(),
            ),
            Self::Config(_) | Self::Cache(_) | Self::NotFound { .. } | Self::Threads { .. } => None,
        }
    }

    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::RefitFailed { .. } => 1,
            Self::Config(_)
            | Self::Exists { .. }
            | Self::Changed { .. }
            | Self::NotFound { .. }
            | Self::Inference(_)
            | Self::Apply(ApplyError::OutputFormat { .. }) => 2,
            Self::Apply(error) if error.is_of_output() => 4,
            Self::Data(DataError::Cache { .. } | DataError::OutOfMemory { .. })
            | Self::Cache(_)
            | Self::UnsoundBlas { .. }
            | Self::Threads { .. }
            | Self::Memory { .. } => 4,
            Self::Data(_) | Self::Apply(_) | Self::NoPath | Self::Unscored { .. } | Self::DataChanged => 3,
            Self::Store(error) => match error.exit_kind() {
                ExitKind::InUse => 5,
                ExitKind::Disk => 4,
                ExitKind::Usage => 2,
            },
            Self::Stopped { .. } => 75,
            Self::Bug { .. } => 101,
        }
    }
}
