//! From sums to standard errors: the inverse Hessian in the units of the data.

use ndarray::{Array1, Array2};
use ndarray_linalg::{FactorizeC, InverseC, UPLO};

use super::collinear::{OWN_SHARE, Singular, find};
use super::information::Information;
use super::normal::{quantile, two_sided_p_value};

/// What the features of a fit are made from: `feature = (value − mean) / scale`.
///
/// # Shapes
/// `scale`, `mean` (P).
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    /// Divides the value.
    pub scale: Vec<f64>,
    /// Subtracted from the value.
    pub mean: Vec<f64>,
}

impl Units {
    /// Features that are values as they are.
    pub fn of_the_data(features: usize) -> Self {
        Self {
            scale: vec![1.0; features],
            mean: vec![0.0; features],
        }
    }
}

/// A coefficient and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The coefficient, in log odds per unit.
    pub coefficient: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Estimate {
    /// The coefficient in standard errors.
    pub fn z(&self) -> f64 {
        self.coefficient / self.standard_error
    }

    /// How often a coefficient that is truly 0 would be found at least as far from it.
    pub fn p_value(&self) -> f64 {
        two_sided_p_value(self.z())
    }

    /// The interval that covers the true coefficient in a share `level` of samples (Wald's).
    ///
    /// # Panics
    /// Unless 0 < `level` < 1.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let half = quantile(level) * self.standard_error;
        (self.coefficient - half, self.coefficient + half)
    }
}

/// A fit with its standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    /// Each feature's coefficient, per unit of the data.
    pub features: Vec<Estimate>,
    /// The intercept where all values are 0. Without a fitted one, what the means of the features make of their
    /// coefficients; `None` if there is nothing.
    pub intercept: Option<Estimate>,
    /// Rows with a weight above 0.
    pub rows: usize,
    /// Rows, each as often as its weight says.
    pub observations: f64,
    /// Those of them that are positive.
    pub events: f64,
    /// Free parameters, the intercept included.
    pub parameters: usize,
    /// Of the fit.
    pub log_likelihood: f64,
    /// Of the intercept alone.
    pub null_log_likelihood: f64,
    /// Greatest entry of the gradient of the mean loss, in the space of the fit.
    pub grad_norm: f64,
    /// How far the coefficients are from the maximum of the likelihood: no combination of them is further from its own
    /// than so many of its standard errors, to second order. (Newton's decrement, `√(gᵀH⁻¹g)`.)
    pub distance: f64,
    /// Condition of the Hessian, its diagonal scaled to ones, in the 1-norm.
    pub condition: f64,
}

impl Estimates {
    /// Akaike's criterion.
    pub fn aic(&self) -> f64 {
        2.0 * (self.parameters as f64 - self.log_likelihood)
    }

    /// Schwarz's criterion.
    pub fn bic(&self) -> f64 {
        self.parameters as f64 * self.observations.ln() - 2.0 * self.log_likelihood
    }

    /// `McFadden`'s R²: the share of the null model's log-likelihood that the fit takes away.
    pub fn mcfadden_r2(&self) -> f64 {
        1.0 - self.log_likelihood / self.null_log_likelihood
    }
}

