//! The runs of a plan and their identity.

use gradsweep_store::RunId;

use crate::config::Config;
use crate::search::Trial;

/// Keys that only say how many runs there are: more of them extend a sweep.
pub(crate) const COUNTS: &[&str] = &["train.restarts", "validation.repeats"];

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
    let mut runs = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        let keys = identity_of_trial(config, trial, fingerprint);
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
    }
    runs
}

/// A digest of everything that decides a trial's numbers; `restarts` and `repeats` do not: they only say how many there
/// are.
fn identity_of_trial(config: &Config, trial: &Trial, fingerprint: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fingerprint.as_bytes());
    for (key, value) in trial.result_keys(config) {
        if !COUNTS.contains(&key.as_str()) && !key.starts_with("metrics.") && !key.starts_with("sweep.") {
            hasher.update(format!("\0{key}={value}").as_bytes());
        }
    }
    hasher
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
