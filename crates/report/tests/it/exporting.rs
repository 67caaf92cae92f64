//! Exports of stores with failed and waiting trials, and a tracking server that answers as it should, or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use gradsweep_report::{ExportFormat, export, log_to_mlflow};
use serde_json::{Value, json};

use crate::sample::{make, path, sgd};

fn exported(dir: &Path, format: ExportFormat, name: &str) -> String {
    let out = dir.with_file_name(name);
    export(dir, format, Some(&out)).expect("exported");
    std::fs::read_to_string(out).expect("text")
}

#[test]
fn a_failed_trial_has_no_scores_and_ranks_last() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = make(scratch.path(), &sgd());
    let text = exported(&dir, ExportFormat::Csv, "cv.csv");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|held| *held == name).expect(name);
    // The parameters as one text come with commas in quotes: columns are counted from the end there.
    let from_end = |row: usize, name: &str| rows[row][rows[row].len() - (rows[0].len() - column(name))];
    assert_eq!(rows[1][column("param_train.learning_rate")], "0.05");
    assert_eq!(from_end(1, "rank_test_log_loss"), "1");
    assert_eq!(from_end(2, "rank_test_log_loss"), "2");
    assert_eq!(from_end(2, "mean_test_log_loss"), "");
    assert_eq!(from_end(2, "state"), "failed");

    let journal = exported(&dir, ExportFormat::Optuna, "journal.log");
    let trials: Vec<Value> = journal
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let trials: Vec<&Value> = trials.iter().filter(|line| line["op_code"] == 4).collect();
    assert_eq!((&trials[0]["state"], &trials[1]["state"]), (&json!(1), &json!(3)));
    assert_eq!(trials[1]["value"], Value::Null);
    assert_eq!(trials[0]["params"]["train.batch_rows"], 256.0);

    let page: Value = serde_json::from_str(&exported(&dir, ExportFormat::Json, "sweep.json")).expect("JSON");
    assert_eq!(page["trials"][1]["state"], "failed");
    assert_eq!(
        page["trials"][0]["scores"]["log_loss"]["val"].as_array().map(Vec::len),
        Some(3)
    );
    assert!(exported(&dir, ExportFormat::Md, "sweep.md").contains("| failed |"));
    export(&dir, ExportFormat::Tensorboard, Some(&scratch.path().join("logs"))).expect("exported");
    assert_eq!(
        std::fs::read_dir(scratch.path().join("logs"))
            .expect("a directory")
            .count(),
        3
    );
}

#[test]
fn nothing_held_out_still_has_a_table() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let recipe = crate::sample::Recipe {
        has_validation: false,
        waiting_from: 3,
        ..path()
    };
    let dir = make(scratch.path(), &recipe);
    let journal = exported(&dir, ExportFormat::Optuna, "journal.log");
    let last: Value = serde_json::from_str(journal.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["state"], &last["value"]), (&json!(4), &Value::Null));
    let text = exported(&dir, ExportFormat::Csv, "cv.csv");
    assert!(text.lines().nth(1).is_some_and(|line| line.contains("complete")));
}

/// Answers requests as a tracking server would, and gives what was asked, in order.
fn tracking_server(
    listener: &TcpListener,
    answers: &dyn Fn(&str, &Value) -> (u16, Value),
    requests: usize,
) -> Vec<(String, Value)> {
    let serve = |mut stream: TcpStream| {
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        let (mut line, mut first, mut length) = (String::new(), String::new(), 0);
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            if first.is_empty() {
                first.clone_from(&line);
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let path = first.split(' ').nth(1).expect("a path").to_owned();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let (status, answer) = answers(&path, &body);
        let answer = answer.to_string();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )
        .expect("answered");
        (path, body)
    };
    listener
        .incoming()
        .take(requests)
        .map(|stream| serve(stream.expect("a connection")))
        .collect()
}

#[test]
fn a_tracking_server_is_told_of_a_parent_and_its_children() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = make(scratch.path(), &sgd());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let uri = format!("http://{}/base", listener.local_addr().expect("bound"));
    let answers = |path: &str, body: &Value| match path.rsplit('/').next().unwrap_or_default() {
        name if name.starts_with("get-by-name") => (404, json!({ "error_code": "RESOURCE_DOES_NOT_EXIST" })),
        "create" if path.contains("experiments") => (200, json!({ "experiment_id": "7" })),
        "create" => (200, json!({ "run": { "info": { "run_id": body["run_name"] } } })),
        _ => (200, json!({})),
    };
    // An experiment is looked for and made; a parent and two children are made, told of and ended.
    let (logged, asked) = std::thread::scope(|scope| {
        let server = scope.spawn(|| tracking_server(&listener, &answers, 2 + 3 * 3));
        let logged = log_to_mlflow(&dir, &uri).expect("sent");
        (logged, server.join().expect("served"))
    });
    assert_eq!(
        (logged.experiment.as_str(), logged.run.as_str(), logged.trials),
        ("7", "flights-sgd", 2)
    );
    assert!(asked.iter().all(|(path, _)| path.starts_with("/base/api/2.0/mlflow/")));
    let of = |name: &str| -> Vec<&Value> {
        asked
            .iter()
            .filter(|(path, _)| path.ends_with(name))
            .map(|(_, body)| body)
            .collect()
    };
    let children = &of("runs/create")[1..];
    assert!(children.iter().all(|child| child["tags"][0]["value"] == "flights-sgd"));
    let batches = of("runs/log-batch");
    let metric = |batch: &Value, key: &str| -> Option<f64> {
        let metrics = batch["metrics"].as_array().expect("a list");
        metrics.iter().find(|metric| metric["key"] == key)?["value"].as_f64()
    };
    assert_eq!(
        metric(batches[0], "mean_val_log_loss"),
        metric(batches[1], "mean_val_log_loss")
    );
    assert!(metric(batches[1], "val_log_loss").is_some(), "the curve by epoch");
    assert_eq!(metric(batches[2], "mean_val_log_loss"), None);
    let ends: Vec<&str> = of("runs/update")
        .iter()
        .filter_map(|body| body["status"].as_str())
        .collect();
    assert_eq!(ends, ["FINISHED", "FAILED", "FINISHED"]);
}

#[test]
fn a_server_that_refuses_or_is_not_there_is_an_error_that_names_it() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = make(scratch.path(), &path());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let uri = format!("http://{}", listener.local_addr().expect("bound"));
    let answers = |_: &str, _: &Value| (403, json!({ "message": "no \u{1b}[31mentry" }));
    let error = std::thread::scope(|scope| {
        scope.spawn(|| tracking_server(&listener, &answers, 1));
        log_to_mlflow(&dir, &uri).expect_err("refused")
    });
    assert_eq!(
        error.to_string(),
        format!("{uri} answered 403 to experiments/get-by-name: no \u{fffd}[31mentry")
    );
    drop(listener);
    let error = log_to_mlflow(&dir, &uri).expect_err("nobody listens");
    assert!(error.to_string().contains(&uri) && error.hint().is_some());
}
