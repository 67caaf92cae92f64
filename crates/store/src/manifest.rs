//! `manifest.json`: what was run, on which data, by which program.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::format::{FormatVersion, Unreadable};
use crate::layout;

const LONGEST_NAME: usize = 64;

/// What identifies a sweep. Its presence is what makes a directory a store.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format on disk. The writer sets it.
    pub format: FormatVersion,
    /// Version of the program.
    pub version: String,
    /// The sweep's name. The writer makes it a [`safe_name`].
    pub name: String,
    /// When it was begun, as RFC 3339.
    pub created: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The kernels the BLAS chose on this machine.
    pub blas_core: String,
    /// Threads it ran on; no result depends on them.
    pub threads: usize,
    /// `f32` or `f64`.
    pub precision: String,
    /// Hash of the plan.
    pub plan_hash: String,
    /// The metric that ranks trials.
    pub select: String,
    /// The metrics reported, in order, with their direction.
    pub metrics: Vec<MetricInfo>,
    /// Hash of the data's content.
    pub fingerprint: String,
    /// What is known of the data.
    #[serde(default)]
    pub data: Value,
    /// Every config key that a result depends on, by its path.
    #[serde(default)]
    pub keys: BTreeMap<String, Value>,
    /// Absolute paths, as a note: nothing depends on them.
    #[serde(default)]
    pub paths: BTreeMap<String, String>,
    /// What it was expected to take, and took.
    #[serde(default)]
    pub cost: Cost,
}

/// A metric and its direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricInfo {
    /// Its name, as `log_loss`.
    pub name: String,
    /// Whether more is better.
    pub higher_is_better: bool,
}

/// What a sweep was expected to take, and took.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Training seconds foreseen by the plan, where every run trains to its last epoch.
    pub planned_seconds: Option<f64>,
    /// Training seconds foreseen by the plan where runs may end before: the least and the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_seconds_range: Option<[f64; 2]>,
    /// Seconds spent reading data.
    pub load_seconds: Option<f64>,
    /// Seconds spent training.
    pub train_seconds: Option<f64>,
    /// Seconds in all.
    pub total_seconds: Option<f64>,
    /// Epochs trained, summed over runs.
    pub column_epochs: Option<u64>,
    /// The most memory the process held.
    pub peak_memory_bytes: Option<u64>,
}

/// A config key whose value is not the stored one.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedKey {
    /// Its path.
    pub key: String,
    /// The value in the store.
    pub stored: Option<Value>,
    /// The value asked for.
    pub wanted: Option<Value>,
}

/// As `train.epochs: 10 → 20`.
impl std::fmt::Display for ChangedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or("(none)".into(), Value::to_string);
        let (stored, wanted) = (show(&self.stored), show(&self.wanted));
        write!(f, "{}: {stored} → {wanted}", self.key)
    }
}

impl Manifest {
    /// The metric that ranks trials, with its direction.
    pub fn select_metric(&self) -> Option<&MetricInfo> {
        self.metrics.iter().find(|metric| metric.name == self.select)
    }

    /// The keys that differ from `wanted`, sorted.
    pub fn changed_keys(&self, wanted: &BTreeMap<String, Value>) -> Vec<ChangedKey> {
        let mut keys: Vec<&String> = self.keys.keys().chain(wanted.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .filter(|key| self.keys.get(*key) != wanted.get(*key))
            .map(|key| ChangedKey {
                key: key.clone(),
                stored: self.keys.get(key).cloned(),
                wanted: wanted.get(key).cloned(),
            })
            .collect()
    }

    /// As it goes to disk: of the current format, under a safe name.
    pub(crate) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let written = Self {
            format: FormatVersion::CURRENT,
            name: safe_name(&self.name),
            ..self.clone()
        };
        let sealed = Sealed {
            seal: format!("{SEAL_PREFIX}{}", "0".repeat(SEAL_DIGITS)),
            manifest: written,
        };
        let mut bytes = serde_json::to_vec_pretty(&sealed).map_err(|source| StoreError::Io {
            action: "encode",
            path: path.to_path_buf(),
            source: source.into(),
        })?;
        bytes.push(b'\n');
        if let Some(digits) = seal_digits(&bytes) {
            let hash = blake3::hash(&bytes).to_hex();
            bytes[digits].copy_from_slice(hash.as_bytes());
        }
        Ok(bytes)
    }
}

/// What lies on disk: the seal, which comes before any text of the user's, is the hash of the file with zeros in its place.
#[derive(Serialize)]
struct Sealed {
    seal: String,
    #[serde(flatten)]
    manifest: Manifest,
}

const SEAL_PREFIX: &str = "gradsweep-blake3:";
const SEAL_DIGITS: usize = 64;

/// Where the digits of the seal lie.
fn seal_digits(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let found = bytes
        .windows(SEAL_PREFIX.len())
        .position(|window| window == SEAL_PREFIX.as_bytes())?;
    let start = found + SEAL_PREFIX.len();
    (start + SEAL_DIGITS <= bytes.len()).then_some(start..start + SEAL_DIGITS)
}

/// Whether the file is as it was written. One without any trace of a seal is of a program that wrote none.
fn is_sound(bytes: &[u8]) -> bool {
    let Some(digits) = seal_digits(bytes) else {
        return !bytes.windows(6).any(|window| window == b"\"seal\"");
    };
    let mut blank = bytes.to_vec();
    blank[digits.clone()].fill(b'0');
    blake3::hash(&blank).to_hex().as_bytes() == &bytes[digits]
}

