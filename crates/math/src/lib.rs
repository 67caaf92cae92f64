//! Numbers in, numbers out: the fused kernels and everything they are checked against.
//!
//! This crate knows no files, no config and no terminal. Its centre is [`fused::LinearBlock`]: the weights of many runs
//! as one matrix, trained by one BLAS product forward and one backward per tile of rows. [`affine`] puts each fold's
//! preprocessing into the weights, [`optimizer`] steps every column with its own hyperparameters, [`metric`] scores
//! them, and [`mod@reference`] and [`check`] hold the slow ways to the same numbers.
//!
//! X is stored with a row per example: the transpose of the course's X.
//!
//! ```
//! use gradsweep_math::reference::{Problem, loops};
//! use gradsweep_math::select::Selection;
//! use gradsweep_math::fused;
//! use ndarray::array;
//!
//! let x = array![[1.0, 2.0], [0.5, -1.0], [-1.5, 0.3]];
//! let w = array![[0.1, 0.0], [-0.2, 0.4]];       // two runs
//! let selection = Selection::all(3, 2);
//! let problem = Problem { x: x.view(), y: &[1.0, 0.0, 1.0], selection: &selection, w: w.view(), b: &[0.0, 0.5] };
//! let (together, slowly) = (fused::evaluate(&problem), loops::evaluate(&problem));
//! assert!((together.dw - slowly.dw).iter().all(|difference| difference.abs() < 1e-15));
//! ```

pub mod affine;
pub mod blas;
pub mod check;
pub mod codes;
pub mod curvature;
pub mod elementwise;
pub mod fused;
pub mod inference;
pub mod init;
pub mod loss;
pub mod metric;
pub mod optimizer;
pub mod penalty;
mod real;
pub mod reference;
pub mod schedule;
pub mod select;
pub mod solver;
pub mod workspace;

pub use real::Real;
