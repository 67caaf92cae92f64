//! One sweep, one trial, one run.

mod coefficients;
mod curve;
mod resolve;
mod run;
mod rungs;
mod sweep;
mod trial;

pub use resolve::{runs_named, show};
pub(crate) use rungs::rungs;
