//! What must hold for early stops, rungs and schedules.

use super::{Rules, quoted};
use crate::config::key::Setting;
use crate::config::report::Draft;
use crate::config::solver::Solver;
use crate::config::train::{EarlyStopping, Schedule};
use crate::config::tree::At;
use crate::config::validation::Strategy;

impl Rules<'_, '_> {
    /// Where a key is named: in `[sweep.parameters]`, or in its table.
    fn name_at(&self, path: &str) -> At {
        let entry = self.parameter(path).or_else(|| self.entry(path));
        entry.map_or(At::START, |entry| entry.name_at.clone())
    }

    /// An early stop watches held-out rows.
    pub(super) fn early_stopping(&mut self) {
        let path = "train.early_stopping";
        let rules = self.possible(path, self.config.train.early_stopping.write());
        let is_on = rules
            .iter()
            .any(|rule| Option::<EarlyStopping>::read(rule).flatten().is_some());
        let holds_nothing_out = self.config.validation.strategy == Strategy::None;
        if is_on && holds_nothing_out && self.are_sound(&[path, "validation.strategy", "sweep.parameters"]) {
            let at = self.name_at(path);
            self.report.add(
                &at,
                Draft::new(format!(
                    "`{path}` needs held-out rows, and validation.strategy = \"none\" has none"
                ))
                .label("it watches a validation score")
                .help("hold rows out, as strategy = \"holdout\", or leave it out"),
            );
        }
    }

    /// A target is a validation score.
    pub(super) fn target(&mut self) {
        let holds_nothing_out = self.config.validation.strategy == Strategy::None;
        if self.config.sweep.target.is_some()
            && holds_nothing_out
            && self.are_sound(&["sweep.target", "validation.strategy"])
        {
            let at = self.name_at("sweep.target");
            self.report.add(
                &at,
                Draft::new("`sweep.target` needs held-out rows, and validation.strategy = \"none\" has none")
                    .label("it is a mean validation score"),
            );
        }
    }

    /// Trials are compared after equal epochs, below the last.
    pub(super) fn rungs(&mut self) {
        let sweep = &self.config.sweep;
        let (path, rule) = match (&sweep.halving, &sweep.hyperband) {
            (Some(_), Some(_)) if self.are_sound(&["sweep.halving", "sweep.hyperband"]) => {
                let at = self.name_at("sweep.hyperband");
                let draft = Draft::new("halving and hyperband are two ways to prune").label("leave out one of them");
                self.report.add(&at, draft);
                return;
            }
            (Some(rule), _) => ("sweep.halving", rule),
            (_, Some(rule)) => ("sweep.hyperband", rule),
            (None, None) => return,
        };
        let min_epochs = rule.min_epochs;
        if sweep.method.learns() && self.are_sound(&[path, "sweep.method"]) {
            let at = self.name_at(path);
            let draft = Draft::new(format!(
                "`{path}` compares all trials of a sweep, and method \"{}\" does not know them all at any time",
                sweep.method
            ));
            self.report.add(
                &at,
                draft
                    .label("leave it out: later trials follow from the final scores of earlier ones")
                    .help("or draw the trials first: method = \"sobol\", \"halton\" or \"random\""),
            );
            return;
        }
        let others = [
            "train.solver",
            "train.epochs",
            "sweep.parameters",
            "sweep.points",
            "validation.strategy",
        ];
        if !self.are_sound(&[path]) || !self.are_sound(&others) {
            return;
        }
        let at = self.name_at(path);
        let converging: Vec<Solver> = self
            .solvers()
            .into_iter()
            .filter(|solver| !solver.is_first_order())
            .collect();
        if !converging.is_empty() {
            self.report.add(
                &at,
                Draft::new(format!(
                    "`{path}` compares trials after equal epochs, and solver {} runs each to its own end",
                    quoted(&converging)
                ))
                .label("a run that converges is done after a few epochs; there is nothing to prune")
                .help("set train.solver to gd, sgd, adam, adamw, adagrad or rmsprop, or leave it out"),
            );
        }
        let has_point = self
            .config
            .sweep
            .points
            .iter()
            .flatten()
            .any(|(own, _)| *own == "train.epochs");
        if self.parameter("train.epochs").is_some() || has_point {
            self.report.add(
                &at,
                Draft::new(format!("`{path}` needs the same `train.epochs` for all trials"))
                    .label("trials are compared after equal epochs")
                    .help("set train.epochs once, and do not sweep it"),
            );
        } else if min_epochs >= self.config.train.epochs {
            self.report.add(
                &at,
                Draft::new(format!(
                    "`{path}` never compares: min_epochs = {min_epochs} and the runs have {} epochs",
                    self.config.train.epochs
                ))
                .label("the first comparison comes after the last epoch"),
            );
        }
        if self.config.validation.strategy == Strategy::None {
            self.report.add(
                &at,
                Draft::new(format!(
                    "`{path}` needs held-out rows, and validation.strategy = \"none\" has none"
                ))
                .label("trials are compared by their validation scores"),
            );
        }
    }

    /// A warmup ends before the last epoch.
    pub(super) fn schedule(&mut self) {
        let path = "train.schedule";
        if !self.are_sound(&[path, "train.epochs", "sweep.parameters", "sweep.points"]) {
            return;
        }
        let train = &self.config.train;
        let epochs = self.possible("train.epochs", train.epochs.write());
        let Some(fewest) = epochs.iter().filter_map(u32::read).min() else {
            return;
        };
        let schedules = self.possible(path, train.schedule.write());
        let longest = schedules
            .iter()
            .filter_map(Schedule::read)
            .map(|schedule| schedule.warmup_epochs)
            .max()
            .unwrap_or(0);
        if longest >= fewest && longest > 0 {
            let at = self.name_at(path);
            self.report.add(
                &at,
                Draft::new(format!(
                    "a warmup of {longest} epochs leaves none of {fewest} at the full learning rate"
                ))
                .label("take fewer warmup_epochs"),
            );
        }
    }

    /// Runs that converge score the metrics that are not free at their end alone.
    pub(super) fn every(&mut self) {
        let path = "metrics.every";
        // Every epoch is what one may well write beside them.
        let is_set = self.config.metrics.every.is_some_and(|every| every > 1);
        if !is_set || !self.are_sound(&[path, "train.solver", "sweep.parameters.train.solver", "sweep.points"]) {
            return;
        }
        let solvers = self.solvers();
        if !solvers.iter().any(|solver| solver.is_first_order()) {
            let at = self.name_at(path);
            self.report.add(
                &at,
                Draft::new(format!("`{path}` has no effect with solver {}", quoted(&solvers)))
                    .label("runs that converge score these metrics at their end"),
            );
        }
    }
}
