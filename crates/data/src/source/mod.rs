//! Where rows come from: files of one format, read in order as one table.
//!
//! - [`files`]: paths and globs to a list of files
//! - [`hive`]: folders whose names are columns
//! - [`columnar`]: Parquet and Arrow, streamed as often as needed; [`parquet`] and [`arrow`] are what differs
//! - [`csv`]: parsed once into numbers and text, then kept; [`csv_table`]: parsed by every scan where memory is short
//! - [`csv_records`]: rows with too few or too many fields, open quotes and bytes that are no text, found first
//! - [`csv_text`]: packed and Latin-1 files as text
//! - [`batches`]: decoding ahead
//! - [`guard`]: panics of the readers become errors
//! - [`parts`]: dates and datetimes taken apart
//! - [`table`]: what both look like to the rest of the crate
//! - [`stream`]: files read once, a batch at a time, without guessing types
//! - [`look`]: names and types without reading the rows

mod arrow;
mod batches;
mod columnar;
pub(crate) mod csv;
mod csv_column;
mod csv_records;
mod csv_table;
mod csv_text;
pub(crate) mod files;
mod guard;
mod hive;
mod look;
mod names;
mod parquet;
pub(crate) mod parts;
pub(crate) mod stream;
pub(crate) mod table;

pub use guard::file_being_read;
pub use look::{Peek, peek};
