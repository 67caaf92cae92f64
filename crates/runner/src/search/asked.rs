//! The trials of a sweep as they come: all at once, or a cohort after the other where the method learns from scores.

use std::collections::BTreeMap;

use gradsweep_store::{PlanTable, Store, TrialRow, TrialState, TrialTable};

use super::planned::planned;
use super::search::{Search, problem};
use super::trial::Trial;
use crate::config::{Config, Problems, Strategy};
use crate::error::RunError;
use crate::plan::Preparation;
use crate::summary::reached;

/// The trials of a sweep, as far as they are known.
pub(crate) struct Asked<'a> {
    config: &'a Config,
    search: Search<'a>,
    /// Those that a store has planned, by number.
    planned: Vec<Trial>,
    trials: Vec<Trial>,
    /// How many of them the method knows the scores of.
    told: usize,
    /// Whether it was told of a trial that it has no score, because that one is still to be trained.
    has_gaps: bool,
}

impl<'a> Asked<'a> {
    /// The trials that need no scores, and those that follow from what a store holds.
    ///
    /// # Errors
    /// Every trial is excluded, the grid is too large, or the values of C are still to come from the data.
    pub(crate) fn new(config: &'a Config, held: Option<&Held>) -> Result<Self, Problems> {
        let planned = held.map_or_else(Vec::new, |held| planned(config, &held.plan));
        let mut asked = Self {
            config,
            search: Search::new(config)?.going_on(planned.clone()),
            planned,
            trials: Vec::new(),
            told: 0,
            has_gaps: false,
        };
        asked.ask(held.map(|held| &held.table))?;
        if asked.trials.is_empty() {
            return Err(all_excluded());
        }
        Ok(asked)
    }

    /// Asks for the trials that follow from scores; returns whether there are more than before.
    ///
    /// Those that a store has planned are asked for even where scores are missing, since damage to a part must not hide the
    /// trials that came after; the search starts over when these scores are known.
    ///
    /// # Errors
    /// As [`Asked::new`].
    pub(crate) fn ask(&mut self, table: Option<&TrialTable>) -> Result<bool, Problems> {
        let before = self.trials.len();
        if self.has_gaps {
            self.search = Search::new(self.config)?.going_on(self.planned.clone());
            (self.trials, self.told, self.has_gaps) = (Vec::new(), 0, false);
        }
        let scores = table.map(|table| scores(self.config, table)).unwrap_or_default();
        loop {
            if self.search.learns() {
                let untold = &self.trials[self.told..];
                let is_known = untold.iter().all(|trial| scores.contains_key(&trial.number));
                if !is_known && self.trials.len() >= self.planned.len() {
                    break;
                }
                let told = untold
                    .iter()
                    .map(|trial| (trial, scores.get(&trial.number).copied().flatten()));
                self.search.tell(&told.collect::<Vec<_>>());
                self.has_gaps |= !is_known;
                self.told = self.trials.len();
            }
            let is_over = table.is_some_and(|table| reached(self.config, table).is_some());
            if is_over && self.trials.len() >= self.planned.len() && !self.trials.is_empty() {
                break;
            }
            let more = self.search.ask();
            if more.is_empty() {
                break;
            }
            self.trials.extend(more);
        }
        if self.has_gaps {
            self.trials.truncate(self.planned.len());
        }
        Ok(self.trials.len() > before)
    }

    /// The trials so far.
    pub(crate) fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How many are still to come, at the most.
    pub(crate) fn later(&self) -> usize {
        if self.search.learns() {
            let most = usize::try_from(self.search.most()).unwrap_or(usize::MAX);
            most.saturating_sub(self.trials.len())
        } else {
            0
        }
    }

    /// Whether scores may lead to more.
    pub(crate) fn is_open(&self) -> bool {
        self.search.learns() && (self.trials.len() as u64) < self.config.sweep.most_trials()
    }

    /// A sentence about trials that no settings were left for, where a method that learns has come to its end.
    pub(crate) fn missing(&self) -> Option<String> {
        let is_short = self.search.learns() && self.search.left_out().missing > 0;
        is_short.then(|| self.note()).flatten()
    }

