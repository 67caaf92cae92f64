//! Batches of columns to rows of the matrix, in one scan.
//!
//! A batch is first turned into rows in a small buffer (columns are read in order), then each row is copied to its
//! place (a dealt row goes anywhere). Both steps run over disjoint parts in parallel; which thread does what changes no bit.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::numbers::{Cells, NumberColumn};
use super::placement::Placement;
use crate::element::Element;
use crate::encode::numeric::{Center, HEAD_ROWS};
use crate::error::DataError;
use crate::fingerprint::ColumnHasher;
use crate::levels::NULL;
use crate::source::table::Table;

/// Rows of the buffer turned by one task: 28 columns of f32 are 28 KB, within the first cache.
const TURN_ROWS: usize = 256;
/// Parts of the matrix that are filled in parallel.
const SEGMENTS: usize = 64;

/// The matrix with the numeric columns filled in, NaN where missing.
pub(crate) struct Scattered<T> {
    /// (n, stride) row-major; columns past the numeric ones are 0.
    pub(crate) values: Vec<T>,
    pub(crate) centers: Vec<Center>,
    pub(crate) hashers: Vec<ColumnHasher>,
}

/// Scans the numeric columns once.
pub(crate) fn scatter<T: Element>(
    table: &Table,
    columns: &mut [NumberColumn],
    placement: &Placement,
    stride: usize,
) -> Result<Scattered<T>, DataError> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut out = Scatter {
        table,
        placement,
        stride,
        values: vec![T::zero(); placement.source_row.len() * stride],
        centers: Vec::new(),
        hashers: columns.iter().map(|_| ColumnHasher::new()).collect(),
        head: Vec::new(),
        next_row: 0,
        turned: Vec::new(),
        buckets: vec![Vec::new(); SEGMENTS],
    };
    if !columns.is_empty() {
        table.for_each_batch(&names, |batch| out.take(&batch, columns))?;
        out.finish_head();
    }
    Ok(Scattered {
        values: out.values,
        centers: out.centers,
        hashers: out.hashers,
    })
}

struct Scatter<'a, T> {
    table: &'a Table,
    placement: &'a Placement,
    stride: usize,
    values: Vec<T>,
    /// Empty until the head is complete.
    centers: Vec<Center>,
    hashers: Vec<ColumnHasher>,
    /// Batches waiting for the centers: first row, rows, cells.
    head: Vec<(usize, usize, Vec<Cells>)>,
    next_row: usize,
    turned: Vec<T>,
    /// Rows of the current batch per segment.
    buckets: Vec<Vec<u32>>,
}

impl<T: Element> Scatter<'_, T> {
    fn take(&mut self, batch: &DataFrame, columns: &mut [NumberColumn]) -> Result<(), DataError> {
        let (first, rows) = (self.next_row, batch.height());
        self.next_row += rows;
        let table = self.table;
        let positions = &self.placement.position[first..first + rows];
        let dropped = positions.contains(&NULL).then_some(positions);
        let cells: Vec<Cells> = columns
            .par_iter_mut()
            .zip(&mut self.hashers)
            .map(|(column, hasher)| {
                let batch = batch.column(&column.name).map_err(|e| table.unreadable(e))?;
                let cells = Cells::read(column, batch, first, table)?;
                hasher.update(&cells, rows, dropped);
                Ok(cells)
            })
            .collect::<Result<_, DataError>>()?;
        if self.centers.is_empty() {
            self.head.push((first, rows, cells));
            let kept = self.placement.position[..self.next_row].iter().filter(|p| **p != NULL);
            if kept.take(HEAD_ROWS).count() == HEAD_ROWS {
                self.finish_head();
            }
        } else {
            self.place(first, rows, &cells);
        }
        Ok(())
    }

    /// Chooses the centers from the first kept rows, then places the batches that waited for them.
    fn finish_head(&mut self) {
        let head = std::mem::take(&mut self.head);
        let Some((_, _, first)) = head.first() else {
            return;
        };
        let position = &self.placement.position;
        self.centers = (0..first.len())
            .into_par_iter()
            .map(|j| {
                let mut values = Vec::with_capacity(HEAD_ROWS);
                for (first, rows, cells) in &head {
                    // Enough rows for the head even if each of them is kept.
                    let all = cells[j].to_vec(*rows);
                    let kept = all.iter().zip(&position[*first..]).filter(|(_, p)| **p != NULL);
                    let wanted = HEAD_ROWS - values.len();
                    values.extend(kept.map(|(value, _)| *value).take(wanted));
                }
                Center::of(values.iter().copied())
            })
            .collect();
        for (first, rows, cells) in head {
            self.place(first, rows, &cells);
        }
    }

    /// Turns columns into rows, then copies each row to its place.
    fn place(&mut self, first: usize, rows: usize, cells: &[Cells]) {
        let width = cells.len();
        let (stride, centers) = (self.stride, &self.centers);
        if self.turned.len() < rows * width {
            self.turned.resize(rows * width, T::zero());
        }
        let turned = &mut self.turned[..rows * width];
        turned
            .par_chunks_mut(TURN_ROWS * width)
            .enumerate()
            .for_each(|(task, out)| {
                let start = task * TURN_ROWS;
                let end = start + out.len() / width;
                for (j, (cells, center)) in cells.iter().zip(centers).enumerate() {
                    cells.store(start..end, *center, out, width, j);
                }
            });
        let total = self.placement.source_row.len();
        let segment_rows = total.div_ceil(SEGMENTS).max(1);
        let positions = &self.placement.position[first..first + rows];
        self.buckets.iter_mut().for_each(Vec::clear);
        for (row, &position) in positions.iter().enumerate().filter(|(_, p)| **p != NULL) {
            self.buckets[position as usize / segment_rows].push(row as u32);
        }
        let turned = &self.turned;
        let segments = self
            .values
            .par_chunks_mut(segment_rows * stride)
            .zip(&self.buckets)
            .enumerate();
        segments.for_each(|(segment, (values, bucket))| {
            for &row in bucket {
                let row = row as usize;
                let stored = positions[row] as usize - segment * segment_rows;
                values[stored * stride..][..width].copy_from_slice(&turned[row * width..][..width]);
            }
        });
    }
}

/// All values of one column in file order, NaN where missing: for the rare column whose first rows are unlike the rest.
pub(crate) fn read_column(table: &Table, column: &NumberColumn) -> Result<Vec<f64>, DataError> {
    let mut column = column.clone();
    let name = column.name.clone();
    let mut values = Vec::with_capacity(table.rows);
    table.for_each_batch(&[&name], |batch| {
        let cells = batch.column(&name).map_err(|e| table.unreadable(e))?;
        let cells = Cells::read(&mut column, cells, values.len(), table)?;
        values.extend(cells.to_vec(batch.height()));
        Ok(())
    })?;
    Ok(values)
}

/// Stores one column again, with another center.
pub(crate) fn store_column<T: Element>(
    values: &mut [T],
    stride: usize,
    column: usize,
    source: &[f64],
    source_row: &[u32],
    center: Center,
) {
    values
        .par_chunks_mut(stride)
        .zip(source_row)
        .with_min_len(4096)
        .for_each(|(row, &from)| {
            row[column] = T::from_f64(center.store(source[from as usize]));
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_can_be_stored_again() {
        let mut values = vec![0.0_f64; 4];
        let center = Center {
            center: 1.0,
            scale: 2.0,
        };
        store_column(&mut values, 2, 1, &[3.0, 5.0], &[1, 0], center);
        assert_eq!(values, [0.0, 2.0, 0.0, 1.0]);
    }
}
