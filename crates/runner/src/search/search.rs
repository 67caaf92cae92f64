//! From a config to its trials: points first, then what the method gives, each setting once.

use std::collections::BTreeSet;

use super::grid::Grid;
use super::halton::Halton;
use super::random::Random;
use super::sampler::{Cube, Sampler};
use super::sobol::Sobol;
use super::trial::Trial;
use crate::config::{Assignment, Config, MOST_TRIALS, Method, Problem, Problems, Value};
use crate::plan::Preparation;

/// Draws in a row that give nothing new before a space counts as used up: at least this many, and at most.
const FEWEST_MISSES: u64 = 200;
const MOST_MISSES: u64 = 5_000;

/// The trials of a sweep, a cohort at a time.
///
/// Points come first. A parameter that a point does not name has the config's value; so have parameters that only other
/// points name. Settings that are the same trial as one before, or that are excluded, are left out and replaced where the
/// method can draw others. The first trials do not depend on how many there are in all: a sweep can be extended.
pub struct Search<'a> {
    config: &'a Config,
    /// Paths of the parameters, then those that only points name.
    paths: Vec<&'static str>,
    sampler: Option<Box<dyn Sampler>>,
    waiting: std::collections::VecDeque<Vec<(&'static str, Value)>>,
    seen: BTreeSet<Vec<String>>,
    wanted: u64,
    misses: u64,
    left_out: LeftOut,
}

