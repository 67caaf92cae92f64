//! Sweeps whose trials follow from the scores of those before: told apart by nothing from sweeps that were planned at once.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gradsweep_runner::event::{Event, Observer};
use gradsweep_runner::plan::PlanSummary;
use gradsweep_runner::refit::{RefitRequest, refit};
use gradsweep_runner::resume::{More, ResumeRequest, resume};
use gradsweep_runner::stop::StopFlag;
use gradsweep_runner::{RunError, explain, sweep};
use gradsweep_store::{ParamValue, Store, TrialState};

use super::checkpoints::{TPE, settled};
use super::{PRODUCTS, finished, request, run};

/// The settings of all trials.
fn settings(store: &Path) -> Vec<Vec<ParamValue>> {
    let plan = Store::open(store).and_then(|store| store.plan()).expect("a plan");
    plan.trials.into_iter().map(|trial| trial.params).collect()
}

fn go_on(store: &Path, more: Option<More>, retry_failed: bool) -> gradsweep_runner::summary::SweepSummary {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let request = ResumeRequest {
        store: store.to_path_buf(),
        threads: Some(1),
        more,
        retry_failed,
    };
    resume(&request, &gradsweep_runner::event::Silent, &|_, _| ()).unwrap_or_else(|error| panic!("{error}"))
}

/// What was planned, one entry for every time.
#[derive(Default)]
struct Plans(Mutex<Vec<(usize, u64, u64, bool)>>);

impl Observer for Plans {
    fn observe(&self, event: &Event) {
        if let Event::Planned {
            runs,
            column_epochs,
            later_column_epochs,
            goes_on,
            ..
        } = event
        {
            let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            plans.push((*runs, *column_epochs, *later_column_epochs, *goes_on));
        }
    }
}

#[test]
fn trials_follow_from_scores_a_cohort_at_a_time() {
    let dir = tempfile::tempdir().expect("scratch");
    let plans = Plans::default();
    let seen = Mutex::new(None::<PlanSummary>);
    let summary = {
        let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
        let on_loaded = |_: &_, plan: &PlanSummary| *seen.lock().expect("one thread") = Some(plan.clone());
        sweep::run(&request(dir.path(), TPE, &[]), &plans, &on_loaded).unwrap_or_else(|error| panic!("{error}"))
    };
    assert_eq!((summary.trials, summary.runs), (40, 120));
    // A point and 16 drawn at random, then 16, then what is left: 3 folds each.
    let plans = plans.0.into_inner().expect("whole");
    assert_eq!(plans, [(51, 255, 345, false), (48, 240, 105, true), (21, 105, 0, true)]);
    let plan = seen.into_inner().expect("whole").expect("seen");
    let at_most = plan.at_most.expect("more follow");
    assert_eq!(
        (plan.trials, plan.runs, at_most.trials, at_most.runs),
        (17, 51, 40, 120)
    );
    assert!(
        plan.to_string().contains("the first of at most 40 trials = 120 runs"),
        "{plan}"
    );
    let store = Store::open(&summary.store).expect("a store");
    let runs = store.runs().expect("runs");
    assert!(runs.iter().all(|run| run.record.is_some()));
    // Cohorts of one time have nothing in common with those of another.
    let planned = store.plan().expect("plan").runs;
    let times = |cohort: u32| {
        let of = planned
            .iter()
            .filter(|run| run.cohort == cohort)
            .map(|run| match run.trial {
                0..17 => 0,
                17..33 => 1,
                _ => 2,
            });
        of.collect::<std::collections::BTreeSet<i32>>().len()
    };
    let last = planned.iter().map(|run| run.cohort).max().expect("runs");
    assert!((0..=last).all(|cohort| times(cohort) == 1));
    // A trial that no config alone can name.
    assert!(settings(&summary.store)[39] != settings(&summary.store)[38]);
    let late = runs.iter().rfind(|run| {
        let record = run.record.as_ref();
        record.is_some_and(|record| record.objective.is_some()) && run.trial > 32
    });
    let late = late.expect("a late trial that did not fail");
    let explained =
        explain::explain(&summary.store, &late.run.to_string(), 1).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        explained.run.contains(&format!("trial {}", late.trial)),
        "{}",
        explained.run
    );
    let refitted = refit(&RefitRequest {
        store: summary.store.clone(),
        trial: Some(late.trial),
        data: vec![dir.path().join("table.csv").display().to_string()],
        out: None,
    });
    let refitted = refitted.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(refitted.params.len(), 5, "{:?}", refitted.params);
}

