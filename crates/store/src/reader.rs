//! Reads a store, finished or not.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Damage, StoreError};
use crate::frame::Frame;
use crate::layout;
use crate::manifest::{Manifest, probe};
use crate::parts::{self, PartFile};
use crate::plan::PlanTable;
use crate::rows::{RunRow, TrialTable, coefficients, history};
use crate::run::{CoefficientRow, HistoryRow, Name, RunId, Split};
use crate::sealed::{self, Notes};
use crate::tables::{self, Gathered, MADE_FROM, Wanted};

/// How often a reader starts over when a writer merges parts under its hands.
const ATTEMPTS: usize = 3;

/// One sweep on disk. Needs no lock: every file it reads is either there as a whole or not at all.
///
/// Where the tables are absent or older than the parts (a sweep that is running or was stopped), they are made in memory.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    manifest: Manifest,
}

impl Store {
    /// Opens the sweep in `dir`.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let manifest = probe(dir)?.ok_or_else(|| StoreError::NoStore { dir: dir.to_path_buf() })?;
        Ok(Self {
            dir: dir.to_path_buf(),
            manifest,
        })
    }

    /// The store's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What was run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The config as it was written.
    pub fn config_text(&self) -> Result<String, StoreError> {
        self.text(layout::CONFIG)
    }

    /// The config with every key.
    pub fn resolved_text(&self) -> Result<String, StoreError> {
        self.text(layout::RESOLVED)
    }

    /// Every trial and run as planned.
    pub fn plan(&self) -> Result<PlanTable, StoreError> {
        PlanTable::read(&self.dir.join(layout::PLAN))
    }

    /// The trials, by number.
    pub fn trials(&self) -> Result<TrialTable, StoreError> {
        if let Some(frame) = self.table(layout::TRIALS)? {
            return tables::trials_from(&frame, &self.manifest);
        }
        let (plan, gathered) = self.gather(Wanted::Records)?;
        Ok(tables::rank(&plan, &self.manifest, &gathered.runs))
    }

    /// The runs, by trial, fold, repeat, restart.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        if let Some(frame) = self.table(layout::RUNS)? {
            return tables::runs_from(&frame);
        }
        Ok(self.gather(Wanted::Records)?.1.runs)
    }

    /// The scores of one run by epoch, split and metric.
    pub fn history(&self, run: RunId) -> Result<Vec<HistoryRow>, StoreError> {
        self.history_of(&[run])
    }

    /// The scores of some runs by epoch, split and metric, the runs in the order of the tables.
    pub fn history_of(&self, runs: &[RunId]) -> Result<Vec<HistoryRow>, StoreError> {
        let Some(frame) = self.table(layout::HISTORY)? else {
            return Ok(self.gather(Wanted::Of(runs))?.1.history_rows());
        };
        let epochs = frame.u32(history::EPOCH)?;
        let splits = frame.str(history::SPLIT)?;
        let metrics = frame.str(history::METRIC)?;
        let values = frame.f64(history::VALUE)?;
        let mut names = Interned::default();
        let rows = rows_of(&frame, runs)?.into_iter().map(|(row, run)| {
            let word = splits.get(row);
            let split = word
                .and_then(Split::parse)
                .ok_or_else(|| frame.bad_cell(history::SPLIT, row, word))?;
            Ok(HistoryRow {
                run,
                epoch: epochs.get(row).unwrap_or(0),
                split,
                metric: names.share(metrics.get(row).unwrap_or("")),
                value: values.get(row).unwrap_or(f64::NAN),
            })
        });
        rows.collect()
    }

    /// The coefficients of one run, in the order of the features.
    pub fn coefficients(&self, run: RunId) -> Result<Vec<CoefficientRow>, StoreError> {
        self.coefficients_of(&[run])
    }

    /// The coefficients of some runs, in each in the order of the features, the runs in the order of the tables.
    pub fn coefficients_of(&self, runs: &[RunId]) -> Result<Vec<CoefficientRow>, StoreError> {
        let Some(frame) = self.table(layout::COEFFICIENTS)? else {
            return Ok(self.gather(Wanted::Of(runs))?.1.coefficient_rows());
        };
        let features = frame.str(coefficients::FEATURE)?;
        let values = frame.f64(coefficients::COEFFICIENT)?;
        let standardized = frame.f64(coefficients::STANDARDIZED)?;
        let rows = rows_of(&frame, runs)?.into_iter();
        let rows = rows.map(|(row, run)| CoefficientRow {
            run,
            feature: features.get(row).unwrap_or("").into(),
            coefficient: values.get(row).unwrap_or(f64::NAN),
            coefficient_standardized: standardized.get(row).unwrap_or(f64::NAN),
        });
        Ok(rows.collect())
    }

    /// The store's files with their sizes in bytes, by name; a folder counts as one.
    pub fn files(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut files = Vec::new();
        for path in layout::entries(&self.dir)? {
            let name = layout::file_name(&path);
            if name.starts_with('.') || name == layout::LOCK {
                continue;
            }
            if path.is_dir() {
                let held = layout::entries(&path)?;
                let bytes = held.iter().map(|path| size_of(path)).sum();
                files.push((format!("{name}/"), bytes));
            } else {
                files.push((name.to_owned(), size_of(&path)));
            }
        }
        Ok(files)
    }

    /// Whether all four tables are there and made from the plan and the parts that are there: a process that was killed
    /// after its last part leaves a store whose results are safe and whose tables are still to be made.
    pub fn has_tables(&self) -> Result<bool, StoreError> {
        let mut names = [layout::TRIALS, layout::RUNS, layout::HISTORY, layout::COEFFICIENTS].into_iter();
        names.try_fold(true, |all, name| Ok(all && self.current_notes(name)?.is_some()))
    }

    /// The texts beside a table's rows, if it is there and made from the plan and the parts that are there.
    pub(crate) fn current_notes(&self, name: &str) -> Result<Option<Notes>, StoreError> {
        let path = self.dir.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let notes = sealed::read_notes(&path)?;
        let wanted = made_from(&self.manifest, &parts::list(&self.dir)?);
        Ok((notes.get(MADE_FROM) == Some(&wanted)).then_some(notes))
    }

    /// A table, if it is there and made from the plan and the parts that are there.
    pub(crate) fn table(&self, name: &str) -> Result<Option<Frame>, StoreError> {
        let path = self.dir.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let frame = Frame::read(&path)?;
        let wanted = made_from(&self.manifest, &parts::list(&self.dir)?);
        Ok((frame.note(MADE_FROM) == Some(&wanted)).then_some(frame))
    }

    fn gather(&self, wanted: Wanted<'_>) -> Result<(PlanTable, Gathered), StoreError> {
        let plan = self.plan()?;
        let metrics = self.manifest.metrics.iter();
        let metrics: Vec<Name> = metrics.map(|metric| metric.name.as_str().into()).collect();
        let mut attempt = 1;
        loop {
            let files = parts::list(&self.dir)?;
            match Gathered::read(&plan, &files, &metrics, wanted) {
                Ok(gathered) => match self.lost(&files, &gathered) {
                    None => return Ok((plan, gathered)),
                    // A writer that merges may have been seen half way.
                    Some(_) if attempt < ATTEMPTS => {}
                    Some(path) => {
                        return Err(StoreError::Damaged {
                            path,
                            source: Damage::Gone,
                        });
                    }
                },
                Err(error) if error.is_gone() && attempt < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// A part that is gone and whose runs have no record elsewhere, if there is one.
    fn lost(&self, files: &[PartFile], gathered: &Gathered) -> Option<PathBuf> {
        if gathered.runs.iter().all(|row| row.record.is_some()) {
            return None;
        }
        parts::gone(&self.dir, files, gathered.standing.as_deref())
            .into_iter()
            .next()
    }

    fn text(&self, name: &str) -> Result<String, StoreError> {
        let path = self.dir.join(name);
        let bytes = layout::read(&path)?;
        String::from_utf8(bytes).map_err(|_| StoreError::Damaged {
            path,
            source: Damage::NotText,
        })
    }
}

/// What tables are made from, as a text: the plan, the metrics, and the parts, whose numbers never come back.
pub(crate) fn made_from(manifest: &Manifest, files: &[PartFile]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(manifest.plan_hash.as_bytes());
    hasher.update(b"\n");
    hasher.update(manifest.select.as_bytes());
    if tables::is_one_se(manifest) {
        hasher.update(b"\n1se");
    }
    for metric in &manifest.metrics {
        hasher.update(b"\n");
        hasher.update(metric.name.as_bytes());
        hasher.update(&[u8::from(metric.higher_is_better)]);
    }
    for file in files {
        hasher.update(&file.number.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// The rows of a long table that are of some runs, each with its run, in the order of the table.
fn rows_of(frame: &Frame, runs: &[RunId]) -> Result<Vec<(usize, RunId)>, StoreError> {
    let wanted: HashMap<String, RunId> = runs.iter().map(|run| (run.to_string(), *run)).collect();
    let rows = frame.str(history::RUN)?.iter().enumerate();
    Ok(rows
        .filter_map(|(row, held)| Some((row, *wanted.get(held?)?)))
        .collect())
}

/// What a file holds; nothing if it has gone meanwhile.
fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Shares equal names.
#[derive(Default)]
struct Interned(Vec<Name>);

impl Interned {
    fn share(&mut self, text: &str) -> Name {
        if let Some(name) = self.0.iter().find(|name| &***name == text) {
            return name.clone();
        }
        let name: Name = text.into();
        self.0.push(name.clone());
        name
    }
}
