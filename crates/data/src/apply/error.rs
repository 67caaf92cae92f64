//! Every way new rows can be wrong for a model.

use std::path::PathBuf;

use crate::error::{DataError, ReaderError, most_similar};

/// Why a model could not be applied. [`ApplyError::hint`] says what to type next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The files cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Columns that the model needs are absent.
    #[error("{file} lacks {} that the model needs: {}", columns_of(.columns.len()), listed(.columns))]
    MissingColumns {
        /// The first file.
        file: String,
        /// The columns, in the model's order.
        columns: Vec<String>,
        /// The most similar column of the file, for the first of them.
        similar: Option<String>,
    },
    /// The column with the labels is absent.
    #[error("{file} has no column \"{column}\", the model's target")]
    NoTarget {
        /// The first file.
        file: String,
        /// The target.
        column: String,
    },
    /// A column has another type than in training.
    #[error("column \"{column}\" of {file} has type {found}; the model was fitted on {expected}")]
    Retyped {
        /// The column.
        column: String,
        /// The file.
        file: String,
        /// Its type in the file.
        found: String,
        /// What it was in training.
        expected: &'static str,
    },
    /// Text in a column of numbers.
    #[error("column \"{column}\" holds {text:?} in row {row} of {file}; the model was fitted on {expected}")]
    NotANumber {
        /// The column.
        column: String,
        /// The cell.
        text: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
        /// What it was in training.
        expected: &'static str,
    },
    /// A level that training did not see, under `other = "error"`.
    #[error(
        "column \"{column}\" holds {level:?} in row {row} of {file}, a level the model was not fitted on, and [preprocess] one_hot.other = \
         \"error\""
    )]
    UnseenLevel {
        /// The column.
        column: String,
        /// The level.
        level: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// A missing number under `impute = "error"`.
    #[error(
        "column \"{column}\" has no value in row {row} of {file}, and the model was fitted with impute = \"error\""
    )]
    MissingValue {
        /// The column.
        column: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// A label that training did not see.
    #[error("target \"{column}\" holds {label:?} in row {row} of {file}; the model knows {known}")]
    UnseenLabel {
        /// The target.
        column: String,
        /// The label.
        label: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
        /// The labels of training.
        known: String,
    },
    /// A row without a label.
    #[error("target \"{column}\" is missing in row {row} of {file}")]
    NullLabel {
        /// The target.
        column: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// A row whose weight is no number of 0 or more.
    #[error(
        "weight \"{column}\" of row {row} of {file} is {}, not a number of 0 or more",
        .value.map_or("missing".to_owned(), |value| value.to_string())
    )]
    BadWeight {
        /// The weight column.
        column: String,
        /// The weight, when it is a number.
        value: Option<f64>,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// The id column has the name of a column that predictions have.
    #[error("the id column \"{column}\" has the name of a column of the predictions")]
    IdName {
        /// The column.
        column: String,
    },
    /// The ending of the output names no format that can be written.
    #[error("{} is neither .parquet nor .csv", path.display())]
    OutputFormat {
        /// The output as given.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot write {}", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The output could not be encoded.
    #[error("cannot write {}", path.display())]
    Encode {
        /// The output.
        path: PathBuf,
        /// What the encoder said.
        source: ReaderError,
    },
}

impl ApplyError {
    /// Whether it is about the output, not about the data.
    pub fn is_of_output(&self) -> bool {
        matches!(self, Self::Write { .. } | Self::Encode { .. })
    }

    /// What to type next, where there is something to type.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Data(error) => return error.hint(),
            Self::MissingColumns { columns, similar, .. } => match similar {
                Some(similar) => format!(
                    "did you mean \"{similar}\"? Columns are matched by name: rename it to \"{}\"",
                    columns[0]
                ),
                None => "columns are matched by name, in any order; gradsweep show SWEEP lists them".to_owned(),
            },
            Self::NoTarget { .. } => "evaluate needs labels; gradsweep predict does not".to_owned(),
            Self::Retyped { .. } => "store it as in the training files".to_owned(),
            Self::NotANumber { text, .. } => {
                format!(
                    "clean the file; texts that mean missing are those of [data] missing in training, and {text:?} is none"
                )
            }
            Self::UnseenLevel { .. } => {
                "leave the row out, or fit the model with [preprocess] one_hot.other = \"group\" or \"ignore\""
                    .to_owned()
            }
            Self::MissingValue { .. } => "leave the row out, or fit the model with impute = \"mean\"".to_owned(),
            Self::UnseenLabel { .. } => "leave such rows out, or fit a model that knows the label".to_owned(),
            Self::NullLabel { .. } => {
                "leave the row out, or fit the model with [data] null_target = \"drop\"".to_owned()
            }
            Self::BadWeight { .. } => {
                "a weight of 0 leaves a row out; without the column every row counts the same".to_owned()
            }
            Self::IdName { .. } => "rename the column".to_owned(),
            Self::OutputFormat { .. } => "end its name in .parquet or .csv".to_owned(),
            Self::Write { .. } | Self::Encode { .. } => return None,
        })
    }

    /// About columns that a file lacks.
    pub(super) fn missing(file: &str, columns: Vec<String>, known: &[(String, polars::prelude::DataType)]) -> Self {
        let names = known.iter().map(|(name, _)| name.as_str());
        let similar = columns.first().and_then(|column| most_similar(column, names));
        Self::MissingColumns {
            file: file.to_owned(),
            columns,
            similar,
        }
    }
}

/// Columns named in a message.
const LISTED: usize = 10;

fn listed(columns: &[String]) -> String {
    let quoted: Vec<String> = columns
        .iter()
        .take(LISTED)
        .map(|column| format!("\"{column}\""))
        .collect();
    let more = columns.len().saturating_sub(LISTED);
    if more > 0 {
        format!("{} and {more} more", quoted.join(", "))
    } else {
        quoted.join(", ")
    }
}

fn columns_of(count: usize) -> String {
    if count == 1 {
        "a column".to_owned()
    } else {
        format!("{count} columns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_columns_are_listed_with_a_guess() {
        let known = vec![("humidty".to_owned(), polars::prelude::DataType::Float64)];
        let error = ApplyError::missing("new.csv", vec!["humidity".into(), "hour".into()], &known);
        assert_eq!(
            error.to_string(),
            "new.csv lacks 2 columns that the model needs: \"humidity\", \"hour\""
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("humidty")));
        let many: Vec<String> = (0..12).map(|i| i.to_string()).collect();
        assert!(
            ApplyError::missing("new.csv", many, &[])
                .to_string()
                .ends_with("\"9\" and 2 more")
        );
    }
}
