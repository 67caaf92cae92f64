//! Parquet: schema from the footers, rows streamed in order.

use std::fs::File;

use polars::prelude::{
    ArrowDataType, DataFrame, DataType, LazyFrame, ParquetReader, PlRefPath, PolarsError, ScanArgsParquet, SerReader,
    by_name,
};

use super::batches::for_each_batch;
use super::files::DataFile;
use super::table::{TableColumn, TableFile};
use crate::error::DataError;

/// Names, types and row counts of every file; the columns are those of the first.
pub(crate) fn open(files: Vec<DataFile>, limit: usize) -> Result<(Vec<TableFile>, Vec<TableColumn>), DataError> {
    let mut columns: Vec<TableColumn> = Vec::new();
    let mut left = limit;
    let mut table_files: Vec<TableFile> = Vec::with_capacity(files.len());
    for DataFile { path, name } in files {
        let unreadable = |source: PolarsError| DataError::Unreadable {
            file: name.clone(),
            source: source.into(),
        };
        let file = File::open(&path).map_err(|source| DataError::Io {
            file: name.clone(),
            source,
        })?;
        let mut reader = ParquetReader::new(file);
        let schema = reader.schema().map_err(unreadable)?;
        let rows = reader.num_rows().map_err(unreadable)?.min(left);
        left -= rows;
        if let Some(field) = schema.iter_values().find(|field| is_unknown(&field.dtype)) {
            let (column, dtype) = (field.name.to_string(), format!("{:?}", field.dtype));
            return Err(DataError::UnknownType {
                file: name,
                column,
                dtype,
            });
        }
        let own: Vec<TableColumn> = schema
            .iter_values()
            .map(|field| TableColumn {
                name: field.name.to_string(),
                dtype: DataType::from_arrow_field(field),
                wide_integer: None,
            })
            .collect();
        match table_files.first() {
            None => columns = own,
            Some(first) => compare(&first.name, &columns, &name, &own)?,
        }
        table_files.push(TableFile { name, path, rows });
    }
    Ok((table_files, columns))
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

/// Streams the named columns of one file.
pub(super) fn scan(
    file: &TableFile,
    names: &[&str],
    take: &mut impl FnMut(DataFrame) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let unreadable = |source: PolarsError| DataError::Unreadable {
        file: file.name.clone(),
        source: source.into(),
    };
    let path = PlRefPath::try_from_path(&file.path).map_err(unreadable)?;
    let args = ScanArgsParquet {
        n_rows: Some(file.rows),
        glob: false,
        ..Default::default()
    };
    // Names are literal: `col("*")` or `col("^a$")` would be patterns.
    let columns = by_name(names.iter().copied(), true, false).as_expr();
    let frame = LazyFrame::scan_parquet(path, args)
        .map_err(unreadable)?
        .select([columns]);
    for_each_batch(frame, |batch| take(batch).map_err(Stop::Taker)).map_err(|stop| match stop {
        Stop::Taker(error) => error,
        Stop::Reader(source) => unreadable(source),
    })
}

/// Who stopped a scan.
enum Stop {
    Taker(DataError),
    Reader(PolarsError),
}

impl From<PolarsError> for Stop {
    fn from(error: PolarsError) -> Self {
        Self::Reader(error)
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::ArrowField;

    use super::*;

    fn column(name: &str, dtype: DataType) -> TableColumn {
        TableColumn {
            name: name.into(),
            dtype,
            wide_integer: None,
        }
    }

    #[test]
    fn types_unknown_to_the_reader_are_found_at_any_depth() {
        let field = |dtype| ArrowField::new("x".into(), dtype, true);
        assert!(is_unknown(&ArrowDataType::Float16));
        assert!(is_unknown(&ArrowDataType::Struct(vec![field(ArrowDataType::Float16)])));
        assert!(!is_unknown(&ArrowDataType::Struct(vec![field(ArrowDataType::Float32)])));
    }

    #[test]
    fn schema_differences_name_the_column() {
        let first = [column("a", DataType::Int64), column("b", DataType::String)];
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
        own.push(column("c", DataType::Boolean));
        assert!(message(&own).contains("extra column \"c\""));
        own.swap(0, 1);
        own.pop();
        assert!(
            compare("1", &first, "2", &own).is_ok(),
            "the order of columns does not matter"
        );
    }
}
