//! The folds of a sweep over row groups.

use super::{group, holdout, kfold, predefined, stratified, time};
use crate::error::DataError;
use crate::role_columns::RoleColumns;
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

#[expect(clippy::len_without_is_empty, reason = "a loaded data set has one fold at least")]
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

    /// Sum of the weights of each class in each row group, or the number of its rows.
    fn group_sums(&self, y: &[u8], weight: Option<&[f64]>) -> Vec<[f64; 2]> {
        let mut sums = vec![[0.0; 2]; self.groups];
        for (row, (&group, &y)) in self.group.iter().zip(y).enumerate() {
            sums[group as usize][usize::from(y)] += weight.map_or(1.0, |weight| weight[row]);
        }
        sums
    }

    /// Each fold's training groups, and all groups, as for a refit.
    pub(crate) fn trainings_and_all(&self) -> Vec<Vec<bool>> {
        let mut trainings = self.trainings();
        trainings.push(vec![true; self.groups]);
        trainings
    }
}

/// Assigns rows by the strategy; `seed` is that of the repeat.
pub(crate) fn assign(spec: &SplitSpec, seed: u64, target: &Target, columns: &RoleColumns) -> Result<Split, DataError> {
    let rows = target.y.len();
    let numbered = |group| Split {
        group,
        groups: spec.folds,
        folds: Folds::leave_one_out((0..spec.folds).map(|fold| fold.to_string()).collect()),
    };
    if matches!(spec.strategy, Strategy::Stratified | Strategy::KFold | Strategy::Group) {
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
    let needed = |role| DataError::NoRoleColumn {
        strategy: spec.strategy.name(),
        role,
    };
    Ok(match spec.strategy {
        Strategy::Stratified => numbered(stratified::assign(target, spec.folds, spec.shuffle, seed)?),
        Strategy::KFold => numbered(kfold::assign(rows, spec.folds, spec.shuffle, seed)),
        Strategy::Group => {
            let (name, column) = columns.group.as_ref().ok_or_else(|| needed("group"))?;
            numbered(group::assign(
                column,
                name,
                spec.folds,
                spec.shuffle,
                spec.repeat,
                seed,
            )?)
        }
        Strategy::Time => {
            let (name, times) = columns.time.as_ref().ok_or_else(|| needed("time"))?;
            time::assign(times, name, spec.folds)?
        }
        Strategy::Predefined => {
            let (_, column) = columns.fold.as_ref().ok_or_else(|| needed("fold"))?;
            predefined::assign(column)?
        }
        Strategy::Holdout => holdout::assign(&target.y, spec.fraction, spec.shuffle, seed),
        Strategy::None => Split {
            group: vec![0; rows],
            groups: 1,
            folds: Folds {
                labels: vec!["all".to_owned()],
                roles: vec![vec![Role::Train]],
            },
        },
    })
}

/// Checks that every fold can be trained and scored, rows counted by their weights; returns the weight of each class in
/// each row group, and what is to be said.
///
/// Training rows need both classes. Held-out rows of one class have no area under a curve, but a loss.
pub(crate) fn check(
    split: &Split,
    target: &Target,
    columns: &RoleColumns,
) -> Result<(Vec<[f64; 2]>, Vec<String>), DataError> {
    let weight = columns.weight.as_ref();
    let weights = split.group_sums(&target.y, weight.map(|(_, weight)| weight.as_slice()));
    let mut of_one_class: Vec<(&str, &str)> = Vec::new();
    for (fold, roles) in split.folds.labels.iter().zip(&split.folds.roles) {
        for (role, side) in [(Role::Train, "training"), (Role::Val, "held-out")] {
            if !roles.contains(&role) {
                continue;
            }
            // Which classes the side has.
            let classes = |groups: &[[f64; 2]]| {
                let has = |class: usize| {
                    let mut own = groups.iter().zip(roles).filter(|(_, own)| **own == role);
                    own.any(|(sums, _)| sums[class] > 0.0)
                };
                [has(0), has(1)]
            };
            match (classes(&weights), weight) {
                ([false, false], Some((column, _))) if classes(&split.group_sums(&target.y, None)) != [false; 2] => {
                    return Err(DataError::FoldWithoutWeight {
                        fold: fold.clone(),
                        side,
                        column: column.clone(),
                    });
                }
                ([false, false], _) => {
                    return Err(DataError::EmptyFold {
                        fold: fold.clone(),
                        side,
                    });
                }
                ([true, false] | [false, true], _) => {
                    let class = target.label(u8::from(classes(&weights)[1]));
                    if role == Role::Train {
                        return Err(DataError::FoldWithOneClass {
                            fold: fold.clone(),
                            class: class.to_owned(),
                            is_weighted: weight.is_some(),
                        });
                    }
                    of_one_class.push((fold, class));
                }
                ([true, true], _) => {}
            }
        }
    }
    let warned = one_class_warning(&of_one_class).into_iter().collect();
    Ok((weights, warned))
}

/// One sentence about all folds whose held-out rows have one class.
fn one_class_warning(folds: &[(&str, &str)]) -> Option<String> {
    const MOST_NAMED: usize = 5;
    let (_, class) = folds.first()?;
    let mut named: Vec<&str> = folds.iter().map(|(fold, _)| *fold).take(MOST_NAMED).collect();
    if folds.len() > MOST_NAMED {
        named.push("…");
    }
    let is_same = folds.iter().all(|(_, other)| other == class);
    let class = if is_same {
        format!(" (\"{class}\")")
    } else {
        String::new()
    };
    let noun = if folds.len() == 1 { "fold" } else { "folds" };
    Some(format!(
        "the held-out rows of {noun} {} have one class only{class}: roc_auc is undefined there",
        named.join(", ")
    ))
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
        let columns = RoleColumns::default();
        let of_one_class = target(vec![0, 1, 1, 1]);
        let split = assign(&spec, 0, &of_one_class, &columns).expect("enough rows");
        let error = check(&split, &of_one_class, &columns).expect_err("rows 2 and 3 are ones");
        assert_eq!(
            error.to_string(),
            "the training rows of fold 0 have one class only: \"yes\""
        );
    }

    #[test]
    fn weights_decide_which_rows_a_fold_has() {
        let spec = SplitSpec {
            strategy: Strategy::KFold,
            folds: 3,
            shuffle: false,
            ..SplitSpec::default()
        };
        let target = target(vec![0, 1, 0, 1, 0, 1]);
        let said = |weight: [f64; 6]| {
            let columns = RoleColumns {
                weight: Some(("w".to_owned(), weight.to_vec())),
                ..RoleColumns::default()
            };
            let split = assign(&spec, 0, &target, &columns).expect("enough rows");
            let sums = [0, 2, 4].map(|zero| [weight[zero], weight[zero + 1]]);
            check(&split, &target, &columns)
                .map(|(found, warned)| {
                    assert_eq!(found, sums, "the weight of each class in each group");
                    warned
                })
                .map_err(|error| error.to_string())
        };
        assert_eq!(said([1.0; 6]), Ok(Vec::new()));
        assert_eq!(
            said([0.0, 0.0, 0.0, 0.0, 1.0, 1.0]),
            Err("all held-out rows of fold 0 have weight 0 in \"w\"".to_owned())
        );
        assert_eq!(
            said([1.0, 0.0, 1.0, 0.0, 1.0, 1.0]),
            Err(
                "the training rows of fold 2 have one class only: \"no\" (a row of weight 0 does not count)".to_owned()
            )
        );
        assert_eq!(
            said([1.0, 0.0, 1.0, 2.0, 0.0, 1.0]),
            Ok(vec![
                "the held-out rows of folds 0, 2 have one class only: roc_auc is undefined there".to_owned()
            ])
        );
    }

    #[test]
    fn too_few_and_too_many_folds_are_refused() {
        let spec = SplitSpec {
            folds: 1,
            ..SplitSpec::default()
        };
        assert!(matches!(
            assign(&spec, 0, &target(vec![0, 1]), &RoleColumns::default()),
            Err(DataError::TooFewFolds { folds: 1 })
        ));
        let spec = SplitSpec {
            folds: 3,
            strategy: Strategy::KFold,
            ..SplitSpec::default()
        };
        assert!(matches!(
            assign(&spec, 0, &target(vec![0, 1]), &RoleColumns::default()),
            Err(DataError::TooManyFolds { .. })
        ));
        let leave_one_out = assign(&spec, 0, &target(vec![0, 1, 0]), &RoleColumns::default()).expect("a row each");
        assert_eq!(leave_one_out.folds.len(), 3);
    }

    #[test]
    fn a_strategy_without_its_column_is_refused() {
        for (strategy, role) in [
            (Strategy::Group, "group"),
            (Strategy::Time, "time"),
            (Strategy::Predefined, "fold"),
        ] {
            let spec = SplitSpec {
                strategy,
                folds: 2,
                ..SplitSpec::default()
            };
            let error = assign(&spec, 0, &target(vec![0, 1]), &RoleColumns::default()).expect_err("no column");
            assert!(error.to_string().contains(role), "{error}");
        }
    }

    #[test]
    fn a_side_without_rows_is_named() {
        let spec = SplitSpec {
            strategy: Strategy::Holdout,
            shuffle: true,
            ..SplitSpec::default()
        };
        // A share of each class is held out, and one row of each is left.
        let columns = RoleColumns::default();
        let two = target(vec![0, 1]);
        let split = assign(&spec, 0, &two, &columns).expect("any rows");
        let error = check(&split, &two, &columns).expect_err("nothing is held out");
        assert!(
            matches!(error, DataError::EmptyFold { side: "held-out", .. }),
            "{error}"
        );
        // A row of weight 0 is one that could count; no row is none.
        let columns = RoleColumns {
            weight: Some(("w".to_owned(), vec![1.0, 1.0])),
            ..columns
        };
        let error = check(&split, &two, &columns).expect_err("nothing is held out");
        assert!(
            matches!(error, DataError::EmptyFold { side: "held-out", .. }),
            "{error}"
        );
    }

    #[test]
    fn training_groups_are_those_of_the_fold_and_a_refit_has_all() {
        let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
        let split = Split {
            group: vec![0, 1, 2],
            groups: 3,
            folds: Folds::leave_one_out(labels),
        };
        let expected = [[false, true, true], [true, false, true], [true, true, false], [true; 3]];
        assert_eq!(split.trainings_and_all(), expected);
        assert_eq!(split.trainings(), expected[..3]);
    }

    #[test]
    fn a_warning_names_five_folds_and_their_class_if_it_is_one() {
        let said = |folds: &[(&str, &str)]| one_class_warning(folds);
        assert_eq!(said(&[]), None);
        let end = "have one class only (\"no\"): roc_auc is undefined there";
        assert_eq!(said(&[("7", "no")]), Some(format!("the held-out rows of fold 7 {end}")));
        let six = ["0", "1", "2", "3", "4", "5"].map(|fold| (fold, "no"));
        assert_eq!(
            said(&six[..5]),
            Some(format!("the held-out rows of folds 0, 1, 2, 3, 4 {end}"))
        );
        assert_eq!(
            said(&six),
            Some(format!("the held-out rows of folds 0, 1, 2, 3, 4, … {end}"))
        );
        let two = said(&[("0", "no"), ("1", "yes")]).expect("two");
        assert!(two.contains("have one class only: roc_auc"), "{two}");
    }

    proptest! {
        #[test]
        fn every_row_is_held_out_exactly_once(
            y in prop::collection::vec(0_u8..2, 20..200), folds in 2_usize..6, seed: u64, shuffle: bool,
            is_stratified: bool,
        ) {
            let strategy = if is_stratified { Strategy::Stratified } else { Strategy::KFold };
            let spec = SplitSpec { strategy, folds, shuffle, ..SplitSpec::default() };
            let Ok(split) = assign(&spec, seed, &target(y.clone()), &RoleColumns::default()) else { return Ok(()) };
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
