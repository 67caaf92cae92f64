//! Sweeps from config text to store, on small data made here.

#[path = "it/c_path.rs"]
mod c_path;
#[path = "it/checkpoints.rs"]
mod checkpoints;
#[path = "it/converging.rs"]
mod converging;
mod golden;
#[path = "it/isolation.rs"]
mod isolation;
#[path = "it/leaks.rs"]
mod leaks;
#[path = "it/lost.rs"]
mod lost;
#[path = "it/models.rs"]
mod models;
#[path = "it/more_epochs.rs"]
mod more_epochs;
#[path = "it/oof.rs"]
mod oof;
#[path = "it/preparations.rs"]
mod preparations;
#[path = "it/repeats.rs"]
mod repeats;
#[path = "it/resume.rs"]
mod resume;
#[path = "it/rungs.rs"]
mod rungs;
#[path = "it/sparse.rs"]
mod sparse;
#[path = "it/stopping.rs"]
mod stopping;
#[path = "it/tpe.rs"]
mod tpe;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use gradsweep_math::blas;
use gradsweep_runner::config;
use gradsweep_runner::event::{Event, Observer, Silent};
use gradsweep_runner::summary::SweepSummary;
use gradsweep_runner::sweep::{self, Request};
use gradsweep_runner::{RunError, explain, gradcheck};
use gradsweep_store::{CoefficientRow, HistoryRow, Reason, RunRow, RunState, Store};

/// The counter of products is one for the process: the test that reads it runs alone.
static PRODUCTS: RwLock<()> = RwLock::new(());

/// A number in 0..1 that looks random and is the same everywhere.
fn noise(seed: u64) -> f64 {
    let hash = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((hash ^ (hash >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A table with numeric, boolean and categorical columns, gaps, a constant column and a fold column.
fn table(rows: u64) -> String {
    let mut text = "age,income,city,member,always,part,late\n".to_owned();
    for i in 0..rows {
        let draw = |column: u64| noise(i * 16 + column);
        let (age, income) = (20.0 + 50.0 * draw(0), 1e4 * draw(1));
        let city = ["Oslo", "Rome", "Lima", "Quito"][(draw(2) * 3.2) as usize];
        let member = draw(3) > 0.5;
        let z =
            (age - 45.0) / 12.0 - income / 4e3 + f64::from(u8::from(member)) + if city == "Rome" { 0.8 } else { 0.0 };
        let late = draw(4) < 1.0 / (1.0 + (-z).exp());
        let age = if draw(5) < 0.1 { String::new() } else { format!("{age}") };
        let city = if draw(6) < 0.05 { "" } else { city };
        text += &format!(
            "{age},{income},{city},{member},7,{},{}\n",
            i % 3,
            if late { "yes" } else { "no" }
        );
    }
    text
}

/// A directory with the table, and a config of `body` on it.
fn request(dir: &Path, body: &str, sets: &[&str]) -> Request {
    let data = dir.join("table.csv");
    if !data.exists() {
        std::fs::write(&data, table(600)).expect("the temporary directory is writable");
    }
    let text = format!(
        "version = 1\n[data]\ntrain = {:?}\ntarget = \"late\"\nexclude = [\"part\"]\n{body}\n[output]\ndir = {:?}\n",
        data.display().to_string(),
        dir.join("store").display().to_string()
    );
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let config = config::parse(&text, "test.toml", "test", &sets).unwrap_or_else(|problems| panic!("{problems}"));
    Request {
        config,
        text,
        rows: None,
    }
}

fn run(request: &Request) -> Result<SweepSummary, RunError> {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    sweep::run(request, &Silent, &|_, _| ())
}

fn finished(request: &Request) -> (SweepSummary, Store) {
    let summary = run(request).unwrap_or_else(|error| panic!("{error}"));
    let store = Store::open(&summary.store).expect("the sweep has just written it");
    (summary, store)
}

/// Everything a sweep says, without times.
type Tables = (Vec<RunRow>, Vec<Vec<HistoryRow>>, Vec<Vec<CoefficientRow>>);

fn tables(store: &Store) -> Tables {
    let mut runs = store.runs().expect("runs");
    for record in runs.iter_mut().filter_map(|run| run.record.as_mut()) {
        record.seconds = 0.0;
    }
    let history = runs
        .iter()
        .map(|run| store.history(run.run).expect("history"))
        .collect();
    let coefficients = runs
        .iter()
        .map(|run| store.coefficients(run.run).expect("coefficients"))
        .collect();
    (runs, history, coefficients)
}

const SWEEP: &str = r#"
[train]
epochs = 6
batch_rows = 64
restarts = 2
init = { kind = "normal", std = 0.3 }
solver = "sgd"
[validation]
folds = 3
[metrics]
report = ["log_loss", "roc_auc", "accuracy"]
[sweep.parameters]
train.solver = ["sgd", "adam", "adamw", "adagrad", "rmsprop"]
train.learning_rate = [0.01, 0.1]
model.C = [0.01, 1.0, inf]
"#;

#[test]
fn a_sweep_fills_its_store() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), SWEEP, &[]));
    assert_eq!((summary.trials, summary.runs, summary.failed), (30, 180, 0));
    let best = summary.best.expect("a trial is selected");
    let null = summary.null_model.expect("log loss of the rate");
    assert!(best.mean_val.expect("validated") < null - 0.05, "{best:?} {null}");
    assert!(best.se_val.is_some() && best.metrics["roc_auc"].expect("scored") > 0.7);
    let (runs, history, coefficients) = tables(&store);
    for (run, (history, coefficients)) in runs.iter().zip(history.iter().zip(&coefficients)) {
        let record = run.record.as_ref().expect("finished");
        assert_eq!(
            (record.state, record.reason, record.epochs),
            (RunState::Complete, Some(Reason::MaxEpochs), 6)
        );
        assert_eq!((record.n_train, record.n_val), (400, 200));
        // Six epochs of two free metrics, the area once, and the training scores once.
        assert_eq!(history.len(), 6 * 2 + 1 + 2);
        assert_eq!(coefficients.last().map(|row| &*row.feature), Some("(intercept)"));
        let constant = coefficients
            .iter()
            .find(|row| &*row.feature == "always")
            .expect("a constant column is there");
        assert_eq!(constant.coefficient, 0.0);
    }
}

