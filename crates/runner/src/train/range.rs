//! Learning rates that nobody gave: a short test of several of them.

use std::collections::BTreeMap;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::{Column, LinearBlock};
use gradsweep_math::optimizer::Settings;
use gradsweep_math::workspace::{Scores, Scratch};
use rayon::prelude::*;

use super::gather::Gather;
use super::order::Orders;
use super::{Task, View};
use crate::config::LearningRate;

/// The rates that are tried: as many as one register has lanes.
pub(crate) const RATES: [f64; 16] = [
    1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
];
/// Steps of a test.
pub(crate) const STEPS: usize = 32;
/// Steps at its end that are measured.
const MEASURED: usize = 8;
/// The share of the best rate's gain that a smaller one must reach to be taken in its place: the largest rates that hold for
/// a few steps are the first to diverge in many.
const ENOUGH: f64 = 0.95;
/// Training rows of a step where a run takes all rows at once.
const FULL_BATCH_ROWS: usize = 8192;

/// The learning rate of every run of a cohort that leaves it open and is among the `wanted`, by its place in the plan.
///
/// Each run tries all rates side by side, as the columns of a block of its own, so that what it finds does not depend on
/// the sweep around it: a few steps from its starting weights over its own training rows. It takes the smallest rate that
/// gains nearly as much as the best.
///
/// # Source
/// Smith 2017 raises the rate along one run; here every rate has a run of its own.
pub(super) fn find<T: Real>(
    task: &Task<'_, '_, T>,
    orders: &Orders,
    wanted: impl Fn(usize) -> bool,
) -> BTreeMap<usize, f64> {
    let mut open = open_runs(task);
    open.retain(|&run| wanted(run));
    open.par_iter().map(|&run| (run, test(task, orders, run))).collect()
}

/// The runs of a cohort that leave their learning rate open, by their place in the plan.
pub(super) fn open_runs<T: Real>(task: &Task<'_, '_, T>) -> Vec<usize> {
    let blocks = task.plan.cohorts[task.cohort].blocks.iter();
    blocks
        .flat_map(|block| &block.runs)
        .copied()
        .filter(|&run| task.plan.trial_of(run).train.learning_rate == LearningRate::Auto)
        .collect()
}

/// The order of rows for tests of runs that take all rows at once.
pub(super) fn large_batches<T: Real>(view: &View<'_, T>) -> Orders {
    let rows = view.groups.iter().map(ExactSizeIterator::len).sum::<usize>();
    Orders::new(view.groups, (rows / FULL_BATCH_ROWS).max(1), true, view.seed)
}

/// The rate that a run takes.
pub(super) fn test<T: Real>(task: &Task<'_, '_, T>, orders: &Orders, run: usize) -> f64 {
    let view = task.view;
    let own = view.column(task.plan, run);
    let column = |learning_rate: f64| Column {
        settings: Settings {
            learning_rate,
            ..own.settings
        },
        ..own.clone()
    };
    let mut block = LinearBlock::new(&view.map, &RATES.map(column));
    let mut scratch = Scratch::new(view.map.raw_columns, block.width());
    let mut gather = Gather::new(orders.largest_step(), view.x.ncols());
    let trained: Vec<usize> = view.groups_as(own.objective.fold, Role::Train).collect();
    let empty = || (Scores::new(view.groups.len(), RATES.len()), 0.0);
    let (mut start, mut end) = (empty(), empty());
    for step in 0..STEPS {
        let (at, epoch) = (step % orders.steps(), (step / orders.steps()) as u32);
        // Counted from the last epoch there could be, so that no epoch of the training begins as its test did.
        let order = orders.of_epoch(u32::MAX - epoch);
        let batch = gather.batch(view, trained.iter().map(|&group| (group, order.rows(at, group))));
        let measured = if step == 0 {
            Some(&mut start)
        } else {
            (step + MEASURED >= STEPS).then_some(&mut end)
        };
        let scores = measured.map(|(scores, weight)| {
            let of_rows =
                |[zero, one]: [f64; 2]| own.objective.class_weight[0] * zero + own.objective.class_weight[1] * one;
            *weight += batch.iter().map(|rows| of_rows(rows.class_sums())).sum::<f64>();
            scores
        });
        block.train_batch(&batch, &mut scratch, scores);
    }
    let loss = |(scores, weight): &(Scores, f64), position: usize| {
        let of_class = |class: usize| {
            let sum: f64 = trained.iter().map(|&group| scores.loss[class][[group, position]]).sum();
            own.objective.class_weight[class] * sum
        };
        (of_class(0) + of_class(1)) / weight
    };
    let losses: Vec<f64> = (0..RATES.len()).map(|position| loss(&end, position)).collect();
    RATES[choose(loss(&start, 0), &losses)]
}

/// The place of the smallest rate whose loss at the end is nearly the best; the first where none is below the start.
fn choose(start: f64, losses: &[f64]) -> usize {
    let best = losses
        .iter()
        .copied()
        .filter(|loss| loss.is_finite())
        .fold(start, f64::min);
    let enough = start - ENOUGH * (start - best);
    losses
        .iter()
        .position(|loss| best < start && *loss <= enough)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_of_nearly_equal_rates_is_taken() {
        assert_eq!(choose(0.7, &[0.69, 0.6, 0.505, 0.5, 0.9, f64::NAN]), 2);
        assert_eq!(choose(0.7, &[0.69, 0.6, 0.55, 0.5, 0.9, f64::INFINITY]), 3);
        assert_eq!(choose(0.7, &[0.69, 0.5, 0.5, 0.5]), 1);
    }

    #[test]
    fn where_nothing_gains_the_smallest_rate_is_taken() {
        assert_eq!(choose(0.7, &[0.8, 0.9, f64::NAN]), 0);
        assert_eq!(choose(0.7, &[f64::NAN; 3]), 0);
    }
}
