//! From a fit to the files of a model, and from those back to something that scores rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gradsweep_data::{self as data, Dataset, FittedColumn, FittedLevel, FittedLevels, FittedNumber, FittedShape};
use gradsweep_math::{Real, blas};
use gradsweep_store::{self as store, Model, ModelColumn, ModelInfo, ModelLevel, ModelNumbers, ModelTarget, Shape};

use crate::config::{Config, NullTarget};
use crate::dataset::{datetimes, load_spec};
use crate::error::RunError;
use crate::plan::{self, Plan};
use crate::search::Trial;
use crate::sweep::json;

/// The model of a trial that was fitted on every row of `data`.
///
/// `parameters` are its weights and intercept in the preprocessed space.
pub(crate) fn build<T: Real>(
    data: &Dataset<T>,
    config: &Config,
    trial: &Trial,
    parameters: &[f64],
    identity: String,
    metrics: store::ModelMetrics,
) -> Model {
    let spec = load_spec(config, None);
    let everything = vec![true; data.groups.len()];
    let (columns, fold) = data.encoding.fitted(&everything, &data.summary, &spec.roles.types);
    let features = &data.encoding.features;
    // A weight that is held has nothing to multiply.
    let coefficients = (0..features.len())
        .map(|feature| {
            if fold.is_held[feature] {
                0.0
            } else {
                parameters[feature]
            }
        })
        .collect();
    let numbers = || {
        columns.iter().filter_map(|column| match &column.shape {
            FittedShape::Numeric(number) => Some(number),
            FittedShape::Categorical(_) => None,
        })
    };
    let target = &data.summary.target;
    Model {
        info: ModelInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: config.name.clone(),
            kind: "logistic".to_owned(),
            trial: trial.number,
            params: swept(config, trial),
            identity,
            target: ModelTarget {
                name: target.name.clone(),
                positive: target.positive.clone(),
                negative: target.negative.clone(),
                positives: target.positives,
                drop_null: config.data.null_target == NullTarget::Drop,
            },
            threshold: config.metrics.threshold,
            reading: store::Reading {
                missing: spec.source.missing,
                delimiter: char::from(spec.source.delimiter),
                quote: spec.source.quote.map(char::from),
                is_latin1: spec.source.encoding == data::TextEncoding::Latin1,
                datetimes: datetimes(config).cloned().collect(),
            },
            id: config.data.id.clone(),
            rows: data.y.len() as u64,
            fingerprint: data.summary.fingerprint.clone(),
            features: features.iter().map(|feature| feature.name.clone()).collect(),
            columns: columns.iter().map(stored_column).collect(),
            metrics,
            keys: trial
                .result_keys(config)
                .into_iter()
                .map(|(key, value)| (key, json(&value)))
                .collect(),
            precision: T::NAME.to_owned(),
            blas_core: blas::core_name(),
        },
        numbers: ModelNumbers {
            coefficients,
            intercept: parameters[features.len()],
            impute: numbers().map(|number| number.impute).collect(),
            mean: numbers().map(|number| number.mean).collect(),
            scale: numbers().map(|number| number.scale).collect(),
        },
    }
}

fn stored_column(column: &FittedColumn) -> ModelColumn {
    let shape = match &column.shape {
        FittedShape::Numeric(number) => Shape::Numeric {
            feature: number.feature,
            indicator: number.indicator,
            is_boolean: number.is_boolean,
            is_text: number.is_text,
            refuses_null: number.refuses_null,
        },
        FittedShape::Categorical(levels) => Shape::Categorical {
            levels: levels
                .levels
                .iter()
                .map(|level| ModelLevel {
                    text: level.text.clone(),
                    rows: level.rows,
                    fate: match level.fate {
                        data::LevelFate::Kept => store::Fate::Kept,
                        data::LevelFate::Dropped => store::Fate::Dropped,
                        data::LevelFate::Other => store::Fate::Other,
                        data::LevelFate::Ignored => store::Fate::Ignored,
                    },
                    feature: level.feature,
                })
                .collect(),
            other: match levels.other {
                data::OtherLevels::Group => store::OtherRule::Group,
                data::OtherLevels::Ignore => store::OtherRule::Ignore,
                data::OtherLevels::Error => store::OtherRule::Error,
            },
            other_feature: levels.other_feature,
        },
    };
    ModelColumn {
        name: column.name.clone(),
        nulls: column.nulls,
        shape,
    }
}

