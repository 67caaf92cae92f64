//! What a finished file looks like, and how it is written and read.
//!
//! ```text
//! bytes 0..4096   magic, format, size of a number, rows, columns, place, length and hash of the parts; hash of all this
//! from 4096       the matrix, row-major, in the machine's own order of bytes; columns of codes behind those of numbers
//! then            the parts (see `Parts`), with a hash per 4 MB of the matrix
//! ```
//!
//! A file is read only if every hash is right. One that is not is as good as none.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::prelude::*;

use super::CacheSpec;
use super::code::Code;
use super::key::Key;
use super::map;
use super::part::PartFile;
use super::parts::Parts;
use super::stored::Stored;
use super::values::{FileValues, HEADER_BYTES, Values};
use crate::dataset::Dataset;
use crate::element::Element;
use crate::error::DataError;
use crate::spec::LoadSpec;

/// How the names of finished files end.
pub(super) const ENDING: &str = "tiles";
const MAGIC: [u8; 16] = *b"gradsweep tiles\n";
/// Written as a number, so that a machine with another order of bytes does not know it.
const ORDER: u32 = 0x0102_0304;
const HASHED_BYTES: usize = 4 << 20;

type Hash = [u8; 32];
/// Size of a number, rows, columns, place of the parts, their length.
type Sizes = [u64; 5];

/// The header's fields: magic, order of bytes, sizes, hash of the parts.
type Fields = ([u8; 16], (u32, Sizes), Hash);

/// Makes the matrix a file of the cache, under the name of `key` if it has one and the data files are still as they were;
/// without a name, the file is gone with the process.
fn publish<T: Element>(
    values: FileValues<T>,
    parts: Parts,
    key: &Key,
    spec: &LoadSpec,
) -> Result<Dataset<T>, DataError> {
    let FileValues { part, map, .. } = values;
    let (rows, columns) = (parts.y.len(), parts.encoding.stored_columns());
    let bytes = map.len();
    let fail = |source| part.error("write", source);
    let place = HEADER_BYTES + bytes as u64;
    let (mut hasher, mut written) = (blake3::Hasher::new(), 0);
    let mut append = |bytes: &[u8]| -> std::io::Result<()> {
        hasher.update(bytes);
        part.write_at(bytes, place + written)?;
        written += bytes.len() as u64;
        Ok(())
    };
    parts.write(&mut append).map_err(fail)?;
    let mut of_pieces = Vec::new();
    hashes(&map).put(&mut of_pieces);
    drop(map);
    append(&of_pieces).map_err(fail)?;
    part.truncate(place + written).map_err(fail)?;
    let sizes = [size_of::<T>() as u64, rows as u64, columns as u64, place, written];
    let mut header = Vec::with_capacity(HEADER_BYTES as usize);
    let fields: Fields = (MAGIC, (ORDER, sizes), hasher.finalize().into());
    fields.put(&mut header);
    Hash::from(blake3::hash(&header)).put(&mut header);
    header.resize(HEADER_BYTES as usize, 0);
    part.write_at(&header, 0).map_err(fail)?;
    let name = key.name().filter(|_| Key::of::<T>(spec) == *key);
    let mapped = |file: &File| map::read_only(file, HEADER_BYTES, bytes);
    let map = match name {
        Some(name) => part
            .finish(&format!("{name}.{ENDING}"))
            .map(|file| (mapped(&file), None))?,
        None => (mapped(part.file()), Some(part)),
    };
    let map = map.0.map_err(|source| DataError::Cache {
        action: "map",
        path: spec.source.paths.iter().collect(),
        source,
    })?;
    Ok(parts.with(Stored::in_file(map, rows, columns)))
}

/// The data set of a key, if the cache holds it whole.
pub(crate) fn open<T: Element>(dir: &Path, key: &Key) -> Option<Dataset<T>> {
    let file = File::open(dir.join(format!("{}.{ENDING}", key.name()?))).ok()?;
    let mut header = vec![0; HEADER_BYTES as usize];
    file.read_exact_at(&mut header, 0).ok()?;
    let mut rest = header.as_slice();
    let (magic, (order, sizes), parts_hash) = Fields::take(&mut rest)?;
    let known = header.len() - rest.len();
    let header_hash = Hash::take(&mut rest)?;
    if magic != MAGIC || order != ORDER || header_hash != *blake3::hash(&header[..known]).as_bytes() {
        return None;
    }
    let [size, rows, columns, place, parts_bytes] = sizes.map(|size| size as usize);
    let bytes = rows.checked_mul(columns)?.checked_mul(size)?;
    let is_whole = file.metadata().ok()?.len() == place.checked_add(parts_bytes)? as u64;
    if size != size_of::<T>() || place != HEADER_BYTES as usize + bytes || !is_whole {
        return None;
    }
    let mut blob = vec![0; parts_bytes];
    file.read_exact_at(&mut blob, place as u64).ok()?;
    if parts_hash != *blake3::hash(&blob).as_bytes() {
        return None;
    }
    let mut rest = blob.as_slice();
    let parts = Parts::take(&mut rest)?;
    let wanted: Vec<Hash> = Code::take(&mut rest)?;
    drop(blob);
    let map = map::read_only(&file, HEADER_BYTES, bytes).ok()?;
    (parts.fits(rows, columns) && hashes(&map) == wanted).then(|| parts.with(Stored::in_file(map, rows, columns)))
}

/// Moves the matrix of a data set in memory into a file of the cache. The numbers stay the same.
pub fn spill<T: Element>(data: Dataset<T>, spec: &LoadSpec, cache: &CacheSpec) -> Result<Dataset<T>, DataError> {
    const WRITTEN_BYTES: usize = 1 << 20;
    if data.x.is_in_file() {
        return Ok(data);
    }
    let key = Key::of::<T>(spec);
    let part = PartFile::create(&cache.dir)?;
    let (x, parts) = Parts::of(data);
    let bytes: &[u8] = bytemuck::cast_slice(x.as_slice());
    for (index, written) in bytes.chunks(WRITTEN_BYTES).enumerate() {
        let offset = HEADER_BYTES + (index * WRITTEN_BYTES) as u64;
        part.write_at(written, offset)
            .map_err(|source| part.error("write", source))?;
    }
    let len = x.as_slice().len();
    drop(x);
    publish(FileValues::new(part, len)?, parts, &key, spec)
}

/// Hashes of the pieces of the matrix.
fn hashes(matrix: &[u8]) -> Vec<Hash> {
    matrix
        .par_chunks(HASHED_BYTES)
        .map(|bytes| blake3::hash(bytes).into())
        .collect()
}

impl<T: Element> Values<T> {
    /// The data set of these numbers and parts; numbers in a file get the name of `key`.
    pub(crate) fn finish(self, parts: Parts, key: &Key, spec: &LoadSpec) -> Result<Dataset<T>, DataError> {
        match self {
            Self::Memory(values) => {
                let (rows, columns) = (parts.y.len(), parts.encoding.stored_columns());
                Ok(parts.with(Stored::in_memory(values, rows, columns)))
            }
            Self::File(values) => publish(values, parts, key, spec),
        }
    }
}
