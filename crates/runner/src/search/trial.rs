//! One setting of the swept parameters.

use std::collections::BTreeMap;

use crate::config::{Config, ModelConfig, TrainConfig, Value};

/// One setting of the swept parameters, and what it makes of the config.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// By first appearance, from 0.
    pub number: u32,
    /// The swept parameters: the same paths in the same order in all trials of a sweep. `Null` where a parameter has no
    /// effect in this trial.
    pub params: Vec<(String, Value)>,
    /// `[model]` of this trial.
    pub model: ModelConfig,
    /// `[train]` of this trial.
    pub train: TrainConfig,
    /// The epoch after which its runs end, where that is before the last one that their schedules know of.
    pub until: Option<u32>,
}

impl Trial {
    /// The most epochs that a run of it is trained.
    pub fn last_epoch(&self) -> u32 {
        self.until
            .map_or(self.train.epochs, |until| until.min(self.train.epochs))
    }

    /// The keys that this trial's results depend on: those of the config, with the trial's own values.
    pub fn result_keys(&self, config: &Config) -> BTreeMap<String, toml::Value> {
        let own = Config {
            model: self.model.clone(),
            train: self.train.clone(),
            ..config.clone()
        };
        own.result_keys()
    }

    /// The config's `[model]` and `[train]` with `params` applied; a parameter that the solver of these very params does
    /// not use becomes `Null`, and its key keeps the config's value.
    pub(super) fn new(config: &Config, params: Vec<(&'static str, Value)>) -> Self {
        let mut trial = Self {
            number: 0,
            params: Vec::with_capacity(params.len()),
            model: config.model.clone(),
            train: config.train.clone(),
            until: None,
        };
        for (path, value) in params.iter().filter(|(path, _)| *path == "train.solver") {
            trial.assign(path, value);
        }
        let solver = trial.train.solver;
        for (path, value) in params {
            let is_used = path.strip_prefix("train.").is_none_or(|name| solver.uses(name));
            if is_used {
                trial.assign(path, &value);
            }
            trial
                .params
                .push((path.to_owned(), if is_used { value } else { Value::Null }));
        }
        trial
    }

    /// The value of a key of `[model]` or `[train]`.
    pub(super) fn value(&self, path: &str) -> Option<Value> {
        match path.split_once('.')? {
            ("model", name) => self.model.value(name),
            ("train", name) => self.train.value(name),
            _ => None,
        }
    }

    fn assign(&mut self, path: &str, value: &Value) {
        let assigned = match path.split_once('.') {
            Some(("model", name)) => self.model.assign(name, value),
            Some(("train", name)) => self.train.assign(name, value),
            _ => None,
        };
        assert!(
            assigned.is_some(),
            "a checked parameter has a key of its type: {path} = {value}"
        );
    }
}