/// Settings that are no trials of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The same trial as one before.
    pub duplicates: u64,
    /// Matched by an entry of `[[sweep.exclude]]`.
    pub excluded: u64,
    /// Trials that a method was asked for and whose space has no more of them.
    pub missing: u64,
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
            waiting: std::collections::VecDeque::new(),
            seen: BTreeSet::new(),
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
        Ok(search)
    }

    /// The next cohort of trials; empty when there are no more.
    pub fn ask(&mut self) -> Vec<Trial> {
        let mut trials = Vec::new();
        while trials.is_empty() && (self.seen.len() as u64) < self.wanted {
            if self.waiting.is_empty() {
                let asked = self.sampler.as_mut().map(|sampler| sampler.ask()).unwrap_or_default();
                if asked.is_empty() || self.misses >= self.most_misses() {
                    break;
                }
                for values in asked {
                    let params = self.with_paths(values);
                    self.waiting.push_back(params);
                }
            }
            while let Some(params) = self.waiting.pop_front() {
                if self.seen.len() as u64 >= self.wanted {
                    break;
                }
                trials.extend(self.admit(&params));
            }
        }
        trials
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

    /// What was left out so far.
    pub fn left_out(&self) -> LeftOut {
        let missing = match self.wanted {
            u64::MAX => 0,
            wanted => wanted - self.seen.len() as u64,
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
        if self
            .config
            .sweep
            .exclude
            .iter()
            .any(|exclude| is_match(&trial, exclude))
        {
            self.left_out.excluded += 1;
            return None;
        }
        trial.number = self.seen.len() as u32;
        let identity = trial.params.iter().map(|(_, value)| value.to_string()).collect();
        if !self.seen.insert(identity) {
            self.left_out.duplicates += 1;
            return None;
        }
        self.misses = 0;
        Some(trial)
    }

    /// Draws in a row without a new trial after which there are none left: a small space is used up before long.
    fn most_misses(&self) -> u64 {
        if self.config.sweep.method == Method::Grid {
            return u64::MAX;
        }
        let parameters = self.config.sweep.parameters.iter();
        let size = parameters.fold(1_u64, |size, parameter| size.saturating_mul(parameter.most_values()));
        size.saturating_mul(20).clamp(FEWEST_MISSES, MOST_MISSES)
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

impl LeftOut {
    /// A sentence about it, where there is something to say.
    pub fn sentence(&self) -> Option<String> {
        let Self {
            duplicates,
            excluded,
            missing,
        } = *self;
        let counted = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let mut parts = Vec::new();
        if duplicates > 0 {
            parts.push(counted(duplicates, "duplicate", "duplicates"));
        }
        if excluded > 0 {
            parts.push(counted(excluded, "excluded setting", "excluded settings"));
        }
        let left_out = (!parts.is_empty()).then(|| format!("{} left out", parts.join(" and ")));
        let short = (missing > 0).then(|| {
            let are = if missing == 1 { "is" } else { "are" };
            format!(
                "{} fewer than sweep.trials: no other settings {are} left",
                counted(missing, "trial", "trials")
            )
        });
        match (left_out, short) {
            (Some(left_out), Some(short)) => Some(format!("{left_out}; {short}")),
            (one, other) => one.or(other),
        }
    }
}

/// The method that a config names.
fn sampler(config: &Config) -> Box<dyn Sampler> {
    let (parameters, seed) = (&config.sweep.parameters, config.run.seed);
    match config.sweep.method {
        Method::Grid => Box::new(Grid::new(parameters)),
        Method::Random | Method::Tpe => Box::new(Cube::new(parameters, Random::new(parameters, seed))),
        Method::Sobol => Box::new(Cube::new(parameters, Sobol::new(parameters, seed))),
        Method::Halton => Box::new(Cube::new(parameters, Halton::new(parameters.len(), seed))),
    }
}

/// Every trial of a sweep whose method needs no scores.
///
/// # Errors
/// Every trial is excluded, the grid is too large, or the values of C are still to come from the data.
pub fn trials(config: &Config) -> Result<Vec<Trial>, Problems> {
    Ok(drawn(config)?.0)
}

/// The same, with a sentence about what was left out.
///
/// # Errors
/// As [`trials`].
pub fn drawn(config: &Config) -> Result<(Vec<Trial>, Option<String>), Problems> {
    let mut search = Search::new(config)?;
    let mut trials = Vec::new();
    loop {
        let cohort = search.ask();
        if cohort.is_empty() {
            break;
        }
        trials.extend(cohort);
    }
    if trials.is_empty() {
        return Err(problem(
            "every trial is excluded".into(),
            "remove an entry of [[sweep.exclude]]",
        ));
    }
    Ok((trials, search.left_out().sentence()))
}

/// How many trials there are, without data (an automatic C counts its values, whatever they will be), with a sentence
/// about what was left out.
///
/// # Errors
/// As [`trials`].
pub fn count(config: &Config) -> Result<(usize, Option<String>), Problems> {
    let (trials, note) = drawn(&config.with_c_path(1.0))?;
    Ok((trials.len(), note))
}

/// How the rows are prepared of the trial that comes first, so that they can be loaded before there is a plan.
///
/// # Errors
/// As [`trials`].
pub(crate) fn first_preparation(config: &Config) -> Result<Preparation, Problems> {
    if !paths(config).iter().any(|path| Preparation::depends_on(path)) {
        return Ok(Preparation::of_config(config));
    }
    // An automatic C has values without data, whatever they will be.
    let known = config.with_c_path(1.0);
    let first = Search::new(&known)?.ask();
    Ok(first
        .first()
        .map_or_else(|| Preparation::of_config(config), Preparation::of))
}

/// The trial of this number, of a config whose values of C are known.
///
/// # Errors
/// As [`trials`].
pub(crate) fn trial(config: &Config, number: u32) -> Result<Option<Trial>, Problems> {
    Ok(trials(config)?.into_iter().find(|trial| trial.number == number))
}

/// The paths of the parameters, then those that only points name.
fn paths(config: &Config) -> Vec<&'static str> {
    let mut paths: Vec<_> = config.sweep.parameters.iter().map(|parameter| parameter.path).collect();
    for (path, _) in config.sweep.points.iter().flatten() {
        if !paths.contains(path) {
            paths.push(path);
        }
    }
    paths
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

fn problem(message: String, help: &str) -> Problems {
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
