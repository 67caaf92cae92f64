//! 0/1 columns: levels, and missing values.

use rayon::prelude::*;

use crate::cache::Values;
use crate::element::Element;
use crate::error::DataError;

/// Stored rows handled by one task.
const TASK_ROWS: usize = 4096;

/// Which stored column, if any, holds a level.
pub(crate) struct LevelMarks<'a> {
    /// Level per row of the files.
    pub(crate) codes: &'a [u32],
    /// Stored column per level.
    pub(crate) raw: Vec<Option<usize>>,
}

/// Writes 1 where a row has a level. `source` gives the index into `codes` of each stored row.
pub(crate) fn write_levels<T: Element>(values: &mut [T], stride: usize, source: &[u32], columns: &[LevelMarks]) {
    if columns.is_empty() {
        return;
    }
    let tasks = values
        .par_chunks_mut(TASK_ROWS * stride)
        .zip(source.par_chunks(TASK_ROWS));
    tasks.for_each(|(values, source)| {
        for (row, &source) in values.chunks_exact_mut(stride).zip(source) {
            for column in columns {
                if let Some(raw) = column.raw[column.codes[source as usize] as usize] {
                    row[raw] = T::one();
                }
            }
        }
    });
}

/// Appends a stored column per entry of `columns`, 1 where that column is NaN, and makes each NaN 0.
///
/// Rows move to their new places from the last to the first inside the same memory: a second copy of the matrix would
/// double the peak.
pub(crate) fn append_missing<T: Element>(
    values: &mut Values<T>,
    stride: usize,
    columns: &[usize],
) -> Result<(), DataError> {
    if columns.is_empty() {
        return Ok(());
    }
    let rows = values.len() / stride;
    let wide = stride + columns.len();
    values.grow(rows * wide)?;
    for row in (0..rows).rev() {
        values.copy_within(row * stride..(row + 1) * stride, row * wide);
    }
    values.par_chunks_mut(TASK_ROWS * wide).for_each(|values| {
        for row in values.chunks_exact_mut(wide) {
            for (mark, &column) in columns.iter().enumerate() {
                let is_missing = row[column].is_nan();
                row[stride + mark] = if is_missing { T::one() } else { T::zero() };
                if is_missing {
                    row[column] = T::zero();
                }
            }
        }
    });
    Ok(())
}

/// Makes every number of a stored column 0.
pub(crate) fn clear<T: Element>(values: &mut [T], stride: usize, column: usize) {
    values
        .iter_mut()
        .skip(column)
        .step_by(stride)
        .for_each(|value| *value = T::zero());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_marks_are_appended_in_place() {
        let nan = f64::NAN;
        let mut values = Values::in_memory(6, 6).expect("48 bytes");
        values.copy_from_slice(&[1.0, nan, 3.0, nan, 5.0, 6.0]);
        append_missing(&mut values, 3, &[0, 1]).expect("32 bytes more");
        assert_eq!(*values, [1.0, 0.0, 3.0, 0.0, 1.0, 0.0, 5.0, 6.0, 1.0, 0.0]);
    }

    #[test]
    fn levels_mark_their_column() {
        let mut values = vec![0.0_f32; 6];
        let marks = LevelMarks {
            codes: &[0, 1, 2],
            raw: vec![Some(1), None, Some(0)],
        };
        write_levels(&mut values, 2, &[2, 0, 1], &[marks]);
        assert_eq!(values, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
