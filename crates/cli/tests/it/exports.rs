//! Results and models handed on, probabilities calibrated: what a user types, and what is refused.

use std::path::Path;

use super::{QUICK, good_table, gradsweep, refused, sandbox, succeeds, text};

const STORE: &str = "sweeps/sweep";

fn swept(config: &str) -> tempfile::TempDir {
    let dir = sandbox(&good_table(), config);
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    dir
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).expect("written")
}

#[test]
fn every_format_is_written_and_says_what_to_do_with_it() {
    let dir = swept(QUICK);
    for (format, out, words) in [
        ("csv", "out.csv", "pandas.read_csv"),
        ("json", "out.json", "json.load"),
        ("md", "out.md", "Markdown"),
        ("onnx", "out.onnx", "onnxruntime.InferenceSession"),
        ("safetensors", "out.safetensors", "load_file"),
        ("sklearn", "model.json", "from model import load"),
        ("optuna", "out.log", "optuna-dashboard out.log"),
        ("tensorboard", "logs", "tensorboard --logdir logs"),
    ] {
        let output = gradsweep(dir.path(), &["export", STORE, "--to", format, "--out", out]);
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{talk}");
        assert!(output.stdout.is_empty() && talk.contains(words), "{talk}");
        assert!(dir.path().join(out).exists());
    }
    let table = read(dir.path(), "out.csv");
    let header = table.lines().next().expect("a header");
    for name in [
        "param_model.C",
        "params",
        "split4_test_log_loss",
        "mean_test_log_loss",
        "std_test_log_loss",
        "rank_test_log_loss",
    ] {
        assert!(header.split(',').any(|column| column == name), "no {name} in {header}");
    }
    assert_eq!(table.lines().count(), 3);
    assert_eq!(
        read(dir.path(), "out.log")
            .lines()
            .filter(|line| line.contains("\"op_code\":4"))
            .count(),
        2
    );
    // The folder of a model is enough for the formats of models.
    let model = format!("{STORE}/models/best");
    succeeds(dir.path(), &["export", &model, "--to", "onnx", "--out", "again.onnx"]);
    let bytes = |name: &str| std::fs::read(dir.path().join(name)).expect("written");
    assert_eq!(bytes("out.onnx"), bytes("again.onnx"));
}

#[test]
fn exports_that_cannot_be_are_refused_with_what_to_type() {
    let dir = swept(QUICK);
    let refuse = |arguments: &[&str], code: i32, words: &[&str]| {
        let all: Vec<&str> = ["export"].iter().chain(arguments).copied().collect();
        refused(dir.path(), &all, code, words);
    };
    refuse(&[STORE, "--to", "pickle", "--out", "x"], 2, &["pickle", "safetensors"]);
    refuse(
        &[STORE, "--to", "onnx", "--out", "m.json"],
        2,
        &["does not end in .onnx", "--out m.onnx"],
    );
    refuse(&[STORE, "--to", "csv"], 2, &["--out"]);
    refuse(&["nowhere", "--to", "csv", "--out", "x.csv"], 2, &["nowhere"]);
    refuse(&["nowhere", "--to", "onnx", "--out", "x.onnx"], 2, &["nowhere"]);
    refuse(
        &[STORE, "--to", "csv", "--uri", "http://127.0.0.1:1"],
        2,
        &["--uri is for --to mlflow"],
    );
    refuse(
        &[STORE, "--to", "mlflow", "--out", "x"],
        2,
        &["--uri http://127.0.0.1:5000"],
    );
    refuse(&[STORE, "--to", "mlflow", "--uri", "https://host"], 2, &["http://HOST"]);
    refuse(
        &[STORE, "--to", "csv", "--out", "no/such/folder/x.csv"],
        4,
        &["could not write"],
    );
    std::fs::create_dir(dir.path().join("full")).expect("made");
    std::fs::write(dir.path().join("full/thesis.tex"), "").expect("written");
    refuse(
        &[STORE, "--to", "tensorboard", "--out", "full"],
        2,
        &["not an empty directory"],
    );

    let none = swept(&format!("{QUICK}[output]\nsave_models = \"none\"\n"));
    refused(
        none.path(),
        &["export", STORE, "--to", "onnx", "--out", "x.onnx"],
        2,
        &["no model", "gradsweep refit sweeps/sweep"],
    );
}