#[test]
fn tables_do_not_depend_on_threads() {
    let tables_with = |threads: &str| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        tables(&finished(&request(dir.path(), SWEEP, &[&format!("run.threads={threads}")])).1)
    };
    let one = tables_with("1");
    for threads in ["1", "2", "4"] {
        assert!(tables_with(threads) == one, "{threads} threads");
    }
}

#[test]
fn full_batches_do_not_depend_on_threads_and_converge() {
    let body = "[train]\nsolver = \"gd\"\nlearning_rate = 1.0\nepochs = 2000\ntol = 1e-4\n[validation]\nfolds = 3\n\
                [run]\nprecision = \"f64\"\n[sweep.parameters]\nmodel.C = [0.01, 0.1, 1.0]\n";
    let with = |threads: &str| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        tables(&finished(&request(dir.path(), body, &[&format!("run.threads={threads}")])).1)
    };
    let one = with("1");
    assert!(with("3") == one);
    for run in &one.0 {
        let record = run.record.as_ref().expect("finished");
        assert!(record.converged && record.reason == Some(Reason::Tol), "{record:?}");
        assert!(record.grad_norm.expect("certified") <= 1e-4 && record.epochs < 2000);
    }
}

/// Each run of a sweep against the same run trained alone, from the config down.
#[test]
fn a_run_alone_takes_the_steps_it_takes_in_a_sweep() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body = SWEEP.replace("restarts = 2", "restarts = 1");
    let (_, store) = finished(&request(dir.path(), &body, &["run.precision=f64"]));
    let plan = store.plan().expect("plan");
    for trial in [0usize, 7, 16, 29] {
        let alone = tempfile::tempdir().expect("a temporary directory");
        std::fs::copy(dir.path().join("table.csv"), alone.path().join("table.csv")).expect("copied");
        let params = plan.params.iter().zip(&plan.trials[trial].params);
        let sets: Vec<String> = params.map(|(path, value)| format!("{path}={value}")).collect();
        let sets: Vec<&str> = sets.iter().map(String::as_str).chain(["run.precision=f64"]).collect();
        let single = body
            .split("[sweep.parameters]")
            .next()
            .expect("the part before")
            .to_owned();
        let (_, own) = finished(&request(alone.path(), &single, &sets));
        for run in own.runs().expect("runs") {
            let twin = plan
                .runs
                .iter()
                .find(|twin| twin.trial == trial as u32 && twin.fold == run.fold)
                .expect("planned");
            let pairs = store.coefficients(twin.run).expect("coefficients").into_iter();
            for (a, b) in pairs.zip(own.coefficients(run.run).expect("coefficients")) {
                assert_eq!(a.feature, b.feature);
                let (a, b) = (a.coefficient_standardized, b.coefficient_standardized);
                assert!((a - b).abs() <= 1e-9 * a.abs().max(0.1), "trial {trial}: {a} {b}");
            }
        }
    }
}

