//! Every way data can be wrong, with its message.

use std::fmt::Write as _;

use super::reader::ReaderError;

/// Why data could not be loaded. [`DataError::hint`] says what to type next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// No path was given.
    #[error("no data file is given")]
    NoPaths,
    /// A path that does not exist.
    #[error("there is no file {path}")]
    FileNotFound {
        /// The path as written.
        path: String,
        /// A file of the same folder with a similar name.
        similar: Option<String>,
    },
    /// A glob that matches nothing.
    #[error("no file matches {pattern}")]
    GlobWithoutMatch {
        /// The glob as written.
        pattern: String,
    },
    /// A glob that cannot be parsed.
    #[error("{pattern} is not a valid glob")]
    BadGlob {
        /// The glob as written.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
    /// A folder that is neither a file nor partitioned.
    #[error("{path} is a folder")]
    IsFolder {
        /// The path as written.
        path: String,
    },
    /// Files of a partitioned folder whose folders name other columns.
    #[error("{file} lies in folders of {}, unlike {first} in folders of {}", named(.found), named(.expected))]
    PartitionsDiffer {
        /// The file that differs.
        file: String,
        /// The columns that its folders name.
        found: Vec<String>,
        /// The first file.
        first: String,
        /// The columns that its folders name.
        expected: Vec<String>,
    },
    /// A pipe, socket or device where a file was expected.
    #[error("{path} is not a regular file")]
    NotRegular {
        /// The path.
        path: String,
    },
    /// One file under two names, or twice under one.
    #[error("{}", if .first == .second { format!("{first} is given twice") } else { format!("{first} and {second} are the same file") })]
    SameFile {
        /// Its first name.
        first: String,
        /// Its second name.
        second: String,
    },
    /// A file whose ending names no format that can be read.
    #[error("{file} is neither .parquet, .arrow nor .csv (.csv.gz, .csv.zst)")]
    UnknownFormat {
        /// The file.
        file: String,
    },
    /// Files of several formats in one list.
    #[error("{first} and {second} have different formats")]
    MixedFormats {
        /// The first file.
        first: String,
        /// The first file of another format.
        second: String,
    },
    /// The operating system refused to read.
    #[error("cannot read {file}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of the cache of prepared rows could not be made.
    #[error("cannot {action} {}, the cache of prepared rows", path.display())]
    Cache {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The system has no memory for the matrix.
    #[error("no memory for {bytes} bytes of prepared rows")]
    OutOfMemory {
        /// Bytes of the matrix.
        bytes: usize,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The content is not what the format asks for.
    #[error("cannot read {file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader said.
        #[source]
        source: ReaderError,
    },
    /// A file that contradicts itself or breaks off.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong, as far as it can be told.
        what: String,
    },
    /// A Parquet file with an encrypted footer.
    #[error("{file} is encrypted")]
    Encrypted {
        /// The file.
        file: String,
    },
    /// A file that is written to while it is read.
    #[error("{file} changed while it was read")]
    FileChanged {
        /// The file.
        file: String,
    },
    /// A CSV record that does not end.
    #[error("{} of {file} is longer than {} MiB", row_or_header(*.row), .bytes >> 20)]
    LongRecord {
        /// The file.
        file: String,
        /// Row, 1-based; 0 for the header.
        row: usize,
        /// Bytes that a record may have.
        bytes: usize,
    },
    /// A column of a type that the reader does not know, which keeps the whole file from being read.
    #[error("cannot read {file}: column \"{column}\" has type {dtype}")]
    UnknownType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type in the file.
        dtype: String,
    },
    /// A CSV row with more or fewer fields than the header.
    #[error("row {row} of {file} has {}, and the header has {expected}", fields(*.found))]
    RaggedRow {
        /// The file.
        file: String,
        /// Row, 1-based below the header; a quoted line end does not begin a row.
        row: usize,
        /// Fields in the row; 0 for a blank line.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A CSV quote that is not closed, or opened inside a field.
    #[error("{} of {file} has a quote that is not closed in its field", row_or_header(*.row))]
    OpenQuote {
        /// The file.
        file: String,
        /// Row, 1-based; 0 for the header.
        row: usize,
    },
    /// A CSV with bytes that are no text.
    #[error("{file} is not UTF-8 text: byte {byte}, in {}, {found}", row_or_header(*.row))]
    NotText {
        /// The file.
        file: String,
        /// Row of the byte, 1-based; 0 for the header.
        row: usize,
        /// Place of the byte in the file, from 0.
        byte: u64,
        /// What the byte is, as `is not UTF-8`.
        found: &'static str,
    },
    /// Rows that two ways of reading a CSV count differently.
    #[error("{file} is ambiguous: it has {counted} rows by its line ends and {parsed} by its fields")]
    RowsDisagree {
        /// The file.
        file: String,
        /// Rows counted before parsing.
        counted: usize,
        /// Rows parsed.
        parsed: usize,
    },
    /// A CSV header of one column that another delimiter would split.
    #[error("{file} has one column, \"{header}\": its delimiter is not {delimiter:?}")]
    WrongDelimiter {
        /// The file.
        file: String,
        /// The header.
        header: String,
        /// The delimiter in use.
        delimiter: char,
        /// The one it probably has.
        likely: char,
    },
    /// A file of zero bytes.
    #[error("{file} is empty")]
    EmptyFile {
        /// The file.
        file: String,
    },
    /// A header and nothing below it.
    #[error("{} no rows", .files.join(", ") + if .files.len() == 1 { " has" } else { " have" })]
    NoRows {
        /// The files.
        files: Vec<String>,
    },
    /// More rows than row numbers.
    #[error("{rows} rows are more than the {} that can be numbered", u32::MAX - 1)]
    TooManyRows {
        /// Rows in all files.
        rows: usize,
    },
    /// More levels than codes can tell apart.
    #[error("column \"{column}\" brings the levels of all columns to {levels}; at most {most} can be stored")]
    TooManyLevels {
        /// The column that is one too many.
        column: String,
        /// Levels of it and of the columns before it.
        levels: usize,
        /// What can be stored.
        most: usize,
    },
    /// Column names that occur twice in a header.
    #[error("{file} has columns of the same name: {}", quoted(.columns))]
    DuplicateColumns {
        /// The file.
        file: String,
        /// Each repeated name once.
        columns: Vec<String>,
    },
    /// A file whose columns are not those of the first file.
    #[error("{file} {difference} column \"{column}\", unlike {first}")]
    SchemaDiffers {
        /// The file that differs.
        file: String,
        /// The first file.
        first: String,
        /// The column.
        column: String,
        /// `lacks`, `has the extra`, or `has another type (..) of`.
        difference: String,
    },
    /// A column that a setting names and the files do not have.
    #[error("there is no column \"{column}\" ({setting})")]
    ColumnNotFound {
        /// The name as written.
        column: String,
        /// The setting that names it, as `[data] target`.
        setting: String,
        /// The most similar column.
        similar: Option<String>,
    },
    /// An include or exclude glob that matches no column.
    #[error("[data] {setting} \"{pattern}\" matches no column")]
    PatternWithoutMatch {
        /// `include` or `exclude`.
        setting: &'static str,
        /// The glob as written.
        pattern: String,
        /// The most similar column.
        similar: Option<String>,
    },
    /// One column in two roles.
    #[error("column \"{column}\" is both [data] {first} and [data] {second}")]
    TwoRoles {
        /// The column.
        column: String,
        /// One role.
        first: &'static str,
        /// The other role.
        second: &'static str,
    },
    /// A type that cannot become numbers.
    #[error("column \"{column}\" of {file} has type {dtype}, which cannot be a {part}")]
    UnsupportedType {
        /// The column.
        column: String,
        /// The file.
        file: String,
        /// Its type in the file.
        dtype: String,
        /// `feature`, or the column's role.
        part: &'static str,
    },
    /// No feature is left.
    #[error("no feature column is left ({} skipped)", .skipped.len())]
    NoFeatures {
        /// Columns that were left out by themselves.
        skipped: Vec<String>,
    },
    /// Rows without a target.
    #[error("target \"{column}\" is missing in {count} of {rows} rows, first in row {row} of {file}")]
    NullTarget {
        /// The target column.
        column: String,
        /// Rows without a target.
        count: usize,
        /// Rows read.
        rows: usize,
        /// First such row, 1-based in its file.
        row: usize,
        /// File of that row.
        file: String,
    },
    /// A target with one label.
    #[error("target \"{column}\" has one class only: \"{class}\" in all {rows} rows")]
    OneClass {
        /// The target column.
        column: String,
        /// The only label.
        class: String,
        /// Rows with a target.
        rows: u64,
    },
    /// A target with three or more labels and no `positive`.
    #[error("target \"{column}\" has {} classes: {}", .classes.len(), counted(.classes))]
    ManyClasses {
        /// The target column.
        column: String,
        /// Labels with their rows.
        classes: Vec<(String, u64)>,
    },
    /// The positive label does not occur.
    #[error("positive = \"{positive}\" is not a label of \"{column}\"; its labels are {}", counted(.classes))]
    PositiveNotFound {
        /// The target column.
        column: String,
        /// The label as written.
        positive: String,
        /// Labels with their rows.
        classes: Vec<(String, u64)>,
    },
    /// A target number that is not whole.
    #[error("target \"{column}\" holds {value} in row {row} of {file}: a class is a text, a bool or a whole number")]
    TargetNotClass {
        /// The target column.
        column: String,
        /// The number.
        value: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// An infinite feature value.
    #[error("column \"{column}\" holds {value} in row {row} of {file}")]
    Infinite {
        /// The column.
        column: String,
        /// `inf` or `-inf`.
        value: f64,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// A missing number under `impute = "error"`.
    #[error("column \"{column}\" has no value in row {row} of {file}, and [preprocess] impute = \"error\"")]
    MissingValue {
        /// The column.
        column: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// Text in a column declared numeric.
    #[error("column \"{column}\" holds \"{text}\" in row {row} of {file}, and [data] types says it is numeric")]
    NotANumber {
        /// The column.
        column: String,
        /// The cell.
        text: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// Text in a column declared datetime that is no date.
    #[error("column \"{column}\" holds {text:?} in row {row} of {file}, and [data] types says it is a datetime")]
    NotADate {
        /// The column.
        column: String,
        /// The cell.
        text: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// A level whose text is a name that encoding gives.
    #[error("column \"{column}\" has a level named {level}, the name that encoding gives to {meaning}")]
    ReservedLevel {
        /// The column.
        column: String,
        /// `(other)` or `(missing)`.
        level: String,
        /// What that name stands for.
        meaning: &'static str,
    },
    /// Two features of one name.
    #[error("two features would be named \"{feature}\"")]
    DuplicateFeature {
        /// The name.
        feature: String,
    },
    /// A feature with a name that the model gives.
    #[error("a feature would be named \"{feature}\", the name of the model's intercept")]
    ReservedFeature {
        /// The name.
        feature: String,
    },
    /// A level without training rows under `other = "error"`.
    #[error("level \"{level}\" of column \"{column}\" occurs in held-out rows of fold {fold} only")]
    UnseenLevel {
        /// The column.
        column: String,
        /// The level.
        level: String,
        /// The fold's label.
        fold: String,
    },
    /// A strategy without the column that it goes by.
    #[error("[validation] strategy = \"{strategy}\" needs [data] {role}")]
    NoRoleColumn {
        /// The strategy.
        strategy: &'static str,
        /// `group`, `fold` or `time`.
        role: &'static str,
    },
    /// Rows without what their fold follows from.
    #[error("{role} column \"{column}\" is missing in {count} {}, first in row {row} of {file}", row_noun(*.count))]
    NullRole {
        /// `group`, `fold` or `time`.
        role: &'static str,
        /// The column.
        column: String,
        /// Rows without a value.
        count: usize,
        /// First such row, 1-based in its file.
        row: usize,
        /// File of that row.
        file: String,
    },
    /// A weight that is no finite number of 0 or more.
    #[error(
        "weight column \"{column}\" is missing, negative, infinite or no number in {count} of {rows} {}, first in row \
         {row} of {file}{}",
        row_noun(*.rows),
        .value.map_or(String::new(), |value| format!(" ({value})"))
    )]
    BadWeight {
        /// The weight column.
        column: String,
        /// The first such weight, when it is a number.
        value: Option<f64>,
        /// Rows with such a weight.
        count: usize,
        /// Rows read.
        rows: usize,
        /// First such row, 1-based in its file.
        row: usize,
        /// File of that row.
        file: String,
    },
    /// Text in the time column that is no date.
    #[error("time column \"{column}\" holds \"{text}\" in row {row} of {file}, which is neither a number nor a date")]
    NotATime {
        /// The time column.
        column: String,
        /// The cell.
        text: String,
        /// Row, 1-based in its file.
        row: usize,
        /// File of the row.
        file: String,
    },
    /// Fewer groups than folds.
    #[error("column \"{column}\" has {groups} {}, fewer than the {folds} folds", if *.groups == 1 { "group" } else { "groups" })]
    TooFewGroups {
        /// The group column.
        column: String,
        /// Its different values.
        groups: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Too few different times for the folds.
    #[error("column \"{column}\" has {times} different {}, and {folds} folds need {} or more", if *.times == 1 { "time" } else { "times" }, folds + 1)]
    TooFewTimes {
        /// The time column.
        column: String,
        /// Its different values.
        times: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Fewer than two folds.
    #[error("{folds} {} not enough: a held-out fold needs another to train on", if *.folds == 1 { "fold is" } else { "folds are" })]
    TooFewFolds {
        /// Folds found or asked for.
        folds: usize,
    },
    /// More folds than row groups can be numbered or than rows.
    #[error("{folds} folds are too many for {rows} rows")]
    TooManyFolds {
        /// Folds found or asked for.
        folds: usize,
        /// Rows with a target.
        rows: usize,
    },
    /// A class with fewer rows than folds.
    #[error("class \"{class}\" of \"{column}\" has {rows} {}, fewer than the {folds} folds", row_noun(*.rows as usize))]
    ClassSmallerThanFolds {
        /// The target column.
        column: String,
        /// The label.
        class: String,
        /// Rows of the class.
        rows: u64,
        /// Folds asked for.
        folds: usize,
    },
    /// A fold that is trained on one class.
    #[error("the training rows of fold {fold} have one class only: \"{class}\"{}", if *.is_weighted { " (a row of weight 0 does not count)" } else { "" })]
    FoldWithOneClass {
        /// The fold's label.
        fold: String,
        /// The only label there.
        class: String,
        /// Whether rows have weights.
        is_weighted: bool,
    },
    /// A side of a fold whose rows all have weight 0.
    #[error("all {side} rows of fold {fold} have weight 0 in \"{column}\"")]
    FoldWithoutWeight {
        /// The fold's label.
        fold: String,
        /// `training` or `held-out`.
        side: &'static str,
        /// The weight column.
        column: String,
    },
    /// A side of a fold without rows.
    #[error("fold {fold} has no {side} rows")]
    EmptyFold {
        /// The fold's label.
        fold: String,
        /// `training` or `held-out`.
        side: &'static str,
    },
}

/// `"year", "month"`, or that there is none.
fn named(columns: &[String]) -> String {
    if columns.is_empty() {
        "no column".to_owned()
    } else {
        quoted(columns)
    }
}

fn row_noun(count: usize) -> &'static str {
    if count == 1 { "row" } else { "rows" }
}

fn fields(found: usize) -> String {
    match found {
        0 => "no fields (a blank line)".to_owned(),
        1 => "1 field".to_owned(),
        _ => format!("{found} fields"),
    }
}

fn row_or_header(row: usize) -> String {
    if row == 0 {
        "the header".to_owned()
    } else {
        format!("row {row}")
    }
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `"a" (3), "b" (5)`, at most ten of them.
fn counted(classes: &[(String, u64)]) -> String {
    let mut text = String::new();
    for (i, (class, count)) in classes.iter().take(10).enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}\"{class}\" ({count})");
    }
    if classes.len() > 10 {
        text.push_str(", …");
    }
    text
}
