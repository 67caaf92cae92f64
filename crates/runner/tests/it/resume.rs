//! Going on with a sweep: missing runs, and runs that had their epochs before they converged.

use std::collections::BTreeMap;
use std::path::Path;

use gradsweep_runner::event::Silent;
use gradsweep_runner::resume::{More, ResumeRequest, resume};
use gradsweep_runner::summary::SweepSummary;
use gradsweep_store::{Reason, RunId, RunState, Store, best_model};

use super::{PRODUCTS, Tables, finished, request, run, tables};
use std::sync::PoisonError;

/// Some of its runs converge in three epochs, most do not; the first-order ones have no certificate.
const SHORT: &str = r#"
[train]
tol = 1e-8
epochs = 3
batch_rows = 200
[validation]
folds = 3
[run]
precision = "f64"
[sweep.parameters]
train.solver = ["lbfgs", "newton", "adam"]
model.C = [1e-6, 0.1, 10.0]
model.l1_ratio = [0.0, 0.5]
"#;

fn go_on(store: &Path, more: Option<More>) -> SweepSummary {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let request = ResumeRequest {
        store: store.to_path_buf(),
        threads: Some(1),
        more,
        retry_failed: false,
    };
    resume(&request, &Silent, &|_, _| ()).unwrap_or_else(|error| panic!("{error}"))
}

/// Standardized coefficients by trial, fold and feature.
fn coefficients((runs, _, coefficients): &Tables) -> BTreeMap<(u32, u32, String), f64> {
    runs.iter()
        .zip(coefficients)
        .flat_map(|(run, rows)| {
            rows.iter().map(|row| {
                let key = (run.trial, run.fold, row.feature.to_string());
                (key, row.coefficient_standardized)
            })
        })
        .collect()
}

#[test]
fn runs_go_on_to_where_a_long_sweep_ends() {
    let (dir, long_dir) = (
        tempfile::tempdir().expect("scratch"),
        tempfile::tempdir().expect("scratch"),
    );
    let (short, store) = finished(&request(dir.path(), SHORT, &[]));
    let before = tables(&store);
    assert!(short.resumable.runs > 20 && short.resumable.runs < 36, "{short:?}");
    assert_eq!(
        short.unconverged, short.resumable.runs,
        "steps on batches are not counted"
    );
    assert!(short.resumable.named[0].starts_with("trial "));
    let ids: Vec<RunId> = before.0.iter().map(|run| run.run).collect();

    let after = go_on(store.dir(), Some(More::UntilConverged));
    let continued = after.continued.clone().expect("runs went on");
    assert_eq!(
        (continued.runs, continued.converged, continued.stuck, continued.failed),
        (short.resumable.runs, short.resumable.runs, 0, 0)
    );
    assert_eq!((after.unconverged, continued.first_order), (0, 18));
    let now = tables(&store);
    let (_, long) = finished(&request(long_dir.path(), SHORT, &["train.epochs=3000"]));
    let (own, wanted) = (coefficients(&now), coefficients(&tables(&long)));
    for (place, run) in now.0.iter().enumerate() {
        assert_eq!(run.run, ids[place]);
        let record = run.record.as_ref().expect("recorded");
        let old = before.0[place].record.as_ref().expect("recorded");
        let is_first_order = run.trial >= 12;
        if old.converged || is_first_order {
            assert!(record == old && now.1[place] == before.1[place] && now.2[place] == before.2[place]);
            continue;
        }
        assert!(record.converged && record.reason == Some(Reason::Tol) && record.state == RunState::Complete);
        assert!(
            record.epochs > 3 && record.grad_norm.expect("certified") <= 1e-8,
            "{record:?}"
        );
        assert!(
            record
                .objective
                .zip(old.objective)
                .is_some_and(|(own, old)| own <= old + 1e-12)
        );
        assert!(record.val_score("log_loss").is_some() && record.val_score("roc_auc").is_some());
        // The history goes on where it had stopped.
        let (first, last) = (now.1[place].first(), now.1[place].last());
        assert_eq!(now.1[place][..before.1[place].len()], before.1[place][..]);
        assert_eq!(
            (first.map(|row| row.epoch), last.map(|row| row.epoch)),
            (Some(1), Some(record.epochs))
        );
    }
    for (key, value) in own.iter().filter(|((trial, ..), _)| *trial < 12) {
        assert!((value - wanted[key]).abs() <= 1e-6, "{key:?}: {value} {}", wanted[key]);
    }

    let again = go_on(store.dir(), Some(More::UntilConverged));
    assert!(again.nothing_to_do && again.epochs_trained == 0);
    assert_eq!(again.continued.map(|continued| continued.first_order), Some(18));
    assert!(go_on(store.dir(), None).nothing_to_do);
    assert!(
        run(&request(dir.path(), SHORT, &[]))
            .expect("the same sweep")
            .nothing_to_do
    );
    assert!(tables(&store) == now);
}

