//! How the rows of a trial are dealt and prepared: what a pass cannot do differently for two of its columns.

use crate::config::{Config, Impute, OtherLevels, PreprocessConfig};
use crate::search::Trial;

/// How rows become the stored matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparation {
    /// `[preprocess]`.
    pub preprocess: PreprocessConfig,
    /// Whether rows are dealt at random.
    pub shuffle: bool,
}

impl Preparation {
    /// That of a trial.
    pub fn of(trial: &Trial) -> Self {
        Self {
            preprocess: trial.preprocess.clone(),
            shuffle: trial.train.shuffle,
        }
    }

    /// Whether it stops where the data are not as it wants them.
    pub(crate) fn is_strict(&self) -> bool {
        self.preprocess.impute == Impute::Error || self.preprocess.one_hot.other == OtherLevels::Error
    }

    /// Whether the key at `path` is part of it.
    pub(crate) fn depends_on(path: &str) -> bool {
        path.starts_with("preprocess.") || path == "train.shuffle"
    }

    /// The config of a sweep in which every trial has it.
    pub fn applied_to(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.preprocess.clone_from(&self.preprocess);
        config.train.shuffle = self.shuffle;
        config
    }
}

/// The different ones, in the order of the first trial with each, and every trial's place among them.
pub(super) fn distinct(trials: &[Trial]) -> (Vec<Preparation>, Vec<usize>) {
    let mut all: Vec<Preparation> = Vec::new();
    let places = trials.iter().map(|trial| {
        let own = Preparation::of(trial);
        all.iter().position(|other| *other == own).unwrap_or_else(|| {
            all.push(own);
            all.len() - 1
        })
    });
    let places = places.collect();
    (all, places)
}
