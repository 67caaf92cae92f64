//! Sweeps that stop or die inside their runs go on there, and nobody can tell.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use gradsweep_runner::RunError;
use gradsweep_runner::event::{Event, Observer};
use gradsweep_runner::resume::{ResumeRequest, resume_until};
use gradsweep_runner::stop::StopFlag;
use gradsweep_runner::sweep;
use gradsweep_store::{Store, best_model};

use super::{PRODUCTS, finished, request, tables};

/// Two kinds of cohorts, runs that leave early, and optimizers with and without a memory.
pub(crate) const SWEEP: &str = r#"
[train]
epochs = 12
batch_rows = 64
learning_rate = 0.05
restarts = 2
init = { kind = "normal", std = 0.1 }
early_stopping = { metric = "log_loss", patience = 2, min_delta = 1e-3 }
[validation]
folds = 3
[sweep.parameters]
train.solver = ["adam", "sgd"]
train.batch_rows = [64, "full"]
model.C = [0.1, 10.0]
"#;

/// Counts the epochs of columns, and does something when there have been so many.
pub(crate) struct Counter<F> {
    column_epochs: AtomicU64,
    at: u64,
    then: F,
}

impl<F: Fn() + Sync> Counter<F> {
    pub(crate) fn new(at: u64, then: F) -> Self {
        Self {
            column_epochs: AtomicU64::new(0),
            at,
            then,
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.column_epochs.load(Ordering::Relaxed)
    }
}

impl<F: Fn() + Sync> Observer for Counter<F> {
    fn observe(&self, event: &Event) {
        if let Event::EpochFinished { columns, .. } = event {
            let before = self.column_epochs.fetch_add(*columns as u64, Ordering::Relaxed);
            if (before..before + *columns as u64).contains(&self.at) {
                (self.then)();
            }
        }
    }
}

/// Goes on with a store until `at` columns' epochs have ended; how many did, and whether the sweep has come to its end.
fn go_on(store: &Path, threads: usize, at: u64) -> (u64, bool) {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let request = ResumeRequest {
        store: store.to_path_buf(),
        threads: Some(threads),
        more: None,
        retry_failed: false,
    };
    let stop = StopFlag::default();
    let counter = Counter::new(at, || stop.ask());
    match resume_until(&request, &stop, &counter, &|_, _| ()) {
        Ok(_) => (counter.count(), true),
        Err(RunError::Stopped { .. }) => (counter.count(), false),
        Err(error) => panic!("{error}"),
    }
}

/// Tables without what a clock says, as a text: what is no number equals itself there.
pub(crate) fn settled(store: &Path) -> String {
    let (runs, history, coefficients) = tables(&Store::open(store).expect("a store"));
    let trials = Store::open(store).expect("a store").trials().expect("trials");
    format!("{trials:#?}\n{runs:#?}\n{history:?}\n{coefficients:?}")
}

pub(crate) fn numbers_of_best(store: &Path) -> PathBuf {
    let folder = best_model(store);
    let files = std::fs::read_dir(&folder).expect("a model");
    let mut names: Vec<PathBuf> = files.map(|file| file.expect("readable").file_name().into()).collect();
    names.sort();
    // The weights are named by their content.
    names.remove(0)
}

/// A sweep of each kind that keeps checkpoints, with the column epochs between two stops of it.
fn kinds() -> Vec<(&'static str, String, u64)> {
    let rungs = "[sweep]\nhalving = { factor = 3, min_epochs = 1 }\n[sweep.parameters]\n";
    let halved = HALVED.replace("[sweep.parameters]\n", rungs);
    vec![
        ("steps", SWEEP.to_owned(), 30),
        ("descents", CONVERGING.to_owned(), 97),
        ("halving", halved.clone(), 41),
        ("hyperband", halved.replace("halving", "hyperband"), 97),
        (
            "halving by area",
            halved.replace("[sweep]", "[sweep]\nmetric = \"roc_auc\""),
            60,
        ),
        (
            "halving of repeats",
            halved.replace("folds = 3", "folds = 2\nrepeats = 2"),
            60,
        ),
        (
            "target",
            HALVED.replace("[sweep.parameters]", "[sweep]\ntarget = 0.54\n[sweep.parameters]"),
            41,
        ),
        (
            "target and halving",
            halved
                .replace("[sweep]", "[sweep]\ntarget = 0.535")
                .replace("min_epochs = 1", "min_epochs = 3"),
            41,
        ),
        ("tpe", TPE.to_owned(), 150),
    ]
}

/// Trials that follow from the scores of others; cohorts of two kinds, runs that fail and runs that stop early.
pub(crate) const TPE: &str = r#"
[train]
epochs = 5
early_stopping = { patience = 2, min_delta = 1e-3 }
[validation]
folds = 3
[sweep]
method = "tpe"
trials = 40
[sweep.parameters]
train.solver = ["sgd", "adam"]
train.learning_rate = { min = 1e-3, max = 1e3, log = true }
train.batch_rows = [64, "full"]
train.momentum = { min = 0.0, max = 0.9, when = { train.solver = "sgd" } }
model.C = { min = 1e-3, max = 1e3, log = true }
[[sweep.points]]
train.learning_rate = 0.1
"#;

/// Paths with runs between others, kinks and a run without a penalty; both solvers, the line search of one from far away.
pub(crate) const CONVERGING: &str = r#"
[train]
epochs = 60
tol = 1e-7
[validation]
folds = 3
[sweep.parameters]
train.solver = ["lbfgs", "newton"]
model.C = [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, inf]
model.l1_ratio = [0.0, 0.5]
"#;

/// Cohorts of both kinds, runs that fail and runs that stop early.
pub(crate) const HALVED: &str = r#"
[train]
epochs = 13
[validation]
folds = 3
[sweep.parameters]
train.solver = ["sgd"]
train.batch_rows = [32, 64, "full"]
train.learning_rate = [1e-3, 0.01, 0.1, 1.0, 30.0, 1e6]
train.early_stopping = { values = [{ patience = 3, min_delta = 1e-3 }] }
model.C = [0.1, 10.0]
"#;

#[test]
fn a_sweep_stopped_again_and_again_gives_the_same_tables_and_trains_no_epoch_twice() {
    for (kind, body, every) in kinds() {
        let whole_dir = tempfile::tempdir().expect("scratch");
        let counter = Counter::new(u64::MAX, || ());
        let whole = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run(&request(whole_dir.path(), &body, &[]), &counter, &|_, _| ()).expect("runs")
        };
        let (expected, total) = (settled(&whole.store), counter.count());
        for threads in [1, 3] {
            let dir = tempfile::tempdir().expect("scratch");
            let request = request(dir.path(), &body, &[]);
            let stop = StopFlag::default();
            let counter = Counter::new(every, || stop.ask());
            let outcome = {
                let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
                sweep::run_until(&request, &stop, &counter, &|_, _| ())
            };
            assert!(matches!(outcome, Err(RunError::Stopped { .. })), "{kind}");
            let store = sweep::output_dir(&request.config);
            let open = Store::open(&store).expect("a store");
            assert!(open.has_tables().expect("readable"), "partial tables are there");
            let (mut trained, mut rounds) = (counter.count(), 1);
            loop {
                let (epochs, is_done) = go_on(&store, threads, every);
                trained += epochs;
                rounds += 1;
                if is_done {
                    break;
                }
            }
            assert!(rounds > 3, "{kind}: {rounds} rounds");
            assert_eq!(trained, total, "{kind}: an epoch was trained twice");
            assert!(
                settled(&store) == expected,
                "{kind}: other tables with {threads} threads"
            );
            assert_eq!(numbers_of_best(&store), numbers_of_best(&whole.store), "{kind}");
            assert_eq!(checkpoints(&store), checkpoints(&whole.store), "{kind}");
        }
    }
}

