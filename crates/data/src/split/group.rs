//! K folds of nearly equal size that keep the rows of a group together, as scikit-learn's `GroupKFold`.

use crate::error::DataError;
use crate::levels::Levels;
use crate::random::{generator, shuffle};

/// A fold per row. The largest group that is left goes to the fold with the fewest rows.
///
/// A shuffle deals the order among groups of one size. Where all sizes differ it changes nothing, so that in repeats
/// after the first, groups of like size (the same power of two) count as of one size.
pub(super) fn assign(
    column: &Levels,
    name: &str,
    folds: usize,
    is_shuffled: bool,
    repeat: u32,
    seed: u64,
) -> Result<Vec<u32>, DataError> {
    let groups = column.texts.len();
    if groups < folds {
        return Err(DataError::TooFewGroups {
            column: name.to_owned(),
            groups,
            folds,
        });
    }
    // Of groups of one size the last label comes first, as where a stable ascending order is read from its end.
    let mut order: Vec<usize> = (0..groups).rev().collect();
    if is_shuffled {
        shuffle(&mut order, &mut generator(seed, "group", 0));
    }
    let size = |group: &usize| {
        let rows = column.counts[*group];
        if repeat == 0 {
            rows
        } else {
            u64::from(rows.max(1).ilog2())
        }
    };
    order.sort_by_key(|group| std::cmp::Reverse(size(group)));
    let mut rows_of_fold = vec![0; folds];
    let mut fold_of_group = vec![0; groups];
    for group in order {
        let lightest = (0..folds).min_by_key(|&fold| rows_of_fold[fold]).unwrap_or(0);
        rows_of_fold[lightest] += column.counts[group];
        fold_of_group[group] = lightest as u32;
    }
    Ok(column.codes.iter().map(|&code| fold_of_group[code as usize]).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn levels(codes: Vec<u32>) -> Levels {
        let groups = codes.iter().max().map_or(0, |code| code + 1);
        let count = |group: u32| codes.iter().filter(|code| **code == group).count() as u64;
        Levels {
            texts: (0..groups).map(|group| format!("g{group:03}")).collect(),
            counts: (0..groups).map(count).collect(),
            codes,
        }
    }

    #[test]
    fn unshuffled_folds_are_those_of_scikit_learn() {
        // GroupKFold(3).split for these groups, test fold of each row.
        let column = levels(vec![0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 5, 5, 5, 5]);
        let folds = assign(&column, "g", 3, false, 0, 0).expect("six groups");
        assert_eq!(folds, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn fewer_groups_than_folds_are_refused() {
        let error = assign(&levels(vec![0, 1, 0]), "g", 3, true, 0, 0).expect_err("two groups");
        assert_eq!(error.to_string(), "column \"g\" has 2 groups, fewer than the 3 folds");
        let as_many = assign(&levels(vec![0, 1, 0, 2]), "g", 3, false, 0, 0).expect("three groups");
        assert_eq!(as_many, [0, 2, 0, 1]);
    }

    #[test]
    fn repeats_differ_even_where_all_sizes_do() {
        let column = levels(
            (0..60_u32)
                .flat_map(|group| std::iter::repeat_n(group, 40 + group as usize))
                .collect(),
        );
        let of = |repeat, seed| assign(&column, "g", 5, true, repeat, seed).expect("60 groups");
        assert_eq!(of(0, 1), of(0, 2));
        assert_ne!(of(1, 1), of(0, 1));
        assert_ne!(of(1, 1), of(2, 2));
    }

    proptest! {
        #[test]
        fn groups_stay_together_in_folds_of_like_size(
            sizes in prop::collection::vec(1_usize..30, 6..40), folds in 2_usize..6, seed: u64, repeat in 0_u32..3,
        ) {
            let codes = sizes.iter().enumerate().flat_map(|(group, size)| std::iter::repeat_n(group as u32, *size));
            let column = levels(codes.collect());
            let assigned = assign(&column, "g", folds, true, repeat, seed).expect("six groups or more");
            let mut rows = vec![0; folds];
            for (pair, code) in assigned.windows(2).zip(column.codes.windows(2)) {
                prop_assert!(code[0] != code[1] || pair[0] == pair[1]);
            }
            for fold in assigned {
                rows[fold as usize] += 1;
            }
            // A fold is the lightest when it gets its last group.
            let spread = rows.iter().max().zip(rows.iter().min()).map(|(max, min)| max - min);
            prop_assert!(spread <= sizes.iter().max().copied());
        }
    }
}
