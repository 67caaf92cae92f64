//! One-hot columns with many levels: a row holds the code of its level in the place of a 0/1 number per level.
//!
//! The product of such a row with the weights is a row of the weights, so forward a row of the scores gains one row of
//! the effective weights per column of codes, and backward the residuals of a row are added to one row of the gradient:
//! both are sums of `k` neighboring numbers, one per run.
//!
//! A **code** names a level, a **slot** the weight that it leads to in a fold: that of the level, that of `(other)`, or none.

/// A row without a level: it is dropped or ignored. The largest whole number below which `f32` holds every other.
pub const NO_LEVEL: u32 = 1 << 24;

/// A code that leads to no weight in a fold.
pub const NO_SLOT: u32 = u32::MAX;

/// A code that leads to different weights in different folds.
pub(crate) const MIXED: u32 = u32::MAX - 1;

/// The columns of codes of a stored matrix, and where their codes lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    /// Columns of codes, which lie behind the columns of numbers.
    columns: usize,
    /// The feature of each slot (F).
    features: Vec<usize>,
    /// By fold: the slot of each code, or [`NO_SLOT`].
    slots: Vec<Vec<u32>>,
    /// The slot of each code where all folds agree, else [`MIXED`].
    common: Vec<u32>,
}

impl Codes {
    /// `slots` holds, for every fold, the slot of each code as an index into `features`, or [`NO_SLOT`].
    ///
    /// # Panics
    /// If the folds know different numbers of codes, or there are as many as [`NO_LEVEL`].
    pub fn new(columns: usize, features: Vec<usize>, slots: Vec<Vec<u32>>) -> Self {
        let count = slots.first().map_or(0, Vec::len);
        assert!(
            slots.iter().all(|slots| slots.len() == count),
            "one slot per code and fold"
        );
        assert!(count < NO_LEVEL as usize, "{count} codes do not fit into an f32");
        let common = (0..count).map(|code| {
            let first = slots[0][code];
            if slots.iter().all(|slots| slots[code] == first) {
                first
            } else {
                MIXED
            }
        });
        Self {
            columns,
            features,
            common: common.collect(),
            slots,
        }
    }

    /// Columns of codes.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Codes of all columns.
    pub fn count(&self) -> usize {
        self.common.len()
    }

    /// The feature of each slot.
    pub fn features(&self) -> &[usize] {
        &self.features
    }

    /// The slot of each code in a fold, or [`NO_SLOT`].
    pub fn slots(&self, fold: usize) -> &[u32] {
        self.slots.get(fold).map_or(&[], Vec::as_slice)
    }

    /// The slot of each code where all folds agree, else [`MIXED`].
    pub(crate) fn common(&self) -> &[u32] {
        &self.common
    }

    /// The slots that a code leads to in any fold.
    pub(crate) fn slots_of(&self, code: usize) -> impl Iterator<Item = u32> {
        let all = self.slots.iter().filter_map(move |slots| slots.get(code).copied());
        all.filter(|slot| *slot != NO_SLOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_that_disagree_are_mixed() {
        let codes = Codes::new(1, vec![3, 4], vec![vec![0, 1, NO_SLOT], vec![0, NO_SLOT, NO_SLOT]]);
        assert_eq!(codes.common(), [0, MIXED, NO_SLOT]);
        assert_eq!((codes.columns(), codes.count()), (1, 3));
        assert_eq!(codes.slots_of(1).collect::<Vec<_>>(), [1]);
    }
}
