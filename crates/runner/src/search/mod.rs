//! Which trials a sweep has.

mod c_path;
mod grid;
mod trial;

pub(crate) use c_path::with_c_path;
pub use grid::{count, trials};
pub use trial::Trial;
