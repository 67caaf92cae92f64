//! What is drawn: distributions, coverage, conditions, points, extension.

#![expect(clippy::print_stdout, reason = "the figure is what a reader of the log wants")]

use super::halton::Halton;
use super::random::Random;
use super::sampler::Points;
use super::sobol::Sobol;
use super::{Search, Trial, count, drawn, trials};
use crate::config::{Config, Parameter, Solver, Value, parse};

fn config(text: &str) -> Config {
    let text = format!("[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nsolver = \"sgd\"\n{text}");
    parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// `count` draws of one parameter.
fn draws(method: &str, count: usize, path: &str, spec: &str) -> Vec<Value> {
    let config = config(&format!(
        "[sweep]\nmethod = \"{method}\"\ntrials = {count}\n[sweep.parameters]\n{path} = {spec}\n"
    ));
    let parameters = &config.sweep.parameters;
    let mut points: Box<dyn Points> = match method {
        "sobol" => Box::new(Sobol::new(parameters, 3)),
        "halton" => Box::new(Halton::new(1, 3)),
        _ => Box::new(Random::new(parameters, 3)),
    };
    (0..count).map(|_| parameters[0].at(points.next()[0])).collect()
}

fn numbers(values: &[Value]) -> Vec<f64> {
    values
        .iter()
        .map(|value| match value {
            Value::Float(number) => *number,
            Value::Int(number) => *number as f64,
            other => panic!("{other} is no number"),
        })
        .collect()
}

/// The largest distance between the draws' distribution and `cdf` (Kolmogorov and Smirnov).
fn distance(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let of = |(i, x): (usize, &f64)| (cdf(*x) - i as f64 / n).abs().max((cdf(*x) - (i + 1) as f64 / n).abs());
    draws.iter().enumerate().map(of).fold(0.0, f64::max)
}

/// χ² of counts against expected shares.
fn chi_square(values: &[Value], expected: &[(Value, f64)]) -> f64 {
    let n = values.len() as f64;
    assert!(
        values
            .iter()
            .all(|value| expected.iter().any(|(known, _)| known == value))
    );
    let of = |(known, share): &(Value, f64)| {
        let count = values.iter().filter(|value| *value == known).count() as f64;
        (count - n * share).powi(2) / (n * share)
    };
    expected.iter().map(of).sum()
}

const DRAWS: usize = 4000;
/// The distance that independent draws exceed once in a thousand times.
const KS_BOUND: f64 = 1.95;

#[test]
fn numbers_are_spread_as_the_range_says() {
    for method in ["random", "sobol", "halton"] {
        // Sequences are far more even than chance.
        let bound = if method == "random" {
            KS_BOUND / (DRAWS as f64).sqrt()
        } else {
            0.004
        };
        let uniform = numbers(&draws(method, DRAWS, "model.l1_ratio", "{ min = 0.2, max = 0.8 }"));
        let found = distance(uniform, |x| (x - 0.2) / 0.6);
        assert!(found < bound, "{method}, uniform: {found}");
        let log = numbers(&draws(
            method,
            DRAWS,
            "model.C",
            "{ min = 1e-4, max = 1e4, log = true }",
        ));
        assert!(log.iter().all(|c| (1e-4..=1e4).contains(c)));
        let found = distance(log.clone(), |x| (x.log10() + 4.0) / 8.0);
        assert!(found < bound, "{method}, log: {found}");
        let wrong = distance(log, |x| x / 1e4);
        assert!(wrong > 0.5, "a test that cannot fail: {wrong}");
    }
}

#[test]
fn integers_steps_and_values_have_their_shares() {
    // χ² that independent draws exceed once in a thousand times, by degrees of freedom.
    let bound = |freedom: usize| [0.0, 10.8, 13.8, 16.3, 18.5, 20.5][freedom];
    let check = |path: &str, spec: &str, expected: &[(Value, f64)]| {
        for method in ["random", "sobol", "halton"] {
            let found = chi_square(&draws(method, DRAWS, path, spec), expected);
            assert!(found < bound(expected.len() - 1), "{method}, {path} = {spec}: {found}");
        }
    };
    let int = Value::Int;
    check(
        "train.epochs",
        "{ min = 1, max = 4 }",
        &[1, 2, 3, 4].map(|n| (int(n), 0.25)),
    );
    check(
        "train.batch_rows",
        "{ min = 256, max = 1024, step = 256 }",
        &[256, 512, 768, 1024].map(|n| (int(n), 0.25)),
    );
    // In the logarithm, each integer has the part of [0.5, 4.5] that is rounded to it.
    let share = |n: f64| ((n + 0.5) / (n - 0.5)).ln() / 9.0_f64.ln();
    check(
        "train.epochs",
        "{ min = 1, max = 4, log = true }",
        &[1, 2, 3, 4].map(|n| (int(n), share(n as f64))),
    );
    check(
        "train.batch_rows",
        "{ min = 256, max = 1024, log = true, step = 256 }",
        &[1, 2, 3, 4].map(|n| (int(256 * n), share(n as f64))),
    );
    check(
        "model.C",
        "{ min = 1, max = 100, num = 3, log = true }",
        &[1.0, 10.0, 100.0].map(|c| (Value::Float(c), 1.0 / 3.0)),
    );
    let texts = |shares: [f64; 3]| {
        ["sgd", "adam", "gd"]
            .map(|name| Value::Text(name.into()))
            .into_iter()
            .zip(shares)
    };
    check(
        "train.solver",
        "[\"sgd\", \"adam\", \"gd\"]",
        &texts([1.0 / 3.0; 3]).collect::<Vec<_>>(),
    );
    check(
        "train.solver",
        "{ values = [\"sgd\", \"adam\", \"gd\", \"sgd\"], probabilities = [0.5, 0.3, 0.1, 0.1] }",
        &texts([0.6, 0.3, 0.1]).collect::<Vec<_>>(),
    );
}

/// Centered L2 discrepancy (Hickernell 1998).
fn discrepancy(points: &[Vec<f64>]) -> f64 {
    let (n, d) = (points.len() as f64, points[0].len());
    let from_center = |x: f64| (x - 0.5).abs();
    let one: f64 = points
        .iter()
        .map(|point| {
            let factor = |x: &f64| 1.0 + 0.5 * from_center(*x) - 0.5 * from_center(*x).powi(2);
            point.iter().map(factor).product::<f64>()
        })
        .sum();
    let pair = |a: &[f64], b: &[f64]| -> f64 {
        let factor = |(x, y): (&f64, &f64)| 1.0 + 0.5 * from_center(*x) + 0.5 * from_center(*y) - 0.5 * (x - y).abs();
        a.iter().zip(b).map(factor).product()
    };
    let two: f64 = points.iter().flat_map(|a| points.iter().map(|b| pair(a, b))).sum();
    (13.0_f64 / 12.0).powf(d as f64) - 2.0 / n * one + two / (n * n)
}

#[test]
fn sequences_cover_the_cube_as_those_of_scipy_do() {
    let text = include_str!("../../../../data/golden/discrepancy.json");
    let golden: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let entries = golden["entries"].as_array().expect("entries");
    let plain: Vec<Vec<f64>> = serde_json::from_value(entries[0]["points"].clone()).expect("points");
    let own = discrepancy(&plain);
    assert!((own - entries[0]["discrepancy"].as_f64().expect("a number")).abs() < 1e-12);

    let path = |dimensions: usize| ["model.C", "model.l1_ratio", "train.tol", "train.momentum"][..dimensions].to_vec();
    for entry in &entries[1..] {
        let number = |key: &str| entry[key].as_f64().expect("a number");
        let (dimensions, count) = (number("dimensions") as usize, number("count") as usize);
        let parameters: Vec<Parameter> = path(dimensions)
            .iter()
            .map(|path| Parameter {
                path,
                domain: crate::config::Domain::Values(Vec::new()),
                probabilities: Vec::new(),
                when: Vec::new(),
            })
            .collect();
        let sequence = entry["sequence"].as_str().expect("a name");
        let found: Vec<f64> = (0..16)
            .map(|seed| {
                let mut points: Box<dyn Points> = match sequence {
                    "sobol" => Box::new(Sobol::new(&parameters, seed)),
                    "halton" => Box::new(Halton::new(dimensions, seed)),
                    _ => Box::new(Random::new(&parameters, seed)),
                };
                discrepancy(&(0..count).map(|_| points.next()).collect::<Vec<_>>())
            })
            .collect();
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let theirs = number("mean");
        println!("{sequence}, {count} points of {dimensions}: discrepancy {mean:.2e}, scipy's {theirs:.2e}");
        // Chance varies from seed to seed by far more than a scrambled sequence does.
        let factor = if sequence == "random" { 2.0 } else { 1.3 };
        assert!(
            mean < factor * theirs && mean > theirs / factor,
            "{sequence}, {count} points of {dimensions}: {mean:e}, scipy's {theirs:e}"
        );
    }
}

const SPACE: &str = "model.C = { min = 1e-4, max = 1e4, log = true }\n\
    train.learning_rate = { min = 1e-3, max = 1.0, log = true }\n\
    train.solver = { values = [\"adam\", \"sgd\"], probabilities = [0.7, 0.3] }\n\
    train.momentum = { min = 0.0, max = 0.9, when = { \"train.solver\" = [\"sgd\"] } }\n";

fn space(method: &str, number: usize, more: &str) -> Vec<Trial> {
    let text = format!("[sweep]\nmethod = \"{method}\"\ntrials = {number}\n[sweep.parameters]\n{SPACE}{more}");
    let trials = trials(&config(&text)).expect("trials");
    assert_eq!(trials.len(), number);
    for (i, trial) in trials.iter().enumerate() {
        assert_eq!(trial.number as usize, i);
    }
    trials
}

#[test]
fn more_trials_extend_a_sweep() {
    for method in ["random", "sobol", "halton"] {
        let few = space(method, 20, "");
        let many = space(method, 150, "");
        assert_eq!(few[..], many[..20], "{method}");
        let identities: std::collections::BTreeSet<String> =
            many.iter().map(|trial| format!("{:?}", trial.params)).collect();
        assert_eq!(identities.len(), 150, "{method}");
        let other = trials(&config(&format!(
            "[run]\nseed = 1\n[sweep]\nmethod = \"{method}\"\ntrials = 20\n[sweep.parameters]\n{SPACE}"
        )));
        assert_ne!(
            other.expect("trials")[0].params,
            few[0].params,
            "{method} follows run.seed"
        );
    }
}

#[test]
fn one_more_parameter_changes_no_draw_of_the_others() {
    let before = space("random", 10, "");
    let after = space("random", 10, "model.l1_ratio = { min = 0, max = 1 }\n");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.params[..], after.params[..4]);
    }
}

