//! One sweep on disk: a directory whose files are immutable and each written at once.
//!
//! [`StoreWriter`] holds the directory's lock, takes finished runs as [`Part`]s and makes the tables at the end.
//! [`Store`] reads a sweep, finished or not. [`Manifest`] says what was run, on which data, with which program.
//!
//! The only way anything that counts gets on disk is: temporary file in the same directory, write, fsync, rename,
//! fsync the directory. A kill at any instruction leaves the old file or the new one.
//!
//! ```
//! use gradsweep_store::*;
//! # fn main() -> Result<(), StoreError> {
//! # let scratch = std::env::temp_dir().join(format!("gradsweep-store-doc-{}", std::process::id()));
//! # let dir = scratch.as_path();
//! let metrics = vec![MetricInfo { name: "log_loss".into(), higher_is_better: false }];
//! let manifest = Manifest { name: "flights".into(), select: "log_loss".into(), metrics, ..Manifest::default() };
//! let plan = PlanTable {
//!     params: vec!["model.C".into()],
//!     trials: vec![PlannedTrial { trial: 0, params: vec![ParamValue::Float(1.0)] }],
//!     runs: vec![PlannedRun { run: RunId(1), fold_label: "0".into(), ..PlannedRun::default() }],
//! };
//! let mut writer = StoreWriter::create(dir, &manifest, "version = 1", "version = 1", &plan)?;
//! let record = RunRecord { run: RunId(1), val: vec![("log_loss".into(), 0.5)], ..RunRecord::default() };
//! writer.append(&Part { runs: vec![record], ..Part::default() })?;
//! writer.finish()?;
//! assert_eq!(Store::open(dir)?.trials()?.rows[0].scores[0].mean_val, Some(0.5));
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod atomic;
mod checkpoint;
mod disk;
mod error;
mod format;
mod frame;
mod layout;
mod lock;
mod manifest;
mod model;
mod parts;
mod plan;
#[cfg(test)]
mod power;
mod predictions;
mod reader;
mod rows;
mod run;
mod sealed;
mod tables;
mod value;
mod writer;

pub use atomic::write as write_file;
pub use checkpoint::{Checkpoint, Numbers, Tensor, carry, checkpoints, prune};
pub use error::{Damage, ExitKind, StoreError};
pub use format::FormatVersion;
pub use layout::REPORT;
pub use manifest::{ChangedKey, Cost, Manifest, MetricInfo, probe, safe_name};
pub use model::{
    Fate, Mean, Model, ModelColumn, ModelInfo, ModelLevel, ModelMetrics, ModelNumbers, ModelTarget, ModelVersion,
    NotNumbers, OtherRule, Reading, Shape, best_model, check_own_model, is_model, trial_model, write_beside_model,
};
pub use plan::{PlanTable, PlannedRun, PlannedTrial};
pub use predictions::{OutOfFold, Predictions};
pub use reader::Store;
pub use rows::{RunRow, Score, TrialRow, TrialTable};
pub use run::{CoefficientRow, HistoryRow, Name, Part, Reason, RunId, RunRecord, RunState, Split, TrialState};
pub use tables::one_standard_error;
pub use value::ParamValue;
pub use writer::{Kept, SetAside, StoreWriter, Written, check_free, tidy};
