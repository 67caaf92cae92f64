//! The Hessians of many runs at once: one product of the stored columns' products with the runs' curvatures.
//!
//! The Hessian of run j over the stored columns and a constant is `Σ_i s_ij·p(1−p)·[x_i 1][x_i 1]ᵀ`. With the products
//! `x_a·x_b` of every pair as columns of a matrix, the Hessians of all runs are one product, pairs by runs.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::Rows;
use super::pass::{Pass, tiles};
use crate::Real;
use crate::affine::expand;
use crate::blas;
use crate::workspace::Scratch;

/// Rows whose products of pairs are written before they are multiplied.
const ROWS: usize = 64;
/// Rows after which an `f32` product is emptied into the f64 sums.
const ROWS_PER_FLUSH: usize = 2048;

/// Sums of curvatures over rows, per pair of stored columns (the constant last) and run.
///
/// # Shapes
/// (pairs, k) with pairs = (D + 1)(D + 2)/2, the upper triangle row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Hessians {
    sums: Array2<f64>,
    order: usize,
}

/// What one worker needs to add rows to [`Hessians`].
#[derive(Debug)]
pub struct HessianScratch<T> {
    /// Rows with a number for every level, where there are codes.
    expanded: Array2<T>,
    pairs: Array2<T>,
    product: Array2<T>,
    pass: Scratch<T>,
}

impl<T: Real> HessianScratch<T> {
    /// Scratch for `width` runs over `raw_columns` stored columns, one for every level.
    pub fn new(raw_columns: usize, width: usize) -> Self {
        let pairs = pairs_of(raw_columns);
        Self {
            expanded: Array2::zeros((ROWS, raw_columns)),
            pairs: Array2::zeros((ROWS, pairs)),
            product: Array2::zeros((pairs, width)),
            pass: Scratch::new(raw_columns, width),
        }
    }

    /// The bytes that [`HessianScratch::new`] will take.
    pub fn required_bytes(raw_columns: usize, width: usize) -> usize {
        (pairs_of(raw_columns) * (ROWS + width) + raw_columns * ROWS) * size_of::<T>()
            + Scratch::<T>::required_bytes(raw_columns, width)
    }
}

/// Pairs of the stored columns and the constant.
pub fn pairs_of(raw_columns: usize) -> usize {
    (raw_columns + 1) * (raw_columns + 2) / 2
}

impl Hessians {
    /// Zeros.
    pub fn new(raw_columns: usize, width: usize) -> Self {
        Self {
            sums: Array2::zeros((pairs_of(raw_columns), width)),
            order: raw_columns + 1,
        }
    }

    /// Adds another segment's sums.
    pub fn add(&mut self, other: &Self) {
        self.sums += &other.sums;
    }

    /// All sums, one after the other.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        self.sums.iter().copied()
    }

    /// As [`Hessians::numbers`], to be changed.
    pub fn numbers_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        self.sums.iter_mut()
    }

    /// The Hessian sums of one run over stored columns and constant.
    ///
    /// # Shapes
    /// (D + 1, D + 1), symmetric.
    pub fn of(&self, column: usize) -> Array2<f64> {
        let mut full = Array2::zeros((self.order, self.order));
        let mut pair = 0;
        for a in 0..self.order {
            for b in a..self.order {
                full[[a, b]] = self.sums[[pair, column]];
                full[[b, a]] = full[[a, b]];
                pair += 1;
            }
        }
        full
    }
}

