//! How much memory there is, how much of it a sweep may take, and what the process has used.

use std::path::{Path, PathBuf};

use crate::config::Config;

/// What the program takes by itself: its threads, OpenBLAS's buffers and those of a reader of files.
pub(crate) const PROGRAM_BYTES: u64 = 24 << 20;

/// The largest resident set so far; `None` where the system does not tell.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmHWM:")
}

/// The memory of the machine, or of a control group this process runs in where that is less; `None` where the system does
/// not tell.
pub fn available_bytes() -> Option<u64> {
    available_below(Path::new("/"))
}

/// As [`available_bytes`], with the system's files below `root`.
fn available_below(root: &Path) -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let total = read("proc/meminfo").and_then(|text| kibibytes(&text, "MemTotal:"));
    let groups = read("proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().flat_map(|line| group_limits(root, line));
    total.into_iter().chain(limits).min()
}

/// The limits of a control group and of those it lies in, from its line in `/proc/self/cgroup`.
fn group_limits(root: &Path, line: &str) -> Vec<u64> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
        return Vec::new();
    };
    let (tree, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        own if own.split(',').any(|own| own == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return Vec::new(),
    };
    let tree = root.join(tree);
    // Inside a container the path may name directories that are not mounted here; its own limit is the tree's root's.
    tree.join(path.trim_start_matches('/'))
        .ancestors()
        .take_while(|dir| dir.starts_with(&tree))
        .filter_map(|dir| std::fs::read_to_string(dir.join(file)).ok()?.trim().parse().ok())
        .collect()
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let count: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(count * 1024)
}

/// The bytes of `run.memory_limit`; without bound where it is a share of a memory that the system does not tell.
pub fn limit_bytes(config: &Config) -> u64 {
    parse(&config.run.memory_limit, available_bytes()).unwrap_or(u64::MAX)
}

/// A size, or a share of what is available.
fn parse(text: &str, available: Option<u64>) -> Option<u64> {
    const UNITS: [(&str, f64); 9] = [
        ("KiB", 1024.0),
        ("MiB", 1024.0 * 1024.0),
        ("GiB", 1024.0 * 1024.0 * 1024.0),
        ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("B", 1.0),
    ];
    if let Some(percent) = text.strip_suffix('%') {
        let share: f64 = percent.trim().parse().ok()?;
        return Some((available? as f64 * share / 100.0) as u64);
    }
    let (number, unit) = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))?;
    Some((number.trim().parse::<f64>().ok()? * unit) as u64)
}

/// Where prepared rows go that do not fit: `$XDG_CACHE_HOME/gradsweep`, or `~/.cache/gradsweep`, or, without a home,
/// `.gradsweep-cache` in the working directory.
pub fn cache_dir() -> PathBuf {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // The convention asks to ignore relative paths.
    let own = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let base = own.or_else(|| Some(set("HOME")?.join(".cache")));
    base.map_or_else(|| PathBuf::from(".gradsweep-cache"), |base| base.join("gradsweep"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_shares_are_bytes() {
        let gib = 1 << 30;
        for (text, bytes) in [
            ("8GiB", 8 * gib),
            ("512 MiB", gib / 2),
            ("1.5kB", 1500),
            ("7B", 7),
            ("75%", 3 * gib),
            ("0.5 %", gib / 50),
        ] {
            assert_eq!(parse(text, Some(4 * gib)), Some(bytes), "{text}");
        }
        assert_eq!(parse("75%", None), None);
    }

    #[test]
    fn the_tightest_group_around_the_process_counts() {
        let root = tempfile::tempdir().expect("scratch directory");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("proc/meminfo", "MemFree: 1 kB\nMemTotal:       8 kB\n");
        let available = || available_below(root.path());
        assert_eq!(available(), Some(8192));
        write("proc/self/cgroup", "0::/a/b\n");
        write("sys/fs/cgroup/a/b/memory.max", "max\n");
        assert_eq!(available(), Some(8192));
        write("sys/fs/cgroup/a/memory.max", "5000\n");
        assert_eq!(available(), Some(5000));
        write("proc/self/cgroup", "5:cpu:/x\n4:memory:/not/mounted\n0::/a/b\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000\n");
        assert_eq!(available(), Some(4000));
    }
}
