//! The texts of a model: what its columns are called, what their levels mean, and where it comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::ParamValue;

/// Version of the two files of a model.
///
/// # Changelog
/// - **1**: `model.json` (seal, names, levels with their fates, labels, metrics) and a safetensors file of f64 tensors
///   `coefficients`, `intercept`, `impute`, `mean`, `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelVersion(pub u32);

impl ModelVersion {
    /// The version this program writes.
    pub const CURRENT: Self = Self(1);
}

impl std::fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Everything about a model that is not one of its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Version of the program that fitted it.
    pub version: String,
    /// The sweep's name.
    pub name: String,
    /// `logistic`.
    pub kind: String,
    /// The trial whose settings it has.
    pub trial: u32,
    /// Those of its settings that the sweep varied.
    pub params: BTreeMap<String, ParamValue>,
    /// Hash of everything that decides the fit: equal settings on equal data have equal identities.
    pub identity: String,
    /// The column it predicts.
    pub target: ModelTarget,
    /// A probability above this predicts the positive label.
    pub threshold: f64,
    /// How files are read.
    pub reading: Reading,
    /// The column that names a row; it is carried into predictions.
    pub id: Option<String>,
    /// Rows it was fitted on.
    pub rows: u64,
    /// Hash of the content of those rows.
    pub fingerprint: String,
    /// The names of its weights, in the order of the coefficients.
    pub features: Vec<String>,
    /// The columns it needs, in the order of the training files.
    pub columns: Vec<ModelColumn>,
    /// What it scores.
    pub metrics: ModelMetrics,
    /// Every config key that the fit depends on, by its path.
    pub keys: BTreeMap<String, Value>,
    /// Element type of the training: `f32` or `f64`. Predictions are computed in f64.
    pub precision: String,
    /// The kernels the BLAS chose on the machine that fitted it.
    pub blas_core: String,
}

impl ModelInfo {
    /// The column that said how much each training row counts.
    pub fn weight(&self) -> Option<&str> {
        self.keys.get("data.weight").and_then(Value::as_str)
    }
}

/// The column a model predicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTarget {
    /// Its name.
    pub name: String,
    /// The label that counts as 1.
    pub positive: String,
    /// The label that counts as 0; `not <positive>` when there were more than two.
    pub negative: String,
    /// Training rows that count as 1.
    pub positives: u64,
    /// Rows without a label are left out of an evaluation instead of refused.
    pub drop_null: bool,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Texts of a CSV that are null.
    pub missing: Vec<String>,
    /// Between two cells of a CSV.
    pub delimiter: char,
    /// Around a cell; none if quotes are ordinary characters.
    pub quote: Option<char>,
    /// The text is ISO 8859-1, not UTF-8.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_latin1: bool,
    /// Columns of dates or datetimes that are taken apart into numbers, in files of every format: the columns of the model
    /// are then `column.year`, `.month`, `.day`, `.weekday`, `.hour`, `.minute` and `.second`, in UTC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datetimes: Vec<String>,
}

/// A column that a model needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelColumn {
    /// Its name.
    pub name: String,
    /// Training rows without a value.
    pub nulls: u64,
    /// How it becomes features.
    #[serde(flatten)]
    pub shape: Shape,
}

/// How a column becomes features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Shape {
    /// A number. The n-th of these columns has the n-th entry of `impute`, `mean` and `scale`.
    Numeric {
        /// Its feature.
        feature: usize,
        /// The feature that is 1 where there is no value.
        indicator: Option<usize>,
        /// It was true or false in the training files.
        is_boolean: bool,
        /// Text is parsed as numbers.
        is_text: bool,
        /// A row without a value is refused instead of imputed.
        refuses_null: bool,
    },
    /// One of its levels.
    Categorical {
        /// In the order of their texts; a null is the level `(missing)`.
        levels: Vec<ModelLevel>,
        /// What a level that training did not see means.
        other: OtherRule,
        /// The feature `(other)`, where there is one.
        other_feature: Option<usize>,
    },
}

/// A level that training saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLevel {
    /// Its text.
    pub text: String,
    /// Training rows that have it.
    pub rows: u64,
    /// What became of it.
    pub fate: Fate,
    /// The feature that is 1 for it.
    pub feature: Option<usize>,
}

/// What became of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It has a feature of its own.
    Kept,
    /// It goes without one, as `drop = "first"` asks.
    Dropped,
    /// It shares `(other)`.
    Other,
    /// It is all zeros.
    Ignored,
}

/// What a level that training did not see means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherRule {
    /// It shares `(other)`.
    Group,
    /// It is all zeros.
    Ignore,
    /// It is an error.
    Error,
}

/// What a model scores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelMetrics {
    /// The metric that selected its trial.
    pub select: String,
    /// Means over the held-out rows of the trial's folds.
    pub val: BTreeMap<String, Mean>,
    /// Of the model on the rows it was fitted on.
    pub train: BTreeMap<String, Option<f64>>,
    /// Of the model on the test file, where there is one.
    pub test: Option<BTreeMap<String, Option<f64>>>,
    /// Rows of the test file.
    pub test_rows: Option<u64>,
    /// The test file, as the config names it.
    pub test_files: Vec<String>,
}

/// A mean over folds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
}

impl ModelInfo {
    /// How many of the columns are numbers.
    pub fn numeric_columns(&self) -> usize {
        let is_numeric = |column: &&ModelColumn| matches!(column.shape, Shape::Numeric { .. });
        self.columns.iter().filter(is_numeric).count()
    }

    /// Every feature that the columns name.
    pub(super) fn named_features(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().flat_map(|column| match &column.shape {
            Shape::Numeric { feature, indicator, .. } => {
                std::iter::once(*feature).chain(*indicator).collect::<Vec<_>>()
            }
            Shape::Categorical {
                levels, other_feature, ..
            } => levels
                .iter()
                .filter_map(|level| level.feature)
                .chain(*other_feature)
                .collect(),
        })
    }
}
