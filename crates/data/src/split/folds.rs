//! The folds of a sweep over row groups.

use super::{holdout, kfold, predefined, stratified};
use crate::error::DataError;
use crate::levels::Levels;
use crate::spec::{SplitSpec, Strategy};
use crate::target::Target;

/// What a fold does with a row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Trains on it.
    Train,
    /// Holds it out and scores it.
    Val,
    /// Neither.
    Unused,
}

/// Every fold's role for every row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// How each fold is called.
    pub labels: Vec<String>,
    /// `roles[fold][group]`.
    pub roles: Vec<Vec<Role>>,
}

impl Folds {
    /// K folds, each holding out the row group of its number.
    pub(crate) fn leave_one_out(labels: Vec<String>) -> Self {
        let count = labels.len();
        let role = |fold, group| {
            if fold == group { Role::Val } else { Role::Train }
        };
        let roles = (0..count).map(|f| (0..count).map(|g| role(f, g)).collect()).collect();
        Self { labels, roles }
    }

    /// Number of folds.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no fold; a loaded data set has one at least.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether each row group is a training group of a fold.
    ///
    /// # Panics
    /// If there is no such fold.
    pub fn is_training(&self, fold: usize) -> Vec<bool> {
        self.roles[fold].iter().map(|role| *role == Role::Train).collect()
    }
}

/// A row group per kept row, in file order, and the folds over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) group: Vec<u32>,
    pub(crate) groups: usize,
    pub(crate) folds: Folds,
}

impl Split {
    /// Each fold's training groups.
    pub(crate) fn trainings(&self) -> Vec<Vec<bool>> {
        (0..self.folds.len()).map(|fold| self.folds.is_training(fold)).collect()
    }

    /// Each fold's training groups, and all groups, as for a refit.
    pub(crate) fn trainings_and_all(&self) -> Vec<Vec<bool>> {
        let mut trainings = self.trainings();
        trainings.push(vec![true; self.groups]);
        trainings
    }
}

/// Assigns rows and checks that every fold can be trained and scored.
pub(crate) fn assign(
    spec: &SplitSpec,
    seed: u64,
    target: &Target,
    fold_column: Option<&Levels>,
) -> Result<Split, DataError> {
    let rows = target.y.len();
    let numbered = || Folds::leave_one_out((0..spec.folds).map(|fold| fold.to_string()).collect());
    if matches!(spec.strategy, Strategy::Stratified | Strategy::KFold) {
        if spec.folds < 2 {
            return Err(DataError::TooFewFolds { folds: spec.folds });
        }
        if spec.folds > rows {
            return Err(DataError::TooManyFolds {
                folds: spec.folds,
                rows,
            });
        }
    }
    let split = match spec.strategy {
        Strategy::Stratified => {
            let group = stratified::assign(target, spec.folds, spec.shuffle, seed)?;
            Split {
                group,
                groups: spec.folds,
                folds: numbered(),
            }
        }
        Strategy::KFold => {
            let group = kfold::assign(rows, spec.folds, spec.shuffle, seed);
            Split {
                group,
                groups: spec.folds,
                folds: numbered(),
            }
        }
        Strategy::Predefined => predefined::assign(fold_column.ok_or(DataError::NoFoldColumn)?)?,
        Strategy::Holdout => holdout::assign(&target.y, spec.fraction, spec.shuffle, seed),
        Strategy::None => Split {
            group: vec![0; rows],
            groups: 1,
            folds: Folds {
                labels: vec!["all".to_owned()],
                roles: vec![vec![Role::Train]],
            },
        },
    };
    check(&split, target)?;
    Ok(split)
}

/// Both sides of every fold need rows of both classes: no metric is defined otherwise.
fn check(split: &Split, target: &Target) -> Result<(), DataError> {
    let mut counts = vec![[0_u64; 2]; split.groups];
    for (&group, &y) in split.group.iter().zip(&target.y) {
        counts[group as usize][usize::from(y)] += 1;
    }
    for (fold, roles) in split.folds.labels.iter().zip(&split.folds.roles) {
        for (role, side) in [(Role::Train, "training"), (Role::Val, "held-out")] {
            if !roles.contains(&role) {
                continue;
            }
            let mut sum = [0, 0];
            for (count, _) in counts.iter().zip(roles).filter(|(_, r)| **r == role) {
                sum[0] += count[0];
                sum[1] += count[1];
            }
            let fold = fold.clone();
            match sum {
                [0, 0] => return Err(DataError::EmptyFold { fold, side }),
                [_, 0] | [0, _] => {
                    let class = target.label(u8::from(sum[0] == 0)).to_owned();
                    return Err(DataError::FoldWithOneClass { fold, side, class });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::Strategy;
    use crate::summary::TargetSummary;

    pub(in crate::split) fn target(y: Vec<u8>) -> Target {
        let summary = TargetSummary {
            name: "y".into(),
            positive: "yes".into(),
            negative: "no".into(),
            positives: y.iter().map(|&y| u64::from(y)).sum(),
            rows: y.len() as u64,
        };
        Target {
            y,
            is_kept: None,
            summary,
        }
    }

    #[test]
    fn a_fold_with_one_class_is_named() {
        let spec = SplitSpec {
            strategy: Strategy::KFold,
            folds: 2,
            shuffle: false,
            ..SplitSpec::default()
        };
        let error = assign(&spec, 0, &target(vec![0, 1, 1, 1]), None).expect_err("rows 2 and 3 are ones");
        assert_eq!(
            error.to_string(),
            "the training rows of fold 0 have one class only: \"yes\""
        );
    }

    #[test]
    fn too_few_and_too_many_folds_are_refused() {
        let spec = SplitSpec {
            folds: 1,
            ..SplitSpec::default()
        };
        assert!(matches!(
            assign(&spec, 0, &target(vec![0, 1]), None),
            Err(DataError::TooFewFolds { folds: 1 })
        ));
        let spec = SplitSpec {
            folds: 3,
            strategy: Strategy::KFold,
            ..SplitSpec::default()
        };
        assert!(matches!(
            assign(&spec, 0, &target(vec![0, 1]), None),
            Err(DataError::TooManyFolds { .. })
        ));
    }

    proptest! {
        #[test]
        fn every_row_is_held_out_exactly_once(
            y in prop::collection::vec(0_u8..2, 20..200), folds in 2_usize..6, seed: u64, shuffle: bool,
            is_stratified: bool,
        ) {
            let strategy = if is_stratified { Strategy::Stratified } else { Strategy::KFold };
            let spec = SplitSpec { strategy, folds, shuffle, ..SplitSpec::default() };
            let Ok(split) = assign(&spec, seed, &target(y.clone()), None) else { return Ok(()) };
            for group in 0..split.groups {
                let held_out = split.folds.roles.iter().filter(|roles| roles[group] == Role::Val).count();
                prop_assert_eq!(held_out, 1);
            }
            prop_assert!(split.group.iter().all(|&group| (group as usize) < split.groups));
            for class in 0..=u8::from(is_stratified) {
                let mut counts = vec![0_usize; folds];
                for (&group, &y) in split.group.iter().zip(&y) {
                    counts[group as usize] += usize::from(!is_stratified || y == class);
                }
                let (low, high) = (counts.iter().min(), counts.iter().max());
                prop_assert!(high.zip(low).is_some_and(|(high, low)| high - low <= 1));
            }
        }
    }
}
