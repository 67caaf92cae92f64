//! What a sweep has to say at its end, for the terminal and for programs.

mod edges;
mod failures;
mod restarts;

pub use restarts::Restarts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gradsweep_data::{self as data, Role};
use gradsweep_math::metric::ScoredRows;
use gradsweep_math::{Real, blas};
use gradsweep_store::{self as store, ParamValue, RunRow, RunState, SetAside, Store, TrialRow, TrialState, Written};
use serde::Serialize;

use crate::config::Config;
use crate::error::RunError;
use crate::memory::peak_memory_bytes;
use crate::more_epochs::Longer;
use crate::plan::{Plan, PlanSummary, many};
use crate::refit::{Refitted, TestScores};
use crate::resume::{self, Continued, Resumable};
use crate::rungs::Ladder;
use crate::train::View;
use edges::edges;
use failures::failures;

/// Where the time went, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Reading files, folds, tiles.
    pub load: f64,
    /// Training and scoring all cohorts.
    pub train: f64,
    /// Refitting the selected trial on all rows, scoring the test file and writing the model.
    pub refit: f64,
    /// Writing the store.
    pub write: f64,
    /// Everything.
    pub total: f64,
}

/// The selected trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// Trial number.
    pub trial: u32,
    /// Its swept settings.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Mean validation value of the selecting metric over folds (training value without validation).
    pub mean_val: Option<f64>,
    /// Its standard error.
    pub se_val: Option<f64>,
    /// Mean training value.
    pub mean_train: Option<f64>,
    /// Means of the other metrics.
    pub metrics: BTreeMap<String, Option<f64>>,
}

/// A finished sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepSummary {
    /// The store's directory.
    pub store: PathBuf,
    /// Whether everything had been done before.
    pub nothing_to_do: bool,
    /// Whether the config asks for a page about it.
    #[serde(skip)]
    pub report: bool,
    /// Settings.
    pub trials: usize,
    /// Columns.
    pub runs: usize,
    /// Failed runs.
    pub failed: usize,
    /// The smallest and the largest learning rate that runs found where the config leaves it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rates: Option<[f64; 2]>,
    /// Runs that a rung or the target ended, of a sweep that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruned: Option<usize>,
    /// Which trial reached `sweep.target`, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// That the sweep has fewer trials than it was to have, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Runs that were not trained, as a trial reached the target before.
    #[serde(skip)]
    pub waiting: usize,
    /// How far restarts are apart, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Restarts>,
    /// Complete runs that ended without a certificate of convergence, of the solvers that give one.
    pub unconverged: usize,
    /// Those of them that `resume --until-converged` takes up.
    #[serde(skip)]
    pub resumable: Resumable,
    /// What became of the runs that were told to go on until they converge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continued: Option<Continued>,
    /// How a sweep that had fewer epochs went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longer: Option<Longer>,
    /// Rows trained on.
    pub rows: usize,
    /// Features.
    pub features: usize,
    /// The metric that ranks.
    pub metric: String,
    /// The selected trial; `None` when all failed.
    pub best: Option<Best>,
    /// The rule that selected it: `best` or `1se`.
    pub select: &'static str,
    /// The trial that the rule of one standard error takes, where C is swept and there is a standard error.
    pub one_se: Option<Best>,
    /// The folder with the model of the selected trial, fitted on all rows.
    pub model: Option<PathBuf>,
    /// How many trials have a model of their own, where every one is to have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<usize>,
    /// Why there is no model, as a sentence.
    pub refit_failure: Option<String>,
    /// What that model scores on the test file.
    pub test: Option<TestScores>,
    /// The class prior's value of the selecting metric.
    pub null_model: Option<f64>,
    /// Settings at the edge of their range, as sentences.
    pub at_the_edge: Vec<String>,
    /// What failed and what survived, as sentences.
    pub failures: Vec<String>,
    /// Pieces of the store that were damaged or gone, and whose runs were trained again, as sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Where the time went.
    pub seconds: Seconds,
    /// Columns times epochs.
    pub epochs_trained: u64,
    /// Largest resident set.
    pub peak_memory_bytes: Option<u64>,
    /// Worker threads.
    pub threads: usize,
    /// Element type.
    pub precision: String,
    /// The kernels OpenBLAS runs.
    pub blas_core: String,
}

