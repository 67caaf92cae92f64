//! The ridge penalty `(l2/2)·‖w‖²`.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Real;
use crate::affine::{slice, slice_mut};

/// The strength on the mean loss that equals scikit-learn's `C` on the summed loss: `l2 = (1 − l1_ratio)/(C·S)`; 0 for
/// infinite C.
pub fn strength(c: f64, l1_ratio: f64, weight_sum: f64) -> f64 {
    (1.0 - l1_ratio) / (c * weight_sum)
}

/// Adds the penalty's gradient `l2_j·w_j` to every column's gradient.
///
/// # Shapes
/// `params`, `grad` (P + 1, k), the last row the intercepts; `strengths` (k).
pub fn add_gradient<T: Real>(strengths: &[T], params: &ArrayView2<'_, T>, grad: &mut ArrayViewMut2<'_, T>) {
    let features = params.nrows() - 1;
    for (w, mut g) in params.rows().into_iter().zip(grad.rows_mut()).take(features) {
        for ((g, &w), &l2) in slice_mut(&mut g).iter_mut().zip(slice(&w)).zip(strengths) {
            *g += l2 * w;
        }
    }
}

/// The penalty of one run's weights (without intercept), in f64.
pub fn value(strength: f64, weights: impl IntoIterator<Item = f64>) -> f64 {
    strength / 2.0 * weights.into_iter().map(|w| w * w).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finite_difference::derivative;
    use ndarray::{Array2, array};

    #[test]
    fn the_gradient_is_the_derivative_and_spares_the_intercept() {
        let params = array![[2.0], [-3.0], [5.0]];
        let mut grad = Array2::zeros((3, 1));
        add_gradient(&[0.25], &params.view(), &mut grad.view_mut());
        for i in 0..2 {
            let slope = derivative(|w| value(0.25, [w, params[[1 - i, 0]]]), params[[i, 0]]);
            assert!((grad[[i, 0]] - slope).abs() < 1e-8);
        }
        assert_eq!(grad[[2, 0]], 0.0);
    }

    #[test]
    fn infinite_c_is_no_penalty() {
        assert_eq!(strength(f64::INFINITY, 0.0, 100.0), 0.0);
        assert_eq!(strength(0.5, 0.0, 10.0), 0.2);
        assert_eq!(strength(0.5, 0.25, 10.0), 0.15);
    }
}
