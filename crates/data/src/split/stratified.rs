//! K folds with equal shares of each class, allocated as scikit-learn's `StratifiedKFold` does.

use crate::error::DataError;
use crate::random::{generator, shuffle};
use crate::target::Target;

/// A fold per row. Counts per class and fold differ by at most one, and so do the sizes of the folds.
pub(super) fn assign(target: &Target, folds: usize, is_shuffled: bool, seed: u64) -> Result<Vec<u32>, DataError> {
    let mut rows: [u64; 2] = [0, 0];
    for &y in &target.y {
        rows[usize::from(y)] += 1;
    }
    for class in [0_u8, 1] {
        let count = rows[usize::from(class)];
        if count < folds as u64 {
            return Err(DataError::ClassSmallerThanFolds {
                column: target.summary.name.clone(),
                class: target.label(class).to_owned(),
                rows: count,
                folds,
            });
        }
    }
    // The class of the first row is dealt first: position i of the rows sorted by class goes to fold i mod K.
    let first = usize::from(target.y[0]);
    let mut start = 0;
    let mut folds_of_class: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
    for class in [first, 1 - first] {
        let end = start + rows[class] as usize;
        for fold in 0..folds {
            let before = |end: usize| (end + folds - 1 - fold) / folds;
            let count = before(end) - before(start);
            folds_of_class[class].extend(std::iter::repeat_n(fold as u32, count));
        }
        if is_shuffled {
            shuffle(
                &mut folds_of_class[class],
                &mut generator(seed, "stratified", class as u64),
            );
        }
        start = end;
    }
    let mut next = [0, 0];
    let assigned = target.y.iter().map(|&y| {
        let class = usize::from(y);
        next[class] += 1;
        folds_of_class[class][next[class] - 1]
    });
    Ok(assigned.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::folds::tests::target;

    #[test]
    fn unshuffled_folds_are_those_of_scikit_learn() {
        // StratifiedKFold(3).split for y = [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1], test fold of each row.
        let y = vec![1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1];
        let folds = assign(&target(y), 3, false, 0).expect("enough rows");
        assert_eq!(folds, [0, 0, 1, 0, 1, 0, 1, 2, 1, 2, 2]);
    }

    #[test]
    fn a_class_smaller_than_the_folds_is_named() {
        let error = assign(&target(vec![0, 0, 0, 1]), 2, true, 0).expect_err("one row");
        assert_eq!(
            error.to_string(),
            "class \"yes\" of \"y\" has 1 row, fewer than the 2 folds"
        );
        let as_many = assign(&target(vec![0, 0, 0, 1, 1]), 2, false, 0).expect("a row each");
        assert_eq!(as_many, [0, 0, 1, 0, 1]);
    }
}
