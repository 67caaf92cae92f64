//! From a config to its trials: points first, then what the method gives, each setting once.

use std::collections::{BTreeSet, VecDeque};

use super::grid::Grid;
use super::halton::Halton;
use super::left_out::LeftOut;
use super::random::Random;
use super::sampler::{Cube, Sampler};
use super::sobol::Sobol;
use super::tpe::Tpe;
use super::trial::Trial;
use crate::config::{Assignment, Config, MOST_TRIALS, Method, Problem, Problems, Value};

/// Draws in a row that give nothing new before a space counts as used up: at least this many, and at most.
const FEWEST_MISSES: u64 = 200;
const MOST_MISSES: u64 = 5_000;

/// The trials of a sweep, a cohort at a time.
///
/// Points come first. A parameter that a point does not name has the config's value; so have parameters that only other
/// points name. Settings that are the same trial as one before, or that are excluded, are left out and replaced where the
/// method can draw others. The first trials do not depend on how many there are in all: a sweep can be extended.
///
/// A method that learns is told the scores of a cohort before it is asked for the next; its first cohort has the points, too.
pub struct Search<'a> {
    config: &'a Config,
    /// Paths of the parameters, then those that only points name.
    paths: Vec<&'static str>,
    sampler: Option<Box<dyn Sampler>>,
    waiting: VecDeque<Vec<(&'static str, Value)>>,
    seen: BTreeSet<Vec<String>>,
    /// Trials that a store has planned, by number.
    planned: Vec<Trial>,
    /// How often trials were asked for.
    round: u32,
    /// Whether the last time brought none.
    is_over: bool,
    wanted: u64,
    misses: u64,
    left_out: LeftOut,
}

