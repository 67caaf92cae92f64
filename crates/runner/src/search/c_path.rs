//! `model.C = { auto = true }`: the values of C, from the data.

use gradsweep_data::{Dataset, FoldEncoding};
use gradsweep_math::Real;
use rayon::prelude::*;

use crate::config::{ClassWeight, Config};
use crate::error::RunError;

/// Rows summed at a time: the sums go by tiles, so that they do not depend on threads.
const ROWS_PER_TILE: usize = 4096;
/// The share of L1 that stands in for smaller ones, 0 included: ridge alone never zeroes a weight.
///
/// # Source
/// `glmnet`.
const LEAST_L1_RATIO: f64 = 1e-3;

/// The config with its automatic C as a list of values, and a sentence about them; the config itself where C is not
/// automatic.
///
/// The smallest C is `l1_ratio/max|Σ xᵢ(yᵢ − ȳ)|` over the features of all rows, preprocessed by the statistics of all
/// rows: at it, and nowhere above, the L1 penalty holds every weight at 0. There is one path for all folds, so that a trial
/// has the same C in each of them. Where a sweep has several values of `l1_ratio`, the smallest above 0 decides: it asks for
/// the strongest penalty. Several class weights or both kinds of intercept likewise take the strongest of theirs; without an
/// intercept, ȳ is ½.
///
/// # Source
/// Friedman, Hastie and Tibshirani 2010.
///
/// # Errors
/// No feature is associated with the target.
pub(crate) fn with_c_path<T: Real>(config: &Config, data: &Dataset<T>) -> Result<(Config, Option<String>), RunError> {
    let Some(num) = config.c_path_len() else {
        return Ok((config.clone(), None));
    };
    let sums = class_sums(data);
    let map = data.encoding.for_training(&vec![true; data.groups.len()]);
    let mut steepest = 0.0_f64;
    for class_weight in config.class_weights() {
        let factors = class_factors(&class_weight, data, sums.weight);
        for has_intercept in config.intercepts() {
            steepest = steepest.max(sums.steepest(factors, has_intercept, data, &map));
        }
    }
    if steepest == 0.0 || !steepest.is_finite() {
        return Err(RunError::NoPath);
    }
    let l1_ratio = least_l1_ratio(config.l1_ratios());
    let config = config.with_c_path(l1_ratio / steepest);
    let values = config.c_values();
    let (first, last) = (values.first().unwrap_or(&0.0), values.last().unwrap_or(&0.0));
    let what = if l1_ratio > LEAST_L1_RATIO {
        format!("fitted on all rows, the first holds every weight at 0 (l1_ratio = {l1_ratio})")
    } else {
        format!("the first is that of l1_ratio = {LEAST_L1_RATIO}, as glmnet takes it for ridge")
    };
    let note = format!(
        "model.C auto: {num} values from {first:?} to {last:?}; {what}; held-out rows take part in choosing this range \
         and in nothing else"
    );
    Ok((config, Some(note)))
}

/// The smallest share of L1 above 0, but no less than [`LEAST_L1_RATIO`].
fn least_l1_ratio(ratios: Vec<f64>) -> f64 {
    let positive = ratios.into_iter().filter(|ratio| *ratio > 0.0);
    positive
        .min_by(f64::total_cmp)
        .unwrap_or(LEAST_L1_RATIO)
        .max(LEAST_L1_RATIO)
}

/// What the rows of each class count, as in training.
fn class_factors<T>(class_weight: &ClassWeight, data: &Dataset<T>, sums: [f64; 2]) -> [f64; 2] {
    let target = &data.summary.target;
    match class_weight {
        ClassWeight::None => [1.0; 2],
        ClassWeight::Balanced => sums.map(|own| (sums[0] + sums[1]) / (2.0 * own)),
        ClassWeight::Weights(weights) => {
            [&target.negative, &target.positive].map(|label| weights.get(label).copied().unwrap_or(1.0))
        }
    }
}

/// Sums over the rows of each class.
struct ClassSums {
    /// Of the weights.
    weight: [f64; 2],
    /// Of weight times stored column, one for every level that is stored as a code.
    columns: [Vec<f64>; 2],
}

fn class_sums<T: Real>(data: &Dataset<T>) -> ClassSums {
    let (rows, columns) = (data.x.nrows(), data.encoding.raw.len());
    let numbers = data.encoding.numbers();
    // Sums of many levels are not worth having for few rows.
    let rows_of_tile = if columns > ROWS_PER_TILE {
        rows.div_ceil(16)
    } else {
        ROWS_PER_TILE
    };
    let of_tile = |tile: usize| {
        let mut sums = ClassSums {
            weight: [0.0; 2],
            columns: [vec![0.0; columns], vec![0.0; columns]],
        };
        for row in tile * rows_of_tile..rows.min((tile + 1) * rows_of_tile) {
            let class = usize::from(data.y[row] > T::zero());
            let weight = data.weight.as_ref().map_or(1.0, |weight| weight[row]);
            sums.weight[class] += weight;
            let x = data.x.row(row);
            for (sum, x) in sums.columns[class][..numbers].iter_mut().zip(&x) {
                *sum += weight * x.as_f64();
            }
            for code in x.iter().skip(numbers) {
                if let Some(sum) = sums.columns[class].get_mut(numbers + code.as_f64() as usize) {
                    *sum += weight;
                }
            }
        }
        sums
    };
    let tiles: Vec<ClassSums> = (0..rows.div_ceil(rows_of_tile)).into_par_iter().map(of_tile).collect();
    let mut total = ClassSums {
        weight: [0.0; 2],
        columns: [vec![0.0; columns], vec![0.0; columns]],
    };
    for tile in tiles {
        for class in 0..2 {
            total.weight[class] += tile.weight[class];
            for (sum, own) in total.columns[class].iter_mut().zip(&tile.columns[class]) {
                *sum += own;
            }
        }
    }
    total
}

impl ClassSums {
    /// The greatest absolute derivative of the summed loss in a weight, where all of them are 0 and the intercept is at its
    /// best.
    fn steepest<T>(&self, factors: [f64; 2], has_intercept: bool, data: &Dataset<T>, map: &FoldEncoding) -> f64 {
        let [zero, one] = [factors[0] * self.weight[0], factors[1] * self.weight[1]];
        let rate = if has_intercept { one / (zero + one) } else { 0.5 };
        let residuals = [-factors[0] * rate, factors[1] * (1.0 - rate)];
        // At the best intercept the residuals add up to 0, whatever rounding leaves.
        let shift = if has_intercept {
            0.0
        } else {
            residuals[0] * self.weight[0] + residuals[1] * self.weight[1]
        };
        let mut gradient: Vec<f64> = map.offset.iter().map(|offset| offset * shift).collect();
        for (link, factor) in data.encoding.links.iter().zip(&map.factor) {
            let raw = residuals[0] * self.columns[0][link.raw] + residuals[1] * self.columns[1][link.raw];
            gradient[link.feature] += factor * raw;
        }
        let free = gradient.iter().zip(&map.is_held).filter(|(_, is_held)| !**is_held);
        free.map(|(derivative, _)| derivative.abs()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_share_of_l1_above_zero_decides() {
        assert_eq!(least_l1_ratio(vec![0.0, 1.0, 0.5]), 0.5);
        assert_eq!(least_l1_ratio(vec![0.0]), LEAST_L1_RATIO);
        assert_eq!(least_l1_ratio(vec![1e-9, 1.0]), LEAST_L1_RATIO);
    }
}
