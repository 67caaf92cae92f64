//! Predictions on disk: a temporary file that takes its name when it is complete.

use std::fs::File;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use polars::io::csv::write::BatchedWriter as CsvBatches;
use polars::io::parquet::write::BatchedWriter as ParquetBatches;
use polars::prelude::{
    Column, CsvWriter, DataFrame, DataType, IntoColumn, ParquetWriter, PolarsError, SerWriter, StringChunked,
};
use rayon::prelude::*;

use super::error::ApplyError;
use super::scorer::ScoredBatch;

/// Writes `prediction`, `prob_<negative>`, `prob_<positive>` and the id of each row, in order.
pub struct PredictionWriter {
    path: PathBuf,
    file: AtomicWriteFile,
    encoder: Encoder,
    labels: [String; 2],
    cut: f64,
}

/// A format, begun at the first batch: only that has the type of the id.
enum Encoder {
    Parquet(Option<Box<ParquetBatches<File>>>),
    Csv(Option<Box<CsvBatches<File>>>),
}

/// The column of predicted labels.
const PREDICTION: &str = "prediction";

impl std::fmt::Debug for PredictionWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PredictionWriter")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl PredictionWriter {
    /// Begins the file at `path`, whose ending names the format. `labels` are the negative and the positive one; log odds above
    /// `cut` predict the positive one.
    pub fn create(path: &Path, labels: [String; 2], cut: f64) -> Result<Self, ApplyError> {
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .map(str::to_ascii_lowercase);
        let encoder = match ending.as_deref() {
            Some("parquet" | "pq") => Encoder::Parquet(None),
            Some("csv") => Encoder::Csv(None),
            _ => {
                let path = path.to_path_buf();
                return Err(ApplyError::OutputFormat { path });
            }
        };
        let file = AtomicWriteFile::open(path).map_err(|source| ApplyError::Write {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            encoder,
            labels,
            cut,
        })
    }

    /// Adds the rows of a batch.
    pub fn write(&mut self, batch: ScoredBatch) -> Result<(), ApplyError> {
        let frame = self.frame(batch)?;
        let path = self.path.clone();
        let encode = |source: PolarsError| ApplyError::Encode {
            path: path.clone(),
            source: source.into(),
        };
        let open = |file: &AtomicWriteFile| {
            file.as_file().try_clone().map_err(|source| ApplyError::Write {
                path: path.clone(),
                source,
            })
        };
        let schema = frame.schema().clone();
        match &mut self.encoder {
            Encoder::Parquet(writer) => {
                let writer = if let Some(writer) = writer {
                    writer
                } else {
                    let begun = ParquetWriter::new(open(&self.file)?).batched(&schema);
                    writer.insert(Box::new(begun.map_err(encode)?))
                };
                writer.write_batch(&frame).map_err(encode)
            }
            Encoder::Csv(writer) => {
                let writer = if let Some(writer) = writer {
                    writer
                } else {
                    let begun = CsvWriter::new(open(&self.file)?).batched(&schema);
                    writer.insert(Box::new(begun.map_err(encode)?))
                };
                writer.write_batch(&frame).map_err(encode)
            }
        }
    }

    /// Ends the file and gives it its name. Until then nothing of it is to be seen.
    pub fn finish(self) -> Result<(), ApplyError> {
        let encode = |source: PolarsError| ApplyError::Encode {
            path: self.path.clone(),
            source: source.into(),
        };
        match self.encoder {
            Encoder::Parquet(Some(writer)) => {
                writer.finish().map_err(encode)?;
            }
            Encoder::Csv(Some(mut writer)) => writer.finish().map_err(encode)?,
            Encoder::Parquet(None) | Encoder::Csv(None) => {}
        }
        self.file.commit().map_err(|source| ApplyError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn frame(&self, batch: ScoredBatch) -> Result<DataFrame, ApplyError> {
        let is_csv = matches!(self.encoder, Encoder::Csv(_));
        let labels = self
            .labels
            .clone()
            .map(|label| if is_csv { harmless(&label) } else { label });
        let ScoredBatch { z, id, .. } = batch;
        let predicted: StringChunked = z
            .iter()
            .map(|z| Some(labels[usize::from(*z > self.cut)].as_str()))
            .collect();
        let name = |class: usize| format!("prob_{}", self.labels[class]);
        let probability = |sign: f64| z.par_iter().map(|z| sigmoid(sign * z)).collect::<Vec<f64>>();
        let mut columns = vec![
            predicted.with_name(PREDICTION.into()).into_column(),
            Column::new(name(0).into(), probability(-1.0)),
            Column::new(name(1).into(), probability(1.0)),
        ];
        if let Some(id) = id {
            if columns.iter().any(|column| column.name() == id.name()) {
                let column = id.name().to_string();
                return Err(ApplyError::IdName { column });
            }
            // The encoders want the chunks of all columns aligned.
            columns.push(if is_csv { self.harmless_id(&id)? } else { id.rechunk() });
        }
        DataFrame::new(z.len(), columns).map_err(|source| self.encode(source))
    }

    /// Numbers as they are, anything else as text.
    fn harmless_id(&self, id: &Column) -> Result<Column, ApplyError> {
        let mut out = id.rechunk();
        if !(id.dtype().is_primitive_numeric() || id.dtype().is_bool()) {
            let texts = id.cast(&DataType::String).map_err(|source| self.encode(source))?;
            let texts = texts
                .as_materialized_series()
                .str()
                .map_err(|source| self.encode(source))?
                .clone();
            let cells: StringChunked = texts.iter().map(|text| text.map(harmless)).collect();
            out = cells.into_column();
        }
        out.rename(harmless(id.name()).into());
        Ok(out)
    }

    fn encode(&self, source: PolarsError) -> ApplyError {
        ApplyError::Encode {
            path: self.path.clone(),
            source: source.into(),
        }
    }
}

/// A cell of text that a spreadsheet does not take for a formula: an apostrophe in front keeps it a text. A plain number is none.
fn harmless(text: &str) -> String {
    let first = text.trim_start().chars().next();
    let starts_formula = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    if starts_formula && text.parse::<f64>().is_err() {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// `1 / (1 + e^−z)` without overflow, with full relative precision where it is small.
fn sigmoid(z: f64) -> f64 {
    let e = (-z.abs()).exp();
    if z >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    fn batch(z: &[f64], id: Option<Column>) -> ScoredBatch {
        ScoredBatch {
            weights: Vec::new(),
            z: z.to_vec(),
            labels: Vec::new(),
            id,
        }
    }

    fn labels(negative: &str, positive: &str) -> [String; 2] {
        [negative.to_owned(), positive.to_owned()]
    }

    #[test]
    fn a_csv_appears_when_it_is_complete_and_holds_no_formula() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        let mut writer = PredictionWriter::create(&path, labels("no", "=yes()"), 0.0).unwrap();
        let id = Column::new("=id".into(), ["@a", "-3"]);
        writer.write(batch(&[0.0, 800.0], Some(id))).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "prediction,prob_no,prob_=yes(),'=id\nno,0.5,0.5,'@a\n'=yes(),0.0,1.0,-3\n"
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no temporary is left"
        );
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.parquet");
        let mut writer = PredictionWriter::create(&path, labels("0", "1"), 0.0).unwrap();
        writer.write(batch(&[1.0], None)).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn names_that_clash_and_endings_without_a_format_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.parquet");
        let mut writer = PredictionWriter::create(&path, labels("0", "1"), 0.0).unwrap();
        let id = Column::new("prob_1".into(), [1_i64]);
        assert!(matches!(
            writer.write(batch(&[1.0], Some(id))),
            Err(ApplyError::IdName { .. })
        ));
        let other = PredictionWriter::create(&folder.path().join("scores.xlsx"), labels("0", "1"), 0.0);
        assert!(matches!(other, Err(ApplyError::OutputFormat { .. })));
    }

    #[test]
    fn small_probabilities_keep_their_digits() {
        assert_eq!(sigmoid(-700.0), (-700.0_f64).exp());
        assert_eq!((sigmoid(0.0), sigmoid(-1e9), sigmoid(1e9)), (0.5, 0.0, 1.0));
    }
}
