//! Adagrad.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Memory, Optimizer, Settings, vectors};
use crate::Real;

/// `s ← s + g²`, `w ← w − α·g / (√s + ε)`.
///
/// # Source
/// Duchi, Hazan and Singer 2011.
#[derive(Debug)]
pub(super) struct Adagrad<T> {
    learning_rate: Vec<T>,
    epsilon: Vec<T>,
    squares: Array2<T>,
}

impl<T: Real> Adagrad<T> {
    pub(super) fn new(rows: usize, settings: &[Settings]) -> Self {
        Self {
            learning_rate: vectors::column(settings, |one| one.learning_rate),
            epsilon: vectors::column(settings, |one| one.epsilon),
            squares: Array2::zeros((rows, settings.len())),
        }
    }
}

impl<T: Real> Optimizer<T> for Adagrad<T> {
    fn step(&mut self, params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        let Self {
            learning_rate,
            epsilon,
            squares,
        } = self;
        vectors::for_rows(params, &grad, squares, |_, w, g, squares| {
            let hyper = learning_rate.iter().zip(&*epsilon);
            for (((w, &g), sum), (&rate, &epsilon)) in w.iter_mut().zip(g).zip(squares).zip(hyper) {
                *sum += g * g;
                *w -= rate * g / (sum.sqrt() + epsilon);
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
    fn two_steps_by_hand() {
        let one = Settings {
            learning_rate: 1.0,
            epsilon: 0.0,
            ..Settings::default()
        };
        let mut adagrad = Adagrad::new(1, &[one]);
        let mut w = array![[0.0]];
        adagrad.step(w.view_mut(), array![[3.0]].view());
        assert!((w[[0, 0]] + 1.0f64).abs() < 1e-15);
        adagrad.step(w.view_mut(), array![[4.0]].view());
        assert!((w[[0, 0]] + 1.8).abs() < 1e-15);
    }
}
