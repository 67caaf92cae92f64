//! Where each row of the files is stored: grouped by row group, dealt inside a group.

use std::ops::Range;

use rayon::prelude::*;

use crate::levels::NULL;
use crate::random::{generator, shuffle};
use crate::split::folds::Split;

/// Rows of the files and rows of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Stored row per row of the files; [`NULL`] for a dropped one.
    pub(crate) position: Vec<u32>,
    /// Row of the files per stored row.
    pub(crate) source_row: Vec<u32>,
    /// Kept row, in file order, per stored row; `None` when every row is kept and `source_row` says the same.
    kept_row: Option<Vec<u32>>,
    /// Stored rows of each row group.
    pub(crate) groups: Vec<Range<usize>>,
}

impl Placement {
    /// From the row group of each kept row.
    pub(crate) fn new(split: &Split, is_kept: Option<&[bool]>, deal: bool, seed: u64) -> Self {
        let mut sizes = vec![0; split.groups];
        for &group in &split.group {
            sizes[group as usize] += 1;
        }
        let mut groups = Vec::with_capacity(sizes.len());
        let mut start = 0;
        for size in sizes {
            groups.push(start..start + size);
            start += size;
        }
        let rows = is_kept.map_or(split.group.len(), <[bool]>::len);
        let kept = (0..rows as u32).filter(|&row| is_kept.is_none_or(|kept| kept[row as usize]));
        let mut source_row = vec![0; split.group.len()];
        let mut next: Vec<usize> = groups.iter().map(|group| group.start).collect();
        for (row, &group) in kept.zip(&split.group) {
            let next = &mut next[group as usize];
            source_row[*next] = row;
            *next += 1;
        }
        if deal {
            let mut parts = Vec::with_capacity(groups.len());
            let mut rest = source_row.as_mut_slice();
            for group in &groups {
                let (part, after) = rest.split_at_mut(group.len());
                parts.push(part);
                rest = after;
            }
            parts.into_par_iter().enumerate().for_each(|(group, part)| {
                shuffle(part, &mut generator(seed, "deal", group as u64));
            });
        }
        let mut position = vec![NULL; rows];
        for (stored, &row) in source_row.iter().enumerate() {
            position[row as usize] = stored as u32;
        }
        let kept_row = is_kept.map(|_| {
            let mut kept_row = vec![0; source_row.len()];
            for (kept, &position) in position.iter().filter(|position| **position != NULL).enumerate() {
                kept_row[position as usize] = kept as u32;
            }
            kept_row
        });
        Self {
            position,
            source_row,
            kept_row,
            groups,
        }
    }

    /// What is needed of it once all rows are stored: the row of the files per stored row, and the row groups.
    pub(crate) fn into_stored(self) -> (Vec<u32>, Vec<Range<usize>>) {
        (self.source_row, self.groups)
    }

    /// Whether a row of the files is stored.
    pub(crate) fn is_kept(&self, row: usize) -> bool {
        self.position[row] != NULL
    }

    /// The values of kept rows, in file order.
    pub(crate) fn kept_values<'a>(&'a self, source: &'a [f64]) -> impl Iterator<Item = f64> + Clone + 'a {
        (0..source.len())
            .filter(|row| self.is_kept(*row))
            .map(|row| source[row])
    }

    /// The values of stored rows, from those of kept rows in file order.
    pub(crate) fn stored<T: Copy>(&self, kept: &[T]) -> Vec<T> {
        self.kept_rows().iter().map(|row| kept[*row as usize]).collect()
    }

    /// Kept row, in file order, per stored row.
    pub(crate) fn kept_rows(&self) -> &[u32] {
        self.kept_row.as_deref().unwrap_or(&self.source_row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Folds;

    fn split(group: &[u32]) -> Split {
        let folds = Folds::leave_one_out(vec!["0".into(), "1".into()]);
        Split {
            group: group.to_vec(),
            groups: 2,
            folds,
        }
    }

    #[test]
    fn rows_keep_file_order_inside_a_group_when_not_dealt() {
        let placed = Placement::new(&split(&[1, 0, 1]), Some(&[true, false, true, true]), false, 0);
        assert_eq!(placed.source_row, [2, 0, 3]);
        assert_eq!(placed.kept_rows(), [1, 0, 2]);
        assert_eq!(placed.position, [1, NULL, 0, 2]);
        assert_eq!(placed.groups, [0..1, 1..3]);
    }

    #[test]
    fn dealing_permutes_inside_each_group() {
        let group: Vec<u32> = (0..200).map(|row| row % 2).collect();
        let placed = Placement::new(&split(&group), None, true, 5);
        assert_eq!(placed, Placement::new(&split(&group), None, true, 5));
        assert_ne!(placed, Placement::new(&split(&group), None, true, 6));
        for (index, rows) in placed.groups.iter().enumerate() {
            let mut sources = placed.source_row[rows.clone()].to_vec();
            assert!(!sources.is_sorted());
            sources.sort_unstable();
            assert!(sources.iter().all(|row| *row as usize % 2 == index));
        }
        assert!((0..200).all(|row| placed.source_row[placed.position[row] as usize] as usize == row));
    }
}
