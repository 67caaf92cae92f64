//! RMSprop.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Memory, Optimizer, Settings, vectors};
use crate::Real;

/// `s ← ρ·s + (1−ρ)·g²`, `w ← w − α·g / (√s + ε)`.
///
/// # Source
/// Tieleman and Hinton 2012 (lecture 6.5), with ε outside the root as in PyTorch.
#[derive(Debug)]
pub(super) struct RmsProp<T> {
    learning_rate: Vec<T>,
    rho: Vec<T>,
    epsilon: Vec<T>,
    squares: Array2<T>,
}

impl<T: Real> RmsProp<T> {
    pub(super) fn new(rows: usize, settings: &[Settings]) -> Self {
        Self {
            learning_rate: vectors::column(settings, |one| one.learning_rate),
            rho: vectors::column(settings, |one| one.rho),
            epsilon: vectors::column(settings, |one| one.epsilon),
            squares: Array2::zeros((rows, settings.len())),
        }
    }
}

impl<T: Real> Optimizer<T> for RmsProp<T> {
    fn step(&mut self, params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        let Self {
            learning_rate,
            rho,
            epsilon,
            squares,
        } = self;
        vectors::for_rows(params, &grad, squares, |_, w, g, squares| {
            let hyper = learning_rate.iter().zip(&*rho).zip(&*epsilon);
            for (((w, &g), mean), ((&rate, &rho), &epsilon)) in w.iter_mut().zip(g).zip(squares).zip(hyper) {
                *mean = rho * *mean + (T::one() - rho) * g * g;
                *w -= rate * g / (mean.sqrt() + epsilon);
            }
        });
    }

    fn gain(&self, row: usize, gain: &mut [T]) {
        let hyper = self.learning_rate.iter().zip(&self.epsilon);
        for ((gain, sum), (&rate, &epsilon)) in gain.iter_mut().zip(self.squares.row(row)).zip(hyper) {
            *gain = rate / (sum.sqrt() + epsilon);
        }
    }

    fn keep(&mut self, columns: &[usize]) {
        vectors::keep(&mut self.learning_rate, columns);
        vectors::keep(&mut self.rho, columns);
        vectors::keep(&mut self.epsilon, columns);
        vectors::keep_columns(&mut self.squares, columns);
    }

    fn set_learning_rates(&mut self, rates: &[f64]) {
        vectors::set(&mut self.learning_rate, rates);
    }

    fn memory(&self, column: usize) -> Memory<T> {
        vectors::memory(&[&self.squares], column, &[])
    }

    fn recall(&mut self, column: usize, memory: &Memory<T>) {
        vectors::recall(&mut [&mut self.squares], column, memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn one_step_by_hand() {
        let one = Settings {
            learning_rate: 1.0,
            rho: 0.75,
            epsilon: 0.0,
            ..Settings::default()
        };
        let mut w = array![[0.0]];
        RmsProp::new(1, &[one]).step(w.view_mut(), array![[5.0]].view());
        assert!((w[[0, 0]] + 2.0f64).abs() < 1e-15);
    }
}
