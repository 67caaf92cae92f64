//! The files of the parts, merged in generations.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsResult};

use super::rows::{Kind, encode, schema};
use crate::atomic;
use crate::disk::{Disk, disk};
use crate::error::{Damage, StoreError};
use crate::frame::Frame;
use crate::layout;
use crate::rows::parts as cells;
use crate::run::{Part, RunId};
use crate::sealed;

/// Parts of one generation are merged into one of the next when there are this many.
const FAN_IN: usize = 8;
/// The last generation merges into itself. So at most 7 + 7 + 7 + 7 files stay, and the one just written.
const LAST_GENERATION: u32 = 3;
const GENERATION_NOTE: &str = "gradsweep.generation";
/// Under this key a file names the parts that counted when it was written, by their numbers; a part counts itself.
pub(crate) const STANDING: &str = "gradsweep.parts";
const ENDING: &str = "parquet";

/// One file of `parts/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartFile {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
}

/// The parts of a store, oldest first.
pub(crate) fn list(dir: &Path) -> Result<Vec<PartFile>, StoreError> {
    let folder = dir.join(layout::PARTS);
    layout::check_is_own(&folder)?;
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PartFile> = layout::entries(&folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
        .filter_map(|path| {
            let number = number_of(&path)?;
            Some(PartFile { number, path })
        })
        .collect();
    files.sort_by_key(|file| file.number);
    Ok(files)
}

/// Numbers of parts as a note.
pub(crate) fn numbers<'a>(files: impl Iterator<Item = &'a PartFile>) -> String {
    let numbers: Vec<String> = files.map(|file| file.number.to_string()).collect();
    numbers.join(" ")
}

/// Where the parts lay that `dir` had and has no more, though nothing took their place.
///
/// The newest part names all that count, for what is merged is named no more. A table made after it names it, so that the
/// newest is missed too. Of a sweep without tables that lost its newest part nothing tells: it is as if it had ended before.
pub(crate) fn gone(dir: &Path, files: &[PartFile], named_by_newest: Option<&str>) -> Vec<PathBuf> {
    let newest = files.last().map_or(0, |file| file.number);
    let read = |note: &str| -> Vec<u32> { note.split(' ').filter_map(|number| number.parse().ok()).collect() };
    // A table that cannot be read names none.
    let notes = sealed::read_notes(&dir.join(layout::TRIALS)).unwrap_or_default();
    let of_table = notes.get(STANDING).map(|note| read(note));
    let later = of_table.filter(|numbers| numbers.iter().any(|number| *number > newest));
    let named = later.or_else(|| named_by_newest.map(read)).unwrap_or_default();
    let is_gone = |number: &u32| files.iter().all(|file| file.number != *number);
    let path = |number: u32| dir.join(layout::PARTS).join(file_name(number));
    named.into_iter().filter(is_gone).map(path).collect()
}

fn file_name(number: u32) -> String {
    format!("{number:05}.{ENDING}")
}

/// The number in a name like `00012.parquet` or `00012.parquet.damaged`.
fn number_of(path: &Path) -> Option<u32> {
    let name = layout::file_name(path);
    let (digits, _) = name.split_once('.')?;
    let is_number = digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Writes parts, and merges them as they become many.
#[derive(Debug)]
pub(crate) struct PartWriter {
    folder: PathBuf,
    files: Vec<(PartFile, u32)>,
    next: u32,
}

/// What a part says of itself.
struct Held {
    generation: u32,
    runs: Vec<RunId>,
    standing: Option<String>,
}

/// A part that could not be used.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) path: PathBuf,
    pub(crate) error: StoreError,
}

impl PartWriter {
    /// Takes over the parts that lie in `dir`, whose lock the caller holds. Those that are damaged are renamed and returned, and
    /// those that are gone, with the runs of the others.
    pub(crate) fn open(dir: &Path) -> Result<(Self, HashSet<RunId>, Vec<Rejected>), StoreError> {
        let folder = dir.join(layout::PARTS);
        layout::check_is_own(&folder)?;
        layout::make_dir(&folder)?;
        let taken = layout::entries(&folder)?;
        let highest = taken.iter().filter_map(|path| number_of(path)).max();
        let mut files = Vec::new();
        let mut runs = HashSet::new();
        let mut rejected = Vec::new();
        let mut standing = None;
        let listed = list(dir)?;
        for file in listed.clone() {
            match held(&file.path) {
                Ok(held) => {
                    runs.extend(held.runs);
                    files.push((file, held.generation));
                    standing = held.standing;
                }
                Err(error @ StoreError::Damaged { .. }) => {
                    let path = set_aside(&file.path, "damaged")?;
                    rejected.push(Rejected { path, error });
                }
                Err(error) => return Err(error),
            }
        }
        rejected.extend(
            gone(dir, &listed, standing.as_deref())
                .into_iter()
                .map(|path| Rejected {
                    error: StoreError::Damaged {
                        path: path.clone(),
                        source: Damage::Gone,
                    },
                    path,
                }),
        );
        remove_merged(&mut files)?;
        let writer = Self {
            folder,
            files,
            next: highest.unwrap_or(0) + 1,
        };
        Ok((writer, runs, rejected))
    }

