//! What went wrong, in a few lines.

use std::collections::BTreeMap;

use gradsweep_store::{Reason, RunRow, RunState};
use serde_json::{Value, json};

use crate::number;

/// Most trials named.
const NAMED: usize = 12;

/// Failed runs by reason: `{reason, what, runs, trials, epochs}`.
pub(super) fn failures(runs: &[RunRow]) -> Value {
    let mut by_reason: BTreeMap<Option<Reason>, Vec<&RunRow>> = BTreeMap::new();
    for run in runs {
        if let Some(record) = run.record.as_ref().filter(|record| record.state == RunState::Failed) {
            by_reason.entry(record.reason).or_default().push(run);
        }
    }
    let lines = by_reason.into_iter().map(|(reason, runs)| {
        let mut trials: Vec<u32> = runs.iter().map(|run| run.trial).collect();
        trials.dedup();
        let mut named: Vec<String> = trials.iter().take(NAMED).map(u32::to_string).collect();
        if trials.len() > NAMED {
            named.push("…".to_owned());
        }
        let epochs = runs
            .iter()
            .filter_map(|run| run.record.as_ref())
            .map(|record| record.epochs);
        let (first, last) = epochs.fold((u32::MAX, 0), |(low, high), epochs| (low.min(epochs), high.max(epochs)));
        json!({
            "reason": reason.map_or("unknown", Reason::name),
            "what": reason.map_or("", what),
            "runs": number::count(runs.len() as u64),
            "trials": named.join(", "),
            "epochs": if first == last { first.to_string() } else { format!("{first} to {last}") },
        })
    });
    lines.collect()
}

fn what(reason: Reason) -> &'static str {
    match reason {
        Reason::Diverged => {
            "weights or loss were no longer finite, or the loss exceeded 100: try a smaller learning rate"
        }
        Reason::Separated => "the classes can be separated and nothing bounds the weights: set a finite C",
        Reason::Panic => "a bug in the program",
        Reason::Tol | Reason::MaxEpochs | Reason::EarlyStopped => "",
    }
}

/// Trials by the rung they reached: `{rung, trials, kept}`; nothing where no search pruned.
pub(super) fn rungs(rungs: impl Iterator<Item = Option<u32>>) -> Value {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for rung in rungs.flatten() {
        *counts.entry(rung).or_default() += 1;
    }
    let mut reached: usize = counts.values().sum();
    let lines = counts.into_iter().map(|(rung, ended)| {
        let line = json!({"rung": rung, "reached": reached, "ended": ended});
        reached -= ended;
        line
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_ended_on_a_rung_reached_all_below() {
        let rungs = rungs([Some(0), Some(0), Some(1), Some(2), None].into_iter());
        assert_eq!(
            rungs,
            json!([
                {"rung": 0, "reached": 4, "ended": 2},
                {"rung": 1, "reached": 2, "ended": 1},
                {"rung": 2, "reached": 1, "ended": 1},
            ])
        );
    }
}
