//! Features over stored columns, and what each fold multiplies and adds.

mod fitted;
mod profile;

pub use profile::{ColumnProfile, FoldColumn, FoldProfile, Profile};

use crate::cache::code;
use crate::encode::missing;
use crate::encode::numeric::{Center, FoldNumbers};
use crate::encode::one_hot::{Categories, Fate, Layout, OTHER, fates};
use crate::error::DataError;
use crate::profile::Moments;
use crate::spec::EncodeSpec;

/// What reports and models call the intercept; no feature may have this name.
const INTERCEPT: &str = "(intercept)";

/// How stored columns become features, for every fold.
///
/// For fold f, `z_i = b + Σ_links factor_f[link]·w[feature]·x[i, raw] + Σ_features offset_f[feature]·w[feature]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// Columns of the stored matrix, with one for every level that stands in a column of codes.
    pub raw: Vec<RawColumn>,
    /// The columns of codes, in the order in which they lie behind the columns of numbers.
    pub codes: Vec<CodeColumn>,
    /// Weights, in the order of the columns of the files.
    pub features: Vec<Feature>,
    /// Which stored columns make which feature; sorted by feature, then stored column.
    pub links: Vec<Link>,
    /// One per fold.
    pub folds: Vec<FoldEncoding>,
    columns: Vec<ColumnEncoding>,
    /// Sets of training row groups whose medians are known: each fold's, and all.
    trainings: Vec<Vec<bool>>,
    spec: EncodeSpec,
}

/// A categorical column that is stored as a code per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeColumn {
    /// The column of the files.
    pub column: String,
    /// Its stored levels: as many raw columns, behind those of the columns of codes before it.
    pub levels: usize,
}

/// A column of the stored matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct RawColumn {
    /// The column it comes from, with `=level` for a level.
    pub name: String,
    /// What its numbers are.
    pub kind: RawKind,
}

/// What the numbers of a stored column are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RawKind {
    /// `(value - center) / scale`, 0 where missing.
    Numeric {
        /// Subtracted from the value.
        center: f64,
        /// Divides the difference; a power of two.
        scale: f64,
    },
    /// 1 where the column has no value.
    Missing,
    /// 1 where the row has the level.
    Level,
}

/// A weight of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// `column`, `column=level`, `column=(other)` or `column=(missing)`.
    pub name: String,
    /// The column of the files.
    pub column: String,
}

/// A stored column that takes part in a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Index into [`Encoding::raw`].
    pub raw: usize,
    /// Index into [`Encoding::features`].
    pub feature: usize,
}

/// What one fold multiplies and adds.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldEncoding {
    /// Per link.
    pub factor: Vec<f64>,
    /// Per feature.
    pub offset: Vec<f64>,
    /// Per feature: constant or absent in the training rows, its weight stays 0. Its factors and offset are 0.
    pub is_held: Vec<bool>,
    /// Per feature: a weight in original units is the weight divided by this.
    pub scale: Vec<f64>,
    /// Per feature, in original units; 0 for one-hot features and indicators.
    pub mean: Vec<f64>,
}

/// A column ready to be encoded, in file order.
#[derive(Debug)]
pub(crate) enum PreparedColumn {
    Numeric {
        name: String,
        center: Center,
        moments: Vec<Moments>,
        /// Per set of training row groups; empty where none is needed.
        medians: Vec<f64>,
        raw: usize,
        missing_raw: Option<usize>,
    },
    Levels {
        name: String,
        categories: Categories,
        layout: Layout,
        first_raw: usize,
    },
}

/// The features of one column, with the statistics of each row group.
#[derive(Debug, Clone, PartialEq)]
enum ColumnEncoding {
    Numeric {
        center: Center,
        moments: Vec<Moments>,
        medians: Vec<f64>,
        feature: usize,
        link: usize,
        missing_link: Option<usize>,
        /// Feature and link.
        indicator: Option<(usize, usize)>,
    },
    Levels {
        categories: Categories,
        /// Level, feature and link of each level with a feature.
        own: Vec<(usize, usize, usize)>,
        other: Option<OtherFeature>,
        /// Levels of the shared raw column.
        shared: Vec<usize>,
    },
}

/// The feature `(other)`.
#[derive(Debug, Clone, PartialEq)]
struct OtherFeature {
    feature: usize,
    /// Level and link of each raw column; no level is the shared raw column.
    links: Vec<(Option<usize>, usize)>,
}

impl Encoding {
    /// Raw columns that are stored as numbers: the first.
    pub fn numbers(&self) -> usize {
        self.raw.len() - self.codes.iter().map(|column| column.levels).sum::<usize>()
    }

    /// Columns of the stored matrix.
    pub fn stored_columns(&self) -> usize {
        self.numbers() + self.codes.len()
    }

