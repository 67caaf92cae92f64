use std::collections::BTreeMap;
use std::path::Path;

use super::cut::{Tree, after};
use super::recorder::{Change, Order, Recorder, recording};
use crate::checkpoint::{Checkpoint, Numbers, Tensor};
use crate::manifest::{Cost, Manifest, MetricInfo, probe};
use crate::model::{Model, best_model};
use crate::plan::{PlanTable, PlannedRun, PlannedTrial};
use crate::reader::Store;
use crate::run::{CoefficientRow, HistoryRow, Part, Reason, RunId, RunRecord, RunState, Split};
use crate::value::ParamValue;
use crate::writer::StoreWriter;
use crate::{StoreError, layout};

const TRIALS: u32 = 6;
const FOLDS: u32 = 4;

/// What a sweep does to its store, in order.
#[derive(Debug, Clone)]
enum Step {
    Create,
    /// Runs with their epochs.
    Part(Vec<(u64, u32)>),
    Checkpoint(&'static str, f64),
    RemoveCheckpoints(&'static str),
    Cost(f64),
    Tables,
    Model(f64),
}

/// What a store says.
#[derive(Debug, Clone, Default, PartialEq)]
struct State {
    is_there: bool,
    records: BTreeMap<u64, u32>,
    checkpoints: BTreeMap<String, f64>,
    seconds: Option<f64>,
    intercept: Option<f64>,
}

/// A whole sweep: parts enough for two merges, runs that are recorded twice, two cohorts, a stop half way, a model made anew.
fn steps() -> Vec<Step> {
    let mut steps = vec![Step::Create];
    for number in 0..u64::from(TRIALS * FOLDS) {
        if number % 3 == 0 {
            let cohort = if number % 2 == 0 { "a" } else { "b" };
            steps.push(Step::Checkpoint(cohort, number as f64));
        }
        // Every fourth part has an earlier run again, with more epochs.
        let again = (number % 4 == 3).then_some((number - 2, 9));
        steps.push(Step::Part([(number, 5)].into_iter().chain(again).collect()));
        if number == 13 {
            steps.extend([Step::Tables, Step::Cost(1.5)]);
        }
        if number == 15 {
            steps.push(Step::RemoveCheckpoints("a"));
        }
    }
    let end = [Step::RemoveCheckpoints("b"), Step::Cost(2.5), Step::Tables];
    steps.extend(end);
    steps.extend([Step::Model(0.25), Step::Model(0.75)]);
    steps
}

impl State {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Create => self.is_there = true,
            Step::Part(runs) => self.records.extend(runs.iter().copied()),
            Step::Checkpoint(cohort, value) => {
                self.checkpoints.insert((*cohort).to_owned(), *value);
            }
            Step::RemoveCheckpoints(cohort) => {
                self.checkpoints.remove(*cohort);
            }
            Step::Cost(seconds) => self.seconds = Some(*seconds),
            Step::Tables => {}
            Step::Model(intercept) => self.intercept = Some(*intercept),
        }
    }
}

fn manifest(seconds: Option<f64>) -> Manifest {
    Manifest {
        name: "flights".to_owned(),
        plan_hash: "plan".to_owned(),
        select: "log_loss".to_owned(),
        metrics: vec![MetricInfo {
            name: "log_loss".to_owned(),
            higher_is_better: false,
        }],
        cost: Cost {
            total_seconds: seconds,
            ..Cost::default()
        },
        ..Manifest::default()
    }
}

fn plan() -> PlanTable {
    let numbers = (0..TRIALS).flat_map(|trial| (0..FOLDS).map(move |fold| (trial, fold)));
    PlanTable {
        params: vec!["model.C".to_owned()],
        trials: (0..TRIALS)
            .map(|trial| PlannedTrial {
                trial,
                params: vec![ParamValue::Float(f64::from(trial))],
            })
            .collect(),
        runs: numbers
            .map(|(trial, fold)| PlannedRun {
                run: RunId(u64::from(trial * FOLDS + fold)),
                trial,
                fold,
                fold_label: fold.to_string(),
                ..PlannedRun::default()
            })
            .collect(),
    }
}

fn part(runs: &[(u64, u32)]) -> Part {
    let mut part = Part::default();
    for &(number, epochs) in runs {
        let run = RunId(number);
        let loss = 0.5 + (number * 7 % 11) as f64 / 100.0;
        part.runs.push(RunRecord {
            run,
            state: RunState::Complete,
            reason: Some(Reason::MaxEpochs),
            epochs,
            val: vec![("log_loss".into(), loss)],
            ..RunRecord::default()
        });
        part.history.extend((1..=epochs).map(|epoch| HistoryRow {
            run,
            epoch,
            split: Split::Val,
            metric: "log_loss".into(),
            value: loss + 1.0 / f64::from(epoch),
        }));
        part.coefficients.push(CoefficientRow {
            run,
            feature: "(intercept)".into(),
            coefficient: loss,
            coefficient_standardized: -loss,
        });
    }
    part
}

