//! Files that lie beside a model and that it does not need.

use std::path::Path;

use super::is_model;
use crate::atomic;
use crate::error::StoreError;

/// Writes a file into a model's folder: what is known of the model, for people or for later predictions.
pub fn write_beside_model(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    if !is_model(dir) {
        return Err(StoreError::NoModel { dir: dir.to_path_buf() });
    }
    atomic::write_if_changed(&dir.join(name), bytes)
}
