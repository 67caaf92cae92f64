//! Reads a model. A damaged file is an error that names it, whatever was damaged: `model.json` carries a seal, the other file's name is the
//! hash of its content, and no length is believed before it is compared with the file's.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{FILE, File, HASH_DIGITS, Model, ModelNumbers, ModelVersion, SEAL_DIGITS, WEIGHTS_ENDING, seal_position};
use crate::error::{Damage, StoreError};
use crate::layout;

/// More than a model with a million levels of a hundred characters has.
const MOST_BYTES: u64 = 1 << 28;

/// Whether a folder holds a model.
pub fn is_model(dir: &Path) -> bool {
    dir.join(FILE).is_file()
}

impl Model {
    /// Reads the model in `dir`.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        if !is_model(dir) {
            return Err(StoreError::NoModel { dir: dir.to_path_buf() });
        }
        let bytes = read(&path, |length| length <= MOST_BYTES)?;
        let file = parse(&bytes, &path)?;
        let damaged = |source| StoreError::Damaged {
            path: path.clone(),
            source,
        };
        let (features, numeric) = (file.info.features.len(), file.info.numeric_columns());
        if let Some(feature) = file.info.named_features().find(|feature| *feature >= features) {
            return Err(damaged(Damage::Inconsistent {
                what: format!("it names feature {feature} of {features}"),
            }));
        }
        let name = &file.weights.file;
        let hash = name
            .strip_suffix(WEIGHTS_ENDING)
            .and_then(|stem| stem.strip_suffix('.'))
            .unwrap_or("");
        if hash.len() != HASH_DIGITS || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // A name that could be a path leads nowhere.
            return Err(damaged(Damage::Inconsistent {
                what: format!("{name:?} is no name of a file with weights"),
            }));
        }
        let path = dir.join(name);
        let expected = file.weights.bytes;
        let most = ModelNumbers::most_bytes(features, numeric);
        let bytes = read(&path, |length| length == expected && length <= most)?;
        let damaged = |source| StoreError::Damaged {
            path: path.clone(),
            source,
        };
        if blake3::hash(&bytes).to_hex()[..HASH_DIGITS] != *hash {
            return Err(damaged(Damage::Checksum));
        }
        let numbers =
            ModelNumbers::from_bytes(&bytes, features, numeric).map_err(|error| damaged(Damage::Numbers(error)))?;
        if numbers.scale.contains(&0.0) {
            return Err(damaged(Damage::Inconsistent {
                what: "a scale is 0".to_owned(),
            }));
        }
        Ok(Self {
            info: file.info,
            numbers,
        })
    }
}

/// The bytes of a file whose length is as it should be.
fn read(path: &Path, is_right: impl Fn(u64) -> bool) -> Result<Vec<u8>, StoreError> {
    let io = |source| StoreError::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    };
    layout::check_is_file(path)?;
    let found = fs::metadata(path).map_err(io)?.len();
    if !is_right(found) {
        return Err(StoreError::Damaged {
            path: path.to_path_buf(),
            source: Damage::Length { found },
        });
    }
    fs::read(path).map_err(io)
}

/// The version is looked at before anything else: a later format may have another seal.
fn parse(bytes: &[u8], path: &Path) -> Result<File, StoreError> {
    #[derive(Deserialize)]
    struct Versioned {
        format: ModelVersion,
    }
    let damaged = |source| StoreError::Damaged {
        path: path.to_path_buf(),
        source,
    };
    let Versioned { format } = serde_json::from_slice(bytes).map_err(|error| damaged(Damage::Json(error)))?;
    if format > ModelVersion::CURRENT {
        return Err(StoreError::ModelTooNew {
            path: path.to_path_buf(),
            found: format,
            supported: ModelVersion::CURRENT,
        });
    }
    let digits = seal_position(bytes).ok_or_else(|| damaged(Damage::NoChecksum))?;
    let mut unsealed = bytes.to_vec();
    unsealed[digits.clone()].copy_from_slice("0".repeat(SEAL_DIGITS).as_bytes());
    if blake3::hash(&unsealed).to_hex().as_bytes() != &bytes[digits] {
        return Err(damaged(Damage::Checksum));
    }
    serde_json::from_slice(bytes).map_err(|error| damaged(Damage::Json(error)))
}
