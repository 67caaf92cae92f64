//! A fitted model on disk, complete without the sweep or the data it came from.
//!
//! - [`info`]: names, texts and what is known of the fit: `model.json`
//! - [`numbers`]: every number a prediction depends on, bit for bit: a safetensors file named by the hash of its content
//! - [`write`]: the numbers first, `model.json` last
//! - [`beside`]: other files in the same folder
//! - [`read`]: sizes, seal and hash are checked before anything is taken from a file

mod beside;
mod info;
mod numbers;
mod read;
mod write;

pub use beside::write_beside_model;
pub use info::{
    Fate, Mean, ModelColumn, ModelInfo, ModelLevel, ModelMetrics, ModelTarget, ModelVersion, OtherRule, Reading, Shape,
};
pub use numbers::{ModelNumbers, NotNumbers};
pub use read::is_model;

use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::layout::{self, MODELS};

/// The file that makes a folder a model.
const FILE: &str = "model.json";
/// The ending of the file with the numbers.
const WEIGHTS_ENDING: &str = "safetensors";
/// Hex digits of the hash that name it: a name has at most 64 characters.
const HASH_DIGITS: usize = 32;

/// A fitted model: all that a prediction needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Names, texts, and what is known of the fit.
    pub info: ModelInfo,
    /// Weights and preprocessing.
    pub numbers: ModelNumbers,
}

/// Where a sweep keeps the model of its selected trial.
pub fn best_model(store: &Path) -> PathBuf {
    store.join(MODELS).join("best")
}

/// Where a sweep keeps the model of a trial that was refitted by name.
pub fn trial_model(store: &Path, trial: u32) -> PathBuf {
    store.join(MODELS).join(format!("trial-{trial}"))
}

/// An error where a model's folder in a store, or the folder it lies in, is a link: it would lie outside of the store.
pub fn check_own_model(folder: &Path) -> Result<(), StoreError> {
    folder.parent().map_or(Ok(()), layout::check_is_own)?;
    layout::check_is_own(folder)
}

/// What `model.json` holds beside the model itself. The seal comes before any text of the user's.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct File {
    format: ModelVersion,
    /// BLAKE3 of this file with zeros in place of the hash.
    seal: String,
    weights: Weights,
    #[serde(flatten)]
    info: ModelInfo,
}

/// Which file holds the numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Weights {
    file: String,
    bytes: u64,
}

/// Where the 64 digits of the seal lie in the bytes of a `model.json`.
fn seal_position(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    const KEY: &[u8] = b"\"seal\": \"";
    let start = bytes.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let digits = start..start + SEAL_DIGITS;
    (digits.end < bytes.len()).then_some(digits)
}

const SEAL_DIGITS: usize = 64;

#[cfg(test)]
pub(crate) mod tests;
