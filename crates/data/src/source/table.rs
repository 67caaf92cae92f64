//! All files as one table: names, types, row counts, and batches of rows in order.

use std::path::PathBuf;

use polars::prelude::{DataFrame, DataType, IdxSize};

use super::files::{Format, expand};
use super::{csv, parquet};
use crate::error::DataError;
use crate::spec::{LoadSpec, SourceSpec};

/// A column as the files have it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    pub(crate) dtype: DataType,
    /// First row with an integer that `f64` cannot hold, when the source knows.
    pub(crate) wide_integer: Option<usize>,
}

/// One file of the table.
#[derive(Debug, Clone)]
pub(crate) struct TableFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Rows taken from it.
    pub(crate) rows: usize,
}

/// Files of one schema, read as one.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) files: Vec<TableFile>,
    pub(crate) columns: Vec<TableColumn>,
    /// Rows of all files together.
    pub(crate) rows: usize,
    content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// Read again by every scan.
    Parquet,
    /// Parsed once; whole columns.
    Frame(DataFrame),
}

impl Table {
    /// Opens the files; a CSV is parsed here.
    pub(crate) fn open(spec: &LoadSpec) -> Result<Self, DataError> {
        let SourceSpec { paths, .. } = &spec.source;
        let (format, files) = expand(paths)?;
        let limit = spec.rows.unwrap_or(usize::MAX);
        let (files, columns, content) = match format {
            Format::Parquet => {
                let (files, columns) = parquet::open(files, limit)?;
                (files, columns, Content::Parquet)
            }
            Format::Csv => {
                let (files, columns, frame) = csv::open(files, &spec.source, &spec.roles, limit)?;
                (files, columns, Content::Frame(frame))
            }
        };
        let rows: usize = files.iter().map(|file| file.rows).sum();
        if rows == 0 {
            let files = files.into_iter().map(|file| file.name).collect();
            return Err(DataError::NoRows { files });
        }
        if rows >= IdxSize::MAX as usize {
            return Err(DataError::TooManyRows { rows });
        }
        Ok(Self {
            files,
            columns,
            rows,
            content,
        })
    }

    /// The type of a column that exists.
    pub(crate) fn dtype(&self, name: &str) -> Option<&DataType> {
        self.columns.iter().find(|c| c.name == name).map(|c| &c.dtype)
    }

    /// Whether a column is of numbers; bools are not.
    pub(crate) fn is_number(&self, name: &str) -> bool {
        self.dtype(name)
            .is_some_and(|dtype| dtype.is_primitive_numeric() || dtype.is_decimal())
    }

    /// Hands over the named columns in row order, a batch at a time.
    pub(crate) fn for_each_batch(
        &self,
        names: &[&str],
        mut take: impl FnMut(DataFrame) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        match &self.content {
            Content::Parquet => {
                for file in self.files.iter().filter(|file| file.rows > 0) {
                    parquet::scan(file, names, &mut take)?;
                }
                Ok(())
            }
            Content::Frame(frame) => {
                let columns = names.iter().map(|name| frame.column(name).cloned());
                let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| self.unreadable(e))?;
                let part = DataFrame::new(frame.height(), columns).map_err(|e| self.unreadable(e))?;
                let mut rest = part;
                while rest.height() > 0 {
                    let (batch, after) = rest.split_at(BATCH_ROWS);
                    take(batch)?;
                    rest = after;
                }
                Ok(())
            }
        }
    }

    /// The file of a row and its 1-based number there.
    pub(crate) fn locate(&self, row: usize) -> (String, usize) {
        let mut first = 0;
        for file in &self.files {
            if row < first + file.rows {
                return (file.name.clone(), row - first + 1);
            }
            first += file.rows;
        }
        (self.files[0].name.clone(), row + 1)
    }

    /// An error of polars about the whole table.
    pub(crate) fn unreadable(&self, source: polars::error::PolarsError) -> DataError {
        DataError::Unreadable {
            file: self.files[0].name.clone(),
            source: source.into(),
        }
    }
}

/// Rows handed over at a time from a table in memory.
const BATCH_ROWS: i64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_located_in_their_file_from_one() {
        let file = |name: &str, rows| TableFile {
            name: name.into(),
            path: name.into(),
            rows,
        };
        let table = Table {
            files: vec![file("a.csv", 2), file("b.csv", 0), file("c.csv", 3)],
            columns: Vec::new(),
            rows: 5,
            content: Content::Parquet,
        };
        assert_eq!(table.locate(0), ("a.csv".to_owned(), 1));
        assert_eq!(table.locate(2), ("c.csv".to_owned(), 1));
        assert_eq!(table.locate(4), ("c.csv".to_owned(), 3));
    }
}
