//! Which load a file is of.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::element::Element;
use crate::source::files::expand;
use crate::spec::LoadSpec;

/// Raised with every change to what a file holds or to what a load makes of its data.
const FORMAT: u32 = 2;

/// A file written less than this before it is looked at may be written again without a change of its time.
const SETTLED: Duration = Duration::from_secs(2);

/// The name of what a load would make: a hash of all settings that decide it, and of name, size and time of each data
/// file. The hash of their content stands in the cache file and is the data set's own, so that a sweep on a data set from
/// the cache is the sweep on the files; size and time only allow not reading them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(Option<String>);

impl Key {
    /// Of a load whose matrix gets no name.
    pub(crate) const NONE: Self = Self(None);

    /// The key of a load of `T` as things stand; of none if a file cannot be looked at or is too new to be known by its
    /// time.
    pub(crate) fn of<T: Element>(spec: &LoadSpec) -> Self {
        Self(name(spec, size_of::<T>()))
    }

    /// The file's name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

fn name(spec: &LoadSpec, bytes: usize) -> Option<String> {
    let (_, files) = expand(&spec.source.paths).ok()?;
    let mut text = format!("{FORMAT} {} {bytes} {spec:?}\n", env!("CARGO_PKG_VERSION"));
    // Another build may load in another way.
    let program = fs::metadata(std::env::current_exe().ok()?).ok()?;
    writeln!(text, "{} {}", program.len(), nanoseconds(program.modified().ok()?)?).ok()?;
    for file in files {
        let about = fs::metadata(&file.path).ok()?;
        let modified = about.modified().ok()?;
        if SystemTime::now().duration_since(modified).ok()? < SETTLED {
            return None;
        }
        let path = fs::canonicalize(&file.path).ok()?;
        let path = path.to_str()?;
        writeln!(text, "{path:?} {} {}", about.len(), nanoseconds(modified)?).ok()?;
    }
    Some(blake3::hash(text.as_bytes()).to_hex()[..32].to_owned())
}

fn nanoseconds(time: SystemTime) -> Option<u128> {
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_nanos())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;
    use crate::spec::{EncodeSpec, RoleSpec, SourceSpec, SplitSpec};

    #[test]
    fn settings_type_and_files_make_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let written = |seconds| {
            fs::write(&path, "x,y\n1,0\n").unwrap();
            let time = SystemTime::now() - Duration::from_secs(seconds);
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        let mut spec = LoadSpec {
            source: SourceSpec {
                paths: vec![path.display().to_string()],
                ..SourceSpec::default()
            },
            roles: RoleSpec::default(),
            encode: EncodeSpec::default(),
            split: SplitSpec::default(),
            seed: 1,
            deal: true,
            rows: None,
        };
        written(0);
        assert_eq!(Key::of::<f32>(&spec).name(), None, "too new");
        written(10);
        let first = Key::of::<f32>(&spec);
        assert_eq!(first.name().unwrap().len(), 32);
        assert_eq!(first, Key::of::<f32>(&spec));
        assert_ne!(first, Key::of::<f64>(&spec));
        spec.seed = 2;
        assert_ne!(first, Key::of::<f32>(&spec));
        spec.seed = 1;
        written(20);
        assert_ne!(first, Key::of::<f32>(&spec), "another time");
    }
}
