//! Parquet: footers checked before anything is read by them, rows streamed in order.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use polars::io::parquet::metadata::FileMetadataRef;
use polars::prelude::{
    DataFrame, LazyFrame, ParquetReader, PlRefPath, PolarsError, ScanArgsParquet, SerReader, by_name,
};

use super::batches::for_each_batch;
use super::columnar::{Footer, Stop};
use super::names;
use super::table::TableFile;
use crate::error::DataError;

/// Columns and rows of a file.
pub(super) fn footer(file: &TableFile) -> Result<Footer, DataError> {
    let unreadable = |source: PolarsError| DataError::Unreadable {
        file: file.name.clone(),
        source: source.into(),
    };
    let io = |source| DataError::Io {
        file: file.name.clone(),
        source,
    };
    let mut open = File::open(&file.path).map_err(io)?;
    let size = check_ends(&mut open, file)?;
    let mut reader = ParquetReader::new(open);
    let metadata = reader.get_metadata().map_err(unreadable)?;
    let mut names = Vec::new();
    for field in metadata.schema_descr.fields() {
        names.push(field.name());
    }
    names::refuse_repeats(&file.name, names.into_iter())?;
    let rows = metadata.num_rows;
    check(metadata, size).map_err(|what| DataError::Damaged {
        file: file.name.clone(),
        what,
    })?;
    let schema = reader.schema().map_err(unreadable)?;
    Ok(Footer {
        fields: schema.iter_values().cloned().collect(),
        rows,
    })
}

/// A Parquet file begins and ends with four letters; what ends otherwise was not written to its end. Returns its size.
fn check_ends(open: &mut File, file: &TableFile) -> Result<u64, DataError> {
    let io = |source| DataError::Io {
        file: file.name.clone(),
        source,
    };
    let damaged = |what: &str| {
        Err(DataError::Damaged {
            file: file.name.clone(),
            what: what.to_owned(),
        })
    };
    let size = open.metadata().map_err(io)?.len();
    if size < 12 {
        return damaged("it is too short for a Parquet file");
    }
    let (mut begin, mut end) = ([0; 4], [0; 4]);
    open.read_exact(&mut begin).map_err(io)?;
    open.seek(SeekFrom::End(-4)).map_err(io)?;
    open.read_exact(&mut end).map_err(io)?;
    open.rewind().map_err(io)?;
    match (&begin, &end) {
        (b"PAR1", b"PAR1") => Ok(size),
        (b"PARE", b"PARE") => Err(DataError::Encrypted {
            file: file.name.clone(),
        }),
        (b"PAR1", _) => damaged("it does not end as a Parquet file does: it was cut off or not written to its end"),
        _ => damaged("it does not begin as a Parquet file does"),
    }
}

/// Whether a footer can be true of a file of `size` bytes; otherwise what it gets wrong.
fn check(metadata: &FileMetadataRef, size: u64) -> Result<(), String> {
    let mut rows = 0_usize;
    for group in &metadata.row_groups {
        rows = rows.saturating_add(group.num_rows());
    }
    if rows != metadata.num_rows {
        let counted = metadata.num_rows;
        return Err(format!("its footer counts {counted} rows and {rows} in its row groups"));
    }
    for (g, group) in metadata.row_groups.iter().enumerate() {
        for chunk in group.parquet_columns() {
            let name = chunk.descriptor().path_in_schema.join(".");
            let data = chunk.data_page_offset();
            let (first, length) = (chunk.dictionary_page_offset().unwrap_or(data), chunk.compressed_size());
            let is_inside = first >= 4
                && data >= first
                && length >= 0
                && first.checked_add(length).is_some_and(|end| end as u64 <= size - 8);
            if !is_inside {
                return Err(format!("column \"{name}\" of row group {g} lies outside of it"));
            }
            let is_flat = chunk.descriptor().descriptor.max_rep_level == 0;
            let values = chunk.num_values();
            if is_flat && usize::try_from(values) != Ok(group.num_rows()) {
                let rows = group.num_rows();
                return Err(format!(
                    "column \"{name}\" of row group {g} has {values} values in {rows} rows"
                ));
            }
        }
    }
    Ok(())
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
    for_each_batch(frame, &file.name, |batch| take(batch).map_err(Stop::Taker)).map_err(|stop| match stop {
        Stop::Taker(error) => error,
        Stop::Reader(source) => unreadable(source),
    })
}
