//! What is resolved is a config that resolves to itself.

use super::{LEAST, good, read};
use crate::config::{Kind, Value, reference};

fn check(text: &str) {
    let config = good(text);
    let resolved = config.resolved_toml();
    let again = read(&resolved).unwrap_or_else(|problems| panic!("{resolved}\n{problems}"));
    assert_eq!(config, again, "{resolved}");
    assert_eq!(resolved, again.resolved_toml());
    assert_eq!(config.result_keys(), again.result_keys());
    assert!(resolved.parse::<toml::Table>().is_ok());
}

#[test]
fn resolved_configs_are_themselves() {
    check(LEAST);
    let more = [
        "positive = 1.0\nid = \"\\u001b \\\" é\"\nmissing = [\"\\\\N\"]\ntypes.\"a.b c\" = \"numeric\"\ncsv = { delimiter = \"\\t\", quote = \"\" }",
        "[model]\nC = inf\nfit_intercept = false",
        "[model]\nC = 1e-300\n[train]\nsolver = \"sgd\"\nlearning_rate = 1e300\nmomentum = 0.1\nbatch_rows = \"full\"",
        "[model]\nl1_ratio = 1\n[sweep.parameters]\nmodel.C = { auto = true, ratio = 1e-3 }",
        "[train]\nrestarts = 3\ninit = { kind = \"normal\" }",
        "[sweep]\nmethod = \"random\"\ntrials = 7\n[sweep.parameters]\nmodel.C = { min = 1e-4, max = 1, log = true }\ntrain.epochs = { min = 1, max = 9, step = 2 }\nmodel.l1_ratio = { min = 0, max = 0.3, step = 0.1, when = { train.solver = \"sgd\" } }\ntrain.solver = { values = [\"sgd\", \"adam\", \"sgd\"], probabilities = [0.1, 0.2, 0.7] }\ntrain.momentum = { values = [0, 0.5], when.\"train.solver\" = [\"sgd\"] }",
        "[train]\nsolver = \"sgd\"\n[sweep.parameters]\nmodel.C = [1, inf]\ntrain.batch_rows = { min = 16, max = 64, num = 3, log = true }\ntrain.init = { values = [{ kind = \"glorot\" }, { kind = \"normal\", std = 2 }] }\n[[sweep.points]]\nmodel.C = 3\ntrain.epochs = 5\n[[sweep.points]]\ntrain.init = { kind = \"zeros\" }\n[[sweep.exclude]]\nmodel.C = 1",
    ];
    for more in more {
        check(&format!("{LEAST}{more}"));
    }
}

#[test]
fn infinity_survives() {
    let config = good(&format!("{LEAST}[model]\nC = inf\n"));
    assert!(config.resolved_toml().contains("\nC = inf\n"));
    assert_eq!(
        config.result_keys().get("model.C"),
        Some(&toml::Value::Float(f64::INFINITY))
    );
}

#[test]
fn result_keys_leave_out_what_changes_no_result() {
    let keys = good(LEAST).result_keys();
    for absent in [
        "name",
        "version",
        "run.threads",
        "output.dir",
        "data.train",
        "sweep.parameters",
        "sweep.points",
    ] {
        assert!(!keys.contains_key(absent), "{absent}");
    }
    for present in [
        "data.target",
        "data.csv.delimiter",
        "train.epochs",
        "train.init.kind",
        "run.seed",
        "sweep.metric",
    ] {
        assert!(keys.contains_key(present), "{present}");
    }
}

/// Every built key in turn with its example: each is accepted and survives. (Keys that ask for another value beside them
/// are written with it.)
#[test]
fn every_example_survives() {
    let beside = |path: &str| match path {
        "train.beta1" | "train.beta2" | "train.epsilon" => "train.solver = \"adam\"\n",
        "train.learning_rate" | "train.batch_rows" | "train.momentum" => "train.solver = \"sgd\"\n",
        "train.nesterov" => "train.solver = \"sgd\"\ntrain.momentum = 0.9\n",
        "train.rho" => "train.solver = \"rmsprop\"\n",
        path if path.starts_with("train.schedule.")
            || path.starts_with("train.early_stopping.")
            || path == "metrics.every" =>
        {
            "train.solver = \"sgd\"\n"
        }
        path if path.starts_with("sweep.halving.") || path.starts_with("sweep.hyperband.") => {
            "train.solver = \"sgd\"\n"
        }
        "train.weight_decay" => "train.solver = \"adamw\"\n",
        "validation.fraction" => "validation.strategy = \"holdout\"\n",
        "sweep.method" => "sweep.trials = 5\nsweep.parameters.model.C = [0.1, 1.0]\n",
        "sweep.trials" => "sweep.method = \"random\"\nsweep.parameters.model.C = [0.1, 1.0]\n",
        "train.restarts" | "train.init.std" => "train.init.kind = \"normal\"\n",
        "sweep.select" => "sweep.parameters.model.C = [0.1, 1.0]\n",
        _ => "",
    };
    let mut built = 0;
    for table in reference() {
        for key in table.keys.iter().filter(|key| key.fields().is_empty()) {
            let path = if table.path.is_empty() {
                key.name.to_owned()
            } else {
                format!("{}.{}", table.path, key.name)
            };
            let value = match key.spec.kind {
                Kind::Parameters | Kind::Assignments => continue,
                _ => key.spec.example,
            };
            let required = |path: &str, line: &'static str| if path.starts_with(line) { "" } else { line };
            let text = format!(
                "{}{}{}{path} = {value}\n",
                if path == "data.train" {
                    ""
                } else {
                    required("", "data.train = \"a\"\n")
                },
                if path == "data.target" {
                    ""
                } else {
                    required("", "data.target = \"y\"\n")
                },
                beside(&path),
            );
            match read(&text) {
                Ok(_) => {
                    built += 1;
                    check(&text);
                }
                Err(problems) => {
                    let shown = problems.to_string();
                    assert!(shown.contains("not built yet"), "{text}{shown}");
                }
            }
        }
    }
    assert!(built > 40, "{built}");
}

#[test]
fn values_print_as_toml() {
    assert_eq!(Value::Float(f64::INFINITY).to_string(), "inf");
    assert_eq!(Value::Float(1.0).to_string(), "1.0");
}
