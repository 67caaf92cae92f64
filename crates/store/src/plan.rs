//! `plan.parquet`: every run of a sweep before any of them is trained.

use std::path::Path;

use polars::prelude::{DataFrame, PolarsResult};

use crate::error::StoreError;
use crate::frame::{Frame, column, param_column};
use crate::rows::{PARAM, plan};
use crate::run::RunId;
use crate::value::ParamValue;

/// One run as planned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlannedRun {
    /// Which run.
    pub run: RunId,
    /// The trial it belongs to.
    pub trial: u32,
    /// The fold held out from it, from 0.
    pub fold: u32,
    /// That fold's label.
    pub fold_label: String,
    /// Which repeat of the split, from 0.
    pub repeat: u32,
    /// Which start, from 0.
    pub restart: u32,
    /// The cohort it is trained in.
    pub cohort: u32,
    /// The block of that cohort.
    pub block: u32,
}

/// One hyperparameter setting as planned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlannedTrial {
    /// Its number.
    pub trial: u32,
    /// Its values, in the order of [`PlanTable::params`].
    pub params: Vec<ParamValue>,
}

/// Every trial and run of a sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanTable {
    /// Paths of the hyperparameters, as `model.C`.
    pub params: Vec<String>,
    /// The trials. Each has at least one run.
    pub trials: Vec<PlannedTrial>,
    /// The runs.
    pub runs: Vec<PlannedRun>,
}

impl PlanTable {
    /// Puts trials and runs in the order of the tables.
    pub(crate) fn sorted(mut self) -> Self {
        self.trials.sort_by_key(|trial| trial.trial);
        self.runs
            .sort_by_key(|run| (run.trial, run.fold, run.repeat, run.restart));
        self
    }

    /// The rows of the file, in the order given.
    pub(crate) fn to_frame(&self) -> PolarsResult<DataFrame> {
        let numbers = |of: fn(&PlannedRun) -> u32| self.runs.iter().map(of).collect::<Vec<u32>>();
        let ids: Vec<String> = self.runs.iter().map(|run| run.run.to_string()).collect();
        let labels: Vec<&str> = self.runs.iter().map(|run| run.fold_label.as_str()).collect();
        let mut columns = vec![
            column(plan::RUN, ids),
            column(plan::TRIAL, numbers(|run| run.trial)),
            column(plan::FOLD, numbers(|run| run.fold)),
            column(plan::FOLD_LABEL, labels),
            column(plan::REPEAT, numbers(|run| run.repeat)),
            column(plan::RESTART, numbers(|run| run.restart)),
            column(plan::COHORT, numbers(|run| run.cohort)),
            column(plan::BLOCK, numbers(|run| run.block)),
        ];
        let by_number: std::collections::BTreeMap<u32, &PlannedTrial> =
            self.trials.iter().map(|trial| (trial.trial, trial)).collect();
        let trials: Vec<Option<&PlannedTrial>> =
            self.runs.iter().map(|run| by_number.get(&run.trial).copied()).collect();
        for (index, path) in self.params.iter().enumerate() {
            let values = trials.iter().map(|trial| {
                trial
                    .and_then(|trial| trial.params.get(index))
                    .unwrap_or(&ParamValue::Null)
            });
            columns.push(param_column(&format!("{PARAM}{path}"), values));
        }
        DataFrame::new(self.runs.len(), columns)
    }

    /// Reads the file back. Trials come in the order of their first run.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let frame = Frame::read(path)?;
        let ids = frame.run_ids()?;
        let trial = frame.all_u32(plan::TRIAL)?;
        let fold = frame.all_u32(plan::FOLD)?;
        let label = frame.all_words(plan::FOLD_LABEL, |text| Some(text.to_owned()))?;
        let repeat = frame.all_u32(plan::REPEAT)?;
        let restart = frame.all_u32(plan::RESTART)?;
        let cohort = frame.all_u32(plan::COHORT)?;
        let block = frame.all_u32(plan::BLOCK)?;
        let params = frame.names_after(PARAM);
        let values = params
            .iter()
            .map(|path| frame.params(&format!("{PARAM}{path}")))
            .collect::<Result<Vec<_>, _>>()?;
        let mut trials = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (row, &number) in trial.iter().enumerate() {
            if seen.insert(number) {
                trials.push(PlannedTrial {
                    trial: number,
                    params: values.iter().map(|column| column[row].clone()).collect(),
                });
            }
        }
        let runs = label.into_iter().enumerate().map(|(row, fold_label)| PlannedRun {
            run: ids[row],
            trial: trial[row],
            fold: fold[row],
            fold_label,
            repeat: repeat[row],
            restart: restart[row],
            cohort: cohort[row],
            block: block[row],
        });
        let runs = runs.collect();
        Ok(Self { params, trials, runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed;

    #[test]
    fn reads_back_what_was_written() {
        let plan = PlanTable {
            params: vec!["model.C".to_owned(), "train.batch_rows".to_owned()],
            trials: vec![
                PlannedTrial {
                    trial: 0,
                    params: vec![ParamValue::Float(f64::INFINITY), ParamValue::Int(256)],
                },
                PlannedTrial {
                    trial: 1,
                    params: vec![ParamValue::Float(0.5), ParamValue::Null],
                },
            ],
            runs: (0..4)
                .map(|index| PlannedRun {
                    run: RunId(u64::MAX - u64::from(index)),
                    trial: index / 2,
                    fold: index % 2,
                    fold_label: format!("part {}", index % 2),
                    block: 3,
                    ..PlannedRun::default()
                })
                .collect(),
        };
        let dir = tempfile::tempdir().expect("scratch directory");
        let path = dir.path().join("plan.parquet");
        let bytes = sealed::encode_one(plan.to_frame().expect("frame"), &[]).expect("encodable");
        std::fs::write(&path, bytes).expect("written");
        assert_eq!(PlanTable::read(&path).expect("readable"), plan);
    }
}
