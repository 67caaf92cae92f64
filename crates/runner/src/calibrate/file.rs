//! `calibration.json`, beside the model it belongs to.

use std::path::Path;

use gradsweep_store::{self as store, Model};
use serde::{Deserialize, Serialize};

use super::map::Map;
use crate::error::RunError;

const FILE: &str = "calibration.json";
const FORMAT: u32 = 1;

/// What `predict --calibrated` applies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Version of this file.
    format: u32,
    /// The identity of the model it was fitted for.
    identity: String,
    /// From log odds to calibrated ones; none leaves them.
    pub map: Option<Map>,
    /// A calibrated probability above this predicts the positive label.
    pub threshold: f64,
    /// The metric that the threshold is best for; none if it is the model's own.
    pub tuned_for: Option<String>,
    /// Rows it was fitted on.
    pub rows: u64,
}

impl Calibration {
    /// For a model.
    pub(super) fn new(model: &Model, map: Option<Map>, tuned: Option<(f64, &str)>, rows: u64) -> Self {
        Self {
            format: FORMAT,
            identity: model.info.identity.clone(),
            map,
            threshold: tuned.map_or(model.info.threshold, |(threshold, _)| threshold),
            tuned_for: tuned.map(|(_, metric)| metric.to_owned()),
            rows,
        }
    }

    /// Writes it beside the model in `dir`.
    pub(super) fn write(&self, dir: &Path) -> Result<(), RunError> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        Ok(store::write_beside_model(dir, FILE, &bytes)?)
    }

    /// The calibration of the model in `dir`.
    pub(crate) fn read(dir: &Path, model: &Model) -> Result<Self, RunError> {
        let path = dir.join(FILE);
        let unusable = |why: &str| RunError::NotFound {
            what: format!("{} {why}; make it with: gradsweep calibrate STORE", path.display()),
        };
        let bytes = std::fs::read(&path).map_err(|_| unusable("is not there"))?;
        let found: Self = serde_json::from_slice(&bytes).map_err(|_| unusable("is damaged"))?;
        if found.format != FORMAT {
            return Err(unusable("is of another version"));
        }
        if found.identity != model.info.identity {
            return Err(unusable("was fitted for another model"));
        }
        if !(found.threshold > 0.0 && found.threshold < 1.0) || found.map.as_ref().is_some_and(|map| !map.is_sound()) {
            return Err(unusable("is damaged"));
        }
        Ok(found)
    }
}
