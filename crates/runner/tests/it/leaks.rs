//! Nothing about held-out rows reaches the numbers of training.

use std::path::Path;

use gradsweep_store::{CoefficientRow, HistoryRow, RunRecord, Split};

use super::{Request, config, finished, noise, table};

/// Every solver, with and without L1, on folds that the column `part` names.
const BODY: &str = r#"
[preprocess]
one_hot = { min_frequency = 20 }
[model]
class_weight = "balanced"
[train]
epochs = 60
tol = 1e-11
batch_rows = 64
learning_rate = 0.05
[validation]
strategy = "predefined"
[metrics]
report = ["log_loss", "roc_auc", "accuracy"]
[run]
precision = "f64"
[sweep.parameters]
model.C = [0.05, 1.0, 20.0]
"#;

/// What training says of the runs that hold out the first fold, by trial.
type Trained = Vec<(RunRecord, Vec<HistoryRow>, Vec<CoefficientRow>)>;

fn trained(dir: &Path, table: &str, solver: &str, l1_ratio: f64) -> Trained {
    std::fs::create_dir_all(dir).expect("a writable directory");
    std::fs::write(dir.join("table.csv"), table).expect("a writable directory");
    let text = format!(
        "version = 1\n[data]\ntrain = {:?}\ntarget = \"late\"\nfold = \"part\"\n{BODY}[output]\ndir = {:?}\n",
        dir.join("table.csv").display().to_string(),
        dir.join("store").display().to_string()
    );
    let sets = [format!("train.solver={solver}"), format!("model.l1_ratio={l1_ratio}")];
    let relevant = |set: &&String| !(matches!(solver, "newton" | "lbfgs") && set.contains("batch_rows"));
    let text = match solver {
        "newton" | "lbfgs" => text.replace("batch_rows = 64\nlearning_rate = 0.05\n", ""),
        "gd" => text.replace("batch_rows = 64\n", ""),
        _ => text.replace("tol = 1e-11\n", ""),
    };
    let sets: Vec<String> = sets.iter().filter(relevant).cloned().collect();
    let config = config::parse(&text, "test.toml", "test", &sets).unwrap_or_else(|problems| panic!("{problems}"));
    let request = Request {
        config,
        text,
        rows: None,
    };
    let (_, store) = finished(&request);
    let runs = store.runs().expect("runs").into_iter().filter(|run| run.fold == 0);
    runs.map(|run| {
        let mut record = run.record.expect("finished");
        (record.seconds, record.val) = (0.0, Vec::new());
        // Another table is another run.
        let id = std::mem::replace(&mut record.run, "0000000000000000".parse().expect("an id"));
        let mut history = store.history(id).expect("history");
        history.retain(|row| row.split == Split::Train);
        let mut coefficients = store.coefficients(id).expect("coefficients");
        for run in history.iter_mut().map(|row| &mut row.run) {
            *run = record.run;
        }
        for run in coefficients.iter_mut().map(|row| &mut row.run) {
            *run = record.run;
        }
        (record, history, coefficients)
    })
    .collect()
}

/// The table with the rows of the first fold changed: `change` is given them all, as lists of cells.
fn with_held_out(table: &str, change: impl FnOnce(&mut Vec<Vec<String>>)) -> String {
    let (header, body) = table.split_once('\n').expect("a header");
    let rows: Vec<Vec<String>> = body
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    let is_held_out = |row: &Vec<String>| row[5] == "0";
    let mut held_out: Vec<Vec<String>> = rows.iter().filter(|row| is_held_out(row)).cloned().collect();
    change(&mut held_out);
    let mut held_out = held_out.into_iter();
    let mut next = |row: &Vec<String>| {
        let changed = is_held_out(row).then(|| held_out.next().expect("as many rows as before"));
        changed.unwrap_or_else(|| row.clone()).join(",")
    };
    let lines: Vec<String> = rows.iter().map(&mut next).collect();
    format!("{header}\n{}\n", lines.join("\n"))
}

/// The same rows in another order.
fn reordered(table: &str) -> String {
    with_held_out(table, |rows| rows.reverse())
}

/// Every feature of the held-out rows dealt to other rows, each column on its own: it says nothing about the label any more.
fn noised(table: &str) -> String {
    with_held_out(table, |rows| {
        for column in 0..4 {
            let mut cells: Vec<String> = rows.iter().map(|row| row[column].clone()).collect();
            for last in (1..cells.len()).rev() {
                cells.swap(last, (noise((last * 7 + column) as u64) * (last + 1) as f64) as usize);
            }
            for (row, cell) in rows.iter_mut().zip(cells) {
                row[column] = cell;
            }
        }
    })
}

#[test]
fn held_out_rows_change_no_number_of_training() {
    let original = table(600);
    let others = [("order", reordered(&original)), ("noise", noised(&original))];
    for (solver, l1_ratio) in [
        ("sgd", 0.0),
        ("adam", 0.5),
        ("gd", 0.0),
        ("newton", 0.0),
        ("newton", 1.0),
        ("lbfgs", 0.0),
        ("lbfgs", 0.5),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let of = |name: &str, table: &str| trained(&dir.path().join(name), table, solver, l1_ratio);
        let before = of("original", &original);
        assert!(before.len() == 3 && before.iter().all(|(_, history, _)| !history.is_empty()));
        for (name, changed) in &others {
            assert_ne!(changed, &original);
            let after = of(name, changed);
            // What is held out from one run trains the others; where these end at other epochs, the products of a block
            // have other widths, and with them other roundings.
            let is_exact = match solver {
                "lbfgs" => false,
                "newton" => *name == "order",
                _ => true,
            };
            if is_exact {
                assert!(
                    before == after,
                    "{solver}, L1 {l1_ratio}, another {name} of held-out rows"
                );
                continue;
            }
            for ((a, _, own), (b, _, other)) in before.iter().zip(&after) {
                assert!(a.converged && b.converged);
                let scores = a.train.iter().zip(&b.train).map(|((_, a), (_, b))| (*a, *b));
                let weights = own
                    .iter()
                    .zip(other)
                    .map(|(a, b)| (a.coefficient_standardized, b.coefficient_standardized));
                for (a, b) in scores.chain(weights) {
                    assert!(
                        (a - b).abs() <= 1e-9,
                        "{solver}, L1 {l1_ratio}, another {name}: {a} {b}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_changed_tables_change_validation() {
    // Otherwise the test above could not fail: the held-out rows are other rows.
    let (original, dir) = (table(600), tempfile::tempdir().expect("a temporary directory"));
    let log_loss = |name: &str, table: &str| {
        trained(&dir.path().join(name), table, "newton", 0.0);
        let store = gradsweep_store::Store::open(&dir.path().join(name).join("store")).expect("a store");
        store.runs().expect("runs")[0].record.as_ref().expect("finished").val[0].1
    };
    let (before, after) = (log_loss("original", &original), log_loss("noise", &noised(&original)));
    assert!(after > before + 0.05, "{before} {after}");
}
