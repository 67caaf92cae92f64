//! What a plan will take: arithmetic and memory.

use gradsweep_data::Dataset;
use gradsweep_math::Real;
use gradsweep_math::affine::AffineMap;
use gradsweep_math::fused::LinearBlock;
use gradsweep_math::workspace::{Scratch, padded_width};
use serde::Serialize;

use super::{BatchSchedule, Cohort, Plan};

/// The price of one cohort.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Floating-point operations of one epoch's products, in units of 10⁹.
    pub gflop_per_epoch: f64,
    /// Bytes of parameters, optimizer state and scratch.
    pub bytes: u64,
    /// The most epochs a run of it may take.
    pub epochs: u32,
    /// Columns times epochs, at the most.
    pub column_epochs: u64,
}

impl Cost {
    /// The price of a cohort on `data`, preprocessed by `map`.
    pub fn new<T: Real>(plan: &Plan, cohort: &Cohort, data: &Dataset<T>, map: &AffineMap) -> Self {
        let (rows, raw_columns) = data.x.dim();
        let mut cost = Self {
            gflop_per_epoch: 0.0,
            bytes: 0,
            epochs: 0,
            column_epochs: 0,
        };
        for block in &cohort.blocks {
            let width = padded_width(block.runs.len());
            // Two products of 2·rows·columns·width each.
            cost.gflop_per_epoch += 4.0 * (rows * raw_columns * width) as f64 / 1e9;
            let gathered = match cohort.schedule {
                BatchSchedule::Full | BatchSchedule::Converge => 0,
                BatchSchedule::Batches { rows: batch, .. } => batch.min(rows) * (raw_columns + 1) * size_of::<T>(),
            };
            cost.bytes += (LinearBlock::<T>::required_bytes(map, width)
                + Scratch::<T>::required_bytes(raw_columns, width)
                + gathered) as u64;
            for &run in &block.runs {
                let epochs = plan.trial_of(run).train.epochs;
                cost.epochs = cost.epochs.max(epochs);
                cost.column_epochs += u64::from(epochs);
            }
        }
        cost
    }
}
