//! A short training of a cohort on some of its rows, to know what it will take on all of them.

use std::ops::Range;
use std::time::Instant;

use gradsweep_math::Real;
use rayon::prelude::*;

use super::training::orders;
use super::{Task, Training, converge, range};
use crate::plan::BatchSchedule;

/// Tests for open learning rates that are timed, per thread.
const TESTS_PER_THREAD: usize = 2;

/// Hessians that a run of Newton's method asks for in an epoch: it keeps one while its steps do what they promise.
const HESSIANS_PER_EPOCH: f64 = 0.25;

/// What a cohort took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rehearsal {
    /// Before the first epoch, whatever the rows.
    pub(crate) setup: f64,
    /// An epoch. Of runs that converge: of the time of all, what a run has for each of its epochs, times the runs.
    pub(crate) epoch: f64,
    /// What comes after the last epoch: the scores that are not made on the way.
    pub(crate) end: f64,
    /// Epochs of a run, where these follow from its converging.
    pub(crate) epochs: Option<f64>,
    /// The share of the cohort's rows that this was measured on.
    pub(crate) share: f64,
}

/// Trains a cohort on the rows of its task, which are `share` of those it will be trained on. Its runs should end after their
/// second epoch; after their first, where an epoch is one step; and after a few more where they converge.
pub(crate) fn rehearse<T: Real>(task: Task<'_, '_, T>, share: f64) -> Rehearsal {
    let cohort = &task.plan.cohorts[task.cohort];
    let seconds = |since: Instant| since.elapsed().as_secs_f64();
    if cohort.schedule == BatchSchedule::Converge {
        let (setup, training, column_epochs) = converge::time(&task, &cohort.blocks);
        let epochs = column_epochs as f64 / cohort.width().max(1) as f64;
        return Rehearsal {
            setup,
            epoch: training / epochs.max(1.0),
            end: 0.0,
            epochs: Some(epochs.max(1.0)),
            share,
        };
    }
    let is_full = cohort.schedule == BatchSchedule::Full;
    let start = Instant::now();
    let mut training = Training::untested(task);
    let setup = seconds(start);
    let start = Instant::now();
    // A full-batch run takes its first trip before its first epoch.
    training.advance(u32::from(!is_full), &|| false);
    let epoch = seconds(start);
    let start = Instant::now();
    training.advance(u32::MAX, &|| false);
    Rehearsal {
        setup,
        epoch,
        end: (seconds(start) - epoch).max(0.0),
        epochs: None,
        share,
    }
}

/// Seconds of one trip of all runs of a cohort that converges over the rows of its task, Hessians included.
pub(crate) fn time_trip<T: Real>(task: &Task<'_, '_, T>) -> f64 {
    let [trip, hessians] = converge::time_trip(task, &task.plan.cohorts[task.cohort].blocks);
    trip + HESSIANS_PER_EPOCH * hessians
}

/// Seconds of the tests of all runs that leave their learning rate open. They take the same steps whatever the rows.
pub(crate) fn time_tests<T: Real>(task: &Task<'_, '_, T>) -> f64 {
    let open = range::open_runs(task);
    let tried = open.len().min(TESTS_PER_THREAD * rayon::current_num_threads());
    if tried == 0 {
        return 0.0;
    }
    let orders = match task.plan.cohorts[task.cohort].schedule {
        BatchSchedule::Converge => return 0.0,
        BatchSchedule::Full => range::large_batches(task.view),
        BatchSchedule::Batches { rows, shuffle } => orders(task.view, rows, shuffle),
    };
    let start = Instant::now();
    open[..tried].par_iter().for_each(|&run| {
        range::test(task, &orders, run);
    });
    start.elapsed().as_secs_f64() * open.len() as f64 / tried as f64
}

/// The `window`th part of every group's rows of which `share` is one; those of the last where there are no more.
pub(crate) fn window(groups: &[Range<usize>], share: f64, window: usize) -> Vec<Range<usize>> {
    let part = |rows: &Range<usize>| {
        let length = ((rows.len() as f64 * share) as usize).clamp(1.min(rows.len()), rows.len());
        let windows = rows.len().checked_div(length).unwrap_or(1).max(1);
        let first = rows.start + length * (window % windows);
        first..first + length
    };
    groups.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn windows_are_of_one_length_and_lie_in_their_group() {
        let groups = [0..100, 100..103, 103..103];
        assert_eq!(window(&groups, 0.1, 0), [0..10, 100..101, 103..103]);
        assert_eq!(window(&groups, 0.1, 4), [40..50, 101..102, 103..103]);
        assert_eq!(window(&groups, 1.0, 7), groups);
    }
}
