//! Sweeps that stop or die inside their runs go on there, and nobody can tell.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use gradsweep_runner::RunError;
use gradsweep_runner::event::{Event, Observer};
use gradsweep_runner::resume::{ResumeRequest, resume_until};
use gradsweep_runner::stop::StopFlag;
use gradsweep_runner::sweep;
use gradsweep_store::{Store, best_model};

use super::{PRODUCTS, Tables, finished, request, tables};

/// Two kinds of cohorts, runs that leave early, and optimizers with and without a memory.
const SWEEP: &str = r#"
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
struct Counter<F> {
    column_epochs: AtomicU64,
    at: u64,
    then: F,
}

impl<F: Fn() + Sync> Counter<F> {
    fn new(at: u64, then: F) -> Self {
        Self {
            column_epochs: AtomicU64::new(0),
            at,
            then,
        }
    }

    fn count(&self) -> u64 {
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

/// Tables without what a clock says.
fn settled(store: &Path) -> Tables {
    let mut tables = tables(&Store::open(store).expect("a store"));
    for run in &mut tables.0 {
        if let Some(record) = &mut run.record {
            record.seconds = 0.0;
        }
    }
    tables
}

fn numbers_of_best(store: &Path) -> PathBuf {
    let folder = best_model(store);
    let files = std::fs::read_dir(&folder).expect("a model");
    let mut names: Vec<PathBuf> = files.map(|file| file.expect("readable").file_name().into()).collect();
    names.sort();
    // The weights are named by their content.
    names.remove(0)
}

#[test]
fn a_sweep_stopped_again_and_again_gives_the_same_tables_and_trains_no_epoch_twice() {
    let whole_dir = tempfile::tempdir().expect("scratch");
    let whole_request = request(whole_dir.path(), SWEEP, &[]);
    let (_, whole) = finished(&whole_request);
    let expected = settled(whole.dir());
    let total: u64 = {
        let dir = tempfile::tempdir().expect("scratch");
        let counter = Counter::new(u64::MAX, || ());
        let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
        sweep::run(&request(dir.path(), SWEEP, &[]), &counter, &|_, _| ()).expect("runs");
        counter.count()
    };
    for (threads, every) in [(1, 30), (3, 97)] {
        let dir = tempfile::tempdir().expect("scratch");
        let request = request(dir.path(), SWEEP, &[]);
        let stop = StopFlag::default();
        let counter = Counter::new(every, || stop.ask());
        let outcome = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run_until(&request, &stop, &counter, &|_, _| ())
        };
        assert!(matches!(outcome, Err(RunError::Stopped { .. })));
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
        assert!(rounds > 3, "{rounds} rounds");
        assert_eq!(trained, total, "an epoch was trained twice");
        assert!(settled(&store) == expected, "other tables with {threads} threads");
        assert_eq!(numbers_of_best(&store), numbers_of_best(whole.dir()));
        assert_eq!(
            std::fs::read_dir(store.join("checkpoints")).expect("a folder").count(),
            0,
            "checkpoints of finished cohorts are gone"
        );
    }
}

#[test]
fn a_sweep_killed_inside_a_run_goes_on_from_its_last_checkpoint() {
    let whole_dir = tempfile::tempdir().expect("scratch");
    let (_, whole) = finished(&request(whole_dir.path(), SWEEP, &[]));
    let expected = settled(whole.dir());
    for (case, at) in [40, 150, 260].into_iter().enumerate() {
        let dir = tempfile::tempdir().expect("scratch");
        let request = request(dir.path(), SWEEP, &["run.checkpoint_every=\"1ms\""]);
        let store = sweep::output_dir(&request.config);
        let killed = dir.path().join("killed");
        // What a kill would leave: the directory as it is while training goes on.
        let counter = Counter::new(at, || copy(&store, &killed));
        {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run(&request, &counter, &|_, _| ()).expect("runs");
        }
        let total = counter.count();
        assert!(settled(&store) == expected, "pausing for checkpoints changes nothing");
        let newest = killed.join("checkpoints");
        let has_checkpoints = newest.is_dir() && std::fs::read_dir(&newest).expect("listing").count() > 0;
        if case == 1 && has_checkpoints {
            // The newer generation is damaged: the older one takes its place.
            for file in std::fs::read_dir(&newest).expect("listing").take(1) {
                std::fs::write(file.expect("readable").path(), b"torn").expect("written");
            }
        }
        let (epochs, is_done) = go_on(&killed, 2, u64::MAX);
        assert!(is_done);
        assert!(settled(&killed) == expected, "other tables after {at} epochs");
        assert_eq!(numbers_of_best(&killed), numbers_of_best(whole.dir()));
        // At the least, what was recorded before is not trained again.
        assert!(epochs <= total, "{epochs} of {total}");
    }
}

fn copy(from: &Path, to: &Path) {
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
