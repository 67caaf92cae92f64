//! Sweeps that end runs early: early stopping, targets, schedules, time limits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use gradsweep_runner::RunError;
use gradsweep_runner::event::{Event, Observer};
use gradsweep_runner::stop::{StopCause, StopFlag};
use gradsweep_runner::sweep;
use gradsweep_store::{Model, Reason, RunState, Split, best_model};

use super::rungs::HALVED;
use super::{PRODUCTS, finished, request, run, tables};

const WATCHED: &str = r#"
[train]
solver = "sgd"
epochs = 60
batch_rows = 32
learning_rate = 0.5
early_stopping = { metric = "log_loss", patience = 4, min_delta = 1e-4 }
[validation]
folds = 3
[metrics]
report = ["log_loss", "roc_auc", "accuracy"]
[sweep.parameters]
model.C = [0.1, 10.0]
"#;

#[test]
fn a_watched_run_ends_with_its_best_weights() {
    for sets in [&[][..], &["train.solver=gd"], &["train.batch_rows=\"full\""]] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // Gradient descent takes all rows.
        let body = if sets.contains(&"train.solver=gd") {
            WATCHED.replace("batch_rows = 32\n", "")
        } else {
            WATCHED.to_owned()
        };
        let (_, store) = finished(&request(dir.path(), &body, sets));
        let (runs, history, _) = tables(&store);
        let mut bests = BTreeMap::<u32, Vec<u32>>::new();
        let mut stopped = 0;
        for (run, history) in runs.iter().zip(&history) {
            let record = run.record.as_ref().expect("finished");
            let best = record.best_epoch.expect("watched");
            bests.entry(run.trial).or_default().push(best);
            let losses: Vec<(u32, f64)> = history
                .iter()
                .filter(|point| point.split == Split::Val && &*point.metric == "log_loss")
                .map(|point| (point.epoch, point.value))
                .collect();
            assert_eq!(losses.len() as u32, record.epochs);
            // The record's scores are those of the best epoch, and the area under the curve goes with them.
            assert_eq!(record.val_score("log_loss"), Some(losses[best as usize - 1].1));
            let area = history
                .iter()
                .find(|point| &*point.metric == "roc_auc")
                .expect("scored at the end");
            assert_eq!((area.epoch, Some(area.value)), (best, record.val_score("roc_auc")));
            // No epoch after it gained `min_delta`.
            let after = &losses[best as usize..];
            assert!(
                after
                    .iter()
                    .all(|(_, loss)| *loss >= losses[best as usize - 1].1 - 1e-4)
            );
            match record.reason {
                Some(Reason::EarlyStopped) => {
                    stopped += 1;
                    assert_eq!(record.epochs, best + 4);
                }
                Some(Reason::MaxEpochs) => assert!(record.epochs == 60 && best > 56),
                other => panic!("{other:?}"),
            }
            assert_eq!(record.state, RunState::Complete);
        }
        assert!(!sets.is_empty() || stopped > 0, "sgd at this rate stops early");
        // The model was fitted for the median of its trial's best epochs.
        let table = store.trials().expect("trials");
        let selected = table.selected().expect("a choice").trial;
        let mut own = bests[&selected].clone();
        own.sort_unstable();
        let model = Model::read(&best_model(store.dir())).expect("a model");
        let c = format!("sweep.parameters.model.C=[{}]", ["0.1", "10.0"][selected as usize]);
        let sets: Vec<&str> = sets.iter().copied().chain([c.as_str()]).collect();
        let mut short = request(dir.path(), &body, &sets);
        short.config.train.epochs = own[1];
        short.config.train.early_stopping = None;
        short.config.output.dir = dir.path().join("short").display().to_string();
        let (_, store) = finished(&short);
        let (a, b) = (model, Model::read(&best_model(store.dir())).expect("a model"));
        assert_eq!(a.numbers, b.numbers, "the refit has {} epochs", own[1]);
    }
}

