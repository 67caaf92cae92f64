//! Which trials a sweep has.

mod c_path;
mod grid;
mod halton;
mod random;
mod sampler;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod search;
mod sobol;
mod stream;
mod trial;

#[cfg(test)]
mod tests;

pub(crate) use c_path::with_c_path;
pub use search::{LeftOut, Search, count, drawn, trials};
pub(crate) use search::{first_preparation, trial};
pub use trial::Trial;
