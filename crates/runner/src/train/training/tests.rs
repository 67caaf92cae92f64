//! Trainings paused, restored, pruned and refilled give the bits of those left alone.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradsweep_data::{self as data, Dataset};
use gradsweep_math::metric::Metric;

use super::*;
use crate::config::{self, Config};
use crate::dataset::{load_spec, shape_of};
use crate::event::Silent;
use crate::plan::Plan;
use crate::search;
use crate::train::View;

const EPOCHS: u32 = 7;

/// Both kinds of cohorts, all optimizers, three folds that share blocks.
fn config(dir: &std::path::Path) -> Config {
    let mut table = "a,b,c,late\n".to_owned();
    for i in 0..240u32 {
        let draw = |prime: u32| f64::from((i * prime + 5) % 97) / 48.5 - 1.0;
        let is_late = draw(31) + draw(57) * 0.5 + draw(83) * 0.7 > 0.1;
        writeln!(table, "{},{},{},{}", draw(31), draw(57), draw(17), u8::from(is_late)).expect("a String");
    }
    let path = dir.join("table.csv");
    std::fs::write(&path, table).expect("the temporary directory is writable");
    let text = format!(
        "[data]\ntrain = {:?}\ntarget = \"late\"\n[validation]\nfolds = 3\n[train]\nepochs = {EPOCHS}\n\
         [sweep.parameters]\ntrain.solver = [\"gd\", \"sgd\", \"adam\", \"adamw\", \"adagrad\", \"rmsprop\"]\n\
         train.momentum = [0.9]\ntrain.weight_decay = [0.1]\ntrain.learning_rate = [0.03, 0.3]\n\
         train.batch_rows = [16, \"full\"]\nmodel.C = [0.1, 10.0]\nmodel.l1_ratio = [0.0, 0.5]\n",
        path.display().to_string()
    );
    config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn setting(dir: &std::path::Path) -> (Config, Dataset<f32>, Plan) {
    let config = config(dir);
    let data: Dataset<f32> = data::load(&load_spec(&config, None)).expect("a table");
    let trials = search::trials(&config).expect("trials");
    let plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
    (config, data, plan)
}

/// What counts of outcomes, in the order of the plan.
fn settled(mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
    outcomes.sort_by_key(|outcome| outcome.run);
    for outcome in &mut outcomes {
        outcome.seconds = 0.0;
    }
    outcomes
}

fn is_inside<T>(state: &BlockState<T>) -> bool {
    matches!(state, BlockState::Steps(block) if block.batches > 0)
}

#[test]
fn a_stopped_and_restored_training_gives_the_same_bits() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (config, data, plan) = setting(dir.path());
    let view = View::new(&data, &config);
    assert_eq!(plan.cohorts.len(), 2);
    for cohort in 0..plan.cohorts.len() {
        let task = Task::new(&plan, cohort, &view, &Silent);
        let mut through = Training::new(task);
        through.advance(u32::MAX, &|| false);
        let expected = settled(through.take_outcomes());
        assert_eq!(expected.len(), plan.cohorts[cohort].width());
        let is_batched = matches!(plan.cohorts[cohort].schedule, BatchSchedule::Batches { .. });
        let mut paused_inside = 0;
        // Every block is asked once before it starts.
        let starts = plan.cohorts[cohort].blocks.len();
        for looks in [1, 4, 33, 111] {
            let (mut outcomes, mut states, mut rounds) = (Vec::new(), None, 0);
            loop {
                let mut training = match states.take() {
                    None => Training::new(task),
                    Some(states) => Training::restored(task, states),
                };
                let asked = AtomicUsize::new(0);
                training.advance(u32::MAX, &|| asked.fetch_add(1, Ordering::Relaxed) >= starts + looks);
                outcomes.append(&mut training.take_outcomes());
                let left: Vec<BlockState<f32>> = training.states();
                rounds += 1;
                paused_inside += left.iter().filter(|state| is_inside(state)).count();
                if left.is_empty() {
                    break;
                }
                states = Some(left);
            }
            assert!(rounds > 1 || looks > 4, "{looks} looks were enough for all epochs");
            assert_eq!(
                settled(outcomes),
                expected,
                "cohort {cohort}, paused after {looks} looks"
            );
        }
        assert_eq!(is_batched, paused_inside > 0);
    }
}

