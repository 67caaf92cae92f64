//! Runs that fail, and what that is to the others.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradsweep_runner::RunError;
use gradsweep_runner::event::{Event, Observer, Silent};
use gradsweep_runner::resume::{ResumeRequest, resume};
use gradsweep_runner::stop::{StopCause, StopFlag};
use gradsweep_runner::summary::SweepSummary;
use gradsweep_runner::sweep;
use gradsweep_store::{PlannedRun, Reason, RunId, RunState, Store};

use super::{PRODUCTS, finished, request, run, tables};

/// A block per fold, for 32 runs are enough for one; those that converge are one block in any case.
const BLOCKS: &str = r"
[train]
epochs = 6
batch_rows = 64
[validation]
folds = 3
[sweep.parameters]
model.C = { min = 1e-3, max = 1e3, num = 32, log = true }
";

/// What is swept beside C, and the cohort and the block that has a bug.
const CASES: [(&str, u32, u32); 3] = [
    ("train.batch_rows = [64]\ntrain.solver = [\"adam\"]", 0, 1),
    ("train.batch_rows = [\"full\", 64]\ntrain.solver = [\"sgd\"]", 0, 1),
    ("train.solver = [\"sgd\", \"lbfgs\"]", 1, 0),
];

/// Panics in a block at the end of an epoch, as a listener with a bug would: the panic comes out of the block's training.
struct Bug {
    cohort: usize,
    block: usize,
    epoch: u32,
    times: AtomicUsize,
}

impl Observer for Bug {
    fn observe(&self, event: &Event) {
        if let Event::EpochFinished {
            cohort, block, epoch, ..
        } = event
            && (*cohort, *block, *epoch) == (self.cohort, self.block, self.epoch)
        {
            self.times.fetch_add(1, Ordering::Relaxed);
            panic!("a bug in a block");
        }
    }
}

fn again(store: &Path, retry_failed: bool) -> Result<SweepSummary, RunError> {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let request = ResumeRequest {
        store: store.to_path_buf(),
        threads: None,
        more: None,
        retry_failed,
    };
    resume(&request, &Silent, &|_, _| ())
}

#[test]
fn a_panic_ends_the_runs_of_its_block_and_changes_no_other() {
    for (swept, cohort, block) in CASES {
        for threads in ["1", "3"] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let body = format!("{BLOCKS}{swept}\n");
            let sets = [format!("run.threads={threads}")];
            let mut request = request(dir.path(), &body, &sets.each_ref().map(String::as_str));
            let (_, whole) = finished(&request);
            let whole = tables(&whole);
            request.config.output.dir = dir.path().join("panics").display().to_string();
            let bug = Bug {
                cohort: cohort as usize,
                block: block as usize,
                epoch: 3,
                times: AtomicUsize::new(0),
            };
            let summary = {
                let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
                sweep::run(&request, &bug, &|_, _| ()).expect("the sweep goes on")
            };
            assert_eq!(bug.times.into_inner(), 1);
            assert!(
                summary.failures.iter().any(|said| said.contains("a bug in a block")),
                "{:?}",
                summary.failures
            );
            let store = Store::open(&summary.store).expect("just written");
            let planned = store.plan().expect("a plan").runs;
            let is_lost = |run: &&PlannedRun| (run.cohort, run.block) == (cohort, block);
            let lost: BTreeSet<RunId> = planned.iter().filter(is_lost).map(|run| run.run).collect();
            assert!(lost.len() >= 32 && lost.len() < planned.len(), "{} runs", lost.len());
            assert_eq!(summary.failed, lost.len());
            let found = tables(&store);
            for (place, row) in found.0.iter().enumerate() {
                let record = row.record.as_ref().expect("recorded");
                if lost.contains(&row.run) {
                    assert_eq!((record.state, record.reason), (RunState::Failed, Some(Reason::Panic)));
                    assert!(record.epochs < 6 && found.2[place].is_empty(), "{record:?}");
                    assert!(found.1[place].iter().all(|point| point.epoch <= record.epochs));
                } else {
                    assert_eq!(row, &whole.0[place]);
                    assert_eq!(found.1[place], whole.1[place]);
                    assert_eq!(found.2[place], whole.2[place]);
                }
            }
            // Without the bug the same directory gets all of them.
            again(&summary.store, true).expect("they are trained again");
            assert!(tables(&store) == whole, "{swept}");
        }
    }
}

/// A bug in a block, and a while later, from another block, the word to stop.
struct Asks<'a> {
    bug: Bug,
    after: u32,
    stop: &'a StopFlag,
}

impl Observer for Asks<'_> {
    fn observe(&self, event: &Event) {
        if let Event::EpochFinished {
            cohort, block, epoch, ..
        } = event
            && (*cohort, *epoch) == (self.bug.cohort, self.after)
            && *block != self.bug.block
        {
            self.stop.ask();
        }
        self.bug.observe(event);
    }
}

