//! All scratch memory of a block's pass, sized once; nothing is allocated inside the tile loop.

use ndarray::Array2;

use crate::Real;
use crate::elementwise::{LANES, ScoreSums};

/// Elements of the small products that OpenBLAS multiplies without packing: up to 100³ multiplications per product it
/// takes kernels without copies, 1.5 to 2 times faster at a few dozen features than the packed ones.
const UNPACKED_PRODUCT: usize = 1_000_000;

/// Columns of a block, at the most. Wider blocks make the products no faster and leave less to share between threads.
pub const WIDEST_BLOCK: usize = 128;

/// Rows of one tile for D stored columns, whatever the block's width: one run and a full block make the same products.
///
/// As many rows (a multiple of 64, at most 1,024) as keep a product of the widest block below the size that OpenBLAS
/// multiplies without packing; where not even 64 rows do, 1,024.
pub fn tile_rows(raw_columns: usize) -> usize {
    let rows = UNPACKED_PRODUCT / (raw_columns * WIDEST_BLOCK).max(1) / 64 * 64;
    if rows == 0 { 1024 } else { rows.min(1024) }
}

/// The width of a block of `columns` runs: 1, or rounded up to whole registers of lanes.
pub fn padded_width(columns: usize) -> usize {
    if columns <= 1 {
        columns
    } else {
        columns.next_multiple_of(LANES)
    }
}

/// What one worker needs to push tiles through a block.
#[derive(Debug)]
pub struct Scratch<T> {
    /// Scores, then residuals, of one tile: (tile rows, k).
    pub(crate) z: Vec<T>,
    /// `XᵀdZ` (D, k).
    pub(crate) g: Array2<T>,
    /// Σ dz (k).
    pub(crate) db: Vec<T>,
    /// Slots of a tile's codes, where there are any.
    pub(crate) slots: Vec<u32>,
    pub(crate) tile_rows: usize,
}

impl<T: Real> Scratch<T> {
    /// Scratch for a block of `width` columns over `raw_columns` columns of numbers.
    pub fn new(raw_columns: usize, width: usize) -> Self {
        let tile_rows = tile_rows(raw_columns);
        Self {
            z: vec![T::zero(); tile_rows * width],
            g: Array2::zeros((raw_columns, width)),
            db: vec![T::zero(); width],
            slots: Vec::new(),
            tile_rows,
        }
    }

    /// The bytes that [`Scratch::new`] will take.
    pub fn required_bytes(raw_columns: usize, width: usize) -> usize {
        (tile_rows(raw_columns) * width + raw_columns * width + width) * size_of::<T>()
    }
}

/// What a pass measured: sums over the rows of each row group, per column.
///
/// # Shapes
/// All (groups, k).
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Σ ℓ(y, z) of the rows of class 0 and of class 1.
    pub loss: [Array2<f64>; 2],
    /// Σ (σ(z) − y)².
    pub squared: Array2<f64>,
    /// Weight of the rows on the right side of the threshold.
    pub correct: Array2<f64>,
}

impl Scores {
    /// Zeros.
    pub fn new(groups: usize, width: usize) -> Self {
        let zeros = || Array2::zeros((groups, width));
        Self {
            loss: [zeros(), zeros()],
            squared: zeros(),
            correct: zeros(),
        }
    }

    /// Adds another worker's sums.
    pub fn add(&mut self, other: &Self) {
        self.loss[0] += &other.loss[0];
        self.loss[1] += &other.loss[1];
        self.squared += &other.squared;
        self.correct += &other.correct;
    }

    /// Σ ℓ(y, z) of a group's rows for one column.
    pub fn loss_of(&self, group: usize, column: usize) -> f64 {
        self.loss[0][[group, column]] + self.loss[1][[group, column]]
    }

    /// The sums of columns `first..last` of one group.
    pub(crate) fn of_group(&mut self, group: usize, first: usize, last: usize) -> ScoreSums<'_> {
        let width = self.squared.ncols();
        let range = group * width + first..group * width + last;
        let Self {
            loss: [zero, one],
            squared,
            correct,
        } = self;
        ScoreSums {
            loss: [
                &mut zero.as_slice_mut().expect("row-major")[range.clone()],
                &mut one.as_slice_mut().expect("row-major")[range.clone()],
            ],
            squared: &mut squared.as_slice_mut().expect("row-major")[range.clone()],
            correct: &mut correct.as_slice_mut().expect("row-major")[range],
        }
    }
}

/// Gradient and scores of a pass over some rows, in f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// `XᵀdZ` (D, k); behind it the slots' of the codes.
    pub g: Array2<f64>,
    /// Σ dz (k).
    pub db: Vec<f64>,
    /// Losses and hits.
    pub scores: Scores,
}

impl Sums {
    /// Zeros, for `weights` rows of effective weights.
    pub fn new(weights: usize, groups: usize, width: usize) -> Self {
        Self {
            g: Array2::zeros((weights, width)),
            db: vec![0.0; width],
            scores: Scores::new(groups, width),
        }
    }

    /// Adds another segment's sums.
    pub fn add(&mut self, other: &Self) {
        self.g += &other.g;
        for (sum, other) in self.db.iter_mut().zip(&other.db) {
            *sum += other;
        }
        self.scores.add(&other.scores);
    }

    /// All sums, one after the other.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        let Scores { loss, squared, correct } = &self.scores;
        let scores = [&loss[0], &loss[1], squared, correct];
        let scores = scores.into_iter().flat_map(|scores| scores.iter());
        self.g.iter().chain(&self.db).chain(scores).copied()
    }

    /// As [`Sums::numbers`], to be changed.
    pub fn numbers_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        let Scores { loss, squared, correct } = &mut self.scores;
        let [zero, one] = loss;
        let scores = [zero, one, squared, correct];
        let scores = scores.into_iter().flat_map(|scores| scores.iter_mut());
        self.g.iter_mut().chain(&mut self.db).chain(scores)
    }

    /// Empties a worker's f32 or f64 gradient into these sums.
    pub(crate) fn flush<T: Real>(&mut self, scratch: &mut Scratch<T>) {
        for (sum, part) in self.g.iter_mut().zip(&scratch.g) {
            *sum += part.as_f64();
        }
        for (sum, part) in self.db.iter_mut().zip(&mut scratch.db) {
            *sum += part.as_f64();
            *part = T::zero();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_stay_below_the_packed_products_where_they_can() {
        assert_eq!(tile_rows(28), 256);
        assert_eq!(tile_rows(500), 1024);
        for columns in [1, 30, 100, 159, 2000] {
            let rows = tile_rows(columns);
            assert!((64..=1024).contains(&rows) && rows.is_multiple_of(64));
        }
    }

    #[test]
    fn required_bytes_are_what_scratch_holds() {
        for (d, k) in [(28, 128), (3, 1)] {
            let scratch = Scratch::<f32>::new(d, k);
            let held = (scratch.z.len() + scratch.g.len() + scratch.db.len()) * 4;
            assert_eq!(Scratch::<f32>::required_bytes(d, k), held);
        }
    }
}
