//! Writes a store: creation, parts, tables.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::atomic;
use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::disk::{Disk, disk};
use crate::error::StoreError;
use crate::layout;
use crate::lock::Lock;
use crate::manifest::{Manifest, MetricInfo, probe};
use crate::parts::{self, PartWriter};
use crate::plan::PlanTable;
use crate::reader::made_from;
use crate::rows::{TrialRow, TrialTable};
use crate::run::{Name, Part, RunId, RunState};
use crate::sealed;
use crate::tables::{self, Gathered, MADE_FROM, Wanted};

/// The one process that writes a store. Holds its lock until it is dropped or finished.
#[derive(Debug)]
pub struct StoreWriter {
    dir: PathBuf,
    manifest: Manifest,
    plan: PlanTable,
    parts: PartWriter,
    checkpoints: Checkpoints,
    _lock: Lock,
}

/// What an existing store brings into its continuation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kept {
    /// Runs of the new plan that are done.
    pub finished: BTreeSet<RunId>,
    /// Parts that could not be used; their runs are not in `finished` and have to be done again.
    pub set_aside: Vec<SetAside>,
}

/// A part that could not be used.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAside {
    /// Where it lies now, or lay.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What the tables hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// Trials.
    pub trials: usize,
    /// Runs, of whatever state.
    pub runs: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Runs the search stopped.
    pub pruned: usize,
    /// Runs without a record.
    pub waiting: usize,
    /// Runs that are complete, but did not converge.
    pub unconverged: usize,
    /// Rows of the history.
    pub history: usize,
    /// Rows of the coefficients.
    pub coefficients: usize,
    /// Bytes of the four tables.
    pub bytes: u64,
    /// The metrics, in the order of the trials' scores.
    pub metrics: Vec<MetricInfo>,
    /// The sweep's choice.
    pub best: Option<TrialRow>,
}

impl StoreWriter {
    /// Makes `dir` a store. It may exist, but must not hold a sweep.
    pub fn create(
        dir: &Path,
        manifest: &Manifest,
        config_text: &str,
        resolved_text: &str,
        plan: &PlanTable,
    ) -> Result<Self, StoreError> {
        let lock = open_dir(dir)?;
        if dir.join(layout::MANIFEST).exists() {
            return Err(StoreError::Exists { dir: dir.to_path_buf() });
        }
        Self::begin(dir, lock, manifest, [config_text, resolved_text], plan)
    }

    /// Continues the sweep in `dir` under a new plan: parts stay, everything else is replaced where it differs.
    pub fn extend(
        dir: &Path,
        manifest: &Manifest,
        config_text: &str,
        resolved_text: &str,
        plan: &PlanTable,
    ) -> Result<(Self, Kept), StoreError> {
        if probe(dir)?.is_none() {
            return Err(StoreError::NoStore { dir: dir.to_path_buf() });
        }
        let lock = open_dir(dir)?;
        layout::remove_temporaries(dir)?;
        let (parts, held, rejected) = PartWriter::open(dir)?;
        let texts = [config_text, resolved_text];
        let writer = Self::describe(dir, lock, manifest, texts, plan, parts)?;
        let planned = plan.runs.iter().map(|run| run.run);
        let set_aside = rejected.into_iter().map(|rejected| SetAside {
            path: rejected.path,
            why: causes(&rejected.error),
        });
        let kept = Kept {
            finished: planned.filter(|run| held.contains(run)).collect(),
            set_aside: set_aside.collect(),
        };
        Ok((writer, kept))
    }

