//! What can be wrong with the data, told with file, column and row.
//!
//! - [`kinds`]: every way, with its message
//! - [`hint`]: what to type next

mod hint;
mod kinds;

pub(crate) use hint::most_similar;
pub use kinds::DataError;
