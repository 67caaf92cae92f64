//! A small sweep with invented figures.

use gradsweep_store::{
    CoefficientRow, HistoryRow, Manifest, MetricInfo, ParamValue, Part, PlanTable, PlannedRun, PlannedTrial, Reason,
    RunId, RunRecord, RunState, Split,
};

pub(crate) const METRICS: [(&str, bool); 2] = [("log_loss", false), ("roc_auc", true)];

pub(crate) fn manifest() -> Manifest {
    Manifest {
        version: "0.1.0".to_owned(),
        name: "flights".to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        plan_hash: "plan".to_owned(),
        select: "log_loss".to_owned(),
        metrics: METRICS
            .iter()
            .map(|(name, higher_is_better)| MetricInfo {
                name: (*name).to_owned(),
                higher_is_better: *higher_is_better,
            })
            .collect(),
        fingerprint: "data".to_owned(),
        ..Manifest::default()
    }
}

pub(crate) fn run_id(trial: u32, fold: u32) -> RunId {
    // Spread over all sixteen digits.
    RunId(u64::from(trial * 1000 + fold + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

pub(crate) fn plan(trials: u32, folds: u32) -> PlanTable {
    let mut plan = PlanTable {
        params: vec!["model.C".to_owned(), "train.solver".to_owned()],
        ..PlanTable::default()
    };
    for trial in 0..trials {
        let c = if trial == 0 {
            f64::INFINITY
        } else {
            0.5 * f64::from(trial)
        };
        plan.trials.push(PlannedTrial {
            trial,
            params: vec![ParamValue::Float(c), ParamValue::Text("adam".to_owned())],
        });
        for fold in 0..folds {
            plan.runs.push(PlannedRun {
                run: run_id(trial, fold),
                trial,
                fold,
                fold_label: fold.to_string(),
                block: trial / 4,
                ..PlannedRun::default()
            });
        }
    }
    plan
}

pub(crate) fn part(run: &PlannedRun, epochs: u32) -> Part {
    let loss = 0.5 + 0.01 * f64::from(run.trial) + 0.001 * f64::from(run.fold);
    let record = RunRecord {
        run: run.run,
        state: RunState::Complete,
        reason: Some(Reason::MaxEpochs),
        epochs,
        best_epoch: Some(epochs),
        objective: Some(loss),
        grad_norm: Some(1e-3),
        l2: 1e-4,
        n_train: 80,
        n_val: 20,
        train: vec![("log_loss".into(), loss - 0.01), ("roc_auc".into(), 0.8)],
        val: vec![("log_loss".into(), loss), ("roc_auc".into(), 0.75)],
        seconds: 0.125,
        ..RunRecord::default()
    };
    let history = (1..=epochs).flat_map(|epoch| {
        [Split::Train, Split::Val].into_iter().flat_map(move |split| {
            METRICS.iter().map(move |(metric, _)| HistoryRow {
                run: run.run,
                epoch,
                split,
                metric: (*metric).into(),
                value: loss + 1.0 / f64::from(epoch),
            })
        })
    });
    let coefficients = ["(intercept)", "hour", "carrier=EV"].map(|feature| CoefficientRow {
        run: run.run,
        feature: feature.into(),
        coefficient: loss,
        coefficient_standardized: -loss,
    });
    Part {
        runs: vec![record],
        history: history.collect(),
        coefficients: coefficients.to_vec(),
    }
}

/// The parts of some runs in one.
pub(crate) fn parts<'a>(runs: impl Iterator<Item = &'a PlannedRun>, epochs: u32) -> Part {
    let mut all = Part::default();
    for run in runs {
        let one = part(run, epochs);
        all.runs.extend(one.runs);
        all.history.extend(one.history);
        all.coefficients.extend(one.coefficients);
    }
    all
}
