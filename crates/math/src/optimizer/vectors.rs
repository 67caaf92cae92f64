//! Hyperparameters as vectors over columns, and the walk over a matrix row by row.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use super::Settings;
use crate::Real;
use crate::affine::{slice, slice_mut};

/// One hyperparameter of every column, as the kernels' element type.
pub(super) fn column<T: Real>(settings: &[Settings], value: impl Fn(&Settings) -> f64) -> Vec<T> {
    settings.iter().map(|one| T::from_f64(value(one))).collect()
}

/// Keeps the given entries of a vector over columns.
pub(super) fn keep<V: Copy>(values: &mut Vec<V>, columns: &[usize]) {
    *values = columns.iter().map(|&column| values[column]).collect();
}

/// Keeps the given columns of a state matrix.
pub(super) fn keep_columns<T: Real>(state: &mut Array2<T>, columns: &[usize]) {
    *state = state.select(Axis(1), columns).as_standard_layout().into_owned();
}

/// Calls `update` with each row of parameters, gradient and state as slices over columns.
pub(super) fn for_rows<T: Real>(
    mut params: ArrayViewMut2<'_, T>,
    grad: &ArrayView2<'_, T>,
    state: &mut Array2<T>,
    mut update: impl FnMut(usize, &mut [T], &[T], &mut [T]),
) {
    assert!(
        params.dim() == state.dim(),
        "params {:?} and state {:?} differ",
        params.dim(),
        state.dim()
    );
    for (i, ((mut w, g), mut s)) in params
        .rows_mut()
        .into_iter()
        .zip(grad.rows())
        .zip(state.rows_mut())
        .enumerate()
    {
        update(i, slice_mut(&mut w), slice(&g), slice_mut(&mut s));
    }
}
