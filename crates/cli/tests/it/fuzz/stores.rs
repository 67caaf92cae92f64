//! What a sweep left on disk: its store, its checkpoint, its model.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gradsweep_report::{Query, compare, html, open, show};
use gradsweep_runner::event::{Event, Observer, Silent};
use gradsweep_runner::resume::{ResumeRequest, resume};
use gradsweep_runner::stop::StopFlag;
use gradsweep_runner::sweep::{self, Request};
use gradsweep_runner::{RunError, config, predict};
use gradsweep_store::{Model, RunId, Store, StoreError, StoreWriter, best_model};

use super::driver::{Hunt, said_by_program};
use super::mutate::Draw;
use super::seal::{Seal, reseal};

/// Files of a folder and those below it, by their paths in it.
type Files = Vec<(PathBuf, Vec<u8>)>;

fn files(dir: &Path) -> Files {
    fn collect(dir: &Path, below: &Path, files: &mut Files) {
        let mut paths: Vec<PathBuf> = fs::read_dir(dir)
            .expect("readable")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            let own = below.join(path.file_name().expect("a name"));
            if path.is_dir() {
                collect(&path, &own, files);
            } else {
                files.push((own, fs::read(&path).expect("readable")));
            }
        }
    }
    let mut found = Files::new();
    collect(dir, Path::new(""), &mut found);
    found
}

fn lay_out(files: &Files, dir: &Path) {
    for (path, bytes) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().expect("below the directory")).expect("made");
        fs::write(path, bytes).expect("written");
    }
}

/// A small finished sweep, and one that was stopped inside its runs; with the table both are of.
struct Sample {
    dir: tempfile::TempDir,
    finished: Files,
    stopped: Files,
}

/// Asks for a stop at the end of an epoch.
struct StopAt<'a>(u32, &'a StopFlag);

impl Observer for StopAt<'_> {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::EpochFinished { epoch, .. } if *epoch == self.0) {
            self.1.ask();
        }
    }
}

fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let data = dir.path().join("data.csv");
        let mut table = "x,u,k,y\n".to_owned();
        for row in 0..80_u32 {
            let label = if (row * 7 + row / 9) % 5 < 2 { "yes" } else { "no" };
            let level = ["a", "b", "c"][(row % 7 % 3) as usize];
            writeln!(table, "{},{},{level},{label}", row * 31 % 17, row % 9).expect("a String");
        }
        fs::write(&data, table).expect("written");
        let make = |name: &str, stop: Option<u32>| {
            let store = dir.path().join(name);
            let text = format!(
                "version = 1\n[data]\ntrain = {:?}\ntarget = \"y\"\n[validation]\nfolds = 2\n[train]\nepochs = 5\nbatch_rows = 16\n\
                 early_stopping = {{ patience = 3 }}\n\
                 [sweep.parameters]\ntrain.solver = [\"adam\", \"sgd\"]\nmodel.C = [0.1, 1.0]\n[run]\nthreads = 1\n[output]\ndir = {:?}\n",
                data.display().to_string(),
                store.display().to_string()
            );
            let config = config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
            let request = Request { config, text, rows: None };
            let flag = StopFlag::default();
            match sweep::run_until(&request, &flag, &StopAt(stop.unwrap_or(99), &flag), &|_, _| ()) {
                Ok(_) => assert_eq!(stop, None),
                Err(RunError::Stopped { .. }) => assert!(stop.is_some()),
                Err(error) => panic!("{error}"),
            }
            files(&store)
        };
        let (finished, stopped) = (make("finished", None), make("stopped", Some(2)));
        Sample { dir, finished, stopped }
    })
}

/// Everything that a store says, as text.
fn said(store: &Store) -> Result<String, StoreError> {
    let rows = store.runs()?;
    let runs: Vec<RunId> = rows.iter().map(|row| row.run).collect();
    let (trials, history, coefficients) = (store.trials()?, store.history_of(&runs)?, store.coefficients_of(&runs)?);
    let (plan, predictions) = (store.plan()?, store.predictions()?);
    Ok(format!(
        "{trials:?} {rows:?} {history:?} {coefficients:?} {plan:?} {predictions:?}"
    ))
}

