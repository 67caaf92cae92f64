//! Cohorts on their way, as the store keeps them: to numbers and back, and which of them count when a sweep goes on.

mod descents;
mod file;
mod numbers;
mod restart;
mod steps;

pub(crate) use file::{CohortState, name, pack, unpack};
pub(crate) use restart::{Restart, restart};