    /// Removes the sweep in `dir`, if there is one, and makes a new one. Refuses, with nothing removed, if `dir` holds anything that no sweep
    /// wrote.
    pub fn replace(
        dir: &Path,
        manifest: &Manifest,
        config_text: &str,
        resolved_text: &str,
        plan: &PlanTable,
    ) -> Result<Self, StoreError> {
        let is_store = probe(dir)?.is_some();
        let lock = open_dir(dir)?;
        if is_store {
            let lock_file = dir.join(layout::LOCK);
            for path in layout::own_entries(dir)? {
                if path.is_dir() {
                    disk().remove_dir(&path).map_err(|source| StoreError::Io {
                        action: "remove",
                        path,
                        source,
                    })?;
                } else if path != lock_file {
                    layout::remove_file(&path)?;
                }
            }
        }
        Self::begin(dir, lock, manifest, [config_text, resolved_text], plan)
    }

    fn begin(
        dir: &Path,
        lock: Lock,
        manifest: &Manifest,
        texts: [&str; 2],
        plan: &PlanTable,
    ) -> Result<Self, StoreError> {
        layout::remove_temporaries(dir)?;
        PartWriter::set_all_aside(dir)?;
        // Tables of a sweep that has lost its manifest would miss its parts.
        for table in layout::TABLES {
            let path = dir.join(table);
            if path.exists() {
                layout::remove_file(&path)?;
            }
        }
        let (parts, ..) = PartWriter::open(dir)?;
        Self::describe(dir, lock, manifest, texts, plan, parts)
    }

    /// Writes what says what the sweep is; the manifest last, for it makes the directory a store.
    fn describe(
        dir: &Path,
        lock: Lock,
        manifest: &Manifest,
        [config, resolved]: [&str; 2],
        plan: &PlanTable,
        parts: PartWriter,
    ) -> Result<Self, StoreError> {
        atomic::write_if_changed(&dir.join(layout::CONFIG), config.as_bytes())?;
        atomic::write_if_changed(&dir.join(layout::RESOLVED), resolved.as_bytes())?;
        let mut writer = Self {
            dir: dir.to_path_buf(),
            manifest: Manifest::default(),
            plan: PlanTable::default(),
            parts,
            checkpoints: Checkpoints::new(dir),
            _lock: lock,
        };
        writer.set_plan(manifest, plan)?;
        Ok(writer)
    }

    /// Replaces the plan, for instance by one with more trials, and the manifest, which names it.
    pub fn set_plan(&mut self, manifest: &Manifest, plan: &PlanTable) -> Result<(), StoreError> {
        let plan = plan.clone().sorted();
        let path = self.dir.join(layout::PLAN);
        let bytes = plan
            .to_frame()
            .and_then(|frame| sealed::encode_one(frame, &[]))
            .map_err(|source| StoreError::Encode {
                path: path.clone(),
                source,
            })?;
        atomic::write_if_changed(&path, &bytes)?;
        self.plan = plan;
        self.set_manifest(manifest)
    }

    /// The store's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Replaces the manifest, for instance when the actual cost is known.
    pub fn set_manifest(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        let path = self.dir.join(layout::MANIFEST);
        atomic::write_if_changed(&path, &manifest.to_bytes(&path)?)?;
        self.manifest = manifest.clone();
        Ok(())
    }

    /// Records finished runs. When this returns they are on disk.
    ///
    /// # Panics
    /// If a row of the history or of the coefficients belongs to a run that has no record in the same part.
    pub fn append(&mut self, part: &Part) -> Result<(), StoreError> {
        let recorded: HashSet<RunId> = part.runs.iter().map(|record| record.run).collect();
        let of_history = part.history.iter().map(|row| row.run);
        let of_coefficients = part.coefficients.iter().map(|row| row.run);
        let mut last = None;
        for run in of_history.chain(of_coefficients) {
            // The rows of a run mostly lie together.
            assert!(
                last == Some(run) || recorded.contains(&run),
                "run {run} has no record in its part"
            );
            last = Some(run);
        }
        if part.runs.is_empty() {
            return Ok(());
        }
        self.parts.append(part)
    }

