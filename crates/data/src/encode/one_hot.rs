//! Levels to 0/1 columns: which levels a fold keeps, and what becomes of the others.
//!
//! As scikit-learn's `OneHotEncoder`: levels are in text order with null last, `max_categories` counts the shared
//! column, and among equally frequent levels the later text is kept.

use crate::encode::missing::MISSING;
use crate::error::DataError;
use crate::levels::{Levels, NULL};
use crate::spec::{OneHotSpec, OtherLevels};
use crate::split::folds::Split;

/// The feature of rare and unseen levels.
pub(crate) const OTHER: &str = "(other)";

/// A categorical column: its levels and how often each occurs in each row group.
///
/// Rows count by their weights: a level with rows of weight 0 only is as absent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Categories {
    /// In text order; [`MISSING`] is last when there are nulls.
    pub(crate) levels: Vec<String>,
    /// `[group][level]`.
    pub(crate) counts: Vec<Vec<f64>>,
}

/// What one set of training rows makes of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has its feature.
    Kept,
    /// It is the first kept level, left out by `drop = "first"`.
    Dropped,
    /// It shares `(other)`, or is ignored.
    Rare,
}

/// The place of each level among raw columns and features, relative to the column's first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Raw column of each level; rare ones everywhere share one, dropped ones have none.
    pub(crate) raw: Vec<Option<usize>>,
    /// Levels that name the raw columns; `None` is the shared one.
    pub(crate) raw_levels: Vec<Option<usize>>,
    /// Levels that name the features; `None` is `(other)`.
    pub(crate) feature_levels: Vec<Option<usize>>,
}

impl Categories {
    /// Counts levels per row group; `levels.codes` gets a code for null when there are nulls.
    pub(crate) fn count(
        column: &str,
        levels: &mut Levels,
        split: &Split,
        weight: Option<&[f64]>,
    ) -> Result<Self, DataError> {
        for (level, meaning) in [(OTHER, "rare levels"), (MISSING, "nulls")] {
            if levels.texts.iter().any(|text| text == level) {
                let (column, level) = (column.to_owned(), level.to_owned());
                return Err(DataError::ReservedLevel { column, level, meaning });
            }
        }
        let mut texts = levels.texts.clone();
        // Numbers were sorted by value; features are sorted by text.
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        order.sort_by(|&a, &b| texts[a as usize].cmp(&texts[b as usize]));
        let mut rank = vec![0; texts.len()];
        for (new, &old) in order.iter().enumerate() {
            rank[old as usize] = new as u32;
        }
        texts.sort();
        let null = texts.len() as u32;
        if levels.nulls() > 0 {
            texts.push(MISSING.to_owned());
        }
        let mut counts = vec![vec![0.0; texts.len()]; split.groups];
        for (row, (code, &group)) in levels.codes.iter_mut().zip(&split.group).enumerate() {
            *code = if *code == NULL { null } else { rank[*code as usize] };
            counts[group as usize][*code as usize] += weight.map_or(1.0, |weight| weight[row]);
        }
        Ok(Self { levels: texts, counts })
    }