impl SweepSummary {
    /// The summary of a sweep that was just written.
    #[expect(
        clippy::too_many_arguments,
        reason = "called in one place, with everything that place knows"
    )]
    pub(crate) fn new(
        dir: &Path,
        config: &Config,
        data: &data::Summary,
        plan_summary: &PlanSummary,
        plan: &Plan,
        written: &Written,
        known: Option<Vec<RunRow>>,
        null_model: Option<f64>,
        seconds: Seconds,
        epochs_trained: u64,
    ) -> Result<Self, RunError> {
        let store = Store::open(dir)?;
        let table = store.trials()?;
        let metric = config.sweep.metric.name().to_owned();
        let best = table.rows.iter().find(|row| row.is_selected);
        let prunes = Ladder::new(config, plan.trials.len()).is_some() || config.sweep.target.is_some();
        let has_restarts = plan.trials.iter().any(|trial| trial.train.restarts > 1);
        let runs = match known {
            Some(runs) => runs,
            None if written.unconverged + written.failed > 0 || prunes || has_restarts => store.runs()?,
            None => Vec::new(),
        };
        let resumable = Resumable::new(&resume::unconverged(&runs, plan));
        Ok(Self {
            store: dir.to_path_buf(),
            nothing_to_do: false,
            report: config.output.report,
            trials: written.trials,
            runs: written.runs,
            failed: written.failed,
            learning_rates: None,
            pruned: prunes.then(|| {
                let states = runs.iter().filter_map(|run| Some(run.record.as_ref()?.state));
                states.filter(|state| *state == RunState::Pruned).count()
            }),
            target: target_of(config, &table),
            missing: None,
            waiting: table
                .rows
                .iter()
                .filter(|row| row.state == TrialState::Waiting)
                .map(|row| row.n_runs as usize)
                .sum(),
            restarts: Restarts::new(&runs, plan, &metric),
            unconverged: resume::uncertified(&runs, plan),
            resumable,
            continued: None,
            longer: None,
            rows: data.rows,
            features: store.manifest().data["features"].as_u64().unwrap_or(0) as usize,
            best: best.map(|row| best_of(&table, row, &metric)),
            select: config.sweep.select.name(),
            one_se: store::one_standard_error(&table, &metric).map(|row| best_of(&table, row, &metric)),
            model: None,
            models: None,
            refit_failure: None,
            test: None,
            null_model,
            at_the_edge: best.map(|row| edges(config, &table, row)).unwrap_or_default(),
            failures: if written.failed > 0 {
                failures(&runs, plan)
            } else {
                Vec::new()
            },
            lost: Vec::new(),
            seconds,
            epochs_trained,
            peak_memory_bytes: peak_memory_bytes(),
            threads: rayon::current_num_threads(),
            precision: plan_summary.precision.to_owned(),
            blas_core: blas::core_name(),
            metric,
        })
    }

    /// The same, with what became of the selected trial on all rows.
    #[must_use]
    pub(crate) fn with_refit(self, refitted: Refitted) -> Self {
        Self {
            model: refitted.model,
            models: refitted.of_trials,
            refit_failure: refitted.failure,
            test: refitted.test,
            ..self
        }
    }

    /// The same, with a sentence about trials that there were no settings for.
    #[must_use]
    pub(crate) fn with_missing(self, missing: Option<String>) -> Self {
        Self { missing, ..self }
    }

    /// The same, with the learning rates that runs found.
    #[must_use]
    pub(crate) fn with_rates(self, learning_rates: Option<[f64; 2]>) -> Self {
        Self { learning_rates, ..self }
    }

    /// The same, with how a sweep that had fewer epochs went on.
    #[must_use]
    pub(crate) fn with_longer(self, longer: Option<Longer>) -> Self {
        Self { longer, ..self }
    }

    /// The same, with what became of the runs that went on.
    #[must_use]
    pub(crate) fn with_continued(self, continued: Option<Continued>) -> Self {
        Self { continued, ..self }
    }

    /// The same, saying which features separate the classes of runs that failed for it.
    #[must_use]
    pub(crate) fn with_separated(mut self, mut features: Vec<String>) -> Self {
        let runs = features.len();
        if runs == 0 {
            return self;
        }
        features.sort_unstable();
        features.dedup();
        let more = if features.len() > 3 { " and others" } else { "" };
        features.truncate(3);
        self.failures.push(format!(
            "{} without a penalty: the classes are separated by {}{more}; add a penalty (model.C)",
            many(runs, "run"),
            features.join(", ")
        ));
        self
    }

    /// The same, with the parts that could not be used.
    #[must_use]
    pub(crate) fn with_set_aside(mut self, parts: &[SetAside]) -> Self {
        let sentence = |part: &SetAside| format!("{}: {}; its runs were trained again", part.path.display(), part.why);
        self.lost = parts.iter().map(sentence).collect();
        self
    }

    /// The same, with a panic that cost the sweep nothing but what it was to tell.
    #[must_use]
    pub(crate) fn with_bug(mut self, bug: Option<String>) -> Self {
        self.failures.extend(bug);
        self
    }

    /// The same, with what the panics said that ended runs.
    #[must_use]
    pub(crate) fn with_panics(mut self, mut panics: Vec<String>, dir: &Path) -> Self {
        let runs = panics.len();
        if runs == 0 {
            return self;
        }
        panics.sort_unstable();
        panics.dedup();
        panics.truncate(3);
        self.failures.push(format!(
            "{} ended in a panic, which is a bug of gradsweep ({}); the others are not affected; once more: gradsweep resume {} \
             --retry-failed",
            many(runs, "run"),
            panics.join("; "),
            dir.display()
        ));
        self
    }

    /// The summary of a directory in which everything has been done already.
    pub(crate) fn of_finished(
        dir: &Path,
        config: &Config,
        data: &data::Summary,
        plan_summary: &PlanSummary,
        plan: &Plan,
        runs: Vec<RunRow>,
        (mut seconds, start): (Seconds, Instant),
    ) -> Result<Self, RunError> {
        let records = || runs.iter().filter_map(|run| run.record.as_ref());
        let written = Written {
            trials: plan.trials.len(),
            runs: runs.len(),
            failed: records().filter(|record| record.state == RunState::Failed).count(),
            unconverged: records()
                .filter(|record| record.state == RunState::Complete && !record.converged)
                .count(),
            ..Written::default()
        };
        seconds.total = start.elapsed().as_secs_f64();
        let summary = Self::new(
            dir,
            config,
            data,
            plan_summary,
            plan,
            &written,
            Some(runs),
            None,
            seconds,
            0,
        )?;
        Ok(Self {
            nothing_to_do: true,
            report: config.output.report,
            ..summary
        })
    }
}

