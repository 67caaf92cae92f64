//! Which trials a sweep has.

mod grid;
mod trial;

pub use grid::trials;
pub use trial::Trial;