/// What the model of a sweep is, whichever way its selected trial became the best.
#[test]
fn the_model_goes_as_far_as_its_trial() {
    let body = SHORT
        .replace("\"lbfgs\", \"newton\", \"adam\"", "\"lbfgs\"")
        .replace("batch_rows = 200\n", "");
    let model = |epochs: &str, more: Option<More>| {
        let dir = tempfile::tempdir().expect("scratch");
        let (summary, store) = finished(&request(dir.path(), &body, &[epochs]));
        if more.is_some() {
            go_on(store.dir(), more);
        }
        let model = gradsweep_store::Model::read(&best_model(&summary.store)).expect("a model");
        let selected = store.trials().expect("trials").selected().map(|row| row.trial);
        (selected, model)
    };
    let (selected, own) = model("train.epochs=3", Some(More::UntilConverged));
    let (expected, wanted) = model("train.epochs=3000", None);
    assert_eq!(selected, expected);
    let pairs = own.numbers.coefficients.iter().zip(&wanted.numbers.coefficients);
    assert!(pairs.clone().count() > 0);
    for (own, wanted) in pairs {
        assert!((own - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "{own} {wanted}");
    }
    let mean = |model: &gradsweep_store::Model| model.info.metrics.val["log_loss"].mean.expect("scored");
    let (own, wanted) = (mean(&own), mean(&wanted));
    assert!(
        (own - wanted).abs() < 1e-8,
        "not those of the runs as they are now: {own} {wanted}"
    );
}

#[test]
fn a_few_epochs_more_are_a_few_epochs_more() {
    let dir = tempfile::tempdir().expect("scratch");
    let (short, store) = finished(&request(dir.path(), SHORT, &[]));
    let after = go_on(store.dir(), Some(More::Epochs(2)));
    let continued = after.continued.expect("runs went on");
    assert_eq!(continued.stuck, 0, "two epochs prove nothing");
    assert!(after.resumable.runs > 0 && after.resumable.runs + continued.converged == short.resumable.runs);
    let runs = store.runs().expect("runs");
    let left = runs.iter().filter_map(|run| run.record.as_ref());
    let left = left.filter(|record| !record.converged && record.grad_norm.is_some());
    assert!(left.clone().any(|record| record.epochs == 5));
    for record in left {
        assert!(record.epochs == 5 || record.epochs == 3, "{record:?}");
    }
    // A kill after the records and before the tables: what is read is the new, and the tables are made again.
    let now = tables(&store);
    for name in ["trials", "runs", "history", "coefficients"] {
        std::fs::remove_file(store.dir().join(format!("{name}.parquet"))).expect("it was there");
    }
    assert!(tables(&Store::open(store.dir()).expect("a store")) == now);
    assert_eq!(go_on(store.dir(), None).epochs_trained, 0);
    assert!(tables(&store) == now && store.dir().join("trials.parquet").exists());
}

/// A part that is lost is trained again by the store's own settings, wherever the directory lies now.
#[test]
fn what_is_missing_is_trained_by_the_stored_settings() {
    let dir = tempfile::tempdir().expect("scratch");
    let (_, store) = finished(&request(dir.path(), SHORT, &["run.seed=7"]));
    let before = tables(&store);
    let moved = dir.path().join("moved");
    std::fs::rename(store.dir(), &moved).expect("renamed");
    let config = std::fs::read(moved.join("config.toml")).expect("written");
    let resolved = std::fs::read(moved.join("resolved.toml")).expect("written");
    std::fs::remove_file(moved.join("parts/00001.parquet")).expect("a part");
    let again = go_on(&moved, None);
    assert!(!again.nothing_to_do && again.epochs_trained > 0 && again.runs == 54);
    assert!(tables(&Store::open(&moved).expect("a store")) == before);
    assert!(!store.dir().exists());
    assert_eq!(std::fs::read(moved.join("config.toml")).expect("written"), config);
    assert_eq!(std::fs::read(moved.join("resolved.toml")).expect("written"), resolved);
}

/// The runs of each repeat go on upon the rows of their own folds.
#[test]
fn runs_of_every_repeat_go_on() {
    let (dir, long_dir) = (
        tempfile::tempdir().expect("scratch"),
        tempfile::tempdir().expect("scratch"),
    );
    let body = SHORT
        .replace("folds = 3", "folds = 3\nrepeats = 2")
        .replace("\"newton\", ", "");
    let (short, store) = finished(&request(dir.path(), &body, &[]));
    let before = tables(&store).0;
    let after = go_on(store.dir(), Some(More::UntilConverged));
    let continued = after.continued.expect("runs went on");
    assert_eq!(
        (continued.runs, continued.converged, continued.first_order),
        (short.resumable.runs, short.resumable.runs, 36)
    );
    let (_, long) = finished(&request(long_dir.path(), &body, &["train.epochs=3000"]));
    let (own, wanted) = (tables(&store), tables(&long));
    let mut went_on = [0, 0];
    for (place, run) in own.0.iter().enumerate().filter(|(_, run)| run.trial < 6) {
        let is_new = run.record != before[place].record;
        went_on[run.repeat as usize] += usize::from(is_new);
        // The ids differ with the epochs; the places in the plan do not.
        let place_of = |run: &gradsweep_store::RunRow| (run.trial, run.fold, run.repeat, run.restart);
        assert_eq!(place_of(run), place_of(&wanted.0[place]));
        for (own, wanted) in own.2[place].iter().zip(&wanted.2[place]) {
            let (own, wanted) = (own.coefficient_standardized, wanted.coefficient_standardized);
            assert!((own - wanted).abs() <= 1e-6, "{run:?}: {own} {wanted}");
        }
        let score = |run: &gradsweep_store::RunRow| run.record.as_ref().and_then(|record| record.val_score("log_loss"));
        let (own, wanted) = (score(run).expect("scored"), score(&wanted.0[place]).expect("scored"));
        assert!((own - wanted).abs() <= 1e-6, "{run:?}: {own} {wanted}");
    }
    assert!(went_on.iter().all(|&runs| runs > 0), "{went_on:?}");
    assert_eq!(went_on.iter().sum::<usize>(), continued.runs);
}
