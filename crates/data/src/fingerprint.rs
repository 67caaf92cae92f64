//! A name for the content that was loaded, whatever the files looked like.

use crate::levels::{Levels, NULL};
use crate::tile::numbers::Cells;

/// Rows hashed together: a constant, so that batches do not matter, and a power of two, so that BLAKE3 sees whole
/// subtrees (blocks of 4,096 rows with a byte between them took twice the time).
const BLOCK_ROWS: usize = 1 << 14;

/// Hashes the values of one column in row order.
///
/// A block that f32 holds exactly is hashed as f32, so that a column of f32 and its CSV agree and half the bytes are hashed.
#[derive(Debug, Clone)]
pub(crate) struct ColumnHasher {
    hasher: blake3::Hasher,
    /// The block that is not full yet, in the type of the column; NaN and zero have one form each.
    singles: Vec<f32>,
    doubles: Vec<f64>,
    bytes: Vec<u8>,
    /// Bytes per value of each block.
    widths: Vec<u8>,
}

impl ColumnHasher {
    pub(crate) fn new() -> Self {
        let hasher = blake3::Hasher::new();
        Self {
            hasher,
            singles: Vec::new(),
            doubles: Vec::new(),
            bytes: Vec::new(),
            widths: Vec::new(),
        }
    }

    /// Takes the next numbers, without those whose position is [`NULL`].
    pub(crate) fn update(&mut self, cells: &Cells, rows: usize, dropped: Option<&[u32]>) {
        if let Some(positions) = dropped {
            let kept = cells
                .to_vec(rows)
                .into_iter()
                .zip(positions)
                .filter(|(_, position)| **position != NULL);
            let is_single = cells.singles().is_some();
            for (value, _) in kept {
                if is_single {
                    self.push_singles(&[value as f32]);
                } else {
                    self.push_doubles(&[value]);
                }
            }
        } else if let Some(values) = cells.singles() {
            self.push_singles(&values);
        } else {
            self.push_doubles(&cells.to_vec(rows));
        }
    }

    fn push_singles(&mut self, mut values: &[f32]) {
        while !values.is_empty() {
            let (now, later) = values.split_at(values.len().min(BLOCK_ROWS - self.singles.len()));
            if now.len() == BLOCK_ROWS && is_hashed_as_is(now) {
                self.hasher.update(bytemuck::cast_slice(now));
                self.widths.push(4);
                values = later;
                continue;
            }
            self.singles
                .extend(now.iter().map(|v| if v.is_nan() { f32::NAN } else { v + 0.0 }));
            values = later;
            if self.singles.len() == BLOCK_ROWS {
                self.hash_singles();
            }
        }
    }

    fn push_doubles(&mut self, mut values: &[f64]) {
        while !values.is_empty() {
            let (now, later) = values.split_at(values.len().min(BLOCK_ROWS - self.doubles.len()));
            self.doubles
                .extend(now.iter().map(|v| if v.is_nan() { f64::NAN } else { v + 0.0 }));
            values = later;
            if self.doubles.len() == BLOCK_ROWS {
                self.hash_doubles();
            }
        }
    }

    fn hash_singles(&mut self) {
        self.bytes.resize(self.singles.len() * 4, 0);
        for (bytes, value) in self.bytes.chunks_exact_mut(4).zip(&self.singles) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        self.hasher.update(&self.bytes);
        self.widths.push(4);
        self.singles.clear();
    }

    fn hash_doubles(&mut self) {
        let holds = |v: &f64| v.is_nan() || f64::from(*v as f32).to_bits() == v.to_bits();
        if self.doubles.iter().all(holds) {
            self.singles.extend(
                self.doubles
                    .iter()
                    .map(|v| if v.is_nan() { f32::NAN } else { *v as f32 }),
            );
            self.doubles.clear();
            return self.hash_singles();
        }
        self.bytes.resize(self.doubles.len() * 8, 0);
        for (bytes, value) in self.bytes.chunks_exact_mut(8).zip(&self.doubles) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        self.hasher.update(&self.bytes);
        self.widths.push(8);
        self.doubles.clear();
    }

    fn finish(mut self) -> blake3::Hash {
        if !self.doubles.is_empty() {
            self.hash_doubles();
        }
        if !self.singles.is_empty() {
            self.hash_singles();
        }
        self.hasher.update(&self.widths);
        self.hasher.finalize()
    }

    /// All values of a column of numbers.
    pub(crate) fn of_numbers(values: &[f64]) -> Self {
        let mut hasher = Self::new();
        hasher.push_doubles(values);
        hasher
    }

    /// Codes and texts of a column of names.
    pub(crate) fn of_levels(levels: &Levels) -> Self {
        let mut hasher = Self::new();
        hasher.hasher.update(&(levels.texts.len() as u64).to_le_bytes());
        for text in &levels.texts {
            hasher
                .hasher
                .update(&(text.len() as u64).to_le_bytes())
                .update(text.as_bytes());
        }
        for codes in levels.codes.chunks(1 << 14) {
            hasher.bytes.clear();
            for code in codes {
                hasher.bytes.extend_from_slice(&code.to_le_bytes());
            }
            hasher.hasher.update(&hasher.bytes);
        }
        hasher
    }
}

/// Whether the bytes in memory are those to be hashed: in the right order, without a NaN or a negative zero.
fn is_hashed_as_is(values: &[f32]) -> bool {
    const NEGATIVE_ZERO: u32 = 1 << 31;
    let is_plain = |plain, v: &f32| plain & !v.is_nan() & (v.to_bits() != NEGATIVE_ZERO);
    cfg!(target_endian = "little") && values.iter().fold(true, is_plain)
}

/// Joins names, roles or kinds, and values of all columns.
pub(crate) fn join<'a>(columns: impl Iterator<Item = (&'a str, &'a str, ColumnHasher)>) -> String {
    let mut all = blake3::Hasher::new();
    for (name, kind, column) in columns {
        for text in [name, kind] {
            all.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        all.update(column.finish().as_bytes());
    }
    all.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_kinds_and_values_all_count() {
        let levels = |codes: &[u32]| Levels {
            texts: vec!["a".into(), "b".into()],
            counts: vec![1, 1],
            codes: codes.to_vec(),
        };
        let print =
            |name, kind, codes: &[u32]| join(std::iter::once((name, kind, ColumnHasher::of_levels(&levels(codes)))));
        let first = print("x", "target", &[0, 1]);
        assert_eq!(first.len(), 64);
        assert_eq!(first, print("x", "target", &[0, 1]));
        for other in [
            print("y", "target", &[0, 1]),
            print("x", "fold", &[0, 1]),
            print("x", "target", &[1, 0]),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn batches_change_no_hash_and_every_nan_and_zero_is_one() {
        let hash = |values: &[f32], batch: usize| {
            let mut hasher = ColumnHasher::new();
            values.chunks(batch).for_each(|values| hasher.push_singles(values));
            hasher.finish()
        };
        let mut values: Vec<f32> = (0..3 * BLOCK_ROWS + 5).map(|row| row as f32).collect();
        let whole = hash(&values, values.len());
        assert_eq!(
            [BLOCK_ROWS, 1000, 2 * BLOCK_ROWS].map(|batch| hash(&values, batch)),
            [whole; 3]
        );
        let doubles: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        assert_eq!(ColumnHasher::of_numbers(&doubles).finish(), whole);
        values[0] = -0.0;
        assert_eq!(hash(&values, values.len()), whole);
        values[7] = f32::NAN;
        let missing = hash(&values, values.len());
        values[7] = -f32::NAN;
        assert!(hash(&values, values.len()) == missing && missing != whole);
    }
}
