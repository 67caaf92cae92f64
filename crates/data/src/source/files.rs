//! Paths, globs and partitioned folders to the list of files to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::hive::{self, Partition};
use crate::error::{DataError, most_similar};

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
    Arrow,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// One file, under the name it is called in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    /// What the names of its folders say, when a partitioned folder was given.
    pub(crate) partitions: Vec<Partition>,
}

/// Every file that `paths` names, in order: lists as written, each glob and folder sorted by name.
pub(crate) fn expand(paths: &[String]) -> Result<(Format, Vec<DataFile>), DataError> {
    let mut files = Vec::new();
    for path in paths {
        if Path::new(path).is_dir() {
            files.extend(hive::files(path)?);
        } else if Path::new(path).exists() || !path.contains(['*', '?', '[', '{']) {
            files.push(check(path)?);
        } else {
            files.extend(glob(path)?);
        }
    }
    let first = files.first().ok_or(DataError::NoPaths)?;
    refuse_repeats(&files)?;
    let format = format_of(&first.name)?;
    for file in &files {
        if format_of(&file.name)? != format {
            return Err(DataError::MixedFormats {
                first: first.name.clone(),
                second: file.name.clone(),
            });
        }
        let size = fs::metadata(&file.path).map_err(|source| DataError::Io {
            file: file.name.clone(),
            source,
        })?;
        // Opening a pipe would wait for its writer.
        if !size.is_file() {
            return Err(DataError::NotRegular {
                path: file.name.clone(),
            });
        }
        if size.len() == 0 {
            return Err(DataError::EmptyFile {
                file: file.name.clone(),
            });
        }
    }
    Ok((format, files))
}

/// Rows given twice would count twice.
fn refuse_repeats(files: &[DataFile]) -> Result<(), DataError> {
    let mut seen: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for file in files {
        let place = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        if let Some(first) = seen.insert(place, &file.name) {
            return Err(DataError::SameFile {
                first: first.to_owned(),
                second: file.name.clone(),
            });
        }
    }
    Ok(())
}

/// The format that the ending of a name says.
pub(super) fn format_of(name: &str) -> Result<Format, DataError> {
    let lower = name.to_ascii_lowercase();
    let (unpacked, packing) = unpacked(&lower);
    let ending = Path::new(unpacked).extension().and_then(|e| e.to_str());
    match (ending, packing) {
        (Some("parquet" | "pq"), Packing::Plain) => Ok(Format::Parquet),
        (Some("arrow" | "ipc" | "feather"), Packing::Plain) => Ok(Format::Arrow),
        (Some("csv"), _) => Ok(Format::Csv),
        _ => Err(DataError::UnknownFormat { file: name.to_owned() }),
    }
}

/// How a file is packed, by the ending of its name.
pub(super) fn packing_of(path: &Path) -> Packing {
    unpacked(&path.to_string_lossy().to_ascii_lowercase()).1
}

fn unpacked(name: &str) -> (&str, Packing) {
    let packed = [(".gz", Packing::Gzip), (".zst", Packing::Zstd)];
    let found = packed
        .iter()
        .find_map(|(ending, packing)| Some((name.strip_suffix(ending)?, *packing)));
    found.unwrap_or((name, Packing::Plain))
}

fn check(name: &str) -> Result<DataFile, DataError> {
    let path = PathBuf::from(name);
    // A file that may not be looked at is there all the same: opening it says why.
    if matches!(path.try_exists(), Ok(false)) {
        return Err(DataError::FileNotFound {
            path: name.to_owned(),
            similar: neighbor(&path),
        });
    }
    Ok(DataFile {
        path,
        name: name.to_owned(),
        partitions: Vec::new(),
    })
}

/// A file beside the missing one with a similar name.
fn neighbor(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut names: Vec<String> = fs::read_dir(folder.unwrap_or(Path::new(".")))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| format_of(name).is_ok())
        .collect();
    names.sort();
    let similar = most_similar(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(match folder {
        Some(folder) => folder.join(similar).display().to_string(),
        None => similar,
    })
}