    /// Writes how a cohort stands, beside the state before that; the older of the two goes. When this returns it is on disk.
    pub fn write_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.checkpoints.write(checkpoint, self.parts.last())
    }

    /// Writes the last state of a cohort whose runs are all recorded, from which more epochs would go on.
    pub fn finish_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.checkpoints.finish(checkpoint, self.parts.last())
    }

    /// The newest checkpoint of every cohort that can be read.
    pub fn read_checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.checkpoints.read()
    }

    /// Removes the checkpoints of a cohort whose runs are all recorded.
    pub fn remove_checkpoints(&mut self, cohort: &str) -> Result<(), StoreError> {
        self.checkpoints.remove(cohort)
    }

    /// Makes the tables and lets go of the directory.
    pub fn finish(self) -> Result<Written, StoreError> {
        self.write_tables()
    }

    /// Makes the tables from plan and parts, `trials.parquet` last. Runs without a record are `waiting` in them.
    pub fn write_tables(&self) -> Result<Written, StoreError> {
        let metrics: Vec<Name> = self
            .manifest
            .metrics
            .iter()
            .map(|metric| metric.name.as_str().into())
            .collect();
        let files = parts::list(&self.dir)?;
        let source = made_from(&self.manifest, &files);
        let gathered = Gathered::read(&self.plan, &files, &metrics, Wanted::All)?;
        let trials = tables::rank(&self.plan, &self.manifest, &gathered.runs);
        let standing = parts::numbers(files.iter());
        let notes = [(MADE_FROM, source.as_str()), (parts::STANDING, standing.as_str())];
        let runs = tables::runs_frame(&gathered.runs, &metrics).and_then(|frame| sealed::encode_one(frame, &notes));
        let ranked = tables::trials_frame(&trials).and_then(|frame| sealed::encode_one(frame, &notes));
        let mut bytes = 0;
        for (name, encoded) in [
            (layout::RUNS, runs),
            (layout::HISTORY, tables::history_bytes(&gathered, &source)),
            (layout::COEFFICIENTS, tables::coefficients_bytes(&gathered, &source)),
            (layout::TRIALS, ranked),
        ] {
            let path = self.dir.join(name);
            let encoded = encoded.map_err(|source| StoreError::Encode {
                path: path.clone(),
                source,
            })?;
            bytes += encoded.len() as u64;
            atomic::write_if_changed(&path, &encoded)?;
        }
        Ok(summarize(&gathered, &trials, bytes))
    }
}

fn summarize(gathered: &Gathered, trials: &TrialTable, bytes: u64) -> Written {
    let mut written = Written {
        trials: trials.rows.len(),
        runs: gathered.runs.len(),
        history: gathered.history.len(),
        coefficients: gathered.coefficients.len(),
        bytes,
        metrics: trials.metrics.clone(),
        best: trials.selected().cloned(),
        ..Written::default()
    };
    for row in &gathered.runs {
        match &row.record {
            None => written.waiting += 1,
            Some(record) => match record.state {
                RunState::Failed => written.failed += 1,
                RunState::Pruned => written.pruned += 1,
                RunState::Complete => written.unconverged += usize::from(!record.converged),
            },
        }
    }
    written
}

/// Removes the temporary files that a killed process left in `dir`, unless somebody writes there or nothing may be written.
pub fn tidy(dir: &Path) -> Result<(), StoreError> {
    if layout::temporaries(dir)?.is_empty() {
        return Ok(());
    }
    // They do no harm where they have to stay.
    Lock::take(dir).and_then(|_lock| layout::remove_temporaries(dir)).ok();
    Ok(())
}

/// An error that names the holder where another process writes to `dir`. Takes nothing: a look before long work.
pub fn check_free(dir: &Path) -> Result<(), StoreError> {
    Lock::check(dir)
}

/// Makes sure `dir` is a directory, and takes its lock.
fn open_dir(dir: &Path) -> Result<Lock, StoreError> {
    if dir.exists() && !dir.is_dir() {
        return Err(StoreError::NotADirectory {
            path: dir.to_path_buf(),
        });
    }
    layout::make_dir(dir)?;
    Lock::take(dir)
}

/// The error and what caused it, in one line.
fn causes(error: &StoreError) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
