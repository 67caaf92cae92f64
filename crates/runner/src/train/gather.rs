//! Copies the rows of a batch next to each other.

use std::ops::Range;

use gradsweep_math::Real;
use gradsweep_math::fused::Rows;
use ndarray::ArrayView2;

use super::view::View;

/// Room for the rows of one batch.
#[derive(Debug)]
pub(super) struct Gather<T> {
    x: Vec<T>,
    y: Vec<T>,
    weight: Vec<T>,
}

impl<T: Real> Gather<T> {
    /// Room for `rows` rows of `columns` stored columns.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self {
            x: vec![T::zero(); rows * columns],
            y: vec![T::zero(); rows],
            weight: vec![T::one(); rows],
        }
    }

    /// The rows of a batch, group by group: where they lie when a group's share is one piece, else copied together.
    pub(super) fn batch<'a>(
        &'a mut self,
        view: &'a View<'_, T>,
        shares: impl Iterator<Item = (usize, &'a [Range<u32>])>,
    ) -> Vec<Rows<'a, T>> {
        let columns = view.x.ncols();
        let (mut x, mut y) = (self.x.as_mut_slice(), self.y.as_mut_slice());
        let mut weight = self.weight.as_mut_slice();
        let mut batch = Vec::new();
        for (group, pieces) in shares {
            match pieces {
                [] => {}
                [piece] => batch.push(view.rows(group, piece.start as usize..piece.end as usize)),
                pieces => {
                    let rows: usize = pieces.iter().map(ExactSizeIterator::len).sum();
                    let (own_x, rest_x) = x.split_at_mut(rows * columns);
                    let (own_y, rest_y) = y.split_at_mut(rows);
                    let (own_weight, rest_weight) = weight.split_at_mut(rows);
                    (x, y, weight) = (rest_x, rest_y, rest_weight);
                    let stored = view.x.as_slice().expect("stored rows are row-major");
                    copy(stored, columns, pieces, own_x);
                    copy(view.y, 1, pieces, own_y);
                    if let Some(stored) = &view.weight {
                        copy(stored, 1, pieces, own_weight);
                    }
                    let own_x =
                        ArrayView2::from_shape((rows, columns), &*own_x).expect("the slice has the shape's length");
                    batch.push(Rows {
                        x: own_x,
                        y: own_y,
                        weight: view.weight.as_ref().map(|_| &*own_weight),
                        group,
                    });
                }
            }
        }
        batch
    }
}

/// Copies pieces of rows of `columns` values next to each other.
fn copy<T: Copy>(stored: &[T], columns: usize, pieces: &[Range<u32>], out: &mut [T]) {
    let mut first = 0;
    for piece in pieces {
        let (from, to) = (piece.start as usize * columns, piece.end as usize * columns);
        let last = first + (to - from);
        out[first..last].copy_from_slice(&stored[from..to]);
        first = last;
    }
}
