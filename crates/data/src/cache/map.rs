//! The memory maps of the cache: the only unsafe code of this crate.
#![expect(unsafe_code, reason = "a map of a file cannot be made by safe code")]

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap, MmapMut, MmapOptions};

/// Memory of zeros that no page stands behind until it is touched, in large pages where the system has them: rows are dealt
/// all over it.
pub(super) fn zeros(bytes: usize) -> io::Result<MmapMut> {
    let map = MmapOptions::new().len(bytes).no_reserve_swap().map_anon()?;
    // Small pages do as well, only slower.
    map.advise(Advice::HugePage).ok();
    Ok(map)
}

/// A file's bytes from `offset` on, to read.
pub(super) fn read_only(file: &File, offset: u64, bytes: usize) -> io::Result<Mmap> {
    // SAFETY: only files of a cache are mapped. This program writes them under a temporary name, renames them once they
    // are complete, and then only ever unlinks them, which leaves a map as it is; so neither their length nor their
    // bytes change while the map lives. The length was checked against the file's by the caller.
    unsafe { MmapOptions::new().offset(offset).len(bytes).map(file) }
}

/// A file's bytes from `offset` on, to read and write.
pub(super) fn writable(file: &File, offset: u64, bytes: usize) -> io::Result<MmapMut> {
    // SAFETY: as above; the file has its temporary name, this process holds its lock, and the caller writes to it
    // through this map alone while the map lives.
    unsafe { MmapOptions::new().offset(offset).len(bytes).map_mut(file) }
}
