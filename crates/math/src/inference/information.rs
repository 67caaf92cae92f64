//! Sums over the training rows at fixed coefficients: log-likelihood, gradient, Hessian.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis, s};

use crate::loss::logistic::{loss, residual};

/// Sums over rows at fixed coefficients.
///
/// The intercept's column of ones comes first, where there is an intercept. Features are centered about the mean of the first
/// rows then, which is a change of the free intercept: it keeps the digits of columns that lie far from 0.
///
/// # Shapes
/// P features, d = P + 1 parameters with an intercept, P without.
#[derive(Debug, Clone)]
pub struct Information {
    /// (P).
    pub(super) w: Vec<f64>,
    pub(super) b: f64,
    pub(super) has_intercept: bool,
    /// (P); zeros without an intercept.
    pub(super) center: Option<Vec<f64>>,
    /// (d, d).
    pub(super) hessian: Array2<f64>,
    /// (d), of the negative log-likelihood.
    pub(super) gradient: Vec<f64>,
    pub(super) log_likelihood: f64,
    pub(super) rows: usize,
    /// Sum of weights of negative and of positive rows.
    pub(super) classes: [f64; 2],
    /// Scores: the highest of a negative row, the lowest of a positive one.
    pub(super) highest_negative: f64,
    pub(super) lowest_positive: f64,
}

impl Information {
    /// Of no rows yet, at these coefficients.
    ///
    /// # Shapes
    /// `coefficients` (P + 1), the last the intercept; it is a parameter if `fit_intercept`, and otherwise a constant.
    ///
    /// # Panics
    /// If there is not even an intercept.
    pub fn new(coefficients: &[f64], fit_intercept: bool) -> Self {
        let (&b, w) = coefficients
            .split_last()
            .expect("the last coefficient is the intercept");
        let d = w.len() + usize::from(fit_intercept);
        Self {
            w: w.to_vec(),
            b,
            has_intercept: fit_intercept,
            center: None,
            hessian: Array2::zeros((d, d)),
            gradient: vec![0.0; d],
            log_likelihood: 0.0,
            rows: 0,
            classes: [0.0; 2],
            highest_negative: f64::NEG_INFINITY,
            lowest_positive: f64::INFINITY,
        }
    }

    /// Adds rows.
    ///
    /// `weights` are counts: a row of weight k stands for k rows, as statsmodels' `freq_weights`.
    ///
    /// # Shapes
    /// `x` (m, P), `y` (m) of 0 and 1, `weights` (m).
    ///
    /// # Panics
    /// If the shapes do not fit together.
    pub fn add(&mut self, x: &ArrayView2<'_, f64>, y: &[f64], weights: Option<&[f64]>) {
        let (m, features) = x.dim();
        assert_eq!((features, m), (self.w.len(), y.len()), "features and rows");
        assert!(weights.is_none_or(|weights| weights.len() == m), "a weight per row");
        if m == 0 {
            return;
        }
        let center = self.center.get_or_insert_with(|| match x.mean_axis(Axis(0)) {
            Some(mean) if self.has_intercept => mean.to_vec(),
            _ => vec![0.0; features],
        });
        let first = usize::from(self.has_intercept);
        // Rows of [1 x−c], each times the root of its share of the Hessian.
        let mut scaled = Array2::<f64>::zeros((m, first + features));
        for (i, mut row) in scaled.rows_mut().into_iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[i]);
            if weight == 0.0 {
                continue;
            }
            let z = self.b + x.row(i).iter().zip(&self.w).map(|(x, w)| x * w).sum::<f64>();
            let is_positive = y[i] > 0.5;
            if is_positive {
                self.lowest_positive = self.lowest_positive.min(z);
            } else {
                self.highest_negative = self.highest_negative.max(z);
            }
            self.rows += 1;
            self.classes[usize::from(is_positive)] += weight;
            self.log_likelihood -= weight * loss(y[i], z);
            let dz = weight * residual(y[i], z);
            if self.has_intercept {
                row[0] = 1.0;
            }
            for ((out, x), center) in row.iter_mut().skip(first).zip(x.row(i)).zip(center.iter()) {
                *out = x - center;
            }
            for (gradient, x) in self.gradient.iter_mut().zip(&row) {
                *gradient += dz * x;
            }
            let e = (-z.abs()).exp();
            row *= (weight * e).sqrt() / (1.0 + e);
        }
        general_mat_mul(
            1.0,
            &scaled.t(),
            &scaled.view(),
            1.0,
            &mut self.hessian.slice_mut(s![.., ..]),
        );
    }

    /// Training rows with a weight above 0.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the coefficients put every positive row above every negative one: then the likelihood has no maximum, and
    /// larger coefficients are always likelier.
    pub fn is_separated(&self) -> bool {
        self.lowest_positive > self.highest_negative
    }
}
