//! Arrow IPC files: record batches decoded ahead, one after the other.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::mpsc::SyncSender;

use polars::prelude::{Column, DataFrame, PolarsError, Series};
use polars_arrow::io::ipc::read::{FileReader, get_row_count_from_blocks, read_file_metadata};

use super::batches::decode_ahead;
use super::columnar::{Footer, Stop};
use super::table::TableFile;
use crate::error::DataError;

/// Rows handed over at a time.
const AT_A_TIME: i64 = 1 << 16;

/// Columns and rows of a file.
pub(super) fn footer(file: &TableFile) -> Result<Footer, DataError> {
    let io = |source| DataError::Io {
        file: file.name.clone(),
        source,
    };
    let damaged = |what: &str| DataError::Damaged {
        file: file.name.clone(),
        what: what.to_owned(),
    };
    let unreadable = |source: PolarsError| DataError::Unreadable {
        file: file.name.clone(),
        source: source.into(),
    };
    let mut open = BufReader::new(File::open(&file.path).map_err(io)?);
    let mut begin = Vec::new();
    open.by_ref().take(8).read_to_end(&mut begin).map_err(io)?;
    if begin.starts_with(b"\xff\xff\xff\xff") {
        return Err(damaged(
            "it is an Arrow stream, not an Arrow file: write it with a file writer",
        ));
    }
    if begin.starts_with(b"FEA1") {
        return Err(damaged("it is of Feather's first version: write it anew"));
    }
    if !begin.starts_with(b"ARROW1") {
        return Err(damaged("it does not begin as an Arrow file does"));
    }
    let metadata = read_file_metadata(&mut open).map_err(unreadable)?;
    let rows = get_row_count_from_blocks(&mut open, &metadata.blocks).map_err(unreadable)?;
    Ok(Footer {
        fields: metadata.schema.iter_values().cloned().collect(),
        rows: usize::try_from(rows).map_err(|_| damaged("it has a negative number of rows"))?,
    })
}

/// Streams the named columns of one file.
pub(super) fn scan(
    file: &TableFile,
    names: &[&str],
    take: &mut impl FnMut(DataFrame) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let (path, rows) = (file.path.clone(), file.rows);
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let read = move |sender: SyncSender<DataFrame>| {
        let mut open = BufReader::with_capacity(1 << 20, File::open(&path)?);
        let metadata = read_file_metadata(&mut open)?;
        let mut wanted: Vec<usize> = Vec::with_capacity(names.len());
        for name in &names {
            let missing = || PolarsError::ColumnNotFound(name.clone().into());
            wanted.push(metadata.schema.index_of(name).ok_or_else(missing)?);
        }
        // The reader wants them in the order of the file.
        wanted.sort_unstable();
        let reader = FileReader::new(open, metadata, Some(wanted), None);
        let schema = reader.schema().clone();
        let mut left = rows;
        for batch in reader {
            if left == 0 {
                break;
            }
            let batch = batch?;
            let (length, arrays) = (batch.len(), batch.into_arrays());
            let columns = arrays.into_iter().zip(schema.iter_values());
            let columns: Vec<Column> = columns
                .map(|(array, field)| Ok(Series::try_from((field, vec![array]))?.into()))
                .collect::<Result<_, PolarsError>>()?;
            let mut rest = DataFrame::new(length, columns)?.head(Some(left));
            left -= rest.height();
            while rest.height() > 0 {
                let (now, later) = rest.split_at(AT_A_TIME);
                if sender.send(now).is_err() {
                    return Ok(());
                }
                rest = later;
            }
        }
        Ok(())
    };
    decode_ahead(read, &file.name, |batch| take(batch).map_err(Stop::Taker)).map_err(|stop| match stop {
        Stop::Taker(error) => error,
        Stop::Reader(source) => DataError::Unreadable {
            file: file.name.clone(),
            source: source.into(),
        },
    })
}
