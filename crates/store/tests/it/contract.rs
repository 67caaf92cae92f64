//! The tables as other programs read them: columns, types and order of rows.

use std::path::Path;

use gradsweep_store::{Part, RunRecord, RunState, Store, StoreWriter};
use polars::io::SerReader;
use polars::prelude::{DataFrame, ParquetReader};

use crate::sample::{manifest, part, parts, plan};

fn read(dir: &Path, name: &str) -> DataFrame {
    let file = std::fs::File::open(dir.join(name)).expect("the table is there");
    ParquetReader::new(file).finish().expect("ordinary Parquet")
}

fn columns(frame: &DataFrame) -> Vec<String> {
    let fields = frame.columns().iter();
    fields
        .map(|column| format!("{} {}", column.name(), column.dtype()))
        .collect()
}

#[test]
fn columns_are_those_of_the_contract() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(3, 2);
    let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    writer.append(&parts(plan.runs.iter(), 2)).expect("appended");
    writer.finish().expect("finished");
    assert_eq!(
        columns(&read(&dir, "trials.parquet")),
        [
            "trial u32",
            "param.model.C f64",
            "param.train.solver str",
            "mean_val_log_loss f64",
            "std_val_log_loss f64",
            "se_val_log_loss f64",
            "mean_train_log_loss f64",
            "mean_val_roc_auc f64",
            "std_val_roc_auc f64",
            "se_val_roc_auc f64",
            "mean_train_roc_auc f64",
            "rank u32",
            "state str",
            "rung u32",
            "n_runs u32",
            "n_failed u32",
            "selected bool",
        ]
    );
    assert_eq!(
        columns(&read(&dir, "runs.parquet")),
        [
            "run str",
            "trial u32",
            "fold u32",
            "repeat u32",
            "restart u32",
            "state str",
            "reason str",
            "converged bool",
            "epochs u32",
            "best_epoch u32",
            "first_pass u32",
            "rung u32",
            "objective f64",
            "grad_norm f64",
            "l1 f64",
            "l2 f64",
            "n_train i64",
            "n_val i64",
            "train_log_loss f64",
            "train_roc_auc f64",
            "val_log_loss f64",
            "val_roc_auc f64",
            "seconds f64",
        ]
    );
    assert_eq!(
        columns(&read(&dir, "history.parquet")),
        ["run str", "epoch u32", "split str", "metric str", "value f64"]
    );
    assert_eq!(
        columns(&read(&dir, "coefficients.parquet")),
        [
            "run str",
            "feature str",
            "coefficient f64",
            "coefficient_standardized f64"
        ]
    );
    assert_eq!(
        columns(&read(&dir, "plan.parquet")),
        [
            "run str",
            "trial u32",
            "fold u32",
            "fold_label str",
            "repeat u32",
            "restart u32",
            "cohort u32",
            "block u32",
            "param.model.C f64",
            "param.train.solver str",
        ]
    );
}

#[test]
fn infinite_c_and_missing_cells_are_what_they_are() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let plan = plan(2, 2);
    let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    writer.append(&parts(plan.runs[..2].iter(), 1)).expect("appended");
    let failed = plan.runs[2..].iter().map(|run| RunRecord {
        run: run.run,
        state: RunState::Failed,
        val: vec![("log_loss".into(), f64::NAN)],
        ..RunRecord::default()
    });
    let failed = Part {
        runs: failed.collect(),
        ..Part::default()
    };
    writer.append(&failed).expect("appended");
    writer.finish().expect("finished");
    let trials = read(&dir, "trials.parquet");
    let c = trials.column("param.model.C").expect("a column");
    assert_eq!(c.f64().expect("floats").get(0), Some(f64::INFINITY));
    let loss = trials.column("mean_val_log_loss").expect("a column");
    assert_eq!(loss.f64().expect("floats").get(1), None);
    let runs = read(&dir, "runs.parquet");
    for name in ["val_log_loss", "reason", "objective", "best_epoch"] {
        assert_eq!(runs.column(name).expect("a column").null_count(), 2, "{name}");
    }
}

#[test]
fn rows_come_in_one_order_whatever_order_the_runs_ended_in() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let plan = plan(3, 3);
    let mut orders: Vec<Vec<usize>> = vec![(0..9).collect(), (0..9).rev().collect()];
    orders.push(vec![4, 8, 0, 3, 7, 2, 6, 1, 5]);
    let mut tables = Vec::new();
    for (index, order) in orders.iter().enumerate() {
        let dir = scratch.path().join(index.to_string());
        let mut writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
        for run in order {
            writer.append(&part(&plan.runs[*run], 2)).expect("appended");
        }
        writer.finish().expect("finished");
        tables.push(["trials", "runs", "history", "coefficients"].map(|name| read(&dir, &format!("{name}.parquet"))));
    }
    assert!(tables[0][2].height() == 3 * 3 * 2 * 2 * 2);
    for other in &tables[1..] {
        for (a, b) in tables[0].iter().zip(other) {
            assert!(a.equals_missing(b));
        }
    }
}

#[test]
fn a_sweep_without_parameters_or_history_has_all_its_tables() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = scratch.path().join("store");
    let mut plan = plan(1, 1);
    plan.params.clear();
    plan.trials[0].params.clear();
    let writer = StoreWriter::create(&dir, &manifest(), "c", "r", &plan).expect("created");
    let written = writer.finish().expect("finished");
    assert_eq!((written.trials, written.runs, written.waiting), (1, 1, 1));
    assert_eq!(read(&dir, "history.parquet").shape(), (0, 5));
    assert_eq!(read(&dir, "coefficients.parquet").shape(), (0, 4));
    let trials = Store::open(&dir).expect("opened").trials().expect("read");
    assert_eq!(trials.rows.len(), 1);
    assert_eq!(trials.selected(), None);
}