impl Information {
    /// Standard errors in the units of the data.
    ///
    /// # Numerical notes
    /// The Hessian is inverted with its diagonal scaled to ones, about the features' centers; the change of units comes
    /// after.
    ///
    /// # Errors
    /// If columns are combinations of others.
    ///
    /// # Panics
    /// If `units` has other features.
    pub fn estimates(&self, units: &Units) -> Result<Estimates, Singular> {
        let features = self.w.len();
        assert_eq!((units.scale.len(), units.mean.len()), (features, features), "units");
        let root: Array1<f64> = self.hessian.diag().mapv(f64::sqrt);
        if root.iter().chain(&self.gradient).any(|value| !value.is_finite()) || self.rows == 0 {
            return Err(Singular::NotFinite);
        }
        // A column of zeros is left to be found as one without information of its own.
        let unit = root.mapv(|root| if root > 0.0 { root } else { 1.0 });
        let scaled = Array2::from_shape_fn(self.hessian.dim(), |(j, k)| {
            let (j, k) = (j.max(k), j.min(k));
            self.hessian[[j, k]] / (unit[j] * unit[k])
        });
        let inverse = inverse(&scaled).ok_or_else(|| {
            let found = find(&scaled.view(), self.has_intercept);
            if found.is_empty() {
                Singular::NotFinite
            } else {
                Singular::Collinear(found)
            }
        })?;
        let norm = |matrix: &Array2<f64>| {
            let columns = matrix.columns().into_iter();
            columns
                .map(|column| column.iter().map(|value| value.abs()).sum())
                .fold(0.0, f64::max)
        };
        let covariance = Array2::from_shape_fn(scaled.dim(), |(j, k)| inverse[[j, k]] / (unit[j] * unit[k]));
        let gradient = Array1::from_vec(self.gradient.clone());
        let decrement = gradient.dot(&covariance.dot(&gradient));
        let [negatives, positives] = self.classes;
        let observations = negatives + positives;
        let of_class = |count: f64| {
            if count > 0.0 {
                count * (count / observations).ln()
            } else {
                0.0
            }
        };
        Ok(Estimates {
            features: self.features(&covariance, units),
            intercept: self.intercept(&covariance, units),
            rows: self.rows,
            observations,
            events: positives,
            parameters: scaled.nrows(),
            log_likelihood: self.log_likelihood,
            null_log_likelihood: of_class(negatives) + of_class(positives),
            grad_norm: self.uncentered_gradient().into_iter().map(f64::abs).fold(0.0, f64::max) / observations,
            distance: if decrement < 0.0 { 0.0 } else { decrement.sqrt() },
            condition: norm(&scaled) * norm(&inverse),
        })
    }

    fn features(&self, covariance: &Array2<f64>, units: &Units) -> Vec<Estimate> {
        let first = usize::from(self.has_intercept);
        let estimate = |(j, (w, scale)): (usize, (&f64, &f64))| Estimate {
            coefficient: w / scale,
            standard_error: covariance[[first + j, first + j]].sqrt() / scale.abs(),
        };
        self.w.iter().zip(&units.scale).enumerate().map(estimate).collect()
    }

    /// The intercept of the data's units is that about the centers, less what the way there adds.
    fn intercept(&self, covariance: &Array2<f64>, units: &Units) -> Option<Estimate> {
        let means = units.mean.iter().zip(&units.scale).map(|(mean, scale)| mean / scale);
        let shift: f64 = means.clone().zip(&self.w).map(|(mean, w)| mean * w).sum();
        let center = self.center.clone().unwrap_or_else(|| vec![0.0; self.w.len()]);
        let from_center = means.zip(center).map(|(mean, center)| -(mean + center));
        let direction: Array1<f64> = std::iter::repeat_n(1.0, usize::from(self.has_intercept))
            .chain(from_center)
            .collect();
        let variance = direction.dot(&covariance.dot(&direction));
        (self.has_intercept || direction.iter().any(|part| *part != 0.0)).then(|| Estimate {
            coefficient: self.b - shift,
            standard_error: variance.max(0.0).sqrt(),
        })
    }

    /// The gradient for features that are not centered, as a solver has it.
    fn uncentered_gradient(&self) -> Vec<f64> {
        let Some(center) = self.center.as_ref().filter(|_| self.has_intercept) else {
            return self.gradient.clone();
        };
        let db = self.gradient[0];
        let features = self.gradient[1..].iter().zip(center);
        std::iter::once(db)
            .chain(features.map(|(dw, center)| dw + center * db))
            .collect()
    }
}

/// `None` where a column has too little of its own.
fn inverse(scaled: &Array2<f64>) -> Option<Array2<f64>> {
    let factor = scaled.factorizec(UPLO::Lower).ok()?;
    let are_own = factor.factor.diag().iter().all(|root| root.powi(2) > OWN_SHARE);
    let inverse = if are_own { factor.invc().ok()? } else { return None };
    inverse.iter().all(|value| value.is_finite()).then_some(inverse)
}
