//! Calibrated probabilities and tuned thresholds, from out-of-fold predictions: rows that the runs which predict them never saw.
//!
//! - [`map`](mod@map): a fitted calibration, by [`platt`] or [`isotonic`]
//! - [`threshold`]: the threshold that is best for a metric
//! - [`file`](mod@file): what lies beside the model
//! - [`measure`]: how good probabilities are, before and after
//!
//! What is written is fitted to all predictions. What is said of it is cross-fitted: every part of the rows is measured under a calibration and
//! a threshold fitted to the other parts.

mod file;
mod isotonic;
mod map;
mod measure;
mod platt;
mod threshold;

pub use file::Calibration;
pub use map::{Map, Method};
pub use measure::{Bin, Scores};
pub use threshold::Decision;

use std::path::{Path, PathBuf};

use gradsweep_math::loss::logistic::sigmoid;
use gradsweep_store::{Model, Predictions, Store};
use serde::Serialize;

use self::threshold::Counts;
use crate::error::RunError;
use crate::model;

/// Parts of the rows where the sweep's own folds cannot serve.
const PARTS: u32 = 5;

/// What to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalibrateRequest {
    /// The sweep's directory.
    pub store: PathBuf,
    /// How probabilities are calibrated; they stay as they are if not at all.
    pub method: Option<Method>,
    /// What the threshold is best for; it stays if for nothing.
    pub threshold: Option<Decision>,
}

/// What was fitted, and what it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    /// The model's folder, in which the calibration lies.
    pub model: PathBuf,
    /// The trial.
    pub trial: u32,
    /// Out-of-fold predictions.
    pub rows: u64,
    /// Parts that were measured one after the other.
    pub parts: usize,
    /// What was written.
    pub calibration: Calibration,
    /// Of the predictions as they are.
    pub before: Scores,
    /// Of the calibrated ones, each part under the calibration of the others.
    pub after: Scores,
    /// What the tuned threshold does.
    pub threshold: Option<Tuned>,
    /// Tenths of the rows, by their predictions.
    pub table: Vec<Bin>,
    /// What a reader should know, a sentence each.
    pub notes: Vec<String>,
}

/// What a tuned threshold does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuned {
    /// The metric.
    pub metric: &'static str,
    /// The model's own threshold.
    pub usual: f64,
    /// The metric under it, of the probabilities as they are.
    pub before: f64,
    /// The tuned threshold.
    pub threshold: f64,
    /// The metric, each part under the threshold that is best for the others.
    pub after: f64,
}

/// A row that a run predicted without having seen it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    z: f64,
    y: bool,
    part: u32,
}

/// Fits a calibration and a threshold, and writes them beside the sweep's model.
pub fn calibrate(request: &CalibrateRequest) -> Result<Calibrated, RunError> {
    let store = Store::open(&request.store)?;
    let (dir, model) = model::find(&request.store)?;
    let trial = model.info.trial;
    let (rows, is_by_folds) = rows(&store, trial)?;
    let usual = model.info.threshold;
    let tune = |rows: &[(f64, bool)]| request.threshold.map(|metric| threshold::best(metric, rows, usual));

    let mut parts: Vec<u32> = rows.iter().map(|row| row.part).collect();
    parts.sort_unstable();
    parts.dedup();
    let mut after = rows.clone();
    let mut counts = Counts::default();
    for &part in &parts {
        let others: Vec<(f64, bool)> = rows
            .iter()
            .filter(|row| row.part != part)
            .map(|row| (row.z, row.y))
            .collect();
        let map = request.method.map(|method| Map::fit(method, &others));
        let calibrated = |z: f64| map.as_ref().map_or(z, |map| map.apply(z));
        let others: Vec<(f64, bool)> = others.iter().map(|&(z, y)| (sigmoid(calibrated(z)), y)).collect();
        let threshold = tune(&others).unwrap_or(usual);
        let own = after.iter_mut().filter(|row| row.part == part);
        let own = own.map(|row| {
            row.z = calibrated(row.z);
            (sigmoid(row.z), row.y)
        });
        counts.add(&Counts::of(own, threshold));
    }

    let all: Vec<(f64, bool)> = rows.iter().map(|row| (row.z, row.y)).collect();
    let map = request.method.map(|method| Map::fit(method, &all));
    let probability = |z: f64| sigmoid(map.as_ref().map_or(z, |map| map.apply(z)));
    let chosen = tune(&all.iter().map(|&(z, y)| (probability(z), y)).collect::<Vec<_>>());
    let threshold = request.threshold.zip(chosen).map(|(metric, threshold)| Tuned {
        metric: metric.name(),
        usual,
        before: metric.value(&Counts::of(all.iter().map(|&(z, y)| (sigmoid(z), y)), usual)),
        threshold,
        after: metric.value(&counts),
    });
    let (before, after_scores) = (Scores::of(&rows), Scores::of(&after));
    let mut notes = notes(&store, is_by_folds);
    if request.method.is_some() && after_scores.log_loss >= before.log_loss {
        notes.push(
            "this calibration does not lower the log loss: the probabilities are as good without it, and predict applies it only with \
             --calibrated"
                .to_owned(),
        );
    }
    let tuned = threshold.as_ref().map(|tuned| (tuned.threshold, tuned.metric));
    let calibration = Calibration::new(&model, map, tuned, rows.len() as u64);
    calibration.write(&dir)?;
    Ok(Calibrated {
        model: dir,
        trial,
        rows: rows.len() as u64,
        parts: parts.len(),
        before,
        after: after_scores,
        threshold,
        table: measure::table(&rows, &after),
        notes,
        calibration,
    })
}

