//! `predictions.parquet`: what runs predict for the rows that were held out from them.

use polars::prelude::{DataFrame, PolarsResult};

use crate::disk::{Disk, disk};
use crate::error::StoreError;
use crate::frame::{Frame, column};
use crate::reader::{Store, made_from};
use crate::tables::MADE_FROM;
use crate::writer::StoreWriter;
use crate::{atomic, layout, parts, sealed};

/// Which trials the table is of, as a text beside the rows.
const TRIALS: &str = "gradsweep.predictions";

/// Out-of-fold predictions, a column per field: by trial, fold, repeat, row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// Row of the files, from 0 over all of them.
    pub row: Vec<u32>,
    /// The trial.
    pub trial: Vec<u32>,
    /// The fold that held the row out.
    pub fold: Vec<u32>,
    /// Which repeat of the split.
    pub repeat: Vec<u32>,
    /// Whether the row has the positive label, as 1 and 0.
    pub y: Vec<u8>,
    /// The probability of the positive label: the mean of those of the restarts.
    pub prob: Vec<f64>,
}

impl Predictions {
    fn to_frame(&self) -> PolarsResult<DataFrame> {
        let columns = vec![
            column("row", &self.row),
            column("trial", &self.trial),
            column("fold", &self.fold),
            column("repeat", &self.repeat),
            column("y", &self.y),
            column("prob", &self.prob),
        ];
        DataFrame::new(self.row.len(), columns)
    }

    fn from_frame(frame: &Frame) -> Result<Self, StoreError> {
        let y = frame.u8("y")?.iter().map(|cell| cell.unwrap_or(0));
        let prob = frame.f64("prob")?.iter().map(|cell| cell.unwrap_or(f64::NAN));
        Ok(Self {
            row: frame.all_u32("row")?,
            trial: frame.all_u32("trial")?,
            fold: frame.all_u32("fold")?,
            repeat: frame.all_u32("repeat")?,
            y: y.collect(),
            prob: prob.collect(),
        })
    }
}

/// One held-out row as a trial predicted it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfFold {
    /// The fold it was held out in.
    pub fold: u32,
    /// The repeat of the folds.
    pub repeat: u32,
    /// 1 where the row is positive.
    pub y: f64,
    /// The probability that it is.
    pub prob: f64,
}

impl Predictions {
    /// The rows of one trial.
    pub fn of_trial(&self, trial: u32) -> Vec<OutOfFold> {
        let rows = (0..self.trial.len()).filter(|row| self.trial[*row] == trial);
        rows.map(|row| OutOfFold {
            fold: self.fold[row],
            repeat: self.repeat[row],
            y: f64::from(self.y[row]),
            prob: self.prob[row],
        })
        .collect()
    }
}

impl Store {
    /// The out-of-fold predictions, if they are there and made from the plan and the parts that are there.
    pub fn predictions(&self) -> Result<Option<Predictions>, StoreError> {
        self.table(layout::PREDICTIONS)?
            .as_ref()
            .map(Predictions::from_frame)
            .transpose()
    }

    /// Whether the predictions that are there are of the parts that are there, and of these trials.
    pub fn has_predictions(&self, trials: &str) -> Result<bool, StoreError> {
        let notes = self.current_notes(layout::PREDICTIONS)?;
        Ok(notes.is_some_and(|notes| notes.get(TRIALS).is_some_and(|own| own == trials)))
    }
}

impl StoreWriter {
    /// Writes the out-of-fold predictions of some trials, which a text names; it is kept beside the rows.
    pub fn write_predictions(&self, trials: &str, predictions: &Predictions) -> Result<(), StoreError> {
        let path = self.dir().join(layout::PREDICTIONS);
        let store = Store::open(self.dir())?;
        let source = made_from(store.manifest(), &parts::list(self.dir())?);
        let notes = [(MADE_FROM, source.as_str()), (TRIALS, trials)];
        let bytes = predictions
            .to_frame()
            .and_then(|frame| sealed::encode_one(frame, &notes))
            .map_err(|source| StoreError::Encode {
                path: path.clone(),
                source,
            })?;
        atomic::write_if_changed(&path, &bytes)
    }

    /// Removes predictions that are not wanted any more.
    pub fn remove_predictions(&self) -> Result<(), StoreError> {
        let path = self.dir().join(layout::PREDICTIONS);
        match disk().remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Io {
                action: "remove",
                path,
                source,
            }),
            _ => Ok(()),
        }
    }
}
