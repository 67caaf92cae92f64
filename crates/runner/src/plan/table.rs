//! The plan as the store keeps it.

use gradsweep_store as store;

use super::Plan;
use crate::config::Value;

/// The plan as the store keeps it.
pub fn table(plan: &Plan, fold_labels: &[String]) -> store::PlanTable {
    let params: Vec<String> = plan
        .trials
        .first()
        .map(|trial| trial.params.iter().map(|(path, _)| path.clone()).collect())
        .unwrap_or_default();
    let mut places = vec![(0, 0); plan.runs.len()];
    for (cohort, of) in plan.cohorts.iter().enumerate() {
        for (block, of) in of.blocks.iter().enumerate() {
            for &run in &of.runs {
                places[run] = (cohort as u32, block as u32);
            }
        }
    }
    store::PlanTable {
        trials: plan
            .trials
            .iter()
            .map(|trial| store::PlannedTrial {
                trial: trial.number,
                params: trial.params.iter().map(|(_, value)| param(value)).collect(),
            })
            .collect(),
        params,
        runs: plan
            .runs
            .iter()
            .zip(places)
            .map(|(run, (cohort, block))| store::PlannedRun {
                run: run.id,
                trial: plan.trials[run.trial].number,
                fold: run.fold as u32,
                fold_label: fold_labels[run.fold].clone(),
                repeat: run.repeat,
                restart: run.restart,
                cohort,
                block,
            })
            .collect(),
    }
}

/// A config value as a cell; lists and tables as their TOML text.
pub(crate) fn param(value: &Value) -> store::ParamValue {
    match value {
        Value::Null => store::ParamValue::Null,
        Value::Bool(value) => store::ParamValue::Bool(*value),
        Value::Int(value) => store::ParamValue::Int(*value),
        Value::Float(value) => store::ParamValue::Float(*value),
        Value::Text(text) => store::ParamValue::Text(text.clone()),
        Value::List(_) | Value::Table(_) => store::ParamValue::Text(value.to_string()),
    }
}
