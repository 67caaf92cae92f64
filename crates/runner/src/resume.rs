//! Going on with a sweep: what is missing of it, and the runs that had their epochs before they converged.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use gradsweep_data::{self as data, Dataset, Element};
use gradsweep_math::Real;
use gradsweep_math::metric::Metric;
use gradsweep_math::optimizer::Kind;
use gradsweep_store::{Reason, RunId, RunRow, RunState, Store, StoreWriter};
use serde::Serialize;

use crate::checkpoint::{self, CohortState};
use crate::config::{self, Config, IfExists};
use crate::error::RunError;
use crate::event::Observer;
use crate::plan::{DataView, Method, Plan, PlanSummary};
use crate::record;
use crate::stop::StopFlag;
use crate::summary::SweepSummary;
use crate::sweep::{self, Job, Request};
use crate::train::{self, BlockState, HistoryPoint, Outcome, Stood, View};

/// Epochs of a first round, at the least, where rounds follow each other, and each is twice as long as the last: a round
/// begins without the curvature that the one before has seen.
const SHORTEST_ROUND: u32 = 50;
/// Rounds after which a run that still makes a little progress is left.
const MOST_ROUNDS: u32 = 16;
/// Share by which the gradient of a run that makes progress falls in a round, at the least.
const LEAST_FALL: f64 = 0.5;
/// Runs that are named where there are many.
const NAMED: usize = 3;

/// Which sweep to go on with, and how far.
#[derive(Debug, Clone)]
pub struct ResumeRequest {
    /// The sweep's directory.
    pub store: PathBuf,
    /// Worker threads; those of the config if absent.
    pub threads: Option<usize>,
    /// Whether complete runs that did not converge go on, and how far.
    pub more: Option<More>,
    /// Whether failed runs are trained once more.
    pub retry_failed: bool,
}

/// How far runs that have not converged go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// At most this many epochs.
    Epochs(u32),
    /// Until they have converged or make no progress any more.
    UntilConverged,
}

/// Runs that converging solvers left without a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resumable {
    /// How many.
    pub runs: usize,
    /// The first of them, as `trial 3 fold 1`.
    pub named: Vec<String>,
}

impl Resumable {
    pub(crate) fn new(rows: &[(usize, &RunRow)]) -> Self {
        let name = |row: &RunRow| {
            let restart = if row.restart > 0 {
                format!(" restart {}", row.restart)
            } else {
                String::new()
            };
            let repeat = if row.repeat > 0 {
                format!(" repeat {}", row.repeat)
            } else {
                String::new()
            };
            format!("trial {} fold {}{repeat}{restart}", row.trial, row.fold)
        };
        Self {
            runs: rows.len(),
            named: rows.iter().take(NAMED).map(|(_, row)| name(row)).collect(),
        }
    }
}

/// What became of runs that went on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Continued {
    /// Runs that went on.
    pub runs: usize,
    /// Those that have converged now.
    pub converged: usize,
    /// Those that failed on the way.
    pub failed: usize,
    /// Those that more epochs bring no further.
    pub stuck: usize,
    /// Complete runs of first-order solvers that were left as they are.
    pub first_order: usize,
    /// Columns times epochs.
    pub epochs_trained: u64,
}

/// Goes on with a stored sweep under its own settings: trains the runs that are missing and, if told so, those that have
/// not converged.
pub fn resume(
    request: &ResumeRequest,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    resume_until(request, &StopFlag::default(), observer, on_loaded)
}

