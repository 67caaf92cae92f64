//! What was loaded, for the user to read.

use std::fmt;

/// What was loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The files in the order they were read.
    pub files: Vec<String>,
    /// Rows loaded, without the dropped ones.
    pub rows: usize,
    /// Rows dropped for want of a target.
    pub rows_dropped: usize,
    /// Feature columns in file order.
    pub columns: Vec<ColumnSummary>,
    /// Columns that were left out by themselves.
    pub skipped: Vec<Skipped>,
    /// The target.
    pub target: TargetSummary,
    /// The weights, when rows have them.
    pub weight: Option<WeightSummary>,
    /// What the user should look at, in whole sentences.
    pub warnings: Vec<String>,
    /// BLAKE3 of names, kinds and values in row order, in hex. It does not depend on the number of files, row
    /// groups or format, on folds or on the order rows are dealt in.
    pub fingerprint: String,
    /// Wall time of loading.
    pub read_seconds: f64,
}

/// One feature column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub kind: ColumnKind,
    /// Rows without a value.
    pub nulls: u64,
    /// Features made from it.
    pub width: usize,
    /// Mean of the observed values of all rows; `None` for levels and columns without a value.
    pub mean: Option<f64>,
    /// Population standard deviation of the observed values of all rows.
    pub std: Option<f64>,
    /// Distinct levels, `(missing)` included; 0 for numbers.
    pub levels: usize,
}

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// True and false as 1 and 0.
    Boolean,
    /// One-hot encoded levels.
    Categorical,
}

impl ColumnKind {
    /// The kind as a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Boolean => "boolean",
            Self::Categorical => "categorical",
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A column that was left out by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub column: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a column was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// Text that is different in every row says which row it is, not what the row is like.
    OneValuePerRow,
    /// A date, time or duration is no number by itself.
    Date,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneValuePerRow => "one value per row",
            Self::Date => "a date or time",
        })
    }
}

/// The target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSummary {
    /// Its column.
    pub name: String,
    /// The label that counts as 1.
    pub positive: String,
    /// The label that counts as 0; `not <positive>` when there are more than two.
    pub negative: String,
    /// Rows that count as 1.
    pub positives: u64,
    /// All rows.
    pub rows: u64,
}

/// The column of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightSummary {
    /// Its name.
    pub name: String,
    /// Sum over all rows.
    pub sum: f64,
    /// Rows of weight 0: they are left out of statistics, fits and scores.
    pub zeros: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_reasons_are_written_for_a_list() {
        assert_eq!(ColumnKind::Categorical.to_string(), "categorical");
        assert_eq!(SkipReason::OneValuePerRow.to_string(), "one value per row");
    }
}
