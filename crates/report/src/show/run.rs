//! One run: how it went and what it found.

use gradsweep_store::{Reason, RunRecord, RunRow, Store, TrialTable};

use super::trial::params;
use super::{coefficients, curve};
use crate::error::ReportError;
use crate::json::Json;
use crate::number;
use crate::page::{Block, Page};
use crate::table::{Grid, Side};

pub(crate) fn page(store: &Store, trials: &TrialTable, run: &RunRow) -> Result<Page, ReportError> {
    let manifest = store.manifest();
    let history = store.history(run.run)?;
    let weights = coefficients::average(&store.coefficients(run.run)?);
    let plan = store.plan()?;
    let planned = plan.runs.iter().find(|planned| planned.run == run.run);
    let label = planned.map_or("", |planned| planned.fold_label.as_str());
    let trial = trials.trial(run.trial);
    let values = trial.map_or(&[][..], |row| &row.params);
    let record = run.record.as_ref();

    let mut facts = vec![("trial", run.trial.to_string())];
    let mut fold = run.fold.to_string();
    if !label.is_empty() && label != fold {
        fold = format!("{fold} ({label})");
    }
    for (name, number) in [("repeat", run.repeat), ("restart", run.restart)] {
        if number > 0 {
            fold = format!("{fold}, {name} {number}");
        }
    }
    facts.push(("fold", fold));
    facts.push(("state", state_line(run)));
    facts.extend(params(&trials.params, values));
    facts.extend(record.into_iter().flat_map(record_facts));
    let mut blocks = vec![Block::Facts(facts)];
    if let Some(record) = record {
        let metrics = trials.metrics.iter().map(|metric| metric.name.as_str());
        blocks.push(Block::Table("Scores".to_owned(), scores(metrics, record)));
    }
    blocks.extend(curve::block(manifest, &history, false));
    blocks.extend(coefficients::block(&weights, false));

    let csv = coefficients::grid(&weights);
    let pairs = trials.params.iter().cloned().zip(values.iter().cloned());
    let pairs = pairs.map(|(path, value)| (path, Json::Value(value)));
    let score_object = |of: fn(&RunRecord, &str) -> Option<f64>| {
        let scores = trials.metrics.iter().map(|metric| {
            let score = record.and_then(|record| of(record, &metric.name));
            (metric.name.clone(), score.into())
        });
        Json::Object(scores.collect())
    };
    let json = Json::object([
        ("run", run.run.to_string().as_str().into()),
        ("trial", run.trial.into()),
        ("fold", run.fold.into()),
        ("fold_label", label.into()),
        ("repeat", run.repeat.into()),
        ("restart", run.restart.into()),
        ("state", run.state().into()),
        ("reason", record.and_then(|r| r.reason).map(Reason::name).into()),
        ("converged", record.map(|record| record.converged).into()),
        ("epochs", record.map(|record| record.epochs).into()),
        ("best_epoch", record.and_then(|record| record.best_epoch).into()),
        ("objective", record.and_then(|record| record.objective).into()),
        ("grad_norm", record.and_then(|record| record.grad_norm).into()),
        ("l1", record.map(|record| record.l1).into()),
        ("l2", record.map(|record| record.l2).into()),
        ("n_train", record.map(|record| record.n_train).into()),
        ("n_val", record.map(|record| record.n_val).into()),
        ("seconds", record.map(|record| record.seconds).into()),
        ("params", Json::Object(pairs.collect())),
        ("train", score_object(RunRecord::train_score)),
        ("val", score_object(RunRecord::val_score)),
        ("coefficients", csv.to_json()),
        ("history", curve::grid(&history).to_json()),
    ]);
    Ok(Page {
        title: format!("Run {} of {}   {}", run.run, manifest.name, store.dir().display()),
        blocks,
        json,
        csv,
    })
}

/// `complete (tol) after 9 epochs, converged`.
fn state_line(run: &RunRow) -> String {
    let Some(record) = &run.record else {
        return run.state().to_owned();
    };
    let reason = record.reason.map_or(String::new(), |reason| format!(" ({reason})"));
    let epochs = number::counted(record.epochs.into(), "epoch");
    let mut line = format!("{}{reason} after {epochs}", record.state);
    line += match record.certificate() {
        Some(true) => ", converged",
        Some(false) => ", not converged",
        None => "",
    };
    if let Some(best) = record.best_epoch.filter(|best| *best != record.epochs) {
        line = format!("{line}; weights of epoch {best}");
    }
    line
}

fn record_facts(record: &RunRecord) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(objective) = record.objective {
        let mut text = number::score(objective);
        if let Some(gradient) = record.grad_norm {
            text = format!("{text}, greatest gradient {}", number::significant(gradient, 3));
        }
        facts.push(("objective", text));
    }
    let (l1, l2) = (record.l1, record.l2);
    let figures = |value: f64| {
        if value == 0.0 {
            "0".to_owned()
        } else {
            number::significant(value, 4)
        }
    };
    facts.push(("penalty", format!("l1 {}, l2 {}", figures(l1), figures(l2))));
    let (train, val) = (number::count(record.n_train), number::count(record.n_val));
    facts.push(("rows", format!("{train} trained on, {val} held out")));
    facts.push(("time", format!("{} of its cohort's", number::seconds(record.seconds))));
    facts
}

fn scores<'a>(metrics: impl Iterator<Item = &'a str>, record: &RunRecord) -> Grid {
    let mut grid = Grid::new();
    grid.column("metric", Side::Left);
    grid.column("val", Side::Right);
    grid.column("train", Side::Right);
    let text = |score: Option<f64>| score.map_or(number::NONE.to_owned(), number::score);
    for metric in metrics {
        grid.texts(vec![
            metric.to_owned(),
            text(record.val_score(metric)),
            text(record.train_score(metric)),
        ]);
    }
    grid
}
