//! The runs of a plan and their identity.

use std::collections::BTreeMap;

use gradsweep_store::RunId;
use rayon::prelude::*;

use crate::config::{Config, ModelConfig, PreprocessConfig, TrainConfig};
use crate::search::Trial;

/// Keys that only say how many runs there are: more of them extend a sweep.
pub(crate) const COUNTS: &[&str] = &["train.restarts", "validation.repeats"];

/// Trials whose runs one task lists.
const CHUNK: usize = 256;

/// One column to train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRun {
    /// Identity: equal settings on equal data have equal ids, whatever the sweep around them.
    pub id: RunId,
    /// Index into the plan's trials.
    pub trial: usize,
    /// Fold, 0-based.
    pub fold: usize,
    /// Repeat of the folds, 0-based.
    pub repeat: u32,
    /// Restart, 0-based.
    pub restart: u32,
}

/// All runs by (trial, fold, repeat, restart).
pub(super) fn planned(config: &Config, trials: &[Trial], folds: usize, fingerprint: &str) -> Vec<PlannedRun> {
    let repeats = config.validation.repeats();
    // What all trials have in common is written out once: a sweep may have 10^5 runs.
    let shared: Vec<String> = texts(config.result_keys()).filter(|text| !is_of_trial(text)).collect();
    let of_trial = |tables: &mut TableTexts, (index, trial): (usize, &Trial)| {
        let keys = identity_of_trial(&shared, tables.of(trial), fingerprint);
        let mut runs = Vec::with_capacity(folds * repeats as usize * trial.train.restarts as usize);
        for fold in 0..folds {
            for repeat in 0..repeats {
                for restart in 0..trial.train.restarts {
                    runs.push(PlannedRun {
                        id: identity(&keys, fold, repeat, restart),
                        trial: index,
                        fold,
                        repeat,
                        restart,
                    });
                }
            }
        }
        runs
    };
    let of_trials = |(chunk, trials): (usize, &[Trial])| {
        let mut tables = TableTexts::default();
        let trials = trials.iter().enumerate();
        let of_trial = |(index, trial)| of_trial(&mut tables, (chunk * CHUNK + index, trial));
        trials.flat_map(of_trial).collect::<Vec<_>>()
    };
    trials.par_chunks(CHUNK).enumerate().flat_map_iter(of_trials).collect()
}

/// The texts of a trial's own tables, in the order of the keys.
#[derive(Default)]
struct TableTexts {
    model: Texts<ModelConfig>,
    preprocess: Texts<PreprocessConfig>,
    train: Texts<TrainConfig>,
}

impl TableTexts {
    fn of(&mut self, trial: &Trial) -> impl Iterator<Item = &String> {
        let model = self.model.of(&trial.model, Config::result_keys_of_model);
        let preprocess = (self.preprocess).of(&trial.preprocess, Config::result_keys_of_preprocess);
        let train = self.train.of(&trial.train, Config::result_keys_of_train);
        model.iter().chain(preprocess).chain(train)
    }
}

/// The texts of one table, made anew only where it differs from that of the trial before: in a grid most do not.
struct Texts<C> {
    of: Option<C>,
    texts: Vec<String>,
}

impl<C> Default for Texts<C> {
    fn default() -> Self {
        Self {
            of: None,
            texts: Vec::new(),
        }
    }
}

impl<C: PartialEq + Clone> Texts<C> {
    fn of(&mut self, table: &C, keys: fn(&C) -> BTreeMap<String, toml::Value>) -> &[String] {
        if self.of.as_ref() != Some(table) {
            self.of = Some(table.clone());
            self.texts = texts(keys(table)).collect();
        }
        &self.texts
    }
}

/// A digest of everything that decides a trial's numbers, in the order of the keys. `restarts` and `repeats` do not: they
/// only say how many there are.
fn identity_of_trial<'a>(
    shared: &'a [String],
    own: impl Iterator<Item = &'a String>,
    fingerprint: &str,
) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fingerprint.as_bytes());
    let (mut shared, mut own) = (shared.iter().peekable(), own.peekable());
    while let Some(text) = match (shared.peek(), own.peek()) {
        (Some(a), Some(b)) if a < b => shared.next(),
        (_, Some(_)) => own.next(),
        (_, None) => shared.next(),
    } {
        hasher.update(text.as_bytes());
    }
    hasher
}

/// Each key with its value as one text, without those that decide no number of a run.
fn texts(keys: BTreeMap<String, toml::Value>) -> impl Iterator<Item = String> {
    let decides = |key: &str| !COUNTS.contains(&key) && !key.starts_with("metrics.") && !key.starts_with("sweep.");
    let keys = keys.into_iter().filter(move |(key, _)| decides(key));
    keys.map(|(key, value)| format!("\0{key}={value}"))
}

fn is_of_trial(text: &str) -> bool {
    ["\0preprocess.", "\0model.", "\0train."]
        .iter()
        .any(|table| text.starts_with(table))
}

fn identity(trial: &blake3::Hasher, fold: usize, repeat: u32, restart: u32) -> RunId {
    let mut hasher = trial.clone();
    hasher.update(format!("\0fold={fold}\0repeat={repeat}\0restart={restart}").as_bytes());
    let bytes: [u8; 8] = *hasher
        .finalize()
        .as_bytes()
        .first_chunk()
        .expect("a digest has 32 bytes");
    RunId(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::search;

    #[test]
    fn the_identity_is_that_of_all_keys_in_their_order() {
        let text = "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[sweep.parameters]\nmodel.C = [0.1, inf]\n\
                    train.solver = [\"adam\", \"newton\"]\npreprocess.scale = [\"none\", \"standard\"]\n";
        let config = config::parse(text, "a.toml", "a", &[]).expect("a config");
        let trials = search::trials(&config).expect("trials");
        let shared: Vec<String> = texts(config.result_keys()).filter(|text| !is_of_trial(text)).collect();
        let mut tables = TableTexts::default();
        for trial in &trials {
            let mut whole = blake3::Hasher::new();
            whole.update(b"data");
            for text in texts(trial.result_keys(&config)) {
                whole.update(text.as_bytes());
            }
            let own = identity_of_trial(&shared, tables.of(trial), "data");
            assert_eq!(own.finalize(), whole.finalize());
        }
        let mut ids: Vec<RunId> = planned(&config, &trials, 3, "data").iter().map(|run| run.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 24);
    }
}
