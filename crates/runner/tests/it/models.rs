//! The model a sweep ends with: fitted on all rows, the same scores from raw files, complete on its own.

use std::path::Path;
use std::sync::PoisonError;

use gradsweep_data::{self as data, Dataset};
use gradsweep_math::metric::Metric;
use gradsweep_runner::config;
use gradsweep_runner::dataset::load_spec;
use gradsweep_runner::predict;
use gradsweep_runner::refit::{self, RefitRequest};
use gradsweep_runner::sweep::Request;
use gradsweep_store::{Model, Store};

use super::{PRODUCTS, finished, request, run};

/// The columns of a CSV of predictions, as numbers where they are.
fn read(path: &Path) -> (Vec<String>, Vec<f64>) {
    let text = std::fs::read_to_string(path).expect("predictions");
    let cells = text.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let label = cells.next().expect("a label").to_owned();
        let positive: f64 = cells.nth(1).expect("two probabilities").parse().expect("a number");
        (label, positive)
    });
    cells.unzip()
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Flights have numbers, gaps, a boolean, levels, rare ones and a date. With nothing held out the sweep's one run is the refit.
#[test]
fn predictions_of_the_training_file_equal_the_stored_coefficients() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let flights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/flights.parquet");
    let text = format!(
        "version = 1\n[data]\ntrain = {:?}\ntarget = \"late\"\ntypes = {{ month = \"categorical\" }}\n\
         [preprocess]\nindicator = true\none_hot = {{ min_frequency = 300 }}\n[train]\nsolver = \"adam\"\nepochs = 1\n\
         [validation]\nstrategy = \"none\"\n[run]\nprecision = \"f64\"\n[output]\ndir = {:?}\n",
        flights.display().to_string(),
        dir.path().join("store").display().to_string()
    );
    let config = config::parse(&text, "t.toml", "t", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let (summary, store) = finished(&Request {
        config: config.clone(),
        text,
        rows: None,
    });
    assert!(summary.seconds.refit > 0.0);
    let folder = summary.model.expect("a model");

    // Every level as a column of its own, whatever the sweep stored.
    let mut spec = load_spec(&config, None);
    spec.encode.one_hot.sparse_above = usize::MAX;
    let loaded: Dataset<f64> = data::load(&spec).expect("flights");
    let runs = store.runs().expect("runs");
    let coefficients = store.coefficients(runs[0].run).expect("coefficients");
    let names: Vec<&str> = loaded
        .encoding
        .features
        .iter()
        .map(|feature| feature.name.as_str())
        .collect();
    let mut weights = vec![0.0; names.len()];
    let mut intercept = 0.0;
    for row in &coefficients {
        match names.iter().position(|name| *name == &*row.feature) {
            Some(feature) => weights[feature] = row.coefficient_standardized,
            None => intercept = row.coefficient_standardized,
        }
    }
    let (encoding, fold) = (&loaded.encoding, &loaded.encoding.folds[0]);
    let offset: f64 = weights.iter().zip(&fold.offset).map(|(w, offset)| w * offset).sum();
    let mut expected = vec![0.0; loaded.y.len()];
    for (stored, &row) in loaded.x.view().rows().into_iter().zip(&loaded.source_row) {
        let links = encoding.links.iter().zip(&fold.factor);
        let linked: f64 = links
            .map(|(link, factor)| factor * weights[link.feature] * stored[link.raw])
            .sum();
        expected[row as usize] = sigmoid(intercept + offset + linked);
    }

    let out = dir.path().join("scores.csv");
    let done = predict::predict(&folder, &[flights.display().to_string()], &out).expect("predicted");
    assert_eq!(done.applied.rows as usize, loaded.y.len());
    let (labels, probabilities) = read(&out);
    let mut largest = 0.0_f64;
    for ((label, found), expected) in labels.iter().zip(&probabilities).zip(&expected) {
        largest = largest.max((found - expected).abs());
        assert_eq!(label == "yes", *found > 0.5);
    }
    assert!(labels.len() == expected.len() && largest < 1e-9, "{largest}");

    // The scores of the refit itself, from its own matrix and by evaluating the file.
    let evaluation = predict::evaluate(&summary.store, &[flights.display().to_string()]).expect("evaluated");
    let model = Model::read(&folder).expect("a model");
    assert_eq!(evaluation.metrics.len(), Metric::ALL.len());
    for (name, value) in &model.info.metrics.train {
        let found = evaluation
            .metrics
            .iter()
            .find(|(own, _)| own == name)
            .and_then(|(_, value)| *value);
        let (found, value) = (found.expect("defined"), value.expect("defined"));
        assert!((found - value).abs() < 1e-9, "{name} {found} {value}");
    }
}

const SMALL: &str = r#"
[train]
epochs = 5
solver = "sgd"
restarts = 3
init = { kind = "normal", std = 0.5 }
[validation]
folds = 3
[metrics]
report = ["log_loss", "roc_auc"]
[sweep.parameters]
model.C = [0.01, 0.1, 1.0, 10.0]
train.learning_rate = [0.1]
"#;

