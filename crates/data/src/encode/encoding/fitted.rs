//! From an encoding to what a model keeps of it.

use std::collections::BTreeMap;

use super::{ColumnEncoding, Encoding, FoldEncoding};
use crate::apply::{FittedColumn, FittedLevel, FittedLevels, FittedNumber, FittedShape, LevelFate};
use crate::encode::numeric::Center;
use crate::encode::one_hot::{Fate, fates};
use crate::profile::Moments;
use crate::spec::{ColumnType, Impute};
use crate::summary::{ColumnKind, Summary};

impl Encoding {
    /// The columns as a model keeps them that was fitted on the row groups for which `is_training` holds; with the fold that
    /// [`for_training`](Self::for_training) makes of them. Columns without a feature are left out: nothing depends on them.
    ///
    /// # Panics
    /// If there is not one entry per row group.
    pub fn fitted(
        &self,
        is_training: &[bool],
        summary: &Summary,
        types: &BTreeMap<String, ColumnType>,
    ) -> (Vec<FittedColumn>, FoldEncoding) {
        let fold = self.for_training(is_training);
        let known: BTreeMap<&str, (u64, ColumnKind)> = summary
            .columns
            .iter()
            .map(|column| (column.name.as_str(), (column.nulls, column.kind)))
            .collect();
        let columns = self.columns.iter().filter_map(|column| {
            let (feature, shape) = self.shape(column, is_training, &fold)?;
            let name = &self.features[feature].column;
            let (nulls, kind) = known.get(name.as_str()).copied().unwrap_or((0, ColumnKind::Numeric));
            let mut shape = shape;
            if let FittedShape::Numeric(number) = &mut shape {
                number.is_boolean = kind == ColumnKind::Boolean;
                number.is_text = types.get(name) == Some(&ColumnType::Numeric);
            }
            Some(FittedColumn {
                name: name.clone(),
                nulls,
                shape,
            })
        });
        (columns.collect(), fold)
    }

    /// A column, with one of its features.
    fn shape(
        &self,
        column: &ColumnEncoding,
        is_training: &[bool],
        fold: &FoldEncoding,
    ) -> Option<(usize, FittedShape)> {
        match column {
            ColumnEncoding::Numeric {
                center,
                moments,
                feature,
                link,
                missing_link,
                indicator,
                ..
            } => {
                let factor = fold.factor[*link];
                let Center { center, scale } = *center;
                let impute = match (self.spec.impute, missing_link) {
                    (Impute::Zero, _) => 0.0,
                    // What the fold adds to the stored 0 of a missing value.
                    (_, Some(link)) if factor != 0.0 => center + scale * (fold.factor[*link] / factor),
                    _ => center + scale * Moments::over(moments, is_training).mean,
                };
                let number = FittedNumber {
                    feature: *feature,
                    indicator: indicator.map(|(feature, _)| feature),
                    is_boolean: false,
                    is_text: false,
                    refuses_null: self.spec.impute == Impute::Error,
                    impute,
                    mean: fold.mean[*feature],
                    scale: fold.scale[*feature],
                };
                Some((*feature, FittedShape::Numeric(number)))
            }
            ColumnEncoding::Levels {
                categories, own, other, ..
            } => {
                let other_feature = other.as_ref().map(|other| other.feature);
                let any = own.first().map(|(_, feature, _)| *feature).or(other_feature)?;
                let counts = categories.training_counts(is_training);
                let fates = fates(&counts, &self.spec.one_hot);
                let own: BTreeMap<usize, usize> = own.iter().map(|(level, feature, _)| (*level, *feature)).collect();
                let levels = categories.levels.iter().enumerate().map(|(level, text)| {
                    let (fate, feature) = match fates[level] {
                        Fate::Kept => (LevelFate::Kept, own.get(&level).copied()),
                        Fate::Dropped => (LevelFate::Dropped, None),
                        Fate::Rare if other_feature.is_some() => (LevelFate::Other, other_feature),
                        Fate::Rare => (LevelFate::Ignored, None),
                    };
                    FittedLevel {
                        text: text.clone(),
                        rows: counts[level].round() as u64,
                        fate,
                        feature,
                    }
                });
                let levels = FittedLevels {
                    levels: levels.collect(),
                    other: self.spec.one_hot.other,
                    other_feature,
                };
                Some((any, FittedShape::Categorical(levels)))
            }
        }
    }
}
