//! Adam.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Memory, Optimizer, Settings, vectors};
use crate::Real;

/// First and second moments with bias correction:
/// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`, `w ← w − α·m̂ / (√v̂ + ε)` with `m̂ = m/(1−β₁ᵗ)`, `v̂ = v/(1−β₂ᵗ)`.
///
/// # Numerical notes
/// The powers βᵗ are kept in f64 per column, so columns of different age can share a block.
///
/// # Source
/// Kingma and Ba 2015, in the order of operations that PyTorch uses.
#[derive(Debug)]
pub(super) struct Adam<T> {
    settings: Vec<Settings>,
    beta1: Vec<T>,
    beta2: Vec<T>,
    epsilon: Vec<T>,
    /// (β₁ᵗ, β₂ᵗ) of each column.
    powers: Vec<(f64, f64)>,
    /// α / (1 − β₁ᵗ) of each column, for the step at hand.
    rate: Vec<T>,
    /// 1 / √(1 − β₂ᵗ) of each column, for the step at hand.
    correction: Vec<T>,
    first: Array2<T>,
    second: Array2<T>,
}

impl<T: Real> Adam<T> {
    pub(super) fn new(rows: usize, settings: &[Settings]) -> Self {
        let k = settings.len();
        Self {
            settings: settings.to_vec(),
            beta1: vectors::column(settings, |one| one.beta1),
            beta2: vectors::column(settings, |one| one.beta2),
            epsilon: vectors::column(settings, |one| one.epsilon),
            powers: vec![(1.0, 1.0); k],
            rate: vec![T::zero(); k],
            correction: vec![T::zero(); k],
            first: Array2::zeros((rows, k)),
            second: Array2::zeros((rows, k)),
        }
    }

    fn advance_powers(&mut self) {
        let outputs = self.rate.iter_mut().zip(&mut self.correction);
        for ((one, powers), (rate, correction)) in self.settings.iter().zip(&mut self.powers).zip(outputs) {
            powers.0 *= one.beta1;
            powers.1 *= one.beta2;
            *rate = T::from_f64(one.learning_rate / (1.0 - powers.0));
            *correction = T::from_f64(1.0 / (1.0 - powers.1).sqrt());
        }
    }
}

impl<T: Real> Optimizer<T> for Adam<T> {
    fn step(&mut self, params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        self.advance_powers();
        let Self {
            beta1,
            beta2,
            epsilon,
            rate,
            correction,
            first,
            second,
            ..
        } = self;
        let mut second = second.rows_mut().into_iter();
        vectors::for_rows(params, &grad, first, |_, w, g, m| {
            let mut second = second.next().expect("as many rows as the first moment");
            let v = crate::affine::slice_mut(&mut second);
            let moments = m.iter_mut().zip(v).zip(beta1.iter().zip(&*beta2));
            let hyper = rate.iter().zip(&*correction).zip(&*epsilon);
            for (((w, &g), ((m, v), (&beta1, &beta2))), ((&rate, &correction), &epsilon)) in
                w.iter_mut().zip(g).zip(moments).zip(hyper)
            {
                *m = beta1 * *m + (T::one() - beta1) * g;
                *v = beta2 * *v + (T::one() - beta2) * g * g;
                *w -= rate * *m / (v.sqrt() * correction + epsilon);
            }
        });
    }

    fn gain(&self, row: usize, gain: &mut [T]) {
        let hyper = self.settings.iter().zip(&self.correction).zip(&self.epsilon);
        for ((gain, v), ((one, &correction), &epsilon)) in gain.iter_mut().zip(self.second.row(row)).zip(hyper) {
            *gain = T::from_f64(one.learning_rate) / (v.sqrt() * correction + epsilon);
        }
    }

    fn keep(&mut self, columns: &[usize]) {
        vectors::keep(&mut self.settings, columns);
        vectors::keep(&mut self.beta1, columns);
        vectors::keep(&mut self.beta2, columns);
        vectors::keep(&mut self.epsilon, columns);
        vectors::keep(&mut self.powers, columns);
        vectors::keep(&mut self.rate, columns);
        vectors::keep(&mut self.correction, columns);
        vectors::keep_columns(&mut self.first, columns);
        vectors::keep_columns(&mut self.second, columns);
    }

    fn set_learning_rates(&mut self, rates: &[f64]) {
        for (settings, &rate) in self.settings.iter_mut().zip(rates) {
            settings.learning_rate = rate;
        }
    }

    fn memory(&self, column: usize) -> Memory<T> {
        let (beta1, beta2) = self.powers[column];
        vectors::memory(&[&self.first, &self.second], column, &[beta1, beta2])
    }

    fn recall(&mut self, column: usize, memory: &Memory<T>) {
        vectors::recall(&mut [&mut self.first, &mut self.second], column, memory);
        self.powers[column] = (memory.powers[0], memory.powers[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_first_step_is_the_rate_against_the_sign() {
        let mut adam = Adam::new(
            2,
            &[Settings {
                learning_rate: 0.1,
                epsilon: 0.0,
                ..Settings::default()
            }],
        );
        let mut w = array![[1.0], [1.0]];
        adam.step(w.view_mut(), array![[4.0], [-0.001]].view());
        assert!((w[[0, 0]] - 0.9f64).abs() < 1e-12 && (w[[1, 0]] - 1.1).abs() < 1e-12);
    }

    #[test]
    fn two_steps_by_hand() {
        let one = Settings {
            learning_rate: 0.1,
            beta1: 0.5,
            beta2: 0.5,
            epsilon: 0.0,
            ..Settings::default()
        };
        let mut adam = Adam::new(1, &[one]);
        let mut w = array![[0.0]];
        adam.step(w.view_mut(), array![[1.0]].view());
        adam.step(w.view_mut(), array![[3.0]].view());
        // m = 0.5·0.5 + 0.5·3 = 1.75, m̂ = 1.75/0.75; v = 0.5·0.5 + 0.5·9 = 4.75, v̂ = 4.75/0.75.
        let expected = -0.1 - 0.1 * (1.75 / 0.75) / (4.75f64 / 0.75).sqrt();
        assert!((w[[0, 0]] - expected).abs() < 1e-14);
    }
}
