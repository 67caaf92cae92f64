//! The selected trial fitted once more, on every row: the model that a sweep is for.

mod on_files;

pub use on_files::{RefitRequest, RefitSummary, refit};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gradsweep_data::{self as data, Dataset, Element, Folds, Role};
use gradsweep_math::Real;
use gradsweep_math::metric::Metric;
use gradsweep_store::{
    self as store, Mean, Model, ModelMetrics, Reason, RunRow, RunState, Store, TrialState, TrialTable, best_model,
    trial_model,
};
use serde::Serialize;

use crate::card;
use crate::config::{Config, SaveModels};
use crate::dataset::{datetimes, shape_of, source_spec};
use crate::error::RunError;
use crate::event::Silent;
use crate::model;
use crate::plan::{Plan, Shape};
use crate::predict::measure;
use crate::search::Trial;
use crate::train::{self, Outcome, View};

/// What the end of a sweep made of its selected trial.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Refitted {
    /// The model's folder.
    pub(crate) model: Option<PathBuf>,
    /// How many trials have a model of their own, where every one is to have one.
    pub(crate) of_trials: Option<usize>,
    /// Scores on the test file.
    pub(crate) test: Option<TestScores>,
    /// Why there is no model, as a sentence.
    pub(crate) failure: Option<String>,
}

/// What the selected model scores on the test file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestScores {
    /// Rows with a label.
    pub rows: u64,
    /// The files, as the config names them.
    pub files: Vec<String>,
    /// The metrics of the sweep.
    #[serde(flatten)]
    pub metrics: BTreeMap<String, Option<f64>>,
}

/// Fits the selected trial on every row, scores the test file, and saves the model, as the config asks.
pub(crate) fn selected<T: Real + Element>(
    dir: &Path,
    config: &Config,
    data: Dataset<T>,
    trials: &[Trial],
    table: &TrialTable,
) -> Result<Refitted, RunError> {
    let folder = best_model(dir);
    store::check_own_model(&folder)?;
    let is_saved = config.output.save_models != SaveModels::None;
    let tests = &config.data.test;
    let wanted = table.selected().filter(|_| is_saved || !tests.is_empty());
    let Some(trial) = wanted.and_then(|row| trials.iter().find(|trial| trial.number == row.trial)) else {
        return Ok(Refitted::default());
    };
    let trial = &as_far(&Store::open(dir)?.runs()?, trial);
    let data = on_all_rows(data);
    let identity = identity(config, trial, &data.summary.fingerprint);
    if let Some(done) = stored(dir, &identity, config) {
        return Ok(done);
    }
    let outcome = fit(&data, config, std::slice::from_ref(trial)).swap_remove(0);
    if outcome.state == RunState::Failed {
        let failure = format!(
            "the refit of trial {} on all rows failed ({}): no model was written",
            trial.number,
            reason_of(&outcome)
        );
        return Ok(Refitted {
            failure: Some(failure),
            ..Refitted::default()
        });
    }
    let metrics = ModelMetrics {
        val: held_out(table, trial.number),
        ..metrics_of(config, &outcome)
    };
    let mut model = model::build(&data, config, trial, &outcome.parameters, identity, metrics);
    // The matrix is not needed any more, and a test file may be large.
    drop(data);
    if is_saved {
        model.write(&folder)?;
    }
    let mut test = None;
    if !tests.is_empty() {
        let reported: Vec<Metric> = config
            .metrics()
            .iter()
            .filter_map(|m| Metric::from_name(m.name()))
            .collect();
        let evaluation = measure(&folder, &model, tests, &reported)?;
        let scores = TestScores {
            rows: evaluation.rows,
            files: tests.clone(),
            metrics: evaluation
                .metrics
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        };
        let metrics = &mut model.info.metrics;
        metrics.test = Some(scores.metrics.clone());
        metrics.test_rows = Some(scores.rows);
        metrics.test_files.clone_from(tests);
        if is_saved {
            model.write(&folder)?;
        }
        test = Some(scores);
    }
    if is_saved {
        card::write(&folder, &model, Some(table))?;
    }
    Ok(Refitted {
        model: is_saved.then_some(folder),
        test,
        ..Refitted::default()
    })
}

