//! What an encoding knows of its columns, for people to read: of all rows and of each fold's training rows.

use std::collections::BTreeMap;

use super::{ColumnEncoding, Encoding};
use crate::dataset::Dataset;
use crate::encode::missing::MISSING;
use crate::encode::numeric::Center;
use crate::profile::Moments;
use crate::split::{Folds, Role};
use crate::summary::{ColumnKind, Summary};

/// The columns and folds of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Feature columns in file order.
    pub columns: Vec<ColumnProfile>,
    /// The folds.
    pub folds: Vec<FoldProfile>,
}

/// A feature column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub kind: ColumnKind,
    /// Rows with a value.
    pub rows: u64,
    /// Rows without one.
    pub missing: u64,
    /// Features made from it.
    pub width: usize,
    /// Features whose weight no fold can learn, for they are constant in all rows.
    pub held: usize,
    /// Mean of the values; `None` for levels and for columns without a value.
    pub mean: Option<f64>,
    /// Population standard deviation of the values.
    pub std: Option<f64>,
    /// The least value of a row that counts.
    pub min: Option<f64>,
    /// The greatest value of a row that counts.
    pub max: Option<f64>,
    /// Levels with the rows that have them, in the order of their texts; none for numbers. With weights, rows count by them.
    pub levels: Vec<(String, f64)>,
    /// Of each fold's training rows.
    pub folds: Vec<FoldColumn>,
}

/// A column in the training rows of a fold. With weights, rows count by them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoldColumn {
    /// Rows with a value.
    pub rows: f64,
    /// Rows without one.
    pub missing: f64,
    /// Mean of the values.
    pub mean: Option<f64>,
    /// Population standard deviation of the values.
    pub std: Option<f64>,
    /// Levels that occur; 0 for numbers.
    pub levels: usize,
}

/// A fold. With weights, rows count by them.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldProfile {
    /// What it is called.
    pub label: String,
    /// Training rows of class 0 and of class 1.
    pub train: [f64; 2],
    /// Held-out rows of class 0 and of class 1.
    pub val: [f64; 2],
}

impl<T> Dataset<T> {
    /// The columns and folds, for people to read.
    pub fn profile(&self) -> Profile {
        Profile {
            columns: self.encoding.profile(&self.summary, &self.folds),
            folds: (0..self.folds.len()).map(|fold| self.fold_profile(fold)).collect(),
        }
    }

    fn fold_profile(&self, fold: usize) -> FoldProfile {
        let of = |wanted: Role| {
            let groups = self.folds.roles[fold].iter().zip(&self.group_weight);
            let groups = groups.filter(|(role, _)| **role == wanted);
            groups.fold([0.0; 2], |sum, (_, group)| [sum[0] + group[0], sum[1] + group[1]])
        };
        FoldProfile {
            label: self.folds.labels[fold].clone(),
            train: of(Role::Train),
            val: of(Role::Val),
        }
    }
}

impl Encoding {
    fn profile(&self, summary: &Summary, folds: &Folds) -> Vec<ColumnProfile> {
        let groups = folds.roles.first().map_or(0, Vec::len);
        let everything = self.for_training(&vec![true; groups]);
        let trainings: Vec<Vec<bool>> = (0..folds.len()).map(|fold| folds.is_training(fold)).collect();
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        for (feature, is_held) in self.features.iter().zip(&everything.is_held) {
            *held.entry(&feature.column).or_default() += usize::from(*is_held);
        }
        let columns = self.columns.iter().zip(&summary.columns);
        columns
            .map(|(column, known)| {
                let mut profile = ColumnProfile {
                    name: known.name.clone(),
                    kind: known.kind,
                    rows: summary.rows as u64 - known.nulls,
                    missing: known.nulls,
                    width: known.width,
                    held: held.get(known.name.as_str()).copied().unwrap_or(0),
                    mean: known.mean,
                    std: known.std,
                    min: None,
                    max: None,
                    levels: Vec::new(),
                    folds: trainings.iter().map(|training| column.in_fold(training)).collect(),
                };
                match column {
                    ColumnEncoding::Numeric { center, moments, .. } => {
                        let all = Moments::over(moments, &vec![true; groups]);
                        if all.observed > 0.0 {
                            profile.min = Some(original(*center, all.min));
                            profile.max = Some(original(*center, all.max));
                        }
                    }
                    ColumnEncoding::Levels { categories, .. } => {
                        let counts = categories.training_counts(&vec![true; groups]);
                        profile.levels = categories.levels.iter().cloned().zip(counts).collect();
                    }
                }
                profile
            })
            .collect()
    }
}

impl ColumnEncoding {
    fn in_fold(&self, is_training: &[bool]) -> FoldColumn {
        match self {
            Self::Numeric { center, moments, .. } => {
                let training = Moments::over(moments, is_training);
                let known = (training.observed > 0.0).then_some(training);
                FoldColumn {
                    rows: training.observed,
                    missing: training.missing,
                    mean: known.map(|training| original(*center, training.mean)),
                    std: known.map(|training| center.scale * training.variance().sqrt()),
                    levels: 0,
                }
            }
            Self::Levels { categories, .. } => {
                let counts = categories.training_counts(is_training);
                let (mut rows, mut missing, mut levels) = (0.0, 0.0, 0);
                for (text, count) in categories.levels.iter().zip(counts) {
                    if text == MISSING {
                        missing += count;
                    } else {
                        rows += count;
                        levels += usize::from(count > 0.0);
                    }
                }
                FoldColumn {
                    rows,
                    missing,
                    mean: None,
                    std: None,
                    levels,
                }
            }
        }
    }
}

/// A stored number in the units of the column.
fn original(center: Center, stored: f64) -> f64 {
    center.center + center.scale * stored
}
