//! What a store says: sweeps compared, one sweep, trial or run shown, the sweeps below a directory listed.
//!
//! [`compare`] ranks trials over all sweeps given, [`show`] answers what is in one, [`list`] what there is. Each returns a value that renders
//! itself in any [`Format`]: aligned for a terminal, as Markdown, or with full precision as JSON or CSV. Reads stores only, prints nothing.
//!
//! ```no_run
//! use gradsweep_report::{Format, compare, open};
//! # fn main() -> Result<(), gradsweep_report::ReportError> {
//! let sweeps = open(&["sweeps/flights".into()])?;
//! let comparison = compare(&sweeps, Some("log_loss"), Some(5))?;
//! assert!(comparison.render(Format::Table).contains("log_loss"));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod compare;
mod error;
mod format;
mod inference;
mod json;
mod list;
pub mod number;
mod page;
mod paired;
mod params;
mod profile;
mod sanitize;
mod show;
mod summary;
mod sweeps;
mod table;

pub use compare::{Comparison, compare};
pub use error::ReportError;
pub use format::{Format, UnknownFormat};
pub use inference::{Inference, Term};
pub use list::{Listing, list};
pub use page::Page;
pub use profile::{Profile, ProfileColumn, ProfileFold, ProfileFoldColumn};
pub use sanitize::sanitize;
pub use show::{runs_named, show};
pub use sweeps::{Sweep, open};
