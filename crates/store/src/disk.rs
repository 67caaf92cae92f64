//! The calls by which a store changes the disk: so few that what a power cut makes of them can be simulated.

use std::io::{self, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

/// What changes a disk. Outside of [`Disk::replace`] nothing lasts before its folder is synced.
///
/// The lock's file alone is not written through this: it means nothing once its holder has ended.
pub(crate) trait Disk {
    /// Replaces a file: temporary file beside it, write, fsync, rename, fsync of the folder.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file another name in the same folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a link to one.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes what was created, renamed or removed in a folder last.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// The disk there is.
pub(crate) struct System;

impl Disk for System {
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Other systems cannot open folders, and need not.
        if cfg!(unix) {
            std::fs::File::open(path)?.sync_all()?;
        }
        Ok(())
    }
}

#[cfg(not(test))]
pub(crate) fn disk() -> impl Disk {
    System
}

#[cfg(test)]
pub(crate) use crate::power::disk;
