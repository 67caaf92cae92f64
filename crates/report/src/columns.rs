//! What a trial is asked for by name: in filters, for sorting, for grouping.

use gradsweep_store::{ParamValue, TrialRow};

use crate::error::{ReportError, nearest};
use crate::params::Source;

/// Columns that every trial has, beside parameters and scores.
const FIXED: [(&str, Column); 6] = [
    ("trial", Column::Trial),
    ("state", Column::State),
    ("rung", Column::Rung),
    ("n_runs", Column::Runs),
    ("n_failed", Column::Failed),
    ("selected", Column::Selected),
];

/// A quantity of trials.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    Sweep,
    Trial,
    State,
    Rung,
    Runs,
    Failed,
    Selected,
    /// A hyperparameter by its path, swept or fixed.
    Param(String),
    Score(Quantity, String),
}

/// What is meant of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    MeanVal,
    StdVal,
    SeVal,
    MeanTrain,
}

impl Quantity {
    const ALL: [(&'static str, Self); 4] = [
        ("mean_val_", Self::MeanVal),
        ("std_val_", Self::StdVal),
        ("se_val_", Self::SeVal),
        ("mean_train_", Self::MeanTrain),
    ];
}

impl Column {
    /// Reads a name as the tables spell it (`param.model.C`, `mean_val_log_loss`), or shorter where that is unambiguous: a parameter by its path
    /// (`model.C`) or last segment (`C`), a metric for its mean on held-out rows (`log_loss`).
    pub(crate) fn named(name: &str, sources: &[Source]) -> Result<Self, ReportError> {
        if let Some((_, column)) = FIXED.iter().find(|(fixed, _)| *fixed == name) {
            return Ok(column.clone());
        }
        if name == "sweep" {
            return Ok(Self::Sweep);
        }
        let paths = paths(sources);
        let wanted = name.strip_prefix("param.").unwrap_or(name);
        if paths.iter().any(|path| path == wanted) {
            return Ok(Self::Param(wanted.to_owned()));
        }
        let has_metric = |metric: &str| {
            let mut metrics = sources.iter().flat_map(|source| &source.trials.metrics);
            metrics.any(|held| held.name == metric)
        };
        if has_metric(name) {
            return Ok(Self::Score(Quantity::MeanVal, name.to_owned()));
        }
        for (prefix, quantity) in Quantity::ALL {
            if let Some(metric) = name.strip_prefix(prefix).filter(|metric| has_metric(metric)) {
                return Ok(Self::Score(quantity, metric.to_owned()));
            }
        }
        let is_short = |path: &&String| path.rsplit('.').next() == Some(wanted);
        match paths.iter().filter(is_short).collect::<Vec<_>>().as_slice() {
            [path] => Ok(Self::Param((*path).clone())),
            several => Err(ReportError::UnknownColumn {
                name: name.to_owned(),
                meant: match several {
                    [] => Self::like(name, sources, &paths),
                    several => several.iter().map(|path| format!("param.{path}")).collect(),
                },
            }),
        }
    }

    /// Known names that are like a wrong one, or else those that are asked for most.
    fn like(name: &str, sources: &[Source], paths: &[String]) -> Vec<String> {
        let metrics = sources.iter().flat_map(|source| &source.trials.metrics);
        let mut known: Vec<String> = metrics.map(|metric| metric.name.clone()).collect();
        known.extend(paths.iter().map(|path| format!("param.{path}")));
        known.extend(FIXED.iter().map(|(fixed, _)| (*fixed).to_owned()));
        known.push("sweep".to_owned());
        let shorts: Vec<String> = paths
            .iter()
            .filter_map(|path| path.rsplit('.').next())
            .map(str::to_owned)
            .collect();
        if let Some(near) = nearest(name, &known) {
            return vec![near.clone()];
        }
        if let Some(near) = nearest(name, &shorts) {
            return vec![near.clone()];
        }
        let swept = sources.iter().flat_map(|source| &source.trials.params);
        let mut asked: Vec<String> = swept.map(|path| format!("param.{path}")).collect();
        asked.extend(known.into_iter().filter(|known| !known.starts_with("param.")));
        asked.dedup();
        asked
    }

    /// A trial's value.
    pub(crate) fn of(&self, source: &Source, row: &TrialRow) -> ParamValue {
        let number = |value: u32| ParamValue::Int(i64::from(value));
        match self {
            Self::Sweep => ParamValue::Text(source.name.to_owned()),
            Self::Trial => number(row.trial),
            Self::State => ParamValue::Text(row.state.to_string()),
            Self::Rung => row.rung.map_or(ParamValue::Null, number),
            Self::Runs => number(row.n_runs),
            Self::Failed => number(row.n_failed),
            Self::Selected => ParamValue::Bool(row.is_selected),
            Self::Param(path) => crate::params::value_of(path, source, row),
            Self::Score(quantity, metric) => {
                let index = source.trials.metrics.iter().position(|held| held.name == *metric);
                let score = index.map(|index| row.scores[index]).unwrap_or_default();
                let value = match quantity {
                    Quantity::MeanVal => score.mean_val,
                    Quantity::StdVal => score.std_val,
                    Quantity::SeVal => score.se_val,
                    Quantity::MeanTrain => score.mean_train,
                };
                value.map_or(ParamValue::Null, ParamValue::Float)
            }
        }
    }
}

/// Every hyperparameter of the sweeps, swept ones first.
fn paths(sources: &[Source]) -> Vec<String> {
    let swept = sources.iter().flat_map(|source| source.trials.params.iter());
    let fixed = sources.iter().flat_map(|source| source.manifest.keys.keys());
    let fixed = fixed.filter(|key| crate::params::is_hyperparameter(key));
    let mut paths: Vec<String> = Vec::new();
    for path in swept.chain(fixed) {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    paths
}

/// Numbers by size, then texts, then what has no value; for sorting.
pub(crate) fn order(a: &ParamValue, b: &ParamValue) -> std::cmp::Ordering {
    let class = |value: &ParamValue| match value {
        ParamValue::Bool(_) => 0,
        ParamValue::Int(_) | ParamValue::Float(_) => 1,
        ParamValue::Text(_) => 2,
        ParamValue::Null => 3,
    };
    class(a).cmp(&class(b)).then_with(|| match (a, b) {
        (ParamValue::Text(a), ParamValue::Text(b)) => a.cmp(b),
        (ParamValue::Bool(a), ParamValue::Bool(b)) => a.cmp(b),
        (a, b) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => std::cmp::Ordering::Equal,
        },
    })
}
