//! Sweeps whose trials are compared on rungs: halving and hyperband.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use gradsweep_runner::event::{Event, Observer};
use gradsweep_runner::plan::{Plan, Shape};
use gradsweep_runner::rungs::Ladder;
use gradsweep_runner::{search, sweep};
use gradsweep_store::{RunState, Split, TrialState};

use super::{PRODUCTS, finished, request, run, tables};

/// Counts columns times epochs by epoch, and keeps the runs of every epoch.
#[derive(Default)]
struct Counter {
    columns: Mutex<BTreeMap<u32, usize>>,
}

impl Observer for Counter {
    fn observe(&self, event: &Event) {
        if let Event::EpochFinished { epoch, columns, .. } = event {
            let mut all = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
            *all.entry(*epoch).or_default() += columns;
        }
    }
}

pub(super) const HALVED: &str = r#"
[train]
solver = "sgd"
epochs = 12
[validation]
folds = 3
[sweep]
halving = { factor = 3, min_epochs = 1 }
[sweep.parameters]
train.batch_rows = [32, 64]
train.learning_rate = { min = 1e-3, max = 1.0, num = 7, log = true }
model.C = [0.1, 10.0]
"#;

#[test]
fn halving_trains_as_many_epochs_as_its_table_says() {
    for (sets, full) in [
        (&[][..], false),
        (
            &["train.restarts=2", "train.init={ kind = \"normal\", std = 0.1 }"],
            false,
        ),
        (&["sweep.parameters.train.batch_rows=[\"full\"]"], true),
        (&["validation.repeats=2"], false),
        (&["sweep.metric=roc_auc"], false),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let request = request(dir.path(), HALVED, sets);
        let counter = Counter::default();
        let summary = {
            let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
            sweep::run(&request, &counter, &|_, _| ()).unwrap_or_else(|error| panic!("{error}"))
        };
        let store = gradsweep_store::Store::open(&summary.store).expect("just written");
        let trials = if full { 14 } else { 28 };
        let ladder = Ladder::new(&request.config, trials).expect("a sweep that prunes");
        let table = ladder.table(0);
        let each = summary.runs / trials;
        // By epoch: every trial that reaches the rung after it, no column more and none twice.
        let columns = counter.columns.into_inner().unwrap_or_else(PoisonError::into_inner);
        for epoch in 1..=12 {
            let rung = table.iter().find(|rung| rung.epochs >= epoch).expect("the end");
            assert_eq!(columns[&epoch], rung.trials * each, "epoch {epoch} {sets:?}");
        }
        assert_eq!(
            columns.values().sum::<usize>() as u64,
            ladder.total_epochs() * each as u64
        );
        assert_eq!(summary.epochs_trained, ladder.total_epochs() * each as u64);
        // The tables say who went how far, and rank by it.
        let rows = store.trials().expect("trials").rows;
        for rung in &table[..table.len() - 1] {
            let pruned = rows
                .iter()
                .filter(|row| row.state == TrialState::Pruned && row.rung == Some(rung.rung));
            assert_eq!(pruned.count(), rung.trials - rung.kept, "rung {}", rung.rung);
        }
        let complete = rows.iter().filter(|row| row.state == TrialState::Complete);
        assert_eq!(complete.count(), table[table.len() - 1].trials);
        let mut by_rank = rows.clone();
        by_rank.sort_by_key(|row| row.rank);
        assert!(by_rank.windows(2).all(|pair| pair[0].rung >= pair[1].rung));
        // Each rung kept its best: no pruned trial scored better than one that went on from its rung, at that epoch.
        let (runs, history, _) = tables(&store);
        let select = request.config.sweep.metric;
        for rung in &table[..table.len() - 1] {
            let mut sums = BTreeMap::<u32, (f64, u32)>::new();
            for (run, history) in runs.iter().zip(&history) {
                let at = history.iter().find(|point| {
                    point.epoch == rung.epochs && point.split == Split::Val && &*point.metric == select.name()
                });
                if let Some(point) = at {
                    let sum = sums.entry(run.trial).or_default();
                    *sum = (sum.0 + point.value, sum.1 + 1);
                }
            }
            assert_eq!(sums.len(), rung.trials, "rung {} {sets:?}", rung.rung);
            let worth = |trial: u32| {
                let (sum, count) = sums[&trial];
                if select.higher_is_better() {
                    sum / f64::from(count)
                } else {
                    -sum / f64::from(count)
                }
            };
            let (kept, pruned): (Vec<&_>, Vec<&_>) = rows
                .iter()
                .filter(|row| sums.contains_key(&row.trial))
                .partition(|row| row.rung > Some(rung.rung));
            let worst = kept.iter().map(|row| worth(row.trial)).fold(f64::INFINITY, f64::min);
            assert!(pruned.iter().all(|row| worth(row.trial) <= worst), "rung {}", rung.rung);
        }
    }
}

