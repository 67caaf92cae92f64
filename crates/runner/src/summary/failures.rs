//! What the failed runs of a sweep have in common.

use std::collections::BTreeMap;

use gradsweep_store::{Reason, RunRow, RunState};

use crate::plan::{Plan, many};
use crate::search::Trial;

/// What the failed runs have in common: the learning rates that diverged and the largest that survived.
pub(super) fn failures(runs: &[RunRow], plan: &Plan) -> Vec<String> {
    let trials: BTreeMap<u32, &Trial> = plan.trials.iter().map(|trial| (trial.number, trial)).collect();
    let (mut failed, mut survived) = (Vec::new(), Vec::new());
    let mut epochs = Vec::new();
    let (mut without_start, mut without_rate) = (0, 0);
    for run in runs {
        let (Some(record), Some(trial)) = (&run.record, trials.get(&run.trial)) else {
            continue;
        };
        if !trial.train.solver.uses("learning_rate") {
            without_start += usize::from(record.reason == Some(Reason::Diverged));
            continue;
        }
        let Some(rate) = trial.train.learning_rate.given() else {
            without_rate += usize::from(record.reason == Some(Reason::Diverged));
            continue;
        };
        if record.state == RunState::Failed && record.reason == Some(Reason::Diverged) {
            failed.push(rate);
            epochs.push(record.epochs);
        } else if record.state != RunState::Failed {
            survived.push(rate);
        }
    }
    let mut sentences = Vec::new();
    if without_start > 0 {
        let runs = many(without_start, "run");
        sentences.push(format!("{runs} had no finite loss where they started"));
    }
    if without_rate > 0 {
        let runs = many(without_rate, "run");
        sentences.push(format!(
            "{runs} diverged at the learning rate that a short test had found: give train.learning_rate"
        ));
    }
    let Some(smallest) = failed.iter().copied().min_by(f64::total_cmp) else {
        return sentences;
    };
    let mut sentence = format!(
        "{} runs diverged (first in epoch {}): learning rate {smallest}{}",
        failed.len(),
        epochs.iter().min().unwrap_or(&0),
        if failed.iter().any(|rate| *rate > smallest) {
            " and above"
        } else {
            ""
        },
    );
    if let Some(largest) = survived.iter().copied().max_by(f64::total_cmp) {
        sentence += &format!("; the largest that survived is {largest}");
    }
    sentences.push(sentence);
    sentences
}