/// As [`resume`], until the flag is set.
///
/// # Errors
/// As [`resume`]; [`RunError::Stopped`] where the flag or the config's time limit ended it.
pub fn resume_until(
    request: &ResumeRequest,
    stop: &StopFlag,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    let store = Store::open(&request.store)?;
    let (manifest, resolved) = (store.manifest(), store.resolved_text()?);
    let path = request.store.join("resolved.toml");
    let mut config = config::parse(&resolved, &path.display().to_string(), &manifest.name, &[])?;
    // Wherever the directory lies now, and whatever `run` would do with one that is there.
    config.output.if_exists = IfExists::Resume;
    if let Some(threads) = request.threads {
        config.run.threads = threads;
    }
    let rows = manifest.keys.get("--rows").and_then(serde_json::Value::as_u64);
    let again = Request {
        config,
        text: store.config_text()?,
        rows: rows.map(|rows| rows as usize),
    };
    let job = Job {
        request: &again,
        dir: request.store.clone(),
        resolved: Some(resolved),
        more: request.more,
        retry_failed: request.retry_failed,
        stop: stop.clone(),
    };
    sweep::carry_out(&job, observer, on_loaded)
}

/// The runs that go on until they converge, with their place in the plan: complete ones of converging solvers that had all
/// of their epochs.
pub(crate) fn unconverged<'r>(rows: &'r [RunRow], plan: &Plan) -> Vec<(usize, &'r RunRow)> {
    let short = short(rows, plan);
    short.filter(|&(run, _)| plan.method_of(run).converges()).collect()
}

/// How many complete runs have no certificate of convergence, of the solvers that give one.
pub(crate) fn uncertified(rows: &[RunRow], plan: &Plan) -> usize {
    let gives_one = |method: Method| method.converges() || method == Method::Steps(Kind::Gd);
    let short = short(rows, plan);
    short.filter(|&(run, _)| gives_one(plan.method_of(run))).count()
}

/// Complete runs without a certificate that had all of their epochs.
fn short<'r>(rows: &'r [RunRow], plan: &Plan) -> impl Iterator<Item = (usize, &'r RunRow)> {
    let places: HashMap<RunId, usize> = plan.runs.iter().enumerate().map(|(run, own)| (own.id, run)).collect();
    rows.iter()
        .filter(|row| {
            row.record.as_ref().is_some_and(|record| {
                record.state == RunState::Complete && !record.converged && record.reason == Some(Reason::MaxEpochs)
            })
        })
        .filter_map(move |row| Some((*places.get(&row.run)?, row)))
}

/// The runs that failed.
pub(crate) fn failed(dir: &Path) -> Result<Vec<RunId>, RunError> {
    let rows = Store::open(dir)?.runs()?;
    let failed = rows.iter().filter(|row| {
        let record = row.record.as_ref();
        record.is_some_and(|record| record.state == RunState::Failed)
    });
    Ok(failed.map(|row| row.run).collect())
}

/// Leaves of a cohort whose runs are all recorded, and whose last process did not come to it, what more epochs would go on
/// from.
pub(crate) fn put_down<T: Real>(
    writer: &mut StoreWriter,
    plan: &Plan,
    cohort: usize,
    mut state: CohortState<T>,
) -> Result<(), RunError> {
    let cohort = &plan.cohorts[cohort];
    let own: BTreeSet<RunId> = cohort
        .blocks
        .iter()
        .flat_map(|block| &block.runs)
        .map(|&run| plan.runs[run].id)
        .collect();
    let rows = Store::open(writer.dir())?.runs()?;
    let mut records = rows.iter().filter(|row| own.contains(&row.run));
    let has_run_out = records.any(|row| {
        let record = row.record.as_ref();
        record.is_some_and(|record| record.reason == Some(Reason::MaxEpochs))
    });
    if has_run_out && state.waiting.is_empty() {
        let ended: BTreeSet<usize> = state.ends.iter().flat_map(BlockState::runs).collect();
        let blocks = std::mem::take(&mut state.blocks).into_iter();
        let left = blocks.filter(|block| !block.runs().iter().any(|run| ended.contains(run)));
        state.ends.extend(left);
        writer.finish_checkpoint(&checkpoint::pack(plan, cohort, &state))?;
    } else {
        writer.remove_checkpoints(&checkpoint::name(plan, cohort))?;
    }
    Ok(())
}

