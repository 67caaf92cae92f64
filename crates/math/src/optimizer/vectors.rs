//! Hyperparameters as vectors over columns, and the walk over a matrix row by row.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, aview1};

use super::{Memory, Settings};
use crate::Real;
use crate::affine::{slice, slice_mut};
use crate::elementwise::LANES;

/// One hyperparameter of every column, as the kernels' element type.
pub(super) fn column<T: Real>(settings: &[Settings], value: impl Fn(&Settings) -> f64) -> Vec<T> {
    settings.iter().map(|one| T::from_f64(value(one))).collect()
}

/// Gives every column another value of a hyperparameter.
pub(super) fn set<T: Real>(values: &mut [T], of_columns: &[f64]) {
    for (value, &of_column) in values.iter_mut().zip(of_columns) {
        *value = T::from_f64(of_column);
    }
}

/// Keeps the given entries of a vector over columns.
pub(super) fn keep<V: Copy>(values: &mut Vec<V>, columns: &[usize]) {
    *values = columns.iter().map(|&column| values[column]).collect();
}

/// Keeps the given columns of a state matrix.
pub(super) fn keep_columns<T: Real>(state: &mut Array2<T>, columns: &[usize]) {
    *state = state.select(Axis(1), columns).as_standard_layout().into_owned();
}

/// The memory of a column: its entries of some state matrices, and powers.
pub(super) fn memory<T: Real>(states: &[&Array2<T>], column: usize, powers: &[f64]) -> Memory<T> {
    Memory {
        moments: states.iter().map(|state| state.column(column).to_vec()).collect(),
        powers: powers.to_vec(),
    }
}

/// Puts a column's moments back into its state matrices.
pub(super) fn recall<T: Real>(states: &mut [&mut Array2<T>], column: usize, memory: &Memory<T>) {
    assert!(
        states.len() == memory.moments.len(),
        "{} moments for an optimizer of {}",
        memory.moments.len(),
        states.len()
    );
    for (state, moment) in states.iter_mut().zip(&memory.moments) {
        assert!(
            state.nrows() == moment.len(),
            "{} parameters in a memory of {}",
            state.nrows(),
            moment.len()
        );
        state.column_mut(column).assign(&aview1(moment));
    }
}

/// A register of neighboring numbers from `first` on, zeros past the last: loops over it stay in registers.
#[inline]
pub(super) fn lanes<T: Real>(values: &[T], first: usize) -> [T; LANES] {
    let mut lanes = [T::zero(); LANES];
    let own = &values[first..values.len().min(first + LANES)];
    lanes[..own.len()].copy_from_slice(own);
    lanes
}

/// Puts a register back where [`lanes`] took it from.
#[inline]
pub(super) fn put<T: Real>(lanes: &[T; LANES], values: &mut [T], first: usize) {
    let last = values.len().min(first + LANES);
    values[first..last].copy_from_slice(&lanes[..last - first]);
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
