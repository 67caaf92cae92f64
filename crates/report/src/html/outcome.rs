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