    /// The number of the last part, 0 before the first.
    pub(crate) fn last(&self) -> u32 {
        self.next - 1
    }

    /// Renames every part that lies in `dir`: they belong to a store that has no manifest any more.
    pub(crate) fn set_all_aside(dir: &Path) -> Result<(), StoreError> {
        for file in list(dir)? {
            set_aside(&file.path, "old")?;
        }
        Ok(())
    }

    pub(crate) fn append(&mut self, part: &Part) -> Result<(), StoreError> {
        self.write(|| encode(part), 0, &[])?;
        let mut generation = 0;
        while let Some(next) = self.merge(generation)? {
            generation = next;
        }
        Ok(())
    }

    /// Merges the files of one generation if they are many enough; says which generation grew.
    fn merge(&mut self, generation: u32) -> Result<Option<u32>, StoreError> {
        let of_generation: Vec<PartFile> = self
            .files
            .iter()
            .filter(|(_, of)| *of == generation)
            .map(|(file, _)| file.clone())
            .collect();
        if of_generation.len() < FAN_IN {
            return Ok(None);
        }
        let merged = concat(&of_generation)?;
        let target = (generation + 1).min(LAST_GENERATION);
        self.write(|| Ok(merged), target, &of_generation)?;
        for file in &of_generation {
            layout::remove_file(&file.path)?;
        }
        self.files.retain(|(file, _)| !of_generation.contains(file));
        Ok((target > generation).then_some(target))
    }

    /// Writes a part, which takes the place of those in it.
    fn write(
        &mut self,
        frame: impl FnOnce() -> PolarsResult<DataFrame>,
        generation: u32,
        merged: &[PartFile],
    ) -> Result<(), StoreError> {
        let number = self.next;
        let path = self.folder.join(file_name(number));
        let file = PartFile { number, path };
        let level = generation.to_string();
        let others = self.files.iter().map(|(file, _)| file);
        let standing = numbers(others.filter(|file| !merged.contains(file)).chain([&file]));
        let path = file.path.clone();
        let bytes = frame()
            .and_then(|frame| sealed::encode_one(frame, &[(GENERATION_NOTE, &level), (STANDING, &standing)]))
            .map_err(|source| StoreError::Encode {
                path: path.clone(),
                source,
            })?;
        atomic::write(&path, &bytes)?;
        self.files.push((file, generation));
        self.next += 1;
        Ok(())
    }
}

/// Removes what a merge cut short left behind. A merge takes all files of its generation, and what it writes has the highest number; so a
/// file that is followed by one of a higher generation lies in that one already.
fn remove_merged(files: &mut Vec<(PartFile, u32)>) -> Result<(), StoreError> {
    let mut highest = 0;
    for (file, generation) in files.iter().rev() {
        if *generation < highest {
            layout::remove_file(&file.path)?;
        }
        highest = highest.max(*generation);
    }
    files.retain(|(file, _)| file.path.exists());
    Ok(())
}

fn set_aside(path: &Path, ending: &str) -> Result<PathBuf, StoreError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".");
    aside.push(ending);
    let aside = PathBuf::from(aside);
    let fail = |source| StoreError::Io {
        action: "rename",
        path: path.to_path_buf(),
        source,
    };
    disk().rename(path, &aside).map_err(fail)?;
    path.parent()
        .map_or(Ok(()), |folder| disk().sync_dir(folder))
        .map_err(fail)?;
    Ok(aside)
}

fn held(path: &Path) -> Result<Held, StoreError> {
    let frame = Frame::read(path)?;
    let generation = frame
        .note(GENERATION_NOTE)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let kinds = frame.u8(cells::KIND)?;
    let runs = frame.u64(cells::RUN)?;
    let runs = kinds
        .iter()
        .zip(runs.iter())
        .filter(|(kind, _)| *kind == Some(Kind::State as u8))
        .filter_map(|(_, run)| run.map(RunId))
        .collect();
    Ok(Held {
        generation,
        runs,
        standing: frame.note(STANDING).map(str::to_owned),
    })
}