/// Many runs of each kind of cohort in one block, most of which stop early or diverge.
#[test]
fn runs_that_wait_take_the_columns_of_those_that_leave() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut config, data, _) = setting(dir.path());
    let path = config.data.train[0].clone();
    let text = format!(
        "[data]\ntrain = {path:?}\ntarget = \"late\"\n[validation]\nfolds = 3\n[train]\nepochs = 30\n\
         early_stopping = {{ patience = 1 }}\n[sweep.parameters]\ntrain.solver = [\"sgd\", \"adam\"]\n\
         train.learning_rate = {{ min = 1e-3, max = 30.0, num = 12, log = true }}\n\
         train.batch_rows = [16, \"full\"]\nmodel.C = {{ min = 1e-3, max = 1e3, num = 6, log = true }}\n"
    );
    config.clone_from(&config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}")));
    let trials = search::trials(&config).expect("trials");
    let mut plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
    for cohort in &mut plan.cohorts {
        let runs = cohort.blocks.iter().flat_map(|block| block.runs.clone()).collect();
        cohort.blocks = vec![Block { runs }];
        assert!(
            cohort.width() > 2 * gradsweep_math::workspace::WIDEST_BLOCK - 64,
            "{}",
            cohort.width()
        );
    }
    let view = View::new(&data, &config);
    for cohort in 0..plan.cohorts.len() {
        let widths = Widths::default();
        let task = Task::new(&plan, cohort, &view, &Silent);
        let watched = Task {
            observer: &widths,
            ..task
        };
        let on_threads = |threads: usize, task: Task<'_, '_, f32>| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            pool.install(|| {
                let mut training = Training::new(task);
                training.advance(u32::MAX, &|| false);
                settled(training.take_outcomes())
            })
        };
        let expected = on_threads(1, watched);
        assert_eq!(expected, on_threads(3, task), "threads change nothing");
        assert_eq!(expected.len(), plan.cohorts[cohort].width());
        let late = expected.iter().filter(|outcome| outcome.first_pass > 0).count();
        assert_eq!(late, expected.len() - gradsweep_math::workspace::WIDEST_BLOCK);
        assert!(expected.iter().all(|outcome| outcome.epochs <= 30));
        // While runs wait, hardly a register of columns is empty.
        let widths = widths
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let last = expected.iter().map(|outcome| outcome.first_pass).max().expect("runs") as usize;
        let is_wide = |width: &usize| *width > gradsweep_math::workspace::WIDEST_BLOCK - 16;
        assert!(
            last > 2 && widths[..last - 1].iter().all(is_wide),
            "{widths:?}, the last begins in {last}"
        );
        // Paused and put together again on the way, it ends as it would have.
        let (mut outcomes, mut states) = (Vec::new(), None);
        let mut rounds = 0;
        loop {
            let mut training = match states.take() {
                None => Training::new(task),
                Some(states) => Training::restored(task, states),
            };
            let asked = AtomicUsize::new(0);
            training.advance(u32::MAX, &|| asked.fetch_add(1, Ordering::Relaxed) >= 20);
            outcomes.append(&mut training.take_outcomes());
            let left: Vec<BlockState<f32>> = training.states();
            rounds += 1;
            if left.is_empty() {
                break;
            }
            states = Some(left);
        }
        assert!(rounds > 1, "never paused");
        assert_eq!(settled(outcomes), expected, "cohort {cohort}");
        // A run whose rows come in the order it would have alone has the epochs it would have alone.
        if plan.cohorts[cohort].schedule == BatchSchedule::Full {
            let has_waited = |outcome: &&Outcome| outcome.first_pass > 0 && outcome.epochs == 30;
            let waited = expected.iter().find(has_waited).expect("one that waited");
            let mut alone = plan.clone();
            alone.cohorts[cohort].blocks = vec![Block { runs: vec![waited.run] }];
            let mut training = Training::new(Task { plan: &alone, ..task });
            training.advance(u32::MAX, &|| false);
            let own = &training.take_outcomes()[0];
            assert_eq!(
                (own.epochs, own.best_epoch, own.first_pass),
                (waited.epochs, waited.best_epoch, 0)
            );
            assert!(own.val.iter().zip(&waited.val).all(|(a, b)| (a.1 - b.1).abs() < 1e-4));
        }
    }
}

/// The columns of each pass of a cohort of one block.
#[derive(Default)]
struct Widths(std::sync::Mutex<Vec<usize>>);

impl crate::event::Observer for Widths {
    fn observe(&self, event: &crate::event::Event) {
        if let crate::event::Event::EpochFinished { columns, .. } = event {
            let mut widths = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            widths.push(*columns);
        }
    }
}