impl<'a> Search<'a> {
    /// The search that a config describes.
    ///
    /// # Errors
    /// The grid is too large, or the values of C are still to come from the data.
    pub fn new(config: &'a Config) -> Result<Self, Problems> {
        let sweep = &config.sweep;
        if sweep.most_trials() > MOST_TRIALS {
            return Err(problem(
                format!("the grid has more than {MOST_TRIALS} trials"),
                "take fewer values",
            ));
        }
        if config.c_path_len().is_some() {
            return Err(problem(
                "the values of model.C come from the data".into(),
                "load them first",
            ));
        }
        let has_sampler = !sweep.parameters.is_empty() || sweep.points.is_empty();
        let mut search = Self {
            config,
            paths: paths(config),
            sampler: has_sampler.then(|| sampler(config)),
            waiting: VecDeque::new(),
            seen: BTreeSet::new(),
            planned: Vec::new(),
            round: 0,
            is_over: false,
            wanted: sweep
                .trials
                .filter(|_| sweep.method != Method::Grid)
                .unwrap_or(u64::MAX),
            misses: 0,
            left_out: LeftOut::default(),
        };
        for point in &sweep.points {
            let of_point = |path: &&'static str| {
                let own = point.iter().find(|(p, _)| p == path).map(|(_, value)| value.clone());
                (*path, own.unwrap_or_else(|| search.of_config(path)))
            };
            let params = search.paths.iter().map(of_point).collect();
            search.waiting.push_back(params);
        }
        if search.learns() {
            search.draw();
        }
        Ok(search)
    }

    /// The same search where a store has planned its first trials: they stay what they are, also where scores that they
    /// followed from have changed since.
    #[must_use]
    pub(super) fn going_on(self, planned: Vec<Trial>) -> Self {
        Self { planned, ..self }
    }

    /// Whether the next trials follow from the scores of those before.
    pub(super) fn learns(&self) -> bool {
        self.config.sweep.method.learns()
    }

    /// The next cohort of trials; empty when there are no more.
    pub fn ask(&mut self) -> Vec<Trial> {
        let mut trials = Vec::new();
        while trials.is_empty() && (self.seen.len() as u64) < self.wanted {
            if self.waiting.is_empty() {
                if self.misses >= self.most_misses() {
                    break;
                }
                self.draw();
                if self.waiting.is_empty() {
                    break;
                }
            }
            while let Some(params) = self.waiting.pop_front() {
                if self.seen.len() as u64 >= self.wanted {
                    break;
                }
                trials.extend(self.admit(&params));
            }
        }
        self.round += 1;
        self.is_over = trials.is_empty();
        trials
    }

    /// Lets the method's next settings wait.
    fn draw(&mut self) {
        for values in self.sampler.as_mut().map(|sampler| sampler.ask()).unwrap_or_default() {
            let params = self.with_paths(values);
            self.waiting.push_back(params);
        }
    }

    /// Tells the method what became of trials: their scores, of which less is better; none of a trial that failed.
    pub fn tell(&mut self, scores: &[(&Trial, Option<f64>)]) {
        let of_parameters = self.config.sweep.parameters.len();
        if let Some(sampler) = &mut self.sampler {
            for (trial, score) in scores {
                let values: Vec<Value> = trial
                    .params
                    .iter()
                    .take(of_parameters)
                    .map(|(_, value)| value.clone())
                    .collect();
                sampler.tell(&values, *score);
            }
        }
    }

    /// How many trials there are in all, at the most.
    pub(super) fn most(&self) -> u64 {
        if self.is_over {
            return self.seen.len() as u64;
        }
        let points = self.config.sweep.points.len() as u64;
        self.wanted.min(self.size().saturating_add(points))
    }

    /// What was left out so far.
    pub fn left_out(&self) -> LeftOut {
        let missing = match self.wanted {
            wanted if self.is_over && wanted < u64::MAX => wanted - self.seen.len() as u64,
            _ => 0,
        };
        LeftOut {
            missing,
            ..self.left_out
        }
    }

    /// A trial with the next number, unless there was the same one before or it is excluded.
    fn admit(&mut self, params: &[(&'static str, Value)]) -> Option<Trial> {
        let mut trial = Trial::new(self.config, params);
        self.misses += 1;
        if self.is_excluded(&trial) {
            self.left_out.excluded += 1;
            return None;
        }
        if self.seen.contains(&identity(&trial)) {
            self.left_out.duplicates += 1;
            return None;
        }
        let number = self.seen.len();
        // What needs no scores is drawn as the config says: it shows whether a store is of another space.
        let held = self.planned.get(number).filter(|_| self.round > 0);
        // In another space they may be excluded, or have come before under another number.
        let is_next = |held: &&Trial| !self.is_excluded(held) && !self.seen.contains(&identity(held));
        if let Some(held) = held.filter(is_next) {
            trial = held.clone();
        }
        trial.number = number as u32;
        trial.round = if self.learns() { self.round } else { 0 };
        self.seen.insert(identity(&trial));
        self.misses = 0;
        Some(trial)
    }

    fn is_excluded(&self, trial: &Trial) -> bool {
        let mut excludes = self.config.sweep.exclude.iter();
        excludes.any(|exclude| is_match(trial, exclude))
    }

    /// Draws in a row without a new trial after which there are none left: a small space is used up before long.
    fn most_misses(&self) -> u64 {
        if self.config.sweep.method == Method::Grid {
            return u64::MAX;
        }
        self.size().saturating_mul(20).clamp(FEWEST_MISSES, MOST_MISSES)
    }

    /// Settings of the space, at the most.
    fn size(&self) -> u64 {
        let parameters = self.config.sweep.parameters.iter();
        parameters.fold(1_u64, |size, parameter| size.saturating_mul(parameter.most_values()))
    }

    fn with_paths(&self, values: Vec<Value>) -> Vec<(&'static str, Value)> {
        let others = self.paths[values.len()..].iter().map(|path| self.of_config(path));
        let all: Vec<Value> = values.into_iter().chain(others).collect();
        self.paths.iter().copied().zip(all).collect()
    }

    fn of_config(&self, path: &str) -> Value {
        self.config.base_value(path).unwrap_or(Value::Null)
    }
}

/// The method that a config names.
fn sampler(config: &Config) -> Box<dyn Sampler> {
    let (parameters, seed) = (&config.sweep.parameters, config.run.seed);
    match config.sweep.method {
        Method::Grid => Box::new(Grid::new(parameters)),
        Method::Tpe => Box::new(Tpe::new(parameters, seed)),
        Method::Random => Box::new(Cube::new(parameters, Random::new(parameters, seed))),
        Method::Sobol => Box::new(Cube::new(parameters, Sobol::new(parameters, seed))),
        Method::Halton => Box::new(Cube::new(parameters, Halton::new(parameters.len(), seed))),
    }
}

/// The paths of the parameters, then those that only points name.
pub(super) fn paths(config: &Config) -> Vec<&'static str> {
    let mut paths: Vec<_> = config.sweep.parameters.iter().map(|parameter| parameter.path).collect();
    for (path, _) in config.sweep.points.iter().flatten() {
        if !paths.contains(path) {
            paths.push(path);
        }
    }
    paths
}

