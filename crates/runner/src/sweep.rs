//! One sweep from end to end: load, plan, train cohort by cohort, record.

mod cohorts;
mod finish;
mod loaded;
mod manifest;
mod open;
mod paused;
mod prepared;
mod race;
mod rounds;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use gradsweep_data::{self as data, Dataset, Element};
use gradsweep_math::{Real, blas};
use gradsweep_store::{self as store, Cost, Manifest, StoreWriter};

use crate::bug;
use crate::checkpoint::{self, Restart};
use crate::config::{Config, IfExists};
use crate::dataset::{self, check_classes};
use crate::error::RunError;
use crate::event::{Event, Observer};
use crate::memory::peak_memory_bytes;
use crate::plan::{BUDGET, Plan, PlanSummary, Speed};
use crate::refit;
use crate::resume::{self, More};
use crate::rungs::Ladder;
use crate::search::{self, Asked, Held};
use crate::stop::StopFlag;
use crate::summary::{Seconds, SweepSummary, null_model};
use crate::train::View;
use cohorts::Work;
use finish::refit_and_predict;
use loaded::Loaded;
use manifest::manifest;
use open::{Opened, open};
use prepared::{Prepared, within_limit};
use rounds::Rounds;

/// A config and what belongs to it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The checked config.
    pub config: Config,
    /// The config file's text, kept in the store as it was written.
    pub text: String,
    /// Take only the first rows of the data.
    pub rows: Option<usize>,
}

/// Calls `$function::<T>` with the element type of the config.
macro_rules! with_precision {
    ($config:expr, $function:ident($($argument:expr),*)) => {
        match $config.precision() {
            $crate::config::Precision::F64 => $function::<f64>($($argument),*),
            $crate::config::Precision::F32 | $crate::config::Precision::Auto => $function::<f32>($($argument),*),
        }
    };
}
pub(crate) use with_precision;

/// What the plan of a config is, on its data.
pub fn plan(request: &Request) -> Result<(data::Summary, PlanSummary), RunError> {
    fn plan<T: Real + Element>(request: &Request) -> Result<(data::Summary, PlanSummary), RunError> {
        let first = search::first_preparation(&request.config)?;
        let data = Loaded::<T>::load(&request.config, request.rows, (0, &first))?;
        let (config, path) = search::with_c_path(&request.config, &data)?;
        let Prepared {
            data,
            plan,
            mut summary,
        } = Prepared::new(&config, request.rows, &Asked::new(&config, None)?, data)?;
        summary.notes.extend(path);
        match bug::caught(|| Speed::measure(&plan, &config, &View::new(&data, &config), BUDGET)) {
            Ok(speed) => summary.speed = Some(speed),
            Err(panic) => summary.notes.push(unforeseen(&panic)),
        }
        Ok((data.data.summary, summary))
    }
    in_pool(&request.config, || with_precision!(request.config, plan(request)))?
}

/// Loads the data of a config and plans it, for the profile of its columns and folds.
pub fn examine(request: &Request) -> Result<(data::Summary, data::Profile), RunError> {
    fn examine<T: Real + Element>(request: &Request) -> Result<(data::Summary, data::Profile), RunError> {
        let first = search::first_preparation(&request.config)?;
        let data: Dataset<T> = dataset::load(&first.applied_to(&request.config), request.rows, 0)?;
        let (config, _) = search::with_c_path(&request.config, &data)?;
        check_classes(&config.class_weights(), &data.summary.target)?;
        refit::check_test(&request.config, &data.summary)?;
        let profile = data.profile();
        Ok((data.summary, profile))
    }
    in_pool(&request.config, || with_precision!(request.config, examine(request)))?
}

/// Runs a sweep and fills its store.
///
/// `on_loaded` is told what was read before any training, so that a terminal can show it.
pub fn run(
    request: &Request,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    run_until(request, &StopFlag::default(), observer, on_loaded)
}

