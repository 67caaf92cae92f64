//! Gradient descent.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Memory, Optimizer, Penalties, Rows, Settings, vectors};
use crate::Real;
use crate::affine::{slice, slice_mut};
use crate::elementwise::LANES;

/// Plain steps along the negative gradient: `w ← w − α·g`.
///
/// # Source
/// Cauchy 1847; the course's `w −= α·dw`.
#[derive(Debug)]
pub(super) struct Gd<T> {
    learning_rate: Vec<T>,
}

impl<T: Real> Gd<T> {
    pub(super) fn new(_rows: usize, settings: &[Settings]) -> Self {
        Self {
            learning_rate: vectors::column(settings, |one| one.learning_rate),
        }
    }
}

impl<T: Real> Optimizer<T> for Gd<T> {
    fn step(&mut self, mut params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>) {
        for (row, (mut w, g)) in params.rows_mut().into_iter().zip(grad.rows()).enumerate() {
            self.step_row(row, slice_mut(&mut w), slice(&g));
        }
    }

    fn rows(&mut self) -> Option<&mut dyn Rows<T>> {
        Some(self)
    }

    fn gain(&self, _row: usize, gain: &mut [T]) {
        gain.copy_from_slice(&self.learning_rate);
    }

    fn keep(&mut self, columns: &[usize]) {
        vectors::keep(&mut self.learning_rate, columns);
    }

    fn set_learning_rates(&mut self, rates: &[f64]) {
        vectors::set(&mut self.learning_rate, rates);
    }

    fn memory(&self, column: usize) -> Memory<T> {
        vectors::memory(&[], column, &[])
    }

    fn recall(&mut self, column: usize, memory: &Memory<T>) {
        vectors::recall(&mut [], column, memory);
    }
}

impl<T: Real> Rows<T> for Gd<T> {
    fn step_row(&mut self, _row: usize, w: &mut [T], g: &[T]) {
        for ((w, &g), &rate) in w.iter_mut().zip(g).zip(&self.learning_rate) {
            *w -= rate * g;
        }
    }

    fn idle(&mut self, _row: usize, w: &mut [T], Penalties { l2, l1 }: Penalties<'_, T>, steps: u64) {
        if w.iter().all(|w| *w == T::zero()) {
            return;
        }
        let has_lasso = l1.iter().any(|&l1| l1 > T::zero());
        for first in (0..w.len()).step_by(LANES) {
            let mut own = vectors::lanes(w, first);
            let [rate, l2, l1] = [&self.learning_rate, l2, l1].map(|values| vectors::lanes(values, first));
            for _ in 0..steps {
                for lane in 0..LANES {
                    own[lane] -= rate[lane] * (l2[lane] * own[lane]);
                }
                if has_lasso {
                    for lane in 0..LANES {
                        let threshold = rate[lane] * l1[lane];
                        own[lane] -= own[lane].max(-threshold).min(threshold);
                    }
                }
            }
            vectors::put(&own, w, first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn one_step_is_the_rate_times_the_gradient() {
        let settings = [0.5, 2.0].map(|learning_rate| Settings {
            learning_rate,
            ..Settings::default()
        });
        let mut w = array![[1.0, 1.0], [0.0, 0.0]];
        Gd::new(2, &settings).step(w.view_mut(), array![[1.0, 1.0], [-2.0, 3.0]].view());
        assert_eq!(w, array![[0.5, -1.0], [1.0, -6.0]]);
    }
}
