//! Ten thousand trials.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gradsweep_report::{Format, Query, compare, html, open};
use gradsweep_store::{
    CoefficientRow, HistoryRow, Manifest, MetricInfo, ParamValue, Part, PlanTable, PlannedRun, PlannedTrial, RunId,
    RunRecord, Split, StoreWriter,
};
use serde_json::json;

const FOLDS: u32 = 5;
const FEATURES: u32 = 20;

/// A sweep over C, a learning rate and two solvers, with made-up scores.
fn make(dir: &Path, trials: u32) {
    let metric = |name: &str, higher_is_better| MetricInfo {
        name: name.to_owned(),
        higher_is_better,
    };
    let manifest = Manifest {
        name: "large".to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        version: "0.1.0".to_owned(),
        select: "log_loss".to_owned(),
        metrics: vec![metric("log_loss", false), metric("roc_auc", true)],
        keys: [("validation.strategy".to_owned(), "stratified".into())].into(),
        data: json!({"rows": 1000, "target": {"name": "y", "positive": "1", "positives": 300, "rows": 1000}}),
        ..Manifest::default()
    };
    let mut plan = PlanTable {
        params: ["model.C", "train.learning_rate", "train.solver"]
            .map(str::to_owned)
            .into(),
        ..PlanTable::default()
    };
    // A fixed irrational step spreads values evenly and repeats itself exactly.
    let spread = |trial: u32, step: f64| (f64::from(trial) * step).fract();
    for trial in 0..trials {
        let c = 10_f64.powf(8.0 * spread(trial, 0.754_877_666) - 4.0);
        let rate = 10_f64.powf(3.0 * spread(trial, 0.569_840_291) - 3.0);
        let solver = if trial % 2 == 0 { "sgd" } else { "adam" };
        plan.trials.push(PlannedTrial {
            trial,
            params: vec![
                ParamValue::Float(c),
                ParamValue::Float(rate),
                ParamValue::Text(solver.to_owned()),
            ],
        });
        plan.runs.extend((0..FOLDS).map(|fold| PlannedRun {
            run: RunId((u64::from(trial) << 8) | u64::from(fold)),
            trial,
            fold,
            fold_label: fold.to_string(),
            ..PlannedRun::default()
        }));
    }
    let mut writer = StoreWriter::create(dir, &manifest, "version = 1", "", &plan).expect("a new directory");
    for runs in plan.runs.chunks(10_000) {
        let mut part = Part::default();
        for run in runs {
            let params = &plan.trials[run.trial as usize].params;
            let log = |index: usize| params[index].as_f64().expect("a number").log10();
            let far = 0.004 * (log(0) - 0.5).powi(2) + 0.03 * (log(1) + 1.2).powi(2);
            let noise = 0.01 * (spread(run.trial * FOLDS + run.fold, 0.618_033_988) - 0.5);
            let val = 0.45 + far + noise + 0.002 * f64::from(run.fold);
            let scores = |loss: f64| vec![("log_loss".into(), loss), ("roc_auc".into(), 1.0 - loss / 2.0)];
            part.runs.push(RunRecord {
                run: run.run,
                epochs: 20,
                n_train: 800,
                n_val: 200,
                train: scores(val - 0.01),
                val: scores(val),
                seconds: 0.001,
                ..RunRecord::default()
            });
            for epoch in [1_u32, 2, 4, 8, 16, 20] {
                let value = val + 0.2 / f64::from(epoch);
                let row = |split, value| HistoryRow {
                    run: run.run,
                    epoch,
                    split,
                    metric: "log_loss".into(),
                    value,
                };
                part.history
                    .extend([row(Split::Train, value - 0.01), row(Split::Val, value)]);
            }
            part.coefficients.extend((0..FEATURES).map(|feature| CoefficientRow {
                run: run.run,
                feature: format!("feature {feature}").into(),
                coefficient: 0.0,
                coefficient_standardized: spread(feature * 7, 0.414) - 0.5 + noise,
            }));
        }
        writer.append(&part).expect("appended");
    }
    writer.finish().expect("finished");
}

#[test]
#[ignore = "makes 50,000 runs; GRADSWEEP_LARGE_STORE keeps them in a directory"]
fn ten_thousand_trials_are_compared_in_a_second_and_fit_a_page() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let kept = std::env::var_os("GRADSWEEP_LARGE_STORE").map(PathBuf::from);
    let dir = kept.unwrap_or_else(|| scratch.path().join("large"));
    if !dir.exists() {
        make(&dir, 10_000);
    }
    let start = Instant::now();
    let sweeps = open(&[dir]).expect("a store");
    let text = compare(&sweeps, &Query::default())
        .expect("comparable")
        .render(Format::Table);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(text.lines().count() > 10_000);
    let page = html(&sweeps, None).expect("a page");
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}
