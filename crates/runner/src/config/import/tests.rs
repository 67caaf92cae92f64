//! Files as the other programs' manuals show them.

use super::{from_optuna, from_wandb};
use crate::config::{Domain, Method, Metric, Solver, Value, parse};

#[test]
fn a_wandb_sweep_becomes_a_config() {
    let text = "program: train.py\nmethod: random\nrun_cap: 40\nmetric:\n  name: val_loss\n  goal: minimize\n\
        early_terminate:\n  type: hyperband\n  min_iter: 3\nparameters:\n  epochs:\n    value: 20\n  optimizer:\n    values: [Adam, sgd, lion]\n\
        \x20   probabilities: [0.5, 0.25, 0.25]\n  lr:\n    distribution: log_uniform_values\n    min: 1.0e-4\n    max: 0.1\n  batch_size:\n\
        \x20   distribution: q_log_uniform_values\n    q: 8\n    min: 32\n    max: 256\n  alpha:\n    min: 0.0\n    max: 1.0\n  dropout:\n    values: [0.3, 0.4]\n\
        \x20 nested:\n    parameters:\n      l1_ratio:\n        min: 0.0\n        max: 1.0\n";
    let imported = from_wandb(text, Some("a.csv"), Some("y")).expect("a sweep");
    let config =
        parse(&imported.text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{}\n{problems}", imported.text));
    assert_eq!((config.sweep.method, config.sweep.trials), (Method::Random, Some(40)));
    assert_eq!((config.sweep.metric, config.train.epochs), (Metric::LogLoss, 20));
    let names: Vec<&str> = config.sweep.parameters.iter().map(|parameter| parameter.path).collect();
    assert_eq!(
        names,
        [
            "train.solver",
            "train.learning_rate",
            "train.batch_rows",
            "model.l1_ratio"
        ]
    );
    let solver = &config.sweep.parameters[0];
    let values = [Solver::Adam, Solver::Sgd].map(|solver| Value::Text(solver.name().into()));
    assert_eq!(solver.domain, Domain::Values(values.to_vec()));
    assert!((solver.probabilities[0] - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(
        config.sweep.parameters[2].domain,
        Domain::Range {
            min: 32.0,
            max: 256.0,
            num: None,
            log: true,
            step: Some(8.0)
        }
    );
    let notes = imported.notes.join("\n");
    for said in [
        "\"lion\"",
        "dropout is left out: no key",
        "alpha is left out: model.C = 1/(alpha·n)",
        "program",
        "taken for log_loss",
    ] {
        assert!(notes.contains(said), "{said}:\n{notes}");
    }
    for note in &imported.notes {
        assert!(imported.text.contains(&format!("# - {note}")));
    }
}

#[test]
fn exponents_become_values() {
    let text = "method: random\nparameters:\n  C:\n    distribution: log_uniform\n    min: -2\n    max: 2\n";
    let imported = from_wandb(text, None, None).expect("a sweep");
    assert!(
        imported.notes.iter().any(|note| note.contains("were exponents")),
        "{:?}",
        imported.notes
    );
    let config = parse(&imported.text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let Domain::Range { min, max, log, .. } = config.sweep.parameters[0].domain else {
        panic!("a range");
    };
    assert_eq!((min, max, log), ((-2.0_f64).exp(), 2.0_f64.exp(), true));
    assert!(imported.notes.iter().any(|note| note.contains("data.train")));
}

#[test]
fn a_wandb_grid_lists_its_integers() {
    let text = "method: grid\nrun_cap: 3\nparameters:\n  epochs: {min: 1, max: 3}\n  C: {values: [0.1, 1]}\n";
    let imported = from_wandb(text, Some("a"), Some("y")).expect("a sweep");
    let config = parse(&imported.text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(crate::search::trials(&config).expect("trials").len(), 6);
    assert!(
        imported.notes.iter().any(|note| note.contains("run_cap")),
        "{:?}",
        imported.notes
    );
}

#[test]
fn optuna_distributions_become_a_config() {
    let text = r#"{
        "lr": {"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}},
        "batch_size": "{\"name\": \"IntDistribution\", \"attributes\": {\"log\": false, \"step\": 16, \"low\": 16, \"high\": 128}}",
        "solver": {"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd"]}},
        "C": {"name": "LogUniformDistribution", "attributes": {"low": 0.01, "high": 100.0}},
        "n_layers": {"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 3}}
    }"#;
    let imported = from_optuna(text, Some("a.csv"), Some("y")).expect("distributions");
    let config =
        parse(&imported.text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{}\n{problems}", imported.text));
    let names: Vec<&str> = config.sweep.parameters.iter().map(|parameter| parameter.path).collect();
    assert_eq!(
        names,
        ["train.learning_rate", "train.batch_rows", "train.solver", "model.C"]
    );
    assert!(imported.notes.iter().any(|note| note.contains("n_layers is left out")));
    assert_eq!((config.sweep.method, config.sweep.trials), (Method::Tpe, Some(64)));
}

#[test]
fn what_is_no_sweep_is_refused() {
    assert!(from_wandb("a: [", None, None).is_err());
    assert!(from_wandb("- 1\n", None, None).is_err());
    assert!(from_optuna("{\"a\": 3}", None, None).is_err());
    assert!(from_optuna("[]", None, None).is_err());
    // What matters to no solver of the sweep is left out, so that the config runs.
    let decay = "method: random\nparameters: {optimizer: {values: [adam, sgd]}, weight_decay: {min: 0.0, max: 0.1}}\n";
    let imported = from_wandb(decay, Some("a"), Some("y")).expect("a sweep");
    assert!(parse(&imported.text, "a.toml", "a", &[]).is_ok(), "{}", imported.text);
    assert!(
        imported
            .notes
            .iter()
            .any(|note| note.contains("train.weight_decay is left out: sweeping"))
    );
    // A sweep without anything that is known here is still a config.
    let imported = from_wandb(
        "method: bayes\nparameters: {dropout: {value: 1}}\n",
        Some("a"),
        Some("y"),
    )
    .expect("a sweep");
    assert!(parse(&imported.text, "a.toml", "a", &[]).is_ok(), "{}", imported.text);
    // A search that learns waits for the scores of all its trials.
    let text =
        "method: bayes\nearly_terminate: {type: hyperband, min_iter: 3}\nparameters: {C: {min: 0.1, max: 10.0}}\n";
    let imported = from_wandb(text, Some("a"), Some("y")).expect("a sweep");
    let config = parse(&imported.text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.sweep.method, config.sweep.hyperband), (Method::Tpe, None));
    assert!(
        imported
            .notes
            .iter()
            .any(|note| note.contains("early_terminate is left out"))
    );
}
