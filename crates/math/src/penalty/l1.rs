//! The lasso penalty `l1·‖w‖₁`.

use crate::Real;

/// The strength on the mean loss that equals scikit-learn's: `l1_ratio/(C·S)`; 0 for infinite C.
pub fn strength(c: f64, l1_ratio: f64, weight_sum: f64) -> f64 {
    l1_ratio / (c * weight_sum)
}

/// The penalty of one run's weights (without intercept), in f64.
pub fn value(strength: f64, weights: impl IntoIterator<Item = f64>) -> f64 {
    strength * weights.into_iter().map(f64::abs).sum::<f64>()
}

/// The minimum of `(w − v)²/2 + threshold·|w|`: v drawn towards 0 by the threshold, and 0 within it.
///
/// # Source
/// Donoho and Johnstone 1994.
pub fn soft_threshold(v: f64, threshold: f64) -> f64 {
    v - v.clamp(-threshold, threshold)
}

/// The distance of 0 from the subgradient of `loss + l1·|w|` in one weight, given the loss's derivative (ridge included).
pub fn subgradient_distance(derivative: f64, w: f64, l1: f64) -> f64 {
    if w == 0.0 {
        let off = derivative.abs() - l1;
        // `max` would turn a NaN into an optimum.
        if off < 0.0 { 0.0 } else { off }
    } else {
        (derivative + l1 * w.signum()).abs()
    }
}

/// The proximal step of many columns: draws weights towards 0 by the gain of a step per unit of `l1`.
///
/// # Shapes
/// All (k), or as many as the shortest has.
pub(crate) fn shrink<T: Real>(w: &mut [T], gain: &[T], l1: &[T]) {
    for ((w, &gain), &l1) in w.iter_mut().zip(gain).zip(l1) {
        let threshold = gain * l1;
        *w -= w.max(-threshold).min(threshold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_minimizes_its_own_objective() {
        for v in [-2.0, -0.3, 0.0, 0.1, 0.7] {
            let at = |w: f64| (w - v).powi(2) / 2.0 + value(0.5, [w]);
            let w = soft_threshold(v, 0.5);
            assert!(
                (-400..=400).all(|i| at(w) <= at(w + f64::from(i) * 0.005) + 1e-15),
                "{v}"
            );
            assert!(subgradient_distance(w - v, w, 0.5) < 1e-15);
        }
        assert_eq!(soft_threshold(0.4, 0.5), 0.0);
        assert_eq!(strength(f64::INFINITY, 1.0, 10.0), 0.0);
        assert_eq!(strength(0.5, 0.5, 10.0), 0.1);
    }
}
