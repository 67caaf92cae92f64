//! A journal for Optuna's `JournalStorage`: a line per operation, each a JSON object, as its file backend writes them.

use gradsweep_store::{ParamValue, Split, TrialRow, TrialState};
use serde_json::{Map, Value, json};

use super::curves::Curves;
use super::results::Results;

/// Codes of the operations, as in `optuna/storages/journal/_storage.py`.
const CREATE_STUDY: u8 = 0;
const SET_STUDY_USER_ATTR: u8 = 2;
const SET_STUDY_SYSTEM_ATTR: u8 = 3;
const CREATE_TRIAL: u8 = 4;

/// A range that spans more than this factor is a logarithmic one.
const LOG_SPAN: f64 = 100.0;

/// What Optuna calls the domain of a parameter.
#[derive(Debug, Clone, PartialEq)]
enum Distribution {
    Float { low: f64, high: f64 },
    Int { low: i64, high: i64 },
    Choice(Vec<Value>),
}

/// The journal: one study, and every trial in it as it ended.
pub(super) fn journal(results: &Results, curves: &Curves) -> String {
    let manifest = &results.manifest;
    let select = results.select();
    let mut lines = Vec::new();
    let mut line = |operation: u8, fields: Value| {
        let mut object = json!({ "op_code": operation, "worker_id": "gradsweep" });
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields);
        }
        lines.push(object.to_string());
    };
    let direction = if select.higher_is_better { 2 } else { 1 };
    line(
        CREATE_STUDY,
        json!({ "study_name": manifest.name, "directions": [direction] }),
    );
    let names = json!({ "study:metric_names": [select.name] });
    line(SET_STUDY_SYSTEM_ATTR, json!({ "study_id": 0, "system_attr": names }));
    for (key, value) in [
        ("gradsweep", &manifest.version),
        ("fingerprint", &manifest.fingerprint),
        ("plan", &manifest.plan_hash),
    ] {
        line(
            SET_STUDY_USER_ATTR,
            json!({ "study_id": 0, "user_attr": { key: value } }),
        );
    }
    let distributions: Vec<Distribution> = (0..results.table.params.len())
        .map(|index| Distribution::of(results.table.rows.iter().map(|row| &row.params[index])))
        .collect();
    let by_trial = results.by_trial();
    for row in &results.table.rows {
        let runs = by_trial.get(&row.trial).copied().unwrap_or(&[]);
        let seconds: f64 = runs.iter().filter_map(|run| Some(run.record.as_ref()?.seconds)).sum();
        let own = |split| {
            let mut curves = curves.of(row.trial).iter();
            curves.find(|curve| *curve.metric == *select.name && curve.split == split)
        };
        let curve = own(Split::Val).or(own(Split::Train));
        let steps = curve.iter().flat_map(|curve| &curve.points);
        let steps: Map<String, Value> = steps.map(|(epoch, value)| (epoch.to_string(), json!(value))).collect();
        let value = results.value(row, &select.name);
        let (params, domains) = params(results, row, &distributions);
        line(
            CREATE_TRIAL,
            json!({
                "study_id": 0,
                "datetime_start": time(results.begun()),
                "datetime_complete": time(results.begun() + seconds),
                "state": state(row.state, value),
                "value": value,
                "values": null,
                "distributions": domains,
                "params": params,
                "user_attrs": attributes(results, row),
                "system_attrs": {},
                "intermediate_values": steps,
            }),
        );
    }
    lines.join("\n") + "\n"
}

/// Values as Optuna stores them, and the domains they are from.
fn params(results: &Results, row: &TrialRow, distributions: &[Distribution]) -> (Value, Value) {
    let mut values = Map::new();
    let mut domains = Map::new();
    for ((path, value), distribution) in results.table.params.iter().zip(&row.params).zip(distributions) {
        if value.is_null() {
            continue;
        }
        values.insert(path.clone(), distribution.internal(value));
        domains.insert(path.clone(), distribution.json().to_string().into());
    }
    (Value::Object(values), Value::Object(domains))
}