#[test]
fn pruned_runs_leave_with_the_scores_of_their_epoch_and_the_others_do_not_notice() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (config, data, plan) = setting(dir.path());
    let view = View::new(&data, &config);
    for cohort in 0..plan.cohorts.len() {
        let task = Task::new(&plan, cohort, &view, &Silent);
        let mut through = Training::new(task);
        through.advance(u32::MAX, &|| false);
        let expected = settled(through.take_outcomes());
        let mut training = Training::new(task);
        training.advance(3, &|| false);
        assert!(training.has_reached(3) && !training.has_reached(4));
        let standings = training.standings();
        assert!(standings.iter().all(|(_, standing)| standing.epoch == 3));
        let pruned: Vec<usize> = standings
            .iter()
            .map(|(run, _)| *run)
            .filter(|run| run % 3 != 0)
            .collect();
        training.end(&pruned, End::Pruned(Some(1)));
        let gone = settled(training.take_outcomes());
        assert_eq!(gone.len(), pruned.len());
        for outcome in &gone {
            assert_eq!((outcome.state, outcome.reason), (RunState::Pruned, None));
            assert_eq!((outcome.epochs, outcome.rung), (3, Some(1)));
            let loss = |values: &[(Metric, f64)]| values.iter().find(|(m, _)| *m == Metric::LogLoss).map(|(_, v)| *v);
            let whole = expected
                .iter()
                .find(|other| other.run == outcome.run)
                .expect("the same run");
            let at_three = whole
                .history
                .iter()
                .find(|p| (p.epoch, p.split, p.metric) == (3, gradsweep_store::Split::Val, Metric::LogLoss));
            assert_eq!(loss(&outcome.val), at_three.map(|point| point.value));
            assert!(loss(&outcome.train).is_some() && outcome.objective.is_some());
        }
        training.advance(u32::MAX, &|| false);
        let left = settled(training.take_outcomes());
        assert_eq!(left.len() + gone.len(), expected.len());
        for outcome in &left {
            let whole = expected
                .iter()
                .find(|other| other.run == outcome.run)
                .expect("the same run");
            assert_eq!((outcome.state, outcome.epochs), (whole.state, whole.epochs));
            // A narrower block may add in another order.
            let close = |a: &f64, b: &f64| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
            assert!(
                outcome
                    .parameters
                    .iter()
                    .zip(&whole.parameters)
                    .all(|(a, b)| close(a, b))
            );
        }
    }
}

/// Trips that pause between rounds of their rows go on from the sums they had.
#[test]
fn descents_stopped_inside_a_trip_and_restored_give_the_same_bits() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut table = "a,b,c,late\n".to_owned();
    for i in 0..24_000u32 {
        let draw = |prime: u32| f64::from((i * prime + 5) % 997) / 498.5 - 1.0;
        let is_late = draw(31) + draw(57) * 0.5 + draw(83) * 0.7 > 0.1;
        writeln!(table, "{},{},{},{}", draw(31), draw(57), draw(17), u8::from(is_late)).expect("a String");
    }
    let path = dir.path().join("table.csv");
    std::fs::write(&path, table).expect("the temporary directory is writable");
    let text = format!(
        "[data]\ntrain = {:?}\ntarget = \"late\"\n[validation]\nfolds = 2\n[train]\nepochs = 9\n\
         [sweep.parameters]\ntrain.solver = [\"lbfgs\", \"newton\"]\n\
         model.C = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0]\n",
        path.display().to_string()
    );
    let config = config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let data: Dataset<f32> = data::load(&load_spec(&config, None)).expect("a table");
    let trials = search::trials(&config).expect("trials");
    let plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
    let view = View::new(&data, &config);
    let task = Task::new(&plan, 0, &view, &Silent);
    let mut through = Training::new(task);
    through.advance(u32::MAX, &|| false);
    let expected = settled(through.take_outcomes());
    assert_eq!(expected.len(), 24);
    let (mut in_sums, mut in_hessians) = (0, 0);
    for looks in [3, 4, 17] {
        let (mut outcomes, mut states) = (Vec::new(), None);
        loop {
            let mut training = match states.take() {
                None => Training::new(task),
                Some(states) => Training::restored(task, states),
            };
            let asked = AtomicUsize::new(0);
            training.advance(u32::MAX, &|| asked.fetch_add(1, Ordering::Relaxed) >= looks);
            outcomes.append(&mut training.take_outcomes());
            let left: Vec<BlockState<f32>> = training.states();
            for state in &left {
                let BlockState::Descents(block) = state else {
                    panic!("a cohort that converges")
                };
                in_sums += usize::from(block.trip.as_ref().is_some_and(|trip| trip.hessians.is_none()));
                in_hessians += usize::from(block.trip.as_ref().is_some_and(|trip| trip.hessians.is_some()));
            }
            if left.is_empty() {
                break;
            }
            states = Some(left);
        }
        assert_eq!(settled(outcomes), expected, "paused after {looks} looks");
    }
    assert!(in_sums > 2 && in_hessians > 0, "{in_sums} {in_hessians}");
}
