//! From the config's words for data to the data crate's.

use gradsweep_data::{self as data, Role};
use gradsweep_math::Real;
use gradsweep_math::metric::ScoredRows;

use crate::config::{
    ClassWeight, ColumnType, Config, DropLevel, Impute, NullTarget, OtherLevels, Scale, Strategy, TextEncoding,
};
use crate::error::RunError;
use crate::memory;
use crate::plan::Shape;
use crate::train::View;

/// What to load for a config, for the first repeat of its folds; `rows` takes only the first rows.
pub fn load_spec(config: &Config, rows: Option<usize>) -> data::LoadSpec {
    repeat_spec(config, rows, 0)
}

/// What to load for one repeat of the folds: the same rows in other row groups.
pub fn repeat_spec(config: &Config, rows: Option<usize>, repeat: u32) -> data::LoadSpec {
    data::LoadSpec {
        source: source_spec(config),
        roles: role_spec(config),
        encode: encode_spec(config),
        split: data::SplitSpec {
            strategy: match config.validation.strategy {
                Strategy::Stratified => data::Strategy::Stratified,
                Strategy::KFold => data::Strategy::KFold,
                Strategy::Group => data::Strategy::Group,
                Strategy::Time => data::Strategy::Time,
                Strategy::Predefined => data::Strategy::Predefined,
                Strategy::Holdout => data::Strategy::Holdout,
                Strategy::None => data::Strategy::None,
            },
            folds: config.validation.folds,
            fraction: config.validation.fraction,
            shuffle: config.validation.shuffle,
            repeat,
        },
        seed: config.run.seed,
        deal: config.train.shuffle,
        rows,
    }
}

/// Loads the rows of one repeat of the folds, within the config's limit of memory.
pub fn load<T: data::Element>(config: &Config, rows: Option<usize>, repeat: u32) -> Result<data::Dataset<T>, RunError> {
    Ok(data::load_within(
        &repeat_spec(config, rows, repeat),
        &cache_spec(config),
    )?)
}

/// Where rows go that do not fit into memory.
pub(crate) fn cache_spec(config: &Config) -> data::CacheSpec {
    data::CacheSpec {
        dir: memory::cache_dir(),
        limit_bytes: memory::limit_bytes(config).saturating_sub(memory::PROGRAM_BYTES),
    }
}

/// The size of the work on a data set.
pub fn shape_of<T>(data: &data::Dataset<T>) -> Shape {
    Shape {
        rows: data.x.nrows(),
        raw_columns: data.encoding.raw.len(),
        features: data.encoding.features.len(),
        folds: data.folds.labels.len(),
    }
}

/// The files of a config.
pub fn source_spec(config: &Config) -> data::SourceSpec {
    data::SourceSpec {
        paths: config.data.train.clone(),
        missing: config.data.missing.clone(),
        // The config admits ASCII only.
        delimiter: config.data.csv.delimiter as u8,
        quote: config.data.csv.quote.map(|quote| quote as u8),
        encoding: match config.data.csv.encoding {
            TextEncoding::Utf8 => data::TextEncoding::Utf8,
            TextEncoding::Latin1 => data::TextEncoding::Latin1,
        },
    }
}

/// Columns of dates or datetimes that are taken apart into numbers.
pub(crate) fn datetimes(config: &Config) -> impl Iterator<Item = &String> {
    let types = config.data.types.iter();
    types
        .filter(|(_, kind)| **kind == ColumnType::Datetime)
        .map(|(name, _)| name)
}

fn role_spec(config: &Config) -> data::RoleSpec {
    let own = &config.data;
    data::RoleSpec {
        target: own.target.clone(),
        positive: own.positive.clone(),
        drop_null_target: own.null_target == NullTarget::Drop,
        weight: own.weight.clone(),
        group: own.group.clone(),
        fold: own.fold.clone(),
        time: own.time.clone(),
        id: own.id.clone(),
        include: own.include.clone(),
        exclude: own.exclude.clone(),
        types: own
            .types
            .iter()
            .map(|(name, kind)| {
                let kind = match kind {
                    ColumnType::Categorical => data::ColumnType::Categorical,
                    ColumnType::Numeric => data::ColumnType::Numeric,
                    ColumnType::Datetime => data::ColumnType::Datetime,
                };
                (name.clone(), kind)
            })
            .collect(),
    }
}

fn encode_spec(config: &Config) -> data::EncodeSpec {
    let own = &config.preprocess;
    data::EncodeSpec {
        impute: match own.impute {
            Impute::Mean => data::Impute::Mean,
            Impute::Median => data::Impute::Median,
            Impute::Zero => data::Impute::Zero,
            Impute::Error => data::Impute::Error,
        },
        indicator: own.indicator,
        standardize: own.scale == Scale::Standard,
        one_hot: data::OneHotSpec {
            min_frequency: own.one_hot.min_frequency,
            max_categories: own.one_hot.max_categories,
            other: match own.one_hot.other {
                OtherLevels::Group => data::OtherLevels::Group,
                OtherLevels::Ignore => data::OtherLevels::Ignore,
                OtherLevels::Error => data::OtherLevels::Error,
            },
            drop_first: own.one_hot.drop == DropLevel::First,
            sparse_above: data::SPARSE_ABOVE,
        },
    }
}

/// Refuses a fold whose held-out rows the metrics that decide do not score, as an area under a curve of one class.
pub(crate) fn check_scores<T: Real + data::Element>(view: &View<'_, T>) -> Result<(), RunError> {
    let deciding = view.watched.iter().chain([&view.select]);
    for metric in deciding {
        for (fold, label) in view.folds.labels.iter().enumerate() {
            let groups: Vec<usize> = view.groups_as(fold, Role::Val).collect();
            let weight = |class: usize| groups.iter().map(|&group| view.class_sums[group][class]).sum::<f64>();
            let present: Vec<bool> = [false, true]
                .into_iter()
                .filter(|class| weight(usize::from(*class)) > 0.0)
                .collect();
            let example = present.iter().map(|&class| (f64::from(u8::from(class)), class));
            let is_scored = present.is_empty() || !metric.value(&ScoredRows::new(example, view.threshold)).is_nan();
            if !is_scored {
                return Err(RunError::Unscored {
                    fold: label.clone(),
                    metric: metric.name(),
                    class: view.labels[usize::from(present[0])].to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Refuses class weights for labels that the target does not have.
pub(crate) fn check_classes<'a>(
    weights: impl IntoIterator<Item = &'a ClassWeight>,
    target: &data::TargetSummary,
) -> Result<(), RunError> {
    let known = [&target.negative, &target.positive];
    for weights in weights {
        let ClassWeight::Weights(weights) = weights else {
            continue;
        };
        if let Some(label) = weights.keys().find(|label| !known.contains(label)) {
            let what = format!(
                "model.class_weight names {label:?}, but the classes of {} are {:?} and {:?}",
                target.name, target.negative, target.positive
            );
            return Err(RunError::NotFound { what });
        }
    }
    Ok(())
}
