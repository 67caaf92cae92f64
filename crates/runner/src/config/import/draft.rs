//! A config in the making: every line is tried before it is taken.

use std::fmt::Write as _;

use serde_norway::Value as Yaml;

use crate::config::parse;
use crate::config::solver::Solver;
use crate::config::suggest::{homes, refused};
use crate::config::table::{paths, sweepable};
use crate::config::value::quoted;

/// A config made from another program's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The config.
    pub text: String,
    /// What could not be translated, or means something else here; a sentence each. They are comments of the config, too.
    pub notes: Vec<String>,
}

/// What is known so far.
pub(super) struct Draft {
    source: &'static str,
    method: &'static str,
    trials: Option<u64>,
    metric: Option<String>,
    /// Keys that every trial shares: path and value.
    constants: Vec<(&'static str, String)>,
    /// Swept keys: path and domain.
    parameters: Vec<(&'static str, String)>,
    /// Tables of `[sweep]` such as `hyperband`, with their keys.
    tables: Vec<(&'static str, String)>,
    pub(super) notes: Vec<String>,
}

impl Draft {
    pub(super) fn new(source: &'static str) -> Self {
        Self {
            source,
            method: "random",
            trials: None,
            metric: None,
            constants: Vec::new(),
            parameters: Vec::new(),
            tables: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// How trials are chosen.
    pub(super) fn set_method(&mut self, method: &'static str) {
        self.method = method;
    }

    /// Whether the next trials follow from the scores of those before.
    pub(super) fn learns(&self) -> bool {
        self.method == "tpe"
    }

    pub(super) fn is_grid(&self) -> bool {
        self.method == "grid"
    }

    pub(super) fn set_trials(&mut self, trials: u64) {
        self.trials = Some(trials);
    }

    /// The score that ranks trials, by another program's name for it.
    pub(super) fn set_metric(&mut self, name: &str, goal: Option<&str>) {
        let last = name.rsplit(['/', '.']).next().unwrap_or(name).to_lowercase();
        let bare = ["val_", "valid_", "validation_", "test_", "eval_", "dev_"]
            .iter()
            .find_map(|prefix| last.strip_prefix(prefix))
            .unwrap_or(&last);
        let own = match bare {
            "loss" | "logloss" | "cross_entropy" | "bce" | "nll" | "neg_log_loss" => "log_loss",
            "acc" => "accuracy",
            "auc" | "auroc" | "rocauc" => "roc_auc",
            "ap" | "auprc" | "pr_auc" | "average_precision_score" => "average_precision",
            "brier" | "brier_loss" => "brier_score",
            "f1_score" => "f1",
            "mcc" => "matthews_corrcoef",
            other => other,
        };
        if why_not(&format!("[sweep]\nmetric = {}\n", quoted(own))).is_some() {
            self.note(format!("metric {name:?} is not known; log_loss ranks the trials"));
            return;
        }
        if own != name {
            self.note(format!("metric {name:?} is taken for {own}"));
        }
        let is_less_better = matches!(own, "log_loss" | "brier_score");
        if goal.is_some_and(|goal| (goal == "minimize") != is_less_better) {
            self.note(format!(
                "goal {:?} is left out: the direction follows from the name {own}",
                goal.unwrap_or_default()
            ));
        }
        self.metric = Some(own.to_owned());
    }

    pub(super) fn set_table(&mut self, name: &'static str, keys: String, what: &str) {
        if let Some(why) = why_not(&format!("[sweep.{name}]\n{keys}")) {
            self.note(format!("{what} is left out: {why}"));
        } else {
            self.tables.push((name, keys));
        }
    }

    /// The path that another program's name stands for; a note where there is none, or where a number means something else.
    pub(super) fn path(&mut self, name: &str) -> Option<&'static str> {
        if let Some((path, _)) = sweepable(name) {
            return Some(path);
        }
        let last = name.rsplit(['.', '/']).next().unwrap_or(name);
        let own: Vec<&'static str> = homes(last)
            .into_iter()
            .filter(|path| sweepable(path).is_some())
            .collect();
        if let [path] = own[..] {
            return Some(path);
        }
        match refused(last) {
            Some(foreign) if foreign.is_same() && paths().contains_key(foreign.path) => Some(foreign.path),
            Some(foreign) => {
                self.note(format!("{name} is left out: {}", foreign.conversion()));
                None
            }
            None => {
                self.note(format!("{name} is left out: no key of this name"));
                None
            }
        }
    }

    /// A key that every trial shares.
    pub(super) fn set(&mut self, path: &'static str, name: &str, value: &Yaml) {
        let Some(value) = value_of(path, value) else {
            self.note(format!("{name} is left out: its value is no number or text"));
            return;
        };
        match Self::why_not_alone(&format!("{path} = {value}\n")) {
            None => self.constants.push((path, value)),
            Some(why) => self.note(format!("{name} is left out: {why}")),
        }
    }

    /// A swept key, with `domain` as the config writes it.
    pub(super) fn sweep(&mut self, path: &'static str, name: &str, domain: String) {
        if sweepable(path).is_none() {
            self.note(format!("{name} is left out: {path} is the same in every trial"));
            return;
        }
        if self.parameters.iter().any(|(own, _)| *own == path) {
            self.note(format!("{name} is left out: {path} is swept already"));
            return;
        }
        let method = self.head();
        match Self::why_not_alone(&format!("{method}[sweep.parameters]\n{path} = {domain}\n")) {
            None => self.parameters.push((path, domain)),
            Some(why) => self.note(format!("{name} is left out: {why}")),
        }
    }

    /// Values of a categorical key; those that mean nothing here are left out.
    pub(super) fn values(&mut self, path: &'static str, name: &str, values: &[Yaml], shares: Option<&[f64]>) {
        let is_container = sweepable(path).is_some_and(|(_, key)| key.spec.kind.is_container());
        let (mut kept, mut kept_shares) = (Vec::new(), Vec::new());
        for (i, value) in values.iter().enumerate() {
            let text = value_of(path, value);
            let why = text
                .as_ref()
                .and_then(|text| Self::why_not_alone(&format!("{path} = {text}\n")));
            match (text, why) {
                (Some(text), None) => {
                    kept.push(text);
                    kept_shares.extend(shares.and_then(|shares| shares.get(i)).copied());
                }
                (Some(text), Some(why)) => self.note(format!("a value of {name} is left out, {text}: {why}")),
                (None, _) => self.note(format!("a value of {name} is left out: it is no number or text")),
            }
        }
        if kept.is_empty() {
            self.note(format!("{name} is left out: none of its values has a meaning here"));
            return;
        }
        let list = format!("[{}]", kept.join(", "));
        let sum: f64 = kept_shares.iter().sum();
        let has_shares = kept_shares.len() == kept.len() && sum > 0.0 && !self.is_grid();
        let domain = if has_shares {
            let shares: Vec<String> = kept_shares.iter().map(|share| format!("{:?}", share / sum)).collect();
            format!("{{ values = {list}, probabilities = [{}] }}", shares.join(", "))
        } else if is_container {
            format!("{{ values = {list} }}")
        } else {
            list
        };
        self.sweep(path, name, domain);
    }

    /// `[sweep]` with the method alone.
    fn head(&self) -> String {
        if self.is_grid() {
            "[sweep]\nmethod = \"grid\"\n".to_owned()
        } else {
            format!(
                "[sweep]\nmethod = \"{}\"\ntrials = {}\n",
                self.method,
                self.trials.unwrap_or(64)
            )
        }
    }

    /// Why lines are no config by themselves; that a key matters only beside another is no reason.
    fn why_not_alone(lines: &str) -> Option<String> {
        why_not(lines).filter(|why| !why.contains("no effect") && !why.contains("are all the same"))
    }

    /// The whole config.
    pub(super) fn finish(mut self, train: Option<&str>, target: Option<&str>) -> Imported {
        if !self.is_grid() && self.trials.is_none() {
            self.note("the number of trials was not given: 64");
        }
        if train.is_none() || target.is_none() {
            self.note("the file says nothing about data: fill in data.train and data.target");
        }
        self.name_solver();
        // Rules between keys can only be judged together. Every round leaves out a key, or ends.
        loop {
            if self.parameters.is_empty() && !self.is_grid() {
                self.method = "grid";
                self.note("nothing that could be translated is swept");
            }
            let text = self.body(train, target);
            let problem = parse(&text, "imported.toml", "imported", &[])
                .err()
                .and_then(|problems| problems.problems.into_iter().next());
            let Some(problem) = problem else {
                return Imported {
                    text,
                    notes: self.notes,
                };
            };
            let label = problem.label.map_or_else(String::new, |label| format!("; {label}"));
            let why = format!("{}{label}", problem.message);
            let Some(path) = self.leave_out(&why) else {
                self.note(format!("mend this: {why}"));
                return Imported {
                    text: self.body(train, target),
                    notes: self.notes,
                };
            };
            self.note(format!("{path} is left out: {why}"));
        }
    }

    /// A solver that uses the keys of the file, where it names none.
    fn name_solver(&mut self) {
        let own = self.constants.iter().chain(&self.parameters);
        let names: Vec<&str> = own.filter_map(|(path, _)| path.strip_prefix("train.")).collect();
        let is_asked = names
            .iter()
            .any(|name| !Solver::users(name).is_empty() && !Solver::Auto.uses(name));
        if names.contains(&"solver") || !is_asked {
            return;
        }
        let solver = if names.contains(&"momentum") {
            Solver::Sgd
        } else if names.contains(&"weight_decay") {
            Solver::AdamW
        } else {
            Solver::Adam
        };
        self.note(format!("the file names no solver: {solver} uses its keys"));
        self.constants.push(("train.solver", quoted(solver.name())));
    }

    /// Leaves out the key that a problem names.
    fn leave_out(&mut self, problem: &str) -> Option<&'static str> {
        for keys in [&mut self.parameters, &mut self.constants] {
            let named = keys.iter().position(|(path, _)| problem.contains(&format!("`{path}`")));
            if let Some(named) = named {
                return Some(keys.remove(named).0);
            }
        }
        None
    }

    fn body(&self, train: Option<&str>, target: Option<&str>) -> String {
        let mut text = format!("# Translated from {} by gradsweep import.\n", self.source);
        for note in &self.notes {
            let _ = writeln!(text, "# - {}", note.replace('\n', " "));
        }
        let data = (quoted(train.unwrap_or("data.csv")), quoted(target.unwrap_or("target")));
        let _ = write!(
            text,
            "version = 1\n\n[data]\ntrain  = {}\ntarget = {}\n",
            data.0, data.1
        );
        for table in ["model", "train", "preprocess"] {
            let prefix = format!("{table}.");
            let own: Vec<_> = self
                .constants
                .iter()
                .filter_map(|(path, value)| Some((path.strip_prefix(&prefix)?, value)))
                .collect();
            if !own.is_empty() {
                let _ = writeln!(text, "\n[{table}]");
                for (name, value) in own {
                    let _ = writeln!(text, "{name} = {value}");
                }
            }
        }
        let _ = write!(text, "\n{}", self.head());
        if let Some(metric) = &self.metric {
            let _ = writeln!(text, "metric = \"{metric}\"");
        }
        if !self.parameters.is_empty() {
            text += "\n[sweep.parameters]\n";
            for (path, domain) in &self.parameters {
                let _ = writeln!(text, "{path} = {domain}");
            }
        }
        for (name, keys) in &self.tables {
            let _ = write!(text, "\n[sweep.{name}]\n{keys}");
        }
        text
    }
}

/// What is wrong with these lines below a config that is sound by itself; nothing when they are sound.
fn why_not(lines: &str) -> Option<String> {
    let text = format!("data = {{ train = \"a\", target = \"y\" }}\n{lines}");
    let problems = parse(&text, "", "a", &[]).err()?;
    let problem = problems.problems.first()?;
    Some(match &problem.label {
        Some(label) => format!("{}; {label}", problem.message),
        None => problem.message.clone(),
    })
}

/// A number, text or list as TOML. Words are written as this program writes them: in small letters.
fn value_of(path: &str, value: &Yaml) -> Option<String> {
    Some(match value {
        Yaml::Bool(value) => value.to_string(),
        Yaml::Number(number) => number_of(number),
        Yaml::String(text) if path == "train.solver" || path == "model.activation" => quoted(&text.to_lowercase()),
        Yaml::String(text) => quoted(text),
        Yaml::Sequence(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| value_of(path, item)).collect();
            format!("[{}]", items?.join(", "))
        }
        Yaml::Null if path == "model.class_weight" => quoted("none"),
        _ => return None,
    })
}

fn number_of(number: &serde_norway::Number) -> String {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => integer.to_string(),
        (None, Some(float)) => format!("{float:?}"),
        (None, None) => number.to_string(),
    }
}

/// A number as the config writes it; integers of an integer key without a point.
pub(super) fn bound(path: &str, value: f64) -> String {
    let is_integer = sweepable(path).is_some_and(|(_, key)| key.spec.kind.is_integer());
    if is_integer && value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    }
}
