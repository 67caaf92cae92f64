//! One row of the data through one run's model: every value and derivative of its computation graph.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use gradsweep_data::{Dataset, Role};
use gradsweep_math::check::finite_difference::{gradient, relative_error};
use gradsweep_math::check::graph::{self, ExampleGraph};
use gradsweep_math::loss::logistic;
use gradsweep_math::reference::single::{self, Example};
use gradsweep_math::solver::MOST_WHOLE;
use gradsweep_store::{RunRow, Store};
use ndarray::s;

use crate::config::{self, Config};
use crate::dataset;
use crate::error::RunError;
use crate::search;
use crate::train::View;

/// Features printed; the others are summed in one line.
const FEATURES_SHOWN: usize = 12;

/// A row explained.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The run's id, trial and fold in words.
    pub run: String,
    /// The row's number in the files, from 1, and its part in the run's fold.
    pub row: String,
    /// The label as the data have it.
    pub label: String,
    /// Whether that label counts as 1.
    pub is_positive: bool,
    /// Forward and backward by hand.
    pub example: Example,
    /// Name, weight and value of each feature.
    pub features: Vec<(String, f64, f64)>,
    /// The intercept.
    pub intercept: f64,
    /// The same as a graph.
    pub graph: ExampleGraph,
    /// Largest relative error of the graph's derivatives against finite differences.
    pub finite_differences: f64,
}

/// Explains row `row` (from 1) of the data of a sweep under one of its runs.
///
/// `run` is `best` (the selected trial, in the fold that holds the row out where there is one) or the beginning of a
/// run's id.
pub fn explain(dir: &Path, run: &str, row: u64) -> Result<Explanation, RunError> {
    let store = Store::open(dir)?;
    let text = store.resolved_text()?;
    let config = config::parse(&text, "resolved.toml", &store.manifest().name, &[])?;
    let candidates = candidates(&store, run)?;
    let (config, data) = load(&config, &store, &candidates[0])?;
    let view = View::new(&data, &config);
    let position = data
        .source_row
        .iter()
        .position(|&source| u64::from(source) + 1 == row)
        .ok_or_else(|| {
            let rows = data.source_row.iter().max().map_or(0, |last| u64::from(*last) + 1);
            RunError::NotFound {
                what: format!("there is no row {row}: the data have rows 1 to {rows}"),
            }
        })?;
    let group = data
        .groups
        .iter()
        .position(|rows| rows.contains(&position))
        .unwrap_or(0);
    let chosen = choose(candidates, &view, group);
    let fold = chosen.fold as usize;

    let mut names: Vec<String> = view.features.iter().map(|&name| name.to_owned()).collect();
    let mut w = vec![0.0; names.len()];
    let mut intercept = 0.0;
    let places: BTreeMap<&str, usize> = view.features.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    for row in store.coefficients(chosen.run)? {
        match places.get(&*row.feature) {
            Some(&feature) => w[feature] = row.coefficient_standardized,
            None => intercept = row.coefficient_standardized,
        }
    }
    let x = view
        .map
        .features_of(fold, &view.x.slice(s![position..=position, ..]))
        .row(0)
        .to_vec();
    // A weight the fold does not have, on a value it does not see, is not part of the graph. Where a row has some of very
    // many levels, those it does not have are left out: they would be zeros without end.
    let is_wide = names.len() > MOST_WHOLE;
    let is_used = |i: usize| x[i] != 0.0 || (!is_wide && w[i] != 0.0);
    let used: Vec<usize> = (0..names.len()).filter(|&i| is_used(i)).collect();
    names = used.iter().map(|&i| names[i].clone()).collect();
    let (w, x): (Vec<f64>, Vec<f64>) = used.iter().map(|&i| (w[i], x[i])).unzip();
    let y = view.y[position];

    let graph = graph::example(&names, &x, y, &w, intercept);
    let objective = |point: &[f64]| {
        let z = point[0] + point[1..].iter().zip(&x).map(|(w, x)| w * x).sum::<f64>();
        logistic::loss(y, z)
    };
    let point: Vec<f64> = std::iter::once(intercept).chain(w.iter().copied()).collect();
    let nodes = std::iter::once(&graph.intercept).chain(&graph.weights);
    let errors = gradient(objective, &point).into_iter().zip(nodes);
    let role = match view.folds.roles[fold][group] {
        Role::Train => "a training row",
        Role::Val => "held out",
        Role::Unused => "not used",
    };
    Ok(Explanation {
        run: format!(
            "run {} (trial {}, fold {}{})",
            chosen.run,
            chosen.trial,
            view.folds.labels[fold],
            if chosen.repeat > 0 {
                format!(", repeat {}", chosen.repeat)
            } else {
                String::new()
            }
        ),
        row: format!("row {row}, {role} in this fold"),
        is_positive: y > 0.5,
        label: if y > 0.5 {
            data.summary.target.positive.clone()
        } else {
            data.summary.target.negative.clone()
        },
        example: single::example(&x, y, &w, intercept),
        finite_differences: errors
            .map(|(slope, &node)| relative_error(slope, graph.graph.derivative(node)))
            .fold(0.0, f64::max),
        features: names
            .into_iter()
            .zip(w)
            .zip(x)
            .map(|((name, w), x)| (name, w, x))
            .collect(),
        intercept,
        graph,
    })
}

