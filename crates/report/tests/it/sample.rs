//! Small sweeps with invented figures.

use std::path::{Path, PathBuf};

use gradsweep_report::{Sweep, open};
use gradsweep_store::{
    CoefficientRow, HistoryRow, Manifest, MetricInfo, ParamValue, Part, PlanTable, PlannedRun, PlannedTrial, Reason,
    RunId, RunRecord, RunState, Split, StoreWriter,
};
use serde_json::{Value, json};

/// A sweep to be made.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    /// Distinguishes the ids of runs.
    pub(crate) id: u64,
    pub(crate) params: Vec<&'static str>,
    /// Values and log-loss of each trial; no loss: its first run failed.
    pub(crate) trials: Vec<(Vec<ParamValue>, Option<f64>)>,
    pub(crate) folds: u32,
    pub(crate) keys: Vec<(&'static str, Value)>,
    /// Whether folds are held out at all.
    pub(crate) has_validation: bool,
    /// Trials from this one on have no records.
    pub(crate) waiting_from: u32,
}

/// Four values of C, one of them infinite.
pub(crate) fn path() -> Recipe {
    let c = |value: f64| vec![ParamValue::Float(value)];
    Recipe {
        name: "flights-path",
        id: 1,
        params: vec!["model.C"],
        trials: vec![
            (c(0.01), Some(0.4931)),
            (c(0.517_947_467_923_121), Some(0.4861)),
            (c(10.0), Some(0.486_12)),
            (c(f64::INFINITY), Some(0.4902)),
        ],
        folds: 3,
        keys: vec![
            ("train.solver", "adam".into()),
            ("validation.strategy", "stratified".into()),
            ("run.seed", 0.into()),
        ],
        has_validation: true,
        waiting_from: u32::MAX,
    }
}

/// Two learning rates; the second diverges.
pub(crate) fn sgd() -> Recipe {
    let rate = |value: f64| vec![ParamValue::Float(value), ParamValue::Int(256)];
    Recipe {
        name: "flights-sgd",
        id: 2,
        params: vec!["train.learning_rate", "train.batch_rows"],
        trials: vec![(rate(0.05), Some(0.486_55)), (rate(50.0), None)],
        keys: vec![
            ("train.solver", "sgd".into()),
            ("model.C", 1.0.into()),
            ("validation.strategy", "stratified".into()),
            ("run.seed", 0.into()),
        ],
        ..path()
    }
}

fn manifest(recipe: &Recipe) -> Manifest {
    let metric = |name: &str, higher_is_better| MetricInfo {
        name: name.to_owned(),
        higher_is_better,
    };
    Manifest {
        version: "0.1.0".to_owned(),
        name: recipe.name.to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        precision: "f32".to_owned(),
        plan_hash: recipe.id.to_string(),
        select: "log_loss".to_owned(),
        metrics: vec![metric("log_loss", false), metric("roc_auc", true)],
        fingerprint: "flights".to_owned(),
        data: json!({
            "rows": 327_346, "columns": 19, "features": 159,
            "target": {"name": "late", "positive": "yes", "positives": 76_599, "rows": 327_346},
        }),
        keys: recipe
            .keys
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
        ..Manifest::default()
    }
}

fn run_id(recipe: &Recipe, trial: u32, fold: u32) -> RunId {
    RunId((recipe.id << 60) | (u64::from(trial) << 52) | (u64::from(fold) << 48) | 0xABCD)
}

fn plan(recipe: &Recipe) -> PlanTable {
    let mut plan = PlanTable {
        params: recipe.params.iter().map(|path| (*path).to_owned()).collect(),
        ..PlanTable::default()
    };
    for (trial, (params, _)) in (0_u32..).zip(&recipe.trials) {
        plan.trials.push(PlannedTrial {
            trial,
            params: params.clone(),
        });
        for fold in 0..recipe.folds {
            plan.runs.push(PlannedRun {
                run: run_id(recipe, trial, fold),
                trial,
                fold,
                fold_label: fold.to_string(),
                ..PlannedRun::default()
            });
        }
    }
    plan
}

fn part(recipe: &Recipe, run: &PlannedRun) -> Part {
    let loss = recipe.trials[run.trial as usize].1;
    let Some(mean) = loss else {
        let record = RunRecord {
            run: run.run,
            state: RunState::Failed,
            reason: Some(Reason::Diverged),
            epochs: 1,
            n_train: 218_231,
            n_val: 109_115,
            ..RunRecord::default()
        };
        return Part {
            runs: vec![record],
            ..Part::default()
        };
    };
    // Folds differ by much, trials within a fold by little: what pairing is for.
    let middle = f64::from(recipe.folds - 1) / 2.0;
    let by_fold = 0.001 * (f64::from(run.fold) - middle);
    let val = mean + by_fold * (1.0 + 0.01 * f64::from(run.trial));
    let scores = |loss: f64, auc: f64| vec![("log_loss".into(), loss), ("roc_auc".into(), auc)];
    let record = RunRecord {
        run: run.run,
        reason: Some(Reason::Tol),
        converged: run.trial != 2,
        epochs: 4,
        best_epoch: Some(4),
        objective: Some(mean - 0.001),
        grad_norm: Some(8.5e-5),
        l2: 1e-6,
        n_train: 218_231,
        n_val: if recipe.has_validation { 109_115 } else { 0 },
        train: scores(mean - 0.001, 0.7225),
        val: if recipe.has_validation {
            scores(val, 0.7218)
        } else {
            Vec::new()
        },
        seconds: 0.002,
        ..RunRecord::default()
    };
    let mut history = Vec::new();
    for epoch in 1..=4_u32 {
        let excess = 0.2 / f64::from(epoch.pow(3));
        let row = |split, value| HistoryRow {
            run: run.run,
            epoch,
            split,
            metric: "log_loss".into(),
            value,
        };
        history.push(row(Split::Train, mean - 0.001 + excess));
        if recipe.has_validation {
            history.push(row(Split::Val, val + excess));
        }
    }
    let weights = [
        ("(intercept)", -1.392, -1.392),
        ("hour", 0.0812, 0.3921),
        ("carrier=EV", 0.1442, 0.1442),
        ("month", -0.0021, -0.0072),
    ];
    let coefficients = weights.map(|(feature, coefficient, standardized)| CoefficientRow {
        run: run.run,
        feature: feature.into(),
        coefficient,
        coefficient_standardized: standardized + by_fold,
    });
    Part {
        runs: vec![record],
        history,
        coefficients: coefficients.into(),
    }
}

/// Makes the store, and gives its directory.
pub(crate) fn make(below: &Path, recipe: &Recipe) -> PathBuf {
    let dir = below.join(recipe.name);
    let plan = plan(recipe);
    let mut writer = StoreWriter::create(&dir, &manifest(recipe), "version = 1", "", &plan).expect("a new directory");
    let done = plan.runs.iter().filter(|run| run.trial < recipe.waiting_from);
    for run in done {
        writer.append(&part(recipe, run)).expect("appended");
    }
    writer.finish().expect("finished");
    dir
}

/// Makes and opens stores.
pub(crate) fn sweeps(below: &Path, recipes: &[Recipe]) -> Vec<Sweep> {
    let dirs: Vec<PathBuf> = recipes.iter().map(|recipe| make(below, recipe)).collect();
    open(&dirs).expect("all of them are stores")
}

/// A text without what is different each time: the scratch directory, and sizes of files.
pub(crate) fn settled(text: &str, below: &Path) -> String {
    text.replace(&format!("{}/", below.display()), "sweeps/")
        .replace(&below.display().to_string(), "sweeps")
}
