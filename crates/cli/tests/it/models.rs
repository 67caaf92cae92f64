//! From a sweep to predictions: what a model's user types, and what is refused.

use std::path::Path;

use super::{QUICK, good_table, gradsweep, refused, sandbox, succeeds, text};

/// A finished sweep of the good table.
fn swept(config: &str) -> tempfile::TempDir {
    let dir = sandbox(&good_table(), config);
    let screen = succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    for word in [
        "model   sweeps/sweep/models/best",
        "gradsweep predict sweeps/sweep --data new.csv",
    ] {
        assert!(screen.contains(word), "no {word:?} in\n{screen}");
    }
    dir
}

#[test]
fn a_folder_copied_elsewhere_predicts_the_same_bytes() {
    let dir = swept(QUICK);
    for out in ["scores.csv", "scores.parquet"] {
        let output = gradsweep(
            dir.path(),
            &["predict", "sweeps/sweep", "--data", "data.csv", "--out", out],
        );
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{talk}");
        for word in [
            "Predicted 120 rows of data.csv",
            "late = \"yes\" in",
            "no level is new",
            "Wrote scores.",
        ] {
            assert!(talk.contains(word), "no {word:?} in\n{talk}");
        }
        let elsewhere = tempfile::tempdir().expect("a temporary directory");
        for entry in std::fs::read_dir(dir.path().join("sweeps/sweep/models/best")).expect("a model") {
            let path = entry.expect("readable").path();
            std::fs::copy(&path, elsewhere.path().join(path.file_name().expect("a name"))).expect("copied");
        }
        let data = dir.path().join("data.csv").display().to_string();
        succeeds(elsewhere.path(), &["predict", ".", "--data", &data, "--out", out]);
        let bytes = |folder: &Path| std::fs::read(folder.join(out)).expect("predictions");
        assert_eq!(bytes(dir.path()), bytes(elsewhere.path()));
    }
    let scores = std::fs::read_to_string(dir.path().join("scores.csv")).expect("predictions");
    assert_eq!(scores.lines().next(), Some("prediction,prob_no,prob_yes"));
    assert_eq!(scores.lines().count(), 121);
}

#[test]
fn ids_are_carried_and_columns_may_come_in_any_order() {
    let with_id = |header: &str, order: [usize; 3]| -> String {
        let rows = good_table();
        let rows = rows.lines().skip(1).enumerate().map(|(i, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("={i},{},{},{}\n", cells[order[0]], cells[order[1]], cells[order[2]])
        });
        format!("{header}\n{}", rows.collect::<String>())
    };
    let dir = sandbox(&with_id("row,x,u,late", [0, 1, 2]), &format!("id = \"row\"\n{QUICK}"));
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    std::fs::write(dir.path().join("new.csv"), with_id("row,late,u,x", [2, 1, 0])).expect("written");
    for (data, out) in [("data.csv", "a.csv"), ("new.csv", "b.csv")] {
        succeeds(
            dir.path(),
            &["predict", "sweeps/sweep", "--data", data, "--out", out, "--quiet"],
        );
    }
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("predictions");
    assert_eq!(read("a.csv"), read("b.csv"));
    assert_eq!(read("a.csv").lines().next(), Some("prediction,prob_no,prob_yes,row"));
    assert!(
        read("a.csv").lines().nth(3).is_some_and(|line| line.ends_with(",'=2")),
        "no formula"
    );
}

#[test]
fn evaluation_prints_every_metric_in_every_format() {
    let dir = swept(QUICK);
    for format in ["table", "json", "csv", "md"] {
        let arguments = ["evaluate", "sweeps/sweep", "--data", "data.csv", "--format", format];
        let answer = succeeds(dir.path(), &arguments);
        for metric in ["log_loss", "roc_auc", "matthews_corrcoef", "balanced_accuracy"] {
            assert!(answer.contains(metric), "no {metric} in\n{answer}");
        }
        if format == "json" {
            let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(answer["rows"], 120);
            assert_eq!(answer["metrics"].as_object().map(serde_json::Map::len), Some(10));
        }
    }
    let unlabelled: String = good_table()
        .lines()
        .map(|line| line.rsplit_once(',').expect("a cell").0.to_owned() + "\n")
        .collect();
    std::fs::write(dir.path().join("new.csv"), unlabelled).expect("written");
    refused(
        dir.path(),
        &["evaluate", "sweeps/sweep", "--data", "new.csv"],
        3,
        &["no column \"late\"", "gradsweep predict"],
    );
    succeeds(
        dir.path(),
        &["predict", "sweeps/sweep", "--data", "new.csv", "--out", "p.parquet"],
    );
}

