//! K folds in the order of time, as scikit-learn's `TimeSeriesSplit`: each is trained on what lies before it.

use super::folds::{Folds, Role, Split};
use crate::error::DataError;
use crate::time_point::TimePoint;

/// K + 1 row groups in the order of time: fold f holds out group f + 1, trains on those before it and leaves the later
/// ones alone.
///
/// The groups have `n / (K + 1)` rows, the first one also the remainder. A cut between equal times moves to the nearer
/// end of these, the earlier one of two.
pub(super) fn assign(times: &[TimePoint], name: &str, folds: usize) -> Result<Split, DataError> {
    let mut order: Vec<u32> = (0..times.len() as u32).collect();
    order.sort_by(|a, b| times[*a as usize].order(&times[*b as usize]));
    let is_later = |rank: &usize| times[order[*rank] as usize] != times[order[rank - 1] as usize];
    // Where a time begins, but for the first.
    let begins: Vec<usize> = (1..order.len()).filter(is_later).collect();
    if begins.len() < folds {
        return Err(DataError::TooFewTimes {
            column: name.to_owned(),
            times: begins.len() + 1,
            folds,
        });
    }
    let test_rows = order.len() / (folds + 1);
    let mut cuts = Vec::with_capacity(folds);
    // Every fold after this one needs a beginning of its own.
    let mut free = 0..begins.len() - folds + 1;
    for fold in 0..folds {
        let wanted = order.len() - (folds - fold) * test_rows;
        let after = begins.partition_point(|begin| *begin < wanted);
        let distance = |place: usize| begins.get(place).map_or(usize::MAX, |begin| begin.abs_diff(wanted));
        let nearest = match after.checked_sub(1) {
            Some(before) if distance(before) <= distance(after) => before,
            _ => after,
        };
        let place = nearest.clamp(free.start, free.end - 1);
        cuts.push(begins[place]);
        free = place + 1..free.end + 1;
    }
    let mut group = vec![0; times.len()];
    for (rank, &row) in order.iter().enumerate() {
        group[row as usize] = cuts.partition_point(|cut| *cut <= rank) as u32;
    }
    let role = |fold: usize, group: usize| match group.cmp(&(fold + 1)) {
        std::cmp::Ordering::Less => Role::Train,
        std::cmp::Ordering::Equal => Role::Val,
        std::cmp::Ordering::Greater => Role::Unused,
    };
    Ok(Split {
        group,
        groups: folds + 1,
        folds: Folds {
            labels: (0..folds).map(|fold| fold.to_string()).collect(),
            roles: (0..folds)
                .map(|fold| (0..=folds).map(|group| role(fold, group)).collect())
                .collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use polars::prelude::{NamedFrom, Series};
    use proptest::prelude::*;

    use super::*;
    use crate::time_point;

    fn points(times: &[i32]) -> Vec<TimePoint> {
        let mut points = Vec::new();
        time_point::extend(&mut points, &Series::new("t".into(), times).into()).expect("numbers");
        points
    }

    #[test]
    fn distinct_times_are_split_as_by_scikit_learn() {
        use Role::{Train, Unused, Val};
        // TimeSeriesSplit(3) of 11 rows: tests are rows 5-6, 7-8 and 9-10 in the order of time.
        let backwards: Vec<i32> = (0..11).map(|row| -row).collect();
        let split = assign(&points(&backwards), "t", 3).expect("11 times");
        assert_eq!(split.group, [3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 0]);
        assert_eq!(split.groups, 4);
        assert_eq!(split.folds.roles[0], [Train, Val, Unused, Unused]);
        assert_eq!(split.folds.roles[2], [Train, Train, Train, Val]);
    }

    #[test]
    fn equal_times_stay_together_at_the_nearer_cut() {
        // Cuts are wanted before ranks 2 and 4: both lie among the fives.
        let split = assign(&points(&[1, 5, 5, 5, 5, 9]), "t", 2).expect("three times");
        assert_eq!(split.group, [0, 1, 1, 1, 1, 2]);
        let error = assign(&points(&[1, 1, 2, 2]), "t", 2).expect_err("two times");
        assert_eq!(
            error.to_string(),
            "column \"t\" has 2 different times, and 2 folds need 3 or more"
        );
    }

    #[test]
    fn of_two_ends_as_near_the_earlier_is_cut() {
        // The cut is wanted before rank 3, in the middle of the fives.
        let split = assign(&points(&[1, 1, 5, 5, 9, 9]), "t", 1).expect("three times");
        assert_eq!(split.group, [0, 0, 1, 1, 1, 1]);
        // As many times as folds need, and each cut where it leaves a time for the next.
        let split = assign(&points(&[1, 1, 1, 1, 1, 2, 3]), "t", 2).expect("three times");
        assert_eq!(split.group, [0, 0, 0, 0, 0, 1, 2]);
        let split = assign(&points(&[1, 2, 3, 3, 3, 3, 3]), "t", 2).expect("three times");
        assert_eq!(split.group, [0, 1, 2, 2, 2, 2, 2]);
    }

    proptest! {
        #[test]
        fn training_rows_are_earlier_than_held_out_ones(
            times in prop::collection::vec(0_i32..25, 30..120), folds in 2_usize..6,
        ) {
            let Ok(split) = assign(&points(&times), "t", folds) else { return Ok(()) };
            for fold in 0..folds {
                let (roles, group) = (&split.folds.roles[fold], &split.group);
                let of = |role| (0..times.len()).filter(move |row| roles[group[*row] as usize] == role);
                let last = of(Role::Train).map(|row| times[row]).max();
                let first = of(Role::Val).map(|row| times[row]).min();
                prop_assert!(last.zip(first).is_some_and(|(last, first)| last < first));
            }
        }
    }
}
