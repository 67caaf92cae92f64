//! Sweeping how rows are dealt and prepared: each way is the sweep that has no other.

use gradsweep_runner::event::Silent;
use gradsweep_runner::resume::{More, ResumeRequest, resume};
use gradsweep_runner::{explain, gradcheck};
use gradsweep_store::{Model, best_model};

use super::{Tables, finished, request, run, tables};

const PREPARED: &str = r#"
[train]
epochs = 12
batch_rows = 64
restarts = 2
init = { kind = "normal", std = 0.3 }
learning_rate = 0.1
[validation]
folds = 3
[sweep.parameters]
preprocess.impute = ["mean", "zero"]
preprocess.one_hot.min_frequency = [1, 60]
train.solver = ["sgd", "newton"]
train.shuffle = { values = [true, false], when = { "train.solver" = ["sgd"] } }
"#;

/// The tables of the trials for which `is_wanted` holds, as those of a sweep of nothing else: trials numbered from 0.
fn of_trials(all: &Tables, wanted: &[u32]) -> Tables {
    let own: Vec<usize> = (0..all.0.len()).filter(|&i| wanted.contains(&all.0[i].trial)).collect();
    let renumbered = own.iter().map(|&i| {
        let mut run = all.0[i].clone();
        let number = wanted.iter().position(|trial| *trial == run.trial);
        run.trial = number.expect("one of them") as u32;
        run
    });
    (
        renumbered.collect(),
        own.iter().map(|&i| all.1[i].clone()).collect(),
        own.iter().map(|&i| all.2[i].clone()).collect(),
    )
}

#[test]
fn each_way_of_preparing_rows_gives_what_it_gives_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), PREPARED, &["run.threads=2"]));
    assert_eq!((summary.trials, summary.runs), (12, 12 * 3 * 2));
    let all = tables(&store);
    let trials = store.trials().expect("trials");
    let mut losses = Vec::new();
    for (impute, min_frequency) in [("mean", 1), ("mean", 60), ("zero", 1), ("zero", 60)] {
        let alone = tempfile::tempdir().expect("a temporary directory");
        let sets = [
            &*format!("sweep.parameters.preprocess.impute=[\"{impute}\"]"),
            &*format!("sweep.parameters.preprocess.one_hot.min_frequency=[{min_frequency}]"),
        ];
        let (_, own) = finished(&request(alone.path(), PREPARED, &sets));
        let mut wanted: Vec<u32> = trials
            .rows
            .iter()
            .filter(|row| {
                let has = |path: &str, text: &str| {
                    let place = trials.params.iter().position(|param| param == path).expect("swept");
                    row.params[place].to_string() == text
                };
                has("preprocess.impute", impute) && has("preprocess.one_hot.min_frequency", &min_frequency.to_string())
            })
            .map(|row| row.trial)
            .collect();
        wanted.sort_unstable();
        assert!(of_trials(&all, &wanted) == tables(&own), "{impute} {min_frequency}");
        losses.extend(
            all.0
                .iter()
                .filter(|run| wanted.contains(&run.trial) && run.fold == 0 && run.restart == 0)
                .filter_map(|run| run.record.as_ref()?.val_score("log_loss"))
                .map(f64::to_bits),
        );
    }
    losses.sort_unstable();
    losses.dedup();
    assert_eq!(losses.len(), 12, "no two trials are the same");
}

#[test]
fn the_model_and_the_predictions_are_prepared_as_the_selected_trial() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), PREPARED, &[]));
    let best = summary.best.expect("a trial was selected");
    let model = Model::read(&best_model(store.dir())).expect("a model");
    assert_eq!(
        model.info.keys["preprocess.impute"], best.params["preprocess.impute"],
        "the refit took the selected trial's imputation"
    );
    let predictions = store.predictions().expect("a table").expect("predictions");
    assert!(predictions.trial.iter().all(|trial| *trial == best.trial));
    let explained = explain::explain(store.dir(), "best", 1).expect("an explanation");
    let probability = explained.example.a;
    let row = predictions.row.iter().position(|row| *row == 0).expect("row 1");
    // The explained run is one of two restarts, so that it is near their mean and not equal to it.
    assert!((probability - predictions.prob[row]).abs() < 0.05);
}

#[test]
fn a_sweep_is_extended_by_other_ways_to_prepare_its_rows() {
    let (whole, cut) = (
        tempfile::tempdir().expect("a temporary directory"),
        tempfile::tempdir().expect("a temporary directory"),
    );
    let (_, expected) = finished(&request(whole.path(), PREPARED, &[]));
    let first = ["sweep.parameters.preprocess.impute=[\"mean\"]"];
    finished(&request(cut.path(), PREPARED, &first));
    let (extended, store) = finished(&request(cut.path(), PREPARED, &[]));
    assert_eq!(extended.trials, 12);
    let sorted = |mut tables: Tables| {
        tables.0.sort_by_key(|run| run.run);
        tables
            .0
            .into_iter()
            .map(|run| (run.run, run.record))
            .collect::<Vec<_>>()
    };
    assert!(sorted(tables(&store)) == sorted(tables(&expected)));
}

#[test]
fn runs_of_every_preparation_go_on_until_they_converge() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let sets = [
        "sweep.parameters.train.solver=[\"sgd\", \"lbfgs\"]",
        "train.epochs=3",
        "run.precision=f64",
    ];
    let (short, store) = finished(&request(dir.path(), PREPARED, &sets));
    assert!(short.unconverged > 0, "three epochs are too few");
    let request = ResumeRequest {
        store: store.dir().to_path_buf(),
        threads: None,
        more: Some(More::UntilConverged),
        retry_failed: false,
    };
    let summary = resume(&request, &Silent, &|_, _| ()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(summary.unconverged, 0);
}

#[test]
fn what_stops_one_preparation_stops_the_sweep_before_it_trains() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let error = run(&request(
        dir.path(),
        PREPARED,
        &["sweep.parameters.preprocess.impute=[\"mean\", \"error\"]"],
    ))
    .expect_err("a column has gaps");
    assert!(error.to_string().contains("age"), "{error}");
    assert!(!dir.path().join("store").exists(), "nothing was written");
}

#[test]
fn gradients_are_checked_under_every_preparation() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let check = gradcheck::gradcheck(&request(dir.path(), PREPARED, &[])).expect("a check");
    assert!(check.passed());
    // Four ways to preprocess, two of them dealt in two ways, in three folds.
    assert_eq!(check.folds.len(), 8 * 3);
    let words: std::collections::BTreeSet<_> = check.folds.iter().map(|fold| &fold.preparation).collect();
    assert_eq!(words.len(), 8);
}