/// What no two trials have in common.
fn identity(trial: &Trial) -> Vec<String> {
    trial.params.iter().map(|(_, value)| value.to_string()).collect()
}

/// Whether a trial has every value of an exclude; a parameter without effect has none.
fn is_match(trial: &Trial, exclude: &Assignment) -> bool {
    exclude.iter().all(|(path, value)| {
        let own = match trial.params.iter().find(|(p, _)| p == path) {
            Some((_, own)) => Some(own.clone()),
            None => trial.value(path),
        };
        own.as_ref() == Some(value)
    })
}

pub(super) fn problem(message: String, help: &str) -> Problems {
    let problem = Problem {
        message,
        span: None,
        label: None,
        help: Some(help.to_owned()),
    };
    Problems {
        file: String::new(),
        text: String::new(),
        problems: vec![problem],
    }
}

#[cfg(test)]
mod tests {
    use super::super::trials;
    use super::*;
    use crate::config::{Init, LearningRate, Solver, parse};

    fn sweep(text: &str) -> Result<Vec<Trial>, Problems> {
        // Learning rates and batches matter to a first-order solver.
        let text = format!("[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nsolver = \"sgd\"\n{text}");
        let config = parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        trials(&config)
    }

    /// `C/learning_rate` of every trial.
    fn table(text: &str) -> Vec<String> {
        let trials = sweep(text).expect("trials");
        for (i, trial) in trials.iter().enumerate() {
            assert_eq!(trial.number as usize, i);
        }
        let values = |trial: &Trial| {
            trial
                .params
                .iter()
                .map(|(_, v)| v.to_string())
                .collect::<Vec<_>>()
                .join("/")
        };
        trials.iter().map(values).collect()
    }

    #[test]
    fn nothing_swept_is_one_trial() {
        let trials = sweep("").expect("a trial");
        assert_eq!(trials.len(), 1);
        assert!(trials[0].params.is_empty());
    }

    #[test]
    fn the_last_parameter_in_the_file_varies_fastest() {
        let rows = table("[sweep.parameters]\ntrain.learning_rate = [0.1, 1]\nmodel.C = [2, 1.0]\n");
        assert_eq!(rows, ["0.1/2.0", "0.1/1.0", "1.0/2.0", "1.0/1.0"]);
        let trials = sweep("[sweep.parameters]\ntrain.learning_rate = [0.1, 1]\nmodel.C = [2]\n").expect("trials");
        assert_eq!(trials[1].train.learning_rate, LearningRate::Rate(1.0));
        assert_eq!(
            (trials[1].model.c, trials[1].params[0].0.as_str()),
            (2.0, "train.learning_rate")
        );
    }

