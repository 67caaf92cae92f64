//! Training: one cohort at a time, all of its runs together.
//!
//! [`Training`] is a cohort on its way: it advances to an epoch or until told to pause, tells how its runs stand, lets runs
//! go, and can be taken apart into plain [`BlockState`]s and put together again.

mod batches;
mod converge;
mod evaluate;
mod full;
mod gather;
mod ledger;
mod order;
mod outcome;
mod range;
mod rehearsal;
mod slot;
mod standing;
mod state;
mod training;
mod view;
mod watch;

pub use converge::{BlockOfDescents, DescentRun, Ended, TripSums};
pub(crate) use full::segments_of_sum;
pub use outcome::{HistoryPoint, Outcome};
pub(crate) use range::{RATES, STEPS};
pub(crate) use rehearsal::{Rehearsal, rehearse, time_tests, time_trip, window};
pub use standing::Standing;
pub(crate) use state::regroup;
pub use state::{BlockOfSteps, BlockState, LiveRun};
pub(crate) use training::{End, Training};
pub use view::View;
pub use watch::Best;

use std::collections::BTreeMap;

use gradsweep_math::Real;

use crate::event::Observer;
use crate::plan::Plan;

/// Trains every run of a cohort to its end.
pub fn cohort<T: Real>(plan: &Plan, index: usize, view: &View<'_, T>, observer: &dyn Observer) -> Vec<Outcome> {
    whole(Task::new(plan, index, view, observer))
}

/// As [`cohort`], with some runs of a converging solver, by their place in the plan, going on from where they stood.
pub(crate) fn cohort_from<T: Real>(
    plan: &Plan,
    index: usize,
    view: &View<'_, T>,
    stood: &BTreeMap<usize, Stood>,
    observer: &dyn Observer,
) -> Vec<Outcome> {
    whole(Task {
        stood,
        ..Task::new(plan, index, view, observer)
    })
}

fn whole<T: Real>(task: Task<'_, '_, T>) -> Vec<Outcome> {
    let mut training = Training::new(task);
    training.advance(u32::MAX, &|| false);
    training.take_outcomes()
}

/// Where a run stood when it ran out of epochs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stood {
    /// Weights, then the intercept, in the preprocessed space.
    pub(crate) parameters: Vec<f64>,
    /// Epochs it had trained. Those to come are counted from there, and the trial's limit holds for them alone.
    pub(crate) epochs: u32,
}

/// Of a cohort whose runs all begin.
static NOBODY: BTreeMap<usize, Stood> = BTreeMap::new();

/// What every block of a cohort needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a, 'v, T> {
    /// The runs.
    pub(crate) plan: &'a Plan,
    /// Index into the plan's cohorts.
    pub(crate) cohort: usize,
    /// The rows.
    pub(crate) view: &'a View<'v, T>,
    /// Runs of a converging solver that go on, by their place in the plan.
    pub(crate) stood: &'a BTreeMap<usize, Stood>,
    /// Who is told.
    pub(crate) observer: &'a dyn Observer,
}

impl<'a, 'v, T> Task<'a, 'v, T> {
    /// A cohort whose runs all begin.
    pub(crate) fn new(plan: &'a Plan, cohort: usize, view: &'a View<'v, T>, observer: &'a dyn Observer) -> Self {
        Self {
            plan,
            cohort,
            view,
            stood: &NOBODY,
            observer,
        }
    }
}
