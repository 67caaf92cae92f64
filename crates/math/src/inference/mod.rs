//! Classical inference for an unpenalized fit: standard errors, tests and intervals from the inverse Hessian.
//!
//! [`Information`] sums up the log-likelihood, its gradient and its Hessian over the training rows at given coefficients,
//! tile by tile; [`Information::estimates`] inverts the Hessian and gives [`Estimates`] in the units of the data.
//!
//! At the maximum of the likelihood the coefficients of a model that holds are normally distributed about the true ones, with the
//! inverse of the Hessian `H = Σ s·p(1−p)·[x 1][x 1]ᵀ` as their covariance. This needs the maximum (a penalty moves it, class
//! weights change what is maximized) and weights that count rows, so that `Σ s` is the number of observations.
//!
//! # Source
//! `McCullagh` and Nelder, *Generalized Linear Models*, 2nd edition, sections 2.5 and 4.4.
//!
//! ```
//! use gradsweep_math::inference::{Information, Units};
//! use ndarray::array;
//!
//! // Two groups of ten rows, 3 and 6 of them positive: the coefficient is the difference of the log odds.
//! let x = ndarray::Array2::from_shape_fn((20, 1), |(i, _)| f64::from(u8::from(i >= 10)));
//! let y: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i < 3 || (10..16).contains(&i)))).collect();
//! let (b, w) = ((3.0_f64 / 7.0).ln(), (6.0_f64 / 4.0).ln() - (3.0_f64 / 7.0).ln());
//! let mut information = Information::new(&[w, b], true);
//! information.add(&x.view(), &y, None);
//! let estimates = information.estimates(&Units::of_the_data(1))?;
//! let variance: f64 = 1.0 / 3.0 + 1.0 / 7.0 + 1.0 / 6.0 + 1.0 / 4.0;
//! assert!((estimates.features[0].standard_error - variance.sqrt()).abs() < 1e-12);
//! # Ok::<(), gradsweep_math::inference::Singular>(())
//! ```

mod collinear;
mod estimates;
#[cfg(test)]
mod golden;
mod information;
mod normal;

pub use collinear::{Collinear, Singular};
pub use estimates::{Estimate, Estimates, Units};
pub use information::Information;
pub use normal::{quantile, two_sided_p_value};
