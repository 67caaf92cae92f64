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
use crate::bug;
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

/// What tests of learning rates came to, by the run's place in the plan.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The rates.
    pub(super) rates: BTreeMap<usize, f64>,
    /// What the panics said that ended tests.
    pub(super) panics: BTreeMap<usize, String>,
}

/// The learning rate of every run of a cohort that leaves it open and is among the `wanted`, by its place in the plan.
///
/// Each run tries all rates side by side, as the columns of a block of its own, so that what it finds does not depend on
/// the sweep around it: a few steps from its starting weights over its own training rows. It takes the smallest rate that
/// gains nearly as much as the best. A test that panics is that of its run alone.
///
/// # Source
/// Smith 2017 raises the rate along one run; here every rate has a run of its own.
pub(super) fn find<T: Real>(task: &Task<'_, '_, T>, orders: &Orders, wanted: impl Fn(usize) -> bool) -> Found {
    let mut open = open_runs(task);
    open.retain(|&run| wanted(run));
    let tested = |&run: &usize| (run, bug::caught(|| test(task, orders, run)));
    let tested: Vec<(usize, Result<f64, String>)> = open.par_iter().map(tested).collect();
    let mut found = Found::default();
    for (run, outcome) in tested {
        match outcome {
            Ok(rate) => drop(found.rates.insert(run, rate)),
            Err(panic) => drop(found.panics.insert(run, panic)),
        }
    }
    found
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
    use std::fmt::Write as _;

    use gradsweep_data::{self as data, Dataset};

    use super::*;
    use crate::config;
    use crate::dataset::{load_spec, shape_of};
    use crate::event::Silent;
    use crate::plan::Plan;
    use crate::search;

    #[test]
    fn a_test_that_panics_is_that_of_its_run_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut table = "a,late\n".to_owned();
        for i in 0..90u32 {
            writeln!(table, "{},{}", i * 31 % 97, u8::from(i * 57 % 97 > 48)).expect("a String");
        }
        let path = dir.path().join("table.csv");
        std::fs::write(&path, table).expect("the temporary directory is writable");
        let text = format!(
            "[data]\ntrain = {:?}\ntarget = \"late\"\n[validation]\nfolds = 3\n[train]\nsolver = \"sgd\"\n\
             learning_rate = \"auto\"\n",
            path.display().to_string()
        );
        let config = config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
        let data: Dataset<f32> = data::load(&load_spec(&config, None)).expect("a table");
        let trials = search::trials(&config).expect("trials");
        let mut plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
        // A fold that there is not.
        plan.runs[1].fold = 7;
        let view = View::new(&data, &config);
        let task = Task::new(&plan, 0, &view, &Silent);
        let found = find(&task, &Orders::new(view.groups, 4, true, 0), |_| true);
        assert_eq!(found.rates.keys().copied().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(found.panics.keys().copied().collect::<Vec<_>>(), [1]);
        assert!(found.panics[&1].contains("index out of bounds"), "{}", found.panics[&1]);
    }

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