/// What is said of a store before any run goes on, and the rows that such runs are trained on.
pub(crate) fn left(dir: &Path, plan: &Plan) -> Result<(Continued, BTreeSet<DataView>), RunError> {
    let rows = Store::open(dir)?.runs()?;
    let going = unconverged(&rows, plan);
    let continued = Continued {
        first_order: short(&rows, plan).count() - going.len(),
        ..Continued::default()
    };
    let views = going.iter().filter_map(|(_, row)| plan.view_of(row.trial, row.repeat));
    Ok((continued, views.collect()))
}

impl Continued {
    /// Takes in the runs of one repeat.
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.converged += other.converged;
        self.failed += other.failed;
        self.stuck += other.stuck;
        self.first_order += other.first_order;
        self.epochs_trained += other.epochs_trained;
    }
}

/// A run on its way.
struct Walker {
    stood: Stood,
    grad_norm: f64,
    objective: f64,
    history: Vec<HistoryPoint>,
    seconds: f64,
}

/// Trains the runs on one view of the rows that have not converged from where they stood, and records them anew; also returns the
/// features that separate the classes of those that failed for it.
///
/// Each round is one part of the store, whose records take the place of older ones: a kill loses a round and no result.
pub(crate) fn go_on<T: Real + Element>(
    writer: &mut StoreWriter,
    plan: &Plan,
    config: &Config,
    (of, data): (DataView, &Dataset<T>),
    more: More,
    observer: &dyn Observer,
) -> Result<(Continued, Vec<String>), RunError> {
    let view = &View::new(data, config);
    let store = Store::open(writer.dir())?;
    let rows = store.runs()?;
    let mut going = unconverged(&rows, plan);
    going.retain(|(_, row)| plan.view_of(row.trial, row.repeat) == Some(of));
    let mut continued = Continued {
        runs: going.len(),
        ..Continued::default()
    };
    let mut separating = Vec::new();
    let mut walkers = walkers(&store, &going, view)?;
    let rounds = if more == More::UntilConverged { MOST_ROUNDS } else { 1 };
    for number in 0..rounds {
        if walkers.is_empty() {
            break;
        }
        let outcomes = round(plan, &walkers, (view, config), (more, number), observer);
        let mut better = Vec::new();
        for (allowed, outcome) in outcomes {
            let Some(before) = walkers.remove(&outcome.run) else {
                continue;
            };
            continued.epochs_trained += u64::from(outcome.epochs - before.stood.epochs);
            let is_separated = outcome.reason == Some(Reason::Separated);
            if !is_separated && !has_progressed::<T>(&before, &outcome) {
                // Its record stays as it is. A few epochs may only have been too few.
                continued.stuck += usize::from(more == More::UntilConverged);
                continue;
            }
            let after = before.after(&outcome);
            let mut outcome = outcome;
            outcome.history.clone_from(&after.history);
            outcome.seconds = after.seconds;
            if is_separated {
                continued.failed += 1;
                separating.extend(outcome.note.clone());
            } else if outcome.converged {
                continued.converged += 1;
            } else if outcome.epochs < allowed {
                continued.stuck += 1;
            } else {
                walkers.insert(outcome.run, after);
            }
            better.push(outcome);
        }
        writer.append(&record::part(plan, view, &data.encoding, better))?;
    }
    Ok((continued, separating))
}

