//! Stochastic gradient descent with momentum.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Memory, Optimizer, Penalties, Rows, Settings, vectors};
use crate::Real;
use crate::affine::{slice, slice_mut};
use crate::elementwise::LANES;

/// `v ← μ·v + g`, then `w ← w − α·v`, or with Nesterov's form `w ← w − α·(g + μ·v)`.
///
/// # Source
/// Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013 that PyTorch uses.
#[derive(Debug)]
pub(super) struct Sgd<T> {
    learning_rate: Vec<T>,
    momentum: Vec<T>,
    /// 1 where the step looks ahead.
    nesterov: Vec<T>,
    velocity: Array2<T>,
}

impl<T: Real> Sgd<T> {
    pub(super) fn new(rows: usize, settings: &[Settings]) -> Self {
        Self {
            learning_rate: vectors::column(settings, |one| one.learning_rate),
            momentum: vectors::column(settings, |one| one.momentum),
            nesterov: vectors::column(settings, |one| if one.nesterov { 1.0 } else { 0.0 }),
            velocity: Array2::zeros((rows, settings.len())),
        }
    }
}

impl<T: Real> Optimizer<T> for Sgd<T> {
    fn step(&mut self, mut params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        assert!(
            params.dim() == self.velocity.dim(),
            "params {:?} and state {:?} differ",
            params.dim(),
            self.velocity.dim()
        );
        for (row, (mut w, g)) in params.rows_mut().into_iter().zip(grad.rows()).enumerate() {
            self.step_row(row, slice_mut(&mut w), slice(&g));
        }
    }

    fn rows(&mut self) -> Option<&mut dyn Rows<T>> {
        Some(self)
    }

    fn gain(&self, _row: usize, gain: &mut [T]) {
        // A gradient that lasts has grown by the geometric series of the momentum.
        for ((gain, &rate), &momentum) in gain.iter_mut().zip(&self.learning_rate).zip(&self.momentum) {
            *gain = rate / (T::one() - momentum);
        }
    }

    fn keep(&mut self, columns: &[usize]) {
        vectors::keep(&mut self.learning_rate, columns);
        vectors::keep(&mut self.momentum, columns);
        vectors::keep(&mut self.nesterov, columns);
        vectors::keep_columns(&mut self.velocity, columns);
    }

    fn set_learning_rates(&mut self, rates: &[f64]) {
        vectors::set(&mut self.learning_rate, rates);
    }

    fn memory(&self, column: usize) -> Memory<T> {
        vectors::memory(&[&self.velocity], column, &[])
    }

    fn recall(&mut self, column: usize, memory: &Memory<T>) {
        vectors::recall(&mut [&mut self.velocity], column, memory);
    }
}

/// One step of one weight.
#[inline]
fn step<T: Real>(w: &mut T, v: &mut T, g: T, rate: T, momentum: T, nesterov: T) {
    *v = momentum * *v + g;
    let ahead = g + momentum * *v;
    *w -= rate * (nesterov * ahead + (T::one() - nesterov) * *v);
}

impl<T: Real> Rows<T> for Sgd<T> {
    fn step_row(&mut self, row: usize, w: &mut [T], g: &[T]) {
        let Self {
            learning_rate,
            momentum,
            nesterov,
            velocity,
        } = self;
        let mut v = velocity.row_mut(row);
        let hyper = learning_rate.iter().zip(&*momentum).zip(&*nesterov);
        let weights = w.iter_mut().zip(slice_mut(&mut v)).zip(g);
        for (((w, v), &g), ((&rate, &momentum), &nesterov)) in weights.zip(hyper) {
            step(w, v, g, rate, momentum, nesterov);
        }
    }

    fn idle(&mut self, row: usize, w: &mut [T], Penalties { l2, l1 }: Penalties<'_, T>, steps: u64) {
        let mut v = self.velocity.row_mut(row);
        let v = slice_mut(&mut v);
        if w.iter().chain(&*v).all(|value| *value == T::zero()) {
            return;
        }
        let has_lasso = l1.iter().any(|&l1| l1 > T::zero());
        for first in (0..w.len()).step_by(LANES) {
            let [mut own, mut velocity] = [&*w, &*v].map(|values| vectors::lanes(values, first));
            let hyper = [&self.learning_rate[..], &self.momentum, &self.nesterov, l2, l1];
            let [rate, momentum, nesterov, l2, l1] = hyper.map(|values| vectors::lanes(values, first));
            for _ in 0..steps {
                for lane in 0..LANES {
                    let g = l2[lane] * own[lane];
                    step(
                        &mut own[lane],
                        &mut velocity[lane],
                        g,
                        rate[lane],
                        momentum[lane],
                        nesterov[lane],
                    );
                }
                if has_lasso {
                    for lane in 0..LANES {
                        let threshold = rate[lane] / (T::one() - momentum[lane]) * l1[lane];
                        own[lane] -= own[lane].max(-threshold).min(threshold);
                    }
                }
            }
            vectors::put(&own, w, first);
            vectors::put(&velocity, v, first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn two_steps_by_hand() {
        let base = Settings {
            learning_rate: 0.1,
            momentum: 0.5,
            ..Settings::default()
        };
        let mut sgd = Sgd::new(1, &[base, Settings { nesterov: true, ..base }]);
        let mut w = array![[1.0, 1.0]];
        sgd.step(w.view_mut(), array![[2.0, 2.0]].view());
        // v = 2; w = 1 − 0.1·2 and, looking ahead, 1 − 0.1·(2 + 0.5·2).
        assert!((w[[0, 0]] - 0.8f64).abs() < 1e-15 && (w[[0, 1]] - 0.7).abs() < 1e-15);
        sgd.step(w.view_mut(), array![[1.0, 1.0]].view());
        // v = 0.5·2 + 1 = 2; w = 0.8 − 0.2 and 0.7 − 0.1·(1 + 0.5·2).
        assert!((w[[0, 0]] - 0.6).abs() < 1e-15 && (w[[0, 1]] - 0.5).abs() < 1e-15);
    }
}