/// Fits trials on every row, all in one plan, and saves the model of each that has none yet; returns how many there are now.
///
/// A trial whose fit fails has no model; nothing else depends on it.
pub(crate) fn every<T: Real + Element>(
    dir: &Path,
    config: &Config,
    data: &Dataset<T>,
    trials: &[Trial],
    table: &TrialTable,
) -> Result<usize, RunError> {
    let runs = Store::open(dir)?.runs()?;
    let fingerprint = &data.summary.fingerprint;
    let (mut saved, mut missing) = (0, Vec::new());
    for trial in trials {
        let trial = as_far(&runs, trial);
        let identity = identity(config, &trial, fingerprint);
        if has_model(&trial_model(dir, trial.number), &identity) {
            saved += 1;
        } else {
            missing.push((trial, identity));
        }
    }
    let (missing, identities): (Vec<Trial>, Vec<String>) = missing.into_iter().unzip();
    if missing.is_empty() {
        return Ok(saved);
    }
    let outcomes = fit(data, config, &missing);
    for ((trial, identity), outcome) in missing.iter().zip(identities).zip(outcomes) {
        if outcome.state == RunState::Failed {
            continue;
        }
        let metrics = ModelMetrics {
            val: held_out(table, trial.number),
            ..metrics_of(config, &outcome)
        };
        let model = model::build(data, config, trial, &outcome.parameters, identity, metrics);
        let folder = trial_model(dir, trial.number);
        model.write(&folder)?;
        card::write(&folder, &model, Some(table))?;
        saved += 1;
    }
    Ok(saved)
}

/// The trials that get a model of their own: the complete ones.
pub(crate) fn complete<'t>(table: &TrialTable, trials: &'t [Trial]) -> Vec<&'t Trial> {
    let complete: BTreeSet<u32> = table
        .rows
        .iter()
        .filter(|row| row.state == TrialState::Complete)
        .map(|row| row.trial)
        .collect();
    trials.iter().filter(|trial| complete.contains(&trial.number)).collect()
}

/// Whether a folder holds a whole model of this identity.
fn has_model(folder: &Path, identity: &str) -> bool {
    // One that cannot be read is made again, and one whose card a killed process did not get to.
    Model::read(folder).is_ok_and(|model| model.info.identity == identity) && folder.join(card::FILE).exists()
}

/// The model that a sweep already has of its selected trial, when it is what the config asks for.
pub(crate) fn stored(dir: &Path, identity: &str, config: &Config) -> Option<Refitted> {
    if config.output.save_models == SaveModels::None {
        return None;
    }
    let folder = best_model(dir);
    if !has_model(&folder, identity) {
        return None;
    }
    let metrics = Model::read(&folder).ok()?.info.metrics;
    if metrics.test_files != config.data.test {
        return None;
    }
    let test = metrics.test.map(|scores| TestScores {
        rows: metrics.test_rows.unwrap_or(0),
        files: metrics.test_files,
        metrics: scores,
    });
    Some(Refitted {
        model: Some(folder),
        test,
        ..Refitted::default()
    })
}

/// The model of a finished sweep with these runs, or `None` when it is still to be made.
pub(crate) fn done(
    (store, runs): (&Store, &[RunRow]),
    config: &Config,
    plan: &Plan,
    fingerprint: &str,
) -> Result<Option<Refitted>, RunError> {
    let (dir, table) = (store.dir(), store.trials()?);
    let selected = table
        .selected()
        .filter(|_| config.output.save_models != SaveModels::None);
    let Some(trial) = selected.and_then(|row| plan.trials.iter().find(|trial| trial.number == row.trial)) else {
        return Ok(Some(Refitted::default()));
    };
    let identity = |trial: &Trial| identity(config, &as_far(runs, trial), fingerprint);
    let mut of_trials = None;
    if config.output.save_models == SaveModels::All {
        let complete = complete(&table, &plan.trials);
        let has_own = |trial: &&Trial| has_model(&trial_model(dir, trial.number), &identity(trial));
        if !complete.iter().all(has_own) {
            return Ok(None);
        }
        of_trials = Some(complete.len());
    }
    let stored = stored(dir, &identity(trial), config);
    Ok(stored.map(|refitted| Refitted { of_trials, ..refitted }))
}

/// A trial as it is fitted on all rows: one whose runs stopped early, for the median of the epochs whose weights they kept,
/// and one whose runs went on beyond their epochs for as many as they have had together; any other as it is.
///
/// The epochs follow from the store alone and grow whenever a run goes on. So a fit of such a trial is made anew when its
/// runs have changed, and only then.
fn as_far(runs: &[RunRow], trial: &Trial) -> Trial {
    let mut trial = trial.clone();
    let number = trial.number;
    let own = || runs.iter().filter(|run| run.trial == number);
    let mut bests: Vec<u32> = own().filter_map(|run| run.record.as_ref()?.best_epoch).collect();
    if trial.train.early_stopping.is_some() {
        bests.sort_unstable();
        // Of two in the middle the longer one. The schedule is that of all epochs.
        trial.until = bests.get(bests.len() / 2).copied();
        trial.train.early_stopping = None;
        return trial;
    }
    let epochs: Vec<u32> = own().filter_map(|run| Some(run.record.as_ref()?.epochs)).collect();
    if epochs.iter().any(|&epochs| epochs > trial.train.epochs) {
        trial.train.epochs = epochs.iter().fold(0, |sum, &epochs| sum.saturating_add(epochs));
    }
    trial
}

