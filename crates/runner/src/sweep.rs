//! One sweep from end to end: load, plan, train cohort by cohort, record.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Instant;

use gradsweep_data::{self as data, Dataset, Element};
use gradsweep_math::{Real, blas};
use gradsweep_store::{self as store, Cost, Manifest, MetricInfo, StoreWriter};

use crate::config::{Config, IfExists};
use crate::dataset::{self, cache_spec, check_classes, repeat_spec, shape_of};
use crate::error::RunError;
use crate::event::{Event, Observer};
use crate::memory::peak_memory_bytes;
use crate::plan::{COUNTS, Plan, PlanSummary};
use crate::record;
use crate::refit::{self, Refitted};
use crate::resume::{self, More};
use crate::search::{self, Trial};
use crate::summary::{Seconds, SweepSummary, data_json, null_model};
use crate::train::{self, View};

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
        search::count(&request.config)?;
        let data: Dataset<T> = dataset::load(&request.config, request.rows, 0)?;
        let (config, path) = search::with_c_path(&request.config, &data)?;
        let trials = search::trials(&config)?;
        let plan = Plan::new(&config, trials, shape_of(&data), &data.summary.fingerprint);
        let (data, mut summary) = within_limit(&plan, &config, data, request.rows)?;
        summary.notes.extend(path);
        Ok((data.summary, summary))
    }
    in_pool(&request.config, || with_precision!(request.config, plan(request)))?
}

