//! From plan and parts to the tables.
//!
//! The tables hold nothing that plan and parts do not, so they can always be made again, and a reader of an unfinished store makes them
//! in memory.

mod gather;
mod long;
mod runs;
mod select;
mod trials;

pub(crate) use gather::{Gathered, Wanted};
pub(crate) use long::{coefficients_bytes, history_bytes};
pub(crate) use runs::{runs_frame, runs_from};
pub(crate) use select::is_one_se;
pub use select::one_standard_error;
pub(crate) use trials::{rank, trials_frame, trials_from};

/// Under this key a table says which plan and parts it was made from.
pub(crate) const MADE_FROM: &str = "gradsweep.made_from";