#[test]
fn a_parameter_whose_condition_is_not_met_is_null() {
    let trials = space("random", 200, "");
    let mut with_momentum = 0;
    for trial in &trials {
        let is_sgd = trial.train.solver == Solver::Sgd;
        assert_eq!(trial.params[3].1 != Value::Null, is_sgd);
        assert!(is_sgd || trial.train.momentum == 0.0);
        with_momentum += usize::from(is_sgd);
    }
    assert!((40..80).contains(&with_momentum), "{with_momentum} of 200, 60 expected");
}

#[test]
fn conditions_follow_one_another() {
    let text = "[sweep.parameters]\nmodel.fit_intercept = [true, false]\n\
        model.l1_ratio = { values = [0.0, 1.0], when = { model.fit_intercept = true } }\n\
        model.C = { values = [1, 2, 3], when = { model.l1_ratio = [1] } }\n";
    let trials = trials(&config(text)).expect("trials");
    let rows: Vec<String> = trials
        .iter()
        .map(|trial| {
            trial
                .params
                .iter()
                .map(|(_, value)| value.to_string())
                .collect::<Vec<_>>()
                .join("/")
        })
        .collect();
    assert_eq!(
        rows,
        ["true/0.0/", "true/1.0/1.0", "true/1.0/2.0", "true/1.0/3.0", "false//"]
    );
    assert_eq!(
        (trials[0].model.c, trials[0].model.l1_ratio),
        (1.0, 0.0),
        "the config's own"
    );
}

