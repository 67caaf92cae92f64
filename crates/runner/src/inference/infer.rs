//! From a stored run to its standard errors.

use gradsweep_data::{Encoding, Role};
use gradsweep_math::blas;
use gradsweep_math::inference::{Collinear, Estimates, Information, Singular, Units};
use gradsweep_store::{ParamValue, RunId, RunRow, RunState, Store, TrialRow, TrialTable};
use ndarray::{Axis, s};

use super::refusal::{Refusal, list};
use crate::config::{self, ClassWeight, Config, DropLevel};
use crate::error::RunError;
use crate::explain::load;
use crate::record::levels;
use crate::train::View;

/// Rows whose features are made at a time.
const ROWS_PER_TILE: usize = 4096;
/// Further from the maximum, in standard errors, a fit has no standard errors.
const TOO_FAR: f64 = 0.1;
/// Further from the maximum, a fit is said to be loose.
const LOOSE: f64 = 0.01;
/// From this condition on, digits are said to be lost.
const ILL_CONDITIONED: f64 = 1e10;

/// A run's estimates with their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// The run.
    pub run: RunId,
    /// Its trial.
    pub trial: u32,
    /// Its fold.
    pub fold: u32,
    /// What the fold is called.
    pub fold_label: String,
    /// Which repeat of the folds.
    pub repeat: u32,
    /// Rows held out from it.
    pub held_out: u64,
    /// The target's name.
    pub target: String,
    /// The label that counts as 1.
    pub positive: String,
    /// The features that have a coefficient, in the order of the data.
    pub names: Vec<String>,
    /// Their estimates, per unit of the data, and those of the fit.
    pub estimates: Estimates,
    /// Features without information in the training rows, whose coefficient is 0 for that reason.
    pub held: Vec<String>,
    /// Whether the intercept was fitted.
    pub has_fitted_intercept: bool,
}

/// Standard errors of a run, without those of its coefficients that the fold does not have.
///
/// # Errors
/// A [`Refusal`] where they would not be honest; data that are no longer those the run was trained on.
pub fn infer(store: &Store, run: RunId) -> Result<Inference, RunError> {
    blas::use_one_thread_per_product();
    let text = store.resolved_text()?;
    let config = config::parse(&text, "resolved.toml", &store.manifest().name, &[])?;
    let row = find(store, run)?;
    let trials = store.trials()?;
    let settings = Settings {
        config: &config,
        trials: &trials,
        trial: trials.trial(row.trial),
    };
    check_fit(store, &row, &settings)?;
    let (config, data) = load(&config, store, &row)?;
    let view = View::new(&data, &config);
    let fold = row.fold as usize;
    let is_held = &view.map.folds[fold].is_held;
    let used: Vec<usize> = (0..is_held.len()).filter(|&feature| !is_held[feature]).collect();
    let name = |feature: usize| view.features[feature].to_owned();

    let mut all = vec![0.0; is_held.len() + 1];
    for row in store.coefficients(run)? {
        let feature = view.features.iter().position(|name| *name == &*row.feature);
        all[feature.unwrap_or(is_held.len())] = row.coefficient_standardized;
    }
    let mut coefficients: Vec<f64> = used.iter().map(|&feature| all[feature]).collect();
    coefficients.push(all[is_held.len()]);
    let mut information = Information::new(&coefficients, settings.has_intercept());
    add_rows(&mut information, run, &view, fold, &used, data.weight.as_deref())?;
    let parameters = used.len() + usize::from(settings.has_intercept());
    if information.rows() < parameters {
        let rows = information.rows();
        return Err(Refusal::TooFewRows { run, rows, parameters }.into());
    }
    if information.is_separated() {
        return Err(Refusal::Separated { run }.into());
    }
    let encoded = &data.encoding.folds[fold];
    let units = Units {
        scale: used.iter().map(|&feature| encoded.scale[feature]).collect(),
        mean: used.iter().map(|&feature| encoded.mean[feature]).collect(),
    };
    let estimates = information.estimates(&units).map_err(|singular| match singular {
        Singular::NotFinite => Refusal::NotFinite { run },
        Singular::Collinear(found) => named(&found, &used, &data.encoding, &config),
    })?;
    if estimates.distance.is_nan() || estimates.distance > TOO_FAR {
        return Err(Refusal::NotConverged {
            run,
            distance: estimates.distance,
            grad_norm: estimates.grad_norm,
            is_newton: settings.solver() == "newton",
        }
        .into());
    }
    Ok(Inference {
        run,
        trial: row.trial,
        fold: row.fold,
        fold_label: view.folds.labels[fold].clone(),
        repeat: row.repeat,
        held_out: view.rows_as(fold, Role::Val) as u64,
        target: data.summary.target.name.clone(),
        positive: data.summary.target.positive.clone(),
        names: used.iter().map(|&feature| name(feature)).collect(),
        estimates,
        held: (0..is_held.len())
            .filter(|&feature| is_held[feature])
            .map(name)
            .collect(),
        has_fitted_intercept: settings.has_intercept(),
    })
}

