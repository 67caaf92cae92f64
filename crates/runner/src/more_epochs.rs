//! More epochs in the same directory: runs that had all of theirs go on from where they stood.
//!
//! The number of epochs is part of a run's identity, so all runs of the sweep have other ids. What is recorded of runs that
//! ended by themselves is recorded again under these, and the blocks of the others go on from the states that the end of
//! their training left. Then the plan and the manifest are written, which make the sweep the longer one: a process that is
//! killed before that leaves the shorter one as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gradsweep_math::Real;
use gradsweep_store::{self as store, ChangedKey, Part, Reason, RunId, RunRecord, RunState, Store};
use serde::Serialize;

use crate::checkpoint::{self, CohortState};
use crate::config::{Config, ScheduleKind};
use crate::error::RunError;
use crate::plan::{Plan, Shape, many};
use crate::rungs::Ladder;
use crate::search;
use crate::train::BlockState;

/// The key.
const EPOCHS: &str = "train.epochs";

/// The epochs that a sweep had, if all that has changed is that it is to have more.
pub(crate) fn before(changed: &[ChangedKey]) -> Option<u32> {
    let [ChangedKey { key, stored, wanted }] = changed else {
        return None;
    };
    let number = |value: &Option<serde_json::Value>| u32::try_from(value.as_ref()?.as_u64()?).ok();
    let (stored, wanted) = (number(stored)?, number(wanted)?);
    (key == EPOCHS && wanted > stored).then_some(stored)
}

/// Why a sweep of this config with more epochs would not have begun as the shorter one did; nothing if it would have.
pub(crate) fn refusal(config: &Config, plan: &Plan) -> Option<String> {
    let schedules = plan.trials.iter().map(|trial| trial.train.schedule.kind);
    if let Some(kind) = schedules.into_iter().find(|kind| *kind != ScheduleKind::Constant) {
        return Some(format!(
            "a {kind} schedule is over at its last epoch: more epochs would have had other learning rates from the start"
        ));
    }
    if config.sweep.hyperband.is_some() {
        return Some("hyperband deals trials to its brackets by the number of epochs".to_owned());
    }
    if config.sweep.method.learns() {
        return Some(format!(
            "method {} would have asked for other trials after more epochs, for it goes by their scores",
            config.sweep.method
        ));
    }
    config.sweep.target.is_some().then(|| {
        "a sweep with a target trains one cohort after the other, and might have reached it in the epochs to come before \
         the next began"
            .to_owned()
    })
}

/// What became of a store that was to be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TakenOver {
    /// It stays as it is, and why.
    Not(String),
    /// It holds what the longer sweep goes on from.
    As(Longer),
}

/// How a sweep went on with more epochs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Longer {
    /// The epochs it had before.
    pub after_epochs: u32,
    /// Runs that went on from there, or from where they stood before.
    pub runs: usize,
    /// Runs that had ended by themselves and stay as they are.
    pub ended: usize,
}

/// The shorter sweep of a store, as far as the longer one takes it over.
struct Shorter<T> {
    /// Its plan, run by run that of the longer one.
    plan: Plan,
    /// What goes on, by cohort.
    going: BTreeMap<usize, CohortState<T>>,
    /// Runs of blocks that stay as they are, since some of them have gone further.
    beyond: BTreeSet<usize>,
}

