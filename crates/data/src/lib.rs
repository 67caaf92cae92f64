//! From files on disk to tiles of numbers.
//!
//! [`load`] reads Parquet or CSV files into a [`Dataset`]: one matrix of stored columns for all folds, the [`Folds`]
//! over its row groups, and an [`Encoding`] that turns stored columns into each fold's features with the statistics of
//! that fold's training rows. Whatever is wrong with the files is a [`DataError`] that names file, column and row.
//!
//! ```
//! use gradsweep_data::{EncodeSpec, LoadSpec, RoleSpec, SourceSpec, SplitSpec, load};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("flights.csv");
//! let rows: String = (0..40).map(|i| format!("{},{}\n", i % 7, if i % 3 == 0 { "yes" } else { "no" })).collect();
//! std::fs::write(&path, format!("delay,late\n{rows}"))?;
//!
//! let data = load::<f32>(&LoadSpec {
//!     source: SourceSpec { paths: vec![path.display().to_string()], ..Default::default() },
//!     roles: RoleSpec { target: "late".into(), ..Default::default() },
//!     encode: EncodeSpec::default(),
//!     split: SplitSpec::default(),
//!     seed: 0,
//!     deal: true,
//!     rows: None,
//! })?;
//! assert_eq!(data.x.dim(), (40, 1));
//! assert_eq!(data.summary.target.positive, "yes");
//! assert_eq!(data.folds.len(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod cache;
mod categorical;
mod dataset;
mod element;
mod encode;
mod error;
mod fingerprint;
mod leak;
mod level_places;
mod levels;
mod load;
mod matrix;
mod names;
mod profile;
mod random;
mod role_columns;
mod roles;
mod source;
mod spec;
mod split;
mod summary;
mod target;
mod tile;
mod time_point;
mod warnings;
mod weight;

pub use apply::{
    Applied, ApplyError, ApplySpec, ColumnDrift, FittedColumn, FittedLevel, FittedLevels, FittedNumber, FittedShape,
    LabelSpec, LevelFate, PredictionWriter, ScoredBatch, Scorer,
};
pub use cache::{CacheEntry, CacheError, CacheSpec, Stored, clear as clear_cache, list as list_cache, spill};
pub use dataset::Dataset;
pub use element::Element;
pub use encode::{
    CodeColumn, ColumnProfile, Encoding, Feature, FoldColumn, FoldEncoding, FoldProfile, Link, Profile, RawColumn,
    RawKind,
};
pub use error::{DataError, ReaderError};
pub use load::{load, load_within};
pub use source::{Peek, file_being_read, peek};
pub use spec::{
    ColumnType, EncodeSpec, Impute, LoadSpec, OneHotSpec, OtherLevels, RoleSpec, SPARSE_ABOVE, SourceSpec, SplitSpec,
    Strategy, TextEncoding,
};
pub use split::{Folds, Role};
pub use summary::{ColumnKind, ColumnSummary, SkipReason, Skipped, Summary, TargetSummary, WeightSummary};