/// The names of the checkpoints of a store.
pub(crate) fn checkpoints(store: &Path) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(store.join("checkpoints")) else {
        return Vec::new();
    };
    let name = |file: std::io::Result<std::fs::DirEntry>| file.expect("readable").file_name().display().to_string();
    let mut names: Vec<String> = files.map(name).collect();
    names.sort();
    names
}

/// The column epochs that had been trained at every checkpoint.
#[derive(Default)]
struct Marks {
    column_epochs: AtomicU64,
    at_checkpoints: Mutex<Vec<u64>>,
}

impl Observer for Marks {
    fn observe(&self, event: &Event) {
        match event {
            Event::EpochFinished { columns, .. } => {
                self.column_epochs.fetch_add(*columns as u64, Ordering::Relaxed);
            }
            Event::CheckpointWritten { .. } => {
                let mut marks = self.at_checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
                marks.push(self.column_epochs.load(Ordering::Relaxed));
            }
            _ => {}
        }
    }
}

/// Two listeners.
struct Both<'a>(&'a dyn Observer, &'a dyn Observer);

impl Observer for Both<'_> {
    fn observe(&self, event: &Event) {
        self.0.observe(event);
        self.1.observe(event);
    }
}

/// Goes on with a store to the end under an observer.
pub(crate) fn finish(store: &Path, observer: &dyn Observer) {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let request = ResumeRequest {
        store: store.to_path_buf(),
        threads: Some(2),
        more: None,
        retry_failed: false,
    };
    resume_until(&request, &StopFlag::default(), observer, &|_, _| ()).expect("goes on");
}