/// The calibration that `predict --calibrated` applies.
pub(crate) fn stored(dir: &Path, model: &Model) -> Result<Calibration, RunError> {
    Calibration::read(dir, model)
}

/// The predictions of a trial, in parts that share no row: the folds where there are several and each row is predicted once, or else
/// parts drawn by the row's number.
fn rows(store: &Store, trial: u32) -> Result<(Vec<Row>, bool), RunError> {
    let refuse = |why: &str| RunError::NotFound {
        what: format!("{} {why}", store.dir().display()),
    };
    let Predictions {
        row,
        trial: trials,
        fold,
        repeat,
        y,
        prob,
    } = store.predictions()?.ok_or_else(|| {
        refuse("has no out-of-fold predictions: run its config again with rows held out and --set output.predictions=selected")
    })?;
    let own: Vec<usize> = (0..row.len()).filter(|&i| trials[i] == trial).collect();
    let is_repeated = own.iter().any(|&i| repeat[i] > 0);
    let has_folds = own.iter().any(|&i| fold[i] > 0);
    let is_by_folds = has_folds && !is_repeated;
    let of = |&i: &usize| {
        // Probabilities of exactly 0 and 1 are rounded ones.
        let p = prob[i].clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        Row {
            z: (p / (1.0 - p)).ln(),
            y: y[i] == 1,
            part: if is_by_folds { fold[i] } else { drawn(row[i]) },
        }
    };
    let rows: Vec<Row> = own.iter().map(of).collect();
    let positives = rows.iter().filter(|row| row.y).count();
    if positives == 0 || positives == rows.len() {
        return Err(refuse(&format!(
            "has {} out-of-fold predictions of trial {trial}, {positives} of them of the positive label: there is nothing to fit",
            rows.len()
        )));
    }
    Ok((rows, is_by_folds))
}

/// The part of a row: the same for all of its repeats.
fn drawn(row: u32) -> u32 {
    // Neighbors, which may be alike in what they are, fall into different parts. Knuth's multiplicative hash.
    (row.wrapping_mul(2_654_435_761) >> 16) % PARTS
}

fn notes(store: &Store, is_by_folds: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !is_by_folds {
        notes.push(format!(
            "rows are held out once from one fold, or in several repeats: the figures after are cross-fitted over {PARTS} parts of the rows"
        ));
    }
    let weight = store.manifest().keys.get("data.weight");
    if weight.is_some_and(|weight| !weight.is_null()) {
        notes.push("every row counts once here, whatever its weight".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_like_size() {
        let mut counts = [0; PARTS as usize];
        for row in 0..10_000 {
            counts[drawn(row) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (1900..2100).contains(count)), "{counts:?}");
    }
}
