//! What a block that converges will take, measured.

use std::sync::Arc;
use std::time::Instant;

use gradsweep_math::Real;
use gradsweep_math::fused::{Column, Objective};

use super::trainer::{Ground, Trainer};
use super::trips::{self, Trip};
use crate::plan::{Block, Method};
use crate::train::full::segments;
use crate::train::{Task, training::Trainer as _};

/// Hessians that are timed, at the most: as many as are summed at a time.
const HESSIANS_TRIED: usize = 64;

/// Seconds of one trip of all runs of a cohort over the rows, and of the Hessians of those that take their own.
pub(crate) fn time_trip<T: Real>(task: &Task<'_, '_, T>, blocks: &[Block]) -> [f64; 2] {
    let (plan, view) = (task.plan, task.view);
    let segments = segments(view.groups);
    let mut seconds = [0.0; 2];
    for block in blocks {
        let columns: Vec<Column> = block.runs.iter().map(|&run| view.column(plan, run)).collect();
        let objectives: Vec<&Objective> = columns.iter().map(|column| &column.objective).collect();
        let point = |column: &Column| column.start.iter().copied().chain([0.0]).collect();
        let points: Vec<Vec<f64>> = columns.iter().map(point).collect();
        let start = Instant::now();
        let trip = Trip::new(view, &segments, &objectives, &points);
        let mut sums = trip.no_sums(view);
        // Nothing pauses it.
        let _whole = trip.add_sums(view, &segments, &mut sums, &|| false);
        trip.seen(view, sums);
        seconds[0] += start.elapsed().as_secs_f64();
        let newton = block
            .runs
            .iter()
            .filter(|&&run| plan.method_of(run) == Method::Newton)
            .count();
        if newton > 0 {
            let tried = newton.min(HESSIANS_TRIED);
            let start = Instant::now();
            trips::hessians(view, &segments, &objectives[..tried], &points[..tried]);
            seconds[1] += start.elapsed().as_secs_f64() * newton as f64 / tried as f64;
        }
    }
    seconds
}

/// Trains the runs of a cohort: seconds before the first epoch, seconds of all epochs, and epochs summed over runs.
pub(crate) fn time<T: Real>(task: &Task<'_, '_, T>, blocks: &[Block]) -> (f64, f64, u64) {
    let start = Instant::now();
    let ground = Arc::new(Ground::new(task, &blocks.iter().collect::<Vec<_>>()));
    let setup = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut epochs = 0;
    for (index, block) in blocks.iter().enumerate() {
        let mut trainer = Trainer::new(*task, &ground, (index, block), None);
        while trainer.is_due(u32::MAX) {
            trainer.epoch(u32::MAX, &|| false);
        }
        let outcomes = trainer.take_outcomes();
        epochs += outcomes.iter().map(|outcome| u64::from(outcome.epochs)).sum::<u64>();
    }
    (setup, start.elapsed().as_secs_f64(), epochs)
}
