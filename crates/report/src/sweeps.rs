//! Stores with a name each.

use std::path::{Path, PathBuf};

use gradsweep_store::Store;

use crate::error::ReportError;

/// A store under the name a report calls it by.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Different from that of every other sweep of the report.
    pub name: String,
    /// The store.
    pub store: Store,
}

/// Opens stores and names them by the last part of their paths, with as much before it as it takes to tell them apart. A directory given
/// twice is opened once.
pub fn open(dirs: &[PathBuf]) -> Result<Vec<Sweep>, ReportError> {
    let mut kept: Vec<(PathBuf, &Path)> = Vec::new();
    for dir in dirs {
        let full = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        if kept.iter().all(|(other, _)| *other != full) {
            kept.push((full, dir));
        }
    }
    let names = names(&kept.iter().map(|(full, _)| full.as_path()).collect::<Vec<_>>());
    let sweeps = names.into_iter().zip(&kept).map(|(name, (_, dir))| {
        Ok(Sweep {
            name,
            store: Store::open(dir)?,
        })
    });
    sweeps.collect()
}

fn names(paths: &[&Path]) -> Vec<String> {
    let longest = paths.iter().map(|path| path.iter().count()).max();
    for parts in 1..=longest.unwrap_or(1) {
        let names: Vec<String> = paths.iter().map(|path| tail(path, parts)).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() == paths.len() {
            return names;
        }
    }
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// The last `parts` parts of a path.
fn tail(path: &Path, parts: usize) -> String {
    let all: Vec<&std::ffi::OsStr> = path.iter().collect();
    let tail: PathBuf = all[all.len().saturating_sub(parts)..].iter().collect();
    tail.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let paths = ["/a/x/flights", "/a/x/cancer"].map(Path::new);
        assert_eq!(names(&paths), ["flights", "cancer"]);
        let paths = ["/a/x/flights", "/a/y/flights"].map(Path::new);
        assert_eq!(names(&paths), ["x/flights", "y/flights"]);
    }
}
