//! Parquet files that carry a checksum of themselves.
//!
//! A damaged Parquet file can make a decoder fail in many ways, or not at all. So the BLAKE3 hash of the whole file, footer included, lies
//! in the file's own metadata: it is written as zeros, the finished file is hashed, and the hash replaces the zeros (which keeps every
//! length). A reader puts the zeros back, compares, and only then decodes. Other programs see an ordinary Parquet file.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::io::SerReader;
use polars::prelude::{
    DataFrame, KeyValueMetadata, ParquetCompression, ParquetReader, ParquetWriter, PolarsResult, Schema,
};

use crate::error::{Damage, StoreError};

const SEAL_KEY: &str = "gradsweep.seal";
const SEAL_PREFIX: &str = "gradsweep-blake3:";
const HASH_DIGITS: usize = 64;

/// The encoder stores an Arrow schema in which texts are string views, and pyarrow, which believes it, can neither filter nor sort those.
/// Under another name of the same length nobody reads it, and every reader takes the types of Parquet itself, which are the ones meant.
const ARROW_SCHEMA_KEY: &[u8; 12] = b"ARROW:schema";
const HIDDEN_SCHEMA_KEY: &[u8; 12] = b"polars.types";

/// Rows per row group, and so the most that is held unencoded while a long table is written.
pub(crate) const ROW_GROUP: usize = 1 << 18;

type Reader = ParquetReader<Cursor<Vec<u8>>>;

/// Texts stored beside the rows.
pub(crate) type Notes = BTreeMap<String, String>;

/// Encodes frames of one schema, each as a row group, and seals the file.
pub(crate) fn encode(
    schema: &Schema,
    frames: impl Iterator<Item = PolarsResult<DataFrame>>,
    notes: &[(&str, &str)],
) -> PolarsResult<Vec<u8>> {
    let placeholder = format!("{SEAL_PREFIX}{}", "0".repeat(HASH_DIGITS));
    let pairs = notes
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .chain([(SEAL_KEY.to_owned(), placeholder)])
        .collect();
    let mut bytes = Vec::new();
    let mut writer = ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(pairs)))
        .batched(schema)?;
    for frame in frames {
        writer.write_batch(&frame?)?;
    }
    writer.finish()?;
    drop(writer);
    if let Some(at) = last_position(&bytes, ARROW_SCHEMA_KEY) {
        bytes[at..at + ARROW_SCHEMA_KEY.len()].copy_from_slice(HIDDEN_SCHEMA_KEY);
    }
    if let Some(at) = seal_position(&bytes) {
        let hash = blake3::hash(&bytes).to_hex();
        bytes[at..at + HASH_DIGITS].copy_from_slice(hash.as_bytes());
    }
    Ok(bytes)
}

/// Encodes one frame.
pub(crate) fn encode_one(frame: DataFrame, notes: &[(&str, &str)]) -> PolarsResult<Vec<u8>> {
    let schema = frame.schema().clone();
    encode(&schema, std::iter::once(Ok(frame)), notes)
}

/// Checks the seal and decodes.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<(DataFrame, Notes), Damage> {
    guarded(|| {
        let (reader, notes) = unseal(bytes)?;
        let frame = reader.finish().map_err(Damage::Undecodable)?;
        Ok((frame, notes))
    })
}

/// Runs a decoder, which panics on some files that somebody made and sealed.
fn guarded<T>(decode: impl FnOnce() -> Result<T, Damage>) -> Result<T, Damage> {
    // It holds nothing but its own copy of the bytes.
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or(Err(Damage::Unreadable))
}

/// Checks the seal, and reads what does not take decoding.
fn unseal(mut bytes: Vec<u8>) -> Result<(Reader, Notes), Damage> {
    let at = seal_position(&bytes).ok_or(Damage::NoChecksum)?;
    let held = bytes[at..at + HASH_DIGITS].to_vec();
    bytes[at..at + HASH_DIGITS].fill(b'0');
    if blake3::hash(&bytes).to_hex().as_bytes() != held {
        return Err(Damage::Checksum);
    }
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let notes = reader
        .get_metadata()
        .map_err(Damage::Undecodable)?
        .key_value_metadata
        .iter()
        .flatten()
        .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
        .collect();
    Ok((reader, notes))
}

/// Reads and decodes a file.
pub(crate) fn read(path: &Path) -> Result<(DataFrame, Notes), StoreError> {
    let bytes = crate::layout::read(path)?;
    decode(bytes).map_err(|source| StoreError::Damaged {
        path: path.to_path_buf(),
        source,
    })
}

/// Reads the texts beside the rows of a file, whose seal is checked.
pub(crate) fn read_notes(path: &Path) -> Result<Notes, StoreError> {
    let bytes = crate::layout::read(path)?;
    let notes = guarded(|| unseal(bytes).map(|(_, notes)| notes));
    notes.map_err(|source| StoreError::Damaged {
        path: path.to_path_buf(),
        source,
    })
}

/// Where the hash starts: after the last prefix, since the metadata comes after all rows and statistics.
fn seal_position(bytes: &[u8]) -> Option<usize> {
    let start = last_position(bytes, SEAL_PREFIX.as_bytes())? + SEAL_PREFIX.len();
    (start + HASH_DIGITS <= bytes.len()).then_some(start)
}

fn last_position(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).rposition(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{Column, NamedFrom, Series};

    fn sample() -> Vec<u8> {
        let texts = ["a", SEAL_PREFIX, "c"];
        let frame = DataFrame::new_infer_height(vec![
            Column::from(Series::new("text".into(), texts)),
            Column::from(Series::new("value".into(), [1.0, f64::INFINITY, 3.0])),
        ])
        .expect("two columns of one length");
        encode_one(frame, &[("note", "kept")]).expect("encodable")
    }

    #[test]
    fn reads_back_what_was_written() {
        let (frame, notes) = decode(sample()).expect("sealed");
        assert_eq!(frame.shape(), (3, 2));
        assert_eq!(notes.get("note").map(String::as_str), Some("kept"));
    }

    #[test]
    fn no_arrow_schema_is_left_to_believe() {
        let bytes = sample();
        assert_eq!(last_position(&bytes, ARROW_SCHEMA_KEY), None);
        assert!(last_position(&bytes, HIDDEN_SCHEMA_KEY).is_some());
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let bytes = sample();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(decode(flipped).is_err(), "byte {at} of {}", bytes.len());
        }
    }

    /// What sealed files do to the real decoder is seen by the program's fuzzing, which alone survives an allocation that the
    /// system refuses.
    #[test]
    fn a_decoder_that_panics_finds_a_damaged_file() {
        assert!(matches!(
            guarded::<()>(|| panic!("in a decoder")),
            Err(Damage::Unreadable)
        ));
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = sample();
        for len in 0..bytes.len() {
            assert!(decode(bytes[..len].to_vec()).is_err(), "cut to {len}");
        }
    }

    #[test]
    fn equal_frames_make_equal_files() {
        assert_eq!(sample(), sample());
    }
}
