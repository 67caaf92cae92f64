//! `gradsweep prune`: removes what a sweep needs no more.

use std::path::Path;

use gradsweep_runner::RunError;
use gradsweep_runner::plan::{bytes, many};

use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn prune(store: &Path, quiet: bool) -> Result<u8, Failure> {
    let (files, size) = gradsweep_store::prune(store).map_err(RunError::from)?;
    if !quiet {
        terminal::say(&format!(
            "Removed {} ({}) from {}",
            many(files, "file"),
            bytes(size),
            store.display()
        ));
    }
    Ok(OK)
}