#[test]
fn points_come_first_and_count() {
    let points = "[[sweep.points]]\nmodel.C = 1.0\ntrain.solver = \"sgd\"\ntrain.momentum = 0.5\n[[sweep.points]]\nmodel.C = 2.0\n\
        [[sweep.points]]\nmodel.C = 3.0\ntrain.solver = \"adam\"\ntrain.momentum = 0.5\n";
    let with = space("sobol", 12, points);
    assert_eq!([with[0].model.c, with[1].model.c, with[2].model.c], [1.0, 2.0, 3.0]);
    assert_eq!((with[0].train.momentum, with[1].train.momentum), (0.5, 0.0));
    assert_eq!(with[2].params[3].1, Value::Null);
    assert_eq!(
        with[3].params,
        space("sobol", 12, "")[0].params,
        "the sequence begins behind them"
    );
}

#[test]
fn what_is_left_out_is_said() {
    let of = |text: &str| drawn(&config(text)).expect("trials");
    let (trials, note) = of(
        "[sweep]\nmethod = \"random\"\ntrials = 9\n[sweep.parameters]\nmodel.C = [1, 2, 3]\ntrain.epochs = { min = 1, max = 2 }\n\
        [[sweep.exclude]]\nmodel.C = 2\ntrain.epochs = 1\n",
    );
    assert_eq!(trials.len(), 5);
    let note = note.expect("a note");
    assert!(
        note.contains("excluded settings left out; 4 trials fewer than sweep.trials"),
        "{note}"
    );
    let (trials, note) =
        of("[sweep.parameters]\nmodel.C = [1, 2]\ntrain.solver = [\"adam\", \"sgd\"]\ntrain.momentum = [0.0, 0.9]\n");
    assert_eq!((trials.len(), note.as_deref()), (6, Some("2 duplicates left out")));
    let (_, note) = of("[sweep.parameters]\nmodel.C = [1, 2]\n");
    assert_eq!(note, None);
}

#[test]
fn a_search_is_asked_in_cohorts() {
    let config = config(&format!(
        "[sweep]\nmethod = \"halton\"\ntrials = 100\n[sweep.parameters]\n{SPACE}"
    ));
    let mut search = Search::new(&config).expect("a search");
    let first = search.ask();
    assert_eq!(first.len(), 64);
    search.tell(&first.iter().map(|trial| (trial, Some(0.5))).collect::<Vec<_>>());
    assert_eq!(search.ask().len(), 36);
    assert!(search.ask().is_empty());
    assert_eq!(count(&config).expect("a number").0, 100);
}
