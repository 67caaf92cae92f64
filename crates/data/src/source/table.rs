//! All files as one table: names, types, row counts, and batches of rows in order.

use std::path::PathBuf;

use polars::prelude::{DataFrame, DataType, IdxSize};

use super::columnar::{self, Version};
use super::csv::{self, Parsed};
use super::csv_table::CsvTable;
use super::files::{DataFile, Format, expand};
use super::hive::Partition;
use super::parts::{self, Part, Parts};
use crate::error::DataError;
use crate::spec::{ColumnType, LoadSpec, SourceSpec};

/// A column as the files have it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    pub(crate) dtype: DataType,
    /// First row with an integer that `f64` cannot hold, when the source knows.
    pub(crate) wide_integer: Option<usize>,
    /// The names of the folders say it, not the files.
    pub(crate) is_of_folder: bool,
    /// The column of points in time that it is a part of.
    pub(crate) part: Option<(String, Part)>,
}

impl TableColumn {
    /// A column of the files.
    pub(crate) fn new(name: &str, dtype: DataType) -> Self {
        Self {
            name: name.to_owned(),
            dtype,
            wide_integer: None,
            is_of_folder: false,
            part: None,
        }
    }
}

/// One file of the table.
#[derive(Debug, Clone)]
pub(crate) struct TableFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Rows taken from it.
    pub(crate) rows: usize,
    /// What the names of its folders say.
    pub(crate) partitions: Vec<Partition>,
    /// What it was when it was opened.
    pub(crate) version: Version,
}

impl TableFile {
    /// A file whose rows are not counted yet.
    pub(crate) fn new(file: DataFile) -> Self {
        Self {
            name: file.name,
            path: file.path,
            rows: 0,
            partitions: file.partitions,
            version: Version::default(),
        }
    }
}

/// Files of one schema, read as one.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) files: Vec<TableFile>,
    pub(crate) columns: Vec<TableColumn>,
    /// Rows of all files together.
    pub(crate) rows: usize,
    content: Content,
    /// Columns of points in time that are taken apart.
    parts: Parts,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// Read again by every scan.
    Files(Format),
    /// Parsed once; whole columns.
    Frame(DataFrame),
    /// Parsed again by every scan.
    Csv(CsvTable),
}

impl Table {
    /// Opens the files; a CSV is parsed here, into memory if its columns take no more than `limit_bytes`.
    pub(crate) fn open(spec: &LoadSpec, limit_bytes: u64) -> Result<Self, DataError> {
        let SourceSpec { paths, .. } = &spec.source;
        let (format, files) = expand(paths)?;
        let limit = spec.rows.unwrap_or(usize::MAX);
        let (files, columns, content) = match format {
            Format::Parquet | Format::Arrow => {
                let (files, columns) = columnar::open(format, files, limit)?;
                (files, columns, Content::Files(format))
            }
            Format::Csv => {
                let (files, columns, parsed) = csv::open(files, &spec.source, &spec.roles, limit, limit_bytes)?;
                let content = match parsed {
                    Parsed::Frame(frame) => Content::Frame(frame),
                    Parsed::Again(table) => Content::Csv(table),
                };
                (files, columns, content)
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
        let mut table = Self {
            files,
            columns,
            rows,
            content,
            parts: Parts::default(),
        };
        let types = spec.roles.types.iter();
        for (name, _) in types.filter(|(_, kind)| **kind == ColumnType::Datetime) {
            table.take_apart(name)?;
        }
        Ok(table)
    }

    /// Adds the parts of a column of points in time, behind it. A name without a column is told where roles are resolved.
    fn take_apart(&mut self, name: &str) -> Result<(), DataError> {
        let Some(at) = self.columns.iter().position(|column| column.name == name) else {
            return Ok(());
        };
        let has_time = match &self.columns[at].dtype {
            DataType::Date => false,
            DataType::Datetime(..) => true,
            // Of text the cells decide.
            DataType::String => {
                let mut has_time = false;
                self.for_each_batch(&[name], |batch| {
                    let column = batch.column(name).map_err(|error| self.unreadable(error))?;
                    has_time = has_time || parts::has_time_of_day(column).map_err(|error| self.unreadable(error))?;
                    Ok(())
                })?;
                has_time
            }
            dtype => {
                return Err(DataError::UnsupportedType {
                    column: name.to_owned(),
                    file: self.files[0].name.clone(),
                    dtype: dtype.to_string(),
                    part: "datetime",
                });
            }
        };
        for (place, part) in (at + 1..).zip(Part::all(has_time)) {
            let column = TableColumn {
                part: Some((name.to_owned(), part)),
                ..TableColumn::new(&part.name_in(name), DataType::Float64)
            };
            self.columns.insert(place, column);
        }
        self.parts.bases.push(name.to_owned());
        super::names::refuse_repeats(
            &self.files[0].name,
            self.columns.iter().map(|column| column.name.as_str()),
        )
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
        let sources = self.parts.sources(names);
        let mut first_row = 0;
        let mut take = |batch: DataFrame| {
            let rows = batch.height();
            let batch = self
                .parts
                .compute(batch, names, &[], |row| self.locate(first_row + row))?;
            first_row += rows;
            take(batch)
        };
        match &self.content {
            Content::Files(format) => {
                for file in self.files.iter().filter(|file| file.rows > 0) {
                    columnar::scan(*format, file, &self.columns, &sources, &mut take)?;
                }
                Ok(())
            }
            Content::Csv(table) => {
                for file in self.files.iter().filter(|file| file.rows > 0) {
                    table.scan(file, &self.columns, &sources, &mut take)?;
                }
                Ok(())
            }
            Content::Frame(frame) => {
                let columns = sources.iter().map(|name| frame.column(name).cloned());
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
            partitions: Vec::new(),
            version: Version::default(),
        };
        let table = Table {
            files: vec![file("a.csv", 2), file("b.csv", 0), file("c.csv", 3)],
            columns: Vec::new(),
            rows: 5,
            content: Content::Files(Format::Parquet),
            parts: Parts::default(),
        };
        assert_eq!(table.locate(0), ("a.csv".to_owned(), 1));
        assert_eq!(table.locate(2), ("c.csv".to_owned(), 1));
        assert_eq!(table.locate(4), ("c.csv".to_owned(), 3));
    }
}
