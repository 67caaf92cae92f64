//! The version of the format on disk.

use serde::{Deserialize, Serialize};

/// Version of a store's layout, tables and manifest. Written into `manifest.json`; everything else of a store follows from it.
///
/// # Changelog
/// - **1**: `config.toml`, `resolved.toml`, `manifest.json`, `plan.parquet`, `parts/NNNNN.parquet` (columns `run`, `kind`, `name`,
///   `epoch`, `value`, `standardized`), the tables `trials`, `runs`, `history`, `coefficients`. Every Parquet file carries its
///   checksum under the key `gradsweep.seal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormatVersion(pub u32);

/// Why a store of some version cannot be read by this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A later program wrote it.
    TooNew,
    /// No program ever wrote it: the number is not a version.
    Unknown,
}

impl FormatVersion {
    /// The version this program writes.
    pub const CURRENT: Self = Self(1);
    /// The oldest version this program still reads.
    pub const OLDEST: Self = Self(1);

    /// Says whether a program that writes `reader` can read a store of version `self`.
    pub(crate) fn check_readable_by(self, reader: Self) -> Result<(), Unreadable> {
        if self < Self::OLDEST {
            Err(Unreadable::Unknown)
        } else if self > reader {
            Err(Unreadable::TooNew)
        } else {
            Ok(())
        }
    }
}

impl Default for FormatVersion {
    fn default() -> Self {
        Self::CURRENT
    }
}

impl std::fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_versions_are_readable() {
        let current = FormatVersion::CURRENT;
        assert_eq!(current.check_readable_by(current), Ok(()));
        assert_eq!(
            FormatVersion(current.0 + 1).check_readable_by(current),
            Err(Unreadable::TooNew)
        );
        assert_eq!(FormatVersion(0).check_readable_by(current), Err(Unreadable::Unknown));
    }
}
