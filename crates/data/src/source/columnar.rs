//! Parquet and Arrow files: schema and row counts from their footers, rows streamed in order as often as needed.

use std::time::SystemTime;

use polars::prelude::{ArrowDataType, ArrowField, Column, DataFrame, DataType, PolarsError};

use super::files::{DataFile, Format};
use super::guard::guarded;
use super::table::{TableColumn, TableFile};
use super::{arrow, hive, parquet};
use crate::error::DataError;

/// Rows of a batch that reads no column of its file.
const BATCH_ROWS: usize = 1 << 16;

/// What a file says of itself.
pub(super) struct Footer {
    pub(super) fields: Vec<ArrowField>,
    pub(super) rows: usize,
}

/// Names, types and row counts of every file; the columns are those of the first, then those of its folders' names.
pub(crate) fn open(
    format: Format,
    files: Vec<DataFile>,
    limit: usize,
) -> Result<(Vec<TableFile>, Vec<TableColumn>), DataError> {
    let mut columns: Vec<TableColumn> = Vec::new();
    let mut left = limit;
    let mut table_files: Vec<TableFile> = Vec::with_capacity(files.len());
    for file in files {
        let mut file = TableFile::new(file);
        file.version = Version::of(&file)?;
        let footer = guarded(&file.name, || match format {
            Format::Arrow => arrow::footer(&file),
            _ => parquet::footer(&file),
        })?;
        file.rows = footer.rows.min(left);
        left -= file.rows;
        if let Some(field) = footer.fields.iter().find(|field| is_unknown(&field.dtype)) {
            let (column, dtype) = (field.name.to_string(), format!("{:?}", field.dtype));
            let file = file.name;
            return Err(DataError::UnknownType { file, column, dtype });
        }
        let own: Vec<TableColumn> = footer
            .fields
            .iter()
            .map(|field| TableColumn::new(&field.name, DataType::from_arrow_field(field)))
            .collect();
        super::names::refuse_repeats(&file.name, own.iter().map(|column| column.name.as_str()))?;
        match table_files.first() {
            None => columns = own,
            Some(first) => compare(&first.name, &columns, &file.name, &own)?,
        }
        table_files.push(file);
    }
    columns.extend(hive::columns(&table_files, &columns));
    Ok((table_files, columns))
}

/// Streams the named columns of one file: its own, and those of `columns` that its folders' names say.
pub(super) fn scan(
    format: Format,
    file: &TableFile,
    columns: &[TableColumn],
    names: &[&str],
    take: &mut impl FnMut(DataFrame) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let of_folders: Vec<&TableColumn> = columns
        .iter()
        .filter(|column| column.is_of_folder && names.contains(&column.name.as_str()))
        .collect();
    let own: Vec<&str> = names
        .iter()
        .filter(|name| of_folders.iter().all(|column| column.name != **name))
        .copied()
        .collect();
    let unreadable = |source: PolarsError| DataError::Unreadable {
        file: file.name.clone(),
        source: source.into(),
    };
    let mut read = 0;
    let mut complete = |mut batch: DataFrame| {
        read += batch.height();
        // More rows than the footer counts would run over what was made for them.
        if read > file.rows {
            return Err(rows_disagree(file, read));
        }
        let mut whole: Vec<Column> = batch.columns().to_vec();
        for column in &of_folders {
            whole.push(hive::column(file, &column.name, &column.dtype, batch.height()));
        }
        if !of_folders.is_empty() {
            batch = DataFrame::new(batch.height(), whole).map_err(unreadable)?;
        }
        take(batch)
    };
    if own.is_empty() {
        for first in (0..file.rows).step_by(BATCH_ROWS) {
            let rows = BATCH_ROWS.min(file.rows - first);
            complete(DataFrame::new(rows, Vec::new()).map_err(unreadable)?)?;
        }
    } else {
        file.version.check(file)?;
        // The taker's own panics are bugs; only the reader's are the file's fault.
        match format {
            Format::Arrow => arrow::scan(file, &own, &mut complete),
            _ => parquet::scan(file, &own, &mut complete),
        }
        // A file that changes under the reader has any error: the change is the one to tell.
        .and_then(|()| file.version.check(file))
        .map_err(|error| file.version.check(file).err().unwrap_or(error))?;
    }
    if read == file.rows {
        return Ok(());
    }
    Err(rows_disagree(file, read))
}