fn attributes(results: &Results, row: &TrialRow) -> Value {
    let mut attributes = Map::new();
    attributes.insert("trial".to_owned(), row.trial.into());
    attributes.insert("rank".to_owned(), row.rank.into());
    attributes.insert("state".to_owned(), row.state.name().into());
    attributes.insert("selected".to_owned(), row.is_selected.into());
    for (metric, score) in results.table.metrics.iter().zip(&row.scores) {
        for (word, figure) in [
            ("mean_val", score.mean_val),
            ("se_val", score.se_val),
            ("mean_train", score.mean_train),
        ] {
            if let Some(figure) = figure.filter(|figure| figure.is_finite()) {
                attributes.insert(format!("{word}_{}", metric.name), figure.into());
            }
        }
    }
    Value::Object(attributes)
}

/// Optuna's number of a state. Its complete trials have a value.
fn state(state: TrialState, value: Option<f64>) -> u8 {
    match state {
        TrialState::Complete if value.is_some() => 1,
        TrialState::Pruned => 2,
        TrialState::Complete | TrialState::Failed => 3,
        TrialState::Waiting => 4,
    }
}

fn time(seconds: f64) -> String {
    let time = jiff::Timestamp::from_microsecond((seconds * 1e6) as i64).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

impl Distribution {
    /// The narrowest that holds all values.
    fn of<'a>(values: impl Iterator<Item = &'a ParamValue> + Clone) -> Self {
        let held: Vec<&ParamValue> = values.filter(|value| !value.is_null()).collect();
        let ints: Option<Vec<i64>> = held
            .iter()
            .map(|value| match value {
                ParamValue::Int(value) => Some(*value),
                _ => None,
            })
            .collect();
        if let Some(ints) = ints
            && let (Some(&low), Some(&high)) = (ints.iter().min(), ints.iter().max())
        {
            return Self::Int { low, high };
        }
        let floats: Option<Vec<f64>> = held
            .iter()
            .map(|value| value.as_f64().filter(|value| value.is_finite()))
            .collect();
        if let Some(floats) = floats.filter(|floats| !floats.is_empty()) {
            let low = floats.iter().copied().fold(f64::INFINITY, f64::min);
            let high = floats.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            return Self::Float { low, high };
        }
        let mut choices: Vec<Value> = Vec::new();
        for value in held {
            let choice = choice(value);
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        Self::Choice(choices)
    }

    fn internal(&self, value: &ParamValue) -> Value {
        match self {
            Self::Float { .. } | Self::Int { .. } => json!(value.as_f64()),
            Self::Choice(choices) => json!(choices.iter().position(|held| *held == choice(value))),
        }
    }

    fn json(&self) -> Value {
        let is_log = |low: f64, high: f64| low > 0.0 && high >= LOG_SPAN * low;
        match self {
            Self::Float { low, high } => json!({
                "name": "FloatDistribution",
                "attributes": { "step": null, "low": low, "high": high, "log": is_log(*low, *high) },
            }),
            Self::Int { low, high } => json!({
                "name": "IntDistribution",
                "attributes": { "log": is_log(*low as f64, *high as f64), "step": 1, "low": low, "high": high },
            }),
            Self::Choice(choices) => json!({ "name": "CategoricalDistribution", "attributes": { "choices": choices } }),
        }
    }
}

/// A value as JSON; an infinity is a text.
fn choice(value: &ParamValue) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_those_of_the_values() {
        use ParamValue::{Float, Int, Null, Text};
        let of = |values: &[ParamValue]| Distribution::of(values.iter());
        assert_eq!(
            of(&[Float(0.1), Null, Int(2)]),
            Distribution::Float { low: 0.1, high: 2.0 }
        );
        assert_eq!(of(&[Int(5), Int(3)]), Distribution::Int { low: 3, high: 5 });
        let infinite = of(&[Float(1.0), Float(f64::INFINITY)]);
        assert_eq!(infinite, Distribution::Choice(vec![json!(1.0), json!("inf")]));
        assert_eq!(infinite.internal(&Float(f64::INFINITY)), json!(1));
        assert_eq!(of(&[Int(256), Text("full".to_owned())]).internal(&Int(256)), json!(0));
        let wide = Distribution::Float { low: 1e-3, high: 1.0 };
        assert_eq!(wide.json()["attributes"]["log"], true);
    }

    #[test]
    fn times_are_as_python_reads_them() {
        assert_eq!(time(1.5), "1970-01-01T00:00:01.500000+00:00");
    }
}