/// The files of a store that its readers read, with their seals.
fn seal_of(path: &Path) -> Option<Seal> {
    match path.extension()?.to_str()? {
        "parquet" => Some(Seal::Parquet),
        "json" if path.ends_with("manifest.json") => Some(Seal::Header),
        _ => None,
    }
}

pub(super) fn parts_and_manifest(hunt: &Hunt) {
    let sample = sample();
    let victims: Files = sample
        .finished
        .iter()
        .filter(|(path, _)| seal_of(path).is_some())
        .cloned()
        .collect();
    let whole = said(&Store::open(&sample.dir.path().join("finished")).expect("whole")).expect("readable");
    // What is mutated is chosen by the case, so the corpus is of one empty input.
    hunt.run(&[Vec::new()], &[], |_, draw| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let dir = scratch.path().join("store");
        let mut own = sample.finished.clone();
        let (path, bytes) = draw.choice(&victims);
        let mut mutated = super::mutate::mutate(
            std::slice::from_ref(bytes),
            &["gradsweep", "log_loss", "\u{0}", "{", "null"],
            draw,
        );
        let seal = seal_of(path).expect("one of those");
        let is_resealed = draw.is_heads();
        if is_resealed {
            reseal(&mut mutated, seal);
        }
        // Half of the stores have no tables, so that their parts are read.
        let is_of_parts = draw.is_heads();
        own.retain(|(other, _)| other != path && !(is_of_parts && other.components().count() == 1 && is_table(other)));
        own.push((path.clone(), mutated));
        lay_out(&own, &dir);
        if is_resealed && seal == Seal::Parquet {
            // A decoder may ask for more memory than there is, which only the program itself survives.
            return [
                &["compare", "store"][..],
                &["show", "store", "best"],
                &["report", "store"],
            ]
            .iter()
            .try_for_each(|verb| said_by_program(scratch.path(), verb, &[0, 2, 4]));
        }
        read_and_go_on(&dir, (!is_resealed).then_some(whole.as_str()))
    });
}

fn is_table(path: &Path) -> bool {
    ["trials", "runs", "history", "coefficients"]
        .iter()
        .any(|name| path.file_stem().is_some_and(|stem| stem == *name))
}

/// Reads a store as every reader does, and opens it as a writer; what a reader says of one that was damaged is an error or
/// what it said before.
fn read_and_go_on(dir: &Path, whole: Option<&str>) -> Result<(), String> {
    let Ok(store) = Store::open(dir) else {
        return Ok(());
    };
    let found = said(&store);
    if let (Ok(found), Some(whole)) = (&found, whole)
        && found != whole
    {
        return Err("a damaged store says something else and no error".to_owned());
    }
    store.files().ok();
    if let Ok(sweeps) = open(&[dir.to_path_buf()]) {
        compare(&sweeps, &Query::default()).ok();
        show(&sweeps[0].store, None).ok();
        show(&sweeps[0].store, Some("best")).ok();
        html(&sweeps, None).ok();
    }
    if let Ok(plan) = store.plan() {
        let manifest = store.manifest().clone();
        if let Ok((writer, _)) = StoreWriter::extend(dir, &manifest, "", "", &plan) {
            writer.finish().ok();
        }
    }
    Ok(())
}

pub(super) fn checkpoint(hunt: &Hunt) {
    let sample = sample();
    let is_checkpoint = |path: &Path| path.starts_with("checkpoints");
    let (checkpoints, rest): (Files, Files) = sample
        .stopped
        .iter()
        .cloned()
        .partition(|(path, _)| is_checkpoint(path));
    let finished = said(&Store::open(&sample.dir.path().join("finished")).expect("whole")).expect("readable");
    let [_, ..] = checkpoints.as_slice() else {
        panic!("the stopped sweep has no checkpoint");
    };
    hunt.run(&[Vec::new()], &[], |_, draw| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let dir = scratch.path().join("store");
        let mut own = rest.clone();
        let (path, bytes) = draw.choice(&checkpoints);
        let mut mutated = super::mutate::mutate(
            std::slice::from_ref(bytes),
            &["blocks", "weights", "numbers", "[", "0", "log_loss"],
            draw,
        );
        if draw.below(3) == 0 {
            poke_number(&mut mutated, draw);
        }
        let is_resealed = draw.is_heads();
        if is_resealed {
            reseal(&mut mutated, Seal::Header);
        }
        own.extend(checkpoints.iter().filter(|(other, _)| other != path).cloned());
        own.push((path.clone(), mutated));
        lay_out(&own, &dir);
        let request = ResumeRequest {
            store: dir.clone(),
            threads: Some(1),
            more: None,
            retry_failed: false,
        };
        let summary = resume(&request, &Silent, &|_, _| ()).map_err(|error| error.to_string())?;
        if summary.failures.iter().any(|sentence| sentence.contains("panic")) {
            return Err(format!("{:?}", summary.failures));
        }
        let again = said(&Store::open(&dir).map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        if !is_resealed && without_seconds(&again) != without_seconds(&finished) {
            return Err("a damaged checkpoint changes the tables".to_owned());
        }
        Ok(())
    });
}