/// Every run that goes on, by its place in the plan, as the store has it.
fn walkers<T: Real>(
    store: &Store,
    going: &[(usize, &RunRow)],
    view: &View<'_, T>,
) -> Result<BTreeMap<usize, Walker>, RunError> {
    let ids: Vec<RunId> = going.iter().map(|(_, row)| row.run).collect();
    let places: HashMap<RunId, usize> = going.iter().map(|&(run, row)| (row.run, run)).collect();
    let features: HashMap<&str, usize> = view.features.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    let records = going.iter().filter_map(|&(run, row)| Some((run, row.record.as_ref()?)));
    let mut walkers: BTreeMap<usize, Walker> = records
        .map(|(run, record)| {
            let stood = Stood {
                parameters: vec![0.0; view.features.len() + 1],
                epochs: record.epochs,
            };
            let walker = Walker {
                stood,
                grad_norm: record.grad_norm.unwrap_or(f64::INFINITY),
                objective: record.objective.unwrap_or(f64::INFINITY),
                history: Vec::new(),
                seconds: record.seconds,
            };
            (run, walker)
        })
        .collect();
    for row in store.coefficients_of(&ids)? {
        let feature = features.get(&*row.feature).copied().unwrap_or(view.features.len());
        if let Some(walker) = walkers.get_mut(&places[&row.run]) {
            walker.stood.parameters[feature] = row.coefficient_standardized;
        }
    }
    for row in store.history_of(&ids)? {
        let walker = walkers.get_mut(&places[&row.run]);
        if let (Some(walker), Some(metric)) = (walker, Metric::from_name(&row.metric)) {
            walker.history.push(HistoryPoint {
                epoch: row.epoch,
                split: row.split,
                metric,
                value: row.value,
            });
        }
    }
    Ok(walkers)
}

/// Trains all walkers for one round; each outcome comes with the epoch in which it had to end.
fn round<T: Real>(
    plan: &Plan,
    walkers: &BTreeMap<usize, Walker>,
    (view, config): (&View<'_, T>, &Config),
    (more, number): (More, u32),
    observer: &dyn Observer,
) -> Vec<(u32, Outcome)> {
    let places: HashMap<RunId, usize> = plan.runs.iter().enumerate().map(|(run, own)| (own.id, run)).collect();
    let mut plan = plan.without(|id| !walkers.contains_key(&places[&id]));
    for trial in &mut plan.trials {
        trial.train.epochs = match more {
            More::Epochs(epochs) => epochs,
            More::UntilConverged => trial.train.epochs.max(SHORTEST_ROUND).saturating_mul(1 << number),
        };
    }
    let epochs = |run: usize| plan.trial_of(run).train.epochs;
    let stood: BTreeMap<usize, Stood> = walkers
        .iter()
        .map(|(&run, walker)| (run, walker.stood.clone()))
        .collect();
    sweep::announce(&plan, config, observer, (0, false));
    let mut outcomes: Vec<Outcome> = (0..plan.cohorts.len())
        .flat_map(|index| train::cohort_from(&plan, index, view, &stood, observer))
        .collect();
    outcomes.sort_by_key(|outcome| outcome.run);
    outcomes
        .into_iter()
        .map(|outcome| (stood[&outcome.run].epochs.saturating_add(epochs(outcome.run)), outcome))
        .collect()
}

/// Whether a round has brought a run nearer to its minimum.
fn has_progressed<T: Real>(before: &Walker, outcome: &Outcome) -> bool {
    let (Some(grad_norm), Some(objective)) = (outcome.grad_norm, outcome.objective) else {
        return false;
    };
    // Less is rounding.
    let least_gain = if T::NAME == "f32" { 1e-6 } else { 1e-9 };
    outcome.converged
        || grad_norm <= (1.0 - LEAST_FALL) * before.grad_norm
        || objective < before.objective - least_gain * before.objective.abs()
}

impl Walker {
    /// The same run after a round.
    fn after(self, outcome: &Outcome) -> Self {
        let mut history = self.history;
        history.extend_from_slice(&outcome.history);
        Self {
            stood: Stood {
                parameters: outcome.parameters.clone(),
                epochs: outcome.epochs,
            },
            grad_norm: outcome.grad_norm.unwrap_or(f64::INFINITY),
            objective: outcome.objective.unwrap_or(f64::INFINITY),
            history,
            seconds: self.seconds + outcome.seconds,
        }
    }
}
