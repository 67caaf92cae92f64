//! What to load and how: plain settings with the defaults of the configuration contract.

use std::collections::BTreeMap;

/// Everything [`load`](crate::load) needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadSpec {
    /// Where the rows are.
    pub source: SourceSpec,
    /// Which column is what.
    pub roles: RoleSpec,
    /// How columns become numbers.
    pub encode: EncodeSpec,
    /// Which rows are held out when.
    pub split: SplitSpec,
    /// Seed of the fold assignment and of the dealing of rows.
    pub seed: u64,
    /// Deal the rows of each row group by a seeded permutation; `false` keeps the order of the files.
    pub deal: bool,
    /// Only the first so many rows; `None` = all.
    pub rows: Option<usize>,
}

/// The files and how their text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// Paths, globs or partitioned folders, relative to the working directory. Each glob or folder is sorted by name.
    pub paths: Vec<String>,
    /// CSV texts that are read as null.
    pub missing: Vec<String>,
    /// CSV field separator.
    pub delimiter: u8,
    /// CSV quote; `None` = quotes are ordinary characters.
    pub quote: Option<u8>,
    /// Encoding of CSV text.
    pub encoding: TextEncoding,
}

/// The encoding of CSV text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// ISO 8859-1.
    Latin1,
}

impl Default for SourceSpec {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            missing: ["", "NA", "?"].map(String::from).to_vec(),
            delimiter: b',',
            quote: Some(b'"'),
            encoding: TextEncoding::Utf8,
        }
    }
}

/// Which column plays which part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSpec {
    /// The column to predict.
    pub target: String,
    /// Text of the label that counts as 1; `None` = the greater of the two labels.
    pub positive: Option<String>,
    /// Drop rows without a target instead of refusing them.
    pub drop_null_target: bool,
    /// Column with the weight of each row: weight k counts as the row repeated k times, 0 as the row removed.
    pub weight: Option<String>,
    /// Column whose equal values [`Strategy::Group`] keeps in one fold.
    pub group: Option<String>,
    /// Column with the predefined fold of each row.
    pub fold: Option<String>,
    /// Column that [`Strategy::Time`] orders rows by: numbers, dates or datetimes.
    pub time: Option<String>,
    /// Column that names the row; never a feature.
    pub id: Option<String>,
    /// Feature columns (globs).
    pub include: Vec<String>,
    /// Columns that are not features (globs); wins over `include`.
    pub exclude: Vec<String>,
    /// Column types that override what the file says.
    pub types: BTreeMap<String, ColumnType>,
}

impl Default for RoleSpec {
    fn default() -> Self {
        Self {
            target: String::new(),
            positive: None,
            drop_null_target: false,
            weight: None,
            group: None,
            fold: None,
            time: None,
            id: None,
            include: vec!["*".to_owned()],
            exclude: Vec::new(),
            types: BTreeMap::new(),
        }
    }
}

/// What a column is read as, whatever the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Numbers; text that is not a number is an error.
    Numeric,
    /// Levels, one-hot encoded.
    Categorical,
    /// Dates or datetimes, taken apart into numbers.
    Datetime,
}

/// How columns become numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeSpec {
    /// What stands in for a missing number.
    pub impute: Impute,
    /// Add a 0/1 feature per numeric column with missing values.
    pub indicator: bool,
    /// Subtract the mean and divide by the population standard deviation of the training rows.
    pub standardize: bool,
    /// How levels become columns.
    pub one_hot: OneHotSpec,
}

impl Default for EncodeSpec {
    fn default() -> Self {
        Self {
            impute: Impute::Mean,
            indicator: false,
            standardize: true,
            one_hot: OneHotSpec::default(),
        }
    }
}

/// What stands in for a missing number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impute {
    /// The mean of the fold's training rows.
    Mean,
    /// The median of the fold's training rows; between two values, the mean of both.
    Median,
    /// Zero, in the column's own units.
    Zero,
    /// Nothing: a missing number is an error.
    Error,
}

/// Stored levels above which a column is stored as codes.
///
/// Codes are the faster from some tens of levels on, where a product over 0/1 numbers is mostly zeros; below, the products are
/// so small that they would gain nothing, and small tables keep the bits they always had.
pub const SPARSE_ABOVE: usize = 64;

/// How the levels of a categorical column become 0/1 columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneHotSpec {
    /// Levels with fewer training rows in a fold, counted by their weights, are rare there.
    pub min_frequency: u64,
    /// At most so many features per column, `(other)` included.
    pub max_categories: usize,
    /// What becomes of rare and unseen levels.
    pub other: OtherLevels,
    /// Leave out the first kept level of each fold.
    pub drop_first: bool,
    /// Columns with more stored levels are stored as one code per row instead of a 0/1 number per level.
    pub sparse_above: usize,
}

impl Default for OneHotSpec {
    fn default() -> Self {
        Self {
            min_frequency: 10,
            max_categories: 1000,
            other: OtherLevels::Group,
            drop_first: false,
            sparse_above: SPARSE_ABOVE,
        }
    }
}

/// What becomes of rare and unseen levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherLevels {
    /// They share the feature `(other)`.
    Group,
    /// Their rows are all zeros.
    Ignore,
    /// Rare levels share `(other)`; a level without a training row is an error.
    Error,
}

/// Which rows are held out when.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitSpec {
    /// How rows are assigned.
    pub strategy: Strategy,
    /// Number of folds, for the strategies that do not take it from elsewhere.
    pub folds: usize,
    /// Share of the rows that [`Strategy::Holdout`] holds out.
    pub fraction: f64,
    /// Assign rows by a seeded permutation instead of in file order.
    pub shuffle: bool,
    /// Which of several assignments: each repeat has random numbers of its own, for folds and dealing.
    pub repeat: u32,
}

impl Default for SplitSpec {
    fn default() -> Self {
        Self {
            strategy: Strategy::Stratified,
            folds: 5,
            fraction: 0.2,
            shuffle: true,
            repeat: 0,
        }
    }
}

/// How rows are assigned to folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// K folds with equal shares of each class.
    Stratified,
    /// K folds, whatever the classes.
    KFold,
    /// K folds of nearly equal size; rows of equal value in the `group` column stay in one fold.
    Group,
    /// K folds, each later than the rows that it is trained on; equal values of the `time` column stay together.
    Time,
    /// The folds of the `fold` column.
    Predefined,
    /// One share of the rows is held out once.
    Holdout,
    /// Nothing is held out.
    None,
}

impl Strategy {
    /// The word of the configuration for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stratified => "stratified",
            Self::KFold => "kfold",
            Self::Group => "group",
            Self::Time => "time",
            Self::Predefined => "predefined",
            Self::Holdout => "holdout",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_contract() {
        assert_eq!(SourceSpec::default().missing, ["", "NA", "?"]);
        assert_eq!(RoleSpec::default().include, ["*"]);
        assert_eq!(OneHotSpec::default().min_frequency, 10);
        assert_eq!(SplitSpec::default().folds, 5);
    }
}
