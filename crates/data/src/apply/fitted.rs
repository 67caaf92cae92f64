//! What a fitted model knows of each column.

use crate::spec::OtherLevels;

/// A column that a model needs.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedColumn {
    /// Its name.
    pub name: String,
    /// Training rows without a value.
    pub nulls: u64,
    /// How it becomes features.
    pub shape: FittedShape,
}

/// How a column becomes features.
#[derive(Debug, Clone, PartialEq)]
pub enum FittedShape {
    /// A number.
    Numeric(FittedNumber),
    /// One of its levels.
    Categorical(FittedLevels),
}

/// A numeric column: `(x − mean) / scale`, with `impute` in place of a missing x.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedNumber {
    /// Its feature.
    pub feature: usize,
    /// The feature that is 1 where there is no value.
    pub indicator: Option<usize>,
    /// It was true or false in the training files.
    pub is_boolean: bool,
    /// `[data] types` asks to parse its text as numbers.
    pub is_text: bool,
    /// A row without a value is refused.
    pub refuses_null: bool,
    /// Stands for a missing value, in original units.
    pub impute: f64,
    /// Subtracted, in original units.
    pub mean: f64,
    /// Divides, in original units.
    pub scale: f64,
}

/// A categorical column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittedLevels {
    /// The levels that training saw, in the order of their texts; a null is the level `(missing)`.
    pub levels: Vec<FittedLevel>,
    /// What a level that training did not see means.
    pub other: OtherLevels,
    /// The feature `(other)`, where there is one.
    pub other_feature: Option<usize>,
}

/// A level that training saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittedLevel {
    /// Its text.
    pub text: String,
    /// Training rows that have it.
    pub rows: u64,
    /// What became of it.
    pub fate: LevelFate,
    /// The feature that is 1 for it.
    pub feature: Option<usize>,
}

/// What became of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelFate {
    /// It has a feature of its own.
    Kept,
    /// It goes without one, as `drop = "first"` asks.
    Dropped,
    /// It shares `(other)`.
    Other,
    /// It is all zeros.
    Ignored,
}