#[test]
fn more_trials_are_those_that_a_larger_sweep_has() {
    let at_once = tempfile::tempdir().expect("scratch");
    let (whole, _) = finished(&request(at_once.path(), TPE, &["sweep.trials=49"]));
    let dir = tempfile::tempdir().expect("scratch");
    let (few, _) = finished(&request(dir.path(), TPE, &["sweep.trials=33"]));
    assert_eq!(few.trials, 33);
    let (more, _) = finished(&request(dir.path(), TPE, &["sweep.trials=49"]));
    assert_eq!(more.trials, 49);
    assert!(more.epochs_trained < whole.epochs_trained);
    assert!(settled(&more.store) == settled(&whole.store));
    assert!(
        run(&request(dir.path(), TPE, &["sweep.trials=49"]))
            .expect("the same")
            .nothing_to_do
    );
    assert!(go_on(&more.store, None, false).nothing_to_do);
    // Where the smaller sweep ended inside a cohort, the rest of it follows from the same scores.
    let inside = tempfile::tempdir().expect("scratch");
    finished(&request(inside.path(), TPE, &["sweep.trials=5"]));
    finished(&request(inside.path(), TPE, &["sweep.trials=22"]));
    let (rest, _) = finished(&request(inside.path(), TPE, &["sweep.trials=49"]));
    assert_eq!(settings(&rest.store), settings(&whole.store));
    // Fewer trials, or another space, are another sweep.
    for sets in [
        &["sweep.trials=40"][..],
        &["sweep.trials=49", "sweep.parameters.model.C.max=10.0"],
        &["sweep.trials=60", "sweep.exclude=[{ \"train.solver\" = \"sgd\" }]"],
    ] {
        match run(&request(dir.path(), TPE, sets)) {
            Err(error @ RunError::Changed { .. }) => assert_eq!(error.exit_code(), 2),
            other => panic!("{sets:?}: {other:?}"),
        }
    }
    let refused = run(&request(dir.path(), TPE, &["sweep.trials=49", "train.epochs=9"])).expect_err("other scores");
    assert!(
        refused.to_string().contains("would have asked for other trials"),
        "{refused}"
    );
}

/// Tells a sweep to stop when so many cohorts are recorded.
struct StopAfter<'a>(&'a StopFlag, AtomicUsize);

impl Observer for StopAfter<'_> {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::Recorded { .. }) && self.1.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.ask();
        }
    }
}

#[test]
fn a_sweep_without_its_plan_or_its_tables_asks_for_the_same() {
    let whole_dir = tempfile::tempdir().expect("scratch");
    let (whole, _) = finished(&request(whole_dir.path(), TPE, &[]));
    let expected = settled(&whole.store);
    for (gone, cohorts) in [("plan.parquet", 5), ("trials.parquet", 5), ("parts/00001.parquet", 5)] {
        let dir = tempfile::tempdir().expect("scratch");
        let stop = StopFlag::default();
        let observer = StopAfter(&stop, AtomicUsize::new(cohorts));
        let request = request(dir.path(), TPE, &[]);
        let outcome = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run_until(&request, &stop, &observer, &|_, _| ())
        };
        let Err(RunError::Stopped {
            finished: ended, runs, ..
        }) = outcome
        else {
            panic!("{gone}: {outcome:?}");
        };
        assert!(runs == 120 && (51..120).contains(&ended), "{ended} of {runs}");
        let store = sweep::output_dir(&request.config);
        std::fs::write(store.join(gone), b"not what it was").expect("writable");
        let summary = run(&request).unwrap_or_else(|error| panic!("{gone}: {error}"));
        assert!(settled(&summary.store) == expected, "{gone}");
    }
}