    /// Lays out features and links, then every fold; `trainings` are the folds' training groups, then all groups.
    pub(crate) fn new(
        raw: Vec<RawColumn>,
        codes: Vec<CodeColumn>,
        prepared: Vec<PreparedColumn>,
        spec: &EncodeSpec,
        trainings: Vec<Vec<bool>>,
    ) -> Result<Self, DataError> {
        let mut encoding = Self {
            raw,
            codes,
            features: Vec::new(),
            links: Vec::new(),
            folds: Vec::new(),
            columns: Vec::new(),
            trainings,
            spec: spec.clone(),
        };
        for column in prepared {
            let column = encoding.add(column);
            encoding.columns.push(column);
        }
        let mut names: Vec<&str> = encoding.features.iter().map(|f| f.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::DuplicateFeature {
                feature: pair[0].to_owned(),
            });
        }
        if names.contains(&INTERCEPT) {
            return Err(DataError::ReservedFeature {
                feature: INTERCEPT.to_owned(),
            });
        }
        let folds = encoding.trainings.split_last().map_or(&[][..], |(_, folds)| folds);
        encoding.folds = folds.iter().map(|training| encoding.for_training(training)).collect();
        Ok(encoding)
    }

    fn add(&mut self, column: PreparedColumn) -> ColumnEncoding {
        match column {
            PreparedColumn::Numeric {
                name,
                center,
                moments,
                medians,
                raw,
                missing_raw,
            } => {
                let feature = self.add_feature(&name, name.clone());
                let link = self.add_link(raw, feature);
                let missing_link = missing_raw.map(|raw| self.add_link(raw, feature));
                let indicator = missing_raw.filter(|_| self.spec.indicator).map(|raw| {
                    let feature = self.add_feature(&name, missing::feature_name(&name));
                    (feature, self.add_link(raw, feature))
                });
                ColumnEncoding::Numeric {
                    center,
                    moments,
                    medians,
                    feature,
                    link,
                    missing_link,
                    indicator,
                }
            }
            PreparedColumn::Levels {
                name,
                categories,
                layout,
                first_raw,
            } => {
                let (mut own, mut other) = (Vec::new(), None);
                for level in &layout.feature_levels {
                    let text = level.map_or(OTHER, |level| categories.levels[level].as_str());
                    let feature = self.add_feature(&name, format!("{name}={text}"));
                    if let Some(level) = *level {
                        if let Some(raw) = layout.raw[level] {
                            own.push((level, feature, self.add_link(first_raw + raw, feature)));
                        }
                    } else {
                        let levels = layout.raw_levels.iter().enumerate();
                        let links = levels
                            .map(|(raw, level)| (*level, self.add_link(first_raw + raw, feature)))
                            .collect();
                        other = Some(OtherFeature { feature, links });
                    }
                }
                let is_shared = |raw: Option<usize>| raw.is_some_and(|raw| layout.raw_levels[raw].is_none());
                let levels = layout.raw.iter().enumerate();
                let shared = levels
                    .filter(|(_, raw)| is_shared(**raw))
                    .map(|(level, _)| level)
                    .collect();
                ColumnEncoding::Levels {
                    categories,
                    own,
                    other,
                    shared,
                }
            }
        }
    }

    fn add_feature(&mut self, column: &str, name: String) -> usize {
        self.features.push(Feature {
            name,
            column: column.to_owned(),
        });
        self.features.len() - 1
    }

    fn add_link(&mut self, raw: usize, feature: usize) -> usize {
        self.links.push(Link { raw, feature });
        self.links.len() - 1
    }

    /// Factors and offsets when the row groups for which `is_training` holds are trained on: those of a fold, or all
    /// for a refit. For other sets a level may be without a column and then counts as rare.
    ///
    /// # Panics
    /// If there is not one entry per row group; if medians are imputed and the groups are neither those of a fold nor
    /// all.
    pub fn for_training(&self, is_training: &[bool]) -> FoldEncoding {
        let features = self.features.len();
        let mut fold = FoldEncoding {
            factor: vec![0.0; self.links.len()],
            offset: vec![0.0; features],
            is_held: vec![true; features],
            scale: vec![1.0; features],
            mean: vec![0.0; features],
        };
        let place = self.trainings.iter().position(|training| training == is_training);
        for column in &self.columns {
            match column {
                ColumnEncoding::Numeric {
                    center,
                    moments,
                    medians,
                    feature,
                    link,
                    missing_link,
                    indicator,
                } => {
                    assert_eq!(moments.len(), is_training.len(), "one entry per row group");
                    let training = Moments::over(moments, is_training);
                    let median = place.and_then(|place| medians.get(place)).copied();
                    assert!(
                        median.is_some() || medians.is_empty(),
                        "the medians of {is_training:?} are not known"
                    );
                    let EncodeSpec {
                        impute, standardize, ..
                    } = self.spec;
                    let numbers = FoldNumbers::of(&training, *center, impute, median, standardize);
                    fold.factor[*link] = numbers.factor;
                    if let Some(link) = missing_link {
                        fold.factor[*link] = numbers.missing_factor;
                    }
                    fold.offset[*feature] = numbers.offset;
                    fold.is_held[*feature] = numbers.is_held;
                    fold.scale[*feature] = numbers.scale;
                    fold.mean[*feature] = numbers.mean;
                    if let Some((feature, link)) = indicator
                        && !missing::is_constant(&training)
                    {
                        fold.factor[*link] = 1.0;
                        fold.is_held[*feature] = false;
                    }
                }
                ColumnEncoding::Levels {
                    categories,
                    own,
                    other,
                    shared,
                } => {
                    assert_eq!(categories.counts.len(), is_training.len(), "one entry per row group");
                    let counts = categories.training_counts(is_training);
                    let fates = fates(&counts, &self.spec.one_hot);
                    // Levels that occur are counted, not their rows: sums of weights need not agree to the last bit.
                    let occurs = |level: usize| usize::from(counts[level] > 0.0);
                    let occurring: usize = (0..counts.len()).map(occurs).sum();
                    let is_constant = |levels: usize| levels == 0 || levels == occurring;
                    for &(level, feature, link) in own {
                        if fates[level] == Fate::Kept && !is_constant(occurs(level)) {
                            fold.factor[link] = 1.0;
                            fold.is_held[feature] = false;
                        }
                    }
                    if let Some(OtherFeature { feature, links }) = other {
                        let is_tied = |level: &Option<usize>| level.is_none_or(|level| fates[level] == Fate::Rare);
                        let levels = |level: &Option<usize>| match level {
                            Some(level) => occurs(*level),
                            None => shared.iter().map(|level| occurs(*level)).sum(),
                        };
                        let tied = || links.iter().filter(|(level, _)| is_tied(level));
                        if !is_constant(tied().map(|(level, _)| levels(level)).sum()) {
                            tied().for_each(|(_, link)| fold.factor[*link] = 1.0);
                            fold.is_held[*feature] = false;
                        }
                    }
                }
            }
        }
        fold
    }
}

