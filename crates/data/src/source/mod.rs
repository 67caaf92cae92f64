//! Where rows come from: files of one format, read in order as one table.
//!
//! - [`files`]: paths and globs to a list of files
//! - [`parquet`]: streamed, column by column, as often as needed
//! - [`csv`]: parsed once into numbers and text, then kept
//! - [`csv_records`]: rows with too few or too many fields, open quotes and bytes that are no text, found first
//! - [`batches`]: decoding ahead
//! - [`table`]: what both look like to the rest of the crate
//! - [`stream`]: files read once, a batch at a time, without guessing types
//! - [`look`]: names and types without reading the rows

mod batches;
pub(crate) mod csv;
mod csv_column;
mod csv_records;
pub(crate) mod files;
mod look;
pub(crate) mod parquet;
pub(crate) mod stream;
pub(crate) mod table;

pub use look::{Peek, peek};
