//! Derivatives by a small step.

/// The slope of `f` at `a` by central differences with one step of Richardson extrapolation.
///
/// # Numerical notes
/// Steps h and h/2 with h = 1e-3·max(1, |a|); the extrapolation cancels the h² term, so the error is near 1e-12 for
/// smooth functions of moderate size. Exact up to rounding for polynomials up to the fourth degree.
///
/// # Source
/// L. F. Richardson 1911; the course's "nudge a by a small amount and see how f moves".
///
/// # Examples
/// The slope of f(a) = 3a is 3 everywhere; that of f(a) = a² is 2a: 4 at 2 and 10 at 5.
/// ```
/// use gradsweep_math::check::finite_difference::derivative;
///
/// assert!((derivative(|a| 3.0 * a, 2.0) - 3.0).abs() < 1e-9);
/// assert!((derivative(|a| 3.0 * a, 5.0) - 3.0).abs() < 1e-9);
/// assert!((derivative(|a| a * a, 2.0) - 4.0).abs() < 1e-9);
/// assert!((derivative(|a| a * a, 5.0) - 10.0).abs() < 1e-9);
/// ```
pub fn derivative(f: impl Fn(f64) -> f64, a: f64) -> f64 {
    let h = 1e-3 * a.abs().max(1.0);
    let central = |h: f64| (f(a + h) - f(a - h)) / (2.0 * h);
    (4.0 * central(h / 2.0) - central(h)) / 3.0
}

/// The gradient of `f` at `point`, one coordinate after the other.
pub fn gradient(f: impl Fn(&[f64]) -> f64, point: &[f64]) -> Vec<f64> {
    (0..point.len())
        .map(|i| {
            let along = |a: f64| {
                let mut moved = point.to_vec();
                moved[i] = a;
                f(&moved)
            };
            derivative(along, point[i])
        })
        .collect()
}

/// How far two derivatives are apart, relative to the larger of them and to 1e-3 (below which differences of a mean loss
/// are rounding); infinite where either is NaN.
pub fn relative_error(a: f64, b: f64) -> f64 {
    let error = (a - b).abs() / a.abs().max(b.abs()).max(1e-3);
    if error.is_nan() { f64::INFINITY } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_several_variables() {
        let f = |v: &[f64]| v[0] * v[1].exp() + v[2].powi(3);
        let found = gradient(f, &[2.0, 0.5, -1.0]);
        for (found, exact) in found.iter().zip([0.5f64.exp(), 2.0 * 0.5f64.exp(), 3.0]) {
            assert!(relative_error(*found, exact) < 1e-10, "{found} {exact}");
        }
    }
}
