//! What the output directory holds already, and what that means for the sweep.

use std::collections::BTreeSet;

use gradsweep_data::Dataset;
use gradsweep_math::Real;
use gradsweep_store::{self as store, Manifest, StoreWriter};

use super::Job;
use crate::config::{Config, IfExists};
use crate::dataset::shape_of;
use crate::error::RunError;
use crate::more_epochs::{self, Longer, TakenOver};
use crate::oof;
use crate::plan::Plan;
use crate::refit::{self, Refitted};
use crate::resume;

/// A store to write into, or the word that it is full.
pub(super) enum Opened {
    Writer {
        writer: Box<StoreWriter>,
        /// What the store brings along.
        kept: store::Kept,
        /// Runs that the store's plan has had before.
        known: BTreeSet<store::RunId>,
        /// How a sweep with fewer epochs was taken over.
        longer: Option<Longer>,
    },
    /// With the runs that the store has.
    NothingToDo(Refitted, Vec<store::RunRow>),
}

/// Creates, extends, replaces or refuses the output directory.
pub(super) fn open<T: Real>(
    job: &Job<'_>,
    config: &Config,
    stored: Option<&Manifest>,
    manifest: &Manifest,
    plan: &Plan,
    data: &Dataset<T>,
) -> Result<Opened, RunError> {
    let (request, dir) = (job.request, job.dir.as_path());
    let resolved = job.resolved.clone().unwrap_or_else(|| config.resolved_toml());
    let resolved = resolved.as_str();
    let table = plan.table(&data.folds.labels);
    let fresh = |writer: StoreWriter| Opened::Writer {
        writer: Box::new(writer),
        kept: store::Kept::default(),
        known: BTreeSet::new(),
        longer: None,
    };
    let Some(stored) = stored else {
        return match StoreWriter::create(dir, manifest, &request.text, resolved, &table) {
            // Another process has made it, and ended, since this one looked.
            Err(store::StoreError::Exists { .. }) if store::probe(dir)?.is_some() => {
                open(job, config, store::probe(dir)?.as_ref(), manifest, plan, data)
            }
            writer => Ok(fresh(writer?)),
        };
    };
    if config.output.if_exists == IfExists::Replace {
        return Ok(fresh(StoreWriter::replace(
            dir,
            manifest,
            &request.text,
            resolved,
            &table,
        )?));
    }
    let keys = stored.changed_keys(&manifest.keys);
    let mut changed: Vec<String> = keys.iter().map(ToString::to_string).collect();
    if stored.fingerprint != manifest.fingerprint {
        changed.push("the data's content".to_owned());
    } else if let Some(epochs) = more_epochs::before(&keys) {
        let of = (shape_of(data), manifest.fingerprint.as_str());
        match more_epochs::take_over::<T>(dir, (config, plan), of, epochs)? {
            TakenOver::Not(reason) => changed.push(reason),
            TakenOver::As(longer) => {
                let (writer, kept) = StoreWriter::extend(dir, manifest, &request.text, resolved, &table)?;
                return Ok(Opened::Writer {
                    writer: Box::new(writer),
                    kept,
                    known: plan.runs.iter().map(|run| run.id).collect(),
                    longer: Some(longer),
                });
            }
        }
    }
    let open = store::Store::open(dir)?;
    let mut is_plan_there = true;
    let old = match open.plan() {
        // It is made again below, from the config; what has been recorded of its runs counts by their ids.
        Err(error) if error.is_lost() => {
            is_plan_there = false;
            store::PlanTable {
                runs: plan.table(&data.folds.labels).runs,
                ..store::PlanTable::default()
            }
        }
        old => old?,
    };
    let wanted: std::collections::BTreeSet<_> = plan.runs.iter().map(|run| run.id).collect();
    let is_halved = config.sweep.halving.is_some() || config.sweep.hyperband.is_some();
    if is_halved && changed.is_empty() && old.runs.len() < plan.runs.len() {
        changed.push("more trials: those that a rung has ended were compared with fewer".to_owned());
    }
    let dropped = old.runs.iter().filter(|run| !wanted.contains(&run.run)).count();
    if changed.is_empty() && dropped > 0 {
        changed.push(format!(
            "sweep.parameters, sweep.trials, repeats or restarts: {dropped} of the stored runs are no longer in the plan"
        ));
    }
    if !changed.is_empty() {
        return Err(RunError::Changed {
            dir: dir.to_path_buf(),
            changed,
        });
    }
    let is_same_plan = old.runs.len() == plan.runs.len();
    if is_same_plan && is_plan_there {
        match finished(job, config, &open, plan, &manifest.fingerprint) {
            Ok(None) => {}
            Ok(Some((refitted, runs))) => return Ok(Opened::NothingToDo(refitted, runs)),
            // Damaged tables are made again from the parts, and the runs of damaged parts trained again.
            Err(RunError::Store(error)) if error.is_lost() => {}
            Err(error) => return Err(error),
        }
    }
    let (writer, kept) = StoreWriter::extend(dir, manifest, &request.text, resolved, &table)?;
    Ok(Opened::Writer {
        writer: Box::new(writer),
        kept,
        known: old.runs.iter().map(|run| run.run).collect(),
        longer: None,
    })
}

/// What the end of the sweep made of its model, if there is nothing left to do.
fn finished(
    job: &Job<'_>,
    config: &Config,
    open: &store::Store,
    plan: &Plan,
    fingerprint: &str,
) -> Result<Option<(Refitted, Vec<store::RunRow>)>, RunError> {
    let runs = open.runs()?;
    let has_tables = open.has_tables()?;
    let has_target = has_tables && crate::summary::reached(config, &open.trials()?).is_some();
    let has_failed = || {
        runs.iter()
            .filter_map(|run| run.record.as_ref())
            .any(|record| record.state == store::RunState::Failed)
    };
    let is_done = (has_target || runs.iter().all(|run| run.record.is_some()))
        && (job.more.is_none() || resume::unconverged(&runs, plan).is_empty())
        && !(job.retry_failed && has_failed());
    // What the result does not need, and cannot be read, is made again too.
    open.config_text()?;
    open.resolved_text()?;
    if is_done && has_tables && oof::is_current(open.dir(), config)? {
        let refitted = refit::done((open, &runs), config, plan, fingerprint)?;
        return Ok(refitted.map(|refitted| (refitted, runs)));
    }
    Ok(None)
}
