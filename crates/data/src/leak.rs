//! Features that tell the target by themselves: usually something recorded after the fact.

use crate::element::Element;

/// Rows looked at, at most.
const MAX_ROWS: usize = 100_000;
/// An area under the ROC curve beyond this, or below one minus this, is called a leak.
const SUSPICIOUS: f64 = 0.99;
/// Bins for the first look: sign, exponent and the first bits of the fraction.
const BINS: usize = 1 << 13;

/// The area under the ROC curve of one stored column alone, ties counted half, when it is suspicious.
///
/// A histogram bounds the area first, from below with every tie inside a bin lost and from above with every one won;
/// only when these bounds do not decide are the values sorted.
pub(crate) fn suspicious_auc<T: Element>(values: &[T], stride: usize, column: usize, y: &[u8]) -> Option<f64> {
    let rows = || {
        values
            .iter()
            .skip(column)
            .step_by(stride)
            .zip(y)
            .take(MAX_ROWS)
            .filter(|(v, _)| !v.is_nan())
    };
    let mut bins = vec![[0_u64; 2]; BINS];
    for (value, y) in rows() {
        bins[bin((*value).to_f64() as f32)][usize::from(*y)] += 1;
    }
    let (mut below, mut positives, mut won, mut open) = (0, 0, 0.0, 0.0);
    for [negative, positive] in bins {
        won += positive as f64 * below as f64;
        open += positive as f64 * negative as f64;
        below += negative;
        positives += positive;
    }
    let pairs = below as f64 * positives as f64;
    if pairs == 0.0 || (won + open <= SUSPICIOUS * pairs && won >= (1.0 - SUSPICIOUS) * pairs) {
        return None;
    }
    let mut sorted: Vec<(f64, u8)> = rows().map(|(value, y)| ((*value).to_f64(), *y)).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 >= b.0) {
        let positive = tied.iter().filter(|(_, y)| *y == 1).count() as f64;
        let negative = tied.len() as f64 - positive;
        won += positive * (below + negative / 2.0);
        below += negative;
    }
    let auc = won / pairs;
    (!(1.0 - SUSPICIOUS..=SUSPICIOUS).contains(&auc)).then_some(auc)
}

/// Bins in the order of the values.
fn bin(value: f32) -> usize {
    let bits = (value + 0.0).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    (ordered >> (32 - BINS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_keep_the_order_of_values() {
        let values = [f32::MIN, -1.0, -1e-30, -0.0, 0.0, 1e-30, 0.5, 1.0, 3e38];
        assert!(values.windows(2).all(|pair| bin(pair[0]) <= bin(pair[1])));
        assert_eq!(bin(-0.0), bin(0.0));
    }

    #[test]
    fn a_column_that_tells_the_target_is_found_in_either_direction() {
        let y: Vec<u8> = (0..1000).map(|row| u8::from(row % 3 == 0)).collect();
        let leak: Vec<f64> = y.iter().map(|&y| f64::from(y) * 1e-6 + 7.0).collect();
        let against: Vec<f64> = leak.iter().map(|v| -v).collect();
        let noise: Vec<f64> = (0..1000).map(|row| f64::from(row * 7919 % 1000)).collect();
        assert_eq!(suspicious_auc(&leak, 1, 0, &y), Some(1.0));
        assert_eq!(suspicious_auc(&against, 1, 0, &y), Some(0.0));
        assert_eq!(suspicious_auc(&noise, 1, 0, &y), None);
    }

    #[test]
    fn ties_count_half_and_missing_values_not_at_all() {
        // One wrong pair of 200 x 1: the area is 199.5 / 200 with one tie.
        let mut values: Vec<f64> = (0..200).map(f64::from).collect();
        let mut y = vec![0; 200];
        values.extend([199.0, f64::NAN]);
        y.extend([1, 1]);
        let auc = suspicious_auc(&values, 1, 0, &y).expect("above 0.99");
        assert!((auc - 199.5 / 200.0).abs() < 1e-15);
    }
}
