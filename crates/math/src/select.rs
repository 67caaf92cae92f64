//! Which rows count for which run: row groups and masks instead of copies of the data.

use std::ops::Range;

use ndarray::Array2;

/// Rows cut into groups (one per fold of cross-validation), and which run trains on which group.
///
/// # Shapes
/// `is_trained` (groups, k).
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The rows of each group, in order, covering all rows.
    pub groups: Vec<Range<usize>>,
    /// Whether run j trains on group g.
    pub is_trained: Array2<bool>,
}

impl Selection {
    /// Every one of k runs trains on all of `rows`.
    pub fn all(rows: usize, k: usize) -> Self {
        Self {
            groups: std::iter::once(0..rows).collect(),
            is_trained: Array2::from_elem((1, k), true),
        }
    }

    /// Whether row i is a training row of run j.
    pub fn trains(&self, row: usize, run: usize) -> bool {
        self.groups
            .iter()
            .position(|group| group.contains(&row))
            .is_some_and(|group| self.is_trained[[group, run]])
    }

    /// The number of training rows of run j.
    pub fn training_rows(&self, run: usize) -> usize {
        self.groups
            .iter()
            .enumerate()
            .filter(|(group, _)| self.is_trained[[*group, run]])
            .map(|(_, rows)| rows.len())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_follow_their_group() {
        let selection = Selection {
            groups: vec![0..2, 2..5],
            is_trained: array![[true, false], [true, true]],
        };
        assert_eq!((selection.training_rows(0), selection.training_rows(1)), (5, 3));
        assert!(selection.trains(1, 0) && !selection.trains(1, 1) && selection.trains(4, 1));
        assert_eq!(Selection::all(7, 3).training_rows(2), 7);
    }
}