code!(struct Encoding { raw, codes, features, links, folds, columns, trainings, spec });
code!(struct CodeColumn { column, levels });
code!(struct RawColumn { name, kind });
code!(enum RawKind { 0 => Numeric { center, scale }, 1 => Missing {}, 2 => Level {} });
code!(struct Feature { name, column });
code!(struct Link { raw, feature });
code!(struct FoldEncoding { factor, offset, is_held, scale, mean });
code!(struct OtherFeature { feature, links });
code!(enum ColumnEncoding {
    0 => Numeric { center, moments, medians, feature, link, missing_link, indicator },
    1 => Levels { categories, own, other, shared },
});

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(counts: Vec<Vec<f64>>) -> Encoding {
        let categories = Categories {
            levels: ["a", "b", "c"].map(String::from).to_vec(),
            counts,
        };
        let spec = EncodeSpec::default();
        let trainings = [vec![false, true], vec![true, false], vec![true, true]];
        let layout = categories.layout(&trainings, &spec.one_hot);
        let raw = vec![
            RawColumn {
                name: String::new(),
                kind: RawKind::Level
            };
            layout.raw_levels.len()
        ];
        let column = PreparedColumn::Levels {
            name: "k".into(),
            categories,
            layout,
            first_raw: 0,
        };
        Encoding::new(raw, Vec::new(), vec![column], &spec, trainings.to_vec()).expect("distinct names")
    }

    #[test]
    fn a_level_rare_in_a_fold_is_tied_to_other() {
        // Trained on group 1 (fold 0), b is rare; trained on group 0 (fold 1), c is.
        let encoding = encoding(vec![vec![20.0, 20.0, 5.0], vec![20.0, 5.0, 20.0]]);
        let names: Vec<&str> = encoding.features.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["k=a", "k=b", "k=c", "k=(other)"]);
        assert_eq!(encoding.folds[0].is_held, [false, true, false, false]);
        assert_eq!(encoding.folds[1].is_held, [false, false, true, false]);
        assert_eq!(encoding.folds[0].factor, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(encoding.folds[1].factor, [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(
            encoding.for_training(&[true, true]).is_held,
            [false, false, false, true]
        );
    }

    #[test]
    fn other_without_training_rows_is_held() {
        let encoding = encoding(vec![vec![20.0, 20.0, 5.0], vec![20.0, 20.0, 0.0]]);
        assert_eq!(encoding.folds[0].is_held, [false, false, true]);
        assert_eq!(encoding.features.len(), 3);
    }
}
