//! A trial of a sweep fitted on the rows of other files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gradsweep_data::{self as data, Dataset, Element};
use gradsweep_math::Real;
use gradsweep_store::{self as store, RunState, Store, trial_model};
use serde::Serialize;

use super::{as_far, fit, identity, metrics_of, on_all_rows, reason_of};
use crate::card;
use crate::config::{self, Config, Strategy};
use crate::dataset::{self, source_spec};
use crate::error::RunError;
use crate::model;
use crate::search::{self, Trial};
use crate::sweep::{in_pool, with_precision};

/// What to refit, on which rows.
#[derive(Debug, Clone)]
pub struct RefitRequest {
    /// The sweep's directory.
    pub store: PathBuf,
    /// The trial; the selected one if none is named.
    pub trial: Option<u32>,
    /// The files.
    pub data: Vec<String>,
    /// The model's folder; one in the store if none is named.
    pub out: Option<PathBuf>,
}

/// A trial fitted on new rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefitSummary {
    /// The model's folder.
    pub model: PathBuf,
    /// The trial.
    pub trial: u32,
    /// Its swept settings.
    pub params: BTreeMap<String, store::ParamValue>,
    /// Rows it was fitted on.
    pub rows: usize,
    /// Its features.
    pub features: usize,
    /// Its scores on those rows.
    pub train: BTreeMap<String, Option<f64>>,
    /// Whether the solver's own criterion was met.
    pub converged: bool,
    /// Epochs trained.
    pub epochs: u32,
    /// What the user should look at in the data, as sentences.
    pub warnings: Vec<String>,
    /// Wall time.
    pub seconds: f64,
}

/// Fits a trial of a sweep on every row of other files, and writes the model.
pub fn refit(request: &RefitRequest) -> Result<RefitSummary, RunError> {
    let start = Instant::now();
    let store = Store::open(&request.store)?;
    let config = config::parse(&store.resolved_text()?, "resolved.toml", &store.manifest().name, &[])?;
    let not_found = |what: String| RunError::NotFound { what };
    let number = if let Some(number) = request.trial {
        number
    } else {
        let table = store.trials()?;
        let selected = table.selected().map(|row| row.trial);
        selected.ok_or_else(|| not_found("no trial was selected: name one with --trial N".to_owned()))?
    };
    let trials = search::of_store(&config, &store)?;
    let count = trials.len();
    let trial = trials
        .into_iter()
        .find(|trial| trial.number == number)
        .ok_or_else(|| not_found(format!("there is no trial {number}: the sweep has {count}, from 0")))?;
    let trial = if trial.train.early_stopping.is_some() {
        as_far(&store.runs()?, &trial)
    } else {
        trial
    };
    let config = on_new_files(config, &request.data)?;
    let own = trial_model(&request.store, number);
    store::check_own_model(&own)?;
    let out = request.out.clone().unwrap_or(own);
    let summary = in_pool(&config, || {
        with_precision!(config, fit_and_write(&config, &trial, &out))
    })??;
    Ok(RefitSummary {
        seconds: start.elapsed().as_secs_f64(),
        ..summary
    })
}

/// The config with other files. Nothing is held out from a refit, so that a column of folds may be absent, as may that of ids.
fn on_new_files(mut config: Config, files: &[String]) -> Result<Config, RunError> {
    config.data.train = files.to_vec();
    config.validation.strategy = Strategy::None;
    let peek = data::peek(&source_spec(&config))?;
    let is_there = |name: &String| peek.columns.iter().any(|(own, _)| own == name);
    config.data.fold = config.data.fold.filter(is_there);
    config.data.id = config.data.id.filter(is_there);
    Ok(config)
}

fn fit_and_write<T: Real + Element>(config: &Config, trial: &Trial, out: &Path) -> Result<RefitSummary, RunError> {
    let data: Dataset<T> = dataset::load(&trial.config(config), None, 0)?;
    let data = on_all_rows(data);
    let outcome = fit(&data, config, std::slice::from_ref(trial)).swap_remove(0);
    if outcome.state == RunState::Failed {
        return Err(RunError::RefitFailed {
            trial: trial.number,
            reason: reason_of(&outcome),
        });
    }
    let metrics = metrics_of(config, &outcome);
    let train = metrics.train.clone();
    let identity = identity(config, trial, &data.summary.fingerprint);
    let model = model::build(&data, config, trial, &outcome.parameters, identity, metrics);
    model.write(out)?;
    card::write(out, &model, None)?;
    Ok(RefitSummary {
        model: out.to_path_buf(),
        trial: trial.number,
        params: model::swept(config, trial),
        rows: data.y.len(),
        features: data.encoding.features.len(),
        train,
        converged: outcome.converged,
        epochs: outcome.epochs,
        warnings: data.summary.warnings.clone(),
        seconds: 0.0,
    })
}
