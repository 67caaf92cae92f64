//! What a plan will take: arithmetic and memory.

use gradsweep_data::{Dataset, Role};
use gradsweep_math::Real;
use gradsweep_math::affine::AffineMap;
use gradsweep_math::elementwise::LANES;
use gradsweep_math::fused::{HessianScratch, LinearBlock, pairs_of};
use gradsweep_math::solver::MOST_WHOLE;
use gradsweep_math::workspace::{Scratch, WIDEST_BLOCK, padded_width};
use serde::Serialize;

use super::{BatchSchedule, Cohort, Method, Plan};
use crate::train::segments_of_sum;

/// Pieces of the rows whose sums a full-batch pass holds at once, besides one more per row group.
const SEGMENTS: usize = 64;
/// Pieces of the rows whose sums a converging pass holds at once.
const ROUND: usize = 16;
/// Vectors of weights that a converging run keeps: eight steps and their gradients, its point, its standing and line.
const VECTORS: usize = 2 * 8 + 8;
/// Runs whose Hessians are summed at a time.
const HESSIANS: usize = 64;
/// Bytes of a held-out row's score while the metrics that need an order are found, in a wave and in the run at hand.
const SCORED_ROW: usize = 40;
const SORTED_ROW: usize = 32;

/// The price of one cohort.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Floating-point operations of one epoch's products, in units of 10⁹.
    pub gflop_per_epoch: f64,
    /// Bytes of parameters, optimizer and solver state, sums and scratch.
    pub bytes: u64,
    /// Bytes of the scores of held-out rows while metrics that need them in order are found.
    pub score_bytes: u64,
    /// The most epochs a run of it may take.
    pub epochs: u32,
    /// Columns times epochs, at the most.
    pub column_epochs: u64,
}

impl Cost {
    /// The price of a cohort on `data`, preprocessed by `map`; `orders_scores` if a metric needs scores in order.
    pub fn new<T: Real>(plan: &Plan, cohort: &Cohort, data: &Dataset<T>, map: &AffineMap, orders_scores: bool) -> Self {
        let (rows, columns) = data.x.dim();
        let raw_columns = map.raw_columns;
        let mut cost = Self {
            gflop_per_epoch: 0.0,
            bytes: 0,
            score_bytes: 0,
            epochs: 0,
            column_epochs: 0,
        };
        let mut converging = 0;
        for block in &cohort.blocks {
            let runs = block.runs.len();
            let width = padded_width(runs);
            // Two products of 2·rows·columns·width each.
            cost.gflop_per_epoch += 4.0 * (rows * raw_columns * width) as f64 / 1e9;
            let width = if cohort.schedule == BatchSchedule::Converge {
                width
            } else {
                width.min(WIDEST_BLOCK)
            };
            let state = LinearBlock::<T>::required_bytes(map, width) + Scratch::<T>::required_bytes(raw_columns, width);
            let sums = (map.weights() + 1 + 4 * data.groups.len()) * width * size_of::<f64>();
            let sums_at_once = |segments: usize| segments.div_ceil(segments_of_sum(segments, map.weights(), width)) + 1;
            let bytes = match cohort.schedule {
                BatchSchedule::Full => state + sums * sums_at_once(SEGMENTS + data.groups.len()),
                BatchSchedule::Converge => {
                    let wants_hessians =
                        |run: &&usize| !matches!(plan.method_of(**run), Method::QuasiNewton { may_switch: false });
                    let newton = block.runs.iter().filter(wants_hessians).count();
                    let vectors = runs * VECTORS * (map.features + 1) * size_of::<f64>();
                    // Blocks converge one after the other.
                    let hessians = hessian_bytes::<T>(newton, map.expanded_columns(), map.features);
                    let sums = sums * (sums_at_once(SEGMENTS).min(ROUND + 1) + 1);
                    let own = state + sums + vectors + hessians;
                    converging = converging.max(own);
                    0
                }
                BatchSchedule::Batches { rows: batch, .. } => state + batch.min(rows) * (columns + 1) * size_of::<T>(),
            };
            cost.bytes += bytes as u64;
            for &run in &block.runs {
                let epochs = plan.trial_of(run).train.epochs;
                cost.epochs = cost.epochs.max(epochs);
                cost.column_epochs += u64::from(epochs);
            }
        }
        if cohort.schedule == BatchSchedule::Converge {
            // Moments of the stored columns, and for either intercept the features' and their eigenvectors.
            let whole = map.without_codes().1.len();
            let shared = match (map.features, whole) {
                (..=MOST_WHOLE, _) => (map.expanded_columns() + 1).pow(2) + 4 * (map.features + 1).pow(2),
                (_, ..=MOST_WHOLE) => (raw_columns + 1).pow(2) + 4 * (whole + 1).pow(2),
                _ => 0,
            };
            cost.bytes += (converging + shared * size_of::<f64>()) as u64;
        }
        if orders_scores {
            cost.score_bytes = score_bytes(cohort, data);
        }
        cost
    }
}

/// Own Hessians of the runs that may take them, and the sums of as many as are made at a time.
fn hessian_bytes<T: Real>(runs: usize, raw_columns: usize, features: usize) -> usize {
    if runs == 0 {
        return 0;
    }
    let width = runs.min(HESSIANS);
    let sums = runs.div_ceil(width) * width * pairs_of(raw_columns) * size_of::<f64>();
    let parts = ROUND * width * pairs_of(raw_columns) * size_of::<f64>();
    let scratch = rayon::current_num_threads() * HessianScratch::<T>::required_bytes(raw_columns, width);
    // The Hessian and its factor.
    sums + parts + scratch + 2 * runs * (features + 1).pow(2) * size_of::<f64>()
}

/// Waves of columns are scored by as many threads as there are, each with the rows its folds hold out.
fn score_bytes<T>(cohort: &Cohort, data: &Dataset<T>) -> u64 {
    let held_out = |roles: &Vec<Role>, role: Role| -> usize {
        let groups = data.groups.iter().zip(roles).filter(|(_, own)| **own == role);
        groups.map(|(group, _)| group.len()).sum()
    };
    let most = |role| {
        data.folds
            .roles
            .iter()
            .map(|roles| held_out(roles, role))
            .max()
            .unwrap_or(0)
    };
    let rows = match most(Role::Val) {
        0 => most(Role::Train),
        rows => rows,
    };
    let widest = cohort.blocks.iter().map(|block| block.runs.len()).max().unwrap_or(0);
    let waves = widest.div_ceil(LANES).min(rayon::current_num_threads());
    let scored = widest.min(LANES) * (SCORED_ROW + size_of::<T>()) + SORTED_ROW;
    (rows * waves * scored) as u64
}