#[test]
fn a_sweep_killed_inside_a_run_goes_on_from_its_last_checkpoint() {
    let mut often = 0;
    for (kind, body, _) in kinds() {
        let whole_dir = tempfile::tempdir().expect("scratch");
        let counter = Counter::new(u64::MAX, || ());
        let whole = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run(&request(whole_dir.path(), &body, &[]), &counter, &|_, _| ()).expect("runs")
        };
        let (expected, total) = (settled(&whole.store), counter.count());
        for percent in [15, 50, 90] {
            let dir = tempfile::tempdir().expect("scratch");
            let request = request(dir.path(), &body, &["run.checkpoint_every=\"1ms\""]);
            let store = sweep::output_dir(&request.config);
            let killed = dir.path().join("killed");
            let marks = Marks::default();
            // What a kill would leave: the directory as it is while training goes on.
            let counter = Counter::new(total * percent / 100, || copy(&store, &killed));
            {
                let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
                sweep::run(&request, &Both(&marks, &counter), &|_, _| ()).expect("runs");
            }
            assert_eq!(
                counter.count(),
                total,
                "{kind}: pausing for checkpoints trains nothing twice"
            );
            assert!(
                settled(&store) == expected,
                "{kind}: pausing for checkpoints changes nothing"
            );
            let newest = killed.join("checkpoints");
            let has_checkpoints = newest.is_dir() && std::fs::read_dir(&newest).expect("listing").count() > 0;
            if percent == 50 && has_checkpoints {
                // A generation is damaged: the other takes its place, or the cohort begins anew.
                for file in std::fs::read_dir(&newest).expect("listing").take(1) {
                    std::fs::write(file.expect("readable").path(), b"torn").expect("written");
                }
            }
            let again = Counter::new(u64::MAX, || ());
            finish(&killed, &again);
            assert!(settled(&killed) == expected, "{kind}: other tables after {percent} %");
            assert_eq!(numbers_of_best(&killed), numbers_of_best(&whole.store), "{kind}");
            if percent == 90 {
                let marks = marks
                    .at_checkpoints
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner);
                often += usize::from(marks.len() > 2);
                // What was trained up to the kill, the epoch that set it off included, and is trained once more.
                let ends = marks.iter().copied().chain([total]);
                let longest = ends
                    .scan(0, |before, at| Some(at - std::mem::replace(before, at)))
                    .max();
                let left = total - total * percent / 100;
                let redone = again.count().saturating_sub(left);
                assert!(
                    Some(redone) <= longest,
                    "{kind}: {redone} column epochs again, {longest:?} between two checkpoints"
                );
            }
        }
    }
    assert!(often > 2, "the sweeps are too short for checkpoints");
}

/// A kill after the last part and before the tables: a target that was reached stays reached.
#[test]
fn a_target_that_was_reached_trains_nothing_more() {
    let (_, body, _) = kinds().into_iter().find(|(kind, ..)| *kind == "target").expect("there");
    for body in [
        body.clone(),
        body.replace("[sweep]\n", "[sweep]\nhalving = { min_epochs = 3 }\n"),
    ] {
        let dir = tempfile::tempdir().expect("scratch");
        let (summary, store) = finished(&request(dir.path(), &body, &[]));
        assert!(summary.target.is_some());
        let expected = settled(store.dir());
        for name in ["trials", "runs", "history", "coefficients"] {
            std::fs::remove_file(store.dir().join(format!("{name}.parquet"))).expect("it was there");
        }
        let again = Counter::new(u64::MAX, || ());
        finish(store.dir(), &again);
        assert_eq!(again.count(), 0);
        assert!(settled(store.dir()) == expected);
    }
}

/// More values of a parameter, killed before the first checkpoint of the new runs: the old ones stay as they are.
#[test]
fn an_extension_that_is_killed_leaves_the_first_runs_alone() {
    for (kind, body, _) in kinds().into_iter().take(2) {
        let dir = tempfile::tempdir().expect("scratch");
        let small = body
            .replace("model.C = [", "model.C = [5.0, ")
            .replace("0.1, 10.0]", "0.1]");
        let wide = body.replace("model.C = [", "model.C = [5.0, ");
        assert!(small != wide || kind == "descents");
        let small = small.replace("1e3, 1e4, inf]", "1e3]");
        let (_, store) = finished(&request(dir.path(), &small, &[]));
        let store = store.dir().to_path_buf();
        let killed = dir.path().join("killed");
        let counter = Counter::new(1, || copy(&store, &killed));
        {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run(&request(dir.path(), &wide, &[]), &counter, &|_, _| ()).expect("runs");
        }
        let expected = settled(&store);
        finish(&killed, &Counter::new(u64::MAX, || ()));
        assert!(settled(&killed) == expected, "{kind}");
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("listing") {
        let path = entry.expect("readable").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("copied");
        }
    }
}