/// The manifest of a directory, or nothing if it has none.
pub fn probe(dir: &Path) -> Result<Option<Manifest>, StoreError> {
    if !dir.exists() {
        return Ok(None);
    }
    if !dir.is_dir() {
        return Err(StoreError::NotADirectory {
            path: dir.to_path_buf(),
        });
    }
    let path = dir.join(layout::MANIFEST);
    let bytes = match layout::read(&path) {
        Ok(bytes) => bytes,
        Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    parse(&bytes, &path).map(Some)
}

/// The version is looked at before anything else: a later format may have other fields.
fn parse(bytes: &[u8], path: &Path) -> Result<Manifest, StoreError> {
    #[derive(Deserialize)]
    struct Versioned {
        format: FormatVersion,
    }
    let damaged = |source| StoreError::DamagedManifest {
        path: path.to_path_buf(),
        source,
    };
    let Versioned { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    match format.check_readable_by(FormatVersion::CURRENT) {
        Ok(()) => {}
        Err(Unreadable::TooNew) => {
            return Err(StoreError::TooNew {
                path: path.to_path_buf(),
                found: format,
                supported: FormatVersion::CURRENT,
            });
        }
        Err(Unreadable::Unknown) => {
            let message = format!("{format} is not a version of the store's format");
            return Err(damaged(serde::de::Error::custom(message)));
        }
    }
    let mut manifest: Manifest = serde_json::from_slice(bytes).map_err(damaged)?;
    if !is_sound(bytes) {
        return Err(damaged(serde::de::Error::custom("its seal does not match its content")));
    }
    manifest.name = safe_name(&manifest.name);
    Ok(manifest)
}

/// `text` as a name that is safe in a path, a table and a terminal: `[A-Za-z0-9._-]{1,64}`, and not only dots.
pub fn safe_name(text: &str) -> String {
    let name: String = text
        .chars()
        .take(LONGEST_NAME)
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    if name.chars().all(|c| c == '.') {
        "sweep".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        assert_eq!(safe_name("flights-2.0_b"), "flights-2.0_b");
        assert_eq!(safe_name("../etc/passwd"), "..-etc-passwd");
        assert_eq!(safe_name("ä\u{1b}[31m"), "---31m");
        assert_eq!(safe_name(""), "sweep");
        assert_eq!(safe_name(".."), "sweep");
        assert_eq!(safe_name(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn reads_back_what_was_written() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let path = dir.path().join("manifest.json");
        let manifest = Manifest {
            name: "a".to_owned(),
            seed: u64::MAX,
            metrics: vec![MetricInfo {
                name: "roc_auc".to_owned(),
                higher_is_better: true,
            }],
            keys: BTreeMap::from([("model.C".to_owned(), Value::from("inf"))]),
            ..Manifest::default()
        };
        std::fs::write(&path, manifest.to_bytes(&path).expect("encodable")).expect("written");
        assert_eq!(probe(dir.path()).expect("readable"), Some(manifest));
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let path = Path::new("a/manifest.json");
        let manifest = Manifest {
            name: "a".to_owned(),
            ..Manifest::default()
        };
        let bytes = manifest.to_bytes(path).expect("encodable");
        parse(&bytes, path).expect("sound");
        for at in 0..bytes.len() {
            for bit in [1, 4, 16, 64] {
                let mut flipped = bytes.clone();
                flipped[at] ^= bit;
                assert!(parse(&flipped, path).is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_directory_without_one_is_no_store() {
        let dir = tempfile::tempdir().expect("scratch directory");
        assert_eq!(probe(dir.path()).expect("empty"), None);
        assert_eq!(probe(&dir.path().join("missing")).expect("absent"), None);
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(matches!(probe(&file), Err(StoreError::NotADirectory { .. })));
    }

    #[test]
    fn a_newer_format_is_named_whatever_else_it_holds() {
        let path = Path::new("a/manifest.json");
        let error = parse(br#"{"format": 99, "sweep": {}}"#, path).expect_err("too new");
        assert!(matches!(
            error,
            StoreError::TooNew {
                found: FormatVersion(99),
                ..
            }
        ));
    }

    #[test]
    fn damage_is_named_with_its_place() {
        let path = Path::new("a/manifest.json");
        for text in ["{\n  \"format\": 1,", "{\"format\": 0}", "{\"format\": 1}", "[]", ""] {
            let error = parse(text.as_bytes(), path).expect_err("damaged");
            assert!(matches!(error, StoreError::DamagedManifest { .. }), "{text}: {error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn changed_keys_show_both_values() {
        let manifest = Manifest {
            keys: BTreeMap::from([
                ("train.epochs".to_owned(), Value::from(10)),
                ("train.tol".to_owned(), Value::from(0.1)),
            ]),
            ..Manifest::default()
        };
        let wanted = BTreeMap::from([
            ("train.epochs".to_owned(), Value::from(20)),
            ("train.tol".to_owned(), Value::from(0.1)),
            ("train.solver".to_owned(), Value::from("sgd")),
        ]);
        let changed: Vec<String> = manifest.changed_keys(&wanted).iter().map(ToString::to_string).collect();
        assert_eq!(changed, ["train.epochs: 10 → 20", "train.solver: (none) → \"sgd\""]);
    }
}