/// The rows of all files, oldest first, without those of runs that a later file has again.
fn concat(files: &[PartFile]) -> Result<DataFrame, StoreError> {
    let mut later = HashSet::new();
    let mut frames = Vec::new();
    for file in files.iter().rev() {
        let frame = Frame::read(&file.path)?;
        let runs = frame.u64(cells::RUN)?;
        let mask: Vec<bool> = runs
            .iter()
            .map(|run| run.is_some_and(|run| !later.contains(&run)))
            .collect();
        later.extend(runs.iter().flatten());
        let kept = if mask.contains(&false) {
            let mask = BooleanChunked::from_slice("kept".into(), &mask);
            let kept = frame.inner().filter(&mask);
            kept.map_err(|source| StoreError::Encode {
                path: file.path.clone(),
                source,
            })?
        } else {
            frame.into_inner()
        };
        frames.push(kept);
    }
    let mut merged = DataFrame::empty_with_schema(&schema());
    for frame in frames.iter().rev() {
        merged.vstack_mut(frame).map_err(|source| StoreError::Encode {
            path: files.last().map(|file| file.path.clone()).unwrap_or_default(),
            source,
        })?;
    }
    merged.rechunk_mut_par();
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{RunRecord, RunState};

    fn part(runs: &[u64], epochs: u32) -> Part {
        Part {
            runs: runs
                .iter()
                .map(|&run| RunRecord {
                    run: RunId(run),
                    epochs,
                    state: RunState::Complete,
                    ..RunRecord::default()
                })
                .collect(),
            ..Part::default()
        }
    }

    fn open(dir: &Path) -> (PartWriter, Vec<u64>, Vec<Rejected>) {
        let (writer, runs, rejected) = PartWriter::open(dir).expect("openable");
        let mut runs: Vec<u64> = runs.into_iter().map(|run| run.0).collect();
        runs.sort_unstable();
        (writer, runs, rejected)
    }

    #[test]
    fn many_parts_stay_few_files_and_lose_nothing() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = open(dir.path());
        for run in 0..150 {
            writer.append(&part(&[run], 1)).expect("appended");
            assert!(list(dir.path()).expect("listing").len() <= 32);
        }
        let (_, runs, rejected) = open(dir.path());
        assert_eq!(runs, (0..150).collect::<Vec<u64>>());
        assert!(rejected.is_empty());
    }

    #[test]
    fn merging_keeps_the_last_record_of_a_run() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = open(dir.path());
        for epochs in 0..20 {
            writer
                .append(&part(&[7, 100 + u64::from(epochs)], epochs))
                .expect("appended");
        }
        let merged = &list(dir.path()).expect("listing")[0].path;
        let frame = Frame::read(merged).expect("readable");
        let states = frame.u8(cells::KIND).expect("kinds");
        let runs = frame.u64(cells::RUN).expect("runs");
        let of_seven = states
            .iter()
            .zip(runs.iter())
            .filter(|cell| *cell == (Some(Kind::State as u8), Some(7)))
            .count();
        assert!(of_seven <= 1, "{of_seven}");
    }

    #[test]
    fn a_damaged_part_is_set_aside_and_its_number_is_not_reused() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = open(dir.path());
        writer.append(&part(&[1], 1)).expect("appended");
        writer.append(&part(&[2], 1)).expect("appended");
        let path = dir.path().join("parts/00002.parquet");
        let mut bytes = std::fs::read(&path).expect("readable");
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).expect("written");
        let (mut writer, runs, rejected) = open(dir.path());
        assert_eq!(runs, [1]);
        assert_eq!(rejected.len(), 1);
        assert!(rejected[0].path.ends_with("00002.parquet.damaged"));
        writer.append(&part(&[3], 1)).expect("appended");
        assert!(dir.path().join("parts/00003.parquet").is_file());
    }

    #[test]
    fn a_part_that_is_gone_is_missed_until_its_runs_are_recorded_again() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = open(dir.path());
        for run in 0..3 {
            writer.append(&part(&[run], 1)).expect("appended");
        }
        std::fs::remove_file(dir.path().join("parts/00002.parquet")).expect("removed");
        let (mut writer, runs, rejected) = open(dir.path());
        assert_eq!(runs, [0, 2]);
        assert!(rejected[0].path.ends_with("00002.parquet"));
        assert!(rejected[0].error.is_lost());
        writer.append(&part(&[1], 1)).expect("appended");
        let (_, runs, rejected) = open(dir.path());
        assert_eq!(runs, [0, 1, 2]);
        assert!(rejected.is_empty());
    }

    #[test]
    fn parts_that_were_merged_are_not_missed() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = open(dir.path());
        for run in 0..70 {
            writer.append(&part(&[run], 1)).expect("appended");
            assert!(open(dir.path()).2.is_empty(), "after run {run}");
        }
    }

    #[test]
    fn a_merge_cut_short_leaves_nothing_twice() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = open(dir.path());
        for run in 0..7 {
            writer.append(&part(&[run], 1)).expect("appended");
        }
        let first = dir.path().join("parts/00001.parquet");
        let copy = std::fs::read(&first).expect("readable");
        writer.append(&part(&[7], 1)).expect("appended and merged");
        assert_eq!(list(dir.path()).expect("listing").len(), 1);
        std::fs::write(&first, copy).expect("as if it had not been removed");
        let (_, runs, rejected) = open(dir.path());
        assert_eq!(runs, (0..8).collect::<Vec<u64>>());
        assert!(rejected.is_empty());
        assert!(!first.exists());
    }
}
