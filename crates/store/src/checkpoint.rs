//! How a cohort stood at a safe point: two generations, each a safetensors file that carries a checksum of itself.
//!
//! A checkpoint is written after the part with the outcomes up to it, and names that part. It counts as long as a run of it
//! has no record; of two generations the newer one that can be read counts.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::atomic;
use crate::disk::{Disk, disk};
use crate::error::{Damage, StoreError};
use crate::layout;
use crate::lock::Lock;
use crate::manifest::probe;
use crate::parts::PartWriter;
use crate::run::Part;

const NOTE: &str = "gradsweep.checkpoint";
const SEAL: &str = "gradsweep.seal";
const SEAL_PREFIX: &str = "gradsweep-blake3:";
const SEAL_DIGITS: usize = 64;
const ENDING: &str = "safetensors";

/// How a cohort stands, as plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The cohort's name: `[a-z0-9]`, at most 32 characters.
    pub cohort: String,
    /// The last part that had been written before it; the writer sets it.
    pub last_part: u32,
    /// What the tensors hold.
    pub notes: Value,
    /// The numbers.
    pub tensors: Vec<Tensor>,
}

/// Numbers under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name.
    pub name: String,
    /// Its numbers, in one dimension.
    pub numbers: Numbers,
}

/// Numbers of one of two types.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Of 32 bits.
    F32(Vec<f32>),
    /// Of 64 bits.
    F64(Vec<f64>),
}

/// What a file says of itself beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    cohort: String,
    /// Counts the checkpoints of the cohort.
    number: u64,
    last_part: u32,
    notes: Value,
}

/// The folder of checkpoints of a store.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
    /// The number of the last checkpoint of each cohort.
    numbers: BTreeMap<String, u64>,
}

impl Checkpoints {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            folder: dir.join(layout::CHECKPOINTS),
            numbers: BTreeMap::new(),
        }
    }

    pub(crate) fn write(&mut self, checkpoint: &Checkpoint, last_part: u32) -> Result<(), StoreError> {
        let number = self.numbers.get(&checkpoint.cohort).map_or(0, |number| number + 1);
        self.write_as(number, checkpoint, last_part)
    }

    /// Writes the last state of a cohort, which takes the place of both generations.
    pub(crate) fn finish(&mut self, checkpoint: &Checkpoint, last_part: u32) -> Result<(), StoreError> {
        let next = self.numbers.get(&checkpoint.cohort).map_or(0, |number| number + 1);
        self.write_as(next.next_multiple_of(2), checkpoint, last_part)?;
        let older = self.path(&checkpoint.cohort, 1);
        if older.exists() {
            layout::remove_file(&older)?;
        }
        Ok(())
    }

    fn write_as(&mut self, number: u64, checkpoint: &Checkpoint, last_part: u32) -> Result<(), StoreError> {
        layout::check_is_own(&self.folder)?;
        layout::make_dir(&self.folder)?;
        let path = self.path(&checkpoint.cohort, number);
        let encode = |source| StoreError::EncodeModel {
            path: path.clone(),
            source,
        };
        let note = Note {
            cohort: checkpoint.cohort.clone(),
            number,
            last_part,
            notes: checkpoint.notes.clone(),
        };
        let note = serde_json::to_string(&note).map_err(|error| encode(Damage::Json(error)))?;
        let bytes = to_bytes(note, &checkpoint.tensors).map_err(|error| encode(Damage::Numbers(error.into())))?;
        atomic::write(&path, &bytes)?;
        self.numbers.insert(checkpoint.cohort.clone(), number);
        Ok(())
    }

    /// The newest of every cohort; what cannot be read is as if it were not there.
    pub(crate) fn read(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        let mut newest: BTreeMap<String, (u64, Checkpoint)> = BTreeMap::new();
        if self.folder.is_dir() && layout::check_is_own(&self.folder).is_ok() {
            for path in layout::entries(&self.folder)? {
                let Some((number, checkpoint)) = read(&path) else {
                    continue;
                };
                // A file under another cohort's name is none of ours.
                if path != self.path(&checkpoint.cohort, number) {
                    continue;
                }
                let held = newest.get(&checkpoint.cohort);
                if held.is_none_or(|(of, _)| number > *of) {
                    newest.insert(checkpoint.cohort.clone(), (number, checkpoint));
                }
            }
        }
        self.numbers = newest
            .iter()
            .map(|(cohort, (number, _))| (cohort.clone(), *number))
            .collect();
        Ok(newest.into_values().map(|(_, checkpoint)| checkpoint).collect())
    }

    pub(crate) fn remove(&mut self, cohort: &str) -> Result<(), StoreError> {
        let newest = self.numbers.remove(cohort).unwrap_or(0);
        // The older one first, and each for good: a power cut must not leave it as the newest there is.
        for path in [newest + 1, newest].map(|number| self.path(cohort, number)) {
            if path.exists() {
                layout::remove_file(&path)?;
                disk().sync_dir(&self.folder).map_err(|source| StoreError::Io {
                    action: "sync",
                    path: self.folder.clone(),
                    source,
                })?;
            }
        }
        Ok(())
    }

    /// Even and odd numbers take turns.
    fn path(&self, cohort: &str, number: u64) -> PathBuf {
        let generation = if number.is_multiple_of(2) { "a" } else { "b" };
        self.folder.join(format!("{cohort}-{generation}.{ENDING}"))
    }
}