    /// A sentence about what was left out. How often a method that learns came back to a setting says nothing of the space.
    pub(crate) fn note(&self) -> Option<String> {
        let mut left_out = self.search.left_out();
        if self.search.learns() {
            left_out.duplicates = 0;
        }
        left_out.sentence()
    }
}

/// What a store holds of a sweep whose method learns from scores.
pub(crate) struct Held {
    plan: PlanTable,
    table: TrialTable,
}

impl Held {
    /// Nothing where the method does not learn, or where the plan is lost: it is then made again from the scores.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn read(store: &Store, config: &Config) -> Result<Option<Self>, RunError> {
        if !config.sweep.method.learns() {
            return Ok(None);
        }
        let plan = match store.plan() {
            Err(error) if error.is_lost() => return Ok(None),
            plan => plan?,
        };
        let table = match store.trials() {
            // Runs of damaged parts are trained again.
            Err(error) if error.is_lost() => TrialTable {
                params: plan.params.clone(),
                metrics: store.manifest().metrics.clone(),
                rows: Vec::new(),
            },
            table => table?,
        };
        Ok(Some(Self { plan, table }))
    }
}

/// The scores of the trials that are over, of which less is better; none of those that failed.
fn scores(config: &Config, table: &TrialTable) -> BTreeMap<u32, Option<f64>> {
    let metric = config.sweep.metric;
    let index = table.metrics.iter().position(|info| info.name == metric.name());
    let score = |row: &TrialRow| {
        let held = row.scores.get(index?)?;
        let value = if config.validation.strategy == Strategy::None {
            held.mean_train
        } else {
            held.mean_val
        };
        let value = value.filter(|value| value.is_finite())?;
        Some(if metric.higher_is_better() { -value } else { value })
    };
    let rows = table.rows.iter().filter_map(|row| match row.state {
        TrialState::Complete => Some((row.trial, score(row))),
        TrialState::Failed => Some((row.trial, None)),
        TrialState::Pruned | TrialState::Waiting => None,
    });
    rows.collect()
}

/// Every trial of a sweep that needs no scores: of a method that learns from them, the first cohort.
///
/// # Errors
/// Every trial is excluded, the grid is too large, or the values of C are still to come from the data.
pub fn trials(config: &Config) -> Result<Vec<Trial>, Problems> {
    Ok(drawn(config)?.0)
}

/// The same, with a sentence about what was left out.
///
/// # Errors
/// As [`trials`].
pub fn drawn(config: &Config) -> Result<(Vec<Trial>, Option<String>), Problems> {
    let asked = Asked::new(config, None)?;
    let note = asked.note();
    Ok((asked.trials, note))
}

/// How many trials there are, without data (an automatic C counts its values, whatever they will be), with a sentence
/// about what was left out. Of a method that learns from scores they are the most there can be.
///
/// # Errors
/// As [`trials`].
pub fn count(config: &Config) -> Result<(usize, Option<String>), Problems> {
    let known = config.with_c_path(1.0);
    let asked = Asked::new(&known, None)?;
    let first = asked.trials.len();
    let note = (asked.later() > 0).then(|| {
        format!(
            "the first {first} trials need no scores; each cohort after them follows from the scores of those before"
        )
    });
    Ok((first + asked.later(), asked.note().or(note)))
}

/// How the rows are prepared of the trial that comes first, so that they can be loaded before there is a plan; what has no
/// trials is refused here.
///
/// # Errors
/// As [`trials`].
pub(crate) fn first_preparation(config: &Config) -> Result<Preparation, Problems> {
    // An automatic C has values without data, whatever they will be.
    let known = config.with_c_path(1.0);
    let first = Search::new(&known)?.ask();
    first.first().map(Preparation::of).ok_or_else(all_excluded)
}

fn all_excluded() -> Problems {
    problem("every trial is excluded".into(), "remove an entry of [[sweep.exclude]]")
}

/// The trials of a stored sweep, whose config knows its values of C.
///
/// # Errors
/// As [`trials`], or the store's plan cannot be read.
pub(crate) fn of_store(config: &Config, store: &Store) -> Result<Vec<Trial>, RunError> {
    if config.sweep.method.learns() {
        return Ok(planned(config, &store.plan()?));
    }
    Ok(trials(config)?)
}
