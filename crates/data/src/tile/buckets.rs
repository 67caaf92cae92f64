//! Rows to a file, in the order they are stored in, without going back and forth in more of it than fits in memory.
//!
//! The stored rows are cut into buckets. The first pass appends each row, as it comes from the files, to its bucket's
//! place; the second takes one bucket at a time into memory, puts its rows in order, and writes it back wider by the
//! columns that are still to come. Where each row belongs lies behind the matrix until then.

use std::io;

use rayon::prelude::*;

use crate::cache::{FileValues, HEADER_BYTES, PartFile};
use crate::element::Element;
use crate::error::DataError;

/// A bucket fits a few times in the caches of a core, and appending to so many of them is still in long pieces.
const LARGEST_BUCKET: usize = 32 << 20;
const SMALLEST_BUCKET: usize = 64 << 10;
/// Parts of the memory that the buckets of all threads may have together.
const SHARE: usize = 16;

/// A file being filled.
pub(crate) struct Buckets {
    part: PartFile,
    rows: usize,
    /// Columns that the first pass writes, and all.
    width: usize,
    stride: usize,
    bytes_of_number: usize,
    rows_of_bucket: usize,
    /// Rows in each bucket so far.
    filled: Vec<usize>,
}

impl Buckets {
    /// For `rows` of `stride` numbers, of which the first `width` come from the files; `limit` bounds the memory.
    pub(crate) fn new<T>(part: PartFile, rows: usize, width: usize, stride: usize, limit: u64) -> Self {
        let row = stride * size_of::<T>();
        // A thread has a bucket twice: in the order of the files and in its own.
        let bytes = limit as usize / (SHARE * 2 * rayon::current_num_threads());
        let bytes = bytes.clamp(SMALLEST_BUCKET, LARGEST_BUCKET);
        let rows_of_bucket = (bytes / row.max(1)).clamp(1, rows.max(1));
        Self {
            part,
            rows,
            width,
            stride,
            bytes_of_number: size_of::<T>(),
            rows_of_bucket,
            filled: vec![0; rows.div_ceil(rows_of_bucket)],
        }
    }

    /// How many rows a bucket has, and how many buckets there are.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows_of_bucket, self.filled.len())
    }

    /// Where the numbers of a bucket begin.
    fn place(&self, bucket: usize) -> u64 {
        HEADER_BYTES + (bucket * self.rows_of_bucket * self.stride * self.bytes_of_number) as u64
    }

    /// Where the order of a bucket's rows begins.
    fn place_of_order(&self, bucket: usize) -> u64 {
        HEADER_BYTES + (self.rows * self.stride * self.bytes_of_number + bucket * self.rows_of_bucket * 4) as u64
    }

    /// Appends rows: `of_bucket` lists those of each bucket as indices into `turned` and `positions`.
    pub(crate) fn add<T: Element>(
        &mut self,
        turned: &[T],
        positions: &[u32],
        of_bucket: &[Vec<u32>],
    ) -> Result<(), DataError> {
        let (this, width) = (&*self, self.width);
        let write = |(rows, order): &mut (Vec<T>, Vec<u32>), bucket: usize, own: &[u32]| -> io::Result<()> {
            rows.clear();
            order.clear();
            let first = (bucket * this.rows_of_bucket) as u32;
            for &row in own {
                rows.extend_from_slice(&turned[row as usize * width..][..width]);
                order.push(positions[row as usize] - first);
            }
            let filled = this.filled[bucket];
            let offset = (filled * width * size_of::<T>()) as u64;
            this.part
                .write_at(bytemuck::cast_slice(rows), this.place(bucket) + offset)?;
            let offset = (filled * 4) as u64;
            this.part
                .write_at(bytemuck::cast_slice(order), this.place_of_order(bucket) + offset)
        };
        of_bucket
            .par_iter()
            .enumerate()
            .filter(|(_, own)| !own.is_empty())
            .try_for_each_init(Default::default, |buffers, (bucket, own)| write(buffers, bucket, own))
            .map_err(|source| self.part.error("write", source))?;
        for (filled, own) in self.filled.iter_mut().zip(of_bucket) {
            *filled += own.len();
        }
        Ok(())
    }

    /// Puts the rows of every bucket in order; columns past the first are 0.
    pub(crate) fn finish<T: Element>(self) -> Result<FileValues<T>, DataError> {
        let (rows, width, stride) = (self.rows, self.width, self.stride);
        let sort = |(arrived, order, sorted): &mut (Vec<T>, Vec<u32>, Vec<T>), bucket: usize| -> io::Result<()> {
            let own = self.rows_of_bucket.min(rows - bucket * self.rows_of_bucket);
            sorted.clear();
            sorted.resize(own * stride, T::zero());
            if width > 0 {
                arrived.resize(own * width, T::zero());
                order.resize(own, 0);
                self.part
                    .read_at(bytemuck::cast_slice_mut(arrived), self.place(bucket))?;
                self.part
                    .read_at(bytemuck::cast_slice_mut(order), self.place_of_order(bucket))?;
                for (row, &place) in arrived.chunks_exact(width).zip(order.iter()) {
                    sorted[place as usize * stride..][..width].copy_from_slice(row);
                }
            }
            self.part.write_at(bytemuck::cast_slice(sorted), self.place(bucket))
        };
        (0..self.filled.len())
            .into_par_iter()
            .with_max_len(1)
            .try_for_each_init(Default::default, |buffers, bucket| sort(buffers, bucket))
            .map_err(|source| self.part.error("write", source))?;
        FileValues::new(self.part, rows * stride)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;
    use crate::cache::Values;

    #[test]
    fn rows_of_many_buckets_come_into_order() {
        let folder = tempfile::tempdir().unwrap();
        let part = PartFile::create(folder.path()).unwrap();
        let (rows, width, stride) = (40_000, 2, 3);
        let mut buckets = Buckets::new::<f64>(part, rows, width, stride, 0);
        let (rows_of_bucket, count) = buckets.shape();
        assert!(count > 10 && rows_of_bucket * count >= rows);
        let positions: Vec<u32> = (0..rows as u64).map(|row| (row * 7919 % rows as u64) as u32).collect();
        for (batch, positions) in positions.chunks(999).enumerate() {
            let value = |row: usize| (batch * 999 + row) as f64;
            let turned: Vec<f64> = (0..positions.len()).flat_map(|row| [value(row), -value(row)]).collect();
            let mut of_bucket = vec![Vec::new(); count];
            for (row, position) in positions.iter().enumerate() {
                of_bucket[*position as usize / rows_of_bucket].push(row as u32);
            }
            buckets.add(&turned, positions, &of_bucket).unwrap();
        }
        let values = Values::File(buckets.finish::<f64>().unwrap());
        for (row, &position) in positions.iter().enumerate() {
            let value = row as f64;
            assert_eq!(values[position as usize * stride..][..stride], [value, -value, 0.0]);
        }
    }
}
