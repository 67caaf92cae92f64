//! One example: the derivatives of the logistic loss by hand.

use ndarray::Array2;

use super::{Gradient, Problem};
use crate::loss::logistic::{loss, sigmoid};

/// Forward and backward of one example.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Score `z = w·x + b`.
    pub z: f64,
    /// Probability `a = σ(z)`.
    pub a: f64,
    /// Loss `L(a, y)`.
    pub loss: f64,
    /// `dL/da = −y/a + (1−y)/(1−a)`.
    pub da: f64,
    /// `dL/dz = a − y`.
    pub dz: f64,
    /// `dL/dw = x·dz`.
    pub dw: Vec<f64>,
    /// `dL/db = dz`.
    pub db: f64,
}

/// Forward and backward pass of one example.
///
/// # Shapes
/// `x`, `w` (d).
///
/// # Numerical notes
/// `da` is infinite where a rounds to the wrong label; `dz` is not computed through it.
///
/// # Source
/// The course's logistic regression on one example.
///
/// # Panics
/// If `x` and `w` differ in length.
pub fn example(x: &[f64], y: f64, w: &[f64], b: f64) -> Example {
    assert!(x.len() == w.len(), "{} features for {} weights", x.len(), w.len());
    let z = b + x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
    let a = sigmoid(z);
    let dz = a - y;
    Example {
        z,
        a,
        loss: loss(y, z),
        // Of the two terms −y/a and (1−y)/(1−a) one is 0; where a rounds to the label it would be 0/0.
        da: if y > 0.5 { -1.0 / a } else { 1.0 / (1.0 - a) },
        dz,
        dw: x.iter().map(|x| x * dz).collect(),
        db: dz,
    }
}

/// The rung: one example after the other, for one run after the other.
pub fn evaluate(problem: &Problem<'_>) -> Gradient {
    let (d, k) = problem.w.dim();
    let mut out = Gradient {
        loss: vec![0.0; k],
        dw: Array2::zeros((d, k)),
        db: vec![0.0; k],
    };
    for run in 0..k {
        let w = problem.w.column(run).to_vec();
        let share = 1.0 / problem.selection.training_rows(run) as f64;
        for (i, (x, &y)) in problem.x.rows().into_iter().zip(problem.y).enumerate() {
            if problem.selection.trains(i, run) {
                let one = example(&x.to_vec(), y, &w, problem.b[run]);
                out.loss[run] += one.loss * share;
                out.db[run] += one.db * share;
                for (sum, dw) in out.dw.column_mut(run).iter_mut().zip(one.dw) {
                    *sum += dw * share;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_rule_through_da_gives_dz() {
        let one = example(&[1.0, -2.0], 1.0, &[0.3, 0.1], -0.2);
        assert!((one.da * one.a * (1.0 - one.a) - one.dz).abs() < 1e-15);
        assert_eq!(one.dw, vec![one.dz, -2.0 * one.dz]);
    }
}
