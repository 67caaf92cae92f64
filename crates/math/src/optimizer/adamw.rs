//! Adam with decoupled weight decay.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::adam::Adam;
use super::{Memory, Optimizer, Settings, vectors};
use crate::Real;
use crate::affine::slice_mut;

/// `w ← (1 − α·λ)·w`, then a step of Adam. The intercept does not decay.
///
/// # Source
/// Loshchilov and Hutter 2019, in the order that PyTorch uses.
#[derive(Debug)]
pub(super) struct AdamW<T> {
    /// 1 − α·λ of each column.
    shrink: Vec<T>,
    weight_decay: Vec<f64>,
    adam: Adam<T>,
}

impl<T: Real> AdamW<T> {
    pub(super) fn new(rows: usize, settings: &[Settings]) -> Self {
        Self {
            shrink: vectors::column(settings, |one| 1.0 - one.learning_rate * one.weight_decay),
            weight_decay: settings.iter().map(|one| one.weight_decay).collect(),
            adam: Adam::new(rows, settings),
        }
    }
}

impl<T: Real> Optimizer<T> for AdamW<T> {
    fn step(&mut self, mut params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        let features = params.nrows() - 1;
        for mut w in params.slice_mut(s![..features, ..]).rows_mut() {
            for (w, &shrink) in slice_mut(&mut w).iter_mut().zip(&self.shrink) {
                *w *= shrink;
            }
        }
        self.adam.step(params, grad);
    }

    fn gain(&self, row: usize, gain: &mut [T]) {
        self.adam.gain(row, gain);
    }

    fn keep(&mut self, columns: &[usize]) {
        vectors::keep(&mut self.shrink, columns);
        vectors::keep(&mut self.weight_decay, columns);
        self.adam.keep(columns);
    }

    fn set_learning_rates(&mut self, rates: &[f64]) {
        self.adam.set_learning_rates(rates);
        let own = self.shrink.iter_mut().zip(&self.weight_decay);
        for ((shrink, decay), rate) in own.zip(rates) {
            *shrink = T::from_f64(1.0 - rate * decay);
        }
    }

    fn memory(&self, column: usize) -> Memory<T> {
        self.adam.memory(column)
    }

    fn recall(&mut self, column: usize, memory: &Memory<T>) {
        self.adam.recall(column, memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn weights_decay_and_the_intercept_does_not() {
        let one = Settings {
            learning_rate: 0.1,
            weight_decay: 0.5,
            ..Settings::default()
        };
        let mut adamw = AdamW::new(2, &[one]);
        let mut w = array![[2.0], [2.0]];
        adamw.step(w.view_mut(), array![[0.0], [0.0]].view());
        assert!((w[[0, 0]] - 1.9f64).abs() < 1e-15);
        assert!((w[[1, 0]] - 2.0f64).abs() < 1e-15);
    }
}