impl<T: Real> Pass<T> {
    /// Adds the curvatures of rows of one group to the Hessians of the columns that train on it.
    ///
    /// # Panics
    /// If scratch and Hessians were not made for this pass's shape.
    pub fn add_hessians(&self, rows: Rows<'_, T>, scratch: &mut HessianScratch<T>, hessians: &mut Hessians) {
        if !self.trains_on(rows.group) {
            return;
        }
        let HessianScratch {
            expanded,
            pairs,
            product,
            pass,
        } = scratch;
        let mut pending = 0;
        for tile in tiles(rows, ROWS.min(pass.tile_rows)) {
            let m = tile.y.len();
            let mut own = pairs.slice_mut(s![..m, ..]);
            match &self.routes {
                None => write_pairs(&tile.x, &mut own),
                Some(routes) => {
                    expand(&tile.x, &routes.codes, &mut expanded.view_mut());
                    write_pairs(&expanded.slice(s![..m, ..]), &mut own);
                }
            }
            self.curvatures(tile, pass);
            let curvature = ArrayView2::from_shape((m, self.width()), &pass.z[..m * self.width()])
                .expect("the slice has the shape's length");
            blas::backward(&own.view(), &curvature, pending > 0, &mut product.view_mut());
            pending += m;
            if pending >= ROWS_PER_FLUSH {
                flush(product, &mut hessians.sums);
                pending = 0;
            }
        }
        if pending > 0 {
            flush(product, &mut hessians.sums);
        }
    }
}

fn flush<T: Real>(product: &Array2<T>, sums: &mut Array2<f64>) {
    for (sum, part) in sums.iter_mut().zip(product) {
        *sum += part.as_f64();
    }
}

/// The products of every pair of columns of `[x 1]`, a row each.
fn write_pairs<T: Real>(x: &ArrayView2<'_, T>, pairs: &mut ArrayViewMut2<'_, T>) {
    for (x, mut out) in x.rows().into_iter().zip(pairs.rows_mut()) {
        let x = x.as_slice().expect("stored rows are row-major");
        let out = out.as_slice_mut().expect("row-major");
        let mut rest = out;
        for (a, &factor) in x.iter().enumerate() {
            let (own, after) = rest.split_at_mut(x.len() - a + 1);
            let (last, products) = own.split_last_mut().expect("a constant besides the columns");
            for (product, &other) in products.iter_mut().zip(&x[a..]) {
                *product = factor * other;
            }
            *last = factor;
            rest = after;
        }
        rest[0] = T::one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fused::Objective;
    use crate::loss::logistic::sigmoid;
    use ndarray::array;

    #[test]
    fn hessians_of_all_runs_are_those_of_each() {
        let x = Array2::from_shape_fn((150, 3), |(i, j)| ((i * 7 + j * 5) % 11) as f64 / 5.0 - 1.0);
        let y: Vec<f64> = (0..150).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        let weight: Vec<f64> = (0..150).map(|i| f64::from(i % 4)).collect();
        let objectives = [
            Objective::unpenalized(0, vec![true]),
            Objective {
                class_weight: [1.0, 2.0],
                ..Objective::unpenalized(0, vec![true])
            },
            Objective::unpenalized(0, vec![false]),
        ];
        let mut pass = Pass::<f64>::new(3, &objectives, 16);
        let w = array![[0.3, -0.2, 1.0], [0.5, 0.1, 1.0], [-0.7, 0.4, 1.0]];
        let b = [0.1, -0.3, 0.0];
        pass.set(&w.view(), &b);
        let mut hessians = Hessians::new(3, 16);
        let rows = Rows {
            x: x.view(),
            y: &y,
            weight: Some(&weight),
            group: 0,
        };
        pass.add_hessians(rows, &mut HessianScratch::new(3, 16), &mut hessians);
        for (j, objective) in objectives.iter().enumerate() {
            let mut expected = Array2::<f64>::zeros((4, 4));
            for i in 0..150 {
                let row = [x[[i, 0]], x[[i, 1]], x[[i, 2]], 1.0];
                let z = b[j] + (0..3).map(|a| row[a] * w[[a, j]]).sum::<f64>();
                let trained = f64::from(u8::from(objective.is_trained[0]));
                let s = trained * weight[i] * objective.class_weight[y[i] as usize];
                let curvature = s * sigmoid(z) * (1.0 - sigmoid(z));
                for a in 0..4 {
                    for b in 0..4 {
                        expected[[a, b]] += curvature * row[a] * row[b];
                    }
                }
            }
            let found = hessians.of(j);
            assert!(
                (&found - &expected).iter().all(|e| e.abs() < 1e-12),
                "{found} {expected}"
            );
        }
    }
}