    #[test]
    fn values_have_the_type_of_the_key_before_duplicates_go() {
        assert_eq!(
            table("[sweep.parameters]\nmodel.C = [1, 1.0, 1e0, 2]\n"),
            ["1.0", "2.0"]
        );
        assert_eq!(
            table("[sweep.parameters]\ntrain.batch_rows = [256, \"full\", 256]\n"),
            ["256", "\"full\""]
        );
        let init = "train.init = { values = [{ kind = \"normal\" }, { std = 0.01, kind = \"normal\" }, {}] }";
        let trials = sweep(&format!("[sweep.parameters]\n{init}\n")).expect("trials");
        assert_eq!(trials.len(), 2);
        assert_eq!(trials[0].train.init, Init::Normal { std: 0.01 });
    }

    #[test]
    fn points_come_first_and_take_the_rest_from_the_config() {
        let rows = table(
            "[model]\nC = 7\n[sweep.parameters]\nmodel.C = [1, 2]\n[[sweep.points]]\ntrain.epochs = 3\n\
             [[sweep.points]]\nmodel.C = 2.0\n",
        );
        // The second point is the second trial of the grid.
        assert_eq!(rows, ["7.0/3", "2.0/100", "1.0/100"]);
        assert_eq!(
            table("[[sweep.points]]\nmodel.C = 2.0\n"),
            ["2.0"],
            "points alone have no grid beside them"
        );
    }

    #[test]
    fn excluded_trials_are_dropped() {
        let grid = "[sweep.parameters]\nmodel.C = [1, 2, 3]\ntrain.epochs = [5, 6]\n";
        let rows = table(&format!(
            "{grid}[[sweep.exclude]]\nmodel.C = 2\n[[sweep.exclude]]\nmodel.C = 1\ntrain.epochs = 6\n"
        ));
        assert_eq!(rows, ["1.0/5", "3.0/5", "3.0/6"]);
        let rows = table(&format!(
            "{grid}[[sweep.exclude]]\ntrain.solver = \"adam\"\nmodel.C = 2\n"
        ));
        assert_eq!(rows.len(), 6, "the solver of all trials is another");
        let all = sweep(&format!("{grid}[[sweep.exclude]]\ntrain.solver = \"sgd\"\n")).expect_err("nothing left");
        assert!(all.to_string().contains("every trial is excluded"));
    }

    #[test]
    fn a_parameter_without_effect_is_null_and_not_repeated() {
        let trials = sweep("[sweep.parameters]\ntrain.solver = [\"adam\", \"sgd\"]\ntrain.momentum = [0.0, 0.9]\n")
            .expect("trials");
        let rows: Vec<_> = trials
            .iter()
            .map(|trial| (trial.train.solver, trial.train.momentum))
            .collect();
        assert_eq!(rows, [(Solver::Adam, 0.0), (Solver::Sgd, 0.0), (Solver::Sgd, 0.9)]);
        assert_eq!(trials[0].params[1], ("train.momentum".to_owned(), Value::Null));
    }

    #[test]
    fn identity_follows_the_values_of_a_trial() {
        let text = "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[sweep.parameters]\nmodel.C = [1, 2]\n";
        let config = parse(text, "a.toml", "a", &[]).expect("a config");
        let trials = trials(&config).expect("trials");
        assert_eq!(trials[0].result_keys(&config), config.result_keys());
        assert_eq!(
            trials[1].result_keys(&config).get("model.C"),
            Some(&toml::Value::Float(2.0))
        );
    }

    #[test]
    fn a_large_grid_is_made_in_order() {
        let trials = sweep("[sweep.parameters]\nmodel.C = { min = 1, max = 2, num = 300 }\ntrain.learning_rate = { min = 0.1, max = 1, num = 300, log = true }\n")
            .expect("trials");
        assert_eq!(trials.len(), 90_000);
        assert_eq!(
            (trials[300].model.c, trials[299].train.learning_rate),
            (1.0 + 1.0 / 299.0, LearningRate::Rate(1.0))
        );
    }
}
