//! Small files to load.

use std::fs::{self, File};

use gradsweep_data::{DataError, Dataset, EncodeSpec, LoadSpec, RoleSpec, SourceSpec, SplitSpec, load};
use polars::prelude::{DataFrame, ParquetWriter};

/// A folder that goes when dropped.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub(crate) fn text(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub(crate) fn parquet(&self, name: &str, frame: &DataFrame, rows_of_group: usize) -> String {
        let file = File::create(self.path(name)).unwrap();
        let writer = ParquetWriter::new(file).with_row_group_size(Some(rows_of_group));
        writer.finish(&mut frame.clone()).unwrap();
        self.path(name)
    }
}

/// Loads `paths` with target `y`.
pub(crate) fn spec(paths: &[String]) -> LoadSpec {
    LoadSpec {
        source: SourceSpec {
            paths: paths.to_vec(),
            ..SourceSpec::default()
        },
        roles: RoleSpec {
            target: "y".to_owned(),
            ..RoleSpec::default()
        },
        encode: EncodeSpec::default(),
        split: SplitSpec {
            folds: 2,
            ..SplitSpec::default()
        },
        seed: 1,
        deal: true,
        rows: None,
    }
}

/// Loads the text as a CSV, after `change`.
pub(crate) fn load_text(text: &str, change: impl FnOnce(&mut LoadSpec)) -> Result<Dataset<f64>, DataError> {
    let folder = Folder::new();
    let mut spec = spec(&[folder.text("a.csv", text)]);
    change(&mut spec);
    load(&spec)
}

/// `header`, then `rows` lines made by `line`.
pub(crate) fn table(header: &str, rows: usize, line: impl Fn(usize) -> String) -> String {
    let lines: String = (0..rows).map(|row| line(row) + "\n").collect();
    format!("{header}\n{lines}")
}

/// What the error says, the folder's name taken out.
pub(crate) fn message(error: &DataError) -> String {
    let text = error.to_string();
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let name = word.rsplit('/').next().unwrap();
        words.push(if word.starts_with('/') {
            name.to_owned()
        } else {
            word.to_owned()
        });
    }
    words.join(" ")
}
