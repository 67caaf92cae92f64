//! Exact medians of each fold's training rows, from columns sorted once per row group.
//!
//! The median of values with weights is that of each value repeated as often as its weight says: half-way between the
//! least value with half of the weight at or below it and the least with more than half.

use std::ops::Range;

use crate::element::Element;

/// The observed values of one column, sorted within each row group.
pub(crate) struct SortedColumn<T> {
    groups: Vec<Sorted<T>>,
    /// Of all rows, where there are so many groups that leaving a few out is quicker than adding the others up.
    whole: Option<Sorted<T>>,
}

/// Values in order, with the weight at or below each; no weights where each value counts 1.
struct Sorted<T> {
    values: Vec<T>,
    below: Vec<f64>,
}

/// Row groups beyond which the whole is sorted, too.
const MANY_GROUPS: usize = 16;

impl<T: Element> SortedColumn<T> {
    /// Takes one of `stride` columns, NaN where missing.
    pub(crate) fn new(
        values: &[T],
        stride: usize,
        column: usize,
        weight: Option<&[f64]>,
        groups: &[Range<usize>],
    ) -> Self {
        let sorted = |rows: Range<usize>| Sorted::new(rows.map(|row| (values[row * stride + column], row)), weight);
        let whole = (groups.len() > MANY_GROUPS).then(|| sorted(0..values.len() / stride));
        Self {
            groups: groups.iter().cloned().map(sorted).collect(),
            whole,
        }
    }

    /// The median over the row groups for which `is_training` holds; NaN if no value is there.
    pub(crate) fn median(&self, is_training: &[bool]) -> f64 {
        let parts = || self.groups.iter().zip(is_training);
        let own = || parts().filter(|(_, is_training)| **is_training).map(|(group, _)| group);
        let others = || {
            parts()
                .filter(|(_, is_training)| !**is_training)
                .map(|(group, _)| group)
        };
        let whole = self.whole.as_ref().filter(|_| others().count() < own().count());
        let at_most = |value: f64| match whole {
            None => own().map(|group| group.at_most(value)).sum(),
            Some(whole) => others().fold(whole.at_most(value), |sum, group| sum - group.at_most(value)),
        };
        let all = at_most(f64::INFINITY);
        if all <= 0.0 {
            return f64::NAN;
        }
        let lower = least(|value| 2.0 * at_most(value) >= all);
        let upper = least(|value| 2.0 * at_most(value) > all);
        f64::midpoint(lower, upper)
    }
}

impl<T: Element> Sorted<T> {
    /// Takes the values that are there and have a weight.
    fn new(rows: impl Iterator<Item = (T, usize)>, weight: Option<&[f64]>) -> Self {
        let Some(weight) = weight else {
            let mut values: Vec<T> = rows.map(|(value, _)| value).filter(|value| !value.is_nan()).collect();
            values.sort_unstable_by(|a, b| (*a).to_f64().total_cmp(&(*b).to_f64()));
            let below = Vec::new();
            return Self { values, below };
        };
        let weighted = rows.map(|(value, row)| (value, weight[row]));
        let mut weighted: Vec<(T, f64)> = weighted
            .filter(|(value, weight)| !value.is_nan() && *weight > 0.0)
            .collect();
        // Equal values stay in the order of their rows, so that sums do not depend on the sort.
        weighted.sort_by(|a, b| a.0.to_f64().total_cmp(&b.0.to_f64()));
        let mut sum = 0.0;
        let below = weighted.iter().map(|(_, weight)| {
            sum += weight;
            sum
        });
        Self {
            below: below.collect(),
            values: weighted.into_iter().map(|(value, _)| value).collect(),
        }
    }

    /// The weight of the values up to this one.
    fn at_most(&self, value: f64) -> f64 {
        let count = self.values.partition_point(|own| (*own).to_f64() <= value);
        match (count, self.below.as_slice()) {
            (0, _) => 0.0,
            (count, []) => count as f64,
            (count, below) => below[count - 1],
        }
    }
}

/// The least number for which a condition holds that holds from some number on, by halving the numbers in between.
fn least(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (ordered(f64::NEG_INFINITY), ordered(f64::INFINITY));
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(number(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // Adding zero turns -0 into 0.
    number(low) + 0.0
}

const SIGN: u64 = 1 << 63;

/// The place of a number among all, without NaN.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The number at a place.
fn number(ordered: u64) -> f64 {
    f64::from_bits(if ordered & SIGN == 0 { !ordered } else { ordered & !SIGN })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The mean of the middle value or values.
    fn plain(mut values: Vec<f64>) -> f64 {
        values.retain(|value| !value.is_nan());
        values.sort_by(f64::total_cmp);
        match values.len() {
            0 => f64::NAN,
            n => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
        }
    }

    fn is_same(a: f64, b: f64) -> bool {
        a == b || (a.is_nan() && b.is_nan())
    }

    #[test]
    fn numbers_have_places_in_their_order() {
        let numbers = [
            f64::NEG_INFINITY,
            -1.0,
            -f64::MIN_POSITIVE,
            -0.0,
            0.0,
            1e-300,
            2.0,
            f64::INFINITY,
        ];
        assert!(numbers.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert!(numbers.iter().all(|&v| number(ordered(v)).to_bits() == v.to_bits()));
    }

    #[test]
    fn half_the_weight_on_either_side_gives_the_mean_of_both() {
        let median = |values: &[f64], weight: &[f64]| {
            SortedColumn::new(values, 1, 0, Some(weight), std::slice::from_ref(&(0..values.len()))).median(&[true])
        };
        assert_eq!(median(&[1.0, 2.0, 10.0], &[1.0, 1.0, 2.0]), 6.0);
        assert_eq!(median(&[1.0, 2.0, 10.0], &[1.0, 1.0, 2.5]), 10.0);
        assert_eq!(median(&[3.0, 1.0], &[0.25, 0.25]), 2.0);
        assert!(median(&[1.0, f64::NAN], &[0.0, 3.0]).is_nan());
    }

    proptest! {
        #[test]
        fn medians_are_those_of_the_rows_written_out(
            rows in prop::collection::vec((prop_oneof![4 => (-8..8_i32).prop_map(f64::from), 1 => Just(f64::NAN)], 0_u8..4), 1..60),
            (groups, is_weighted) in (1_usize..25, any::<bool>()),
            picked: u32,
        ) {
            let (values, weight): (Vec<f64>, Vec<f64>) = rows.iter().map(|(v, k)| (*v, f64::from(*k))).unzip();
            let bound = |group: usize| group * rows.len() / groups;
            let ranges: Vec<_> = (0..groups).map(|group| bound(group)..bound(group + 1)).collect();
            let column = SortedColumn::new(&values, 1, 0, is_weighted.then_some(&weight), &ranges);
            let is_training: Vec<bool> = (0..groups).map(|group| picked >> group & 1 == 1).collect();
            let written_out = ranges.iter().zip(&is_training).filter(|(_, t)| **t).flat_map(|(rows, _)| rows.clone());
            let written_out = written_out.flat_map(|row| {
                std::iter::repeat_n(values[row], if is_weighted { usize::from(rows[row].1) } else { 1 })
            });
            let (found, wanted) = (column.median(&is_training), plain(written_out.collect()));
            prop_assert!(is_same(found, wanted), "{found} {wanted}");
        }
    }
}
