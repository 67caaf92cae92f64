//! m examples with explicit loops over examples and features: slow, f64, and beyond doubt. The accuracy oracle.

use ndarray::Array2;

use super::{Gradient, Problem};
use crate::loss::logistic::{loss, residual};

/// The rung: a loop over runs, over examples, and over features.
///
/// # Source
/// The course's gradient descent on m examples, with `J += loss`, `dw_j += x_j·dz`, `db += dz`, then division by m.
pub fn evaluate(problem: &Problem<'_>) -> Gradient {
    let (m, d) = problem.x.dim();
    let k = problem.w.ncols();
    let mut out = Gradient {
        loss: vec![0.0; k],
        dw: Array2::zeros((d, k)),
        db: vec![0.0; k],
    };
    for run in 0..k {
        for i in 0..m {
            if !problem.selection.trains(i, run) {
                continue;
            }
            let mut z = problem.b[run];
            for j in 0..d {
                z += problem.x[[i, j]] * problem.w[[j, run]];
            }
            let dz = residual(problem.y[i], z);
            out.loss[run] += loss(problem.y[i], z);
            for j in 0..d {
                out.dw[[j, run]] += problem.x[[i, j]] * dz;
            }
            out.db[run] += dz;
        }
        let rows = problem.selection.training_rows(run) as f64;
        out.loss[run] /= rows;
        out.db[run] /= rows;
        for j in 0..d {
            out.dw[[j, run]] /= rows;
        }
    }
    out
}
