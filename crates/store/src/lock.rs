//! One writer per store: a lock that the kernel frees when its holder ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use crate::error::StoreError;
use crate::layout;

/// How often, and how long apart, one that comes second looks for the name of the holder, who may not have written it yet.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

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
        if let Some(in_use) = wait_for(&mut file, dir, File::try_lock).map_err(fail)? {
            return Err(in_use);
        }
        let own = format!("{} {}\n", std::process::id(), host_name());
        file.set_len(0).map_err(fail)?;
        file.rewind().map_err(fail)?;
        file.write_all(own.as_bytes()).map_err(fail)?;
        Ok(Self { _file: file })
    }

    /// Says who holds the lock of `dir`, without taking it: before long work that would be in vain.
    pub(crate) fn check(dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(layout::LOCK);
        // Where the file is missing or out of reach, nobody holds it or the lock itself will say why.
        let Ok(mut file) = File::open(&path) else {
            return Ok(());
        };
        let outcome = wait_for(&mut file, dir, File::try_lock_shared).map_err(|source| StoreError::Io {
            action: "lock",
            path,
            source,
        })?;
        outcome.map_or(Ok(()), Err)
    }
}

/// Tries to lock a file; returns the error that names the holder where there is one.
///
/// Whoever only looks holds it for a moment and leaves no name, and a holder writes its name after it has the lock: so one who
/// finds no living process named looks again.
fn wait_for(
    file: &mut File,
    dir: &Path,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> std::io::Result<Option<StoreError>> {
    let mut holder = (None, None);
    for look in 0..LOOKS {
        match lock(file) {
            Ok(()) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(source),
            Err(TryLockError::WouldBlock) => {}
        }
        let mut text = String::new();
        // The holder is named as a courtesy; an unreadable file must not hide that there is one.
        file.rewind().ok();
        file.read_to_string(&mut text).ok();
        holder = parse(&text);
        if holder.0.is_some_and(|pid| is_alive(pid, holder.1.as_deref())) {
            break;
        }
        if look + 1 < LOOKS {
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }
    let (pid, host) = holder;
    Ok(Some(StoreError::InUse {
        dir: dir.to_path_buf(),
        pid,
        host,
    }))
}

/// Whether a process may still run, as far as can be seen from here.
fn is_alive(pid: u32, host: Option<&str>) -> bool {
    let processes = Path::new("/proc");
    let is_here = host.is_none_or(|host| host == host_name());
    !is_here || !processes.join("self").exists() || processes.join(pid.to_string()).exists()
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
    fn looking_takes_nothing_and_names_the_holder() {
        let dir = tempfile::tempdir().expect("scratch directory");
        Lock::check(dir.path()).expect("no file, no holder");
        let held = Lock::take(dir.path()).expect("free");
        match Lock::check(dir.path()) {
            Err(StoreError::InUse { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(held);
        Lock::check(dir.path()).expect("free again");
        Lock::take(dir.path()).expect("and still free");
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
