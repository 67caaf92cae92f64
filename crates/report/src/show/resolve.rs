//! What a word on the command line means.

use gradsweep_store::{RunId, RunRow, Store, TrialTable};

use super::{run, sweep, trial};
use crate::error::ReportError;
use crate::page::Page;

/// Longest word that is read as a trial's number; longer ones are the start of a run's id.
const LONGEST_NUMBER: usize = 9;
/// Digits of a run's id.
const RUN_DIGITS: usize = 16;

/// Shows a sweep, or what `what` names in it: `best` for the selected trial, a trial's number, or the start of a run's id. A number that is no
/// trial of the sweep is taken for the start of a run's id.
pub fn show(store: &Store, what: Option<&str>) -> Result<Page, ReportError> {
    let trials = store.trials()?;
    let runs = store.runs()?;
    let Some(word) = what else {
        return sweep::page(store, &trials, &runs);
    };
    match find(store, &trials, &runs, word.trim())? {
        Found::Trial(number) => trial::page(store, &trials, &runs, number),
        Found::Run(index) => run::page(store, &trials, &runs[index]),
    }
}

/// The runs that `what` names, as [`show`] reads it: all those of a trial, or one.
pub fn runs_named(store: &Store, what: &str) -> Result<Vec<RunRow>, ReportError> {
    let (trials, runs) = (store.trials()?, store.runs()?);
    let found = find(store, &trials, &runs, what.trim())?;
    let is_named = |(index, run): &(usize, RunRow)| match found {
        Found::Trial(number) => run.trial == number,
        Found::Run(wanted) => *index == wanted,
    };
    Ok(runs
        .into_iter()
        .enumerate()
        .filter(is_named)
        .map(|(_, run)| run)
        .collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Trial(u32),
    /// Position of the run.
    Run(usize),
}

fn find(store: &Store, trials: &TrialTable, runs: &[RunRow], word: &str) -> Result<Found, ReportError> {
    let dir = || store.dir().to_path_buf();
    if word == "best" {
        let selected = trials.selected().map(|row| Found::Trial(row.trial));
        return selected.ok_or_else(|| ReportError::NothingSelected { dir: dir() });
    }
    let is_number = !word.is_empty() && word.len() <= LONGEST_NUMBER && word.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.parse().ok().filter(|_| is_number);
    if let Some(number) = number.filter(|number| trials.trial(*number).is_some()) {
        return Ok(Found::Trial(number));
    }
    let matches = runs_that_start_with(runs, word);
    match matches.as_slice() {
        [index] => Ok(Found::Run(*index)),
        [] if is_number => Err(ReportError::NoSuchTrial {
            dir: dir(),
            wanted: word.to_owned(),
            trials: trials.rows.iter().map(|row| row.trial).collect(),
        }),
        [] => Err(ReportError::NoSuchRun {
            dir: dir(),
            prefix: word.to_owned(),
        }),
        several => Err(ReportError::AmbiguousRun {
            dir: dir(),
            prefix: word.to_owned(),
            matches: several.iter().map(|index| runs[*index].run).collect(),
        }),
    }
}

fn runs_that_start_with(runs: &[RunRow], word: &str) -> Vec<usize> {
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if word.is_empty() || word.len() > RUN_DIGITS || !is_hex {
        return Vec::new();
    }
    let prefix = word.to_ascii_lowercase();
    let starts = |run: RunId| run.to_string().starts_with(&prefix);
    let matches = runs.iter().enumerate().filter(|(_, row)| starts(row.run));
    matches.map(|(index, _)| index).collect()
}
