//! Repeats of the folds: each is the sweep on another assignment of the same rows.

use gradsweep_data::{self as data, Dataset};
use gradsweep_runner::dataset::repeat_spec;
use gradsweep_runner::{explain, inference};
use gradsweep_store::{Model, Store, best_model};

use super::{Tables, finished, request, tables};

const REPEATED: &str = r#"
[preprocess]
one_hot = { drop = "first" }
[train]
epochs = 40
batch_rows = 64
restarts = 2
init = { kind = "normal", std = 0.3 }
learning_rate = 0.1
[validation]
folds = 3
repeats = 3
[sweep.parameters]
train.solver = ["sgd", "adam", "newton"]
model.C = [0.1, inf]
"#;

/// The part of the tables that is of one repeat.
fn of_repeat(tables: &Tables, repeat: u32) -> Tables {
    let own: Vec<usize> = (0..tables.0.len()).filter(|&i| tables.0[i].repeat == repeat).collect();
    (
        own.iter().map(|&i| tables.0[i].clone()).collect(),
        own.iter().map(|&i| tables.1[i].clone()).collect(),
        own.iter().map(|&i| tables.2[i].clone()).collect(),
    )
}

#[test]
fn a_repeated_sweep_holds_the_sweep_and_repeats_of_other_folds() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), REPEATED, &["run.threads=2"]));
    assert_eq!((summary.trials, summary.runs), (6, 6 * 3 * 2 * 3));
    let repeated = tables(&store);

    let alone = tempfile::tempdir().expect("a temporary directory");
    let (once, first) = finished(&request(alone.path(), REPEATED, &["validation.repeats=1"]));
    assert_eq!(once.runs * 3, summary.runs);
    assert_eq!(once.null_model, summary.null_model);
    assert!(of_repeat(&repeated, 0) == tables(&first));
    let losses = |repeat: u32| {
        let runs = of_repeat(&repeated, repeat).0;
        let records = runs.iter().filter_map(|run| run.record.as_ref());
        records.map(|record| record.val_score("log_loss")).collect::<Vec<_>>()
    };
    assert!(losses(1).iter().zip(losses(0)).all(|(a, b)| *a != b));
    assert!(losses(1).iter().zip(losses(2)).all(|(a, b)| *a != b));
    let plan = store.plan().expect("plan");
    assert!(
        plan.runs
            .iter()
            .all(|run| run.fold_label == run.fold.to_string() && run.cohort / 2 == run.repeat)
    );

    let other = tempfile::tempdir().expect("a temporary directory");
    let (_, threads) = finished(&request(other.path(), REPEATED, &["run.threads=1"]));
    assert!(tables(&threads) == repeated);
}

#[test]
fn trials_have_a_score_per_fold_and_repeat() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, store) = finished(&request(dir.path(), REPEATED, &["train.epochs=2"]));
    let runs = store.runs().expect("runs");
    for row in store.trials().expect("trials").rows {
        let own: Vec<_> = runs.iter().filter(|run| run.trial == row.trial).collect();
        let folds: Vec<f64> = own
            .chunks(2)
            .map(|restarts| {
                let scores = restarts
                    .iter()
                    .filter_map(|run| run.record.as_ref()?.val_score("log_loss"));
                scores.sum::<f64>() / 2.0
            })
            .collect();
        assert_eq!(folds.len(), 9);
        let mean = folds.iter().sum::<f64>() / 9.0;
        let squares: f64 = folds.iter().map(|score| (score - mean).powi(2)).sum();
        let score = row.scores[0];
        assert!((score.mean_val.expect("validated") - mean).abs() < 1e-12);
        assert!((score.se_val.expect("nine scores") - (squares / 8.0 / 9.0).sqrt()).abs() < 1e-12);
    }
}

#[test]
fn only_missing_repeats_are_trained() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    finished(&request(dir.path(), REPEATED, &["validation.repeats=2"]));
    let (extended, store) = finished(&request(dir.path(), REPEATED, &[]));
    let all = tables(&store);
    let epochs = |tables: &Tables| {
        let records = tables.0.iter().filter_map(|run| run.record.as_ref());
        records.map(|record| u64::from(record.epochs)).sum::<u64>()
    };
    assert_eq!(extended.epochs_trained, epochs(&of_repeat(&all, 2)));

    let fresh = tempfile::tempdir().expect("a temporary directory");
    let (_, whole) = finished(&request(fresh.path(), REPEATED, &[]));
    assert!(tables(&whole) == all);

    // A sweep that was killed lacks a part, here one of the second repeat.
    let mut parts: Vec<_> = std::fs::read_dir(store.dir().join("parts"))
        .expect("parts")
        .map(|entry| entry.expect("readable").path())
        .collect();
    parts.sort();
    assert_eq!(parts.len(), 6);
    std::fs::remove_file(&parts[2]).expect("it was there");
    let (again, store) = finished(&request(dir.path(), REPEATED, &[]));
    assert!(again.epochs_trained > 0 && again.epochs_trained < epochs(&of_repeat(&all, 1)));
    assert!(tables(&store) == all);
    assert!(finished(&request(dir.path(), REPEATED, &[])).0.nothing_to_do);
}

/// Mini-batches depend on the order of the rows, which each repeat deals anew.
#[test]
fn the_model_does_not_depend_on_the_repeats() {
    let model = |repeats: &str| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let one_trial = [
            repeats,
            "sweep.parameters.train.solver=[\"sgd\"]",
            "sweep.parameters.model.C=[1.0]",
        ];
        let (_, store) = finished(&request(dir.path(), REPEATED, &one_trial));
        Model::read(&best_model(store.dir())).expect("a model")
    };
    let (once, often) = (model("validation.repeats=1"), model("validation.repeats=3"));
    assert!(once.numbers == often.numbers && once.info.identity == often.info.identity);
}

/// A run of a later repeat is looked at on its own folds.
#[test]
fn runs_of_a_repeat_are_explained_on_its_rows() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body = REPEATED.replace("epochs = 40", "epochs = 100\ntol = 1e-8");
    let request = request(dir.path(), &body, &[]);
    let (summary, store) = finished(&request);
    let spec = repeat_spec(&request.config, None, 2);
    let data: Dataset<f64> = data::load(&spec).expect("the rows of the sweep");
    let runs = Store::open(&summary.store).expect("a store").runs().expect("runs");
    // The last trial is newton without a penalty.
    let of_fold = |fold: u32| {
        let run = runs
            .iter()
            .find(|run| (run.trial, run.fold, run.repeat) == (5, fold, 2))
            .expect("planned");
        run.run
    };
    for row in 1..=12_u64 {
        let position = data
            .source_row
            .iter()
            .position(|&own| u64::from(own) + 1 == row)
            .expect("a row");
        let fold = data
            .groups
            .iter()
            .position(|group| group.contains(&position))
            .expect("a group");
        for other in 0..3 {
            let explained = explain::explain(&summary.store, &of_fold(other).to_string(), row)
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(explained.run.contains("repeat 2"), "{}", explained.run);
            assert_eq!(explained.row.contains("held out"), other as usize == fold, "row {row}");
        }
    }
    for fold in 0..3 {
        let inferred = inference::infer(&store, of_fold(fold)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((inferred.repeat, inferred.held_out), (2, 200));
    }
}
