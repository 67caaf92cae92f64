//! Cells of a batch as numbers, NaN where missing.

use std::borrow::Cow;

use polars::prelude::{ChunkedArray, Column, DataType, Float32Type, Float64Type, PolarsError, Series};

use crate::encode::numeric::Center;
use crate::error::DataError;
use crate::roles::FeatureKind;
use crate::source::table::Table;

/// A numeric column to read.
#[derive(Debug, Clone)]
pub(crate) struct NumberColumn {
    pub(crate) name: String,
    pub(crate) kind: FeatureKind,
    /// First row whose integer `f64` cannot hold.
    pub(crate) wide_integer: Option<usize>,
}

/// The cells of one column of a batch: contiguous values, and the rows that are null.
#[derive(Debug)]
pub(crate) struct Cells {
    values: Values,
    nulls: Vec<usize>,
}

#[derive(Debug)]
enum Values {
    Single(ChunkedArray<Float32Type>),
    Double(ChunkedArray<Float64Type>),
}

impl Cells {
    /// Reads a batch whose first row is `first_row` of the table.
    pub(crate) fn read(
        column: &mut NumberColumn,
        batch: &Column,
        first_row: usize,
        table: &Table,
    ) -> Result<Self, DataError> {
        let series = batch.as_materialized_series().rechunk();
        if column.kind == FeatureKind::TextNumber {
            return parse(column, &series, first_row, table);
        }
        if column.wide_integer.is_none() {
            let wide = first_wide(&series).map_err(|e| table.unreadable(e))?;
            column.wide_integer = wide.map(|row| first_row + row);
        }
        Self::from_series(&series).map_err(|e| table.unreadable(e))
    }

    fn from_series(series: &Series) -> Result<Self, PolarsError> {
        let nulls = if series.null_count() == 0 {
            Vec::new()
        } else {
            let is_null = series.is_null();
            is_null
                .iter()
                .enumerate()
                .filter(|(_, null)| *null == Some(true))
                .map(|(row, _)| row)
                .collect()
        };
        // A text column without a text has no numbers to cast.
        if nulls.len() == series.len() && series.dtype() != &DataType::Float32 {
            return Ok(Self {
                values: Values::Double(ChunkedArray::from_vec("".into(), vec![f64::NAN; nulls.len()])),
                nulls,
            });
        }
        let values = match series.dtype() {
            DataType::Float32 => Values::Single(series.f32()?.clone()),
            DataType::Float64 => Values::Double(series.f64()?.clone()),
            _ => Values::Double(series.cast(&DataType::Float64)?.rechunk().f64()?.clone()),
        };
        Ok(Self { values, nulls })
    }

    /// Calls `put` with index and value of each row of a range.
    #[inline]
    pub(crate) fn for_each(&self, rows: std::ops::Range<usize>, mut put: impl FnMut(usize, f64)) {
        let first = rows.start;
        match &self.values {
            Values::Single(values) => {
                let Some(array) = values.downcast_iter().next() else {
                    return;
                };
                for (i, v) in array.values().as_slice()[rows.clone()].iter().enumerate() {
                    put(i, f64::from(*v));
                }
            }
            Values::Double(values) => {
                let Some(array) = values.downcast_iter().next() else {
                    return;
                };
                for (i, v) in array.values().as_slice()[rows.clone()].iter().enumerate() {
                    put(i, *v);
                }
            }
        }
        let from = self.nulls.partition_point(|row| *row < rows.start);
        for row in self.nulls[from..].iter().take_while(|row| **row < rows.end) {
            put(row - first, f64::NAN);
        }
    }

    /// The values as they are in the file, NaN where null, when they are f32.
    pub(crate) fn singles(&self) -> Option<Cow<'_, [f32]>> {
        let Values::Single(values) = &self.values else {
            return None;
        };
        let values = values.downcast_iter().next()?.values().as_slice();
        if self.nulls.is_empty() {
            return Some(Cow::Borrowed(values));
        }
        let mut values = values.to_vec();
        self.nulls.iter().for_each(|row| values[*row] = f32::NAN);
        Some(Cow::Owned(values))
    }

    /// The value of every row.
    pub(crate) fn to_vec(&self, rows: usize) -> Vec<f64> {
        let mut all = vec![0.0; rows];
        self.for_each(0..rows, |row, value| all[row] = value);
        all
    }

    /// Writes the stored numbers of the rows from `first` on.
    pub(crate) fn store<T: crate::Element>(&self, first: usize, center: Center, out: &mut [T]) {
        let rows = first..first + out.len();
        let singles = match &self.values {
            Values::Single(values) if self.nulls.is_empty() => values.downcast_iter().next(),
            _ => None,
        };
        if let Some(singles) = singles {
            let singles = &singles.values().as_slice()[rows];
            T::store_singles(singles, center.center, 1.0 / center.scale, out);
        } else {
            self.for_each(rows, |row, value| out[row] = T::from_f64(center.store(value)));
        }
    }
}

/// The first integer beyond 2^53 that `f64` cannot hold.
fn first_wide(series: &Series) -> Result<Option<usize>, PolarsError> {
    const EXACT: u64 = 1 << 53;
    Ok(match series.dtype() {
        DataType::Int64 => series
            .i64()?
            .iter()
            .position(|v| v.is_some_and(|v| v.unsigned_abs() > EXACT && v as f64 as i128 != i128::from(v))),
        DataType::UInt64 => series
            .u64()?
            .iter()
            .position(|v| v.is_some_and(|v| v > EXACT && v as f64 as u128 != u128::from(v))),
        _ => None,
    })
}

/// Text of a column that `[data] types` declares numeric.
fn parse(column: &mut NumberColumn, series: &Series, first_row: usize, table: &Table) -> Result<Cells, DataError> {
    let series = series.cast(&DataType::String).map_err(|e| table.unreadable(e))?;
    let texts = series.str().map_err(|e| table.unreadable(e))?;
    let mut values = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        values.push(match text {
            None => f64::NAN,
            Some(text) => text.trim_ascii().parse().map_err(|_| {
                let (file, row) = table.locate(first_row + row);
                DataError::NotANumber {
                    column: column.name.clone(),
                    text: text.to_owned(),
                    row,
                    file,
                }
            })?,
        });
    }
    let values = Values::Double(ChunkedArray::from_vec("".into(), values));
    Ok(Cells {
        values,
        nulls: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::NamedFrom;

    use super::*;

    #[test]
    fn every_type_becomes_numbers_with_nan_for_null() {
        let read = |series: Series| Cells::from_series(&series).unwrap().to_vec(3);
        let seen = [
            read(Series::new("x".into(), [Some(1_i32), None, Some(0)])),
            read(Series::new("x".into(), [Some(1.0_f32), None, Some(0.0)])),
            read(Series::new("x".into(), [Some(true), None, Some(false)])),
        ];
        for values in seen {
            assert!(values[1].is_nan());
            assert_eq!((values[0].to_bits(), values[2].to_bits()), (1.0_f64.to_bits(), 0));
        }
    }

    #[test]
    fn integers_are_wide_only_when_f64_rounds_them() {
        let exact = 1_i64 << 53;
        assert_eq!(
            first_wide(&Series::new("x".into(), [0, exact, exact + 2])).unwrap(),
            None
        );
        assert_eq!(first_wide(&Series::new("x".into(), [0, -exact - 1])).unwrap(), Some(1));
        assert_eq!(first_wide(&Series::new("x".into(), [u64::MAX])).unwrap(), Some(0));
    }
}
