//! The files of a cache directory, for the eye and for clearing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{file, part};

/// A finished file of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// Its name without the ending.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was made.
    pub made: Option<SystemTime>,
}

/// The cache directory could not be read or cleared.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct CacheError {
    /// What was tried: `read` or `remove`.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The finished files of a directory, the newest first; none where there is no directory.
pub fn list(dir: &Path) -> Result<Vec<CacheEntry>, CacheError> {
    let fail = |source| CacheError {
        action: "read",
        path: dir.to_path_buf(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(fail)?,
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_finished = path.extension().is_some_and(|ending| ending == file::ENDING);
        // One that goes while it is looked at is not there.
        if let (true, Some(name), Ok(about)) = (is_finished, path.file_stem(), fs::metadata(&path)) {
            found.push(CacheEntry {
                name: name.to_string_lossy().into_owned(),
                bytes: about.len(),
                made: about.modified().ok(),
            });
        }
    }
    found.sort_by(|a, b| (b.made, &a.name).cmp(&(a.made, &b.name)));
    Ok(found)
}

/// Removes every finished file, and those that killed processes left; returns how many finished ones and all bytes.
///
/// A sweep that is using a file goes on with it; its room on the disk is free when the sweep ends.
pub fn clear(dir: &Path) -> Result<(usize, u64), CacheError> {
    let entries = list(dir)?;
    let mut bytes = part::remove_orphans(dir);
    for entry in &entries {
        let path = dir.join(format!("{}.{}", entry.name, file::ENDING));
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(|source| CacheError {
                action: "remove",
                path,
                source,
            })?,
        }
        bytes += entry.bytes;
    }
    Ok((entries.len(), bytes))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    #[test]
    fn finished_files_and_orphans_go_and_foreign_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert_eq!(list(&dir.join("nowhere")).unwrap(), []);
        for name in ["a.tiles", "b.tiles", "1-0.part", "mine.txt"] {
            fs::write(dir.join(name), "12345").unwrap();
        }
        let living = super::part::PartFile::create(dir).unwrap();
        assert_eq!(list(dir).unwrap().len(), 2);
        assert_eq!(clear(dir).unwrap(), (2, 10), "the orphan went when the other was made");
        assert_eq!(list(dir).unwrap(), []);
        assert!(dir.join("mine.txt").exists());
        assert_eq!(fs::read_dir(dir).unwrap().count(), 2, "the living part stays");
        drop(living);
    }
}