/// The newest checkpoint of every cohort that can be read, whoever writes to the store meanwhile.
pub fn checkpoints(dir: &Path) -> Result<Vec<Checkpoint>, StoreError> {
    Checkpoints::new(dir).read()
}

/// Records runs and cohorts under ids that the store's plan does not have yet. A plan that has them is to be written next; a
/// process that is killed before that leaves rows that nobody looks at.
pub fn carry(dir: &Path, part: &Part, checkpoints: &[Checkpoint]) -> Result<(), StoreError> {
    let _lock = Lock::take(dir)?;
    let (mut parts, ..) = PartWriter::open(dir)?;
    if !part.runs.is_empty() {
        parts.append(part)?;
    }
    let mut own = Checkpoints::new(dir);
    own.read()?;
    for checkpoint in checkpoints {
        own.write(checkpoint, parts.last())?;
    }
    Ok(())
}

/// Removes the checkpoints of a finished or stopped sweep, parts that were set aside, and what a killed process left; returns
/// how many files and bytes that were.
pub fn prune(dir: &Path) -> Result<(usize, u64), StoreError> {
    if probe(dir)?.is_none() {
        return Err(StoreError::NoStore { dir: dir.to_path_buf() });
    }
    let _lock = Lock::take(dir)?;
    let (mut files, mut bytes) = (0, 0);
    for (folder, endings) in [
        (layout::CHECKPOINTS, &["safetensors", "json"][..]),
        (layout::PARTS, &["damaged", "old"][..]),
    ] {
        let folder = dir.join(folder);
        layout::check_is_own(&folder)?;
        if !folder.is_dir() {
            continue;
        }
        for path in layout::entries(&folder)? {
            let is_wanted = path
                .extension()
                .is_some_and(|ending| endings.iter().any(|own| ending == *own));
            if is_wanted && !path.is_dir() {
                bytes += std::fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
                files += 1;
                layout::remove_file(&path)?;
            }
        }
    }
    layout::remove_temporaries(dir)?;
    Ok((files, bytes))
}

