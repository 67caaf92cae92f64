//! Typed columns out of a frame, with errors that name file and column; and columns into a frame.

use std::path::{Path, PathBuf};

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, Int64Chunked, NamedFrom, Series, StringChunked,
    UInt8Chunked, UInt32Chunked, UInt64Chunked,
};

use crate::error::{Damage, StoreError};
use crate::run::RunId;
use crate::sealed::{self, Notes};
use crate::value::ParamValue;

/// A table read from a file.
#[derive(Debug)]
pub(crate) struct Frame {
    path: PathBuf,
    rows: DataFrame,
    notes: Notes,
}

/// Accessors that differ in nothing but the type.
macro_rules! typed {
    ($($name:ident -> $type:ty, $expected:literal;)+) => {
        $(pub(crate) fn $name(&self, column: &str) -> Result<&$type, StoreError> {
            let series = self.series(column)?;
            series.$name().map_err(|_| self.wrong_type(column, series, $expected))
        })+
    };
}

impl Frame {
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let (frame, notes) = sealed::read(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            rows: frame,
            notes,
        })
    }

    pub(crate) fn height(&self) -> usize {
        self.rows.height()
    }

    pub(crate) fn note(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    pub(crate) fn into_inner(self) -> DataFrame {
        self.rows
    }

    pub(crate) fn inner(&self) -> &DataFrame {
        &self.rows
    }

    /// Names of the columns that start with `prefix`, without it, in order.
    pub(crate) fn names_after(&self, prefix: &str) -> Vec<String> {
        let names = self.rows.get_column_names();
        names
            .iter()
            .filter_map(|name| name.strip_prefix(prefix))
            .map(str::to_owned)
            .collect()
    }

    typed! {
        u8 -> UInt8Chunked, "u8";
        u32 -> UInt32Chunked, "u32";
        u64 -> UInt64Chunked, "u64";
        i64 -> Int64Chunked, "i64";
        f64 -> Float64Chunked, "f64";
        bool -> BooleanChunked, "bool";
        str -> StringChunked, "text";
    }

    /// A column of numbers without gaps.
    pub(crate) fn all_u32(&self, column: &str) -> Result<Vec<u32>, StoreError> {
        self.without_gaps(column, self.u32(column)?.iter())
    }

    /// A column of texts without gaps, each turned into something by `parse`.
    pub(crate) fn all_words<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, StoreError> {
        let texts = self.str(column)?;
        let parsed = texts
            .iter()
            .enumerate()
            .map(|(row, text)| text.and_then(&parse).ok_or_else(|| self.bad_cell(column, row, text)));
        parsed.collect()
    }

    /// A column of texts turned into something, where there are any.
    pub(crate) fn some_words<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let texts = self.str(column)?;
        let parsed = texts.iter().enumerate().map(|(row, text)| match text {
            None => Ok(None),
            Some(word) => parse(word).map(Some).ok_or_else(|| self.bad_cell(column, row, text)),
        });
        parsed.collect()
    }

    pub(crate) fn run_ids(&self) -> Result<Vec<RunId>, StoreError> {
        self.all_words("run", |text| text.parse().ok())
    }

    /// Whatever the column holds, as hyperparameters.
    pub(crate) fn params(&self, column: &str) -> Result<Vec<ParamValue>, StoreError> {
        fn values<T>(cells: impl Iterator<Item = Option<T>>, value: impl Fn(T) -> ParamValue) -> Vec<ParamValue> {
            cells.map(|cell| cell.map_or(ParamValue::Null, &value)).collect()
        }
        Ok(match self.series(column)?.dtype() {
            DataType::Boolean => values(self.bool(column)?.iter(), ParamValue::Bool),
            DataType::Int64 => values(self.i64(column)?.iter(), ParamValue::Int),
            DataType::Float64 => values(self.f64(column)?.iter(), ParamValue::Float),
            _ => values(self.str(column)?.iter(), |text: &str| ParamValue::Text(text.to_owned())),
        })
    }

    /// An error about this file.
    pub(crate) fn damaged(&self, source: Damage) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            source,
        }
    }

    pub(crate) fn bad_cell(&self, column: &str, row: usize, value: Option<&str>) -> StoreError {
        self.damaged(Damage::BadCell {
            column: column.to_owned(),
            row,
            value: value.map_or("nothing".to_owned(), |text| format!("{text:?}")),
        })
    }

    fn without_gaps<T>(&self, column: &str, cells: impl Iterator<Item = Option<T>>) -> Result<Vec<T>, StoreError> {
        cells
            .enumerate()
            .map(|(row, cell)| cell.ok_or_else(|| self.bad_cell(column, row, None)))
            .collect()
    }

    fn series(&self, column: &str) -> Result<&Series, StoreError> {
        match self.rows.column(column) {
            Ok(held) => Ok(held.as_materialized_series()),
            Err(_) => Err(self.damaged(Damage::NoColumn {
                column: column.to_owned(),
            })),
        }
    }

    fn wrong_type(&self, column: &str, series: &Series, expected: &'static str) -> StoreError {
        self.damaged(Damage::WrongType {
            column: column.to_owned(),
            found: series.dtype().to_string(),
            expected,
        })
    }
}