/// Another number among those of a safetensors file.
fn poke_number(bytes: &mut [u8], draw: &mut Draw) {
    let Some(header) = bytes
        .first_chunk::<8>()
        .map(|length| u64::from_le_bytes(*length) as usize)
    else {
        return;
    };
    let numbers = bytes.len().saturating_sub(header.saturating_add(8)) / 8;
    if numbers > 0 {
        let at = header + 8 + 8 * draw.below(numbers);
        let number = *draw.choice(&[0.0, 1.0, 2.0, 3.0, 5.0, 1e6, -1.0, 0.5, f64::NAN, f64::INFINITY]);
        bytes[at..at + 8].copy_from_slice(&f64::to_le_bytes(number));
    }
}

/// Times differ each time.
fn without_seconds(text: &str) -> String {
    let mut pieces = text.split("seconds: ");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        text + piece.trim_start_matches(|c: char| c.is_ascii_digit() || ".e-".contains(c))
    })
}

pub(super) fn model(hunt: &Hunt) {
    let sample = sample();
    let source = best_model(&sample.dir.path().join("finished"));
    let whole = files(&source);
    let expected = Model::read(&source).expect("whole");
    let data = sample.dir.path().join("data.csv").display().to_string();
    let words = [
        "null",
        "[]",
        "{}",
        "0",
        "-1",
        "1e999",
        "\"\"",
        "feature",
        "levels",
        "\"Numeric\"",
        ", ",
    ];
    let places: Vec<&(PathBuf, Vec<u8>)> = whole.iter().filter(|(path, _)| !path.ends_with("README.md")).collect();
    hunt.run(&[Vec::new()], &[], |_, draw| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let dir = scratch.path().join("model");
        let mut own = whole.clone();
        let (path, bytes) = draw.choice(&places);
        let mut mutated = super::mutate::mutate(std::slice::from_ref(bytes), &words, draw);
        let is_resealed = draw.is_heads();
        own.retain(|(other, _)| other != path);
        if is_resealed && path.ends_with("model.json") {
            reseal(&mut mutated, Seal::Model);
            own.push((path.clone(), mutated));
        } else if is_resealed {
            own = renamed(own, path, mutated);
        } else {
            own.push((path.clone(), mutated));
        }
        lay_out(&own, &dir);
        let Ok(found) = Model::read(&dir) else {
            return Ok(());
        };
        if !is_resealed && found != expected {
            return Err("a damaged model is read as another one".to_owned());
        }
        let out = scratch.path().join("scores.csv");
        predict::predict(&dir, std::slice::from_ref(&data), &out).ok();
        Ok(())
    });
}

/// The files of a model whose numbers are others: their file is called by its hash, which `model.json` knows.
fn renamed(mut own: Files, path: &Path, numbers: Vec<u8>) -> Files {
    let before = path.file_name().expect("a name").to_string_lossy().into_owned();
    let (stem, ending) = before.split_once('.').expect("an ending");
    let after = format!("{}.{ending}", &blake3::hash(&numbers).to_hex()[..stem.len()]);
    for (path, bytes) in &mut own {
        if path.ends_with("model.json") {
            let text = String::from_utf8(bytes.clone()).expect("JSON");
            let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            json["weights"]["file"] = after.clone().into();
            json["weights"]["bytes"] = numbers.len().into();
            let text = serde_json::to_string_pretty(&json).expect("JSON");
            *bytes = text.into_bytes();
            reseal(bytes, Seal::Model);
        }
    }
    own.push((after.into(), numbers));
    own
}
