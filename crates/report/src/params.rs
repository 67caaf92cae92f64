//! Which hyperparameters tell trials apart, and what their columns are called.

use gradsweep_store::{Manifest, ParamValue, TrialRow, TrialTable};
use serde_json::Value;

/// The hyperparameters that vary over the sweeps of a report.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Varying {
    /// Their paths, as `model.C`.
    pub(crate) paths: Vec<String>,
    /// Their headers for people: the last segment, unless two share it.
    pub(crate) headers: Vec<String>,
}

/// One sweep as far as parameters go.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// What the report calls it.
    pub(crate) name: &'a str,
    pub(crate) manifest: &'a Manifest,
    pub(crate) trials: &'a TrialTable,
}

impl Varying {
    /// Swept parameters in the order of the sweeps, then what is fixed in each sweep but differs between them.
    pub(crate) fn new(sources: &[Source]) -> Self {
        let mut paths: Vec<String> = Vec::new();
        let swept = sources.iter().flat_map(|source| source.trials.params.iter());
        let fixed = sources
            .iter()
            .flat_map(|source| source.manifest.keys.keys())
            .filter(|key| is_hyperparameter(key));
        for path in swept.chain(fixed) {
            if !paths.contains(path) && varies(path, sources) {
                paths.push(path.clone());
            }
        }
        let headers = short_names(&paths);
        Self { paths, headers }
    }

    /// A trial's values of the varying parameters.
    pub(crate) fn values(&self, source: &Source, row: &TrialRow) -> Vec<ParamValue> {
        let values = self.paths.iter().map(|path| value_of(path, source, row));
        values.collect()
    }
}

pub(crate) fn is_hyperparameter(key: &str) -> bool {
    ["model.", "train.", "preprocess."]
        .iter()
        .any(|table| key.starts_with(table))
}

fn varies(path: &str, sources: &[Source]) -> bool {
    let mut values = sources.iter().flat_map(|source| {
        let rows = source.trials.rows.iter();
        // A fixed key has the same value in every row of its sweep: one is enough.
        let n = if source.trials.params.iter().any(|held| held == path) {
            source.trials.rows.len()
        } else {
            1
        };
        rows.take(n).map(|row| value_of(path, source, row))
    });
    values.next().is_some_and(|first| values.any(|value| value != first))
}

/// Swept, or else as the config fixes it.
pub(crate) fn value_of(path: &str, source: &Source, row: &TrialRow) -> ParamValue {
    let index = source.trials.params.iter().position(|held| held == path);
    match index {
        Some(index) => row.params[index].clone(),
        None => source.manifest.keys.get(path).map_or(ParamValue::Null, from_json),
    }
}

fn from_json(value: &Value) -> ParamValue {
    // Lists and tables are no hyperparameter values; they are shown as JSON.
    serde_json::from_value(value.clone()).unwrap_or_else(|_| ParamValue::Text(value.to_string()))
}

/// The last segment of each path, or the whole path where two share it.
pub(crate) fn short_names(paths: &[String]) -> Vec<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let shorts: Vec<String> = paths.iter().map(|path| last(path)).collect();
    let names = paths.iter().zip(&shorts).map(|(path, short)| {
        let sharing = shorts.iter().filter(|other| *other == short).count();
        if sharing > 1 { path.clone() } else { short.clone() }
    });
    names.collect()
}

/// `C = 0.518, solver = sgd`.
pub fn in_words(paths: &[String], values: &[ParamValue]) -> String {
    let pairs = short_names(paths)
        .into_iter()
        .zip(values)
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{name} = {}", crate::number::param(value)));
    pairs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(params: &[&str], rows: &[&[f64]]) -> TrialTable {
        TrialTable {
            params: params.iter().map(|path| (*path).to_owned()).collect(),
            metrics: Vec::new(),
            rows: (0_u32..)
                .zip(rows)
                .map(|(trial, values)| TrialRow {
                    trial,
                    params: values.iter().map(|value| ParamValue::Float(*value)).collect(),
                    scores: Vec::new(),
                    rank: 1,
                    state: gradsweep_store::TrialState::Complete,
                    rung: None,
                    n_runs: 1,
                    n_failed: 0,
                    is_selected: false,
                })
                .collect(),
        }
    }

    fn manifest(keys: &[(&str, Value)]) -> Manifest {
        Manifest {
            keys: keys
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
            ..Manifest::default()
        }
    }

    #[test]
    fn what_differs_between_sweeps_varies_too() {
        let (a, b) = (
            table(&["model.C"], &[&[1.0], &[2.0]]),
            table(&["train.learning_rate", "train.beta1"], &[&[0.1, 0.9], &[0.2, 0.9]]),
        );
        let a_keys = manifest(&[("train.solver", "adam".into()), ("train.epochs", 5.into())]);
        let b_keys = manifest(&[
            ("train.solver", "sgd".into()),
            ("train.epochs", 5.into()),
            ("model.C", "inf".into()),
            ("data.target", "y".into()),
        ]);
        let sources = [
            Source {
                name: "",
                manifest: &a_keys,
                trials: &a,
            },
            Source {
                name: "",
                manifest: &b_keys,
                trials: &b,
            },
        ];
        let varying = Varying::new(&sources);
        assert_eq!(
            varying.headers,
            ["C", "learning_rate", "beta1", "solver"].map(str::to_owned)
        );
        let values = varying.values(&sources[1], &b.rows[0]);
        assert_eq!(values[0], ParamValue::Float(f64::INFINITY));
        assert_eq!(values[3], ParamValue::Text("sgd".to_owned()));
    }

    #[test]
    fn shared_last_segments_are_spelled_out() {
        let paths = ["train.init.kind", "model.kind", "model.C"].map(str::to_owned);
        assert_eq!(short_names(&paths), ["train.init.kind", "model.kind", "C"]);
    }

    #[test]
    fn words_leave_out_what_has_no_value() {
        let paths = ["model.C", "train.momentum"].map(str::to_owned);
        let values = [ParamValue::Float(0.5), ParamValue::Null];
        assert_eq!(in_words(&paths, &values), "C = 0.5");
    }
}
