//! Out-of-fold predictions: they are the scores the runs were given, and can be made again.

use std::path::Path;

use gradsweep_store::{Predictions, Store};

use super::{finished, request};

const CONFIG: &str = r#"
[train]
epochs = 20
batch_rows = 64
restarts = 2
init = { kind = "normal", std = 0.3 }
learning_rate = 0.1
solver = "sgd"
[validation]
folds = 3
repeats = 2
[metrics]
report = ["log_loss", "accuracy"]
[sweep.parameters]
model.C = [0.1, inf]
"#;

fn predictions(store: &Store) -> Predictions {
    store.predictions().expect("readable").expect("there")
}

/// Rows are numbered as in the file, each is held out once in a repeat, and its label is the file's.
fn check_rows(found: &Predictions, labels: &[bool], trials: &[u32]) {
    let rows = labels.len();
    assert_eq!(found.row.len(), rows * 2 * trials.len());
    for &trial in trials {
        for repeat in 0..2 {
            let own = (0..found.row.len()).filter(|&i| (found.trial[i], found.repeat[i]) == (trial, repeat));
            let mut of_repeat: Vec<(u32, bool)> = own.map(|i| (found.row[i], found.y[i] == 1)).collect();
            of_repeat.sort_unstable();
            let expected: Vec<(u32, bool)> = (0..).zip(labels.iter().copied()).collect();
            assert_eq!(of_repeat, expected);
        }
    }
    let keys: Vec<_> = (0..found.row.len())
        .map(|i| (found.trial[i], found.fold[i], found.repeat[i], found.row[i]))
        .collect();
    assert!(keys.is_sorted());
}

fn labels(dir: &Path) -> Vec<bool> {
    let text = std::fs::read_to_string(dir.join("table.csv")).expect("the table");
    text.lines().skip(1).map(|line| line.ends_with(",yes")).collect()
}

#[test]
fn they_have_the_scores_of_the_runs_and_can_be_made_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), CONFIG, &["train.restarts=1"]));
    let best = summary.best.expect("selected").trial;
    let found = predictions(&store);
    check_rows(&found, &labels(dir.path()), &[best]);
    for run in store.runs().expect("runs").iter().filter(|run| run.trial == best) {
        let own = (0..found.row.len()).filter(|&i| (found.fold[i], found.repeat[i]) == (run.fold, run.repeat));
        let losses: Vec<f64> = own
            .map(|i| {
                -if found.y[i] == 1 {
                    found.prob[i]
                } else {
                    1.0 - found.prob[i]
                }
                .ln()
            })
            .collect();
        let record = run.record.as_ref().expect("complete");
        assert_eq!(losses.len() as u64, record.n_val);
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        let recorded = record.val_score("log_loss").expect("scored");
        // The run was scored in f32.
        assert!((loss - recorded).abs() < 1e-6, "{loss} {recorded}");
    }
    let file = store.dir().join("predictions.parquet");
    let bytes = std::fs::read(&file).expect("predictions");
    std::fs::remove_file(&file).expect("removed");
    finished(&request(dir.path(), CONFIG, &["train.restarts=1", "run.threads=1"]));
    assert!(std::fs::read(&file).expect("made again") == bytes);
}

#[test]
fn of_all_trials_restarts_averaged_or_of_none() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, store) = finished(&request(dir.path(), CONFIG, &["output.predictions=\"all\""]));
    let all = predictions(&store);
    check_rows(&all, &labels(dir.path()), &[0, 1]);
    let (summary, store) = finished(&request(dir.path(), CONFIG, &[]));
    let best = summary.best.expect("selected").trial;
    let selected = predictions(&store);
    let of_best: Vec<f64> = (0..all.row.len())
        .filter(|&i| all.trial[i] == best)
        .map(|i| all.prob[i])
        .collect();
    assert!(selected.prob == of_best);
    finished(&request(dir.path(), CONFIG, &["output.predictions=\"none\""]));
    assert!(!store.dir().join("predictions.parquet").exists());
}

#[test]
fn nothing_held_out_leaves_no_predictions() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = CONFIG.replace("folds = 3\nrepeats = 2", "strategy = \"none\"");
    let (_, store) = finished(&request(dir.path(), &config, &[]));
    assert!(store.predictions().expect("readable").is_none());
}
