//! Files that appear when they are complete.

use std::io::Write;
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

use super::error::ExportError;

/// Replaces `path` by `bytes`.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let fail = |source| ExportError::Write {
        path: path.to_path_buf(),
        source,
    };
    let mut file = AtomicWriteFile::open(path).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.commit().map_err(fail)
}

/// Refuses a name that the readers of a format would not take for one of theirs.
pub(super) fn check_ending(path: &Path, ending: &'static str) -> Result<(), ExportError> {
    let found = path.extension().and_then(|found| found.to_str());
    if found.is_some_and(|found| found.eq_ignore_ascii_case(ending)) {
        return Ok(());
    }
    let path = path.to_path_buf();
    Err(ExportError::Ending { path, ending })
}

/// Makes sure of a directory that is empty.
pub(super) fn empty_directory(path: &Path) -> Result<(), ExportError> {
    let fail = |source| ExportError::Write {
        path: path.to_path_buf(),
        source,
    };
    if path.exists() && (!path.is_dir() || std::fs::read_dir(path).map_err(fail)?.next().is_some()) {
        let path = path.to_path_buf();
        return Err(ExportError::NotEmpty { path });
    }
    std::fs::create_dir_all(path).map_err(fail)
}
