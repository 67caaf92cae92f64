//! What a config says once every key has its value: as text, as the identity of a run, as a directory.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::config::Config;
use super::key::{Key, Setting};
use super::metrics::Metric;
use super::model::ModelConfig;
use super::preprocess::PreprocessConfig;
use super::run::Precision;
use super::solver::Solver;
use super::table::join;
use super::train::{EarlyStopping, LearningRate, TrainConfig};
use super::value::{Value, key_text};

/// Keys that no result depends on, by path or by table; and the keys of the search, which the plan spells out trial by
/// trial.
const NOT_OF_RESULTS: &[&str] = &[
    "version",
    "name",
    "output",
    "run.threads",
    "run.memory_limit",
    "run.time_limit",
    "run.on_error",
    "run.max_failures",
    "run.checkpoint_every",
    "data.train",
    "data.test",
    "sweep.method",
    "sweep.trials",
    "sweep.target",
    "sweep.parameters",
    "sweep.points",
    "sweep.exclude",
];

impl Config {
    /// Every key with its value, as a config of its own. Keys whose absence is their meaning stay absent.
    pub fn resolved_toml(&self) -> String {
        let mut text = String::new();
        let Value::Table(tables) = self.write() else {
            return text;
        };
        for (name, value) in &tables {
            match value {
                Value::Table(keys) => table(&mut text, name, keys),
                value => line(&mut text, name, value),
            }
        }
        text
    }

    /// The keys that a result depends on, flattened to their paths: without `version`, `name`, `[output]`, the keys of
    /// `[run]` that only say how work is done, the paths of files, and the search itself.
    pub fn result_keys(&self) -> BTreeMap<String, toml::Value> {
        keys_of("", Self::KEYS, &self.write())
    }

    /// As [`Config::result_keys`], of `[model]` alone.
    pub(crate) fn result_keys_of_model(model: &ModelConfig) -> BTreeMap<String, toml::Value> {
        keys_of("model", ModelConfig::KEYS, &model.write())
    }

    /// As [`Config::result_keys`], of `[preprocess]` alone.
    pub(crate) fn result_keys_of_preprocess(preprocess: &PreprocessConfig) -> BTreeMap<String, toml::Value> {
        keys_of("preprocess", PreprocessConfig::KEYS, &preprocess.write())
    }

    /// As [`Config::result_keys`], of `[train]` alone.
    pub(crate) fn result_keys_of_train(train: &TrainConfig) -> BTreeMap<String, toml::Value> {
        keys_of("train", TrainConfig::KEYS, &train.write())
    }

    /// Whether some trial leaves its learning rate open.
    pub fn leaves_rates_open(&self) -> bool {
        let train = &self.train;
        let has = |path: &str, base: Value, wanted: &Value| self.possible(path, base).contains(wanted);
        let uses_rates = Solver::users("learning_rate")
            .iter()
            .any(|solver| has("train.solver", train.solver.write(), &solver.write()));
        let open = LearningRate::Auto.write();
        uses_rates && has("train.learning_rate", train.learning_rate.write(), &open)
    }

    /// Every value that a key has in some trial.
    pub(crate) fn possible(&self, path: &str, base: Value) -> Vec<Value> {
        let swept = self.sweep.parameters.iter().find(|parameter| parameter.path == path);
        let mut values = swept.map_or(vec![base], super::sweep::Parameter::possible);
        let points = self.sweep.points.iter().flatten();
        values.extend(points.filter(|(p, _)| *p == path).map(|(_, value)| value.clone()));
        values
    }