#[test]
fn what_cannot_be_predicted_is_refused_and_writes_nothing() {
    let dir = swept(QUICK);
    let new = |content: &str| std::fs::write(dir.path().join("new.csv"), content).expect("written");
    let predict = ["predict", "sweeps/sweep", "--data", "new.csv", "--out", "out.csv"];
    new("x,uu\n1,2\n");
    refused(dir.path(), &predict, 3, &["new.csv", "\"u\"", "rename"]);
    new("x,u\n1,2\n3,many\n");
    refused(dir.path(), &predict, 3, &["\"many\" in row 2 of new.csv", "\"u\""]);
    new("x,u\n1,2\n3,-inf\n");
    refused(dir.path(), &predict, 3, &["-inf", "row 2"]);
    refused(
        dir.path(),
        &["predict", "sweeps/sweep", "--data", "none.csv", "--out", "out.csv"],
        3,
        &["none.csv"],
    );
    new("x,u\n1,2\n");
    refused(
        dir.path(),
        &["predict", "sweeps/sweep", "--data", "new.csv", "--out", "out.xlsx"],
        2,
        &["out.xlsx", ".parquet"],
    );
    refused(
        dir.path(),
        &["predict", "sweeps/none", "--data", "new.csv", "--out", "out.csv"],
        2,
        &["sweeps/none"],
    );
    refused(
        dir.path(),
        &["predict", "sweeps/sweep", "--data", "new.csv", "--out", "none/out.csv"],
        4,
        &["none/out.csv"],
    );
    assert!(!dir.path().join("out.csv").exists());
    let names = std::fs::read_dir(dir.path())
        .expect("listing")
        .map(|entry| entry.expect("entry").file_name());
    assert!(
        names.into_iter().all(|name| !name.to_string_lossy().starts_with('.')),
        "a temporary file is left"
    );
}

#[test]
fn a_damaged_model_is_exit_4_with_its_file() {
    let dir = swept(QUICK);
    let folder = dir.path().join("sweeps/sweep/models/best");
    let predict = ["predict", "sweeps/sweep", "--data", "data.csv", "--out", "out.csv"];
    for entry in std::fs::read_dir(&folder).expect("a model") {
        let path = entry.expect("readable").path();
        if path.ends_with("README.md") {
            // For people: no prediction depends on it.
            continue;
        }
        let whole = std::fs::read(&path).expect("readable");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for bytes in [&whole[..whole.len() / 2], &flipped] {
            std::fs::write(&path, bytes).expect("written");
            refused(dir.path(), &predict, 4, &[name, "damaged", "gradsweep refit"]);
        }
        std::fs::write(&path, whole).expect("written");
    }
    let path = folder.join("model.json");
    let json = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, json.replacen("\"format\": 1", "\"format\": 7", 1)).expect("written");
    refused(dir.path(), &predict, 4, &["model.json", "format 7", "newer gradsweep"]);
}

#[test]
fn a_sweep_without_a_model_says_how_to_get_one() {
    let dir = sandbox(&good_table(), &format!("{QUICK}[output]\nsave_models = \"none\"\n"));
    let screen = succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    assert!(!screen.contains("model  ") && !screen.contains("predict"), "{screen}");
    let predict = ["predict", "sweeps/sweep", "--data", "data.csv", "--out", "out.csv"];
    refused(dir.path(), &predict, 2, &["no model", "gradsweep refit"]);
    let screen = succeeds(
        dir.path(),
        &[
            "refit",
            "sweeps/sweep",
            "--trial",
            "1",
            "--data",
            "data.csv",
            "--out",
            "m",
        ],
    );
    for word in ["trial 1", "C = 1", "120 rows", "model   m", "gradsweep predict m"] {
        assert!(screen.contains(word), "no {word:?} in\n{screen}");
    }
    succeeds(dir.path(), &["predict", "m", "--data", "data.csv", "--out", "out.csv"]);
}

#[test]
fn every_trial_failed_leaves_no_model_and_says_so() {
    let dir = sandbox(
        &good_table(),
        "[train]\nepochs = 5\nsolver = \"sgd\"\nlearning_rate = 1e6\n",
    );
    let output = gradsweep(dir.path(), &["run", "sweep.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let screen = text(&output.stdout);
    assert!(
        screen.contains("none: every trial has failed runs, so there is no model"),
        "{screen}"
    );
    assert!(!dir.path().join("sweeps/sweep/models").exists());
}

#[test]
fn the_test_file_and_the_1se_rule_are_on_the_final_screen() {
    let dir = sandbox(&good_table(), &format!("test = \"data.csv\"\n{QUICK}"));
    let screen = succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    assert!(
        screen.contains("(120 rows, scored once)") && screen.contains("the 1se rule would take"),
        "{screen}"
    );
    let answer = succeeds(dir.path(), &["run", "sweep.toml", "--quiet", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["test"]["rows"], 120);
    assert!(
        answer["test"]["log_loss"].is_number() && answer["model"].is_string(),
        "{answer}"
    );
    std::fs::write(dir.path().join("other.csv"), good_table().replace("no", "perhaps")).expect("written");
    let arguments = ["run", "sweep.toml", "--set", "data.test=other.csv"];
    refused(dir.path(), &arguments, 3, &["perhaps", "other.csv", "late"]);
}