impl Inference {
    /// What a reader should know of the numbers, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Estimates {
            distance, condition, ..
        } = self.estimates;
        if distance > LOOSE {
            notes.push(format!(
                "the fit is loose: coefficients are up to {distance:.2} standard errors from the maximum of the likelihood; \
                 lower train.tol and train again"
            ));
        }
        if condition > ILL_CONDITIONED {
            notes.push(format!(
                "columns are nearly collinear (condition {condition:.0e}): standard errors have lost digits"
            ));
        }
        if !self.has_fitted_intercept && self.estimates.intercept.is_some() {
            notes.push(
                "the intercept is not a parameter: it is what the features' means make of the coefficients".to_owned(),
            );
        }
        if !self.held.is_empty() {
            notes.push(format!(
                "left out, without information in the training rows: {}",
                list(&self.held)
            ));
        }
        notes
    }
}

/// Adds a fold's training rows. Weights must be counts: of others the number of observations is unknown, and with it the
/// standard errors, which shrink as weights are scaled up.
fn add_rows(
    information: &mut Information,
    run: RunId,
    view: &View<'_, f64>,
    fold: usize,
    used: &[usize],
    weights: Option<&[f64]>,
) -> Result<(), Refusal> {
    for group in view.groups_as(fold, Role::Train) {
        let rows = &view.groups[group];
        for start in rows.clone().step_by(ROWS_PER_TILE) {
            let tile = start..(start + ROWS_PER_TILE).min(rows.end);
            let weights = weights.map(|weights| &weights[tile.clone()]);
            if let Some(&weight) = weights.and_then(|own| own.iter().find(|weight| weight.fract() != 0.0)) {
                return Err(Refusal::NotCounts { run, weight });
            }
            let features = view.map.features_of(fold, &view.x.slice(s![tile.clone(), ..]));
            information.add(&features.select(Axis(1), used).view(), &view.y[tile], weights);
        }
    }
    Ok(())
}

fn find(store: &Store, run: RunId) -> Result<RunRow, RunError> {
    let row = store.runs()?.into_iter().find(|row| row.run == run);
    row.ok_or_else(|| RunError::NotFound {
        what: format!("{} has no run {run}", store.dir().display()),
    })
}

/// What a run was fitted with: its trial's own values, or the config's.
struct Settings<'a> {
    config: &'a Config,
    trials: &'a TrialTable,
    trial: Option<&'a TrialRow>,
}

