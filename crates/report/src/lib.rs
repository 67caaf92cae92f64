//! What a store says: sweeps compared, one sweep, trial or run shown, the sweeps below a directory listed.
//!
//! [`compare`] ranks trials over all sweeps given, [`show`] answers what is in one, [`list`] what there is. Each returns a value that renders
//! itself in any [`Format`]: aligned for a terminal, as Markdown, or with full precision as JSON or CSV. [`export`](fn@export) hands results and
//! the model to other tools. Reads stores only, prints nothing.
//!
//! ```no_run
//! use gradsweep_report::{Format, Query, compare, open};
//! # fn main() -> Result<(), gradsweep_report::ReportError> {
//! let sweeps = open(&["sweeps/flights".into()])?;
//! let comparison = compare(&sweeps, &Query { top: Some(5), ..Query::default() })?;
//! assert!(comparison.render(Format::Table).contains("log_loss"));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod columns;
mod compare;
mod error;
mod export;
mod format;
mod html;
mod inference;
mod json;
mod list;
pub mod number;
mod page;
mod params;
mod profile;
mod sanitize;
mod sheet;
mod show;
mod summary;
mod sweeps;
mod table;

pub use compare::{Comparison, Query, changes, compare, groups, importance};
pub use error::ReportError;
pub use export::{ExportError, ExportFormat, Exported, Logged, UnknownExportFormat, export, log_to_mlflow};
pub use format::{Format, UnknownFormat};
pub use html::{Live, html, write_html};
pub use inference::{Inference, Term};
pub use list::{Listing, list};
pub use page::Page;
pub use params::in_words;
pub use profile::{Profile, ProfileColumn, ProfileFold, ProfileFoldColumn};
pub use sanitize::sanitize;
pub use sheet::Sheet;
pub use show::{runs_named, show};
pub use sweeps::{Sweep, open};
