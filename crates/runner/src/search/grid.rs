//! Every combination of the values of all parameters.

use std::collections::BTreeSet;

use super::trial::Trial;
use crate::config::{Assignment, Config, MOST_TRIALS, Parameter, Problem, Problems, Value};

/// The trials of a sweep: its points first, then the grid in the order of the file, the last parameter varying fastest.
/// Duplicates and excluded trials are dropped; without parameters and points there is one trial.
///
/// # Errors
/// Every trial is excluded, the grid is too large, or the values of C are still to come from the data.
pub fn trials(config: &Config) -> Result<Vec<Trial>, Problems> {
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
    let paths = paths(config);
    let base = Trial::new(config, Vec::new());
    let of_config = |path: &str| base.value(path).unwrap_or(Value::Null);

    let points = sweep.points.iter().map(|point| {
        let of_point = |path: &str| point.iter().find(|(p, _)| *p == path).map(|(_, value)| value.clone());
        paths
            .iter()
            .map(|path| (*path, of_point(path).unwrap_or_else(|| of_config(path))))
            .collect()
    });
    let has_grid = !sweep.parameters.is_empty() || sweep.points.is_empty();
    let grid = Grid::new(&sweep.parameters)
        .take(if has_grid { usize::MAX } else { 0 })
        .map(|values| {
            let mut params: Vec<_> = sweep
                .parameters
                .iter()
                .map(|parameter| parameter.path)
                .zip(values)
                .collect();
            params.extend(paths[params.len()..].iter().map(|path| (*path, of_config(path))));
            params
        });

    let mut seen = BTreeSet::new();
    let mut trials = Vec::new();
    for params in points.chain(grid) {
        let mut trial = Trial::new(config, params);
        let identity: Vec<_> = trial.params.iter().map(|(_, value)| value.to_string()).collect();
        if sweep.exclude.iter().any(|exclude| is_match(&trial, exclude)) || !seen.insert(identity) {
            continue;
        }
        trial.number = trials.len() as u32;
        trials.push(trial);
    }
    if trials.is_empty() {
        return Err(problem(
            "every trial is excluded".into(),
            "remove an entry of [[sweep.exclude]]",
        ));
    }
    Ok(trials)
}

/// How many trials there are, without data: an automatic C counts its values, whatever they will be.
///
/// # Errors
/// As [`trials`].
pub fn count(config: &Config) -> Result<usize, Problems> {
    Ok(trials(&config.with_c_path(1.0))?.len())
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

/// An odometer over the values of every parameter.
struct Grid {
    values: Vec<Vec<Value>>,
    next: Option<Vec<usize>>,
}

impl Grid {
    fn new(parameters: &[Parameter]) -> Self {
        let values: Vec<_> = parameters.iter().map(Parameter::values).collect();
        let next = values
            .iter()
            .all(|values| !values.is_empty())
            .then(|| vec![0; values.len()]);
        Self { values, next }
    }
}

impl Iterator for Grid {
    type Item = Vec<Value>;

    fn next(&mut self) -> Option<Vec<Value>> {
        let at = self.next.take()?;
        let item = self
            .values
            .iter()
            .zip(&at)
            .map(|(values, i)| values[*i].clone())
            .collect();
        let mut following = at;
        for (digit, values) in following.iter_mut().zip(&self.values).rev() {
            *digit += 1;
            if *digit < values.len() {
                self.next = Some(following);
                break;
            }
            *digit = 0;
        }
        Some(item)
    }
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
