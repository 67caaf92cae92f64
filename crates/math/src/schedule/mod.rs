//! Learning rates over time.

mod shape;

pub use shape::{Schedule, Shape};
