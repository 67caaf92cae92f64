//! A stored model on new files: predictions, or how good it is on labelled ones.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gradsweep_data::{Applied, ApplyError, PredictionWriter};
use gradsweep_math::metric::{Metric, ScoredRows, cut};
use gradsweep_store::{Model, ModelTarget};
use serde::Serialize;

use crate::calibrate::{self, Calibration};
use crate::error::RunError;
use crate::model::{self, apply_spec, scorer};

/// What was predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The model's folder.
    pub model: PathBuf,
    /// The file that was written.
    pub out: PathBuf,
    /// What the model predicts.
    pub target: ModelTarget,
    /// Rows predicted as positive.
    pub positives: u64,
    /// What was read, and how it differs from training.
    pub applied: Applied,
    /// Wall time.
    pub seconds: f64,
}

/// Predicts every row of the files and writes them to `out`, which appears when it is complete.
pub fn predict(path: &Path, files: &[String], out: &Path) -> Result<Prediction, RunError> {
    let (dir, model) = model::find(path)?;
    write(dir, &model, None, files, out)
}

/// As [`predict`], with the calibration and the threshold that lie beside the model.
pub fn predict_calibrated(path: &Path, files: &[String], out: &Path) -> Result<Prediction, RunError> {
    let (dir, model) = model::find(path)?;
    let calibration = calibrate::stored(&dir, &model)?;
    write(dir, &model, Some(&calibration), files, out)
}

fn write(
    dir: PathBuf,
    model: &Model,
    calibration: Option<&Calibration>,
    files: &[String],
    out: &Path,
) -> Result<Prediction, RunError> {
    let start = Instant::now();
    let target = &model.info.target;
    let cut = cut(calibration.map_or(model.info.threshold, |own| own.threshold));
    let map = calibration.and_then(|own| own.map.as_ref());
    let labels = [target.negative.clone(), target.positive.clone()];
    let mut writer = PredictionWriter::create(out, labels, cut)?;
    let mut positives = 0;
    let applied = scorer(model).score::<ApplyError>(&apply_spec(model, files, false), |mut batch| {
        if let Some(map) = map {
            batch.z.iter_mut().for_each(|z| *z = map.apply(*z));
        }
        positives += batch.z.iter().filter(|z| **z > cut).count() as u64;
        writer.write(batch)
    })?;
    writer.finish()?;
    Ok(Prediction {
        model: dir,
        out: out.to_path_buf(),
        target: target.clone(),
        positives,
        applied,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// How good a model is on labelled rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The model's folder.
    pub model: PathBuf,
    /// Rows with a label.
    pub rows: u64,
    /// Rows of them with the positive label.
    pub positives: u64,
    /// Rows left out for want of a label.
    pub rows_dropped: u64,
    /// The column that said how much each row counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Each metric; nothing where it is not defined, as `roc_auc` with one class.
    pub metrics: Vec<(&'static str, Option<f64>)>,
    /// What was read, and how it differs from training.
    #[serde(skip)]
    pub applied: Applied,
    /// The file's labels as the model knows them.
    #[serde(skip)]
    pub target: ModelTarget,
}

/// Scores labelled files by every metric.
pub fn evaluate(path: &Path, files: &[String]) -> Result<Evaluation, RunError> {
    let (dir, model) = model::find(path)?;
    measure(&dir, &model, files, Metric::ALL)
}

/// Scores labelled files by some metrics.
pub(crate) fn measure(dir: &Path, model: &Model, files: &[String], metrics: &[Metric]) -> Result<Evaluation, RunError> {
    let mut rows: Vec<(f64, bool)> = Vec::new();
    let mut weights: Vec<f64> = Vec::new();
    let applied = scorer(model).score::<ApplyError>(&apply_spec(model, files, true), |batch| {
        let labelled = batch.z.iter().zip(&batch.labels);
        rows.extend(labelled.filter_map(|(z, label)| Some((*z, (*label)?))));
        let labelled = batch.weights.iter().zip(&batch.labels);
        weights.extend(labelled.filter_map(|(weight, label)| label.map(|_| *weight)));
        Ok(())
    })?;
    let positives = rows.iter().filter(|(_, label)| *label).count() as u64;
    let labelled = rows.len() as u64;
    let is_weighted = !weights.is_empty();
    let scored = if is_weighted {
        let rows = rows.into_iter().zip(weights);
        ScoredRows::weighted(
            rows.map(|((z, label), weight)| (z, label, weight)),
            model.info.threshold,
        )
    } else {
        ScoredRows::new(rows, model.info.threshold)
    };
    let value = |metric: &Metric| {
        (
            metric.name(),
            Some(metric.value(&scored)).filter(|value| value.is_finite()),
        )
    };
    Ok(Evaluation {
        model: dir.to_path_buf(),
        rows: labelled,
        positives,
        rows_dropped: applied.rows - labelled,
        weight: model.info.weight().filter(|_| is_weighted).map(str::to_owned),
        metrics: metrics.iter().map(value).collect(),
        applied,
        target: model.info.target.clone(),
    })
}
