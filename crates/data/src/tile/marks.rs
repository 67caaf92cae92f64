//! 0/1 columns: levels, and missing values; and columns of codes in the place of many levels.

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
    /// Stored column per level, or its code.
    pub(crate) raw: Vec<Option<usize>>,
    /// The stored column of the codes, where there are codes.
    pub(crate) code_column: Option<usize>,
}

/// The code of a row without a stored level: `f32` holds every whole number up to it.
pub(crate) const NO_LEVEL: usize = 1 << 24;

/// Writes 1 where a row has a level, or the level's code. `source` gives the index into `codes` of each stored row.
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
                let raw = column.raw[column.codes[source as usize] as usize];
                match (column.code_column, raw) {
                    (Some(place), code) => row[place] = T::from_f64(code.unwrap_or(NO_LEVEL) as f64),
                    (None, Some(raw)) => row[raw] = T::one(),
                    (None, None) => {}
                }
            }
        }
    });
}

/// Inserts a stored column at `place` per entry of `columns`, 1 where that column is NaN, and makes each NaN 0.
///
/// Rows move to their new places from the last to the first inside the same memory: a second copy of the matrix would
/// double the peak.
pub(crate) fn insert_missing<T: Element>(
    values: &mut Values<T>,
    stride: usize,
    place: usize,
    columns: &[usize],
) -> Result<(), DataError> {
    if columns.is_empty() {
        return Ok(());
    }
    let rows = values.len() / stride;
    let wide = stride + columns.len();
    values.grow(rows * wide)?;
    for row in (0..rows).rev() {
        let first = row * stride;
        values.copy_within(first + place..first + stride, row * wide + place + columns.len());
        values.copy_within(first..first + place, row * wide);
    }
    values.par_chunks_mut(TASK_ROWS * wide).for_each(|values| {
        for row in values.chunks_exact_mut(wide) {
            for (mark, &column) in columns.iter().enumerate() {
                let is_missing = row[column].is_nan();
                row[place + mark] = if is_missing { T::one() } else { T::zero() };
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
    fn missing_marks_are_inserted_in_place() {
        let nan = f64::NAN;
        for (place, expected) in [
            (3, [1.0, 0.0, 3.0, 0.0, 1.0, 0.0, 5.0, 6.0, 1.0, 0.0]),
            (2, [1.0, 0.0, 0.0, 1.0, 3.0, 0.0, 5.0, 1.0, 0.0, 6.0]),
        ] {
            let mut values = Values::in_memory(6, 6).expect("48 bytes");
            values.copy_from_slice(&[1.0, nan, 3.0, nan, 5.0, 6.0]);
            insert_missing(&mut values, 3, place, &[0, 1]).expect("32 bytes more");
            assert_eq!(*values, expected);
        }
    }

    #[test]
    fn codes_stand_in_one_column() {
        let mut values = vec![0.0_f32; 6];
        let marks = LevelMarks {
            codes: &[0, 1, 2],
            raw: vec![Some(7), None, Some(NO_LEVEL - 1)],
            code_column: Some(1),
        };
        write_levels(&mut values, 2, &[2, 0, 1], &[marks]);
        assert_eq!(values, [0.0, 16_777_215.0, 0.0, 7.0, 0.0, 16_777_216.0]);
    }

    #[test]
    fn levels_mark_their_column() {
        let mut values = vec![0.0_f32; 6];
        let marks = LevelMarks {
            codes: &[0, 1, 2],
            raw: vec![Some(1), None, Some(0)],
            code_column: None,
        };
        write_levels(&mut values, 2, &[2, 0, 1], &[marks]);
        assert_eq!(values, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
