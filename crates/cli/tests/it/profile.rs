//! What `check --data` shows, and dates from a config to predictions.

use super::{gradsweep, refused, sandbox, succeeds, text};

/// A table with a date, a category and missing cells.
fn dated_table() -> String {
    let mut data = "x,k,when,late\n".to_owned();
    for i in 0..120 {
        let late = (i * 7 + i / 11) % 10 < if i % 2 == 0 { 7 } else { 2 };
        let x = if i % 20 == 3 {
            String::new()
        } else {
            ((i % 2) * 3 + i % 5).to_string()
        };
        data += &format!(
            "{x},{},2013-{:02}-{:02}T{:02}:00:00,{}\n",
            ["red", "blue"][i % 2],
            i % 12 + 1,
            i % 28 + 1,
            i * 5 % 24,
            if late { "yes" } else { "no" }
        );
    }
    data
}

const DATED: &str = "types = { when = \"datetime\" }\n[validation]\nfolds = 3\n[train]\nepochs = 5\n[sweep.parameters]\nmodel.C = [0.1, 1.0]\n";

#[test]
fn check_shows_columns_and_folds_in_every_form() {
    let dir = sandbox(&dated_table(), DATED);
    let page = succeeds(dir.path(), &["check", "sweep.toml", "--data"]);
    for piece in [
        "no problems, 2 trials",
        "rows      120",
        "when.weekday",
        "red 60, blue 60",
        "5.0 %",
        "training rows",
        "column \"when.minute\" is constant",
    ] {
        assert!(page.contains(piece), "no {piece:?} in\n{page}");
    }
    let json = succeeds(dir.path(), &["check", "sweep.toml", "--data", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
    assert_eq!((&json["rows"], &json["trials"]), (&120.into(), &2.into()));
    let x = &json["columns"][1];
    assert_eq!((&x["column"], &x["missing"]), (&"x".into(), &6.into()));
    let of_folds = x["folds"].as_array().expect("a list").iter();
    let known: f64 = of_folds.map(|fold| fold["rows"].as_f64().expect("a number")).sum();
    assert_eq!(known, 2.0 * 114.0, "each row is trained on in two of three folds");
    let csv = succeeds(dir.path(), &["check", "sweep.toml", "--data", "--format", "csv"]);
    assert!(csv.starts_with("column,role,type,rows,missing,mean,std,min,max,features,levels,note\n"));
    assert_eq!(csv.lines().count(), 1 + 1 + 2 + 7);
    assert!(succeeds(dir.path(), &["check", "sweep.toml", "--data", "--format", "md"]).contains("| late | target |"));
    refused(dir.path(), &["check", "sweep.toml", "--format", "json"], 2, &["--data"]);
}

#[test]
fn dates_are_taken_apart_for_predictions_as_in_training() {
    let dir = sandbox(&dated_table(), DATED);
    succeeds(dir.path(), &["run", "sweep.toml", "--quiet"]);
    let predict = |data: &str, out: &str| {
        succeeds(dir.path(), &["predict", "sweeps/sweep", "--data", data, "--out", out]);
        std::fs::read_to_string(dir.path().join(out)).expect("written")
    };
    let own = predict("data.csv", "own.csv");
    let zoned = dated_table().replace(":00:00,", ":00:00Z,");
    std::fs::write(dir.path().join("zoned.csv"), zoned).expect("written");
    assert_eq!(own, predict("zoned.csv", "zoned-out.csv"));
    let shifted = dated_table().replace("T05:", "T06:");
    std::fs::write(dir.path().join("shifted.csv"), shifted).expect("written");
    assert_ne!(own, predict("shifted.csv", "shifted-out.csv"), "the hour counts");
    let scores = succeeds(dir.path(), &["evaluate", "sweeps/sweep", "--data", "data.csv"]);
    assert!(scores.contains("roc_auc"), "{scores}");

    std::fs::write(dir.path().join("undated.csv"), "x,k\n1,red\n").expect("written");
    let arguments = ["predict", "sweeps/sweep", "--data", "undated.csv", "--out", "none.csv"];
    refused(dir.path(), &arguments, 3, &["undated.csv lacks a column", "\"when\""]);
    std::fs::write(dir.path().join("odd.csv"), "x,k,when\n1,red,2013-01-01\n2,red,soon\n").expect("written");
    let arguments = ["predict", "sweeps/sweep", "--data", "odd.csv", "--out", "none.csv"];
    refused(
        dir.path(),
        &arguments,
        3,
        &["column \"when\" holds \"soon\" in row 2 of odd.csv"],
    );
    assert!(!dir.path().join("none.csv").exists());
    let ignored = gradsweep(
        dir.path(),
        &["predict", "sweeps/sweep", "--data", "data.csv", "--out", "again.csv"],
    );
    assert!(!text(&ignored.stderr).contains("\"when\""), "{}", text(&ignored.stderr));
}
