//! Which trials a sweep has.

mod asked;
mod c_path;
mod grid;
mod halton;
mod left_out;
mod parzen;
mod planned;
mod random;
mod sampler;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod search;
mod sobol;
mod stream;
mod tpe;
mod trial;

#[cfg(test)]
mod regret;
#[cfg(test)]
mod tests;

pub(crate) use asked::{Asked, Held, first_preparation, of_store};
pub use asked::{count, drawn, trials};
pub(crate) use c_path::with_c_path;
pub use left_out::LeftOut;
pub use search::Search;
pub(crate) use tpe::COHORTS;
pub use trial::Trial;
