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

use gradsweep_math::Real;

use crate::event::Observer;
use crate::plan::{BatchSchedule, Plan};

/// Trains every run of a cohort.
pub fn cohort<T: Real>(plan: &Plan, index: usize, view: &View<'_, T>, observer: &dyn Observer) -> Vec<Outcome> {
    let cohort = &plan.cohorts[index];
    let task = Task {
        plan,
        cohort: index,
        view,
        observer,
    };
    match cohort.schedule {
        BatchSchedule::Converge => converge::train(&task, &cohort.blocks),
        BatchSchedule::Full => full::train(&task, &cohort.blocks),
        BatchSchedule::Batches { rows, shuffle } => batches::train(&task, &cohort.blocks, rows, shuffle),
    }
}

/// What every block of a cohort needs to know.
#[derive(Clone, Copy)]
struct Task<'a, 'v, T> {
    plan: &'a Plan,
    cohort: usize,
    view: &'a View<'v, T>,
    observer: &'a dyn Observer,
}