/// A column of any type polars takes from a vector or slice.
pub(crate) fn column<T, P: ?Sized>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, P>,
{
    Column::from(Series::new(name.into(), values))
}

/// A column of numbers in which what is not a number is missing.
pub(crate) fn scores(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    let cells: Vec<Option<f64>> = values.map(|value| value.filter(|value| !value.is_nan())).collect();
    column(name, cells)
}

/// A column of hyperparameters: of the one type all its values have, or else text. Whole numbers among floats become floats.
pub(crate) fn param_column<'a>(name: &str, values: impl Iterator<Item = &'a ParamValue> + Clone) -> Column {
    let (mut bools, mut ints, mut floats, mut texts) = (false, false, false, false);
    for value in values.clone() {
        match value {
            ParamValue::Null => {}
            ParamValue::Bool(_) => bools = true,
            ParamValue::Int(_) => ints = true,
            ParamValue::Float(_) => floats = true,
            ParamValue::Text(_) => texts = true,
        }
    }
    match (bools, ints, floats, texts) {
        (true, false, false, false) => {
            let cells = values.map(|value| match value {
                ParamValue::Bool(value) => Some(*value),
                _ => None,
            });
            column(name, cells.collect::<Vec<_>>())
        }
        (false, true, false, false) => {
            let cells = values.map(|value| match value {
                ParamValue::Int(value) => Some(*value),
                _ => None,
            });
            column(name, cells.collect::<Vec<_>>())
        }
        (false, _, true, false) => column(name, values.map(ParamValue::as_f64).collect::<Vec<_>>()),
        _ => {
            let cells = values.map(|value| (!value.is_null()).then(|| value.to_string()));
            column(name, cells.collect::<Vec<_>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_param_column_has_the_type_of_its_values() {
        use ParamValue::{Bool, Float, Int, Null, Text};
        let dtype = |values: &[ParamValue]| param_column("p", values.iter()).dtype().clone();
        assert_eq!(dtype(&[Int(1), Null]), DataType::Int64);
        assert_eq!(dtype(&[Int(1), Float(f64::INFINITY)]), DataType::Float64);
        assert_eq!(dtype(&[Bool(true), Null]), DataType::Boolean);
        assert_eq!(dtype(&[Int(256), Text("full".to_owned())]), DataType::String);
        assert_eq!(dtype(&[Bool(true), Int(1)]), DataType::String);
        assert_eq!(dtype(&[Null]), DataType::String);
    }

    #[test]
    fn not_a_number_is_missing() {
        let cells = scores("s", [Some(f64::NAN), None, Some(1.0)].into_iter());
        assert_eq!(cells.null_count(), 2);
    }
}