/// Looks at the test files before any training: they must be there, with the target and every feature column.
pub(crate) fn check_test(config: &Config, data: &data::Summary) -> Result<(), RunError> {
    if config.data.test.is_empty() {
        return Ok(());
    }
    let source = data::SourceSpec {
        paths: config.data.test.clone(),
        ..source_spec(config)
    };
    let peek = data::peek(&source).map_err(RunError::Data)?;
    let wanted = data
        .columns
        .iter()
        .map(|column| &column.name)
        .chain([&data.target.name]);
    // Of a column that is taken apart, the files have the whole.
    let whole = |name: &'_ String| {
        let is_part = |base: &&String| {
            name.strip_prefix(base.as_str())
                .is_some_and(|part| part.starts_with('.'))
        };
        datetimes(config).find(is_part).unwrap_or(name).clone()
    };
    let mut missing: Vec<String> = wanted
        .map(whole)
        .filter(|name| !peek.columns.iter().any(|(own, _)| own == name))
        .collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    Err(data::ApplyError::MissingColumns {
        file: peek.files[0].clone(),
        columns: missing,
        similar: None,
    }
    .into())
}

/// All rows as the training rows of one fold. The matrix stays where it is.
pub(crate) fn on_all_rows<T>(mut data: Dataset<T>) -> Dataset<T> {
    let groups = data.groups.len();
    data.encoding.folds = vec![data.encoding.for_training(&vec![true; groups])];
    data.folds = Folds {
        labels: vec!["all".to_owned()],
        roles: vec![vec![Role::Train; groups]],
    };
    data
}

/// Trains every restart of trials on all rows, for as many epochs as each says; of a trial's restarts the lowest objective
/// wins. The trials are prepared alike, and have an outcome each.
fn fit<T: Real + Element>(data: &Dataset<T>, config: &Config, trials: &[Trial]) -> Vec<Outcome> {
    let view = View::new(data, config);
    let plan = plan(config, trials, shape_of(data), &data.summary.fingerprint);
    let mut outcomes: Vec<Outcome> = (0..plan.cohorts.len())
        .flat_map(|index| train::cohort(&plan, index, &view, &Silent))
        .collect();
    let rank = |outcome: &Outcome| {
        let objective = outcome.objective.filter(|_| outcome.state == RunState::Complete);
        objective.unwrap_or(f64::INFINITY)
    };
    // Equal objectives: the first restart.
    outcomes.sort_by(|a, b| {
        let trial = |outcome: &Outcome| plan.runs[outcome.run].trial;
        (trial(a).cmp(&trial(b)))
            .then(rank(a).total_cmp(&rank(b)))
            .then(a.run.cmp(&b.run))
    });
    outcomes.dedup_by_key(|outcome| plan.runs[outcome.run].trial);
    outcomes
}

/// Why a fit failed. Nothing prunes a refit, so that there always is a reason.
fn reason_of(outcome: &Outcome) -> Reason {
    outcome.reason.unwrap_or(Reason::Diverged)
}

/// The restarts of trials on one fold.
fn plan(config: &Config, trials: &[Trial], shape: Shape, fingerprint: &str) -> Plan {
    let mut once = config.clone();
    once.validation.repeats = 1;
    Plan::new(&once, trials.to_vec(), shape, fingerprint)
}

/// A hash of all that decides the fit of a trial on these rows: its runs' ids, which are hashes of the same.
fn identity(config: &Config, trial: &Trial, fingerprint: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    let shape = Shape {
        folds: 1,
        ..Shape::EMPTY
    };
    for run in &plan(config, std::slice::from_ref(trial), shape, fingerprint).runs {
        hasher.update(&run.id.0.to_be_bytes());
    }
    if let Some(until) = trial.until {
        hasher.update(&until.to_be_bytes());
    }
    hasher.update(&config.metrics.threshold.to_bits().to_be_bytes());
    for text in [&config.data.id, &config.data.positive] {
        hasher.update(format!("\0{text:?}").as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn metrics_of(config: &Config, outcome: &Outcome) -> ModelMetrics {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    ModelMetrics {
        select: config.sweep.metric.name().to_owned(),
        train: outcome
            .train
            .iter()
            .map(|(metric, value)| (metric.name().to_owned(), finite(*value)))
            .collect(),
        ..ModelMetrics::default()
    }
}

/// The means of a trial over its folds.
fn held_out(table: &TrialTable, trial: u32) -> BTreeMap<String, Mean> {
    let Some(row) = table.trial(trial) else {
        return BTreeMap::new();
    };
    let scores = table
        .metrics
        .iter()
        .zip(&row.scores)
        .filter(|(_, score)| score.mean_val.is_some());
    scores
        .map(|(info, score)| {
            let (mean, se) = (score.mean_val, score.se_val);
            (info.name.clone(), Mean { mean, se })
        })
        .collect()
}