/// As [`run`], until the flag is set; what has been trained by then can be gone on with.
///
/// # Errors
/// As [`run`]; [`RunError::Stopped`] where the flag or the config's time limit ended it.
pub fn run_until(
    request: &Request,
    stop: &StopFlag,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    carry_out(
        &Job {
            request,
            dir: output_dir(&request.config),
            resolved: None,
            more: None,
            retry_failed: false,
            stop: stop.clone(),
        },
        observer,
        on_loaded,
    )
}

/// A request with its place.
pub(crate) struct Job<'a> {
    pub(crate) request: &'a Request,
    pub(crate) dir: PathBuf,
    /// The config with every key, where a store has it already.
    pub(crate) resolved: Option<String>,
    /// Whether runs that have not converged go on, and how far.
    pub(crate) more: Option<More>,
    /// Whether failed runs are trained once more.
    pub(crate) retry_failed: bool,
    /// Ends it early.
    pub(crate) stop: StopFlag,
}

/// Carries out a job.
pub(crate) fn carry_out(
    job: &Job<'_>,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    let config = &job.request.config;
    let work = || in_pool(config, || with_precision!(config, run_with(job, observer, on_loaded)));
    bug::caught(work).unwrap_or_else(|said| {
        Err(RunError::Bug {
            is_begun: store::probe(&job.dir).is_ok_and(|stored| stored.is_some()),
            dir: job.dir.clone(),
            said,
        })
    })?
}

/// What is said where the rehearsal of the training has a bug: the training is none the worse for it.
fn unforeseen(panic: &str) -> String {
    format!(
        "how long training takes is not foreseen: measuring it ended in a panic, which is a bug of gradsweep ({panic})"
    )
}

/// Runs `work` with the config's number of threads, after a look at the linked BLAS.
pub(crate) fn in_pool<R: Send>(config: &Config, work: impl FnOnce() -> R + Send) -> Result<R, RunError> {
    blas::use_one_thread_per_product();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(config.run.threads)
        .build()
        .map_err(|source| RunError::Threads { source })?;
    pool.install(|| {
        let wrong = blas::probe_threads();
        if wrong > 0 {
            return Err(RunError::UnsoundBlas {
                wrong,
                core: blas::core_name(),
            });
        }
        Ok(work())
    })
}