fn rows_disagree(file: &TableFile, read: usize) -> DataError {
    DataError::Damaged {
        file: file.name.clone(),
        what: format!(
            "its footer counts {} rows and {}{read} are there",
            file.rows,
            if read > file.rows { "at least " } else { "" }
        ),
    }
}

/// Who stopped a scan.
#[derive(Debug)]
pub(super) enum Stop {
    Taker(DataError),
    Reader(PolarsError),
}

impl From<PolarsError> for Stop {
    fn from(error: PolarsError) -> Self {
        Self::Reader(error)
    }
}

impl From<DataError> for Stop {
    fn from(error: DataError) -> Self {
        Self::Taker(error)
    }
}

/// What tells whether a file has changed since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Version {
    size: u64,
    written: Option<SystemTime>,
}

impl Version {
    pub(super) fn of(file: &TableFile) -> Result<Self, DataError> {
        let known = std::fs::metadata(&file.path).map_err(|source| DataError::Io {
            file: file.name.clone(),
            source,
        })?;
        Ok(Self {
            size: known.len(),
            written: known.modified().ok(),
        })
    }

    /// Refuses a file that is no longer what was opened: its rows would be counted by the old one.
    pub(super) fn check(self, file: &TableFile) -> Result<(), DataError> {
        if Self::of(file).is_ok_and(|now| now == self) {
            return Ok(());
        }
        Err(DataError::FileChanged {
            file: file.name.clone(),
        })
    }
}

/// Types that this build of polars panics on, wherever they are in the schema: each needs a feature that is not enabled.
fn is_unknown(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    match dtype {
        A::Float16 | A::Int128 | A::UInt128 | A::FixedSizeList(..) | A::Interval(_) | A::Union(_) | A::Unknown => true,
        A::List(field) | A::LargeList(field) | A::Map(field, _) => is_unknown(&field.dtype),
        A::Struct(fields) => fields.iter().any(|field| is_unknown(&field.dtype)),
        A::Dictionary(_, values, _) => is_unknown(values),
        _ => false,
    }
}

/// The first difference between two schemas, as an error.
pub(super) fn compare(first: &str, columns: &[TableColumn], file: &str, own: &[TableColumn]) -> Result<(), DataError> {
    let differs = |column: &str, difference: String| {
        let (file, first, column) = (file.to_owned(), first.to_owned(), column.to_owned());
        Err(DataError::SchemaDiffers {
            file,
            first,
            column,
            difference,
        })
    };
    for column in columns {
        match own.iter().find(|c| c.name == column.name) {
            None => return differs(&column.name, "lacks".to_owned()),
            Some(c) if c.dtype != column.dtype => {
                let (here, there) = (&c.dtype, &column.dtype);
                return differs(&column.name, format!("has another type ({here} instead of {there}) of"));
            }
            Some(_) => {}
        }
    }
    match own.iter().find(|c| columns.iter().all(|column| column.name != c.name)) {
        Some(extra) => differs(&extra.name, "has the extra".to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_unknown_to_the_reader_are_found_at_any_depth() {
        let field = |dtype| ArrowField::new("x".into(), dtype, true);
        assert!(is_unknown(&ArrowDataType::Float16));
        assert!(is_unknown(&ArrowDataType::Struct(vec![field(ArrowDataType::Float16)])));
        assert!(!is_unknown(&ArrowDataType::Struct(vec![field(ArrowDataType::Float32)])));
    }

    #[test]
    fn schema_differences_name_the_column() {
        let first = [
            TableColumn::new("a", DataType::Int64),
            TableColumn::new("b", DataType::String),
        ];
        let message = |own: &[TableColumn]| {
            compare("1.parquet", &first, "2.parquet", own)
                .expect_err("they differ")
                .to_string()
        };
        assert_eq!(message(&first[..1]), "2.parquet lacks column \"b\", unlike 1.parquet");
        let mut own = first.to_vec();
        own[0].dtype = DataType::Float64;
        assert!(message(&own).starts_with("2.parquet has another type (f64 instead of i64)"));
        own[0].dtype = DataType::Int64;
        own.push(TableColumn::new("c", DataType::Boolean));
        assert!(message(&own).contains("extra column \"c\""));
        own.swap(0, 1);
        own.pop();
        assert!(
            compare("1", &first, "2", &own).is_ok(),
            "the order of columns does not matter"
        );
    }
}