/// What failed beside blocks that go on from a checkpoint is trained once more too, and changes none of them.
#[test]
fn failed_runs_are_trained_again_beside_blocks_that_go_on() {
    for (swept, cohort, block) in CASES.into_iter().take(2) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut request = request(dir.path(), &format!("{BLOCKS}{swept}\n"), &["run.threads=1"]);
        let (_, whole) = finished(&request);
        let whole = tables(&whole);
        request.config.output.dir = dir.path().join("stopped").display().to_string();
        let stop = StopFlag::default();
        let asks = Asks {
            bug: Bug {
                cohort: cohort as usize,
                block: block as usize,
                epoch: 2,
                times: AtomicUsize::new(0),
            },
            after: 4,
            stop: &stop,
        };
        let outcome = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run_until(&request, &stop, &asks, &|_, _| ())
        };
        assert!(matches!(outcome, Err(RunError::Stopped { .. })), "{outcome:?}");
        let store = Store::open(&dir.path().join("stopped")).expect("it was begun");
        let states = |store: &Store| -> Vec<RunState> {
            let rows = store.runs().expect("readable");
            rows.iter().filter_map(|row| Some(row.record.as_ref()?.state)).collect()
        };
        assert_eq!(states(&store), [RunState::Failed; 32], "the others are on their way");
        let checkpoints = std::fs::read_dir(store.dir().join("checkpoints")).expect("it stopped inside a cohort");
        assert!(checkpoints.count() > 0);
        // Once without: they stay as they are, and are trained again later.
        let copy = dir.path().join("copy");
        super::checkpoints::copy(store.dir(), &copy);
        assert_eq!(again(&copy, false).expect("it goes on").failed, 32);
        assert_eq!(again(&copy, true).expect("and once more").failed, 0);
        assert!(tables(&Store::open(&copy).expect("a store")) == whole, "{swept}");
        let summary = again(store.dir(), true).expect("both at once");
        assert_eq!(summary.failed, 0);
        assert!(tables(&store) == whole, "{swept}");
    }
}

/// Panics when something is told that no block tells.
struct Outside(When);

/// Whether it is that event.
type When = fn(&Event) -> bool;

impl Observer for Outside {
    fn observe(&self, event: &Event) {
        assert!(!(self.0)(event), "a bug outside of the blocks\nat some length");
    }
}

#[test]
fn a_panic_outside_of_training_ends_the_sweep_with_the_word_that_it_goes_on() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body = format!("{BLOCKS}{}\n", CASES[0].0);
    let mut request = request(dir.path(), &body, &["run.checkpoint_every=\"1ms\""]);
    let (_, whole) = finished(&request);
    let whole = tables(&whole);
    let bugs: [(&str, When); 3] = [
        ("loaded", |event| matches!(event, Event::DataLoaded)),
        ("checkpoint", |event| matches!(event, Event::CheckpointWritten { .. })),
        ("recorded", |event| matches!(event, Event::Recorded { .. })),
    ];
    for (name, bug) in bugs {
        let store = dir.path().join(name);
        request.config.output.dir = store.display().to_string();
        let error = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run(&request, &Outside(bug), &|_, _| ()).expect_err("a bug")
        };
        assert_eq!(error.exit_code(), 101);
        assert_eq!(
            error.to_string(),
            "a bug of gradsweep ended it: a bug outside of the blocks"
        );
        let hint = error.hint().expect("what to do");
        let is_begun = name != "loaded";
        assert_eq!(
            hint.contains(&format!("gradsweep resume {}", store.display())),
            is_begun,
            "{hint}"
        );
        // Nothing is left locked, and the same command gives what it would have given.
        let (_, store) = finished(&request);
        assert!(tables(&store) == whole, "{name}");
    }
}

/// One rate of two is far too large: a run of each fold diverges.
const DIVERGES: &str = r#"
[train]
solver = "sgd"
epochs = 12
batch_rows = 64
[validation]
folds = 3
[sweep.parameters]
train.learning_rate = [0.1, 1e30]
"#;

#[test]
fn a_failed_run_stops_the_sweep_where_the_config_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut request = request(dir.path(), DIVERGES, &["run.threads=1"]);
    let (summary, whole) = finished(&request);
    assert_eq!((summary.failed, summary.runs), (3, 6));
    for (set, allowed) in [("on_error", 0), ("max_failures", 2)] {
        request.config.output.dir = dir.path().join(set).display().to_string();
        request.config.run.max_failures = 1000;
        request.config.run.on_error = gradsweep_runner::config::OnError::Record;
        if set == "on_error" {
            request.config.run.on_error = gradsweep_runner::config::OnError::Stop;
        } else {
            request.config.run.max_failures = allowed;
        }
        let error = run(&request).expect_err("a run diverges");
        assert_eq!(error.exit_code(), 75);
        assert!(error.hint().expect("what to type").contains("--retry-failed"));
        let RunError::Stopped { cause, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(cause, StopCause::Failures { allowed });
        // What failed is recorded, and the others are on their way.
        let store = Store::open(&dir.path().join(set)).expect("it was begun");
        let records = store.runs().expect("readable");
        let states: Vec<_> = records
            .iter()
            .filter_map(|row| Some(row.record.as_ref()?.state))
            .collect();
        assert_eq!(states, [RunState::Failed; 3]);
        // It goes on without them, and once more for as many failures.
        let summary = again(store.dir(), false).expect("nothing else fails");
        assert_eq!((summary.failed, summary.nothing_to_do), (3, false));
        // As texts, for a loss that is none is not equal to itself.
        assert_eq!(
            format!("{:?}", tables(&store)),
            format!("{:?}", tables(&whole)),
            "{set}"
        );
    }
}

#[test]
fn as_many_failures_as_may_be_stop_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (summary, _) = finished(&request(dir.path(), DIVERGES, &["run.max_failures=3"]));
    assert_eq!(summary.failed, 3);
}