fn model(intercept: f64) -> Model {
    let mut model = crate::model::tests::sample();
    model.numbers.intercept = intercept;
    model
}

fn carry_out(step: &Step, dir: &Path, writer: &mut Option<StoreWriter>) -> Result<(), StoreError> {
    if let Step::Create = step {
        *writer = Some(StoreWriter::create(
            dir,
            &manifest(None),
            "as written",
            "resolved",
            &plan(),
        )?);
    }
    let Some(writer) = writer else { return Ok(()) };
    match step {
        Step::Create => Ok(()),
        Step::Part(runs) => writer.append(&part(runs)),
        Step::Checkpoint(cohort, value) => writer.write_checkpoint(&Checkpoint {
            cohort: (*cohort).to_owned(),
            last_part: 0,
            notes: serde_json::Value::Null,
            tensors: vec![Tensor {
                name: "value".to_owned(),
                numbers: Numbers::F64(vec![*value]),
            }],
        }),
        Step::RemoveCheckpoints(cohort) => writer.remove_checkpoints(cohort),
        Step::Cost(seconds) => writer.set_manifest(&manifest(Some(*seconds))),
        Step::Tables => writer.write_tables().map(|_| ()),
        Step::Model(intercept) => model(*intercept).write(&best_model(dir)),
    }
}

/// What a reader and a writer find in a store; the writer stays open.
fn look(dir: &Path) -> Result<(State, Option<StoreWriter>), String> {
    let said = |error: StoreError| format!("{error:?}");
    let Some(found) = probe(dir).map_err(said)? else {
        return Ok((State::default(), None));
    };
    let of_reader = Store::open(dir).and_then(|store| store.runs()).map_err(said)?;
    let records: BTreeMap<u64, u32> = of_reader
        .iter()
        .filter_map(|row| Some((row.run.0, row.record.as_ref()?.epochs)))
        .collect();
    let intercept = match Model::read(&best_model(dir)) {
        Ok(model) => Some(model.numbers.intercept),
        Err(StoreError::NoModel { .. }) => None,
        Err(error) => return Err(said(error)),
    };
    let (mut writer, kept) = StoreWriter::extend(dir, &found, "as written", "resolved", &plan()).map_err(said)?;
    if !kept.set_aside.is_empty() || kept.finished.iter().map(|run| run.0).ne(records.keys().copied()) {
        return Err(format!("the writer finds {kept:?}, the reader {records:?}"));
    }
    let value = |checkpoint: Checkpoint| match &checkpoint.tensors[0].numbers {
        Numbers::F64(values) => (checkpoint.cohort, values[0]),
        Numbers::F32(_) => (checkpoint.cohort, f64::NAN),
    };
    let checkpoints = writer
        .read_checkpoints()
        .map_err(said)?
        .into_iter()
        .map(value)
        .collect();
    let state = State {
        is_there: true,
        records,
        checkpoints,
        seconds: found.cost.total_seconds,
        intercept,
    };
    Ok((state, Some(writer)))
}

/// Everything a store's tables and model say.
fn content(dir: &Path) -> Result<String, StoreError> {
    let store = Store::open(dir)?;
    let runs: Vec<RunId> = store.runs()?.iter().map(|row| row.run).collect();
    let (trials, rows) = (store.trials()?, store.runs()?);
    let (history, coefficients) = (store.history_of(&runs)?, store.coefficients_of(&runs)?);
    let intercept = Model::read(&best_model(dir))?.numbers.intercept;
    assert!(store.has_tables()?);
    Ok(format!("{trials:?} {rows:?} {history:?} {coefficients:?} {intercept}"))
}

