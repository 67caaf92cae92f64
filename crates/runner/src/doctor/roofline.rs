//! How near the fused pass comes to what its parts allow.

use std::hint::black_box;

use gradsweep_math::affine::AffineMap;
use gradsweep_math::blas;
use gradsweep_math::elementwise::Kernels;
use gradsweep_math::fused::{Column, LinearBlock, Objective, Rows};
use gradsweep_math::optimizer::{Kind, Settings};
use gradsweep_math::workspace::{Scratch, WIDEST_BLOCK, tile_rows};
use ndarray::{Array2, s};
use serde::Serialize;

use super::median_seconds;

/// Rows of a pass.
const ROWS: usize = 16_384;
/// Features of the shapes that are timed.
const FEATURES: [usize; 2] = [28, 500];
/// Rows and columns of the product that stands for the machine's peak.
const LARGE: usize = 1024;

/// The fused pass at one shape, and its parts alone. One thread, f32.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Roof {
    /// Features.
    pub features: usize,
    /// Columns of the block.
    pub runs: usize,
    /// Floating-point operations per second of a product of 1,024 x 1,024 matrices.
    pub peak_flops: f64,
    /// Of the two products of a tile at this shape, one after the other.
    pub product_flops: f64,
    /// Sigmoids per second, in place.
    pub sigmoids_per_second: f64,
    /// Rows times runs per second of the whole pass: both products, residuals, and the step of every run.
    pub row_columns_per_second: f64,
    /// The pass's products against the peak.
    pub share_of_peak: f64,
    /// The time that products and sigmoids take alone against that of the pass.
    pub share_of_roof: f64,
}

/// Times the pass and its parts for a full block of runs.
pub fn roofline() -> Vec<Roof> {
    blas::use_one_thread_per_product();
    let square = Array2::from_elem((LARGE, LARGE), 0.5f32);
    let mut product = square.clone();
    let large = median_seconds(|| blas::forward(&black_box(&square).view(), &square.view(), &mut product.view_mut()));
    let peak_flops = 2.0 * (LARGE as f64).powi(3) / large;
    FEATURES.map(|features| roof(features, peak_flops)).to_vec()
}

fn roof(features: usize, peak_flops: f64) -> Roof {
    let runs = WIDEST_BLOCK;
    let x = Array2::from_shape_fn((ROWS, features), |(i, j)| ((i * 31 + j * 17) % 97) as f32 / 48.0 - 1.0);
    let y: Vec<f32> = (0..ROWS)
        .map(|i| (i * 7 % 3 == 0).into())
        .map(|is: u8| f32::from(is))
        .collect();
    let elements = (ROWS * runs) as f64;
    let flops = 4.0 * elements * features as f64;
    let products = median_seconds(products(&x, runs));
    let mut z: Vec<f32> = (0..tile_rows(features) * runs)
        .map(|i| (i * 37 % 101) as f32 / 10.0 - 5.0)
        .collect();
    let sigmoids = median_seconds(|| f32::sigmoid(black_box(&mut z))) / z.len() as f64;
    let pass = median_seconds(pass(&x, &y, runs));
    Roof {
        features,
        runs,
        peak_flops,
        product_flops: flops / products,
        sigmoids_per_second: 1.0 / sigmoids,
        row_columns_per_second: elements / pass,
        share_of_peak: flops / pass / peak_flops,
        share_of_roof: (products + sigmoids * elements) / pass,
    }
}

/// The two products of every tile, into a score matrix and a gradient that stay where they are.
fn products(x: &Array2<f32>, runs: usize) -> impl FnMut() + use<'_> {
    let (rows, features) = (tile_rows(x.ncols()), x.ncols());
    let w = Array2::from_elem((features, runs), 0.1f32);
    let mut z = Array2::zeros((rows, runs));
    let mut g = Array2::zeros((features, runs));
    move || {
        for first in (0..x.nrows()).step_by(rows) {
            let tile = x.slice(s![first..x.nrows().min(first + rows), ..]);
            let mut z = z.slice_mut(s![..tile.nrows(), ..]);
            blas::forward(&tile, &w.view(), &mut z);
            blas::backward(&tile, &z.view(), first > 0, &mut g.view_mut());
        }
        black_box(&g);
    }
}

/// One step of a full block on a batch of all rows.
fn pass<'a>(x: &'a Array2<f32>, y: &'a [f32], runs: usize) -> impl FnMut() + use<'a> {
    let column = Column {
        objective: Objective::unpenalized(0, vec![true]),
        kind: Kind::Sgd,
        settings: Settings {
            learning_rate: 1e-3,
            ..Settings::default()
        },
        start: vec![0.0; x.ncols()],
        intercept: 0.0,
    };
    let mut block = LinearBlock::<f32>::new(&AffineMap::identity(x.ncols()), &vec![column; runs]);
    let mut scratch = Scratch::new(x.ncols(), block.width());
    move || {
        let rows = Rows {
            x: x.view(),
            y,
            weight: None,
            group: 0,
        };
        block.train_batch(&[rows], &mut scratch, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_timed() {
        for roof in roofline() {
            let Roof {
                product_flops,
                sigmoids_per_second,
                row_columns_per_second,
                share_of_peak,
                share_of_roof,
                ..
            } = roof;
            let speeds = [
                product_flops,
                sigmoids_per_second,
                row_columns_per_second,
                share_of_peak,
                share_of_roof,
            ];
            assert!(speeds.iter().all(|speed| speed.is_finite() && *speed > 0.0), "{roof:?}");
        }
    }
}
