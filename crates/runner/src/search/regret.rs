//! What `tpe` finds on functions whose smallest value is 0, beside chance and Optuna.

#![expect(clippy::print_stdout, reason = "the curves are what docs/search.md is made from")]

use super::random::Random;
use super::sampler::{Cube, Sampler};
use super::tpe::Tpe;
use crate::config::{Domain, Parameter, Value};

const TRIALS: usize = 96;
const SEEDS: u64 = 20;

struct Problem {
    name: &'static str,
    parameters: Vec<Parameter>,
    function: fn(&[Value]) -> f64,
}

/// The same functions as in `scripts/golden/tpe_regret.py`.
fn problems() -> [Problem; 5] {
    let unit = |path| range(path, 0.0, 1.0, false);
    let rate = || range("train.learning_rate", 1e-4, 1.0, true);
    let solvers = ["adam", "sgd", "rmsprop", "adagrad"].map(|name| Value::Text(name.into()));
    [
        Problem {
            name: "sphere",
            parameters: ["model.l1_ratio", "train.momentum"].map(unit).to_vec(),
            function: |values| (number(&values[0]) - 0.3).powi(2) + (number(&values[1]) - 0.8).powi(2),
        },
        Problem {
            name: "valley",
            parameters: ["model.l1_ratio", "train.momentum"].map(unit).to_vec(),
            function: |values| {
                let (x, y) = (4.0 * number(&values[0]) - 2.0, 4.0 * number(&values[1]) - 1.0);
                ((1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)).ln_1p()
            },
        },
        Problem {
            name: "log scales",
            parameters: vec![range("model.C", 1e-4, 1e4, true), rate()],
            function: |values| {
                let (c, rate) = (number(&values[0]).log10(), number(&values[1]).log10());
                (c - 1.5).powi(2) / 16.0 + (rate + 1.2).powi(2) / 4.0
            },
        },
        Problem {
            name: "mixed",
            parameters: vec![parameter("train.solver", Domain::Values(solvers.to_vec())), rate()],
            function: |values| {
                let offset = match &values[0] {
                    Value::Text(name) if name == "adam" => 0.0,
                    Value::Text(name) if name == "sgd" => 0.1,
                    _ => 0.3,
                };
                offset + (number(&values[1]).log10() + 2.5).powi(2) / 4.0
            },
        },
        Problem {
            name: "six dimensions",
            parameters: [
                "model.l1_ratio",
                "train.momentum",
                "train.beta1",
                "train.beta2",
                "train.rho",
                "train.weight_decay",
            ]
            .map(unit)
            .to_vec(),
            function: |values| {
                let part = |(i, value): (usize, &Value)| (number(value) - 0.1 - 0.15 * i as f64).powi(2);
                values.iter().enumerate().map(part).sum()
            },
        },
    ]
}

fn range(path: &'static str, min: f64, max: f64, log: bool) -> Parameter {
    let (num, step) = (None, None);
    parameter(
        path,
        Domain::Range {
            min,
            max,
            num,
            log,
            step,
        },
    )
}

fn parameter(path: &'static str, domain: Domain) -> Parameter {
    Parameter {
        path,
        domain,
        probabilities: Vec::new(),
        when: Vec::new(),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        other => panic!("{other} is no number"),
    }
}

/// The smallest value after 1, 2, ... trials.
fn curve(sampler: &mut dyn Sampler, function: fn(&[Value]) -> f64) -> Vec<f64> {
    let mut best: Vec<f64> = Vec::new();
    while best.len() < TRIALS {
        for values in sampler.ask() {
            let score = function(&values);
            sampler.tell(&values, Some(score));
            best.push(best.last().map_or(score, |before| before.min(score)));
        }
    }
    best.truncate(TRIALS);
    best
}

/// Means over the seeds, and the standard error of the last.
fn means(curves: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let count = curves.len() as f64;
    let mean = |at: usize| curves.iter().map(|curve| curve[at]).sum::<f64>() / count;
    let means: Vec<f64> = (0..TRIALS).map(mean).collect();
    let last = means[TRIALS - 1];
    let squares: f64 = curves.iter().map(|curve| (curve[TRIALS - 1] - last).powi(2)).sum();
    (means, (squares / (count - 1.0) / count).sqrt())
}

#[test]
fn regret_is_below_that_of_chance_and_not_above_that_of_optuna() {
    let text = include_str!("../../../../data/golden/tpe_regret.json");
    let golden: serde_json::Value = serde_json::from_str(text).expect("JSON");
    for problem in problems() {
        let parameters = &problem.parameters;
        let own: Vec<Vec<f64>> = (0..SEEDS)
            .map(|seed| curve(&mut Tpe::new(parameters, seed), problem.function))
            .collect();
        let chance: Vec<Vec<f64>> = (0..SEEDS)
            .map(|seed| {
                curve(
                    &mut Cube::new(parameters, Random::new(parameters, seed)),
                    problem.function,
                )
            })
            .collect();
        let ((own, error), (chance, _)) = (means(&own), means(&chance));
        for (how, curve) in [("tpe", &own), ("random", &chance)] {
            let curve: Vec<String> = curve.iter().map(|value| format!("{value:.4e}")).collect();
            println!("curve;{};{how};{}", problem.name, curve.join(" "));
        }
        let entries = golden["entries"].as_array().expect("entries");
        let theirs = entries
            .iter()
            .find(|entry| entry["problem"] == problem.name && entry["how"] == "in cohorts")
            .expect("the problem is in the file");
        let their_error = theirs["se_of_last"].as_f64().expect("a number");
        let their_last = theirs["mean"][TRIALS - 1].as_f64().expect("a number");
        let last = own[TRIALS - 1];
        println!(
            "{}: {last:.5} ± {error:.5}, Optuna {their_last:.5} ± {their_error:.5}, by chance {:.5}",
            problem.name,
            chance[TRIALS - 1]
        );
        let by_chance = chance[TRIALS - 1];
        assert!(last < by_chance, "{}: {last}, by chance {by_chance}", problem.name);
        let noise = 2.0 * error.hypot(their_error);
        assert!(
            last <= their_last + noise,
            "{}: {last}, Optuna {their_last}",
            problem.name
        );
    }
}
