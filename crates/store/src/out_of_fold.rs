//! Reads `predictions.parquet`: what runs said of the rows held out from them.

use std::path::Path;

use crate::error::StoreError;
use crate::frame::Frame;
use crate::layout;

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

/// The predictions of one trial; nothing where the store in `dir` keeps none.
pub(crate) fn read(dir: &Path, trial: u32) -> Result<Option<Vec<OutOfFold>>, StoreError> {
    let path = dir.join(layout::PREDICTIONS);
    if !path.exists() {
        return Ok(None);
    }
    let frame = Frame::read(&path)?;
    let trials = frame.all_u32("trial")?;
    let folds = frame.all_u32("fold")?;
    let repeats = frame.all_u32("repeat")?;
    let y = frame.f64("y")?;
    let prob = frame.f64("prob")?;
    let rows = (0..trials.len()).filter(|row| trials[*row] == trial);
    let rows = rows.filter_map(|row| {
        Some(OutOfFold {
            fold: folds[row],
            repeat: repeats[row],
            y: y.get(row)?,
            prob: prob.get(row)?,
        })
    });
    Ok(Some(rows.collect()))
}