/// Takes over, under the ids of `plan`, what a store holds of the same sweep with fewer epochs; writes nothing where that
/// cannot be done.
pub(crate) fn take_over<T: Real>(
    dir: &Path,
    (config, plan): (&Config, &Plan),
    (shape, fingerprint): (Shape, &str),
    epochs: u32,
) -> Result<TakenOver, RunError> {
    if let Some(reason) = refusal(config, plan) {
        return Ok(TakenOver::Not(reason));
    }
    let mut short = config.clone();
    short.train.epochs = epochs;
    let (trials, _) = search::drawn(&short)?;
    let mut shorter = Shorter::<T> {
        plan: Plan::new(&short, trials, shape, fingerprint),
        going: BTreeMap::new(),
        beyond: BTreeSet::new(),
    };
    let stored = Store::open(dir)?;
    let rows = stored.runs()?;
    let planned: BTreeSet<RunId> = rows.iter().map(|row| row.run).collect();
    let pairs = || shorter.plan.runs.iter().zip(&plan.runs);
    // A process that was killed while it took the sweep over may have left the ids of the longer one.
    let is_same = pairs().all(|(old, new)| planned.contains(&old.id) || planned.contains(&new.id));
    if !is_same || planned.len() != plan.runs.len() {
        return Ok(TakenOver::Not(format!(
            "{EPOCHS} and the number of runs cannot change at once: run it with one of the changes, then with both"
        )));
    }
    let records: BTreeMap<RunId, &RunRecord> = rows
        .iter()
        .filter_map(|row| Some((row.run, row.record.as_ref()?)))
        .collect();
    let recorded: Vec<Option<&RunRecord>> = pairs()
        .map(|(old, new)| records.get(&old.id).or(records.get(&new.id)).copied())
        .collect();
    shorter.find_states(&store::checkpoints(dir)?, |run| {
        recorded[run].is_some_and(|record| record.epochs > epochs)
    });
    let going: BTreeSet<usize> = shorter.runs().collect();
    let is_left = |run: &usize| !going.contains(run);
    let has_run_out = |run: &usize| {
        let record = recorded[*run].filter(|_| !shorter.beyond.contains(run));
        record.is_some_and(|record| record.reason == Some(Reason::MaxEpochs) && record.epochs == epochs)
    };
    let lost = (0..plan.runs.len()).filter(is_left).filter(has_run_out).count();
    if lost > 0 {
        return Ok(TakenOver::Not(format!(
            "{} had all of their epochs, and the checkpoints they would go on from are gone (gradsweep prune removes them)",
            many(lost, "run")
        )));
    }
    let ended = |run: usize| recorded[run].filter(|record| record.run == shorter.plan.runs[run].id);
    let kept: Vec<usize> = (0..plan.runs.len())
        .filter(is_left)
        .filter(|&run| ended(run).is_some())
        .collect();
    let end = Ladder::new(config, plan.trials.len()).map(|ladder| ladder.end());
    let mut part = part(&stored, &shorter.plan, plan, &kept)?;
    part.runs = kept
        .iter()
        .filter_map(|&run| {
            let record = ended(run)?;
            let is_complete = record.state == RunState::Complete;
            Some(RunRecord {
                run: plan.runs[run].id,
                // A run that was trained to its end has passed all rungs.
                rung: if is_complete && end.is_some() { end } else { record.rung },
                ..record.clone()
            })
        })
        .collect();
    let checkpoints = shorter.going.iter();
    let checkpoints = checkpoints.map(|(&cohort, state)| checkpoint::pack(plan, &plan.cohorts[cohort], state));
    store::carry(dir, &part, &checkpoints.collect::<Vec<_>>())?;
    // Of a block that goes on, runs that had ended are settled once more.
    let by_itself = |run: &usize| recorded[*run].is_some() && !has_run_out(run);
    Ok(TakenOver::As(Longer {
        after_epochs: epochs,
        runs: going.iter().filter(|&run| !by_itself(run)).count(),
        ended: (0..plan.runs.len()).filter(by_itself).count(),
    }))
}

impl<T: Real> Shorter<T> {
    /// Finds what goes on: the ends of blocks, and blocks that had not come to theirs. A block of which a run has gone beyond
    /// its epochs, as it does until it has converged, stays as it is.
    fn find_states(&mut self, checkpoints: &[store::Checkpoint], is_beyond: impl Fn(usize) -> bool) {
        for state in checkpoints
            .iter()
            .filter_map(|held| checkpoint::unpack::<T>(&self.plan, held))
        {
            let CohortState {
                rungs, blocks, ends, ..
            } = state;
            let ended: BTreeSet<usize> = ends.iter().flat_map(BlockState::runs).collect();
            // A block may be on its way to solve runs that begin after others had had their epochs.
            let blocks = blocks
                .into_iter()
                .filter(|block| !block.runs().iter().any(|run| ended.contains(run)));
            for block in ends.into_iter().chain(blocks) {
                let runs = block.runs();
                if runs.iter().any(|&run| is_beyond(run)) {
                    self.beyond.extend(runs);
                    continue;
                }
                let mut cohorts = self.plan.cohorts.iter();
                let holds = |cohort: &crate::plan::Cohort| {
                    let mut own = cohort.blocks.iter().flat_map(|block| &block.runs);
                    own.any(|run| Some(run) == runs.first())
                };
                let Some(cohort) = cohorts.position(holds) else {
                    continue;
                };
                let going = self.going.entry(cohort).or_insert_with(CohortState::none);
                going.rungs = going.rungs.max(rungs);
                going.blocks.push(block);
            }
        }
        for state in self.going.values_mut() {
            state.blocks.sort_by_key(|block| block.runs().first().copied());
        }
    }

    /// The runs that go on.
    fn runs(&self) -> impl Iterator<Item = usize> {
        let blocks = self.going.values().flat_map(|state| &state.blocks);
        blocks.flat_map(BlockState::runs)
    }
}

/// Histories and coefficients of runs of one plan under the ids of another.
fn part(stored: &Store, from: &Plan, to: &Plan, runs: &[usize]) -> Result<Part, RunError> {
    let ids: Vec<RunId> = runs.iter().map(|&run| from.runs[run].id).collect();
    let other: BTreeMap<RunId, RunId> = runs.iter().map(|&run| (from.runs[run].id, to.runs[run].id)).collect();
    let (mut history, mut coefficients) = (stored.history_of(&ids)?, stored.coefficients_of(&ids)?);
    for row in &mut history {
        row.run = other[&row.run];
    }
    for row in &mut coefficients {
        row.run = other[&row.run];
    }
    Ok(Part {
        runs: Vec::new(),
        history,
        coefficients,
    })
}