/// Runs a sweep and fills its store.
///
/// `on_loaded` is told what was read before any training, so that a terminal can show it.
pub fn run(
    request: &Request,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    carry_out(
        &Job {
            request,
            dir: output_dir(&request.config),
            resolved: None,
            more: None,
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
}

/// Carries out a job.
pub(crate) fn carry_out(
    job: &Job<'_>,
    observer: &dyn Observer,
    on_loaded: &(dyn Fn(&data::Summary, &PlanSummary) + Sync),
) -> Result<SweepSummary, RunError> {
    let config = &job.request.config;
    in_pool(config, || with_precision!(config, run_with(job, observer, on_loaded)))?
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
    search::count(config)?;
    // Refuse what needs no data before reading any.
    let stored = store::probe(dir)?;
    if stored.is_some() && config.output.if_exists == IfExists::Error {
        return Err(RunError::Exists { dir: dir.clone() });
    }
    let mut seconds = Seconds::default();
    let mut data = Repeat::<T>::load(config, request.rows, 0)?;
    seconds.load = start.elapsed().as_secs_f64();
    observer.observe(&Event::DataLoaded);
    refit::check_test(config, &data.summary)?;

    let (config, path) = search::with_c_path(config, &data)?;
    let config = &config;
    let trials = search::trials(config)?;
    check_classes(&trials, &data.summary.target)?;
    let plan = Plan::new(config, trials, shape_of(&data), &data.summary.fingerprint);
    let (rows, mut plan_summary) = within_limit(&plan, config, data.data, request.rows)?;
    data = Repeat { repeat: 0, data: rows };
    // Its other repeats go where the first one goes.
    let is_in_file = data.x.is_in_file();
    plan_summary.notes.extend(path);
    on_loaded(&data.summary, &plan_summary);
    check_memory(config, &plan_summary)?;
    let manifest = manifest(config, &plan, &data, request.rows);
    let writing = Instant::now();
    let (mut writer, finished) = match open(job, config, stored.as_ref(), &manifest, &plan, &data)? {
        Opened::Writer { writer, finished } => (writer, finished),
        Opened::NothingToDo(refitted) => {
            let summary = SweepSummary::of_finished(dir, config, &data.summary, &plan_summary, &plan, seconds, start)?;
            let continued = match job.more {
                Some(_) => Some(resume::left(dir, &plan)?.0),
                None => None,
            };
            return Ok(summary.with_refit(refitted).with_continued(continued));
        }
    };
    seconds.write += writing.elapsed().as_secs_f64();

    let pending = plan.without(|run| finished.contains(&run));
    announce(&pending, config, observer);
    let (null_model, loaded) = (null_model(&View::new(&data, config)), data.summary.clone());
    let mut epochs_trained = 0;
    let mut separating = Vec::new();
    for (index, cohort) in pending.cohorts.iter().enumerate() {
        data = data.switch(config, request.rows, cohort.repeat, is_in_file, &mut seconds)?;
        let view = View::new(&data, config);
        let training = Instant::now();
        let mut outcomes = train::cohort(&pending, index, &view, observer);
        outcomes.sort_by_key(|outcome| outcome.run);
        seconds.train += training.elapsed().as_secs_f64();
        epochs_trained += outcomes.iter().map(|outcome| u64::from(outcome.epochs)).sum::<u64>();
        separating.extend(outcomes.iter().filter_map(|outcome| outcome.note.clone()));
        let writing = Instant::now();
        writer.append(&record::part(&pending, &view, &data.encoding, outcomes))?;
        seconds.write += writing.elapsed().as_secs_f64();
        observer.observe(&Event::Recorded { cohort: index });
    }
    let mut continued = None;
    if let Some(more) = job.more {
        let (mut all, repeats) = resume::left(dir, &plan)?;
        for repeat in repeats {
            data = data.switch(config, request.rows, repeat, is_in_file, &mut seconds)?;
            let training = Instant::now();
            let (own, notes) = resume::go_on(&mut writer, &plan, config, (repeat, &data), more, observer)?;
            seconds.train += training.elapsed().as_secs_f64();
            all.add(&own);
            separating.extend(notes);
        }
        continued = Some(all);
    }
    epochs_trained += continued.as_ref().map_or(0, |continued| continued.epochs_trained);
    let writing = Instant::now();
    let mut manifest = manifest;
    manifest.cost = cost(&seconds, start, epochs_trained);
    writer.set_manifest(&manifest)?;
    let written = writer.write_tables()?;
    seconds.write += writing.elapsed().as_secs_f64();
    // The refit takes the rows in the order of the first repeat, so that its model does not depend on how many there are.
    let table = store::Store::open(dir)?.trials()?;
    let data = data.switch(config, request.rows, 0, is_in_file, &mut seconds)?;
    let refitting = Instant::now();
    let refitted = refit::selected(dir, config, data.data, &plan.trials, &table)?;
    drop(writer);
    seconds.refit = refitting.elapsed().as_secs_f64();
    seconds.total = start.elapsed().as_secs_f64();
    let summary = SweepSummary::new(
        dir,
        config,
        &loaded,
        &plan_summary,
        &plan,
        &written,
        null_model,
        seconds,
        epochs_trained,
    )?;
    Ok(summary
        .with_separated(separating)
        .with_refit(refitted)
        .with_continued(continued))
}

fn cost(seconds: &Seconds, start: Instant, epochs_trained: u64) -> Cost {
    Cost {
        planned_seconds: None,
        load_seconds: Some(seconds.load),
        train_seconds: Some(seconds.train),
        total_seconds: Some(start.elapsed().as_secs_f64()),
        column_epochs: Some(epochs_trained),
        peak_memory_bytes: peak_memory_bytes(),
    }
}

/// Tells which runs are about to be trained.
pub(crate) fn announce(pending: &Plan, config: &Config, observer: &dyn Observer) {
    let column_epochs = pending
        .cohorts
        .iter()
        .flat_map(|cohort| &cohort.blocks)
        .flat_map(|block| &block.runs)
        .map(|&run| u64::from(pending.trial_of(run).train.epochs))
        .sum();
    observer.observe(&Event::Planned {
        runs: pending.pending(),
        cohorts: pending.cohorts.len(),
        column_epochs,
        trials: pending.runs.iter().map(|run| run.trial).collect(),
        metric: config.sweep.metric.name(),
        higher_is_better: config.sweep.metric.higher_is_better(),
    });
}

/// The rows in the groups and the order of one repeat of the folds.
struct Repeat<T> {
    repeat: u32,
    data: Dataset<T>,
}

impl<T: Element> Repeat<T> {
    fn load(config: &Config, rows: Option<usize>, repeat: u32) -> Result<Self, RunError> {
        let data = dataset::load(config, rows, repeat)?;
        Ok(Self { repeat, data })
    }

    /// The same rows in a file of the cache.
    fn spill(self, config: &Config, rows: Option<usize>) -> Result<Self, RunError> {
        let Self { repeat, data } = self;
        let data = spill(data, config, rows, repeat)?;
        Ok(Self { repeat, data })
    }

    /// The same rows for another repeat; these go before those come.
    fn switch(
        self,
        config: &Config,
        rows: Option<usize>,
        repeat: u32,
        is_in_file: bool,
        seconds: &mut Seconds,
    ) -> Result<Self, RunError> {
        if self.repeat == repeat {
            return Ok(self);
        }
        let fingerprint = self.data.summary.fingerprint.clone();
        drop(self);
        let loading = Instant::now();
        let mut other = Self::load(config, rows, repeat)?;
        if is_in_file {
            other = other.spill(config, rows)?;
        }
        seconds.load += loading.elapsed().as_secs_f64();
        if other.data.summary.fingerprint != fingerprint {
            return Err(RunError::DataChanged);
        }
        Ok(other)
    }
}

/// The rows of the first repeat, in a file where the plan does not fit into memory with them, and what the plan then needs.
fn within_limit<T: Real + Element>(
    plan: &Plan,
    config: &Config,
    data: Dataset<T>,
    rows: Option<usize>,
) -> Result<(Dataset<T>, PlanSummary), RunError> {
    let summary = PlanSummary::new(plan, config, &data, &View::new(&data, config));
    if !summary.exceeds_limit() {
        return Ok((data, summary));
    }
    let data = spill(data, config, rows, 0)?;
    let summary = PlanSummary::new(plan, config, &data, &View::new(&data, config));
    Ok((data, summary))
}

/// Refuses a plan that does not fit with its rows on disk either.
fn check_memory(config: &Config, summary: &PlanSummary) -> Result<(), RunError> {
    if !summary.exceeds_limit() {
        return Ok(());
    }
    Err(RunError::Memory {
        needed: summary.required_bytes(),
        available: summary.limit_bytes,
        limit: config.run.memory_limit.clone(),
    })
}

/// Moves rows from memory to a file of the cache.
fn spill<T: Element>(
    data: Dataset<T>,
    config: &Config,
    rows: Option<usize>,
    repeat: u32,
) -> Result<Dataset<T>, RunError> {
    Ok(data::spill(
        data,
        &repeat_spec(config, rows, repeat),
        &cache_spec(config),
    )?)
}

impl<T> Deref for Repeat<T> {
    type Target = Dataset<T>;

    fn deref(&self) -> &Dataset<T> {
        &self.data
    }
}

/// A store to write into, or the word that it is full.
enum Opened {
    Writer {
        writer: Box<StoreWriter>,
        finished: std::collections::BTreeSet<store::RunId>,
    },
    NothingToDo(Refitted),
}

/// Creates, extends, replaces or refuses the output directory.
fn open<T>(
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
        finished: std::collections::BTreeSet::new(),
    };
    let Some(stored) = stored else {
        return Ok(fresh(StoreWriter::create(
            dir,
            manifest,
            &request.text,
            resolved,
            &table,
        )?));
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
    let mut changed: Vec<String> = stored
        .changed_keys(&manifest.keys)
        .iter()
        .map(ToString::to_string)
        .collect();
    if stored.fingerprint != manifest.fingerprint {
        changed.push("the data's content".to_owned());
    }
    let open = store::Store::open(dir)?;
    let old = open.plan()?;
    let wanted: std::collections::BTreeSet<_> = plan.runs.iter().map(|run| run.id).collect();
    let dropped = old.runs.iter().filter(|run| !wanted.contains(&run.run)).count();
    if changed.is_empty() && dropped > 0 {
        changed.push(format!(
            "sweep.parameters, repeats or restarts: {dropped} of the stored runs are no longer in the plan"
        ));
    }
    if !changed.is_empty() {
        return Err(RunError::Changed {
            dir: dir.to_path_buf(),
            changed,
        });
    }
    let is_same_plan = old.runs.len() == plan.runs.len();
    let runs = open.runs()?;
    let is_done = runs.iter().all(|run| run.record.is_some())
        && (job.more.is_none() || resume::unconverged(&runs, plan).is_empty());
    if is_same_plan
        && is_done
        && open.has_tables()?
        && let Some(refitted) = refit::done(dir, config, plan, &manifest.fingerprint)?
    {
        return Ok(Opened::NothingToDo(refitted));
    }
    let (writer, kept) = StoreWriter::extend(dir, manifest, &request.text, resolved, &table)?;
    Ok(Opened::Writer {
        writer: Box::new(writer),
        finished: kept.finished,
    })
}

/// The directory a config writes to.
pub fn output_dir(config: &Config) -> PathBuf {
    let digest = blake3::hash(config.resolved_toml().as_bytes()).to_hex();
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    config.output_dir(&digest[..8], &date)
}

fn manifest<T: Real>(config: &Config, plan: &Plan, data: &Dataset<T>, rows: Option<usize>) -> Manifest {
    let mut keys: BTreeMap<String, serde_json::Value> = config
        .result_keys()
        .into_iter()
        .map(|(key, value)| (key, json(&value)))
        .collect();
    for key in COUNTS {
        keys.remove(*key);
    }
    if let Some(rows) = rows {
        keys.insert("--rows".to_owned(), rows.into());
    }
    let swept: std::collections::BTreeSet<&String> = plan
        .trials
        .iter()
        .flat_map(|trial: &Trial| trial.params.iter().map(|(path, _)| path))
        .collect();
    // A swept key's base value decides nothing.
    keys.retain(|key, _| !swept.contains(key));
    let mut plan_digest = blake3::Hasher::new();
    for run in &plan.runs {
        plan_digest.update(&run.id.0.to_be_bytes());
    }
    let absolute = |path: &str| {
        std::path::absolute(path)
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    };
    Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: config.name.clone(),
        created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seed: config.run.seed,
        blas_core: blas::core_name(),
        threads: rayon::current_num_threads(),
        precision: T::NAME.to_owned(),
        plan_hash: plan_digest.finalize().to_hex().to_string(),
        select: config.sweep.metric.name().to_owned(),
        metrics: config
            .metrics()
            .iter()
            .map(|metric| MetricInfo {
                name: metric.name().to_owned(),
                higher_is_better: metric.higher_is_better(),
            })
            .collect(),
        fingerprint: data.summary.fingerprint.clone(),
        data: data_json(&data.summary, data.x.ncols(), data.encoding.features.len()),
        keys,
        paths: BTreeMap::from([("data.train".to_owned(), absolute(&config.data.train.join(", ")))]),
        ..Manifest::default()
    }
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
