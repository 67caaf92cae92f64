//! The matrix while it grows: the same numbers in memory and in a file.

use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use super::map;
use super::part::PartFile;
use crate::element::Element;
use crate::error::DataError;

/// Bytes of a cache file before the matrix: a page.
pub(crate) const HEADER_BYTES: u64 = 4096;

/// Numbers in memory or in a file.
#[derive(Debug)]
pub(crate) enum Values<T> {
    /// In memory, with room to grow.
    Memory(MemoryValues<T>),
    /// In a file that no one else knows yet.
    File(FileValues<T>),
}

/// Numbers in memory.
#[derive(Debug)]
pub(crate) struct MemoryValues<T> {
    map: MmapMut,
    len: usize,
    of: PhantomData<T>,
}

/// Numbers in a file.
#[derive(Debug)]
pub(crate) struct FileValues<T> {
    pub(super) part: PartFile,
    pub(super) map: MmapMut,
    of: PhantomData<T>,
}

impl<T: Element> Values<T> {
    /// `len` zeros in memory, with room for `capacity`. Room that is not used takes no memory.
    pub(crate) fn in_memory(len: usize, capacity: usize) -> Result<Self, DataError> {
        Ok(Self::Memory(MemoryValues::new(len, capacity)?))
    }

    /// Makes room for more zeros at the end.
    pub(crate) fn grow(&mut self, len: usize) -> Result<(), DataError> {
        match self {
            Self::Memory(values) => {
                if len * size_of::<T>() > values.map.len() {
                    let mut wider = MemoryValues::new(len, len)?;
                    wider[..values.len].copy_from_slice(values);
                    *values = wider;
                }
                values.len = len;
                Ok(())
            }
            Self::File(values) => values.grow(len),
        }
    }
}

impl<T: Element> MemoryValues<T> {
    fn new(len: usize, capacity: usize) -> Result<Self, DataError> {
        let bytes = capacity.max(len) * size_of::<T>();
        // A map has one byte at least.
        let map = map::zeros(bytes.max(1)).map_err(|source| DataError::OutOfMemory { bytes, source })?;
        Ok(Self {
            map,
            len,
            of: PhantomData,
        })
    }

    pub(super) fn into_map(self) -> MmapMut {
        self.map
    }
}

impl<T: Element> FileValues<T> {
    /// The first `len` numbers of a file that has as many already.
    pub(crate) fn new(part: PartFile, len: usize) -> Result<Self, DataError> {
        let map = map::writable(part.file(), HEADER_BYTES, len * size_of::<T>())
            .map_err(|source| part.error("map", source))?;
        Ok(Self {
            part,
            map,
            of: PhantomData,
        })
    }

    /// Zeros are written, not left out: a hole that the disk has no room for would be noticed only by a signal.
    fn grow(&mut self, len: usize) -> Result<(), DataError> {
        let bytes = len * size_of::<T>();
        let fail = |source: io::Error| self.part.error("write", source);
        let zeros = vec![0; (1 << 20).min(bytes)];
        let mut at = self.map.len();
        while at < bytes {
            let part = &zeros[..zeros.len().min(bytes - at)];
            self.part.write_at(part, HEADER_BYTES + at as u64).map_err(fail)?;
            at += part.len();
        }
        self.map = map::writable(self.part.file(), HEADER_BYTES, bytes).map_err(fail)?;
        Ok(())
    }
}

impl<T: Element> Deref for Values<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Memory(values) => values,
            Self::File(values) => bytemuck::cast_slice(&values.map),
        }
    }
}

impl<T: Element> DerefMut for Values<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Memory(values) => values,
            Self::File(values) => bytemuck::cast_slice_mut(&mut values.map),
        }
    }
}

impl<T: Element> Deref for MemoryValues<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map[..self.len * size_of::<T>()])
    }
}

impl<T: Element> DerefMut for MemoryValues<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.map[..self.len * size_of::<T>()])
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    #[test]
    fn numbers_stay_when_room_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let part = PartFile::create(folder.path()).unwrap();
        part.write_at(&[0; 24], HEADER_BYTES).unwrap();
        let file = Values::File(FileValues::<f64>::new(part, 3).unwrap());
        for mut values in [Values::in_memory(3, 4).unwrap(), Values::in_memory(3, 3).unwrap(), file] {
            values.copy_from_slice(&[1.0, 2.0, 3.0]);
            values.grow(4).unwrap();
            assert_eq!(*values, [1.0, 2.0, 3.0, 0.0]);
        }
    }
}
