//! Every run known before any training: trials x folds x repeats x restarts, cut into cohorts and blocks.
//!
//! A cohort is the runs that can share a pass, a block the columns of one product. Both are pure functions of config and
//! data, so that a result's bits depend on neither threads nor memory.

mod cohort;
mod cost;
mod display;
mod method;
mod runs;
mod speed;
mod stability;

pub use cohort::{BatchSchedule, Block, Cohort};
pub use cost::Cost;
pub use display::{CohortSummary, PlanSummary, bytes, grouped, many, table};
pub use method::{Method, Shape};
pub(crate) use runs::COUNTS;
pub use runs::PlannedRun;
pub use speed::Speed;

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
    /// Every run, by (trial, fold, repeat, restart).
    pub runs: Vec<PlannedRun>,
    /// The runs by the pass they share, as indices into `runs`.
    pub cohorts: Vec<Cohort>,
}

impl Plan {
    /// The plan of `trials` on data of this fingerprint, whose first repeat has this shape.
    pub fn new(config: &Config, trials: Vec<Trial>, shape: Shape, fingerprint: &str) -> Self {
        let runs = runs::planned(config, &trials, shape.folds, fingerprint);
        let (methods, why_auto) = method::methods(&trials, shape);
        let cohorts = cohort::cut(&trials, &methods, &runs, shape.features);
        Self {
            trials,
            methods,
            why_auto,
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
