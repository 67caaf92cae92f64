//! CSV: every cell is read as text, then each column decides from all its cells what it is.
//!
//! Polars' own inference guesses from the first rows and renames repeated columns silently; here the whole
//! file decides, several files decide together, and repeated names are refused.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use polars::prelude::{
    Column, DataFrame, DataType, LazyCsvReader, LazyFileListReader, PlRefPath, PolarsError, Schema, by_name,
};
use rayon::prelude::*;

use super::batches::for_each_batch;
use super::columnar::{Stop, Version, compare};
use super::csv_column::{ColumnBuilder, Kind};
use super::csv_records::{self, LONGEST_RECORD};
use super::csv_table::CsvTable;
use super::files::DataFile;
use super::table::{TableColumn, TableFile};
use super::{csv_text, hive, names};
use crate::error::DataError;
use crate::spec::{ColumnType, RoleSpec, SourceSpec};

/// Bytes of a cell while the columns are in memory and the matrix is made of them.
const CELL_BYTES: usize = 12;

/// The columns of CSV files.
pub(super) enum Parsed {
    /// Whole columns in memory.
    Frame(DataFrame),
    /// Parsed again by every scan.
    Again(CsvTable),
}

/// Parses all files into one frame of numbers (`f64`, NaN where missing), bools and text; where that would take more than
/// `limit_bytes`, only what each column is.
pub(super) fn open(
    files: Vec<DataFile>,
    source: &SourceSpec,
    roles: &RoleSpec,
    limit: usize,
    limit_bytes: u64,
) -> Result<(Vec<TableFile>, Vec<TableColumn>, Parsed), DataError> {
    let names = common_header(&files, source)?;
    let mut builders: Vec<ColumnBuilder> = names
        .iter()
        .map(|name| {
            let mut builder = ColumnBuilder::new(keeps_codes(roles, name), &source.missing);
            if roles.types.get(name) == Some(&ColumnType::Datetime) {
                builder.restart_as_text();
            }
            builder
        })
        .collect();
    let mut left = limit;
    let mut table_files = Vec::with_capacity(files.len());
    for file in files {
        let mut file = TableFile::new(file);
        file.version = Version::of(&file)?;
        file.rows = csv_records::count(&file, source, names.len(), left)?;
        left -= file.rows;
        table_files.push(file);
    }
    let cells = table_files.iter().map(|file| file.rows).sum::<usize>() * names.len();
    let is_kept = (cells * CELL_BYTES) as u64 <= limit_bytes;
    if !is_kept {
        builders.iter_mut().for_each(ColumnBuilder::forget);
    }
    for file in &table_files {
        scan(file, source, None, file.rows, |batch| {
            let builders: Vec<_> = builders.iter_mut().zip(&names).collect();
            builders
                .into_par_iter()
                .try_for_each(|(builder, name)| builder.push(batch.column(name)?))
        })?;
    }
    if !is_kept {
        let kinds: Vec<(String, Kind)> = builders
            .iter()
            .map(ColumnBuilder::kind)
            .zip(names)
            .map(|(k, n)| (n, k))
            .collect();
        let own = kinds.iter().zip(&builders).map(|((name, kind), builder)| TableColumn {
            wide_integer: builder.wide_integer(),
            ..TableColumn::new(name, kind.dtype())
        });
        let mut columns: Vec<TableColumn> = own.collect();
        columns.extend(hive::columns(&table_files, &columns));
        let source = source.clone();
        return Ok((table_files, columns, Parsed::Again(CsvTable { source, kinds })));
    }
    reread(&mut builders, &names, &table_files, source)?;
    let mut columns = Vec::with_capacity(names.len());
    let mut series = Vec::with_capacity(names.len());
    for (name, builder) in names.into_iter().zip(builders) {
        let wide_integer = builder.wide_integer();
        let column = builder.finish(&name);
        columns.push(TableColumn {
            wide_integer,
            ..TableColumn::new(&name, column.dtype().clone())
        });
        series.push(Column::from(column));
    }
    let unreadable = |source: PolarsError| DataError::Unreadable {
        file: table_files[0].name.clone(),
        source: source.into(),
    };
    for column in hive::columns(&table_files, &columns) {
        let mut parts = table_files
            .iter()
            .map(|file| hive::column(file, &column.name, &column.dtype, file.rows));
        let Some(first) = parts.next() else { continue };
        let whole = parts.try_fold(first, |mut whole, part| {
            whole.append_owned(part)?;
            Ok(whole)
        });
        series.push(whole.map_err(unreadable)?.rechunk());
        columns.push(column);
    }
    let frame = DataFrame::new_infer_height(series).map_err(unreadable)?;
    Ok((table_files, columns, Parsed::Frame(frame)))
}