/// How many products there have been when training begins: those that foresee its time come before.
#[derive(Default)]
struct BeforeTraining(AtomicU64);

impl Observer for BeforeTraining {
    fn observe(&self, event: &Event) {
        if let Event::Planned { .. } = event {
            self.0.store(blas::products(), Ordering::Relaxed);
        }
    }
}

#[test]
fn one_run_and_a_full_block_make_the_same_products() {
    let _alone = PRODUCTS.write().unwrap_or_else(PoisonError::into_inner);
    let products = |parameters: &str| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let body = format!(
            "[train]\nsolver = \"sgd\"\nlearning_rate = 0.1\nbatch_rows = 100\nepochs = 3\n[validation]\n\
             strategy = \"none\"\n[metrics]\nreport = [\"log_loss\"]\n{parameters}"
        );
        let request = request(dir.path(), &body, &["output.save_models=none"]);
        let before = BeforeTraining::default();
        let summary = sweep::run(&request, &before, &|_, _| ()).unwrap_or_else(|error| panic!("{error}"));
        (summary.runs, blas::products() - before.0.load(Ordering::Relaxed))
    };
    let (one, products_of_one) = products("");
    let (many, products_of_many) =
        products("[sweep.parameters]\nmodel.C = { min = 1e-3, max = 1e3, num = 31, log = true }\n");
    assert_eq!((one, many), (1, 31));
    // 6 batches x 3 epochs, forward and backward; one forward product more scores the training rows at the end.
    assert_eq!((products_of_one, products_of_many), (2 * 6 * 3 + 1, 2 * 6 * 3 + 1));
}

#[test]
fn a_diverged_run_is_recorded_and_stops_no_other() {
    for solver in ["sgd", "adam", "gd"] {
        let body = format!(
            "[train]\nsolver = \"{solver}\"\nepochs = 8\n{}[validation]\nfolds = 3\n\
             [sweep.parameters]\ntrain.learning_rate = [0.05, 1e6]\nmodel.C = [1.0, 1e-3]\n",
            if solver == "gd" { "" } else { "batch_rows = 64\n" }
        );
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (summary, store) = finished(&request(dir.path(), &body, &[]));
        assert_eq!((summary.runs, summary.failed), (12, 6), "{solver}");
        for run in store.runs().expect("runs") {
            let record = run.record.expect("finished");
            let is_wild = run.trial >= 2;
            assert_eq!(record.state == RunState::Failed, is_wild, "{solver} {record:?}");
            assert_eq!(record.reason == Some(Reason::Diverged), is_wild);
            assert!(record.epochs >= 1);
        }
        assert!(
            summary.failures[0].contains("1000000") && summary.failures[0].contains("0.05"),
            "{:?}",
            summary.failures
        );
        let trials = store.trials().expect("trials");
        assert!(trials.rows.iter().all(|trial| trial.is_selected == (trial.rank == 1)));
        assert!(summary.best.expect("one survives").trial < 2);
    }
}

