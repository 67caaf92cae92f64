//! Files read once, in order and in bounded memory: a CSV is not parsed into whole columns, and no type is guessed from its cells.

use polars::prelude::{DataFrame, DataType, PolarsError};

use super::columnar::{self, Version};
use super::files::{Format, expand};
use super::parts::{Part, Parts};
use super::table::{TableColumn, TableFile};
use super::{csv, csv_records, hive};
use crate::error::DataError;
use crate::spec::SourceSpec;

/// Files of one schema, read as one.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) files: Vec<TableFile>,
    /// Name and type of each column; all of a CSV are text.
    pub(crate) columns: Vec<(String, DataType)>,
    /// Whether the cells are texts whose meaning the reader knows.
    pub(crate) is_csv: bool,
    source: SourceSpec,
    format: Format,
    /// The columns as the files have them.
    own: Vec<TableColumn>,
    /// Columns of points in time that are taken apart.
    parts: Parts,
}

impl Stream {
    /// Opens the files and counts their rows; of a CSV, every record is checked here. The columns of `datetimes` are taken apart.
    pub(crate) fn open(source: &SourceSpec, datetimes: &[String]) -> Result<Self, DataError> {
        let (format, files) = expand(&source.paths)?;
        let (files, own) = match format {
            Format::Parquet | Format::Arrow => columnar::open(format, files, usize::MAX)?,
            Format::Csv => {
                let names = csv::common_header(&files, source)?;
                let mut counted = Vec::with_capacity(files.len());
                for file in files {
                    let mut file = TableFile::new(file);
                    file.version = Version::of(&file)?;
                    file.rows = csv_records::count(&file, source, names.len(), usize::MAX)?;
                    counted.push(file);
                }
                let own = names.iter().map(|name| TableColumn::new(name, DataType::String));
                let mut own: Vec<_> = own.collect();
                // As all cells of a CSV, those of the folders' names are texts.
                own.extend(hive::columns(&counted, &own).into_iter().map(|column| TableColumn {
                    dtype: DataType::String,
                    ..column
                }));
                (counted, own)
            }
        };
        if files.iter().all(|file| file.rows == 0) {
            let files = files.into_iter().map(|file| file.name).collect();
            return Err(DataError::NoRows { files });
        }
        let mut columns: Vec<(String, DataType)> = own
            .iter()
            .map(|column| (column.name.clone(), column.dtype.clone()))
            .collect();
        let mut parts = Parts::default();
        for base in datetimes {
            match own
                .iter()
                .find(|column| column.name == *base)
                .map(|column| &column.dtype)
            {
                None => {}
                Some(DataType::Date | DataType::Datetime(..) | DataType::String) => {
                    parts.bases.push(base.clone());
                    columns.extend(Part::all(true).map(|part| (part.name_in(base), DataType::Float64)));
                }
                Some(dtype) => {
                    return Err(DataError::UnsupportedType {
                        column: base.clone(),
                        file: files[0].name.clone(),
                        dtype: dtype.to_string(),
                        part: "datetime",
                    });
                }
            }
        }
        Ok(Self {
            files,
            columns,
            is_csv: format == Format::Csv,
            source: source.clone(),
            format,
            own,
            parts,
        })
    }

    /// The type of a column that exists.
    pub(crate) fn dtype(&self, name: &str) -> Option<&DataType> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, dtype)| dtype)
    }

    /// Hands over the named columns in row order, a batch at a time. An error of `take` stops the reading.
    pub(crate) fn for_each_batch<E: From<DataError>>(
        &self,
        names: &[&str],
        mut take: impl FnMut(DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        let sources = self.parts.sources(names);
        let missing: &[String] = if self.is_csv { &self.source.missing } else { &[] };
        let mut first_row = 0;
        let mut stopped = None;
        for file in self.files.iter().filter(|file| file.rows > 0) {
            let mut pass = |batch: DataFrame| {
                let rows = batch.height();
                let whole = self
                    .parts
                    .compute(batch, names, missing, |row| self.locate(first_row + row))
                    .map_err(E::from);
                first_row += rows;
                whole.and_then(&mut take).map_err(|error| {
                    stopped = Some(error);
                    PolarsError::NoData("stopped".into())
                })
            };
            let unreadable = |source: PolarsError| DataError::Unreadable {
                file: file.name.clone(),
                source: source.into(),
            };
            let read = if self.is_csv {
                csv::scan(file, &self.source, None, file.rows, |batch| {
                    let columns = sources.iter().map(|name| {
                        match self
                            .own
                            .iter()
                            .find(|column| column.is_of_folder && column.name == *name)
                        {
                            Some(column) => Ok(hive::column(file, name, &column.dtype, batch.height())),
                            None => batch.column(name).cloned(),
                        }
                    });
                    let columns = columns.collect::<Result<Vec<_>, _>>()?;
                    pass(DataFrame::new(batch.height(), columns)?)
                })
            } else {
                columnar::scan(self.format, file, &self.own, &sources, &mut |batch| {
                    pass(batch).map_err(unreadable)
                })
            };
            if let Some(error) = stopped.take() {
                return Err(error);
            }
            read?;
        }
        Ok(())
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_the_order_of_files_and_stop_at_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = ["a", "b"].map(|name| folder.path().join(format!("{name}.csv")).display().to_string());
        std::fs::write(&paths[0], "n,t\n1,x\n2,y\n").expect("written");
        std::fs::write(&paths[1], "t,n\nz,3\n").expect("written");
        let source = SourceSpec {
            paths: paths.to_vec(),
            ..SourceSpec::default()
        };
        let stream = Stream::open(&source, &[]).expect("readable");
        assert_eq!((stream.files[1].rows, stream.locate(2).1), (1, 1));
        let mut seen = Vec::new();
        stream
            .for_each_batch::<DataError>(&["n"], |batch| {
                let cells = batch.column("n").expect("selected").as_materialized_series().clone();
                seen.extend(cells.str().expect("text").iter().map(|cell| cell.map(str::to_owned)));
                Ok(())
            })
            .expect("read");
        assert_eq!(seen, [Some("1".to_owned()), Some("2".to_owned()), Some("3".to_owned())]);
        let stopped = stream.for_each_batch::<DataError>(&["n"], |_| Err(DataError::NoPaths));
        assert!(matches!(stopped, Err(DataError::NoPaths)));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv").display().to_string();
        std::fs::write(&path, "n,t\n1,x\n2,y\n").expect("written");
        let source = SourceSpec {
            paths: vec![path.clone()],
            ..SourceSpec::default()
        };
        let stream = Stream::open(&source, &[]).expect("readable");
        std::fs::write(&path, "n,t\n1,x\n2,y\n3,z\n").expect("written");
        let changed = stream.for_each_batch::<DataError>(&["n"], |_| Ok(()));
        assert!(matches!(changed, Err(DataError::FileChanged { .. })), "{changed:?}");
    }
}