    /// Training rows of each level.
    pub(crate) fn training_counts(&self, is_training: &[bool]) -> Vec<f64> {
        let mut sums = vec![0.0; self.levels.len()];
        for (counts, _) in self.counts.iter().zip(is_training).filter(|(_, t)| **t) {
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        sums
    }

    /// Where levels go, for these sets of training rows.
    pub(crate) fn layout(&self, trainings: &[Vec<bool>], spec: &OneHotSpec) -> Layout {
        let fates: Vec<Vec<Fate>> = trainings
            .iter()
            .map(|training| fates(&self.training_counts(training), spec))
            .collect();
        let of_level = |level: usize| fates.iter().map(move |fates| fates[level]);
        let is_absent = |level: usize| self.counts.iter().all(|counts| counts[level] == 0.0);
        let mut layout = Layout {
            raw: vec![None; self.levels.len()],
            raw_levels: Vec::new(),
            feature_levels: Vec::new(),
        };
        let mut rare_everywhere = Vec::new();
        let mut has_other = false;
        let has_shared = spec.other != OtherLevels::Ignore;
        for level in 0..self.levels.len() {
            let is_kept = of_level(level).any(|fate| fate == Fate::Kept);
            let is_rare = of_level(level).any(|fate| fate == Fate::Rare);
            has_other |= is_rare && !is_absent(level);
            if of_level(level).all(|fate| fate == Fate::Rare) {
                rare_everywhere.push(level);
            } else if is_kept || (is_rare && has_shared) {
                layout.raw[level] = Some(layout.raw_levels.len());
                layout.raw_levels.push(Some(level));
            }
            if is_kept {
                layout.feature_levels.push(Some(level));
            }
        }
        if has_shared && has_other {
            // Before `(missing)`, which is the last level if it is one.
            let is_last_missing = self.levels.last().is_some_and(|text| text == MISSING)
                && layout.feature_levels.last() == Some(&Some(self.levels.len() - 1));
            let place = layout.feature_levels.len() - usize::from(is_last_missing);
            layout.feature_levels.insert(place, None);
            if !rare_everywhere.is_empty() {
                for level in rare_everywhere {
                    layout.raw[level] = Some(layout.raw_levels.len());
                }
                layout.raw_levels.push(None);
            }
        }
        layout
    }

    /// The first level with held-out rows and without training rows.
    pub(crate) fn unseen(&self, is_training: &[bool], is_held_out: &[bool]) -> Option<&str> {
        let training = self.training_counts(is_training);
        let held_out = self.training_counts(is_held_out);
        let unseen = (0..self.levels.len()).find(|&level| training[level] == 0.0 && held_out[level] > 0.0)?;
        Some(&self.levels[unseen])
    }
}

/// What training rows with these counts make of each level.
pub(crate) fn fates(counts: &[f64], spec: &OneHotSpec) -> Vec<Fate> {
    let is_frequent = |level: &usize| counts[*level] > 0.0 && counts[*level] >= spec.min_frequency as f64;
    let mut kept: Vec<usize> = (0..counts.len()).filter(is_frequent).collect();
    let own = match spec.other {
        OtherLevels::Ignore => spec.max_categories,
        // As scikit-learn, room for the shared column is kept even when nothing is rare yet.
        OtherLevels::Group | OtherLevels::Error => spec.max_categories.saturating_sub(1),
    };
    if kept.len() > own {
        // The least frequent go; a stable sort drops earlier texts first among equals.
        kept.sort_by(|&a, &b| counts[a].total_cmp(&counts[b]));
        kept.drain(..kept.len() - own);
        kept.sort_unstable();
    }
    let mut fates = vec![Fate::Rare; counts.len()];
    for &level in &kept {
        fates[level] = Fate::Kept;
    }
    if let (true, Some(&first)) = (spec.drop_first, kept.first()) {
        fates[first] = Fate::Dropped;
    }
    fates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(min_frequency: u64, max_categories: usize) -> OneHotSpec {
        OneHotSpec {
            min_frequency,
            max_categories,
            ..OneHotSpec::default()
        }
    }

    fn kept(counts: &[f64], spec: &OneHotSpec) -> Vec<usize> {
        let fates = fates(counts, spec);
        (0..counts.len()).filter(|&level| fates[level] == Fate::Kept).collect()
    }

    #[test]
    fn kept_levels_are_those_of_scikit_learn() {
        // OneHotEncoder(max_categories=3) on a:5 b:4 c:3, and on four levels of three rows each.
        assert_eq!(kept(&[5.0, 4.0, 3.0], &spec(1, 3)), [0, 1]);
        assert_eq!(kept(&[3.0; 4], &spec(1, 3)), [2, 3]);
        assert_eq!(kept(&[3.0; 4], &spec(1, 4)), [1, 2, 3]);
        assert_eq!(kept(&[3.0, 2.0, 9.0], &spec(3, 1000)), [0, 2]);
        assert_eq!(kept(&[3.0, 2.0, 0.0], &spec(0, 1000)), [0, 1]);
        assert_eq!(kept(&[3.0, 2.0], &spec(1, 1)), [0_usize; 0]);
    }

    #[test]
    fn fractions_of_a_row_are_enough_where_any_row_is() {
        assert_eq!(kept(&[0.25, 0.0, 0.75], &spec(0, 1000)), [0, 2]);
        assert_eq!(kept(&[0.25, 0.0, 1.75], &spec(1, 1000)), [2]);
    }

    #[test]
    fn levels_of_weight_zero_are_as_absent() {
        let categories = |counts: &[f64]| Categories {
            levels: ["a", "b", "c"].map(String::from).to_vec(),
            counts: vec![counts.to_vec(), counts.to_vec()],
        };
        let trainings = [vec![true, false], vec![true, true]];
        let layout = categories(&[5.0, 0.0, 5.0]).layout(&trainings, &spec(3, 1000));
        assert_eq!(layout.feature_levels, [Some(0), Some(2)]);
        assert_eq!(layout.raw, [Some(0), None, Some(1)]);
        // Where rare levels share a column anyway, it is in their company.
        let layout = categories(&[5.0, 0.0, 1.0]).layout(&trainings, &spec(3, 1000));
        assert_eq!(layout.feature_levels, [Some(0), None]);
        assert_eq!(layout.raw, [Some(0), Some(1), Some(1)]);
    }

    #[test]
    fn the_first_kept_level_is_dropped() {
        let spec = OneHotSpec {
            drop_first: true,
            ..spec(3, 1000)
        };
        assert_eq!(fates(&[1.0, 5.0, 5.0], &spec), [Fate::Rare, Fate::Dropped, Fate::Kept]);
    }

    #[test]
    fn layout_shares_one_raw_column_among_levels_rare_everywhere() {
        let levels = ["a", "b", "c", "d", MISSING].map(String::from).to_vec();
        let categories = Categories {
            levels,
            counts: vec![vec![5.0, 5.0, 1.0, 1.0, 5.0], vec![5.0, 0.0, 0.0, 0.0, 5.0]],
        };
        let trainings = [vec![false, true], vec![true, false], vec![true, true]];
        let layout = categories.layout(&trainings, &spec(3, 1000));
        assert_eq!(layout.raw_levels, [Some(0), Some(1), Some(4), None]);
        assert_eq!(layout.raw, [Some(0), Some(1), Some(3), Some(3), Some(2)]);
        assert_eq!(layout.feature_levels, [Some(0), Some(1), None, Some(4)]);
        let ignore = OneHotSpec {
            other: OtherLevels::Ignore,
            ..spec(3, 1000)
        };
        let layout = categories.layout(&trainings, &ignore);
        assert_eq!(layout.raw, [Some(0), Some(1), None, None, Some(2)]);
        assert_eq!(categories.unseen(&[false, true], &[true, false]), Some("b"));
    }
}