#[test]
fn a_sweep_ends_with_a_model_and_makes_a_lost_one_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let asked = request(dir.path(), SMALL, &[]);
    let (first, store) = finished(&asked);
    let folder = first.model.clone().expect("a model");
    assert_eq!(folder, store.dir().join("models/best"));
    let model = Model::read(&folder).expect("readable");
    let best = first.best.expect("selected");
    assert_eq!((model.info.trial, model.info.rows), (best.trial, 600));
    assert_eq!(model.info.metrics.val["log_loss"].mean, best.mean_val);

    let again = run(&asked).expect("finished");
    assert!(again.nothing_to_do && again.model.as_ref() == Some(&folder));
    std::fs::remove_dir_all(&folder).expect("removed");
    let again = run(&asked).expect("finished");
    assert!(!again.nothing_to_do && again.epochs_trained == 0);
    assert_eq!(Model::read(&folder).expect("made again"), model);

    let none = request(
        dir.path(),
        SMALL,
        &["output.save_models=none", "output.if_exists=replace"],
    );
    let (summary, _) = finished(&none);
    assert!(summary.model.is_none() && !folder.exists());
}

#[test]
fn the_restart_with_the_lowest_objective_is_the_model() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body = SMALL.replace("folds = 3", "strategy = \"none\"");
    let (summary, store) = finished(&request(dir.path(), &body, &["sweep.parameters.model.C=[1.0]"]));
    let runs = store.runs().expect("runs");
    let objective = |run: &&gradsweep_store::RunRow| run.record.as_ref().and_then(|record| record.objective);
    let best = runs
        .iter()
        .min_by(|a, b| objective(a).partial_cmp(&objective(b)).expect("finished"))
        .expect("three restarts");
    let model = Model::read(&summary.model.expect("a model")).expect("readable");
    let coefficients = store.coefficients(best.run).expect("coefficients");
    for (name, weight) in model.info.features.iter().zip(&model.numbers.coefficients) {
        let row = coefficients.iter().find(|row| *row.feature == **name);
        assert_eq!(row.map_or(0.0, |row| row.coefficient_standardized), *weight, "{name}");
    }
}

#[test]
fn one_standard_error_selects_a_smaller_c() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (best, _) = finished(&request(dir.path(), SMALL, &[]));
    let would = best.one_se.expect("C is swept");
    let sets = ["sweep.select=1se", "output.if_exists=replace"];
    let (summary, store) = finished(&request(dir.path(), SMALL, &sets));
    let chosen = summary.best.expect("selected");
    assert_eq!(chosen.trial, would.trial);
    assert_eq!(
        store.trials().expect("trials").selected().map(|row| row.trial),
        Some(would.trial)
    );
    assert_eq!(
        Model::read(&summary.model.expect("a model"))
            .expect("readable")
            .info
            .trial,
        would.trial
    );
    assert!(chosen.params["model.C"].as_f64() <= best.best.expect("selected").params["model.C"].as_f64());
}

#[test]
fn a_test_file_is_scored_once_and_kept() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let plain = request(dir.path(), SMALL, &[]);
    let test = format!("data.test={:?}", dir.path().join("table.csv").display().to_string());
    let asked = request(dir.path(), SMALL, &[&test]);
    let (summary, _) = finished(&asked);
    let scores = summary.test.expect("scored");
    assert_eq!(scores.rows, 600);
    let evaluation = predict::evaluate(&summary.store, &asked.config.data.test).expect("evaluated");
    for (name, value) in &scores.metrics {
        assert!(
            evaluation
                .metrics
                .iter()
                .any(|(own, found)| own == name && found == value),
            "{name}"
        );
    }
    assert_eq!(scores.metrics.keys().collect::<Vec<_>>(), ["log_loss", "roc_auc"]);
    assert_eq!(run(&asked).expect("finished").test, Some(scores));
    assert_eq!(run(&plain).expect("finished").test, None);

    let lacking = dir.path().join("lacking.csv");
    std::fs::write(&lacking, "age,late\n1,yes\n").expect("written");
    let test = format!("data.test={:?}", lacking.display().to_string());
    let error = run(&request(dir.path(), SMALL, &[&test])).expect_err("columns are missing");
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("\"income\""), "{error}");
}

#[test]
fn a_trial_is_fitted_on_other_rows() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, _) = finished(&request(dir.path(), SMALL, &[]));
    let text = super::table(900);
    let new = dir.path().join("new.csv");
    std::fs::write(&new, &text).expect("written");
    let refit = |trial| {
        let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
        refit::refit(&RefitRequest {
            store: summary.store.clone(),
            trial,
            data: vec![new.display().to_string()],
            out: None,
        })
    };
    let refitted = refit(Some(1)).expect("refitted");
    assert_eq!((refitted.trial, refitted.rows), (1, 900));
    assert_eq!(refitted.model, summary.store.join("models/trial-1"));
    let model = Model::read(&refitted.model).expect("readable");
    assert_eq!((model.info.rows, model.info.trial), (900, 1));
    let best = summary.best.as_ref().expect("selected").trial;
    assert_eq!(refit(None).expect("refitted").trial, best);
    let error = refit(Some(9)).expect_err("no such trial");
    assert!(error.to_string().contains("there is no trial 9"), "{error}");
    assert_eq!(
        Store::open(&summary.store)
            .expect("a store")
            .trials()
            .expect("trials")
            .rows
            .len(),
        4
    );
}
