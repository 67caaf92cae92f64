//! The fused pass: the loop over experiments, vectorized.
//!
//! All runs of a block are columns of one matrix; a tile of rows goes forward and backward for all of them in one BLAS
//! product each. [`LinearBlock`] is the logistic model's block.

mod linear;

pub use linear::{Column, LinearBlock, Rows};

use crate::affine::AffineMap;
use crate::optimizer::{Kind, Settings};
use crate::reference::{Gradient, Problem};
use crate::workspace::{Scratch, Sums};

/// The top rung of the ladder: all runs in one fused pass.
pub fn evaluate(problem: &Problem<'_>) -> Gradient {
    let (d, k) = problem.w.dim();
    let columns: Vec<Column> = (0..k)
        .map(|run| Column {
            fold: 0,
            is_trained: problem.selection.is_trained.column(run).to_vec(),
            l2: 0.0,
            fit_intercept: true,
            kind: Kind::Gd,
            settings: Settings::default(),
            start: problem.w.column(run).to_vec(),
            intercept: problem.b[run],
        })
        .collect();
    let mut block = LinearBlock::<f64>::new(&AffineMap::identity(d), &columns);
    let mut sums = Sums::new(d, problem.selection.groups.len(), block.width());
    let mut scratch = Scratch::new(d, block.width());
    for (group, rows) in problem.selection.groups.iter().enumerate() {
        let x = problem.x.slice(ndarray::s![rows.clone(), ..]);
        block.accumulate(
            Rows {
                x,
                y: &problem.y[rows.clone()],
                group,
            },
            0.0,
            &mut scratch,
            &mut sums,
        );
    }
    let weights: Vec<f64> = (0..k).map(|run| problem.selection.training_rows(run) as f64).collect();
    let grad = block.gradient(&sums, &weights);
    let loss = |run: usize| {
        let trained = problem.selection.is_trained.column(run);
        let sum: f64 = trained
            .iter()
            .zip(sums.scores.loss.column(run))
            .filter(|(is, _)| **is)
            .map(|(_, s)| s)
            .sum();
        sum / weights[run]
    };
    Gradient {
        loss: (0..k).map(loss).collect(),
        dw: grad.slice(ndarray::s![..d, ..k]).to_owned(),
        db: (0..k).map(|run| grad[[d, run]]).collect(),
    }
}