/// What is said where the best trial reaches the config's target.
fn target_of(config: &Config, table: &store::TrialTable) -> Option<String> {
    let target = config.sweep.target?;
    let trial = reached(config, table)?;
    Some(format!(
        "trial {trial} reached sweep.target = {target}: the sweep stopped there"
    ))
}

/// The complete trial that reaches the config's target, the best if there are several.
pub(crate) fn reached(config: &Config, table: &store::TrialTable) -> Option<u32> {
    let target = config.sweep.target?;
    let metric = config.sweep.metric;
    let index = table.metrics.iter().position(|info| info.name == metric.name())?;
    let has_reached = |row: &&TrialRow| {
        let mean = row.scores[index].mean_val.filter(|_| row.state == TrialState::Complete);
        mean.is_some_and(|mean| metric.reaches(mean, target))
    };
    table
        .rows
        .iter()
        .filter(has_reached)
        .min_by_key(|row| row.rank)
        .map(|row| row.trial)
}

fn best_of(table: &store::TrialTable, row: &TrialRow, metric: &str) -> Best {
    let scores = || table.metrics.iter().zip(&row.scores);
    let selecting = scores().find(|(info, _)| info.name == metric).map(|(_, score)| score);
    let value = |score: &store::Score| score.mean_val.or(score.mean_train);
    Best {
        trial: row.trial,
        params: table
            .params
            .iter()
            .zip(&row.params)
            .map(|(path, value)| (path.clone(), param_json(value)))
            .collect(),
        mean_val: selecting.and_then(|score| score.mean_val),
        se_val: selecting.and_then(|score| score.se_val),
        mean_train: selecting.and_then(|score| score.mean_train),
        metrics: scores()
            .filter(|(info, _)| info.name != metric)
            .map(|(info, score)| (info.name.clone(), value(score)))
            .collect(),
    }
}

/// A parameter as JSON, infinities as text.
fn param_json(value: &ParamValue) -> serde_json::Value {
    match value {
        ParamValue::Float(value) if !value.is_finite() => value.to_string().into(),
        ParamValue::Float(value) => (*value).into(),
        ParamValue::Int(value) => (*value).into(),
        ParamValue::Bool(value) => (*value).into(),
        ParamValue::Text(text) => text.as_str().into(),
        ParamValue::Null => serde_json::Value::Null,
    }
}

/// What guessing each fold's training rate scores on its held-out rows, in the selecting metric, averaged over folds.
pub(crate) fn null_model<T: Real>(view: &View<'_, T>) -> Option<f64> {
    let folds = view.folds.labels.len();
    let mut sum = 0.0;
    for fold in 0..folds {
        let [zero, one] = view.class_sums_as(fold, Role::Train);
        let score = (one / zero).ln();
        let role = if view.rows_as(fold, Role::Val) > 0 {
            Role::Val
        } else {
            Role::Train
        };
        // All rows of a class have the same score: to a metric they are one row of their weight.
        let [zeros, ones] = view.class_sums_as(fold, role);
        let rows = [(score, false, zeros), (score, true, ones)];
        sum += view.select.value(&ScoredRows::weighted(rows, view.threshold));
    }
    let mean = sum / folds as f64;
    mean.is_finite().then_some(mean)
}

/// The data as the manifest keeps them.
pub(crate) fn data_json(data: &data::Summary, features: usize) -> serde_json::Value {
    serde_json::json!({
        "files": data.files,
        "rows": data.rows,
        "rows_dropped": data.rows_dropped,
        "columns": data.columns.len(),
        "features": features,
        "target": {
            "name": data.target.name,
            "positive": data.target.positive,
            "negative": data.target.negative,
            "positives": data.target.positives,
            "rows": data.target.rows,
        },
        "profile": data.columns.iter().map(|column| serde_json::json!({
            "name": column.name,
            "kind": column.kind.to_string(),
            "nulls": column.nulls,
            "width": column.width,
            "mean": column.mean,
            "std": column.std,
            "levels": column.levels,
        })).collect::<Vec<_>>(),
        "skipped": data.skipped.iter().map(|skipped| serde_json::json!({
            "name": skipped.column,
            "reason": skipped.reason.to_string(),
        })).collect::<Vec<_>>(),
        "warnings": data.warnings,
    })
}
