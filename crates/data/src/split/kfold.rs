//! K folds of nearly equal size, whatever the classes.

use crate::random::{generator, shuffle};

/// A fold per row: contiguous folds as scikit-learn's `KFold`, of the rows or of a permutation of them.
pub(super) fn assign(rows: usize, folds: usize, is_shuffled: bool, seed: u64) -> Vec<u32> {
    let (size, larger) = (rows / folds, rows % folds);
    let mut assigned = Vec::with_capacity(rows);
    for fold in 0..folds {
        let count = size + usize::from(fold < larger);
        assigned.extend(std::iter::repeat_n(fold as u32, count));
    }
    if is_shuffled {
        shuffle(&mut assigned, &mut generator(seed, "kfold", 0));
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folds_take_the_remainder() {
        assert_eq!(assign(5, 2, false, 0), [0, 0, 0, 1, 1]);
    }

    #[test]
    fn a_shuffle_keeps_the_sizes() {
        let mut shuffled = assign(100, 3, true, 7);
        assert_ne!(shuffled, assign(100, 3, false, 7));
        shuffled.sort_unstable();
        assert_eq!(shuffled, assign(100, 3, false, 7));
    }
}
