//! One run alone, vectorized over features and examples: the oracle of "fused equals separate".

use ndarray::{Array1, Array2, Axis};

use super::{Gradient, Problem};
use crate::loss::logistic::{loss, sigmoid};

/// The rung: `Z = Xw + b`, `A = σ(Z)`, `dZ = A − Y`, `dw = Xᵀ dZ / m`, `db = Σ dZ / m`, on each run's gathered training rows.
///
/// # Source
/// The course's vectorized logistic regression, with X transposed (a row is an example).
pub fn evaluate(problem: &Problem<'_>) -> Gradient {
    let (d, k) = problem.w.dim();
    let mut out = Gradient {
        loss: vec![0.0; k],
        dw: Array2::zeros((d, k)),
        db: vec![0.0; k],
    };
    for run in 0..k {
        let rows: Vec<usize> = (0..problem.y.len())
            .filter(|&i| problem.selection.trains(i, run))
            .collect();
        let x = problem.x.select(Axis(0), &rows);
        let y: Array1<f64> = rows.iter().map(|&i| problem.y[i]).collect();
        let m = rows.len() as f64;
        let z = x.dot(&problem.w.column(run)) + problem.b[run];
        let dz = z.mapv(sigmoid) - &y;
        out.loss[run] = z.iter().zip(&y).map(|(&z, &y)| loss(y, z)).sum::<f64>() / m;
        out.dw.column_mut(run).assign(&(x.t().dot(&dz) / m));
        out.db[run] = dz.sum() / m;
    }
    out
}
