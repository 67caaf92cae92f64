//! The finished matrix, wherever its numbers are.

use std::fmt;
use std::sync::Arc;

use memmap2::{Mmap, MmapMut};
use ndarray::iter::Iter;
use ndarray::{ArrayView1, ArrayView2, Axis, Ix2};

use super::values::MemoryValues;
use crate::element::Element;

/// Stored columns (n, D), row-major: in memory, or in a memory-mapped file of the cache. The numbers are the same.
#[derive(Clone)]
pub struct Stored<T> {
    place: Place,
    rows: usize,
    columns: usize,
    cast: fn(&[u8]) -> &[T],
}

#[derive(Clone)]
enum Place {
    Memory(Arc<MmapMut>),
    File(Arc<Mmap>),
}

impl<T: Element> Stored<T> {
    pub(crate) fn in_memory(values: MemoryValues<T>, rows: usize, columns: usize) -> Self {
        Self::new(Place::Memory(Arc::new(values.into_map())), rows, columns)
    }

    pub(super) fn in_file(map: Mmap, rows: usize, columns: usize) -> Self {
        Self::new(Place::File(Arc::new(map)), rows, columns)
    }

    fn new(place: Place, rows: usize, columns: usize) -> Self {
        Self {
            place,
            rows,
            columns,
            cast: bytemuck::cast_slice,
        }
    }
}

impl<T> Stored<T> {
    /// All numbers, row by row.
    pub fn as_slice(&self) -> &[T] {
        let bytes = match &self.place {
            Place::Memory(map) => &map[..],
            Place::File(map) => &map[..],
        };
        (self.cast)(&bytes[..self.bytes()])
    }

    /// The matrix.
    pub fn view(&self) -> ArrayView2<'_, T> {
        ArrayView2::from_shape(self.dim(), self.as_slice())
            .unwrap_or_else(|error| unreachable!("rows x columns numbers: {error}"))
    }

    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Rows.
    pub fn nrows(&self) -> usize {
        self.rows
    }

    /// Stored columns.
    pub fn ncols(&self) -> usize {
        self.columns
    }

    /// Bytes of all numbers.
    pub fn bytes(&self) -> usize {
        self.rows * self.columns * size_of::<T>()
    }

    /// One row.
    pub fn row(&self, row: usize) -> ArrayView1<'_, T> {
        self.view().index_axis_move(Axis(0), row)
    }

    /// One stored column.
    pub fn column(&self, column: usize) -> ArrayView1<'_, T> {
        self.view().index_axis_move(Axis(1), column)
    }

    /// Every number, row by row.
    pub fn iter(&self) -> Iter<'_, T, Ix2> {
        self.view().into_iter()
    }

    /// Whether the numbers are in a file of the cache instead of memory.
    pub fn is_in_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }
}

impl<'a, T> IntoIterator for &'a Stored<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T, Ix2>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> std::ops::Index<[usize; 2]> for Stored<T> {
    type Output = T;

    fn index(&self, [row, column]: [usize; 2]) -> &T {
        assert!(column < self.columns, "column {column} of {}", self.columns);
        &self.as_slice()[row * self.columns + column]
    }
}

impl<T: PartialEq> PartialEq for Stored<T> {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

impl<T: fmt::Debug> fmt::Debug for Stored<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.is_in_file() { "file" } else { "memory" };
        f.debug_struct("Stored")
            .field("place", &place)
            .field("x", &self.view())
            .finish()
    }
}
