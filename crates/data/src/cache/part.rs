//! A file that counts only when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::DataError;

/// How temporary names end; no finished file's does.
pub(super) const ENDING: &str = "part";

/// A file under a temporary name, gone when dropped unless it was finished. Its lock says that its maker lives.
#[derive(Debug)]
pub(crate) struct PartFile {
    file: File,
    path: PathBuf,
    is_finished: bool,
}

impl PartFile {
    /// Makes the directory and an empty file in it; takes away what dead makers left there.
    pub(crate) fn create(dir: &Path) -> Result<Self, DataError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let fail = |path: &Path, source| DataError::Cache {
            action: "create",
            path: path.to_path_buf(),
            source,
        };
        fs::create_dir_all(dir).map_err(|source| fail(dir, source))?;
        remove_orphans(dir);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!("{}-{number}.{ENDING}", std::process::id()));
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            let file = match opened {
                // Processes that share a directory need not share a list of processes.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened.map_err(|source| fail(&path, source))?,
            };
            file.lock().map_err(|source| fail(&path, source))?;
            // Before it was locked it could be taken for an orphan.
            if path.exists() {
                return Ok(Self {
                    file,
                    path,
                    is_finished: false,
                });
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    pub(crate) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }

    pub(crate) fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    /// What went wrong with it.
    pub(crate) fn error(&self, action: &'static str, source: io::Error) -> DataError {
        DataError::Cache {
            action,
            path: self.path.clone(),
            source,
        }
    }

    /// Brings everything to the disk, then gives the file its name. One that has the name already is replaced; maps of
    /// it live on.
    pub(super) fn finish(mut self, name: &str) -> Result<File, DataError> {
        let fail = |source| self.error("write", source);
        self.file.sync_all().map_err(fail)?;
        let dir = self.path.parent().unwrap_or(Path::new("."));
        fs::rename(&self.path, dir.join(name)).map_err(fail)?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail)?;
        self.is_finished = true;
        self.file.unlock().map_err(|source| self.error("unlock", source))?;
        self.file.try_clone().map_err(|source| self.error("open", source))
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.is_finished {
            // Nothing depends on its going; the next load tries again.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Removes temporary files whose makers are gone; returns how many bytes that freed.
pub(super) fn remove_orphans(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let mut freed = 0;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|ending| ending == ENDING)
            && let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let bytes = file.metadata().map_or(0, |about| about.len());
            if fs::remove_file(&path).is_ok() {
                freed += bytes;
            }
        }
    }
    freed
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    #[test]
    fn a_part_counts_only_when_finished_and_orphans_go() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        fs::write(folder.path().join("1-0.part"), "left by a killed process").unwrap();
        let dropped = PartFile::create(folder.path()).unwrap();
        let finished = PartFile::create(folder.path()).unwrap();
        assert_eq!(names().len(), 2, "the orphan is gone, the living are not");
        drop(dropped);
        finished.write_at(b"whole", 0).unwrap();
        finished.finish("a").unwrap();
        assert_eq!(names(), ["a"]);
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"whole");
    }
}
