//! Statistics of a numeric column that merge: those of a fold's training rows come from its row groups'.

use ndarray::ArrayView2;
use rayon::prelude::*;
use std::ops::Range;

use crate::element::Element;

/// Count, mean and squared deviations of the observed values, and how many are missing.
///
/// Values are in stored units, `(value - center) / scale`. With weights, counts are sums of weights, and rows of weight
/// 0 are no rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) observed: f64,
    pub(crate) missing: f64,
    pub(crate) mean: f64,
    /// Sum of squared deviations from the mean.
    pub(crate) m2: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Moments {
    /// Of no rows.
    pub(crate) const EMPTY: Self = Self {
        observed: 0.0,
        missing: 0.0,
        mean: 0.0,
        m2: 0.0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    /// Of the rows of both (Chan, Golub and `LeVeque` 1983).
    pub(crate) fn merge(self, other: Self) -> Self {
        let missing = self.missing + other.missing;
        if other.observed == 0.0 {
            return Self { missing, ..self };
        }
        if self.observed == 0.0 {
            return Self { missing, ..other };
        }
        let observed = self.observed + other.observed;
        let difference = other.mean - self.mean;
        let share = other.observed / observed;
        Self {
            observed,
            missing,
            mean: self.mean + difference * share,
            m2: self.m2 + other.m2 + difference * difference * self.observed * share,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// Population variance of the observed values.
    pub(crate) fn variance(&self) -> f64 {
        if self.observed == 0.0 {
            0.0
        } else {
            self.m2 / self.observed
        }
    }

    /// Merged over the row groups for which `is_training` holds, in order.
    pub(crate) fn over(groups: &[Self], is_training: &[bool]) -> Self {
        groups
            .iter()
            .zip(is_training)
            .filter(|(_, is_training)| **is_training)
            .fold(Self::EMPTY, |sum, (group, _)| sum.merge(*group))
    }
}

/// Rows of one summation: a constant, so that sums do not depend on threads.
const BLOCK_ROWS: usize = 2048;

/// Moments of the first `width` columns of every row group: `[group][column]`.
///
/// # Shapes
/// `x` (n, D), NaN where missing; `weight` (n) if rows have one; `groups` are ranges of the rows.
///
/// # Numerical notes
/// Each block of rows sums deviations from its first row, in f64, then blocks merge in order.
pub(crate) fn profile<T: Element>(
    x: &ArrayView2<T>,
    weight: Option<&[f64]>,
    width: usize,
    groups: &[Range<usize>],
) -> Vec<Vec<Moments>> {
    let stride = x.ncols();
    let Some(values) = x.to_slice() else {
        return Vec::new();
    };
    let blocks: Vec<(usize, Range<usize>)> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, rows)| {
            let end = rows.end;
            rows.clone()
                .step_by(BLOCK_ROWS)
                .map(move |first| (group, first..end.min(first + BLOCK_ROWS)))
        })
        .collect();
    let sums: Vec<(usize, Vec<Moments>)> = blocks
        .into_par_iter()
        .map(|(group, rows)| {
            let weight = weight.map(|weight| &weight[rows.clone()]);
            let values = &values[rows.start * stride..rows.end * stride];
            (group, block(values, weight, stride, width))
        })
        .collect();
    let mut profiles = vec![vec![Moments::EMPTY; width]; groups.len()];
    for (group, sums) in sums {
        for (total, sum) in profiles[group].iter_mut().zip(sums) {
            *total = total.merge(sum);
        }
    }
    profiles
}

/// Moments of the first `width` of `stride` columns of a few rows.
fn block<T: Element>(rows: &[T], weight: Option<&[f64]>, stride: usize, width: usize) -> Vec<Moments> {
    let weighted = || rows.chunks_exact(stride).zip(weight.unwrap_or_default());
    let first = match weight {
        None => Some(rows),
        Some(_) => weighted().find(|(_, weight)| **weight > 0.0).map(|(row, _)| row),
    };
    let Some(first) = first else {
        return vec![Moments::EMPTY; width];
    };
    let mut sums = Sums::new(&first[..width]);
    let count = if weight.is_some() {
        for (row, &weight) in weighted().filter(|(_, weight)| **weight > 0.0) {
            sums.add_weighted(&row[..width], weight);
        }
        weight.unwrap_or_default().iter().sum()
    } else {
        for row in rows.chunks_exact(stride) {
            sums.add(&row[..width]);
        }
        (rows.len() / stride) as f64
    };
    (0..width)
        .map(|j| {
            if sums.sum[j].is_finite() {
                sums.moments(j, count)
            } else {
                slow(rows, weight, stride, j)
            }
        })
        .collect()
}

/// One array per statistic, so that the columns of a row are added in one vector loop.
struct Sums<T> {
    shift: Vec<f64>,
    sum: Vec<f64>,
    square: Vec<f64>,
    min: Vec<T>,
    max: Vec<T>,
}

impl<T: Element> Sums<T> {
    fn new(first: &[T]) -> Self {
        let zeros = vec![0.0; first.len()];
        let shift = first.iter().map(|v| (*v).to_f64()).collect();
        Self {
            shift,
            sum: zeros.clone(),
            square: zeros,
            min: first.to_vec(),
            max: first.to_vec(),
        }
    }

    #[inline]
    fn add(&mut self, row: &[T]) {
        let statistics = self.shift.iter().zip(&mut self.sum).zip(&mut self.square);
        for ((value, ((shift, sum), square)), (min, max)) in
            row.iter().zip(statistics).zip(self.min.iter_mut().zip(&mut self.max))
        {
            let deviation = (*value).to_f64() - shift;
            *sum += deviation;
            *square += deviation * deviation;
            *min = if *value < *min { *value } else { *min };
            *max = if *value > *max { *value } else { *max };
        }
    }

    #[inline]
    fn add_weighted(&mut self, row: &[T], weight: f64) {
        let statistics = self.shift.iter().zip(&mut self.sum).zip(&mut self.square);
        for ((value, ((shift, sum), square)), (min, max)) in
            row.iter().zip(statistics).zip(self.min.iter_mut().zip(&mut self.max))
        {
            let deviation = (*value).to_f64() - shift;
            *sum += weight * deviation;
            *square += weight * deviation * deviation;
            *min = if *value < *min { *value } else { *min };
            *max = if *value > *max { *value } else { *max };
        }
    }

    fn moments(&self, j: usize, count: f64) -> Moments {
        let mean = self.sum[j] / count;
        Moments {
            observed: count,
            missing: 0.0,
            mean: self.shift[j] + mean,
            m2: (self.square[j] - self.sum[j] * mean).max(0.0),
            min: self.min[j].to_f64(),
            max: self.max[j].to_f64(),
        }
    }
}

/// Moments of one column with missing or infinite values, one value after the other (Welford).
fn slow<T: Element>(rows: &[T], weight: Option<&[f64]>, stride: usize, j: usize) -> Moments {
    let column = rows.iter().skip(j).step_by(stride).enumerate();
    column.fold(Moments::EMPTY, |sum, (row, value)| {
        let value = (*value).to_f64();
        let weight = weight.map_or(1.0, |weight| weight[row]);
        if weight == 0.0 {
            return sum;
        }
        if value.is_nan() {
            return Moments {
                missing: sum.missing + weight,
                ..sum
            };
        }
        sum.merge(Moments {
            observed: weight,
            missing: 0.0,
            mean: value,
            m2: 0.0,
            min: value,
            max: value,
        })
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    fn two_pass(values: &[f64]) -> Moments {
        let observed: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        if observed.is_empty() {
            return Moments {
                missing: values.len() as f64,
                ..Moments::EMPTY
            };
        }
        let mean = observed.iter().sum::<f64>() / observed.len() as f64;
        Moments {
            observed: observed.len() as f64,
            missing: (values.len() - observed.len()) as f64,
            mean,
            m2: observed.iter().map(|v| (v - mean).powi(2)).sum(),
            min: observed.iter().copied().fold(f64::INFINITY, f64::min),
            max: observed.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn close(a: &Moments, b: &Moments) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * (1.0 + a.abs().max(b.abs()));
        (a.observed, a.missing) == (b.observed, b.missing)
            && near(a.mean, b.mean)
            && near(a.m2, b.m2)
            && (a.observed == 0.0 || (near(a.min, b.min) && near(a.max, b.max)))
    }

    proptest! {
        #[test]
        fn the_merge_of_parts_is_the_whole(
            values in prop::collection::vec(prop_oneof![4 => -3.0..3.0_f64, 1 => Just(f64::NAN)], 1..80),
            cut in 0_usize..80,
        ) {
            let cut = cut.min(values.len());
            let x = Array2::from_shape_vec((values.len(), 1), values.clone()).expect("a column");
            let groups = [0..cut, cut..values.len()];
            let parts = profile(&x.view(), None, 1, &groups);
            prop_assert!(close(&parts[0][0], &two_pass(&values[..cut])));
            prop_assert!(close(&parts[0][0].merge(parts[1][0]), &two_pass(&values)));
        }

        #[test]
        fn a_weight_is_so_many_rows(
            rows in prop::collection::vec((prop_oneof![4 => -3.0..3.0_f64, 1 => Just(f64::NAN)], 0_u8..4), 1..80),
            cut in 0_usize..80,
        ) {
            let (values, weight): (Vec<f64>, Vec<f64>) = rows.iter().map(|(v, k)| (*v, f64::from(*k))).unzip();
            let repeat = |rows: &[(f64, u8)]| -> Vec<f64> {
                rows.iter().flat_map(|(v, k)| std::iter::repeat_n(*v, usize::from(*k))).collect()
            };
            let cut = cut.min(rows.len());
            let groups = [0..cut, cut..rows.len()];
            let x = Array2::from_shape_vec((rows.len(), 1), values).expect("a column");
            let parts = profile(&x.view(), Some(&weight), 1, &groups);
            prop_assert!(close(&parts[0][0], &two_pass(&repeat(&rows[..cut]))));
            prop_assert!(close(&parts[1][0], &two_pass(&repeat(&rows[cut..]))));
        }
    }

    #[test]
    fn blocks_sum_to_the_whole_and_columns_stay_apart() {
        let n = 3 * BLOCK_ROWS + 17;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * (j + 3)) % 101) as f64 + 1e6 * j as f64);
        let found = profile(&x.view(), None, 2, std::slice::from_ref(&(0..n)));
        assert_eq!(found[0].len(), 2);
        for (found, column) in found[0].iter().zip(x.columns()) {
            assert!(close(found, &two_pass(&column.to_vec())));
        }
    }
}
