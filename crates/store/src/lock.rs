//! One writer per store: a lock that the kernel frees when its holder ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::StoreError;
use crate::layout;

/// The lock of a store's directory, held as long as this lives. The file stays behind and means nothing by itself.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `dir`, which must exist, or says who holds it.
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(layout::LOCK);
        let fail = |source| StoreError::Io {
            action: "lock",
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(fail(source)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The holder is named as a courtesy; an unreadable file must not hide that there is one.
                file.read_to_string(&mut text).ok();
                let (pid, host) = parse(&text);
                return Err(StoreError::InUse {
                    dir: dir.to_path_buf(),
                    pid,
                    host,
                });
            }
        }
        file.set_len(0).map_err(fail)?;
        file.rewind().map_err(fail)?;
        writeln!(file, "{} {}", std::process::id(), host_name()).map_err(fail)?;
        Ok(Self { _file: file })
    }
}

fn parse(text: &str) -> (Option<u32>, Option<String>) {
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    let host = words
        .next()
        .map(|word| word.chars().filter(char::is_ascii_graphic).take(64).collect());
    (pid, host)
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this-host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_names_the_first() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let first = Lock::take(dir.path()).expect("free");
        match Lock::take(dir.path()) {
            Err(StoreError::InUse { pid, host, .. }) => {
                assert_eq!(pid, Some(std::process::id()));
                assert!(host.is_some());
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        Lock::take(dir.path()).expect("free again");
    }

    #[test]
    fn a_file_left_by_a_dead_process_does_not_lock() {
        let dir = tempfile::tempdir().expect("scratch directory");
        std::fs::write(dir.path().join("LOCK"), "1 elsewhere and more text\n").expect("file");
        let _lock = Lock::take(dir.path()).expect("nobody holds it");
        let text = std::fs::read_to_string(dir.path().join("LOCK")).expect("readable");
        assert!(text.starts_with(&std::process::id().to_string()), "{text}");
        assert!(!text.contains("elsewhere"));
    }
}
