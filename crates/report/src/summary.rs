//! What can be said about a sweep in a few words: its data, its states, its choice.

use gradsweep_store::{Manifest, RunRow, RunState, Score, TrialRow, TrialState, TrialTable};
use serde_json::Value;

use crate::number;

/// Counts of runs by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RunCounts {
    pub(crate) complete: u64,
    pub(crate) pruned: u64,
    pub(crate) failed: u64,
    pub(crate) waiting: u64,
    /// Complete runs that did not converge.
    pub(crate) unconverged: u64,
}

impl RunCounts {
    pub(crate) fn new(runs: &[RunRow]) -> Self {
        let mut counts = Self::default();
        for run in runs {
            match run.record.as_ref().map(|record| record.state) {
                None => counts.waiting += 1,
                Some(RunState::Pruned) => counts.pruned += 1,
                Some(RunState::Failed) => counts.failed += 1,
                Some(RunState::Complete) => counts.complete += 1,
            }
            let record = run.record.as_ref();
            let is_short = record.is_some_and(|r| r.state == RunState::Complete && r.certificate() == Some(false));
            counts.unconverged += u64::from(is_short);
        }
        counts
    }

    /// `79 complete, 1 failed; 3 did not converge`.
    pub(crate) fn in_words(self) -> String {
        let mut text = states(&[
            (self.complete, RunState::Complete.name()),
            (self.pruned, RunState::Pruned.name()),
            (self.failed, RunState::Failed.name()),
            (self.waiting, TrialState::Waiting.name()),
        ]);
        if self.unconverged > 0 {
            text = format!("{text}; {} did not converge", number::count(self.unconverged));
        }
        text
    }
}

/// `15 complete, 1 failed`.
pub(crate) fn trial_states(trials: &TrialTable) -> String {
    let count = |state: TrialState| trials.rows.iter().filter(|row| row.state == state).count();
    let counts: Vec<(u64, &str)> = [
        TrialState::Complete,
        TrialState::Pruned,
        TrialState::Failed,
        TrialState::Waiting,
    ]
    .map(|state| (count(state) as u64, state.name()))
    .to_vec();
    states(&counts)
}

fn states(counts: &[(u64, &str)]) -> String {
    let held = counts.iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> = held
        .map(|(count, name)| format!("{} {name}", number::count(*count)))
        .collect();
    texts.join(", ")
}

/// `327,346 rows, 19 columns, 159 features; late = "yes" counts as 1 (23.4 %)`, as far as it is known.
pub(crate) fn data_line(manifest: &Manifest) -> Option<String> {
    let data = &manifest.data;
    let number = |key: &str| data.get(key).and_then(Value::as_u64);
    let sizes: Vec<String> = [("rows", "row"), ("columns", "column"), ("features", "feature")]
        .iter()
        .filter_map(|(key, noun)| Some(number::counted(number(key)?, noun)))
        .collect();
    let mut text = sizes.join(", ");
    if let Some(dropped) = number("rows_dropped").filter(|dropped| *dropped > 0) {
        text = format!("{text} ({} dropped)", number::counted(dropped, "row"));
    }
    if let Some(target) = data.get("target") {
        let name = target.get("name").and_then(Value::as_str);
        let positive = target.get("positive").and_then(Value::as_str);
        if let (Some(name), Some(positive)) = (name, positive) {
            let separator = if text.is_empty() { "" } else { "; " };
            text = format!("{text}{separator}{name} = {positive:?} counts as 1");
            let count = |key: &str| target.get(key).and_then(Value::as_u64);
            if let (Some(positives), Some(rows @ 1..)) = (count("positives"), count("rows")) {
                text = format!("{text} ({})", number::percent(positives as f64 / rows as f64));
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Whether any trial has a validation score of this metric; if none has, training scores stand in (strategy "none").
pub(crate) fn is_validated(trials: &TrialTable, metric: &str) -> bool {
    let index = trials.metrics.iter().position(|held| held.name == metric);
    index.is_some_and(|index| {
        let mut rows = trials.rows.iter();
        rows.any(|row| row.scores[index].mean_val.is_some())
    })
}

/// A trial's mean and its standard error: on held-out rows, or on training rows where there are no others.
pub(crate) fn headline(score: &Score, is_train: bool) -> (Option<f64>, Option<f64>) {
    if is_train {
        (score.mean_train, None)
    } else {
        (score.mean_val, score.se_val)
    }
}

/// `log_loss 0.48610 ± 0.0007, roc_auc 0.7218`, the selecting metric first.
pub(crate) fn scores_in_words(manifest: &Manifest, trials: &TrialTable, row: &TrialRow) -> String {
    let is_train = !is_validated(trials, &manifest.select);
    let mut texts = Vec::new();
    for (metric, score) in trials.metrics.iter().zip(&row.scores) {
        let (mean, se) = headline(score, is_train);
        let of = if is_train { " (train)" } else { "" };
        if metric.name == manifest.select {
            let text = number::score_with_error(mean, se);
            texts.insert(0, format!("{}{of} {text}", metric.name));
        } else if let Some(mean) = mean {
            texts.push(format!("{}{of} {}", metric.name, number::side_score(mean)));
        }
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_data_line_says_what_is_known() {
        let line = |data: Value| {
            let manifest = Manifest {
                data,
                ..Manifest::default()
            };
            data_line(&manifest)
        };
        let target = json!({"name": "late", "positive": "yes", "positives": 234, "rows": 1000});
        assert_eq!(
            line(json!({"rows": 327_346, "columns": 19, "features": 159, "rows_dropped": 2, "target": target}))
                .as_deref(),
            Some("327,346 rows, 19 columns, 159 features (2 rows dropped); late = \"yes\" counts as 1 (23.4 %)")
        );
        assert_eq!(line(json!({"rows": 1})).as_deref(), Some("1 row"));
        assert_eq!(line(Value::Null), None);
    }
}
