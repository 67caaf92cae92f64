//! Column names of one file.

use std::collections::BTreeSet;

use crate::error::DataError;

/// Two columns of one name would be one.
pub(super) fn refuse_repeats<'a>(file: &str, names: impl Iterator<Item = &'a str>) -> Result<(), DataError> {
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<&str> = names.filter(|name| !seen.insert(*name)).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(DataError::DuplicateColumns {
        file: file.to_owned(),
        columns: repeated.into_iter().map(str::to_owned).collect(),
    })
}