    /// The element type: `auto` is f64 where a run that converges asks for more than f32 can give (a tolerance below 1e-5,
    /// no penalty, or `newton`), else f32.
    pub fn precision(&self) -> Precision {
        if self.run.precision != Precision::Auto {
            return self.run.precision;
        }
        let solvers = self.possible("train.solver", self.train.solver.write());
        let converges = |solver: &Value| {
            [Solver::Auto, Solver::Lbfgs, Solver::Newton]
                .iter()
                .any(|one| one.write() == *solver)
        };
        let is_below = |value: &Value, bound: f64| matches!(value, Value::Float(value) if *value < bound);
        let is_tight = || {
            self.possible("train.tol", self.train.tol.write())
                .iter()
                .any(|tol| is_below(tol, 1e-5))
        };
        let is_free = || {
            self.possible("model.C", self.model.c.write())
                .contains(&Value::Float(f64::INFINITY))
        };
        let asks = solvers.contains(&Solver::Newton.write()) || is_tight() || is_free();
        if solvers.iter().any(converges) && asks {
            Precision::F64
        } else {
            Precision::F32
        }
    }

    /// The metrics that early stops and rungs go by.
    pub fn watched(&self) -> Vec<Metric> {
        let rules = self.possible("train.early_stopping", self.train.early_stopping.write());
        let rules = rules.iter().filter_map(|rule| Option::<EarlyStopping>::read(rule)?);
        let mut watched: Vec<Metric> = rules.map(|rule| rule.metric).collect();
        if self.sweep.halving.is_some() || self.sweep.hyperband.is_some() || self.sweep.target.is_some() {
            watched.push(self.sweep.metric);
        }
        watched
    }

    /// The scores of every run: those of `metrics.report`, then `sweep.metric` and what early stops go by, each once.
    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for metric in self
            .metrics
            .report
            .iter()
            .chain([&self.sweep.metric])
            .chain(&self.watched())
        {
            if !metrics.contains(metric) {
                metrics.push(*metric);
            }
        }
        metrics
    }

    /// The directory of the store.
    pub fn output_dir(&self, hash: &str, date: &str) -> PathBuf {
        // In one pass, so that braces in a value are not filled in again.
        let mut path = String::new();
        let mut rest = self.output.dir.as_str();
        while let Some((before, tail)) = rest.split_once('{') {
            let Some((placeholder, tail)) = tail.split_once('}') else {
                break;
            };
            path.push_str(before);
            path.push_str(match placeholder {
                "name" => &self.name,
                "hash" => hash,
                _ => date,
            });
            rest = tail;
        }
        path.push_str(rest);
        PathBuf::from(path)
    }
}

fn line(text: &mut String, name: &str, value: &Value) {
    if *value != Value::Null {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = {value}");
    }
}

fn table(text: &mut String, name: &str, keys: &[(String, Value)]) {
    let _ = writeln!(text, "\n[{name}]");
    let is_search = |key: &str| name == "sweep" && matches!(key, "parameters" | "points" | "exclude");
    let is_empty_list_of_files =
        |key: &str, value: &Value| name == "data" && key == "test" && *value == Value::List(Vec::new());
    for (key, value) in keys
        .iter()
        .filter(|(key, value)| !is_search(key) && !is_empty_list_of_files(key, value))
    {
        line(text, &key_text(key), value);
    }
    for (key, value) in keys.iter().filter(|(key, _)| is_search(key)) {
        match value {
            Value::Table(parameters) if !parameters.is_empty() => {
                let _ = writeln!(text, "\n[{name}.{key}]");
                for (path, domain) in parameters {
                    line(text, path, domain);
                }
            }
            Value::List(assignments) => {
                for assignment in assignments {
                    let _ = writeln!(text, "\n[[{name}.{key}]]");
                    if let Value::Table(values) = assignment {
                        for (path, value) in values {
                            line(text, path, value);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn keys_of(path: &str, keys: &[Key], value: &Value) -> BTreeMap<String, toml::Value> {
    let mut flat = BTreeMap::new();
    flatten(path, keys, value, &mut flat);
    flat
}

fn flatten(path: &str, keys: &[Key], value: &Value, flat: &mut BTreeMap<String, toml::Value>) {
    for key in keys {
        let path = join(path, key.name);
        if NOT_OF_RESULTS.contains(&path.as_str()) {
            continue;
        }
        match (key.fields(), value.get(key.name)) {
            ([], Some(value)) => {
                flat.extend(value.to_toml().map(|value| (path, value)));
            }
            (keys, Some(value)) => flatten(&path, keys, value, flat),
            (_, None) => {}
        }
    }
}
