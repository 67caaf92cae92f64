//! Categorical columns on their way to one-hot features.

use crate::encode::one_hot::{Categories, Layout, OTHER};
use crate::encode::{RawColumn, RawKind};
use crate::error::DataError;
use crate::fingerprint::ColumnHasher;
use crate::levels::Levels;
use crate::spec::{OneHotSpec, OtherLevels};
use crate::split::Role;
use crate::split::folds::Split;
use crate::tile::marks::LevelMarks;

/// A categorical column laid out.
#[derive(Debug)]
pub(crate) struct CategoricalColumn {
    pub(crate) name: String,
    /// Level per kept row.
    pub(crate) codes: Vec<u32>,
    pub(crate) nulls: u64,
    pub(crate) categories: Categories,
    pub(crate) layout: Layout,
    /// Whether it is stored as a code per row.
    pub(crate) is_coded: bool,
    pub(crate) hasher: ColumnHasher,
}

impl CategoricalColumn {
    /// Counts levels per row group and lays them out for every fold and for all rows.
    pub(crate) fn new(
        name: String,
        mut levels: Levels,
        split: &Split,
        weight: Option<&[f64]>,
        spec: &OneHotSpec,
    ) -> Result<Self, DataError> {
        let hasher = ColumnHasher::of_levels(&levels);
        let nulls = levels.nulls();
        let categories = Categories::count(&name, &mut levels, split, weight)?;
        if spec.other == OtherLevels::Error {
            check_unseen(&name, &categories, split)?;
        }
        let layout = categories.layout(&split.trainings_and_all(), spec);
        Ok(Self {
            name,
            codes: levels.codes,
            nulls,
            categories,
            is_coded: layout.raw_levels.len() > spec.sparse_above,
            layout,
            hasher,
        })
    }

    /// Descriptions of its raw columns.
    pub(crate) fn raw_columns(&self) -> impl Iterator<Item = RawColumn> {
        self.layout.raw_levels.iter().map(|level| {
            let text = level.map_or(OTHER, |level| self.categories.levels[level].as_str());
            RawColumn {
                name: format!("{}={text}", self.name),
                kind: RawKind::Level,
            }
        })
    }

    /// What to write into the matrix: 0/1 columns from `first` on, or codes from `first` on into one column.
    pub(crate) fn marks(&self, first: usize, code_column: Option<usize>) -> LevelMarks<'_> {
        let raw = self.layout.raw.iter().map(|raw| raw.map(|raw| first + raw)).collect();
        LevelMarks {
            codes: &self.codes,
            raw,
            code_column,
        }
    }
}

fn check_unseen(name: &str, categories: &Categories, split: &Split) -> Result<(), DataError> {
    for (fold, roles) in split.folds.labels.iter().zip(&split.folds.roles) {
        let of = |wanted: Role| roles.iter().map(|role| *role == wanted).collect::<Vec<_>>();
        if let Some(level) = categories.unseen(&of(Role::Train), &of(Role::Val)) {
            let (column, level, fold) = (name.to_owned(), level.to_owned(), fold.clone());
            return Err(DataError::UnseenLevel { column, level, fold });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Folds;

    #[test]
    fn an_unseen_level_is_an_error_only_when_asked_for() {
        let levels = Levels {
            texts: vec!["a".into(), "b".into()],
            counts: vec![2, 1],
            codes: vec![0, 0, 1],
        };
        let folds = Folds::leave_one_out(vec!["0".into(), "1".into()]);
        let split = Split {
            group: vec![0, 1, 1],
            groups: 2,
            folds,
        };
        let build = |other| {
            let spec = OneHotSpec {
                other,
                min_frequency: 1,
                ..OneHotSpec::default()
            };
            CategoricalColumn::new("k".into(), levels.clone(), &split, None, &spec)
        };
        assert!(build(OtherLevels::Group).is_ok());
        let error = build(OtherLevels::Error).expect_err("b is in group 1 only");
        assert_eq!(
            error.to_string(),
            "level \"b\" of column \"k\" occurs in held-out rows of fold 1 only"
        );
    }
}
