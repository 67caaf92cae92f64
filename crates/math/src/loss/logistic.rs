//! The logistic loss.

/// `σ(z) = 1 / (1 + exp(−z))`, without overflow on either side.
pub fn sigmoid(z: f64) -> f64 {
    let e = (-z.abs()).exp();
    if z >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Negative log-likelihood of a label under the score z: `ℓ(y, z) = max(z, 0) − y·z + log1p(exp(−|z|))`.
///
/// # Numerical notes
/// Equal to `−y·log σ(z) − (1−y)·log(1−σ(z))` and finite for every finite z.
///
/// # Source
/// The course's `L(a, y)` with `a = σ(z)`; the stable form is Mächler, *Accurately computing log(1 − exp(−|a|))*, 2012.
pub fn loss(y: f64, z: f64) -> f64 {
    z.max(0.0) - y * z + (-z.abs()).exp().ln_1p()
}

/// Derivative of the loss by the score: `dz = a − y`.
pub fn residual(y: f64, z: f64) -> f64 {
    sigmoid(z) - y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finite_difference::derivative;

    #[test]
    fn the_stable_form_equals_the_definition() {
        for z in [-8.0f64, -0.3, 0.0, 1.7, 9.0] {
            for y in [0.0, 1.0] {
                let a = 1.0 / (1.0 + (-z).exp());
                let definition = -y * a.ln() - (1.0 - y) * (1.0 - a).ln();
                assert!((loss(y, z) - definition).abs() < 1e-12 * (1.0 + definition));
            }
        }
        assert_eq!(loss(1.0, -1e6), 1e6);
        assert_eq!(loss(0.0, -1e6), 0.0);
    }

    #[test]
    fn the_residual_is_the_derivative() {
        for z in [-3.0, -0.2, 0.9, 4.0] {
            for y in [0.0, 1.0] {
                assert!((residual(y, z) - derivative(|z| loss(y, z), z)).abs() < 1e-9);
            }
        }
    }
}
