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
fn every_complete_trial_has_a_model_where_all_are_to_be_saved() {
    let dir = sandbox(
        &good_table(),
        "[sweep.parameters]\nmodel.C = [0.1, 1.0]\npreprocess.scale = [\"standard\", \"none\"]\n[output]\nsave_models = \"all\"\n",
    );
    let screen = succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    assert!(
        screen.contains("4 models of single trials below sweeps/sweep/models"),
        "{screen}"
    );
    let models = dir.path().join("sweeps/sweep/models");
    let keys = |name: &str| {
        let text = std::fs::read_to_string(models.join(name).join("model.json")).expect("a model");
        let info: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (
            info["keys"]["model.C"].clone(),
            info["keys"]["preprocess.scale"].clone(),
        )
    };
    assert_eq!(keys("trial-1"), (0.1.into(), "none".into()));
    assert_eq!(keys("trial-2"), (1.0.into(), "standard".into()));
    succeeds(
        dir.path(),
        &[
            "predict",
            "sweeps/sweep/models/trial-3",
            "--data",
            "data.csv",
            "--out",
            "out.csv",
        ],
    );
    // Nothing but the one that is lost is made again.
    std::fs::remove_file(models.join("trial-2/model.json")).expect("there was one");
    let before = std::fs::metadata(models.join("trial-1/model.json"))
        .expect("a model")
        .modified()
        .expect("a time");
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    assert_eq!(keys("trial-2"), (1.0.into(), "standard".into()));
    let after = std::fs::metadata(models.join("trial-1/model.json"))
        .expect("a model")
        .modified()
        .expect("a time");
    assert_eq!(before, after);
    let again = gradsweep(dir.path(), &["run", "sweep.toml"]);
    assert!(text(&again.stdout).contains("nothing to do"), "{}", text(&again.stdout));
}

#[test]
fn an_evaluation_counts_rows_by_their_weights() {
    let table = good_table();
    let weighted: String = table
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            0 => format!("{line},w\n"),
            i => format!("{line},{}\n", i % 3),
        })
        .collect();
    let dir = sandbox(&weighted, "weight = \"w\"\n");
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    let evaluate = |file: &str| {
        let answer = succeeds(
            dir.path(),
            &[
                "evaluate",
                "sweeps/sweep",
                "--data",
                file,
                "--format",
                "json",
                "--quiet",
            ],
        );
        serde_json::from_str::<serde_json::Value>(&answer).expect("JSON")
    };
    // A row of weight k is k rows.
    let repeated: String = weighted
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            0 => format!("{line}\n"),
            i => format!("{}1\n", line.strip_suffix(char::is_numeric).expect("a weight")).repeat(i % 3),
        })
        .collect();
    std::fs::write(dir.path().join("repeated.csv"), repeated).expect("the sandbox is writable");
    let (own, repeated) = (evaluate("data.csv"), evaluate("repeated.csv"));
    assert_eq!(own["weight"], "w");
    for metric in ["log_loss", "roc_auc", "accuracy", "brier_score"] {
        let of = |answer: &serde_json::Value| answer["metrics"][metric].as_f64().expect("a number");
        assert!((of(&own) - of(&repeated)).abs() < 1e-12, "{metric}: {own} {repeated}");
    }
    std::fs::write(dir.path().join("plain.csv"), &table).expect("the sandbox is writable");
    let plain = evaluate("plain.csv");
    assert!(plain["weight"].is_null() && plain["metrics"]["log_loss"] != own["metrics"]["log_loss"]);
    std::fs::write(dir.path().join("bad.csv"), weighted.replacen(",1\n", ",-1\n", 1)).expect("writable");
    let bad = gradsweep(dir.path(), &["evaluate", "sweeps/sweep", "--data", "bad.csv"]);
    assert_eq!(bad.status.code(), Some(3));
    assert!(
        text(&bad.stderr).contains("weight \"w\" of row 1 of bad.csv is -1"),
        "{}",
        text(&bad.stderr)
    );
}

#[test]
fn a_fold_that_the_metric_does_not_score_is_named_before_training() {
    // The rows of one fold all have one label.
    let table: String = good_table()
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            0 => format!("{line},part\n"),
            i if line.ends_with("yes") && i % 2 == 0 => format!("{line},b\n"),
            i => format!("{line},{}\n", if i % 3 == 0 { "a" } else { "c" }),
        })
        .collect();
    let dir = sandbox(
        &table,
        "fold = \"part\"\n[validation]\nstrategy = \"predefined\"\n[sweep]\nmetric = \"roc_auc\"\n",
    );
    let output = gradsweep(dir.path(), &["run", "sweep.toml"]);
    let screen = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{screen}");
    assert!(
        screen.contains("held-out rows of fold b have one class only") && screen.contains("log_loss"),
        "{screen}"
    );
    assert!(!dir.path().join("sweeps").exists());
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