/// Columns whose texts are names: `007` must not become 7.
fn keeps_codes(roles: &RoleSpec, name: &str) -> bool {
    roles.types.get(name) == Some(&ColumnType::Categorical)
        || roles.target == name
        || roles.group.as_deref() == Some(name)
        || roles.fold.as_deref() == Some(name)
}

/// Reads columns again that turned out to be text after their first cells had become numbers.
fn reread(
    builders: &mut [ColumnBuilder],
    names: &[String],
    files: &[TableFile],
    source: &SourceSpec,
) -> Result<(), DataError> {
    let mut again: Vec<(&mut ColumnBuilder, &String)> = builders
        .iter_mut()
        .zip(names)
        .filter(|(builder, _)| builder.lost_text())
        .collect();
    if again.is_empty() {
        return Ok(());
    }
    for (builder, _) in &mut again {
        builder.restart_as_text();
    }
    for file in files {
        let wanted: Vec<&str> = again.iter().map(|(_, name)| name.as_str()).collect();
        scan(file, source, Some(&wanted), file.rows, |batch| {
            again
                .par_iter_mut()
                .try_for_each(|(builder, name)| builder.push(batch.column(name)?))
        })?;
    }
    Ok(())
}

/// Hands over the first `rows` rows of one file, every cell as text; [`csv_records::count`] says how many there are. With
/// `only`, of these columns.
pub(super) fn scan(
    file: &TableFile,
    source: &SourceSpec,
    only: Option<&[&str]>,
    rows: usize,
    mut take: impl FnMut(&DataFrame) -> Result<(), PolarsError>,
) -> Result<(), DataError> {
    if rows == 0 {
        return Ok(());
    }
    let names = header(file, source)?;
    let schema: Schema = names.into_iter().map(|name| (name.into(), DataType::String)).collect();
    let mut taken = 0;
    let mut count = |batch: DataFrame| {
        taken += batch.height();
        take(&batch)
    };
    let mut read = || -> Result<(), Stop> {
        if !csv_text::is_plain(file, source) {
            return csv_text::scan(file, source, &schema, only, rows, &mut count);
        }
        let mut frame = LazyCsvReader::new(PlRefPath::try_from_path(&file.path)?)
            .with_has_header(true)
            .with_schema(Some(Arc::new(schema.clone())))
            .with_separator(source.delimiter)
            .with_quote_char(source.quote)
            .with_missing_is_null(false)
            .with_glob(false)
            .with_raise_if_empty(false)
            .with_n_rows(Some(rows))
            .finish()?;
        if let Some(only) = only {
            // Names are literal: `col("*")` or `col("^a$")` would be patterns.
            frame = frame.select([by_name(only.iter().copied(), true, false).as_expr()]);
        }
        for_each_batch(frame, &file.name, |batch| Ok(count(batch)?))
    };
    let outcome = read().map_err(|stop| match stop {
        Stop::Taker(error) => error,
        Stop::Reader(source) => DataError::Unreadable {
            file: file.name.clone(),
            source: source.into(),
        },
    });
    // A file that changes under the reader has any error: the change is the one to tell.
    file.version.check(file)?;
    outcome?;
    if taken == rows {
        return Ok(());
    }
    Err(DataError::RowsDisagree {
        file: file.name.clone(),
        counted: rows,
        parsed: taken,
    })
}

