//! One setting of the swept parameters.

use std::collections::BTreeMap;

use crate::config::{Config, ModelConfig, PreprocessConfig, Setting, Solver, TrainConfig, Value, sweepable};

/// One setting of the swept parameters, and what it makes of the config.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// By first appearance, from 0.
    pub number: u32,
    /// Of a method that learns from scores, how often it had been asked before it gave this one; 0 for all others.
    pub round: u32,
    /// The swept parameters: the same paths in the same order in all trials of a sweep. `Null` where a parameter has no
    /// effect in this trial.
    pub params: Vec<(String, Value)>,
    /// `[preprocess]` of this trial.
    pub preprocess: PreprocessConfig,
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
        self.config(config).result_keys()
    }

    /// The config with the trial's own values.
    pub(crate) fn config(&self, config: &Config) -> Config {
        Config {
            preprocess: self.preprocess.clone(),
            model: self.model.clone(),
            train: self.train.clone(),
            ..config.clone()
        }
    }

    /// The config's `[preprocess]`, `[model]` and `[train]` with `params` applied; a parameter that these very params leave without effect
    /// (its conditions are not met, or the solver or the model does not use it) becomes `Null`, and its key keeps the
    /// config's value.
    pub(super) fn new(config: &Config, params: &[(&'static str, Value)]) -> Self {
        let mut trial = Self {
            number: 0,
            round: 0,
            params: Vec::with_capacity(params.len()),
            preprocess: config.preprocess.clone(),
            model: config.model.clone(),
            train: config.train.clone(),
            until: None,
        };
        let activity = Activity::new(config, params);
        for (i, (path, value)) in params.iter().enumerate() {
            let is_active = activity.of(i, 0);
            if is_active {
                trial.assign(path, value);
            }
            let own = if is_active { value.clone() } else { Value::Null };
            trial.params.push(((*path).to_owned(), own));
        }
        trial
    }

    /// The value of a sweepable key.
    pub(super) fn value(&self, path: &str) -> Option<Value> {
        match path.split_once('.')? {
            ("preprocess", name) => self.preprocess.value_within(name),
            ("model", name) => self.model.value_within(name),
            ("train", name) => self.train.value_within(name),
            _ => None,
        }
    }

    fn assign(&mut self, path: &str, value: &Value) {
        let assigned = match path.split_once('.') {
            Some(("preprocess", name)) => self.preprocess.assign_within(name, value),
            Some(("model", name)) => self.model.assign_within(name, value),
            Some(("train", name)) => self.train.assign_within(name, value),
            _ => None,
        };
        assert!(
            assigned.is_some(),
            "a checked parameter has a key of its type: {path} = {value}"
        );
    }
}

/// Which parameters have an effect, given the values of all.
struct Activity<'a> {
    config: &'a Config,
    params: &'a [(&'static str, Value)],
    solver: Solver,
}

impl<'a> Activity<'a> {
    fn new(config: &'a Config, params: &'a [(&'static str, Value)]) -> Self {
        let mut activity = Self {
            config,
            params,
            solver: config.train.solver,
        };
        let own = params.iter().position(|(path, _)| *path == "train.solver");
        // No solver decides whether there is another.
        if let Some(own) = own.filter(|own| activity.of(*own, 0)) {
            let named = Solver::ALL
                .iter()
                .find(|solver| params[own].1 == Value::Text(solver.name().to_owned()));
            activity.solver = named.copied().unwrap_or(activity.solver);
        }
        activity
    }

    /// Whether the parameter at `index` has an effect. Conditions lead from parameter to parameter and never back; `depth`
    /// says how many were followed.
    fn of(&self, index: usize, depth: usize) -> bool {
        let (path, _) = &self.params[index];
        let is_used = match path.strip_prefix("train.") {
            Some("solver") | None => true,
            Some(name) => self.solver.uses(name),
        };
        is_used && self.is_for_its_sibling(path, depth) && self.meets_conditions(path, depth)
    }

    /// Whether the sibling that a key needs beside it has the value it needs.
    fn is_for_its_sibling(&self, path: &str, depth: usize) -> bool {
        let Some((sibling, needed)) = sweepable(path).and_then(|(_, key)| key.spec.only_with) else {
            return true;
        };
        let table = path.rsplit_once('.').map_or("", |(table, _)| table);
        self.has(&format!("{table}.{sibling}"), &[Value::Text(needed.to_owned())], depth)
    }

    fn meets_conditions(&self, path: &str, depth: usize) -> bool {
        let own = self
            .config
            .sweep
            .parameters
            .iter()
            .find(|parameter| parameter.path == path);
        let mut conditions = own.map(|parameter| &*parameter.when).unwrap_or_default().iter();
        conditions.all(|(path, values)| self.has(path, values, depth))
    }

    /// Whether a key has one of these values; a parameter without effect has none.
    fn has(&self, path: &str, values: &[Value], depth: usize) -> bool {
        match self.params.iter().position(|(own, _)| *own == path) {
            Some(index) => {
                depth < self.params.len() && values.contains(&self.params[index].1) && self.of(index, depth + 1)
            }
            None => self
                .config
                .base_value(path)
                .is_some_and(|value| values.contains(&value)),
        }
    }
}
