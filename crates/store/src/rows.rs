//! The tables' columns, listed once for whoever writes and whoever reads them, and their rows.

use crate::manifest::MetricInfo;
use crate::run::{RunId, RunRecord, TrialState};
use crate::value::ParamValue;

/// Names of columns that are not fixed.
pub(crate) const PARAM: &str = "param.";
pub(crate) const MEAN_VAL: &str = "mean_val_";
pub(crate) const STD_VAL: &str = "std_val_";
pub(crate) const SE_VAL: &str = "se_val_";
pub(crate) const MEAN_TRAIN: &str = "mean_train_";
pub(crate) const TRAIN: &str = "train_";
pub(crate) const VAL: &str = "val_";

/// Columns of `plan.parquet`, before one `param.<path>` per hyperparameter.
pub(crate) mod plan {
    pub(crate) const RUN: &str = "run";
    pub(crate) const TRIAL: &str = "trial";
    pub(crate) const FOLD: &str = "fold";
    pub(crate) const FOLD_LABEL: &str = "fold_label";
    pub(crate) const REPEAT: &str = "repeat";
    pub(crate) const RESTART: &str = "restart";
    pub(crate) const COHORT: &str = "cohort";
    pub(crate) const BLOCK: &str = "block";
}

/// Columns of `trials.parquet` around the hyperparameters and scores.
pub(crate) mod trials {
    pub(crate) const TRIAL: &str = "trial";
    pub(crate) const RANK: &str = "rank";
    pub(crate) const STATE: &str = "state";
    pub(crate) const RUNG: &str = "rung";
    pub(crate) const N_RUNS: &str = "n_runs";
    pub(crate) const N_FAILED: &str = "n_failed";
    pub(crate) const SELECTED: &str = "selected";
}

/// Columns of `runs.parquet` around the scores.
pub(crate) mod runs {
    pub(crate) const RUN: &str = "run";
    pub(crate) const TRIAL: &str = "trial";
    pub(crate) const FOLD: &str = "fold";
    pub(crate) const REPEAT: &str = "repeat";
    pub(crate) const RESTART: &str = "restart";
    pub(crate) const STATE: &str = "state";
    pub(crate) const REASON: &str = "reason";
    pub(crate) const CONVERGED: &str = "converged";
    pub(crate) const EPOCHS: &str = "epochs";
    pub(crate) const BEST_EPOCH: &str = "best_epoch";
    pub(crate) const FIRST_PASS: &str = "first_pass";
    pub(crate) const RUNG: &str = "rung";
    pub(crate) const OBJECTIVE: &str = "objective";
    pub(crate) const GRAD_NORM: &str = "grad_norm";
    pub(crate) const L1: &str = "l1";
    pub(crate) const L2: &str = "l2";
    pub(crate) const N_TRAIN: &str = "n_train";
    pub(crate) const N_VAL: &str = "n_val";
    pub(crate) const SECONDS: &str = "seconds";
}

/// Columns of `history.parquet`.
pub(crate) mod history {
    pub(crate) const RUN: &str = "run";
    pub(crate) const EPOCH: &str = "epoch";
    pub(crate) const SPLIT: &str = "split";
    pub(crate) const METRIC: &str = "metric";
    pub(crate) const VALUE: &str = "value";
}

/// Columns of `coefficients.parquet`.
pub(crate) mod coefficients {
    pub(crate) const RUN: &str = "run";
    pub(crate) const FEATURE: &str = "feature";
    pub(crate) const COEFFICIENT: &str = "coefficient";
    pub(crate) const STANDARDIZED: &str = "coefficient_standardized";
}

/// Columns of `parts/NNNNN.parquet`: one long table for everything a run leaves.
pub(crate) mod parts {
    pub(crate) const RUN: &str = "run";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const NAME: &str = "name";
    pub(crate) const EPOCH: &str = "epoch";
    pub(crate) const VALUE: &str = "value";
    pub(crate) const STANDARDIZED: &str = "standardized";
}

/// `trials.parquet`: one row per trial, by trial number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrialTable {
    /// Paths of the hyperparameters, as `model.C`.
    pub params: Vec<String>,
    /// The metrics, in the order of [`TrialRow::scores`].
    pub metrics: Vec<MetricInfo>,
    /// The trials.
    pub rows: Vec<TrialRow>,
}

/// One trial with its scores over folds.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRow {
    /// Its number.
    pub trial: u32,
    /// Its hyperparameters, in the order of [`TrialTable::params`].
    pub params: Vec<ParamValue>,
    /// Its scores, in the order of [`TrialTable::metrics`].
    pub scores: Vec<Score>,
    /// Its place, from 1: complete trials by the selecting metric, then pruned ones by rung, waiting ones, failed ones.
    pub rank: u32,
    /// Its state.
    pub state: TrialState,
    /// The last rung any of its runs reached.
    pub rung: Option<u32>,
    /// Its runs.
    pub n_runs: u32,
    /// Those of them that failed.
    pub n_failed: u32,
    /// Whether it is the sweep's choice. At most one trial is.
    pub is_selected: bool,
}

/// One metric of one trial: restarts are averaged first, then the J = folds·repeats scores.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// Mean over the held-out rows of the folds. Missing when some run has no such score.
    pub mean_val: Option<f64>,
    /// Standard deviation over folds, with J − 1 in the denominator.
    pub std_val: Option<f64>,
    /// Standard error of the mean, `std_val` / √J.
    pub se_val: Option<f64>,
    /// Mean over the training rows of the folds.
    pub mean_train: Option<f64>,
}

impl TrialTable {
    /// The trial with this number.
    pub fn trial(&self, number: u32) -> Option<&TrialRow> {
        self.rows.iter().find(|row| row.trial == number)
    }

    /// The sweep's choice.
    pub fn selected(&self) -> Option<&TrialRow> {
        self.rows.iter().find(|row| row.is_selected)
    }
}

/// One run of `runs.parquet`; the rows go by trial, fold, repeat, restart.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Which run.
    pub run: RunId,
    /// The trial it belongs to.
    pub trial: u32,
    /// The fold held out from it.
    pub fold: u32,
    /// Which repeat of the split.
    pub repeat: u32,
    /// Which start.
    pub restart: u32,
    /// What it left; nothing as long as it waits.
    pub record: Option<RunRecord>,
}

impl RunRow {
    /// The state as the tables say it.
    pub fn state(&self) -> &'static str {
        match &self.record {
            Some(record) => record.state.name(),
            None => TrialState::Waiting.name(),
        }
    }
}