#[test]
fn names_that_a_spreadsheet_would_calculate_stay_names() {
    let table = good_table().replace("x,u,late", "=x,u,late");
    let dir = sandbox(
        &table,
        "[train]\nepochs = 2\n[validation]\nstrategy = \"holdout\"\n[sweep.parameters]\ntrain.solver = [\"sgd\", \"adam\"]\n",
    );
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    succeeds(dir.path(), &["export", STORE, "--to", "csv", "--out", "out.csv"]);
    let text = read(dir.path(), "out.csv");
    let cells = text.lines().flat_map(|line| line.split(','));
    assert!(cells.clone().all(|cell| !cell.starts_with(['=', '@', '+'])));
    assert!(text.contains("split0_test_log_loss") && !text.contains("split1_"));
}

#[test]
fn calibration_lies_beside_the_model_and_is_applied_when_asked_for() {
    let dir = swept(QUICK);
    let predict = |out: &str, more: &[&str]| {
        let mut arguments = vec!["predict", STORE, "--data", "data.csv", "--out", out];
        arguments.extend(more);
        succeeds(dir.path(), &arguments);
        read(dir.path(), out)
    };
    refused(
        dir.path(),
        &["predict", STORE, "--data", "data.csv", "--out", "x.csv", "--calibrated"],
        2,
        &["calibration.json is not there", "gradsweep calibrate"],
    );
    let plain = predict("plain.csv", &[]);
    for method in ["platt", "isotonic"] {
        let screen = succeeds(
            dir.path(),
            &["calibrate", STORE, "--method", method, "--threshold", "f1"],
        );
        for word in [method, "log_loss", "before", "observed", "threshold", "--calibrated"] {
            assert!(screen.contains(word), "no {word:?} in\n{screen}");
        }
        assert_ne!(predict("calibrated.csv", &["--calibrated"]), plain);
        assert_eq!(predict("plain.csv", &[]), plain);
    }
    let answer = succeeds(
        dir.path(),
        &["calibrate", STORE, "--threshold", "accuracy", "--format", "json"],
    );
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("one JSON object");
    assert_eq!(answer["rows"], 120);
    assert_eq!(answer["before"], answer["after"], "a threshold moves no probability");
    let threshold = answer["threshold"]["threshold"].as_f64().expect("a number");
    let tuned = predict("tuned.csv", &["--calibrated"]);
    let cells = |text: &str| -> Vec<(String, f64)> {
        let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        rows.map(|row| (row[0].to_owned(), row[2].parse().expect("a number")))
            .collect()
    };
    assert!(
        cells(&tuned)
            .iter()
            .all(|(label, p)| (label == "yes") == (*p > threshold))
    );

    refused(
        dir.path(),
        &["calibrate", STORE, "--threshold", "recall"],
        2,
        &["f1, balanced_accuracy"],
    );
    // A model that was fitted anew has another identity.
    succeeds(
        dir.path(),
        &[
            "run",
            "sweep.toml",
            "--quiet",
            "--set",
            "metrics.threshold=0.4",
            "--set",
            "output.if_exists=replace",
        ],
    );
    refused(
        dir.path(),
        &["predict", STORE, "--data", "data.csv", "--out", "x.csv", "--calibrated"],
        2,
        &["calibration.json"],
    );
    let none = swept(&format!("{QUICK}[output]\npredictions = \"none\"\n"));
    refused(
        none.path(),
        &["calibrate", STORE],
        2,
        &["no out-of-fold predictions", "output.predictions=selected"],
    );
}

#[test]
fn a_model_has_a_card_whose_own_part_stays() {
    let table = good_table().replace("x,u,late", "<b>|x,u,late");
    let dir = sandbox(&table, QUICK);
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    let path = format!("{STORE}/models/best/README.md");
    let card = read(dir.path(), &path);
    for word in [
        "# sweep",
        "120 rows",
        "log_loss",
        " to ",
        "&lt;b&gt;\\|x",
        "Intended use",
        "train.epochs",
    ] {
        assert!(card.contains(word), "no {word:?} in\n{card}");
    }
    assert!(!card.contains("<b>"));
    let filled = card.replacen("*to be filled in*", "Ada, for flights", 1);
    std::fs::write(dir.path().join(&path), filled).expect("written");
    std::fs::remove_file(dir.path().join(STORE).join("models/best/model.json")).expect("removed");
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    let again = read(dir.path(), &path);
    assert!(again.contains("Ada, for flights") && again.contains("120 rows"));
    // The folder with all its files is still a store that can be replaced.
    succeeds(dir.path(), &["calibrate", STORE, "--quiet"]);
    succeeds(
        dir.path(),
        &["run", "sweep.toml", "--quiet", "--set", "output.if_exists=replace"],
    );
}
