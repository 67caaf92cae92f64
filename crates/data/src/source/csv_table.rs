//! CSV files that are parsed again by every scan, because memory should not hold their columns.
//!
//! A first reading has decided from all cells what each column is; every scan then parses the columns it is asked for, and
//! hands over the batches that the columns in memory would have given.

use polars::prelude::{Column, DataFrame, PolarsError};
use rayon::prelude::*;

use super::csv_column::{ColumnBuilder, Kind};
use super::table::{TableColumn, TableFile};
use super::{csv, hive};
use crate::error::DataError;
use crate::spec::SourceSpec;

/// What is known of the files' columns.
#[derive(Debug)]
pub(crate) struct CsvTable {
    pub(super) source: SourceSpec,
    /// Columns of the files and what they are.
    pub(super) kinds: Vec<(String, Kind)>,
}

impl CsvTable {
    /// Hands over the named columns of one file in row order, a batch at a time.
    pub(super) fn scan(
        &self,
        file: &TableFile,
        columns: &[TableColumn],
        names: &[&str],
        take: &mut impl FnMut(DataFrame) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let kind_of = |name: &str| self.kinds.iter().find(|(own, _)| own == name).map(|(_, kind)| *kind);
        let mut own: Vec<&str> = names.iter().copied().filter(|name| kind_of(name).is_some()).collect();
        if own.is_empty() {
            // Rows are counted by a column, whatever it holds.
            own.extend(self.kinds.first().map(|(name, _)| name.as_str()));
        }
        let column = |name: &str, batch: &DataFrame| -> Result<Column, PolarsError> {
            if let Some(kind) = kind_of(name) {
                let mut builder = ColumnBuilder::of_kind(kind, &self.source.missing);
                builder.push(batch.column(name)?)?;
                return Ok(builder.finish(name).into());
            }
            let of_folder = columns.iter().find(|column| column.is_of_folder && column.name == name);
            match of_folder {
                Some(column) => Ok(hive::column(file, name, &column.dtype, batch.height())),
                None => batch.column(name).cloned(),
            }
        };
        let mut stopped = None;
        let read = csv::scan(file, &self.source, Some(&own), file.rows, |batch| {
            let columns: Vec<Column> = names
                .par_iter()
                .map(|name| column(name, batch))
                .collect::<Result<_, _>>()?;
            take(DataFrame::new(batch.height(), columns)?).map_err(|error| {
                stopped = Some(error);
                PolarsError::NoData("stopped".into())
            })
        });
        match (stopped, read) {
            // A file that changes under the reader has any error: the change is the one to tell.
            (_, Err(changed @ DataError::FileChanged { .. })) => Err(changed),
            (Some(error), _) => Err(error),
            (None, read) => read,
        }
    }
}