#[test]
fn an_ordered_metric_is_watched_every_so_many_epochs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let sets = ["train.early_stopping.metric=roc_auc", "metrics.every=2"];
    let (_, store) = finished(&request(dir.path(), WATCHED, &sets));
    let (runs, history, _) = tables(&store);
    for (run, history) in runs.iter().zip(&history) {
        let record = run.record.as_ref().expect("finished");
        let areas: Vec<u32> = history
            .iter()
            .filter(|point| &*point.metric == "roc_auc")
            .map(|point| point.epoch)
            .collect();
        assert_eq!(
            areas,
            (1..=record.epochs / 2).map(|half| 2 * half).collect::<Vec<u32>>()
        );
        assert!(areas.contains(&record.best_epoch.expect("watched")));
    }
}

/// Stops the sweep at an epoch, once.
struct StopAt<'a> {
    epoch: u32,
    flag: &'a StopFlag,
}

impl Observer for StopAt<'_> {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::EpochFinished { epoch, .. } if *epoch == self.epoch) {
            self.flag.ask();
        }
    }
}

#[test]
fn a_stopped_sweep_says_so_and_its_rerun_ends_as_one_that_was_left_alone() {
    for body in [
        HALVED.to_owned(),
        HALVED.replace("halving = { factor = 3, min_epochs = 1 }", ""),
    ] {
        for epoch in [1, 2, 3, 7] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let mut request = request(dir.path(), &body, &[]);
            let (_, expected) = finished(&request);
            request.config.output.dir = dir.path().join("stopped").display().to_string();
            let flag = StopFlag::default();
            let stopped = {
                let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
                let observer = StopAt { epoch, flag: &flag };
                sweep::run_until(&request, &flag, &observer, &|_, _| ()).expect_err("told to stop")
            };
            assert!(
                matches!(
                    stopped,
                    RunError::Stopped {
                        cause: StopCause::Asked,
                        ..
                    }
                ),
                "{stopped}"
            );
            assert_eq!(stopped.exit_code(), 75);
            let summary = run(&request).unwrap_or_else(|error| panic!("{error}"));
            let store = gradsweep_store::Store::open(&summary.store).expect("just written");
            let (again, once) = (tables(&store), tables(&expected));
            let states = |runs: &[gradsweep_store::RunRow]| -> Vec<_> {
                let state = |row: &gradsweep_store::RunRow| row.record.as_ref().map(|r| (r.state, r.epochs, r.rung));
                runs.iter().map(state).collect()
            };
            assert_eq!(states(&again.0), states(&once.0), "stopped at epoch {epoch}");
        }
    }
}

