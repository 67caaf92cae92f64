//! Training: one cohort at a time, all of its runs together.

mod batches;
mod converge;
mod evaluate;
mod full;
mod gather;
mod ledger;
mod order;
mod outcome;
mod view;

pub(crate) use evaluate::scored;
pub use outcome::{HistoryPoint, Outcome};
pub use view::View;

use std::collections::BTreeMap;

use gradsweep_math::Real;

use crate::event::Observer;
use crate::plan::{BatchSchedule, Plan};

/// Trains every run of a cohort.
pub fn cohort<T: Real>(plan: &Plan, index: usize, view: &View<'_, T>, observer: &dyn Observer) -> Vec<Outcome> {
    cohort_from(plan, index, view, &BTreeMap::new(), observer)
}

/// As [`cohort`], with some runs of a converging solver, by their place in the plan, going on from where they stood.
pub(crate) fn cohort_from<T: Real>(
    plan: &Plan,
    index: usize,
    view: &View<'_, T>,
    stood: &BTreeMap<usize, Stood>,
    observer: &dyn Observer,
) -> Vec<Outcome> {
    let cohort = &plan.cohorts[index];
    let task = Task {
        plan,
        cohort: index,
        view,
        stood,
        observer,
    };
    match cohort.schedule {
        BatchSchedule::Converge => converge::train(&task, &cohort.blocks),
        BatchSchedule::Full => full::train(&task, &cohort.blocks),
        BatchSchedule::Batches { rows, shuffle } => batches::train(&task, &cohort.blocks, rows, shuffle),
    }
}

/// Where a run stood when it ran out of epochs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stood {
    /// Weights, then the intercept, in the preprocessed space.
    pub(crate) parameters: Vec<f64>,
    /// Epochs it had trained. Those to come are counted from there, and the trial's limit holds for them alone.
    pub(crate) epochs: u32,
}

/// What every block of a cohort needs to know.
#[derive(Clone, Copy)]
struct Task<'a, 'v, T> {
    plan: &'a Plan,
    cohort: usize,
    view: &'a View<'v, T>,
    stood: &'a BTreeMap<usize, Stood>,
    observer: &'a dyn Observer,
}
