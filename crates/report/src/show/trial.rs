//! One trial: its parameters, its scores by fold, its model.

use std::collections::HashMap;

use gradsweep_store::{ParamValue, PlannedRun, RunId, RunRecord, RunRow, Store, TrialRow, TrialState, TrialTable};

use super::{coefficients, curve};
use crate::error::ReportError;
use crate::json::Json;
use crate::number;
use crate::page::{Block, Page};
use crate::summary::is_validated;
use crate::table::{Grid, Side, float, whole};

pub(crate) fn page(store: &Store, trials: &TrialTable, runs: &[RunRow], number: u32) -> Result<Page, ReportError> {
    let manifest = store.manifest();
    let row = trials.trial(number).ok_or_else(|| ReportError::NoSuchTrial {
        dir: store.dir().to_path_buf(),
        wanted: number.to_string(),
        trials: trials.rows.iter().map(|row| row.trial).collect(),
    })?;
    let runs: Vec<&RunRow> = runs.iter().filter(|run| run.trial == number).collect();
    let ids: Vec<RunId> = runs.iter().map(|run| run.run).collect();
    let history = store.history_of(&ids)?;
    let weights = coefficients::average(&store.coefficients_of(&ids)?);
    let plan = store.plan()?;
    let labels: HashMap<RunId, &PlannedRun> = plan
        .runs
        .iter()
        .filter(|planned| planned.trial == number)
        .map(|planned| (planned.run, planned))
        .collect();
    let metrics: Vec<&str> = trials.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let folds = Folds {
        runs: &runs,
        labels: &labels,
        metrics: &metrics,
    };
    let mut blocks = vec![
        Block::Facts(facts(trials, row)),
        Block::Table("Scores".to_owned(), scores(trials, row)),
        Block::Table(
            "Runs".to_owned(),
            folds.for_people(is_validated(trials, &manifest.select)),
        ),
    ];
    blocks.extend(curve::block(manifest, &history, runs.len() > 1));
    blocks.extend(coefficients::block(&weights, runs.len() > 1));
    let params = trials.params.iter().cloned().zip(row.params.iter().cloned());
    let params = params.map(|(path, value)| (path, Json::Value(value)));
    let figures = trials.metrics.iter().zip(&row.scores).map(|(metric, score)| {
        let figures = Json::object([
            ("mean_val", score.mean_val.into()),
            ("std_val", score.std_val.into()),
            ("se_val", score.se_val.into()),
            ("mean_train", score.mean_train.into()),
        ]);
        (metric.name.clone(), figures)
    });
    let csv = folds.for_programs();
    let json = Json::object([
        ("trial", number.into()),
        ("rank", row.rank.into()),
        ("state", row.state.name().into()),
        ("selected", row.is_selected.into()),
        ("params", Json::Object(params.collect())),
        ("scores", Json::Object(figures.collect())),
        ("runs", csv.to_json()),
        ("coefficients", coefficients::grid(&weights).to_json()),
        ("history", curve::grid(&history).to_json()),
    ]);
    Ok(Page {
        title: format!("Trial {number} of {}   {}", manifest.name, store.dir().display()),
        blocks,
        json,
        csv,
    })
}

fn facts(trials: &TrialTable, row: &TrialRow) -> Vec<(&'static str, String)> {
    let of = number::count(trials.rows.len() as u64);
    let mut rank = format!("{} of {of}", row.rank);
    if row.is_selected {
        rank += ", selected";
    }
    let mut facts = vec![("rank", rank)];
    if row.state != TrialState::Complete {
        facts.push(("state", row.state.to_string()));
    }
    facts.extend(params(&trials.params, &row.params));
    facts
}

/// Each parameter on a line of its own, the label before the first.
pub(crate) fn params(paths: &[String], values: &[ParamValue]) -> Vec<(&'static str, String)> {
    let lines = paths.iter().zip(values).enumerate();
    lines
        .map(|(index, (path, value))| {
            let label = if index == 0 { "params" } else { "" };
            let value = if value.is_null() {
                number::NONE.to_owned()
            } else {
                value.to_string()
            };
            (label, format!("{path} = {value}"))
        })
        .collect()
}

fn scores(trials: &TrialTable, row: &TrialRow) -> Grid {
    let mut grid = Grid::new();
    grid.column("metric", Side::Left);
    grid.column("val", Side::Right);
    grid.column("train", Side::Right);
    for (metric, score) in trials.metrics.iter().zip(&row.scores) {
        grid.texts(vec![
            metric.name.clone(),
            number::score_with_error(score.mean_val, score.se_val),
            score.mean_train.map_or(number::NONE.to_owned(), number::score),
        ]);
    }
    grid
}

