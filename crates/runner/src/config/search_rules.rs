//! What must hold between the keys of a search: its trials, and the conditions of its parameters.

use super::config::Config;
use super::report::Draft;
use super::rules::Rules;
use super::sweep::{Condition, Domain, Method};
use super::tree::At;
use super::value::Value;

/// Points of the scrambled Sobol sequence.
pub(crate) const MOST_SOBOL: u64 = 1 << 16;

impl Rules<'_, '_> {
    /// A method that draws has something to draw from and knows how often.
    pub(super) fn search(&mut self) {
        let sweep = &self.config.sweep;
        let method = sweep.method;
        if method != Method::Grid && self.are_sound(&["sweep.method", "sweep.trials", "sweep.parameters"]) {
            let at = self.value_at("sweep.method");
            if sweep.trials.is_none() {
                let draft = Draft::new(format!("method \"{method}\" needs the number of trials"));
                self.report.add(&at, draft.label("add trials = 64"));
            }
            if sweep.parameters.is_empty() {
                let draft = Draft::new(format!("method \"{method}\" has no parameter to draw"));
                self.report.add(
                    &at,
                    draft
                        .label("nothing is swept")
                        .help("add [sweep.parameters] with model.C = { min = 1e-4, max = 1e4, log = true }"),
                );
            }
            if method == Method::Sobol && sweep.trials.is_some_and(|trials| trials > MOST_SOBOL) {
                let at = self.value_at("sweep.trials");
                let draft = Draft::new(format!("method \"sobol\" has {MOST_SOBOL} trials at the most"));
                self.report
                    .add(&at, draft.label("halton and random have no such limit"));
            }
            let points = sweep.points.len() as u64;
            if let Some(trials) = sweep.trials.filter(|trials| points > *trials)
                && self.are_sound(&["sweep.points"])
            {
                let at = self.value_at("sweep.trials");
                let draft = Draft::new(format!("{points} points are more than {trials} trials"));
                self.report.add(&at, draft.label("points count, too"));
            }
        }
        if self.are_sound(&["sweep.parameters", "sweep.points"]) {
            self.conditions();
            self.c_path();
        }
    }

    /// An automatic C is one path for all trials, which several ways to preprocess do not have.
    fn c_path(&mut self) {
        let parameters = self.config.sweep.parameters.iter();
        let mut preprocessing = parameters.filter(|parameter| parameter.path.starts_with("preprocess."));
        if let Some(other) = preprocessing.next().filter(|_| self.config.c_path_len().is_some()) {
            let at = self.tree.find(["sweep", "parameters", "model.C"]);
            let at = at.map_or(At::START, |entry| entry.name_at.clone());
            let draft = Draft::new(format!("`model.C` cannot be automatic where `{}` is swept", other.path));
            self.report.add(
                &at,
                draft
                    .label("its range follows from the preprocessed columns")
                    .help("give it a range: model.C = { min = 1e-4, max = 1e4, num = 64, log = true }"),
            );
        }
    }

    /// Conditions name what varies, can be met, and do not go around in circles.
    fn conditions(&mut self) {
        for parameter in &self.config.sweep.parameters {
            for condition in &parameter.when {
                if !self.are_sound(&[parameter.path, condition.0]) {
                    continue;
                }
                if let Some((message, label)) = fault(self.config, parameter.path, condition) {
                    let at = self.when_at(parameter.path);
                    self.report.add(&at, Draft::new(message).label(label));
                }
            }
        }
    }

    /// Where the conditions of a parameter are written.
    fn when_at(&self, path: &str) -> At {
        let entry = self.tree.find(["sweep", "parameters", path, "when"]);
        entry.map_or(At::START, |entry| entry.node.at.clone())
    }
}

/// What is wrong with a condition, if anything.
fn fault(config: &Config, path: &str, (other, values): &Condition) -> Option<(String, String)> {
    if path == *other {
        return Some((
            format!("`{path}` cannot depend on itself"),
            "name another parameter".into(),
        ));
    }
    // One end of a circle says it for both.
    if path < *other && leads_back(config, other, path) {
        let message = format!("`{path}` and `{other}` depend on each other");
        return Some((message, "leave out one of the conditions".into()));
    }
    let swept = config
        .sweep
        .parameters
        .iter()
        .find(|parameter| parameter.path == *other);
    let points = config.sweep.points.iter().flatten();
    let of_points: Vec<&Value> = points
        .filter(|(path, _)| path == other)
        .map(|(_, value)| value)
        .collect();
    if swept.is_none() && of_points.is_empty() {
        let message = format!("`{other}` is the same in every trial, so that `when` decides nothing");
        return Some((message, format!("sweep `{other}`, or leave the condition out")));
    }
    let is_possible = |value: &Value| match swept.map(|parameter| &parameter.domain) {
        _ if of_points.contains(&value) => true,
        Some(Domain::Values(values)) => values.contains(value),
        // Whether a number is drawn from a range is decided by chance.
        Some(_) => true,
        None => config.base_value(other).as_ref() == Some(value),
    };
    let never = values.iter().find(|value| !is_possible(value))?;
    Some((format!("no trial has {other} = {never}"), "not among its values".into()))
}

/// Whether the conditions of `from` lead to `to`.
fn leads_back(config: &Config, from: &str, to: &str) -> bool {
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(path) = reached.get(next).copied() {
        next += 1;
        let of_path = config
            .sweep
            .parameters
            .iter()
            .filter(|parameter| parameter.path == path);
        for (other, _) in of_path.flat_map(|parameter| &parameter.when) {
            if *other == to {
                return true;
            }
            if !reached.contains(other) {
                reached.push(other);
            }
        }
    }
    false
}