fn run_with<T: Real + Element>(
    job: &Job<'_>,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    let (request, dir) = (job.request, &job.dir);
    let config = &request.config;
    let start = Instant::now();
    let stop = job
        .stop
        .within(config.run.time_limit())
        .allowing(config.run.allowed_failures());
    let observer = &Counting { observer, stop: &stop };
    // Refuse what needs no data before reading any.
    let stored = store::probe(dir)?;
    if stored.is_some() && config.output.if_exists == IfExists::Error {
        return Err(RunError::Exists { dir: dir.clone() });
    }
    store::check_free(dir)?;
    let mut seconds = Seconds::default();
    let first = search::first_preparation(config)?;
    let data = Loaded::<T>::load(config, request.rows, (0, &first))?;
    seconds.load = start.elapsed().as_secs_f64();
    observer.observe(&Event::DataLoaded);
    refit::check_test(config, &data.summary)?;

    let (config, path) = search::with_c_path(config, &data)?;
    let config = &config;
    let asked = Asked::new(config, held(job, config, stored.as_ref())?.as_ref())?;
    let mut prepared = Prepared::new(config, request.rows, &asked, data)?;
    prepared.summary.notes.extend(path);
    let plan_summary = prepared.summary.clone();
    on_loaded(&prepared.data.summary, &plan_summary);
    within_limit(&plan_summary, config)?;
    let mut manifest = manifest(config, &prepared.plan, &prepared.data, request.rows);
    let writing = Instant::now();
    let (data, plan) = (&prepared.data, &prepared.plan);
    let (mut writer, restart, set_aside, longer) = match open(job, config, stored.as_ref(), &manifest, plan, data)? {
        Opened::Writer {
            mut writer,
            kept,
            known,
            longer,
        } => {
            let restart = restart::<T>(job, plan, &mut writer, kept.finished, &known)?;
            (writer, restart, kept.set_aside, longer)
        }
        Opened::NothingToDo(refitted, runs) => {
            let took = (seconds, start);
            let summary = SweepSummary::of_finished(dir, config, &data.summary, &plan_summary, plan, runs, took)?;
            return nothing_to_do(job, plan, summary.with_refit(refitted).with_missing(asked.missing()));
        }
    };
    seconds.write += writing.elapsed().as_secs_f64();

    let (null_model, loaded) = (null_model(&View::new(data, config)), data.summary.clone());
    let mut rounds = Rounds {
        config,
        rows: request.rows,
        dir,
        stop: &stop,
        observer,
        asked,
    };
    let swept = rounds.train(prepared, restart, (&mut writer, &mut manifest), &mut seconds)?;
    let (plan, trained) = (&swept.plan, swept.trained);
    let none = plan.without(|_| true);
    let work = rounds.work(plan, &none, None);
    let mut separating = trained.notes;
    let (data, continued) = go_further(job, &work, swept.data, &mut writer, (&mut seconds, &mut separating))?;
    let epochs_trained = trained.epochs + continued.as_ref().map_or(0, |continued| continued.epochs_trained);
    let writing = Instant::now();
    manifest.cost = cost(&seconds, start, epochs_trained, swept.foreseen.as_ref());
    writer.set_manifest(&manifest)?;
    let written = writer.write_tables()?;
    seconds.write += writing.elapsed().as_secs_f64();
    let refitted = refit_and_predict(&work, &writer, data, &mut seconds)?;
    drop(writer);
    seconds.total = start.elapsed().as_secs_f64();
    let summary = SweepSummary::new(
        dir,
        config,
        &loaded,
        &plan_summary,
        plan,
        &written,
        None,
        null_model,
        seconds,
        epochs_trained,
    )?;
    Ok(summary
        .with_rates(trained.rates)
        .with_longer(longer)
        .with_separated(separating)
        .with_panics(trained.panics, dir)
        .with_bug(swept.bug)
        .with_set_aside(&set_aside)
        .with_missing(rounds.asked.missing())
        .with_refit(refitted)
        .with_continued(continued))
}

/// What the output directory holds of the sweep, where its trials follow from that.
fn held(job: &Job<'_>, config: &Config, stored: Option<&Manifest>) -> Result<Option<Held>, RunError> {
    if stored.is_none() || config.output.if_exists == IfExists::Replace {
        return Ok(None);
    }
    Held::read(&store::Store::open(&job.dir)?, config)
}

/// What is said and done where everything has been done before.
fn nothing_to_do(job: &Job<'_>, plan: &Plan, summary: SweepSummary) -> Result<SweepSummary, RunError> {
    store::tidy(&job.dir)?;
    let continued = match job.more {
        Some(_) => Some(resume::left(&job.dir, plan)?.0),
        None => None,
    };
    Ok(summary.with_continued(continued))
}

/// Passes events on, and tells the flag of every run that fails.
struct Counting<'a> {
    observer: &'a dyn Observer,
    stop: &'a StopFlag,
}

impl Observer for Counting<'_> {
    fn observe(&self, event: &Event) {
        if let Event::RunFinished { failed: true, .. } = event {
            self.stop.count_failure();
        }
        self.observer.observe(event);
    }
}

