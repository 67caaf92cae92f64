//! What can be wrong with the data, told with file, column and row.
//!
//! - [`kinds`]: every way, with its message
//! - [`hint`]: what to type next
//! - [`reader`]: foreign messages cut short

mod hint;
mod kinds;
mod reader;

pub(crate) use hint::most_similar;
pub use kinds::DataError;
pub use reader::ReaderError;