#[test]
fn pruning_does_not_depend_on_threads_and_survivors_train_as_if_nobody_had_left() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut one = request(dir.path(), HALVED, &["run.threads=1"]);
    let (_, first) = finished(&one);
    one.config.run.threads = 3;
    one.config.output.dir = dir.path().join("again").display().to_string();
    let (_, second) = finished(&one);
    assert_eq!(tables(&first), tables(&second));
    one.config.sweep.halving = None;
    one.config.output.dir = dir.path().join("whole").display().to_string();
    let (_, whole) = finished(&one);
    let (halved, whole) = (tables(&first), tables(&whole));
    let mut compared = 0;
    for (own, other) in halved.0.iter().zip(&whole.0) {
        assert_eq!(own.run, other.run);
        let (own, other) = (
            own.record.as_ref().expect("ended"),
            other.record.as_ref().expect("ended"),
        );
        if own.state == RunState::Complete {
            let loss = |record: &gradsweep_store::RunRecord| record.val_score("log_loss").expect("scored");
            // Narrower blocks may round otherwise.
            assert!((loss(own) - loss(other)).abs() < 1e-5);
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[test]
fn hyperband_trains_its_brackets_in_one_sweep() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let body = HALVED.replace("halving", "hyperband");
    let request = request(dir.path(), &body, &[]);
    let (summary, store) = finished(&request);
    let ladder = Ladder::new(&request.config, 28).expect("a sweep that prunes");
    assert_eq!(ladder.brackets(), 4);
    assert_eq!(summary.epochs_trained, ladder.total_epochs() * 3);
    let rows = store.trials().expect("trials").rows;
    for bracket in 0..4 {
        for rung in ladder.table(bracket).iter().rev().skip(1) {
            let pruned = rows.iter().enumerate().filter(|(trial, row)| {
                ladder.bracket(*trial) == bracket && row.state == TrialState::Pruned && row.rung == Some(rung.rung)
            });
            assert_eq!(
                pruned.count(),
                rung.trials - rung.kept,
                "bracket {bracket} rung {}",
                rung.rung
            );
        }
    }
}

#[test]
fn a_diverged_trial_falls_at_the_next_rung() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let sets = ["sweep.parameters.train.learning_rate=[0.01, 0.1, 1.0, 1e6]"];
    let (summary, store) = finished(&request(dir.path(), HALVED, &sets));
    assert!(summary.failed > 0);
    let rows = store.trials().expect("trials").rows;
    let failed: BTreeSet<Option<u32>> = rows
        .iter()
        .filter(|row| row.state == TrialState::Failed)
        .map(|row| row.rung)
        .collect();
    assert_eq!(failed, BTreeSet::from([Some(0)]));
    assert!(rows.iter().any(|row| row.is_selected));
}

#[test]
fn more_trials_of_a_halved_sweep_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    finished(&request(dir.path(), HALVED, &[]));
    let more = request(dir.path(), HALVED, &["sweep.parameters.model.C=[0.1, 1.0, 10.0]"]);
    let error = run(&more).expect_err("refused");
    assert!(error.to_string().contains("were compared with fewer"), "{error}");
}

#[test]
fn the_plan_of_a_halved_sweep_has_its_ladder() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let request = request(dir.path(), HALVED, &[]);
    let trials = search::trials(&request.config).expect("trials");
    let plan = Plan::new(&request.config, trials, Shape::EMPTY, "");
    let ladder = Ladder::new(&request.config, plan.trials.len()).expect("a sweep that prunes");
    assert_eq!(
        ladder.note(),
        "halving keeps 1 in 3 trials: 28 to epoch 1, 10 to epoch 3, 4 to epoch 9, 2 to epoch 12; \
         23.2 % of the epochs of training all to the end"
    );
}
