//! Training until converged: quasi-Newton and Newton runs that share every trip over the rows.
//!
//! The runs of a block say at which points they want to be evaluated; one trip evaluates all of them, held-out rows
//! included, and each run takes its next step or leaves. Runs that wait for neighbors along C join when these are solved.
//!
//! A run that has ended stays in its block until the block has: others may start from it, and the scores that need rows in
//! order are made for all of them together.

mod curvatures;
mod ending;
mod path;
mod separation;
mod start;
mod state;
mod timing;
mod trainer;
mod trips;

pub use state::{BlockOfDescents, DescentRun, Ended, TripSums};
pub(super) use timing::{time, time_trip};
pub(super) use trainer::{Ground, Trainer};

/// Epochs after which a quasi-Newton run that may do so takes its own Hessians.
const PATIENCE: u32 = 30;
