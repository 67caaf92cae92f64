//! What must hold between keys, once each of them is sound.

mod stopping;

use super::config::Config;
use super::key::Setting;
use super::report::{Draft, Report};
use super::sets::Set;
use super::solver::Solver;
use super::sweep::{Method, Select};
use super::table::{paths, sweepable};
use super::train::{BatchRows, Init, TrainConfig};
use super::tree::{At, Entry, Node};
use super::validation::{Strategy, ValidationConfig};
use super::value::Value;

/// A larger grid is a slip.
pub(crate) const MOST_TRIALS: u64 = 1_000_000;

/// Checks every rule whose keys are sound.
pub(super) fn check(report: &mut Report, config: &Config, tree: &Node, sets: &[Set]) {
    let mut rules = Rules { report, config, tree };
    rules.roles();
    rules.folds();
    rules.csv();
    rules.trials();
    rules.search();
    rules.one_se();
    rules.sets(sets);
    // The others look at every value of a parameter: of a range with billions of them, this is all there is to say.
    if rules.has_fair_size() {
        rules.restarts();
        rules.swept_without_effect();
        rules.set_without_effect();
        rules.nesterov();
        rules.early_stopping();
        rules.rungs();
        rules.target();
        rules.schedule();
        rules.every();
    }
}

pub(super) struct Rules<'a, 'r> {
    pub(super) report: &'a mut Report<'r>,
    pub(super) config: &'a Config,
    pub(super) tree: &'a Node,
}

impl Rules<'_, '_> {
    pub(super) fn entry(&self, path: &str) -> Option<&Entry> {
        self.tree.find(path.split('.'))
    }

    /// The place of a parameter's name in `[sweep.parameters]`.
    fn parameter(&self, path: &str) -> Option<&Entry> {
        self.tree.find(["sweep", "parameters", path])
    }

    /// Where the value of a key is written, or else its name, its table, or the start.
    pub(super) fn value_at(&self, path: &str) -> At {
        self.entry(path).map_or(At::START, |entry| entry.node.at.clone())
    }

