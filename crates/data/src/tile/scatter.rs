//! Batches of columns to rows of the matrix, in one scan.
//!
//! A batch is first turned into rows in a small buffer (columns are read in order), then each row is copied to its
//! place (a dealt row goes anywhere). Both steps run over disjoint parts in parallel; which thread does what changes no bit.

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::buckets::Buckets;
use super::numbers::{Cells, NumberColumn};
use super::placement::Placement;
use crate::cache::{CacheSpec, PartFile, Values};
use crate::element::Element;
use crate::encode::numeric::{Center, HEAD_ROWS};
use crate::error::DataError;
use crate::fingerprint::ColumnHasher;
use crate::levels::NULL;
use crate::source::table::Table;

/// Rows of the buffer turned at a time: 28 columns of f32 are 7 KB, twice within the first cache.
const TURN_ROWS: usize = 64;
/// Rows of the buffer turned by one task.
const TASK_ROWS: usize = 16 * TURN_ROWS;
/// Parts of the matrix that are filled in parallel.
const SEGMENTS: usize = 64;

/// The matrix with the numeric columns filled in, NaN where missing.
pub(crate) struct Scattered<T> {
    /// (n, stride) row-major; columns past the numeric ones are 0.
    pub(crate) values: Values<T>,
    pub(crate) centers: Vec<Center>,
    pub(crate) hashers: Vec<ColumnHasher>,
}

/// Scans the numeric columns once; the matrix goes to a file if there is a `cache`.
pub(crate) fn scatter<T: Element>(
    table: &Table,
    columns: &mut [NumberColumn],
    placement: &Placement,
    stride: usize,
    cache: Option<&CacheSpec>,
) -> Result<Scattered<T>, DataError> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (rows, width) = (placement.source_row.len(), columns.len());
    let sink = match cache {
        // Each numeric column may get a mark of missing values.
        None => Sink::Memory(Values::in_memory(rows * stride, rows * (stride + width))?),
        Some(CacheSpec { dir, limit_bytes }) => {
            let part = PartFile::create(dir)?;
            Sink::File(Buckets::new::<T>(part, rows, width, stride, *limit_bytes))
        }
    };
    let (segment_rows, segments) = match &sink {
        Sink::Memory(_) => (rows.div_ceil(SEGMENTS).max(1), SEGMENTS),
        Sink::File(buckets) => buckets.shape(),
    };
    let mut out = Scatter {
        table,
        placement,
        stride,
        sink,
        centers: Vec::new(),
        hashers: columns.iter().map(|_| ColumnHasher::new()).collect(),
        head: Vec::new(),
        next_row: 0,
        turned: Vec::new(),
        segment_rows,
        of_segment: vec![Vec::new(); segments],
    };
    if !columns.is_empty() {
        table.for_each_batch(&names, |batch| out.take(&batch, columns))?;
        out.finish_head()?;
    }
    Ok(Scattered {
        values: match out.sink {
            Sink::Memory(values) => values,
            Sink::File(buckets) => Values::File(buckets.finish()?),
        },
        centers: out.centers,
        hashers: out.hashers,
    })
}

/// Where rows go.
enum Sink<T> {
    Memory(Values<T>),
    File(Buckets),
}

struct Scatter<'a, T> {
    table: &'a Table,
    placement: &'a Placement,
    stride: usize,
    sink: Sink<T>,
    /// Empty until the head is complete.
    centers: Vec<Center>,
    hashers: Vec<ColumnHasher>,
    /// Batches waiting for the centers: first row, rows, cells.
    head: Vec<(usize, usize, Vec<Cells>)>,
    next_row: usize,
    turned: Vec<T>,
    /// Stored rows of a segment of the matrix.
    segment_rows: usize,
    /// Rows of the current batch per segment.
    of_segment: Vec<Vec<u32>>,
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
                self.finish_head()?;
            }
            Ok(())
        } else {
            self.place(first, rows, &cells)
        }
    }

    /// Chooses the centers from the first kept rows, then places the batches that waited for them.
    fn finish_head(&mut self) -> Result<(), DataError> {
        let head = std::mem::take(&mut self.head);
        let Some((_, _, first)) = head.first() else {
            return Ok(());
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
            self.place(first, rows, &cells)?;
        }
        Ok(())
    }

    /// Turns columns into rows, then copies each row to its place.
    fn place(&mut self, first: usize, rows: usize, cells: &[Cells]) -> Result<(), DataError> {
        let width = cells.len();
        let positions = &self.placement.position[first..first + rows];
        let Self {
            stride,
            centers,
            turned,
            segment_rows,
            of_segment,
            sink,
            ..
        } = self;
        let (stride, segment_rows) = (*stride, *segment_rows);
        if turned.len() < rows * width {
            turned.resize(rows * width, T::zero());
        }
        let turned = &mut turned[..rows * width];
        rayon::join(
            || turn(cells, centers, turned),
            || {
                of_segment.iter_mut().for_each(Vec::clear);
                // Rows are counted in 32 bits, whose division is the quicker one.
                let segment_rows = segment_rows as u32;
                for (row, &position) in positions.iter().enumerate().filter(|(_, p)| **p != NULL) {
                    of_segment[(position / segment_rows) as usize].push(row as u32);
                }
            },
        );
        let turned = &*turned;
        let values = match sink {
            Sink::File(buckets) => return buckets.add(turned, positions, of_segment),
            Sink::Memory(values) => values,
        };
        let segments = values.par_chunks_mut(segment_rows * stride).zip(of_segment).enumerate();
        segments.for_each(|(segment, (values, own))| {
            for &row in own.iter() {
                let row = row as usize;
                let stored = positions[row] as usize - segment * segment_rows;
                values[stored * stride..][..width].copy_from_slice(&turned[row * width..][..width]);
            }
        });
        Ok(())
    }
}

/// Stored numbers of a batch, row by row.
fn turn<T: Element>(cells: &[Cells], centers: &[Center], turned: &mut [T]) {
    let width = cells.len();
    let tasks = turned.par_chunks_mut(TASK_ROWS * width).enumerate();
    tasks.for_each_init(
        || vec![T::zero(); TURN_ROWS],
        |column, (task, rows)| {
            for (block, rows) in rows.chunks_mut(TURN_ROWS * width).enumerate() {
                let start = task * TASK_ROWS + block * TURN_ROWS;
                let column = &mut column[..rows.len() / width];
                for (j, (cells, center)) in cells.iter().zip(centers).enumerate() {
                    cells.store(start, *center, column);
                    for (row, value) in rows.chunks_exact_mut(width).zip(column.iter()) {
                        row[j] = *value;
                    }
                }
            }
        },
    );
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
