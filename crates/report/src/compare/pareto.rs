//! Trials that no other beats in both of two metrics.

use super::rank::better;

/// Which of the points no other dominates: none is at least as good in both and better in one.
pub(crate) fn front(points: &[(f64, f64)], higher_is_better: (bool, bool)) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| {
        better(points[a].0, points[b].0, higher_is_better.0)
            .then(better(points[a].1, points[b].1, higher_is_better.1))
            .then(a.cmp(&b))
    });
    let mut kept: Vec<usize> = Vec::new();
    for index in order {
        // In this order the last one kept is the best so far in the second metric.
        let is_beaten = kept.last().is_some_and(|&last| {
            let second = better(points[last].1, points[index].1, higher_is_better.1);
            second.is_lt() || (second.is_eq() && points[last].0 != points[index].0)
        });
        if !is_beaten {
            kept.push(index);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_beaten_in_both_is_left_out() {
        let points = [(0.5, 0.9), (0.4, 0.8), (0.45, 0.79), (0.4, 0.7), (0.6, 0.95)];
        assert_eq!(front(&points, (false, true)), [1, 0, 4]);
        assert_eq!(front(&[(1.0, 1.0), (1.0, 1.0)], (false, false)), [0, 1]);
    }

    proptest! {
        #[test]
        fn the_front_is_what_nothing_dominates(points in prop::collection::vec((0_u8..8, 0_u8..8), 0..40)) {
            let points: Vec<(f64, f64)> = points.into_iter().map(|(a, b)| (a.into(), b.into())).collect();
            let dominates = |a: &(f64, f64), b: &(f64, f64)| a.0 <= b.0 && a.1 <= b.1 && a != b;
            let mut expected: Vec<usize> = (0..points.len())
                .filter(|&i| !points.iter().any(|other| dominates(other, &points[i])))
                .collect();
            let mut found = front(&points, (false, false));
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