    pub(super) fn are_sound(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.report.is_sound(path))
    }

    /// Every value that a key has in some trial.
    fn possible(&self, path: &str, base: Value) -> Vec<Value> {
        self.config.possible(path, base)
    }

    fn solvers(&self) -> Vec<Solver> {
        let values = self.possible("train.solver", self.config.train.solver.write());
        let mut solvers: Vec<_> = values.iter().filter_map(Solver::read).collect();
        solvers.sort();
        solvers.dedup();
        solvers
    }

    fn roles(&mut self) {
        let data = &self.config.data;
        let roles = [
            ("target", Some(&data.target)),
            ("weight", data.weight.as_ref()),
            ("group", data.group.as_ref()),
            ("fold", data.fold.as_ref()),
            ("time", data.time.as_ref()),
            ("id", data.id.as_ref()),
        ];
        for (i, (role, column)) in roles.iter().enumerate() {
            let Some(column) = column else { continue };
            let path = format!("data.{role}");
            let Some((first, _)) = roles[..i].iter().find(|(_, other)| *other == Some(column)) else {
                continue;
            };
            if self.are_sound(&[&path, &format!("data.{first}")]) {
                let draft =
                    Draft::new(format!("column {column:?} has two roles")).label(format!("it is the {first} already"));
                let at = self.value_at(&path);
                self.report.add(&at, draft);
            }
        }
    }

    /// The strategy has its column, and the other keys of `[validation]` have an effect.
    fn folds(&mut self) {
        let (validation, data) = (&self.config.validation, &self.config.data);
        let strategy = validation.strategy;
        if !self.are_sound(&["validation.strategy"]) {
            return;
        }
        if let Some(role) = strategy.column() {
            let column = match role {
                "group" => &data.group,
                "time" => &data.time,
                _ => &data.fold,
            };
            if column.is_none() && self.are_sound(&[&format!("data.{role}")]) {
                let at = self.value_at("validation.strategy");
                self.report.add(
                    &at,
                    Draft::new(format!("strategy \"{strategy}\" needs the column of {role}s"))
                        .label(format!("add {role} = \"…\" below [data]")),
                );
            }
        }
        let Value::Table(values) = validation.write() else {
            return;
        };
        for (name, value) in values {
            let path = format!("validation.{name}");
            let Some(key) = ValidationConfig::KEYS.iter().find(|key| key.name == name) else {
                continue;
            };
            let is_idle = !strategy.uses(&name) && value != key.default_value();
            if let Some(entry) = self.entry(&path).filter(|_| is_idle && self.are_sound(&[&path])) {
                let at = entry.name_at.clone();
                let why = if name == "repeats" {
                    "its folds never change; "
                } else {
                    ""
                };
                self.report.add(
                    &at,
                    Draft::new(format!("`{path}` has no effect with strategy \"{strategy}\""))
                        .label(format!("{why}it matters to {}", quoted(&Strategy::users(&name))))
                        .help("leave it out, or change validation.strategy"),
                );
            }
        }
        let is_repeated = validation.repeats > 1 && strategy.uses("repeats");
        if is_repeated && !validation.shuffle && self.are_sound(&["validation.repeats", "validation.shuffle"]) {
            let at = self.value_at("validation.repeats");
            self.report.add(
                &at,
                Draft::new("repeats without a shuffle have the same folds").label("leave out shuffle = false"),
            );
        }
    }

    fn csv(&mut self) {
        let csv = &self.config.data.csv;
        if self.are_sound(&["data.csv"]) && csv.quote == Some(csv.delimiter) {
            let at = self.value_at("data.csv.delimiter");
            self.report.add(
                &at,
                Draft::new("delimiter and quote are the same character").label("change one of them"),
            );
        }
    }

    fn restarts(&mut self) {
        if !self.are_sound(&["train.restarts", "train.init", "sweep.parameters", "sweep.points"]) {
            return;
        }
        let train = &self.config.train;
        let restarts = self.possible("train.restarts", train.restarts.write());
        let inits = self.possible("train.init", train.init.write());
        let has_restarts = restarts
            .iter()
            .any(|value| u32::read(value).is_some_and(|restarts| restarts > 1));
        let has_zeros = inits
            .iter()
            .any(|value| Init::read(value).is_some_and(|init| !init.is_random()));
        if has_restarts && has_zeros {
            let at = match self.parameter("train.restarts") {
                Some(entry) => entry.name_at.clone(),
                None => self.value_at("train.restarts"),
            };
            self.report.add(
                &at,
                Draft::new("restarts from zeros are all the same")
                    .label("add init = { kind = \"normal\", std = 0.01 } or { kind = \"glorot\" }"),
            );
        }
    }

    /// A swept key must matter to a solver and a model of the sweep.
    fn swept_without_effect(&mut self) {
        if !self.are_sound(&["train.solver", "model.kind", "sweep.points"]) {
            return;
        }
        let solvers = self.solvers();
        for parameter in &self.config.sweep.parameters {
            let path = parameter.path;
            if !self.are_sound(&[path, "sweep.parameters.train.solver"]) {
                continue;
            }
            let Some((table, name)) = path.rsplit_once('.') else {
                continue;
            };
            let why = if table == "train" && !solvers.iter().any(|solver| solver.uses(name)) {
                Some((
                    format!("with solver {}", quoted(&solvers)),
                    format!("it matters to {}", quoted(&Solver::users(name))),
                ))
            } else {
                sweepable(path)
                    .and_then(|(_, key)| key.spec.only_with)
                    .and_then(|(sibling, needed)| {
                        let sibling = format!("{table}.{sibling}");
                        let base = self.config.model.kind.write();
                        let is_met = self.possible(&sibling, base).contains(&Value::Text(needed.to_owned()));
                        (!is_met).then(|| {
                            (
                                format!("without {sibling} = {needed:?}"),
                                format!("it matters to {needed} only"),
                            )
                        })
                    })
            };
            if let (Some((without, label)), Some(entry)) = (why, self.parameter(path)) {
                let at = entry.name_at.clone();
                self.report.add(
                    &at,
                    Draft::new(format!("sweeping `{path}` has no effect {without}")).label(label),
                );
            }
        }
    }

    /// A value that differs from the default must matter to a solver of the sweep.
    fn set_without_effect(&mut self) {
        if !self.are_sound(&["train.solver", "sweep.parameters.train.solver", "sweep.points"]) {
            return;
        }
        let solvers = self.solvers();
        let Value::Table(values) = self.config.train.write() else {
            return;
        };
        for (name, value) in values {
            let path = format!("train.{name}");
            let Some(key) = TrainConfig::KEYS.iter().find(|key| key.name == name) else {
                continue;
            };
            let is_swept = self.parameter(&path).is_some();
            let is_used = solvers.iter().any(|solver| solver.uses(&name));
            // Gradient descent takes all rows, as "full" says.
            let is_true = name == "batch_rows" && self.config.train.batch_rows == BatchRows::Full;
            if is_swept || is_used || is_true || value == key.default_value() || !self.are_sound(&[&path]) {
                continue;
            }
            let Some(entry) = self.entry(&path) else {
                continue;
            };
            let at = entry.name_at.clone();
            self.report.add(
                &at,
                Draft::new(format!("`{path}` has no effect with solver {}", quoted(&solvers)))
                    .label(format!("it matters to {}", quoted(&Solver::users(&name))))
                    .help("leave it out, or change train.solver"),
            );
        }
    }

    fn nesterov(&mut self) {
        if !self.are_sound(&["train", "sweep.parameters", "sweep.points"]) || !self.solvers().contains(&Solver::Sgd) {
            return;
        }
        let train = &self.config.train;
        let looks_ahead = self
            .possible("train.nesterov", train.nesterov.write())
            .contains(&Value::Bool(true));
        let momenta = self.possible("train.momentum", train.momentum.write());
        if looks_ahead && momenta.iter().all(|value| *value == Value::Float(0.0)) {
            let at = match self.parameter("train.nesterov") {
                Some(entry) => entry.name_at.clone(),
                None => self.value_at("train.nesterov"),
            };
            self.report.add(
                &at,
                Draft::new("`train.nesterov` has no effect without momentum").label("add momentum = 0.9"),
            );
        }
    }

    fn trials(&mut self) {
        let sweep = &self.config.sweep;
        if sweep.trials.is_some() && sweep.method == Method::Grid && self.are_sound(&["sweep.method", "sweep.trials"]) {
            let at = self
                .entry("sweep.trials")
                .map_or(At::START, |entry| entry.name_at.clone());
            self.report.add(
                &at,
                Draft::new("grid takes every point; `trials` is for random, sobol, halton, tpe").label("leave it out"),
            );
        }
    }

    /// The rule of one standard error goes by C.
    fn one_se(&mut self) {
        let sweep = &self.config.sweep;
        let names_c = |path: &&str| *path == "model.C";
        let is_swept = sweep
            .parameters
            .iter()
            .map(|parameter| parameter.path)
            .any(|path| names_c(&path))
            || sweep.points.iter().flatten().any(|(path, _)| names_c(path));
        if sweep.select == Select::OneSe
            && !is_swept
            && self.are_sound(&["sweep.select", "sweep.parameters", "sweep.points"])
        {
            let at = self.value_at("sweep.select");
            self.report.add(
                &at,
                Draft::new("select = \"1se\" needs `model.C` to be swept")
                    .label("it takes the smallest C within one standard error")
                    .help("add model.C = { min = 1e-4, max = 1e4, num = 9, log = true } below [sweep.parameters]"),
            );
        }
    }

    fn has_fair_size(&mut self) -> bool {
        let sweep = &self.config.sweep;
        let trials = sweep.most_trials();
        if trials > MOST_TRIALS {
            let at = self
                .entry("sweep.parameters")
                .map_or(At::START, |entry| entry.name_at.clone());
            if sweep.method != Method::Grid {
                let at = self.value_at("sweep.trials");
                let draft = Draft::new(format!("{trials} trials are too many; {MOST_TRIALS} is the most"));
                self.report.add(&at, draft.label("take fewer"));
                return false;
            }
            let sizes: Vec<_> = sweep
                .parameters
                .iter()
                .map(|parameter| parameter.most_values().to_string())
                .collect();
            self.report.add(
                &at,
                Draft::new(format!(
                    "{} = {trials} trials are too many; {MOST_TRIALS} is the most",
                    sizes.join(" x ")
                ))
                .label("take fewer values"),
            );
        }
        trials <= MOST_TRIALS
    }

    /// A `--set` on a key that trials override would change nothing.
    fn sets(&mut self, sets: &[Set]) {
        for set in sets {
            let of_set = |path: &&str| set.path == **path || set.path.starts_with(&format!("{path}."));
            let Some(path) = self
                .config
                .sweep
                .parameters
                .iter()
                .map(|parameter| parameter.path)
                .find(of_set)
            else {
                continue;
            };
            let is_leaf = path == set.path && paths().get(path).is_some_and(|key| !key.spec.kind.is_container());
            let list = if is_leaf {
                format!("[{}]", set.value)
            } else {
                "{ values = [...] }".to_owned()
            };
            self.report.add(
                &set.at,
                Draft::new(format!("`{path}` is swept, so that this would change nothing"))
                    .help(format!("write --set 'sweep.parameters.{path}={list}'")),
            );
        }
    }
}

/// `"sgd", "adam"`.
fn quoted(words: &[impl std::fmt::Display]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    quoted.join(", ")
}
