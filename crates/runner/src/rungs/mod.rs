//! Successive halving and hyperband: which trials go on, and for how long.
//!
//! A rung is an epoch at which trials are compared. It is decided when every trial that is still in the sweep has reached
//! it, from the mean over a trial's folds, repeats and restarts, so that no decision depends on timing. Survivors keep
//! their state.

mod decide;
mod ladder;

pub(crate) use decide::{Standings, means, survivors};
pub use ladder::{Ladder, Rung};