/// A generator of numbers below a bound that follow from a seed.
fn generator(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |bound| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// What an undisturbed sweep did, and left.
struct Undisturbed {
    changes: Vec<Change>,
    content: String,
}

fn undisturbed(order: Order) -> Undisturbed {
    let root = tempfile::tempdir().expect("scratch directory");
    let recorder = Recorder::new(root.path(), order);
    let dir = root.path().join("store");
    recording(&recorder, || {
        let mut writer = None;
        for step in steps() {
            carry_out(&step, &dir, &mut writer).expect("nothing is in its way");
            recorder.promise();
        }
    });
    Undisturbed {
        content: content(&dir).expect("whole"),
        changes: recorder.changes(),
    }
}

fn lay_out(tree: &Tree, root: &Path) {
    for folder in &tree.folders {
        std::fs::create_dir(root.join(folder)).expect("its parent comes first");
    }
    for (path, bytes) in &tree.files {
        std::fs::write(root.join(path), bytes).expect("its folder is there");
    }
}

/// Cuts the power behind some change, and says what is wrong with what the next process finds and makes of it.
fn case(whole: &Undisturbed, seed: u64) -> Result<(), String> {
    let mut draw = generator(seed);
    let cut = draw(whole.changes.len() + 1);
    let root = tempfile::tempdir().expect("scratch directory");
    lay_out(&after(&whole.changes[..cut], &mut draw), root.path());
    let dir = root.path().join("store");

    let promised = whole.changes[..cut]
        .iter()
        .filter(|change| **change == Change::Promised)
        .count();
    let (mut before, mut next) = (State::default(), State::default());
    for (number, step) in steps().iter().enumerate() {
        if number < promised {
            before.take(step);
        }
        if number <= promised {
            next.take(step);
        }
    }
    let place = format!("seed {seed}, cut behind change {cut}");
    let said = |error: StoreError| format!("{place}: {error:?}");
    recording(&Recorder::new(root.path(), Order::SyncFirst), || {
        let (found, mut writer) = look(&dir).map_err(|error| format!("{place}: {error}"))?;
        if found != before && found != next {
            return Err(format!("{place}: {found:?} is neither {before:?} nor {next:?}"));
        }
        // What is missing is done again.
        if writer.is_none() {
            carry_out(&Step::Create, &dir, &mut writer).map_err(said)?;
        }
        let mut all = State::default();
        for step in &steps() {
            all.take(step);
        }
        let missing = |(run, epochs): (&u64, &u32)| (found.records.get(run) != Some(epochs)).then_some((*run, *epochs));
        let missing: Vec<(u64, u32)> = all.records.iter().filter_map(missing).collect();
        let rest = [
            Step::Part(missing),
            Step::RemoveCheckpoints("a"),
            Step::RemoveCheckpoints("b"),
            Step::Cost(2.5),
            Step::Tables,
            Step::Model(0.75),
        ];
        for step in &rest {
            carry_out(step, &dir, &mut writer).map_err(said)?;
        }
        if content(&dir).map_err(said)? != whole.content {
            return Err(format!("{place}: the finished store has other tables or another model"));
        }
        let left = layout::temporaries(&dir).map_err(said)?;
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{place}: {left:?} is left over"))
        }
    })
}

/// Tries some seeds; returns what went wrong.
fn cut_often(order: Order, seeds: std::ops::Range<u64>) -> Vec<String> {
    let whole = undisturbed(order);
    seeds.filter_map(|seed| case(&whole, seed).err()).collect()
}

#[test]
fn a_power_cut_leaves_a_state_that_was() {
    assert_eq!(cut_often(Order::SyncFirst, 0..300), [""; 0]);
}

/// The long form, of `scripts/torture`.
#[test]
#[ignore = "ten thousand power cuts: minutes"]
#[expect(clippy::print_stdout, reason = "the figure is the point")]
fn ten_thousand_power_cuts() {
    let from_environment = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = from_environment("TORTURE_SEED").unwrap_or(0);
    let cases: u64 = from_environment("TORTURE_CASES").unwrap_or(10_000);
    let whole = undisturbed(Order::SyncFirst);
    let threads = 2;
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let part = |thread: u64| {
            let whole = &whole;
            let seeds = (thread..cases)
                .step_by(threads as usize)
                .map(move |case| (first << 32) + case);
            scope.spawn(move || seeds.filter_map(|seed| case(whole, seed).err()).collect::<Vec<_>>())
        };
        let workers: Vec<_> = (0..threads).map(part).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    println!("passed {}/{cases}", cases - wrong.len() as u64);
    for complaint in &wrong {
        println!("failed {complaint}");
    }
    assert!(wrong.is_empty());
}

#[test]
fn syncing_after_the_rename_would_be_seen() {
    let wrong = cut_often(Order::SyncLast, 0..150);
    assert!(wrong.len() > 5, "{} of 150", wrong.len());
}

#[test]
fn what_was_synced_lasts_and_the_rest_may_not() {
    let path = |text: &str| std::path::PathBuf::from(text);
    let write = |file: usize, name: &str| Change::Write {
        file,
        path: path(name),
        bytes: b"bytes".to_vec(),
    };
    let changes = [
        write(0, "kept"),
        Change::Sync { file: 0 },
        Change::SyncDir { path: path("") },
        write(1, "loose"),
        Change::Rename {
            from: path("kept"),
            to: path("renamed"),
        },
    ];
    let (mut names, mut contents) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..200 {
        let tree = after(&changes, &mut generator(seed));
        let kept: Vec<&Vec<u8>> = ["kept", "renamed"]
            .iter()
            .filter_map(|name| tree.files.get(&path(name)))
            .collect();
        assert_eq!(kept, [b"bytes"], "under one of its names, never both or none");
        *names.entry(tree.files.contains_key(&path("renamed"))).or_insert(0) += 1;
        *contents.entry(tree.files.get(&path("loose")).cloned()).or_insert(0) += 1;
    }
    assert_eq!(names.len(), 2);
    // Not there, whole, empty, and several that are garbled.
    assert!(contents.len() > 5, "{contents:?}");
}