/// The header of the first file, which the others must repeat, in any order.
pub(super) fn common_header(files: &[DataFile], source: &SourceSpec) -> Result<Vec<String>, DataError> {
    let mut first: Option<Vec<TableColumn>> = None;
    for file in files {
        let own: Vec<TableColumn> = header(&TableFile::new(file.clone()), source)?
            .iter()
            .map(|name| TableColumn::new(name, DataType::String))
            .collect();
        match &first {
            None => first = Some(own),
            Some(columns) => compare(&files[0].name, columns, &file.name, &own)?,
        }
    }
    Ok(first
        .unwrap_or_default()
        .into_iter()
        .map(|column| column.name)
        .collect())
}

/// The column names of one file.
pub(super) fn header(file: &TableFile, source: &SourceSpec) -> Result<Vec<String>, DataError> {
    let io = |source| csv_text::read_error(file, source);
    csv_records::check_start(file, source)?;
    let text = csv_text::open(file, source).map_err(io)?;
    // A file of one endless line is no header.
    let mut reader = BufReader::new(text).take(LONGEST_RECORD as u64 + 1);
    let mut record = Vec::new();
    let mut quotes = 0;
    // A quoted name may hold line ends: the record ends at a line end with an even number of quotes before it.
    loop {
        let before = record.len();
        let read = reader.read_until(b'\n', &mut record).map_err(io)?;
        quotes += record[before..]
            .iter()
            .filter(|&&byte| Some(byte) == source.quote)
            .count();
        if record.len() > LONGEST_RECORD {
            return Err(DataError::LongRecord {
                file: file.name.clone(),
                row: 0,
                bytes: LONGEST_RECORD,
            });
        }
        if quotes % 2 == 0 {
            break;
        }
        if read == 0 {
            return Err(DataError::OpenQuote {
                file: file.name.clone(),
                row: 0,
            });
        }
    }
    let text = String::from_utf8(record).map_err(|error| DataError::NotText {
        file: file.name.clone(),
        row: 0,
        byte: error.utf8_error().valid_up_to() as u64,
        found: "is not UTF-8",
    })?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(DataError::EmptyFile {
            file: file.name.clone(),
        });
    }
    let names = split_record(text, source);
    if let ([only], Some(likely)) = (
        names.as_slice(),
        [',', ';', '\t', '|']
            .into_iter()
            .find(|other| names[0].contains(*other)),
    ) {
        let (file, header, delimiter) = (file.name.clone(), only.clone(), char::from(source.delimiter));
        return Err(DataError::WrongDelimiter {
            file,
            header,
            delimiter,
            likely,
        });
    }
    names::refuse_repeats(&file.name, names.iter().map(String::as_str))?;
    Ok(names)
}

/// Splits one record, undoing quotes and doubled quotes.
fn split_record(text: &str, source: &SourceSpec) -> Vec<String> {
    let (delimiter, quote) = (char::from(source.delimiter), source.quote.map(char::from));
    let mut names = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let last = names.len() - 1;
        if Some(character) == quote {
            if is_quoted && characters.peek() == Some(&character) {
                names[last].push(character);
                characters.next();
            } else {
                is_quoted = !is_quoted;
            }
        } else if character == delimiter && !is_quoted {
            names.push(String::new());
        } else {
            names[last].push(character);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_records_follow_csv_quoting() {
        let source = SourceSpec::default();
        assert_eq!(split_record(r#"a,"b,c","d""e",f"#, &source), ["a", "b,c", "d\"e", "f"]);
        let source = SourceSpec {
            delimiter: b';',
            quote: None,
            ..source
        };
        assert_eq!(split_record(r#"a;"b";"#, &source), ["a", "\"b\"", ""]);
    }

    #[test]
    fn codes_are_kept_where_texts_are_names() {
        let roles = RoleSpec {
            target: "y".into(),
            types: [("zip".to_owned(), ColumnType::Categorical)].into(),
            ..RoleSpec::default()
        };
        assert!(keeps_codes(&roles, "zip") && keeps_codes(&roles, "y"));
        assert!(!keeps_codes(&roles, "x"));
    }
}