/// The runs of a trial.
struct Folds<'a> {
    runs: &'a [&'a RunRow],
    labels: &'a HashMap<RunId, &'a PlannedRun>,
    metrics: &'a [&'a str],
}

impl Folds<'_> {
    fn label(&self, run: RunId) -> &str {
        self.labels.get(&run).map_or("", |planned| &planned.fold_label)
    }

    fn for_people(&self, is_validated: bool) -> Grid {
        let mut grid = Grid::new();
        let has_repeats = self.runs.iter().any(|run| run.repeat > 0);
        let has_restarts = self.runs.iter().any(|run| run.restart > 0);
        // A label is worth its place only where it says more than the fold's number.
        let has_labels = self.runs.iter().any(|run| self.label(run.run) != run.fold.to_string());
        let fixed = [
            ("run", Side::Left, true),
            ("fold", Side::Right, true),
            ("label", Side::Left, has_labels),
            ("repeat", Side::Right, has_repeats),
            ("restart", Side::Right, has_restarts),
            ("state", Side::Left, true),
            ("reason", Side::Left, true),
            ("epochs", Side::Right, true),
            ("converged", Side::Left, true),
        ];
        for (name, side, _) in fixed.iter().filter(|(_, _, is_shown)| *is_shown) {
            grid.column(*name, *side);
        }
        let of = if is_validated { "" } else { " (train)" };
        for metric in self.metrics {
            grid.column(format!("{metric}{of}"), Side::Right);
        }
        for run in self.runs {
            let record = run.record.as_ref();
            let cells = [
                run.run.to_string(),
                run.fold.to_string(),
                self.label(run.run).to_owned(),
                run.repeat.to_string(),
                run.restart.to_string(),
                run.state().to_owned(),
                record
                    .and_then(|record| record.reason)
                    .map_or(number::NONE.to_owned(), |reason| reason.to_string()),
                record.map_or(number::NONE.to_owned(), |record| record.epochs.to_string()),
                match record.and_then(RunRecord::certificate) {
                    Some(true) => "yes".to_owned(),
                    Some(false) => "no".to_owned(),
                    None => number::NONE.to_owned(),
                },
            ];
            let shown = cells.into_iter().zip(&fixed);
            let mut cells: Vec<String> = shown
                .filter(|(_, (_, _, is_shown))| *is_shown)
                .map(|(cell, _)| cell)
                .collect();
            cells.extend(self.metrics.iter().map(|metric| {
                let score = record.and_then(|record| {
                    if is_validated {
                        record.val_score(metric)
                    } else {
                        record.train_score(metric)
                    }
                });
                score.map_or(number::NONE.to_owned(), number::score)
            }));
            grid.texts(cells);
        }
        grid
    }

    fn for_programs(&self) -> Grid {
        let mut grid = Grid::new();
        for name in [
            "run",
            "fold",
            "fold_label",
            "repeat",
            "restart",
            "state",
            "reason",
            "converged",
            "epochs",
            "n_train",
            "n_val",
            "seconds",
        ] {
            grid.column(name, Side::Left);
        }
        for split in ["train", "val"] {
            for metric in self.metrics {
                grid.column(format!("{split}_{metric}"), Side::Left);
            }
        }
        for run in self.runs {
            let record = run.record.as_ref();
            let of = |get: &dyn Fn(&gradsweep_store::RunRecord) -> ParamValue| record.map_or(ParamValue::Null, get);
            let reason = record.and_then(|record| record.reason);
            let mut cells = vec![
                ParamValue::Text(run.run.to_string()),
                whole(run.fold),
                ParamValue::Text(self.label(run.run).to_owned()),
                whole(run.repeat),
                whole(run.restart),
                ParamValue::Text(run.state().to_owned()),
                reason.map_or(ParamValue::Null, |r| ParamValue::Text(r.to_string())),
                of(&|record| ParamValue::Bool(record.converged)),
                of(&|record| whole(record.epochs)),
                of(&|record| whole(record.n_train)),
                of(&|record| whole(record.n_val)),
                of(&|record| ParamValue::Float(record.seconds)),
            ];
            for metric in self.metrics {
                cells.push(float(record.and_then(|record| record.train_score(metric))));
            }
            for metric in self.metrics {
                cells.push(float(record.and_then(|record| record.val_score(metric))));
            }
            grid.row(cells);
        }
        grid
    }
}
