//! The ladder below the fused pass: the same gradient, computed the slow and obvious ways, in f64.
//!
//! Rung by rung this is the way from a derivative by hand to the product: one example ([`single`]), m examples with two
//! explicit loops ([`loops`]), vectorized over features and examples for one run ([`vectorized`]), and the loop over
//! experiments removed ([`crate::fused`]). All rungs share one signature; a test runs them against each other and
//! against the computation graph.

pub mod loops;
pub mod single;
pub mod vectorized;

use ndarray::{Array2, ArrayView2};

use crate::select::Selection;

/// One set of inputs for every rung.
///
/// # Shapes
/// `x` (m, d), `y` (m) of 0 and 1, `w` (d, k), `b` (k), `selection` of m rows and k runs.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Features.
    pub x: ArrayView2<'a, f64>,
    /// Labels.
    pub y: &'a [f64],
    /// Which rows each run trains on.
    pub selection: &'a Selection,
    /// Weights, a column per run.
    pub w: ArrayView2<'a, f64>,
    /// Intercepts.
    pub b: &'a [f64],
}

/// What every rung returns, for each run over its training rows.
///
/// # Shapes
/// `loss` (k), `dw` (d, k), `db` (k).
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Mean loss.
    pub loss: Vec<f64>,
    /// Gradient of the mean loss by the weights.
    pub dw: Array2<f64>,
    /// Gradient of the mean loss by the intercepts.
    pub db: Vec<f64>,
}

/// A way to compute the gradient.
pub type Rung = fn(&Problem<'_>) -> Gradient;

/// The rungs by name, slowest first.
pub const RUNGS: [(&str, Rung); 5] = [
    ("graph", crate::check::graph::evaluate),
    ("single", single::evaluate),
    ("loops", loops::evaluate),
    ("vectorized", vectorized::evaluate),
    ("fused", crate::fused::evaluate),
];