/// Blocks narrow by whole registers when enough of their columns diverge; the others go on.
#[test]
fn a_block_narrows_when_its_columns_diverge() {
    for solver in ["sgd", "gd"] {
        let body = format!(
            "[train]\nsolver = \"{solver}\"\nepochs = 5\n{}[validation]\nstrategy = \"holdout\"\n\
             [sweep.parameters]\ntrain.learning_rate = [0.05, 1e6, 1e7, 1e8]\n\
             model.C = {{ min = 1e-4, max = 1e-3, num = 12, log = true }}\n",
            if solver == "gd" { "" } else { "batch_rows = 64\n" }
        );
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (summary, store) = finished(&request(dir.path(), &body, &[]));
        assert_eq!((summary.runs, summary.failed), (48, 36), "{solver}");
        let survivors = store.runs().expect("runs").into_iter().filter_map(|run| run.record);
        assert!(
            survivors
                .filter(|record| record.state == RunState::Complete)
                .all(|record| record.epochs == 5)
        );
    }
}

#[test]
fn the_same_directory_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, store) = finished(&request(dir.path(), SWEEP, &[]));
    let before = tables(&store);

    let (again, store) = finished(&request(dir.path(), SWEEP, &[]));
    assert!(again.nothing_to_do && again.epochs_trained == 0 && again.runs == 180);
    assert!(tables(&store) == before);

    let wider = SWEEP.replace("model.C = [0.01, 1.0, inf]", "model.C = [0.01, 0.1, 1.0, inf]");
    let (extended, store) = finished(&request(dir.path(), &wider, &[]));
    assert_eq!((extended.runs, extended.epochs_trained), (240, 60 * 6));
    let after = tables(&store);
    for (run, coefficients) in before.0.iter().zip(&before.2) {
        let place = after.0.iter().position(|other| other.run == run.run).expect("kept");
        assert!(after.2[place] == *coefficients);
    }

    for (set, key) in [
        ("train.epochs=5", "train.epochs"),
        ("validation.folds=4", "validation.folds"),
        ("run.seed=1", "run.seed"),
    ] {
        match run(&request(dir.path(), &wider, &[set])) {
            Err(error @ RunError::Changed { .. }) => {
                assert!(error.to_string().contains(key) && error.exit_code() == 2, "{error}");
            }
            other => panic!("{set}: {other:?}"),
        }
    }
    let refused = run(&request(dir.path(), &wider, &["output.if_exists=error"]));
    assert!(matches!(refused, Err(RunError::Exists { .. })));
    let (replaced, _) = finished(&request(dir.path(), SWEEP, &["output.if_exists=replace"]));
    assert_eq!((replaced.runs, replaced.epochs_trained), (180, 180 * 6));
}

#[test]
fn every_strategy_splits_the_rows_it_says() {
    let counts = |validation: &str, exclude: &[&str]| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let body = format!("[train]\nepochs = 2\n{validation}");
        let (summary, store) = finished(&request(dir.path(), &body, exclude));
        let runs = store.runs().expect("runs");
        let sizes: Vec<(u64, u64)> = runs
            .iter()
            .filter_map(|run| run.record.as_ref())
            .map(|record| (record.n_train, record.n_val))
            .collect();
        (summary, sizes)
    };
    assert_eq!(
        counts("[validation]\nstrategy = \"kfold\"\nfolds = 4\n", &[]).1,
        vec![(450, 150); 4]
    );
    assert_eq!(
        counts("[validation]\nstrategy = \"holdout\"\nfraction = 0.25\n", &[]).1,
        vec![(450, 150)]
    );
    let predefined = counts(
        "[validation]\nstrategy = \"predefined\"\n",
        &["data.fold=part", "data.exclude=[]"],
    );
    assert_eq!(predefined.1, vec![(400, 200); 3]);
    let (summary, sizes) = counts("[validation]\nstrategy = \"none\"\n", &[]);
    assert_eq!(sizes, vec![(600, 0)]);
    let best = summary.best.expect("ranked by training scores");
    assert!(best.mean_val.is_none() && best.mean_train.is_some());
    let by_area = ["validation.strategy=none", "sweep.metric=roc_auc"];
    let best = counts("", &by_area)
        .0
        .best
        .expect("ranked by the area on training rows");
    assert!(best.mean_train.is_some_and(|area| area > 0.6));
}

