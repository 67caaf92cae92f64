//! Prepared rows that memory should not hold: one file per loaded data set, memory-mapped.
//!
//! - [`map`]: the memory maps, the only unsafe code of this crate
//! - [`values`]: the matrix while it grows, in memory or in a file
//! - [`stored`]: the finished matrix
//! - [`part`]: a file that counts only when it is complete
//! - [`file`]: what a finished file looks like, and how it is written and read
//! - [`code`]: values to bytes and back, bit for bit
//! - [`parts`]: the bytes of everything a data set has beside the matrix
//! - [`key`]: which load a file is of
//! - [`entries`]: the files of a cache directory, for the eye and for clearing

mod code;
mod entries;
mod file;
mod key;
mod map;
mod part;
mod parts;
mod stored;
mod values;

use std::path::PathBuf;

pub(crate) use code::{Code, code};
pub use entries::{CacheEntry, CacheError, clear, list};
pub(crate) use file::open;
pub use file::spill;
pub(crate) use key::Key;
pub(crate) use part::PartFile;
pub(crate) use parts::Parts;
pub use stored::Stored;
pub(crate) use values::{FileValues, HEADER_BYTES, Values};

/// Where prepared rows live, and how much of them memory may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSpec {
    /// The directory of the cache; it is made when it is needed.
    pub dir: PathBuf,
    /// Bytes that a data set may take in memory, its labels and weights included.
    pub limit_bytes: u64,
}
