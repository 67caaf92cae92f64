//! The fused pass: the loop over experiments, vectorized.
//!
//! All runs of a block are columns of one matrix; a tile of rows goes forward and backward for all of them in one BLAS
//! product each. [`Pass`] is that trip, [`LinearBlock`] the runs of a block under first-order optimizers.

mod hessian;
mod linear;
mod objective;
mod pass;
mod routes;

pub use hessian::{HessianScratch, Hessians, pairs_of};
pub use linear::{Column, ColumnState, LinearBlock};
pub use objective::Objective;
pub use pass::{Pass, Rows};

use ndarray::Array2;

use crate::reference::{Gradient, Problem};
use crate::workspace::{Scratch, Sums, padded_width};

/// The top rung of the ladder: all runs in one fused pass.
pub fn evaluate(problem: &Problem<'_>) -> Gradient {
    let (d, k) = problem.w.dim();
    let objectives: Vec<Objective> = (0..k)
        .map(|run| Objective::unpenalized(0, problem.selection.is_trained.column(run).to_vec()))
        .collect();
    let mut pass = Pass::<f64>::new(d, &objectives, padded_width(k));
    pass.set(&problem.w, problem.b);
    let mut sums = Sums::new(d, problem.selection.groups.len(), pass.width());
    let mut scratch = Scratch::new(d, pass.width());
    for (group, rows) in problem.selection.groups.iter().enumerate() {
        let rows = Rows {
            x: problem.x.slice(ndarray::s![rows.clone(), ..]),
            y: &problem.y[rows.clone()],
            weight: None,
            group,
        };
        pass.accumulate(rows, 0.0, &mut scratch, &mut sums);
    }
    let weights: Vec<f64> = (0..k).map(|run| problem.selection.training_rows(run) as f64).collect();
    let loss = |run: usize| {
        let trained = problem.selection.is_trained.column(run);
        let groups = (0..trained.len()).filter(|&group| trained[group]);
        groups.map(|group| sums.scores.loss_of(group, run)).sum::<f64>() / weights[run]
    };
    Gradient {
        loss: (0..k).map(loss).collect(),
        dw: Array2::from_shape_fn((d, k), |(i, run)| sums.g[[i, run]] / weights[run]),
        db: (0..k).map(|run| sums.db[run] / weights[run]).collect(),
    }
}