/// A process killed after its last part leaves results without tables: the next run makes them.
#[test]
fn missing_tables_are_made_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), SWEEP, &[]));
    let before = tables(&store);
    for name in ["trials", "runs", "history", "coefficients"] {
        std::fs::remove_file(summary.store.join(format!("{name}.parquet"))).expect("it was there");
    }
    let (again, store) = finished(&request(dir.path(), SWEEP, &[]));
    assert_eq!(again.epochs_trained, 0);
    assert!(tables(&store) == before && again.store.join("trials.parquet").exists());
}

/// Replacing what a fold holds out by noise changes no number of the runs that hold it out.
#[test]
fn held_out_rows_teach_nothing() {
    let body = "[train]\nepochs = 4\nbatch_rows = 50\nsolver = \"adam\"\n[validation]\nstrategy = \"predefined\"\n";
    let sets = ["data.fold=part", "data.exclude=[]", "run.precision=f64"];
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, store) = finished(&request(dir.path(), body, &sets));
    let noisy = tempfile::tempdir().expect("a temporary directory");
    let replaced: Vec<String> = table(600)
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            if cells[5] == "1" {
                let draw = |column: u64| noise(1_000_000 + i as u64 * 8 + column);
                format!(
                    "{},{},Lima,{},7,1,{}",
                    500.0 * draw(0),
                    1e6 * draw(1),
                    draw(2) > 0.9,
                    cells[6]
                )
            } else {
                line.to_owned()
            }
        })
        .collect();
    std::fs::write(noisy.path().join("table.csv"), replaced.join("\n") + "\n").expect("written");
    let (_, other) = finished(&request(noisy.path(), body, &sets));
    let of_fold = |store: &Store, fold: u32| {
        let run = store
            .runs()
            .expect("runs")
            .into_iter()
            .find(|run| run.fold == fold)
            .expect("planned");
        store.coefficients(run.run).expect("coefficients")
    };
    for (a, b) in of_fold(&store, 1).iter().zip(of_fold(&other, 1)) {
        assert_eq!(a.feature, b.feature);
        let scale = a.coefficient_standardized.abs().max(0.1);
        assert!(
            (a.coefficient_standardized - b.coefficient_standardized).abs() < 1e-9 * scale,
            "{a:?} {b:?}"
        );
    }
    assert!(of_fold(&store, 0) != of_fold(&other, 0));
}

#[test]
fn gradients_are_right_on_the_users_own_rows() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let sets = ["preprocess.indicator=true", "preprocess.one_hot.min_frequency=40"];
    let body = "[validation]\nfolds = 3\n[sweep.parameters]\nmodel.C = [1e-4, 1.0]\n";
    let check = gradcheck::gradcheck(&request(dir.path(), body, &sets)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(check.folds.len(), 3);
    assert!(check.passed(), "{check}");
    assert!(check.folds.iter().all(|fold| fold.parameters >= 8 && fold.rows > 100));
}

#[test]
fn a_row_is_explained_by_its_graph() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, store) = finished(&request(dir.path(), SWEEP, &["run.precision=f64"]));
    let best = summary.best.expect("selected").trial;
    for row in [1, 2, 600] {
        let explained = explain::explain(&summary.store, "best", row).unwrap_or_else(|error| panic!("{error}"));
        assert!(explained.run.contains(&format!("trial {best}")) && explained.row.contains("held out"));
        let by_hand = explained.intercept + explained.features.iter().map(|(_, w, x)| w * x).sum::<f64>();
        assert!((by_hand - explained.example.z).abs() < 1e-12);
        let graph = &explained.graph;
        assert!((graph.graph.value(graph.loss) - explained.example.loss).abs() < 1e-12);
        assert!((graph.graph.derivative(graph.score) - explained.example.dz).abs() < 1e-12);
        assert!(explained.finite_differences < 1e-6);
        assert!(graph.graph.to_dot().starts_with("digraph"));
    }
    let id = store.runs().expect("runs")[5].run.to_string();
    assert!(explain::explain(&summary.store, &id[..12], 3).is_ok());
    for (run, row, word) in [
        ("best", 601, "rows 1 to 600"),
        ("best", 0, "rows 1 to 600"),
        ("zzz", 1, "zzz"),
    ] {
        let error = explain::explain(&summary.store, run, row).expect_err("there is no such thing");
        assert!(error.to_string().contains(word) && error.exit_code() == 2, "{error}");
    }
}