/// The config of a run's trial and the data as it had them, as long as they are still those it was trained on.
pub(crate) fn load(config: &Config, store: &Store, run: &RunRow) -> Result<(Config, Dataset<f64>), RunError> {
    let rows = store
        .manifest()
        .keys
        .get("--rows")
        .and_then(serde_json::Value::as_u64)
        .map(|rows| rows as usize);
    let mut trials = search::of_store(config, store)?.into_iter();
    let trial = trials.find(|trial| trial.number == run.trial);
    let own = trial.map_or_else(|| config.clone(), |trial| trial.config(config));
    let data: Dataset<f64> = dataset::load(&own, rows, run.repeat)?;
    if data.summary.fingerprint != store.manifest().fingerprint {
        return Err(RunError::Changed {
            dir: store.dir().to_path_buf(),
            changed: vec!["the data's content is no longer what the sweep was trained on".to_owned()],
        });
    }
    Ok((own, data))
}

/// The runs that `wanted` may mean, all of one trial and repeat: one by its id, or those of the selected trial.
fn candidates(store: &Store, wanted: &str) -> Result<Vec<RunRow>, RunError> {
    let runs: Vec<RunRow> = store
        .runs()?
        .into_iter()
        .filter(|run| run.record.as_ref().is_some_and(|record| record.objective.is_some()))
        .collect();
    let not_found = |what: String| RunError::NotFound { what };
    if wanted == "best" {
        let trials = store.trials()?;
        let best = trials
            .rows
            .iter()
            .find(|trial| trial.is_selected)
            .ok_or_else(|| not_found("no trial was selected: all of them failed".to_owned()))?;
        let mut own: Vec<RunRow> = runs.into_iter().filter(|run| run.trial == best.trial).collect();
        let first = own.iter().map(|run| run.repeat).min();
        let first = first.ok_or_else(|| not_found("the selected trial has no finished run".to_owned()))?;
        own.retain(|run| run.repeat == first);
        return Ok(own);
    }
    let matching: Vec<RunRow> = runs
        .into_iter()
        .filter(|run| run.run.to_string().starts_with(&wanted.to_lowercase()))
        .collect();
    match matching.len() {
        1 => Ok(matching),
        0 => Err(not_found(format!(
            "no finished run's id begins with {wanted}; gradsweep show lists them"
        ))),
        several => Err(not_found(format!(
            "{several} runs' ids begin with {wanted}: write more of it"
        ))),
    }
}

/// The first of the candidates whose fold holds the row out, or else the first.
fn choose(mut candidates: Vec<RunRow>, view: &View<'_, f64>, group: usize) -> RunRow {
    let is_held_out = |run: &RunRow| view.folds.roles[run.fold as usize][group] == Role::Val;
    let place = candidates.iter().position(is_held_out).unwrap_or(0);
    candidates.swap_remove(place)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = &self.example;
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        let contribution = |i: usize| self.features[i].1 * self.features[i].2;
        order.sort_by(|&a, &b| contribution(b).abs().total_cmp(&contribution(a).abs()));
        let shown = &order[..order.len().min(FEATURES_SHOWN)];
        let name = |i: usize| printable(&self.features[i].0);
        let width = shown
            .iter()
            .map(|&i| name(i).chars().count())
            .max()
            .unwrap_or(0)
            .max("(intercept)".len());
        writeln!(f, "{}: {}", self.run, self.row)?;
        writeln!(f)?;
        writeln!(
            f,
            "z = b + Σ w·x{:>w$.4}      dz = a − y {:>+10.4}",
            one.z,
            one.dz,
            w = width + 1
        )?;
        writeln!(
            f,
            "  {:<width$}  {:>+10.4}      db {:>+18.4}",
            "(intercept)", self.intercept, one.db
        )?;
        for &i in shown {
            let (_, w, x) = &self.features[i];
            writeln!(
                f,
                "  {:<width$}  {:>+10.4}      dw {:>+18.4}      w {w:>+9.4} · x {x:>+9.4}",
                name(i),
                w * x,
                one.dw[i],
            )?;
        }
        if order.len() > shown.len() {
            let rest: f64 = order[shown.len()..].iter().map(|&i| contribution(i)).sum();
            let label = format!("{} more", order.len() - shown.len());
            writeln!(f, "  {label:<width$}  {rest:>+10.4}")?;
        }
        writeln!(
            f,
            "a = σ(z)     {:>w$.4}      da = −y/a + (1−y)/(1−a) = {:+.4}",
            one.a,
            one.da,
            w = width + 1
        )?;
        let formula = if one.loss.is_finite() && self.label_is_positive() {
            "L = −log a"
        } else {
            "L = −log(1−a)"
        };
        writeln!(
            f,
            "{formula:<13}{:>w$.4}      y = {}",
            one.loss,
            printable(&self.label),
            w = width + 1
        )?;
        writeln!(
            f,
            "finite differences agree to {:.0e}      --dot writes the graph",
            self.finite_differences
        )
    }
}

/// A name or label without the control characters that would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

impl Explanation {
    fn label_is_positive(&self) -> bool {
        self.is_positive
    }
}
