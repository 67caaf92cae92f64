//! Paths and globs to the list of files to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{DataError, most_similar};

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
}

/// One file, under the name it is called in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// Every file that `paths` names, in order: lists as written, each glob sorted by name.
pub(crate) fn expand(paths: &[String]) -> Result<(Format, Vec<DataFile>), DataError> {
    let mut files = Vec::new();
    for path in paths {
        if Path::new(path).exists() || !path.contains(['*', '?', '[', '{']) {
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

fn format_of(name: &str) -> Result<Format, DataError> {
    let lower = name.to_ascii_lowercase();
    let ending = Path::new(&lower).extension().and_then(|e| e.to_str());
    match ending {
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("csv") => Ok(Format::Csv),
        _ => Err(DataError::UnknownFormat { file: name.to_owned() }),
    }
}

fn check(name: &str) -> Result<DataFile, DataError> {
    let path = PathBuf::from(name);
    if path.is_dir() {
        return Err(DataError::IsFolder { path: name.to_owned() });
    }
    if !path.exists() {
        return Err(DataError::FileNotFound {
            path: name.to_owned(),
            similar: neighbor(&path),
        });
    }
    Ok(DataFile {
        path,
        name: name.to_owned(),
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