#[test]
fn a_time_limit_ends_the_sweep() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let error = run(&request(dir.path(), HALVED, &["run.time_limit=\"1ms\""])).expect_err("over at once");
    assert!(
        matches!(
            error,
            RunError::Stopped {
                cause: StopCause::TimeLimit,
                finished: 0,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.hint().expect("what to type").contains("gradsweep resume"));
}

#[test]
fn schedules_change_the_result_and_more_epochs_of_one_are_refused() {
    let body = r#"
[train]
epochs = 8
batch_rows = 64
learning_rate = 0.3
weight_decay = 0.1
[validation]
folds = 2
[sweep.parameters]
train.solver = ["gd", "sgd", "adam", "adamw", "adagrad", "rmsprop"]
train.schedule = { values = [
    {}, { kind = "constant", warmup_epochs = 3 }, { kind = "cosine" }, { kind = "step" }, { kind = "cosine", warmup_epochs = 2 },
] }
"#;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, store) = finished(&request(dir.path(), body, &[]));
    let rows = store.trials().expect("trials").rows;
    assert_eq!(rows.len(), 30);
    let scores: BTreeSet<u64> = rows
        .iter()
        .map(|row| row.scores[0].mean_val.expect("scored").to_bits())
        .collect();
    assert_eq!(scores.len(), 30, "every schedule leads elsewhere");
    let cosine = "[train]\nsolver = \"sgd\"\nschedule = { kind = \"cosine\" }\nepochs = 4\n";
    let dir = tempfile::tempdir().expect("a temporary directory");
    finished(&request(dir.path(), cosine, &[]));
    let error = run(&request(dir.path(), cosine, &["train.epochs=8"])).expect_err("refused");
    assert_eq!(error.exit_code(), 2);
    assert!(
        error
            .to_string()
            .contains("a cosine schedule is over at its last epoch"),
        "{error}"
    );
}

#[test]
fn a_target_ends_the_sweep_with_the_trial_that_reached_it() {
    let body = r#"
[train]
epochs = 60
[validation]
folds = 3
[sweep]
target = 0.6
[sweep.parameters]
train.solver = ["sgd", "gd"]
train.batch_rows = [64, "full"]
train.learning_rate = [0.01, 0.3]
"#;
    for (sets, is_full) in [
        (&[][..], false),
        (&["sweep.parameters.train.batch_rows=[\"full\"]"], true),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let request = request(dir.path(), body, sets);
        let (summary, store) = finished(&request);
        let sentence = summary.target.expect("reached");
        let (runs, history, coefficients) = tables(&store);
        let table = store.trials().expect("trials");
        let winner = table.selected().expect("the one that reached it");
        assert!(
            sentence.contains(&format!("trial {} reached", winner.trial)),
            "{sentence}"
        );
        let loss = table
            .metrics
            .iter()
            .position(|info| info.name == "log_loss")
            .expect("the selecting one");
        assert!(winner.scores[loss].mean_val.expect("scored") <= 0.6);
        let own = || {
            runs.iter()
                .zip(&history)
                .zip(&coefficients)
                .filter(|((run, _), _)| run.trial == winner.trial)
        };
        let mut before = 0.0;
        for ((run, history), coefficients) in own() {
            let record = run.record.as_ref().expect("ended");
            assert_eq!(
                (record.state, record.reason),
                (RunState::Complete, Some(Reason::EarlyStopped))
            );
            assert!(record.epochs < 60 && !coefficients.is_empty());
            let at = |epoch: u32| {
                let mut points = history.iter();
                points
                    .find(|p| (p.epoch, p.split, &*p.metric) == (epoch, Split::Val, "log_loss"))
                    .map(|p| p.value)
            };
            assert_eq!(record.val_score("log_loss"), at(record.epochs));
            before += at(record.epochs - 1).expect("an epoch before") / 3.0;
        }
        assert!(before > 0.6, "it had not reached it an epoch earlier: {before}");
        let others = runs
            .iter()
            .filter(|run| run.trial != winner.trial)
            .map(|run| run.record.as_ref().map(|r| r.state));
        assert!(
            others
                .clone()
                .all(|state| matches!(state, None | Some(RunState::Pruned | RunState::Complete)))
        );
        assert!(others.clone().any(|state| state == Some(RunState::Pruned)), "{is_full}");
        // The weights are those of the scores: a sweep of as many epochs ends with them.
        let ((run, _), weights) = own().next().expect("a run");
        let mut short = request.clone();
        short.config.sweep.target = None;
        short.config.train.epochs = run.record.as_ref().expect("ended").epochs;
        short.config.output.dir = dir.path().join("short").display().to_string();
        let (_, store) = finished(&short);
        let (runs, _, coefficients) = tables(&store);
        let same = runs
            .iter()
            .position(|other| (other.trial, other.fold) == (run.trial, run.fold))
            .expect("it again");
        let values =
            |rows: &[gradsweep_store::CoefficientRow]| -> Vec<f64> { rows.iter().map(|row| row.coefficient).collect() };
        assert_eq!(values(weights), values(&coefficients[same]));
        // And it stays stopped.
        let again = run_again(&request);
        assert!(again.nothing_to_do);
    }
}

fn run_again(request: &super::Request) -> gradsweep_runner::summary::SweepSummary {
    run(request).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn open_learning_rates_are_found_and_do_not_depend_on_the_sweep_around_a_run() {
    let body = r#"
[train]
epochs = 5
batch_rows = 64
[validation]
folds = 3
[sweep.parameters]
train.solver = ["sgd", "adam", "gd"]
model.C = [0.1, 10.0]
"#;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut all = request(dir.path(), body, &[]);
    let (summary, store) = finished(&all);
    let [least, most] = summary.learning_rates.expect("found");
    assert!(least < most && least >= 1e-4 && most <= 10.0, "{least} {most}");
    let null = summary.null_model.expect("log loss of the rate");
    assert!(
        store
            .trials()
            .expect("trials")
            .rows
            .iter()
            .all(|row| row.scores[0].mean_val.expect("scored") < null - 0.02)
    );
    let one = request(
        dir.path(),
        &body.replace("[\"sgd\", \"adam\", \"gd\"]", "[\"adam\"]"),
        &[],
    );
    all.config = one.config;
    all.config.output.dir = dir.path().join("one").display().to_string();
    let (_, alone) = finished(&all);
    let of = |store: &gradsweep_store::Store| -> BTreeMap<_, Vec<u64>> {
        let (runs, history, _) = tables(store);
        let bits = |rows: &Vec<gradsweep_store::HistoryRow>| rows.iter().map(|row| row.value.to_bits()).collect();
        runs.iter()
            .zip(&history)
            .map(|(run, history)| (run.run, bits(history)))
            .collect()
    };
    let together = of(&store);
    let close = |a: &u64, b: &u64| (f64::from_bits(*a) - f64::from_bits(*b)).abs() < 1e-4;
    for (run, history) in of(&alone) {
        assert!(together[&run].iter().zip(&history).all(|(a, b)| close(a, b)));
    }
}

#[test]
fn a_plan_measures_its_epochs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), HALVED, &[]);
    let (_, plan) = {
        let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
        sweep::plan(&request).unwrap_or_else(|error| panic!("{error}"))
    };
    let speed = plan.speed.as_ref().expect("measured");
    assert_eq!(speed.seconds_per_epoch.len(), 2);
    assert!(speed.seconds_per_epoch.iter().all(|seconds| *seconds > 0.0));
    let each: f64 = speed.seconds_per_epoch.iter().sum();
    let all = speed.seconds.expect("a fixed number of epochs");
    // 23.2 % of 12 epochs, and what is done once for every run.
    assert!(
        all >= 0.231 * 12.0 * (each - all / 12.0) && all <= 12.0 * each,
        "{all} {each}"
    );
    assert!(
        plan.to_string().contains("an epoch, measured on this machine; about"),
        "{plan}"
    );
}

#[test]
fn a_plan_of_runs_that_end_when_they_are_done_has_a_range() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body = "[train]\nsolver = \"lbfgs\"\n[validation]\nfolds = 3\n[sweep.parameters]\nmodel.C = [0.1, 10.0]\n";
    let (_, plan) = {
        let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
        sweep::plan(&request(dir.path(), body, &[])).unwrap_or_else(|error| panic!("{error}"))
    };
    let speed = plan.speed.as_ref().expect("measured");
    let [least, most] = speed.seconds_range.expect("no fixed number of epochs");
    assert_eq!(speed.seconds, None);
    assert!((most / least - 100.0).abs() < 1e-6, "{least} {most}");
    assert!(plan.to_string().contains("as runs end when they are done"), "{plan}");
}

#[test]
fn what_was_foreseen_is_kept_beside_what_it_took() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), HALVED, &[]);
    let (_, store) = finished(&request);
    let cost = &store.manifest().cost;
    assert!(cost.planned_seconds.is_some_and(|seconds| seconds > 0.0), "{cost:?}");
    assert!(cost.train_seconds.is_some_and(|seconds| seconds > 0.0), "{cost:?}");
}
