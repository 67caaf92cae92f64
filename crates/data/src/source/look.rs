//! Names and types of the columns, without reading the rows.

use polars::prelude::DataType;

use super::columnar::Version;
use super::csv_column::ColumnBuilder;
use super::files::{Format, expand};
use super::table::{TableColumn, TableFile};
use super::{columnar, csv, csv_records, hive};
use crate::error::DataError;
use crate::spec::SourceSpec;

/// Rows of a CSV that decide its types here.
const CSV_ROWS: usize = 1000;

/// What files hold, as far as it can be told quickly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// The files in the order they are read.
    pub files: Vec<String>,
    /// Name and type of each column; of a CSV from its first 1,000 rows.
    pub columns: Vec<(String, String)>,
    /// Rows of all files; `None` for CSV, where counting is reading.
    pub rows: Option<u64>,
}

/// Looks at names and types without reading the rows.
pub fn peek(source: &SourceSpec) -> Result<Peek, DataError> {
    let (format, files) = expand(&source.paths)?;
    let names = files.iter().map(|file| file.name.clone()).collect();
    if format != Format::Csv {
        let (files, columns) = columnar::open(format, files, usize::MAX)?;
        let columns = columns.into_iter().map(|c| (c.name, c.dtype.to_string())).collect();
        let rows = files.iter().map(|file| file.rows as u64).sum();
        return Ok(Peek {
            files: names,
            columns,
            rows: Some(rows),
        });
    }
    let mut first = TableFile::new(files[0].clone());
    first.version = Version::of(&first)?;
    let header = csv::header(&first, source)?;
    let mut builders: Vec<_> = header
        .iter()
        .map(|_| ColumnBuilder::new(false, &source.missing))
        .collect();
    let rows = csv_records::count(&first, source, header.len(), CSV_ROWS)?;
    csv::scan(&first, source, None, rows, |batch| {
        builders
            .iter_mut()
            .zip(&header)
            .try_for_each(|(builder, name)| builder.push(batch.column(name)?))
    })?;
    let columns = header.into_iter().zip(builders).map(|(name, builder)| {
        let dtype = if builder.lost_text() {
            "str".to_owned()
        } else {
            builder.finish(&name).dtype().to_string()
        };
        (name, dtype)
    });
    let mut columns: Vec<(String, String)> = columns.collect();
    let own: Vec<TableColumn> = columns
        .iter()
        .map(|(name, _)| TableColumn::new(name, DataType::String))
        .collect();
    let files: Vec<TableFile> = files.into_iter().map(TableFile::new).collect();
    columns.extend(
        hive::columns(&files, &own)
            .into_iter()
            .map(|c| (c.name, c.dtype.to_string())),
    );
    Ok(Peek {
        files: names,
        columns,
        rows: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_shows_names_and_types() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv").display().to_string();
        std::fs::write(&path, "n,t,b,e\n1,x,true,\n2.5,y,false,\n").expect("written");
        let peek = peek(&SourceSpec {
            paths: vec![path],
            ..SourceSpec::default()
        })
        .expect("readable");
        let types: Vec<&str> = peek.columns.iter().map(|(_, dtype)| dtype.as_str()).collect();
        assert_eq!(types, ["f64", "str", "bool", "null"]);
        assert_eq!(peek.rows, None);
    }
}
