//! Trials of all sweeps in one order.

use std::cmp::Ordering;

use gradsweep_store::{MetricInfo, TrialRow, TrialState, TrialTable};

use super::filter::Filter;
use super::query::Query;
use crate::error::ReportError;
use crate::params::Source;
use crate::summary::{headline, is_validated};

/// A trial on its way into the ranking.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) sweep: usize,
    pub(crate) row: &'a TrialRow,
    pub(crate) score: Option<f64>,
}

impl Candidate<'_> {
    /// Which trial of which sweep.
    pub(crate) fn key(&self) -> (usize, u32) {
        (self.sweep, self.row.trial)
    }

    /// Whether it has a score that may be called best.
    pub(crate) fn is_scored(&self) -> bool {
        self.row.state == TrialState::Complete && self.score.is_some_and(f64::is_finite)
    }
}

/// A ranking and what it goes by.
pub(crate) struct Ranking<'a> {
    pub(crate) by: MetricInfo,
    /// Nothing was held out: training scores rank.
    pub(crate) is_train: bool,
    pub(crate) metrics: Vec<MetricInfo>,
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// Trials that the filter left out.
    pub(crate) n_filtered: usize,
}

/// Ranks the trials that meet the query's filter.
pub(crate) fn rank<'a>(sources: &[Source<'a>], query: &Query) -> Result<Ranking<'a>, ReportError> {
    let first = sources.first().ok_or(ReportError::NoSweeps)?;
    let metrics = all_metrics(sources);
    let wanted = query.by.as_ref().unwrap_or(&first.manifest.select);
    let by = metric(&metrics, wanted)?;
    let is_train = !sources.iter().any(|source| is_validated(source.trials, &by.name));
    let mut candidates = candidates(sources, &by, is_train);
    let all = candidates.len();
    if let Some(text) = &query.filter {
        let filter = Filter::parse(text, sources)?;
        candidates.retain(|candidate| filter.holds(&sources[candidate.sweep], candidate.row));
        if candidates.is_empty() {
            return Err(ReportError::NoneLeft {
                text: text.clone(),
                trials: all,
            });
        }
    }
    Ok(Ranking {
        n_filtered: all - candidates.len(),
        by,
        is_train,
        metrics,
        candidates,
    })
}

/// A metric by its name.
pub(crate) fn metric(metrics: &[MetricInfo], name: &str) -> Result<MetricInfo, ReportError> {
    let held = metrics.iter().find(|metric| metric.name == name).cloned();
    held.ok_or_else(|| ReportError::UnknownMetric {
        name: name.to_owned(),
        known: metrics.iter().map(|metric| metric.name.clone()).collect(),
    })
}

/// All metrics of all sweeps, in the order they come.
pub(crate) fn all_metrics(sources: &[Source]) -> Vec<MetricInfo> {
    let mut metrics: Vec<MetricInfo> = Vec::new();
    for metric in sources.iter().flat_map(|source| &source.trials.metrics) {
        if metrics.iter().all(|held| held.name != metric.name) {
            metrics.push(metric.clone());
        }
    }
    metrics
}

/// A trial's score by this metric.
pub(crate) fn score(table: &TrialTable, row: &TrialRow, metric: &str, is_train: bool) -> Option<f64> {
    let index = table.metrics.iter().position(|held| held.name == metric)?;
    headline(&row.scores[index], is_train).0
}

/// Smaller is better first.
pub(crate) fn better(a: f64, b: f64, higher_is_better: bool) -> Ordering {
    if higher_is_better {
        b.total_cmp(&a)
    } else {
        a.total_cmp(&b)
    }
}

fn candidates<'a>(sources: &[Source<'a>], by: &MetricInfo, is_train: bool) -> Vec<Candidate<'a>> {
    let mut all: Vec<Candidate> = Vec::new();
    for (sweep, source) in sources.iter().enumerate() {
        all.extend(source.trials.rows.iter().map(|row| Candidate {
            sweep,
            row,
            score: score(source.trials, row, &by.name, is_train),
        }));
    }
    let stage = |row: &TrialRow| match row.state {
        TrialState::Complete => 0,
        TrialState::Pruned => 1,
        TrialState::Waiting => 2,
        TrialState::Failed => 3,
    };
    let by_score = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => better(a, b, by.higher_is_better),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    all.sort_by(|a, b| -> Ordering {
        stage(a.row)
            .cmp(&stage(b.row))
            .then(b.row.rung.cmp(&a.row.rung))
            .then(by_score(a.score, b.score))
            .then(a.key().cmp(&b.key()))
    });
    all
}