fn to_bytes(note: String, tensors: &[Tensor]) -> Result<Vec<u8>, SafeTensorError> {
    let data: Vec<(&str, Dtype, usize, Vec<u8>)> = tensors
        .iter()
        .map(|tensor| match &tensor.numbers {
            Numbers::F32(values) => {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (tensor.name.as_str(), Dtype::F32, values.len(), bytes)
            }
            Numbers::F64(values) => {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (tensor.name.as_str(), Dtype::F64, values.len(), bytes)
            }
        })
        .collect();
    let views = data
        .iter()
        .map(|(name, dtype, length, bytes)| Ok((*name, TensorView::new(*dtype, vec![*length], bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let blank = format!("{SEAL_PREFIX}{}", "0".repeat(SEAL_DIGITS));
    let texts = HashMap::from([(NOTE.to_owned(), note), (SEAL.to_owned(), blank)]);
    let mut bytes = safetensors::serialize(views, Some(texts))?;
    if let Some(digits) = seal_digits(&bytes) {
        let hash = blake3::hash(&bytes).to_hex();
        bytes[digits].copy_from_slice(hash.as_bytes());
    }
    Ok(bytes)
}

/// A checkpoint with its number, if the file is one and as it was written.
fn read(path: &Path) -> Option<(u64, Checkpoint)> {
    let mut bytes = layout::read(path).ok()?;
    let digits = seal_digits(&bytes)?;
    let held = bytes[digits.clone()].to_vec();
    bytes[digits].fill(b'0');
    if blake3::hash(&bytes).to_hex().as_bytes() != held {
        return None;
    }
    let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
    let note: Note = serde_json::from_str(header.metadata().as_ref()?.get(NOTE)?).ok()?;
    let file = SafeTensors::deserialize(&bytes).ok()?;
    let mut tensors: Vec<Tensor> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let numbers = match view.dtype() {
                Dtype::F32 => Numbers::F32(chunks(view.data(), f32::from_le_bytes)),
                Dtype::F64 => Numbers::F64(chunks(view.data(), f64::from_le_bytes)),
                _ => return None,
            };
            Some(Tensor { name, numbers })
        })
        .collect::<Option<_>>()?;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let checkpoint = Checkpoint {
        cohort: note.cohort,
        last_part: note.last_part,
        notes: note.notes,
        tensors,
    };
    Some((note.number, checkpoint))
}

fn chunks<const N: usize, V>(data: &[u8], value: impl Fn([u8; N]) -> V) -> Vec<V> {
    let values = data.chunks_exact(N).map(|chunk| {
        let mut bytes = [0; N];
        bytes.copy_from_slice(chunk);
        value(bytes)
    });
    values.collect()
}

fn seal_digits(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let found = bytes
        .windows(SEAL_PREFIX.len())
        .position(|window| window == SEAL_PREFIX.as_bytes())?;
    let start = found + SEAL_PREFIX.len();
    (start + SEAL_DIGITS <= bytes.len()).then_some(start..start + SEAL_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(cohort: &str, value: f64) -> Checkpoint {
        Checkpoint {
            cohort: cohort.to_owned(),
            last_part: 3,
            notes: serde_json::json!({"epochs": 7}),
            tensors: vec![
                Tensor {
                    name: "numbers".to_owned(),
                    numbers: Numbers::F64(vec![value, f64::INFINITY, -0.0]),
                },
                Tensor {
                    name: "weights".to_owned(),
                    numbers: Numbers::F32(vec![1.5, f32::MIN_POSITIVE]),
                },
            ],
        }
    }

    #[test]
    fn two_generations_stay_and_a_damaged_one_gives_way_to_the_other() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let mut own = Checkpoints::new(dir.path());
        for value in 0..5 {
            own.write(&checkpoint("x", f64::from(value)), 3).expect("written");
        }
        own.write(&checkpoint("y", 9.0), 3).expect("written");
        let folder = dir.path().join("checkpoints");
        assert_eq!(layout::entries(&folder).expect("listing").len(), 3);
        let mut again = Checkpoints::new(dir.path());
        assert_eq!(
            again.read().expect("readable"),
            [checkpoint("x", 4.0), checkpoint("y", 9.0)]
        );
        let newest = folder.join("x-a.safetensors");
        let whole = std::fs::read(&newest).expect("readable");
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 2;
            std::fs::write(&newest, bytes).expect("written");
            assert_eq!(again.read().expect("readable")[0], checkpoint("x", 3.0), "byte {at}");
        }
        // The next one takes the place of the damaged one.
        again.write(&checkpoint("x", 8.0), 3).expect("written");
        assert_eq!(again.read().expect("readable")[0], checkpoint("x", 8.0));
        again.finish(&checkpoint("x", 7.0), 3).expect("written");
        assert_eq!(again.read().expect("readable")[0], checkpoint("x", 7.0));
        assert_eq!(layout::entries(&folder).expect("listing").len(), 2, "one of each");
        again.remove("x").expect("removed");
        assert_eq!(layout::entries(&folder).expect("listing").len(), 1);
    }
}
