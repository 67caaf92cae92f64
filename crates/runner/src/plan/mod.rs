//! Every run known before any training: trials x folds x repeats x restarts, cut into cohorts and blocks.
//!
//! A cohort is the runs that can share a pass, a block the columns of one product. Both are pure functions of config and
//! data, so that a result's bits depend on neither threads nor memory.

mod cohort;
mod cost;
mod display;
mod method;
mod preparation;
mod runs;
mod speed;
mod stability;
mod table;

pub use cohort::{BatchSchedule, Block, Cohort, DataView};
pub use cost::Cost;
pub use display::{AtMost, CohortSummary, PlanSummary, bytes, grouped, many};
pub use method::{Method, Shape};
pub use preparation::Preparation;
pub(crate) use runs::COUNTS;
pub use runs::PlannedRun;
pub(crate) use speed::BUDGET;
pub use speed::Speed;
pub(crate) use table::param;
pub use table::table;

use gradsweep_store as store;

use crate::config::Config;
use crate::search::Trial;

/// The plan of one sweep on one data set.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The settings tried.
    pub trials: Vec<Trial>,
    /// How each trial is trained.
    pub methods: Vec<Method>,
    /// Why `auto` chose its solver; absent when no trial leaves the choice.
    pub why_auto: Option<String>,
    /// The different ways in which trials take their rows, in the order of the first trial with each.
    pub preparations: Vec<Preparation>,
    /// Which of them each trial has.
    of_trials: Vec<usize>,
    /// Every run, by (trial, fold, repeat, restart).
    pub runs: Vec<PlannedRun>,
    /// The runs by the pass they share, as indices into `runs`.
    pub cohorts: Vec<Cohort>,
}

impl Plan {
    /// The plan of `trials` on data of this fingerprint, whose first repeat and preparation have this shape.
    pub fn new(config: &Config, trials: Vec<Trial>, shape: Shape, fingerprint: &str) -> Self {
        let runs = runs::planned(config, &trials, shape.folds, fingerprint);
        let (methods, why_auto) = method::methods(&trials, shape);
        let (preparations, of_trials) = preparation::distinct(&trials);
        // Trials that are compared on their way stand at one epoch.
        let sweep = &config.sweep;
        let compares = sweep.halving.is_some() || sweep.hyperband.is_some() || sweep.target.is_some();
        let cohorts = cohort::cut((&trials, &methods, &of_trials), &runs, shape.features, !compares);
        Self {
            trials,
            methods,
            why_auto,
            preparations,
            of_trials,
            runs,
            cohorts,
        }
    }

    /// The same plan without the runs for which `is_finished` holds; cohorts left empty are gone.
    #[must_use]
    pub fn without(&self, is_finished: impl Fn(store::RunId) -> bool) -> Self {
        let mut rest = self.clone();
        for cohort in &mut rest.cohorts {
            for block in &mut cohort.blocks {
                block.runs.retain(|&run| !is_finished(self.runs[run].id));
            }
            cohort.blocks.retain(|block| !block.runs.is_empty());
        }
        rest.cohorts.retain(|cohort| !cohort.blocks.is_empty());
        rest
    }

    /// Cuts the blocks of a cohort anew from the runs that are left of it; not of one that converges.
    pub(crate) fn recut(&mut self, cohort: usize, is_left: impl Fn(usize) -> bool) {
        self.cohorts[cohort].recut(&self.runs, is_left);
    }

    /// What a view of the rows is: the repeat of the folds, and how they are prepared.
    pub(crate) fn rows_of(&self, view: DataView) -> (u32, &Preparation) {
        (view.repeat, &self.preparations[view.preparation])
    }

    /// What sets one of the preparations apart from the others: `impute = median`; nothing where there is one.
    pub(crate) fn preparation_words(&self, preparation: usize) -> String {
        let trial = self.of_trials.iter().position(|own| *own == preparation);
        let params = trial.map_or(&[][..], |trial| &self.trials[trial].params);
        let decide = params.iter().filter(|(path, _)| Preparation::depends_on(path));
        let words: Vec<String> = decide
            .map(|(path, value)| {
                let key = path.strip_prefix("preprocess.").unwrap_or(path);
                format!("{key} = {}", value.to_string().trim_matches('"'))
            })
            .collect();
        words.join(", ")
    }

    /// The rows that the runs of a trial are trained on in one repeat of the folds; none of a trial that the plan does not
    /// have.
    pub(crate) fn view_of(&self, trial: u32, repeat: u32) -> Option<DataView> {
        let own = self.trials.binary_search_by_key(&trial, |own| own.number).ok()?;
        let preparation = self.of_trials[own];
        Some(DataView { preparation, repeat })
    }

    /// Runs that the cohorts hold.
    pub fn pending(&self) -> usize {
        self.cohorts.iter().map(Cohort::width).sum()
    }

    /// The trial of a run.
    pub fn trial_of(&self, run: usize) -> &Trial {
        &self.trials[self.runs[run].trial]
    }

    /// How a run is trained.
    pub fn method_of(&self, run: usize) -> Method {
        self.methods[self.runs[run].trial]
    }

    /// The plan as the store keeps it.
    pub fn table(&self, fold_labels: &[String]) -> store::PlanTable {
        table(self, fold_labels)
    }
}
