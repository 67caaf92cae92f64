//! A fitted model on raw rows: from the cells of new files to scores, in f64, batch by batch.
//!
//! - [`fitted`]: what a model knows of each column it needs
//! - [`lookup`]: texts of levels and labels, however a file writes them
//! - [`term`]: what each column adds to the scores of a batch
//! - [`scorer`]: files in, scores out, in order
//! - [`drift`]: nulls and unseen levels of the new rows beside those of training
//! - [`write`]: predictions to a Parquet or CSV file that appears when it is complete

mod addend;
mod drift;
mod error;
mod fitted;
mod lookup;
mod scorer;
mod term;
mod write;

pub use drift::ColumnDrift;
pub use error::ApplyError;
pub use fitted::{FittedColumn, FittedLevel, FittedLevels, FittedNumber, FittedShape, LevelFate};
pub use scorer::{Applied, ApplySpec, LabelSpec, ScoredBatch, Scorer};
pub use write::PredictionWriter;