impl Settings<'_> {
    fn param(&self, path: &str) -> Option<&ParamValue> {
        let index = self.trials.params.iter().position(|param| param == path)?;
        let value = &self.trial?.params[index];
        (!value.is_null()).then_some(value)
    }

    fn number(&self, path: &str, of_config: f64) -> f64 {
        self.param(path).and_then(ParamValue::as_f64).unwrap_or(of_config)
    }

    fn has_intercept(&self) -> bool {
        match self.param("model.fit_intercept") {
            Some(ParamValue::Bool(value)) => *value,
            _ => self.config.model.fit_intercept,
        }
    }

    fn solver(&self) -> String {
        let param = self.param("train.solver").map(ToString::to_string);
        param.unwrap_or_else(|| self.config.train.solver.to_string())
    }

    /// The class weights, unless every row counts the same.
    fn class_weight(&self) -> Option<String> {
        let text = match self.param("model.class_weight") {
            Some(value) => value.to_string(),
            None => match &self.config.model.class_weight {
                ClassWeight::None => return None,
                ClassWeight::Balanced => "balanced".to_owned(),
                ClassWeight::Weights(weights) => {
                    let pairs = weights.iter().map(|(label, weight)| format!("{label} = {weight}"));
                    pairs.collect::<Vec<_>>().join(", ")
                }
            },
        };
        (text != "none").then_some(text)
    }

    /// How the penalty is set, if there is one.
    fn penalty(&self) -> Option<String> {
        let c = self.number("model.C", self.config.model.c);
        let weight_decay = self.number("train.weight_decay", self.config.train.weight_decay);
        if c.is_finite() {
            Some(format!("C = {}", ParamValue::Float(c)))
        } else if weight_decay > 0.0 && self.solver() == "adamw" {
            Some(format!("weight_decay = {}", ParamValue::Float(weight_decay)))
        } else {
            None
        }
    }
}

/// Refuses what no look at the data is needed for.
fn check_fit(store: &Store, row: &RunRow, settings: &Settings<'_>) -> Result<(), Refusal> {
    let run = row.run;
    let is_complete = row
        .record
        .as_ref()
        .is_some_and(|record| record.state == RunState::Complete);
    if !is_complete {
        return Err(Refusal::NotComplete {
            run,
            state: row.state(),
            reason: row.record.as_ref().and_then(|record| record.reason),
        });
    }
    if let Some(penalty) = settings.penalty() {
        let dir = store.dir().display();
        let is_swept = settings.trials.params.iter().any(|path| path == "model.C");
        let hint = match unpenalized(settings.trials) {
            _ if !penalty.starts_with("C =") => {
                "train it with --set train.solver=newton --set output.dir=DIR".to_owned()
            }
            Some(trial) => format!("trial {trial} has none: gradsweep show {dir} {trial} --inference"),
            None if is_swept => "train it with --set 'sweep.parameters.model.C=[inf]' --set output.dir=DIR".to_owned(),
            None => "train it with --set model.C=inf --set output.dir=DIR".to_owned(),
        };
        return Err(Refusal::Penalized { run, penalty, hint });
    }
    match settings.class_weight() {
        Some(class_weight) => Err(Refusal::ClassWeighted { run, class_weight }),
        None => Ok(()),
    }
}

/// A trial that was fitted without a penalty.
fn unpenalized(trials: &TrialTable) -> Option<u32> {
    let c = trials.params.iter().position(|path| path == "model.C")?;
    let mut rows = trials.rows.iter();
    rows.find(|row| row.params[c].as_f64() == Some(f64::INFINITY))
        .map(|row| row.trial)
}

/// One-hot columns that add up to the intercept, or else each feature with what it is made of.
fn named(found: &[Collinear], used: &[usize], encoding: &Encoding, config: &Config) -> Refusal {
    let is_level = levels(encoding);
    let feature = |position: usize| &encoding.features[used[position]];
    let is_full = |one: &&Collinear| {
        let mut all = one.of.iter().chain([&one.feature]);
        !one.of.is_empty() && all.all(|&position| is_level[used[position]])
    };
    let mut columns: Vec<String> = found
        .iter()
        .filter(is_full)
        .map(|one| feature(one.feature).column.clone())
        .collect();
    columns.dedup();
    if config.preprocess.one_hot.drop == DropLevel::None && !columns.is_empty() {
        return Refusal::FullOneHot { columns };
    }
    let features = found.iter().map(|one| {
        let of = one.of.iter().map(|&position| feature(position).name.clone());
        (feature(one.feature).name.clone(), of.collect())
    });
    let mut columns: Vec<String> = found.iter().map(|one| feature(one.feature).column.clone()).collect();
    columns.dedup();
    Refusal::Collinear {
        features: features.collect(),
        columns,
    }
}
