//! Stochastic gradient descent with momentum.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Memory, Optimizer, Settings, vectors};
use crate::Real;

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
    fn step(&mut self, params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        let Self {
            learning_rate,
            momentum,
            nesterov,
            velocity,
        } = self;
        vectors::for_rows(params, &grad, velocity, |_, w, g, v| {
            let hyper = learning_rate.iter().zip(&*momentum).zip(&*nesterov);
            for (((w, &g), v), ((&rate, &momentum), &nesterov)) in w.iter_mut().zip(g).zip(v).zip(hyper) {
                *v = momentum * *v + g;
                let ahead = g + momentum * *v;
                *w -= rate * (nesterov * ahead + (T::one() - nesterov) * *v);
            }
        });
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
