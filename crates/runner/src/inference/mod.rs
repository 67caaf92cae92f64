//! Standard errors, tests and intervals of one run, from its stored coefficients and the data it was trained on.

mod infer;
mod refusal;

pub use gradsweep_math::inference::{Estimate, Estimates};
pub use infer::{Inference, infer};
pub use refusal::Refusal;
