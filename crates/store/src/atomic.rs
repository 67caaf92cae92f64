//! The one way a file that counts gets on disk.

use std::path::Path;

use crate::disk::{Disk, disk};
use crate::error::StoreError;

/// Replaces `path` by `bytes`: temporary file beside it, write, fsync, rename, fsync of the directory.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    disk().replace(path, bytes).map_err(|source| StoreError::Io {
        action: "write",
        path: path.to_path_buf(),
        source,
    })
}

/// As [`write()`], but leaves a file alone that already holds `bytes`: an unchanged file costs no sync.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    // Something that is no file is replaced: renaming takes the place of a link and does not follow it.
    if crate::layout::read(path).is_ok_and(|held| held == bytes) {
        return Ok(());
    }
    write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_no_temporary() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let path = dir.path().join("a.txt");
        write(&path, b"one").expect("first write");
        write(&path, b"two").expect("second write");
        assert_eq!(std::fs::read(&path).expect("readable"), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).expect("listing").count(), 1);
    }

    #[test]
    fn an_unchanged_file_is_not_touched() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let path = dir.path().join("a.txt");
        write(&path, b"one").expect("first write");
        let before = std::fs::metadata(&path).expect("metadata").modified().ok();
        write_if_changed(&path, b"one").expect("same bytes");
        let after = std::fs::metadata(&path).expect("metadata").modified().ok();
        assert_eq!(before, after);
        write_if_changed(&path, b"two").expect("other bytes");
        assert_eq!(std::fs::read(&path).expect("readable"), b"two");
    }

    #[test]
    fn an_error_names_the_path() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let path = dir.path().join("missing").join("a.txt");
        let error = write(&path, b"one").expect_err("the directory does not exist");
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