/// What goes on from where: after checkpoints; and the runs that failed, where they are to be trained once more. These come
/// after the others: a block that goes on has no columns for them, and no other block is to be a wider one for them.
fn restart<T: Real>(
    job: &Job<'_>,
    plan: &Plan,
    writer: &mut StoreWriter,
    finished: BTreeSet<store::RunId>,
    known: &BTreeSet<store::RunId>,
) -> Result<(Restart<T>, BTreeSet<store::RunId>), RunError> {
    let mut restart = checkpoint::restart(plan, finished, known, &writer.read_checkpoints()?);
    for name in &restart.stale {
        writer.remove_checkpoints(name)?;
    }
    for (cohort, state) in std::mem::take(&mut restart.put_down) {
        resume::put_down(writer, plan, cohort, state)?;
    }
    let mut again = BTreeSet::new();
    if job.retry_failed {
        let failed = resume::failed(&job.dir)?;
        again.extend(failed.into_iter().filter(|run| restart.finished.contains(run)));
    }
    Ok((restart, again))
}

/// Trains the runs that have not converged further, where the job says so.
fn go_further<T: Real + Element>(
    job: &Job<'_>,
    work: &Work<'_>,
    mut data: Loaded<T>,
    writer: &mut StoreWriter,
    (seconds, separating): (&mut Seconds, &mut Vec<String>),
) -> Result<(Loaded<T>, Option<resume::Continued>), RunError> {
    let Some(more) = job.more else {
        return Ok((data, None));
    };
    let (mut all, views) = resume::left(&job.dir, work.plan)?;
    for view in views {
        data = data.switch(work.config, work.rows, work.plan.rows_of(view), seconds)?;
        let training = Instant::now();
        let (own, notes) = resume::go_on(writer, work.plan, work.config, (view, &data), more, work.observer)?;
        seconds.train += training.elapsed().as_secs_f64();
        all.add(&own);
        separating.extend(notes);
    }
    Ok((data, Some(all)))
}

fn cost(seconds: &Seconds, start: Instant, epochs_trained: u64, foreseen: Option<&Speed>) -> Cost {
    Cost {
        planned_seconds: foreseen.and_then(|speed| speed.seconds),
        planned_seconds_range: foreseen.and_then(|speed| speed.seconds_range),
        load_seconds: Some(seconds.load),
        train_seconds: Some(seconds.train),
        total_seconds: Some(start.elapsed().as_secs_f64()),
        column_epochs: Some(epochs_trained),
        peak_memory_bytes: peak_memory_bytes(),
    }
}

/// Tells which runs are about to be trained, how many may follow from their scores, and whether others came before.
pub(crate) fn announce(pending: &Plan, config: &Config, observer: &dyn Observer, (later, goes_on): (usize, bool)) {
    let column_epochs = match Ladder::new(config, pending.trials.len()) {
        Some(ladder) => ladder.total_epochs() * pending.runs.len() as u64 / pending.trials.len().max(1) as u64,
        None => pending
            .cohorts
            .iter()
            .flat_map(|cohort| &cohort.blocks)
            .flat_map(|block| &block.runs)
            .map(|&run| u64::from(pending.trial_of(run).train.epochs))
            .sum(),
    };
    let runs = pending.pending();
    observer.observe(&Event::Planned {
        runs,
        cohorts: pending.cohorts.len(),
        column_epochs,
        later_column_epochs: column_epochs / runs.max(1) as u64 * later as u64,
        goes_on,
        trials: pending.runs.iter().map(|run| run.trial).collect(),
        metric: config.sweep.metric.name(),
        higher_is_better: config.sweep.metric.higher_is_better(),
    });
}

/// The directory a config writes to.
pub fn output_dir(config: &Config) -> PathBuf {
    let digest = blake3::hash(config.resolved_toml().as_bytes()).to_hex();
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    config.output_dir(&digest[..8], &date)
}

/// A TOML value as JSON; infinities as text, as everywhere in the store.
pub(crate) fn json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Float(value) if !value.is_finite() => value.to_string().into(),
        toml::Value::Float(value) => (*value).into(),
        toml::Value::Integer(value) => (*value).into(),
        toml::Value::Boolean(value) => (*value).into(),
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Array(values) => values.iter().map(json).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        toml::Value::Datetime(value) => value.to_string().into(),
    }
}
