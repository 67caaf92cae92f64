//! Partitioned folders: `year=2013/month=01/part-0.parquet` says two columns of every row of the file.

use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataType, IntoSeries, NamedFrom, PlSmallStr, Series, StringChunked};

use super::files::{DataFile, format_of};
use super::table::{TableColumn, TableFile};
use crate::error::DataError;

/// A column that the name of a folder says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) column: String,
    /// `None` is a null.
    pub(crate) value: Option<String>,
}

/// What Hive and its followers write for a null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Folders in folders that are followed: each level is a column.
const DEEPEST: usize = 32;

/// Every data file below a partitioned folder, sorted by name. Names that begin with `_` or `.` are not data.
pub(super) fn files(folder: &str) -> Result<Vec<DataFile>, DataError> {
    let root = folder.trim_end_matches('/');
    let mut found = Vec::new();
    walk(Path::new(root), &mut Vec::new(), &mut found)?;
    if found.iter().all(|file: &DataFile| file.partitions.is_empty()) {
        return Err(DataError::IsFolder {
            path: folder.to_owned(),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let keys = |file: &DataFile| -> Vec<String> { file.partitions.iter().map(|p| p.column.clone()).collect() };
    let first = keys(&found[0]);
    if let Some(other) = found.iter().find(|file| keys(file) != first) {
        return Err(DataError::PartitionsDiffer {
            file: other.name.clone(),
            found: keys(other),
            first: found[0].name.clone(),
            expected: first,
        });
    }
    Ok(found)
}

fn walk(folder: &Path, above: &mut Vec<Partition>, found: &mut Vec<DataFile>) -> Result<(), DataError> {
    let io = |source| DataError::Io {
        file: folder.display().to_string(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path: PathBuf = folder.join(entry.file_name());
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if path.is_dir() {
            if let Some(partition) = partition(&name)
                && above.len() < DEEPEST
            {
                above.push(partition);
                walk(&path, above, found)?;
                above.pop();
            }
        } else if format_of(&name).is_ok() {
            found.push(DataFile {
                name: path.display().to_string(),
                path,
                partitions: above.clone(),
            });
        }
    }
    Ok(())
}

/// The column that a folder's name says, as `year=2013`.
fn partition(name: &str) -> Option<Partition> {
    let (column, value) = name.split_once('=')?;
    let column = decoded(column)?;
    let value = decoded(value)?;
    (!column.is_empty()).then(|| Partition {
        column,
        value: (value != NULL).then_some(value),
    })
}

/// Undoes `%20` and its like, which stand for what a file's name may not hold.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (b'%', Some(decoded)) = (byte, hex) {
            bytes.push(decoded);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The partition columns of some files, without those that the files hold themselves. A column is of integers where
/// every value is one and none has a leading zero, otherwise of text.
pub(super) fn columns(files: &[TableFile], own: &[TableColumn]) -> Vec<TableColumn> {
    let Some(first) = files.first() else {
        return Vec::new();
    };
    let names = first.partitions.iter().map(|partition| partition.column.clone());
    let missing = names.filter(|name| own.iter().all(|column| column.name != *name));
    missing
        .map(|name| {
            let mut values = files.iter().filter_map(|file| value(file, &name));
            let are_integers = values.all(|value| value.parse::<i64>().is_ok_and(|v| v.to_string() == value));
            let dtype = if are_integers {
                DataType::Int64
            } else {
                DataType::String
            };
            TableColumn {
                is_of_folder: true,
                ..TableColumn::new(&name, dtype)
            }
        })
        .collect()
}

fn value<'a>(file: &'a TableFile, column: &str) -> Option<&'a str> {
    let partition = file.partitions.iter().find(|partition| partition.column == column)?;
    partition.value.as_deref()
}

/// A partition column of some rows of a file.
pub(super) fn column(file: &TableFile, name: &str, dtype: &DataType, rows: usize) -> Column {
    let value = value(file, name);
    let name = PlSmallStr::from(name);
    let series = if let DataType::String = dtype {
        let texts: StringChunked = std::iter::repeat_n(value, rows).collect();
        texts.with_name(name).into_series()
    } else {
        let value: Option<i64> = value.and_then(|value| value.parse().ok());
        Series::new(name, vec![value; rows])
    };
    series.into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;
    use crate::source::columnar::Version;

    #[test]
    fn folder_names_are_columns() {
        let value = |name| partition(name).map(|p| (p.column, p.value));
        assert_eq!(value("year=2013"), Some(("year".into(), Some("2013".into()))));
        assert_eq!(value("a%20b=x%2Fy%"), Some(("a b".into(), Some("x/y%".into()))));
        assert_eq!(value("k=__HIVE_DEFAULT_PARTITION__"), Some(("k".into(), None)));
        assert_eq!(value("k="), Some(("k".into(), Some(String::new()))));
        assert_eq!((value("year"), value("=3")), (None, None));
    }

    #[test]
    fn values_decide_the_type() {
        let file = |value: Option<&str>| TableFile {
            name: String::new(),
            path: PathBuf::new(),
            rows: 2,
            version: Version::default(),
            partitions: vec![Partition {
                column: "k".into(),
                value: value.map(str::to_owned),
            }],
        };
        let dtype = |values: &[Option<&str>]| {
            let files: Vec<_> = values.iter().map(|value| file(*value)).collect();
            columns(&files, &[])[0].dtype.clone()
        };
        assert_eq!(dtype(&[Some("1"), None, Some("-3")]), DataType::Int64);
        assert_eq!(dtype(&[Some("01"), Some("2")]), DataType::String);
        let nulls = column(&file(None), "k", &DataType::Int64, 3);
        assert_eq!((nulls.len(), nulls.null_count()), (3, 3));
        let texts = column(&file(Some("a")), "k", &DataType::String, 2);
        assert_eq!(texts.as_materialized_series().str().unwrap().get(1), Some("a"));
    }
}