/// What scores rows by a model.
pub(crate) fn scorer(model: &Model) -> data::Scorer {
    let numbers = &model.numbers;
    let mut numeric = 0..;
    let columns: Vec<FittedColumn> = model
        .info
        .columns
        .iter()
        .map(|column| FittedColumn {
            name: column.name.clone(),
            nulls: column.nulls,
            shape: match &column.shape {
                Shape::Numeric {
                    feature,
                    indicator,
                    is_boolean,
                    is_text,
                    refuses_null,
                } => {
                    let n: usize = numeric.next().unwrap_or_default();
                    FittedShape::Numeric(FittedNumber {
                        feature: *feature,
                        indicator: *indicator,
                        is_boolean: *is_boolean,
                        is_text: *is_text,
                        refuses_null: *refuses_null,
                        impute: numbers.impute[n],
                        mean: numbers.mean[n],
                        scale: numbers.scale[n],
                    })
                }
                Shape::Categorical {
                    levels,
                    other,
                    other_feature,
                } => FittedShape::Categorical(fitted_levels(levels, *other, *other_feature)),
            },
        })
        .collect();
    data::Scorer::new(&columns, &numbers.coefficients, numbers.intercept, model.info.rows)
}

fn fitted_levels(levels: &[ModelLevel], other: store::OtherRule, other_feature: Option<usize>) -> FittedLevels {
    FittedLevels {
        levels: levels
            .iter()
            .map(|level| FittedLevel {
                text: level.text.clone(),
                rows: level.rows,
                fate: match level.fate {
                    store::Fate::Kept => data::LevelFate::Kept,
                    store::Fate::Dropped => data::LevelFate::Dropped,
                    store::Fate::Other => data::LevelFate::Other,
                    store::Fate::Ignored => data::LevelFate::Ignored,
                },
                feature: level.feature,
            })
            .collect(),
        other: match other {
            store::OtherRule::Group => data::OtherLevels::Group,
            store::OtherRule::Ignore => data::OtherLevels::Ignore,
            store::OtherRule::Error => data::OtherLevels::Error,
        },
        other_feature,
    }
}

/// The files to apply a model to, read as its training files were; with labels or without.
pub(crate) fn apply_spec(model: &Model, paths: &[String], with_labels: bool) -> data::ApplySpec {
    let ModelInfo {
        reading, target, id, ..
    } = &model.info;
    // With three or more labels in training, each but the positive one counts as 0.
    let is_against_the_rest = target.negative == format!("not {}", target.positive);
    data::ApplySpec {
        source: data::SourceSpec {
            paths: paths.to_vec(),
            missing: reading.missing.clone(),
            // The config admits ASCII only.
            delimiter: reading.delimiter as u8,
            quote: reading.quote.map(|quote| quote as u8),
            encoding: if reading.is_latin1 {
                data::TextEncoding::Latin1
            } else {
                data::TextEncoding::Utf8
            },
        },
        datetimes: reading.datetimes.clone(),
        id: id.clone(),
        labels: with_labels.then(|| data::LabelSpec {
            column: target.name.clone(),
            positive: target.positive.clone(),
            negative: (!is_against_the_rest).then(|| target.negative.clone()),
            drop_null: target.drop_null,
            weight: model.info.weight().map(str::to_owned),
        }),
    }
}

/// The model in a folder, or that of the sweep's selected trial.
pub(crate) fn find(path: &Path) -> Result<(PathBuf, Model), RunError> {
    let best = store::best_model(path);
    let dir = match path.parent() {
        Some(parent) if path.is_file() && path.ends_with("model.json") => parent.to_path_buf(),
        _ if store::is_model(path) || !path.exists() => path.to_path_buf(),
        _ if store::is_model(&best) || store::probe(path)?.is_some() => best,
        _ => path.to_path_buf(),
    };
    if dir == store::best_model(path) {
        store::check_own_model(&dir)?;
    }
    let model = Model::read(&dir)?;
    Ok((dir, model))
}

/// The settings of a trial that its sweep varied.
pub(crate) fn swept(config: &Config, trial: &Trial) -> BTreeMap<String, store::ParamValue> {
    let mut table = Plan::new(config, vec![trial.clone()], plan::Shape::EMPTY, "").table(&[]);
    let values = table.trials.pop().map(|trial| trial.params).unwrap_or_default();
    table.params.into_iter().zip(values).collect()
}
