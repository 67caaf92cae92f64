//! Writes a model: the numbers first, under a name nobody refers to yet, then `model.json`, which makes them count.

use std::path::Path;

use super::{FILE, File, HASH_DIGITS, Model, ModelVersion, SEAL_DIGITS, WEIGHTS_ENDING, Weights, seal_position};
use crate::error::{Damage, StoreError};
use crate::{atomic, layout};

impl Model {
    /// Makes `dir` this model's folder. A model that lies there stays readable until the new one is complete.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        layout::make_dir(dir)?;
        let path = dir.join(FILE);
        let encode = |source| StoreError::EncodeModel {
            path: path.clone(),
            source,
        };
        let numbers = self
            .numbers
            .to_bytes()
            .map_err(|error| encode(Damage::Numbers(error.into())))?;
        let hash = blake3::hash(&numbers).to_hex();
        let weights = Weights {
            file: format!("{}.{WEIGHTS_ENDING}", &hash[..HASH_DIGITS]),
            bytes: numbers.len() as u64,
        };
        let text = self.to_json(&weights).map_err(|error| encode(Damage::Json(error)))?;
        atomic::write_if_changed(&dir.join(&weights.file), &numbers)?;
        atomic::write_if_changed(&path, &text)?;
        remove_others(dir, &weights.file)
    }

    pub(super) fn to_json(&self, weights: &Weights) -> Result<Vec<u8>, serde_json::Error> {
        let file = File {
            format: ModelVersion::CURRENT,
            seal: "0".repeat(SEAL_DIGITS),
            weights: weights.clone(),
            info: self.info.clone(),
        };
        let mut bytes = serde_json::to_vec_pretty(&file)?;
        bytes.push(b'\n');
        if let Some(digits) = seal_position(&bytes) {
            let hash = blake3::hash(&bytes).to_hex();
            bytes[digits].copy_from_slice(hash.as_bytes());
        }
        Ok(bytes)
    }
}

/// Removes the numbers of models that lay here before, and what a killed process left.
fn remove_others(dir: &Path, kept: &str) -> Result<(), StoreError> {
    for path in layout::entries(dir)? {
        let name = layout::file_name(&path);
        let stem = name
            .strip_suffix(WEIGHTS_ENDING)
            .and_then(|stem| stem.strip_suffix('.'));
        let is_weights =
            stem.is_some_and(|stem| stem.len() == HASH_DIGITS && stem.bytes().all(|b| b.is_ascii_hexdigit()));
        if (is_weights && name != kept) || layout::is_temporary_of_any(name) {
            layout::remove_file(&path)?;
        }
    }
    Ok(())
}