#[test]
fn trials_stay_where_their_scores_change() {
    let body = TPE
        .replace("[\"sgd\", \"adam\"]", "[\"lbfgs\", \"adam\"]")
        .replace("{ train.solver = \"sgd\" }", "{ train.solver = \"adam\" }")
        .replace("train.momentum", "train.beta1")
        .replace("epochs = 5", "epochs = 2\ntol = 1e-9")
        .replace("early_stopping = { patience = 2, min_delta = 1e-3 }\n", "");
    let dir = tempfile::tempdir().expect("scratch");
    let (before, _) = finished(&request(dir.path(), &body, &[]));
    assert!(before.resumable.runs > 0);
    let held = settings(&before.store);
    let after = go_on(&before.store, Some(More::UntilConverged), false);
    assert!(after.continued.is_some_and(|continued| continued.converged > 0));
    assert_eq!(settings(&before.store), held);
    let (more, _) = finished(&request(dir.path(), &body, &["sweep.trials=50"]));
    let longer = settings(&more.store);
    assert_eq!((longer.len(), &longer[..40]), (50, &held[..]));
    assert!(
        run(&request(dir.path(), &body, &["sweep.trials=50"]))
            .expect("the same")
            .nothing_to_do
    );
}

#[test]
fn a_target_ends_the_asking() {
    let dir = tempfile::tempdir().expect("scratch");
    let sets = ["sweep.target=0.68", "sweep.trials=60"];
    let (summary, store) = finished(&request(dir.path(), TPE, &sets));
    assert!(summary.target.is_some() && summary.trials < 60, "{summary:?}");
    let before = settled(store.dir());
    let again = run(&request(dir.path(), TPE, &sets)).expect("the same");
    assert!(again.nothing_to_do && settled(store.dir()) == before);
}

#[test]
fn sweeps_of_failures_and_small_spaces_end() {
    let body = TPE.replace(
        "max = 1e3, log = true }\ntrain.batch_rows",
        "max = 1e9, log = true }\ntrain.batch_rows",
    );
    let wild = body
        .replace("min = 1e-3, max = 1e9", "min = 1e7, max = 1e9")
        .replace("[[sweep.points]]\ntrain.learning_rate = 0.1\n", "");
    let dir = tempfile::tempdir().expect("scratch");
    let (summary, store) = finished(&request(dir.path(), &wild, &[]));
    assert_eq!(summary.trials, 40);
    let rows = store.trials().expect("trials").rows;
    assert!(rows.iter().filter(|row| row.state == TrialState::Failed).count() > 20);

    let small = "[sweep]\nmethod = \"tpe\"\ntrials = 50\n[sweep.parameters]\nmodel.C = [0.1, 1.0, 10.0]\n\
        preprocess.scale = [\"standard\", \"none\"]\n[validation]\nfolds = 2\n";
    let dir = tempfile::tempdir().expect("scratch");
    let (summary, _) = finished(&request(dir.path(), small, &[]));
    assert_eq!(summary.trials, 6);
    let missing = summary.missing.expect("said");
    assert!(missing.contains("44 trials fewer than sweep.trials"), "{missing}");
    let again = run(&request(dir.path(), small, &[])).expect("the same");
    assert!(again.nothing_to_do && again.missing.is_some());
}

#[test]
fn ways_to_prepare_rows_are_searched() {
    let body = "[train]\nsolver = \"lbfgs\"\nepochs = 30\n[validation]\nfolds = 2\n[sweep]\nmethod = \"tpe\"\ntrials = 24\n\
        [sweep.parameters]\nmodel.C = { min = 1e-3, max = 1e3, log = true }\n\
        preprocess.impute = [\"mean\", \"median\", \"zero\"]\ntrain.shuffle = [true, false]\n";
    let dir = tempfile::tempdir().expect("scratch");
    finished(&request(dir.path(), body, &["sweep.trials=16"]));
    let (more, _) = finished(&request(dir.path(), body, &[]));
    let whole = tempfile::tempdir().expect("scratch");
    let (whole, _) = finished(&request(whole.path(), body, &[]));
    assert!(settled(&more.store) == settled(&whole.store));
    assert_eq!((whole.trials, whole.failed), (24, 0));
}
