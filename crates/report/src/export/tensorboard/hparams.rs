//! What `TensorBoard`'s `HParams` plugin reads: the experiment's columns, and each trial's values. Numbers of fields are those of the plugin's
//! `api.proto` and `plugin_data.proto`.

use gradsweep_store::{ParamValue, TrialRow, TrialState};

use super::super::protobuf::Message;
use super::super::results::Results;
use super::event::plugin;

const PLUGIN: &str = "hparams";

/// The plugin's types.
const TEXT: i64 = 1;
const BOOL: i64 = 2;
const FLOAT: i64 = 3;

/// Which hyperparameters and metrics there are.
pub(super) fn experiment(results: &Results) -> Vec<u8> {
    let params = results.table.params.iter().enumerate().map(|(index, path)| {
        let values = results.table.rows.iter().map(|row| &row.params[index]);
        let mut values: Vec<&ParamValue> = values.filter(|value| !value.is_null()).collect();
        values.sort_by(|a, b| {
            let of = |value: &ParamValue| value.as_f64().unwrap_or(f64::INFINITY);
            of(a).total_cmp(&of(b)).then_with(|| a.to_string().cmp(&b.to_string()))
        });
        values.dedup();
        let kind = kind(results, index);
        let domain = Message::new().each(values, |list, value| list.message(1, &self::value(value, kind)));
        Message::new().text(1, path).int(4, kind).message(5, &domain)
    });
    let metrics = results.table.metrics.iter().map(|metric| {
        let name = Message::new().text(2, &tag(results, &metric.name));
        Message::new().message(1, &name).text(3, &metric.name)
    });
    let experiment = Message::new()
        .double(3, results.begun())
        .each(params, |experiment, param| experiment.message(4, &param))
        .each(metrics, |experiment, metric| experiment.message(5, &metric))
        .text(6, &results.manifest.name);
    plugin(
        "_hparams_/experiment",
        PLUGIN,
        Message::new().message(2, &experiment),
        results.begun(),
    )
}

/// A trial's values.
pub(super) fn start(results: &Results, row: &TrialRow, time: f64) -> Vec<u8> {
    let params = results.table.params.iter().zip(&row.params).enumerate();
    let params = params.filter(|(_, (_, value))| !value.is_null());
    let start = Message::new()
        .each(params, |start, (index, (path, value))| {
            let value = self::value(value, kind(results, index));
            start.message(1, &Message::new().text(1, path).message(2, &value))
        })
        .text(4, &format!("trial {}", row.trial))
        .double(5, time);
    plugin(
        "_hparams_/session_start_info",
        PLUGIN,
        Message::new().message(3, &start),
        time,
    )
}

/// How a trial ended.
pub(super) fn end(row: &TrialRow, time: f64) -> Vec<u8> {
    let status = match row.state {
        TrialState::Complete | TrialState::Pruned => 1,
        TrialState::Failed => 2,
        TrialState::Waiting => 3,
    };
    let end = Message::new().int(1, status).double(2, time);
    plugin(
        "_hparams_/session_end_info",
        PLUGIN,
        Message::new().message(4, &end),
        time,
    )
}

/// The type of a hyperparameter: that of all its values, or else text.
fn kind(results: &Results, index: usize) -> i64 {
    let values = results.table.rows.iter().map(|row| &row.params[index]);
    let values: Vec<&ParamValue> = values.filter(|value| !value.is_null()).collect();
    if values.iter().all(|value| value.as_f64().is_some()) {
        FLOAT
    } else if values.iter().all(|value| matches!(value, ParamValue::Bool(_))) {
        BOOL
    } else {
        TEXT
    }
}

/// The scalar by which trials are compared.
pub(super) fn tag(results: &Results, metric: &str) -> String {
    let is_validated = crate::summary::is_validated(&results.table, metric);
    format!("{}_{metric}", if is_validated { "mean_val" } else { "mean_train" })
}

/// A `google.protobuf.Value`.
fn value(value: &ParamValue, kind: i64) -> Message {
    match value {
        _ if kind == TEXT => Message::new().text(3, &value.to_string()),
        ParamValue::Null => Message::new().int(1, 0),
        ParamValue::Bool(value) => Message::new().int(4, i64::from(*value)),
        ParamValue::Int(value) => Message::new().double(2, *value as f64),
        ParamValue::Float(value) => Message::new().double(2, *value),
        ParamValue::Text(value) => Message::new().text(3, value),
    }
}