fn glob(pattern: &str) -> Result<Vec<DataFile>, DataError> {
    let matcher = GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern))
        .literal_separator(true)
        .build()
        .map_err(|source| DataError::BadGlob {
            pattern: pattern.to_owned(),
            source,
        })?
        .compile_matcher();
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|c| !matches!(c, Component::Normal(part) if part.to_string_lossy().contains(['*', '?', '[', '{'])))
        .filter(|c| !matches!(c, Component::CurDir))
        .collect();
    let mut names = Vec::new();
    walk(
        &fixed,
        &matcher,
        pattern.contains("**"),
        pattern.matches('/').count(),
        &mut names,
    );
    names.sort();
    if names.is_empty() {
        return Err(DataError::GlobWithoutMatch {
            pattern: pattern.to_owned(),
        });
    }
    Ok(names
        .into_iter()
        .map(|name| DataFile {
            path: PathBuf::from(&name),
            name,
            partitions: Vec::new(),
        })
        .collect())
}

/// Collects matching files below `folder`, no deeper than the glob has folders.
fn walk(folder: &Path, glob: &GlobMatcher, any_depth: bool, depth: usize, names: &mut Vec<String>) {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = fs::read_dir(here) else {
        return;
    };
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        if path.is_dir() {
            if any_depth || path.components().count() <= depth + 1 {
                walk(&path, glob, any_depth, depth, names);
            }
        } else if glob.is_match(&path) {
            names.push(path.display().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", "notes.txt"] {
            fs::write(folder.path().join(name), "x\n1\n").unwrap();
        }
        fs::write(folder.path().join("empty.csv"), "").unwrap();
        folder
    }

    fn names(folder: &Path, pattern: &str) -> Result<Vec<String>, DataError> {
        let (_, files) = expand(&[folder.join(pattern).display().to_string()])?;
        Ok(files
            .iter()
            .map(|f| f.path.file_name().unwrap().to_string_lossy().into_owned())
            .collect())
    }

    #[test]
    fn globs_are_sorted_by_name() {
        let folder = folder();
        assert_eq!(names(folder.path(), "[ab].csv").unwrap(), ["a.csv", "b.csv"]);
    }

    #[test]
    fn endings_say_format_and_packing() {
        for (name, format, packing) in [
            ("a.PARQUET", Format::Parquet, Packing::Plain),
            ("a.csv", Format::Csv, Packing::Plain),
            ("a.csv.gz", Format::Csv, Packing::Gzip),
            ("a.CSV.ZST", Format::Csv, Packing::Zstd),
            ("a.arrow", Format::Arrow, Packing::Plain),
            ("a.feather", Format::Arrow, Packing::Plain),
        ] {
            assert_eq!(format_of(name).unwrap(), format, "{name}");
            assert_eq!(packing_of(Path::new(name)), packing, "{name}");
        }
        for name in ["a.parquet.gz", "a.gz", "a.txt", "csv"] {
            assert!(format_of(name).is_err(), "{name}");
        }
    }

    #[test]
    fn each_way_to_miss_a_file_has_its_error() {
        let folder = folder();
        assert!(matches!(
            names(folder.path(), "z*.csv"),
            Err(DataError::GlobWithoutMatch { .. })
        ));
        assert!(matches!(
            names(folder.path(), "empty.csv"),
            Err(DataError::EmptyFile { .. })
        ));
        assert!(matches!(
            names(folder.path(), "notes.txt"),
            Err(DataError::UnknownFormat { .. })
        ));
        assert!(matches!(names(folder.path(), ""), Err(DataError::IsFolder { .. })));
        assert!(matches!(expand(&[]), Err(DataError::NoPaths)));
        match names(folder.path(), "aa.csv") {
            Err(error @ DataError::FileNotFound { .. }) => {
                assert!(error.hint().unwrap().contains("a.csv"));
            }
            other => panic!("{other:?}"),
        }
    }
}
