//! What to type next.

use super::kinds::DataError;

impl DataError {
    /// What to type next, where there is something to type.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoPaths => "set [data] train to a path, a list of paths or a glob".to_owned(),
            Self::FileNotFound { similar, .. } => match similar {
                Some(similar) => format!("did you mean {similar}?"),
                None => "paths are relative to the working directory".to_owned(),
            },
            Self::GlobWithoutMatch { .. } => {
                "globs are relative to the working directory; * does not cross folders".to_owned()
            }
            Self::IsFolder { path } => format!(
                "name its files, as \"{}/*.parquet\"; a folder is read whole when its folders are named as year=2013",
                path.trim_end_matches('/')
            ),
            Self::PartitionsDiffer { .. } => {
                "put all files below folders of the same names, as year=2013/month=1/part.parquet".to_owned()
            }
            Self::NotRegular { .. } => "data is read more than once: write it to a file first".to_owned(),
            Self::SameFile { .. } => "give each file once in [data] train: its rows would count twice".to_owned(),
            Self::RaggedRow { found: 0, .. } => "delete the blank line".to_owned(),
            Self::RaggedRow { .. } => {
                "give every row the header's fields; a field that holds the delimiter or a line end goes in quotes"
                    .to_owned()
            }
            Self::OpenQuote { .. } | Self::RowsDisagree { .. } => {
                "close it at the end of the field, and double quotes inside a quoted field; if quotes are ordinary \
                 characters in this file, put every field that has one in quotes"
                    .to_owned()
            }
            Self::NotText { found, .. } if found.starts_with("begins a gzip") => {
                "name it .csv.gz to have it unpacked".to_owned()
            }
            Self::NotText { found, .. } if found.starts_with("begins a zstd") => {
                "name it .csv.zst to have it unpacked".to_owned()
            }
            Self::NotText { found, .. } if found.starts_with("begins a") => {
                "unpack or convert it to a CSV in UTF-8".to_owned()
            }
            Self::NotText { found, .. } if found.contains("zero") || found.contains("UTF-16") => {
                "save it as UTF-8, as with iconv -f UTF-16 -t UTF-8".to_owned()
            }
            Self::NotText { .. } => {
                "set [data] csv = { encoding = \"latin1\" } if it is Latin-1, or save it as UTF-8".to_owned()
            }
            Self::LongRecord { .. } => "a quote or a line end is missing, or it is no CSV".to_owned(),
            Self::Damaged { file, .. } if is_csv(file) => {
                "get the file anew, or unpack as much of it as there is".to_owned()
            }
            Self::Damaged { .. } => "the file may be cut off or unfinished: write it again".to_owned(),
            Self::Encrypted { .. } => "decrypt it first: gradsweep has no keys".to_owned(),
            Self::FileChanged { .. } => "wait until it is written, and give it its name when it is complete".to_owned(),
            Self::ReservedFeature { feature } => format!("rename the column, or add \"{feature}\" to [data] exclude"),
            Self::UnknownFormat { .. } => "convert it to .parquet or .csv, or give it its ending".to_owned(),
            Self::MixedFormats { .. } => "give files of one format".to_owned(),
            Self::Unreadable { file, .. } if is_csv(file) => {
                "check [data] csv = { delimiter, quote }; text must be UTF-8".to_owned()
            }
            Self::Unreadable { .. } => "the file may be damaged or unfinished: write it again".to_owned(),
            Self::UnknownType { .. } => {
                "write the file again without it, or as numbers of 32 or 64 bits, text or bool".to_owned()
            }
            Self::WrongDelimiter { likely, .. } => {
                format!("set [data] csv = {{ delimiter = \"{}\" }}", likely.escape_default())
            }
            Self::EmptyFile { .. } | Self::NoRows { .. } => "give a file with rows".to_owned(),
            Self::TooManyRows { .. } => "train on part of them: --rows N takes the first N".to_owned(),
            Self::TooManyLevels { .. } => {
                "keep fewer levels: [preprocess.one_hot] max_categories or min_frequency".to_owned()
            }
            Self::DuplicateColumns { .. } => "rename them in the header".to_owned(),
            Self::SchemaDiffers { .. } => "files read together need the same columns and types".to_owned(),
            Self::ColumnNotFound { similar, .. } | Self::PatternWithoutMatch { similar, .. } => {
                format!("did you mean \"{}\"?", similar.as_ref()?)
            }
            Self::TwoRoles { column, .. } => format!("give \"{column}\" one role"),
            Self::UnsupportedType {
                column,
                part: "feature",
                dtype,
                ..
            } if dtype.starts_with("date") => format!(
                "set [data] types = {{ {column} = \"datetime\" }} to take it apart into numbers, or add it to exclude"
            ),
            Self::UnsupportedType {
                column,
                part: "feature",
                ..
            } => {
                format!("add \"{column}\" to [data] exclude, or store it as numbers or text")
            }
            Self::UnsupportedType { part: "datetime", .. } => {
                "store it as dates, datetimes or text as 2013-01-31T05:00:00".to_owned()
            }
            Self::UnsupportedType { part: "weight", .. } => "store it as numbers".to_owned(),
            Self::UnsupportedType { part: "time", .. } => "store it as numbers, dates or datetimes".to_owned(),
            Self::UnsupportedType { .. } => "store it as text, bool or whole numbers".to_owned(),
            Self::NoFeatures { .. } => {
                "check [data] include and exclude; a skipped column is taken when include names it".to_owned()
            }
            Self::NullTarget { .. } => "drop these rows with [data] null_target = \"drop\"".to_owned(),
            Self::OneClass { .. } => "a classifier needs rows of two classes".to_owned(),
            Self::ManyClasses { classes, .. } => format!(
                "pick the class that counts as 1 against the rest, as [data] positive = \"{}\"",
                classes.last().map_or("", |(class, _)| class)
            ),
            Self::PositiveNotFound { positive, classes, .. } => {
                let labels = classes.iter().map(|(label, _)| label.as_str());
                format!("set [data] positive = \"{}\"", most_similar(positive, labels)?)
            }
            Self::TargetNotClass { .. } => {
                "make it a class first: gradsweep classifies, it does not regress".to_owned()
            }
            Self::Infinite { column, .. } => format!(
                "list \"{column}\" under [data] exclude, or clean the file; NaN and nulls are imputed, infinities are not"
            ),
            Self::MissingValue { .. } => "set [preprocess] impute = \"mean\", \"median\" or \"zero\"".to_owned(),
            Self::NotANumber { text, column, .. } => {
                format!("add \"{text}\" to [data] missing, or set types = {{ {column} = \"categorical\" }}")
            }
            Self::ReservedLevel { column, .. } => {
                format!("rename the level, or add \"{column}\" to [data] exclude")
            }
            Self::DuplicateFeature { .. } => "rename one of the columns".to_owned(),
            Self::UnseenLevel { .. } => "set [preprocess] one_hot.other = \"group\" or \"ignore\"".to_owned(),
            Self::NoRoleColumn { role, .. } => format!("set [data] {role} = \"<the column with each row's {role}>\""),
            Self::NullRole { role, .. } => format!("give every row a {role}"),
            Self::BadWeight { .. } => {
                "give every row a weight of 0 or more; 0 leaves it out of all statistics, fits and scores".to_owned()
            }
            Self::NotADate { column, .. } => format!(
                "write dates as 2013-01-31, with a time of day as 2013-01-31T05:00:00; what means missing goes into [data] \
                 missing; or leave \"{column}\" out of types"
            ),
            Self::NotATime { .. } => "write dates as 2013-01-31, with a time of day as 2013-01-31T05:00:00".to_owned(),
            Self::TooFewGroups { groups, .. } if *groups >= 2 => format!("set [validation] folds = {groups} or fewer"),
            Self::TooFewGroups { .. } => "a held-out group needs another to train on".to_owned(),
            Self::TooFewTimes { times, .. } if *times > 2 => {
                format!("set [validation] folds = {} or fewer", times - 1)
            }
            Self::TooFewTimes { .. } => "a fold is trained on the times before its own".to_owned(),
            Self::TooFewFolds { .. } => "set [validation] folds = 2 or more".to_owned(),
            Self::TooManyFolds { rows, .. } => {
                format!("set [validation] folds = {} or fewer", (*rows).clamp(2, 10))
            }
            Self::ClassSmallerThanFolds { rows, .. } if *rows >= 2 => {
                format!("set [validation] folds = {rows}")
            }
            Self::ClassSmallerThanFolds { .. } => "get more rows of that class".to_owned(),
            Self::FoldWithOneClass { .. } => {
                "take fewer folds, or strategy = \"stratified\", which gives every fold both classes".to_owned()
            }
            Self::FoldWithoutWeight { .. } => "give some of them a weight above 0".to_owned(),
            Self::EmptyFold { .. } => "change [validation] fraction, or give more rows".to_owned(),
            Self::Cache { .. } => {
                "make room there, point XDG_CACHE_HOME elsewhere, or raise [run] memory_limit".to_owned()
            }
            Self::OutOfMemory { .. } => "set [run] memory_limit to less, or take fewer rows with --rows N".to_owned(),
            Self::BadGlob { .. } | Self::Io { .. } => return None,
        };
        Some(hint)
    }
}

fn is_csv(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    [".csv", ".csv.gz", ".csv.zst"]
        .iter()
        .any(|ending| file.ends_with(ending))
}

/// The candidate most like `name`, when one is near enough to be meant.
pub(crate) fn most_similar<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    candidates
        .map(|c| (strsim::jaro_winkler(&lower, &c.to_lowercase()), c))
        .filter(|(similarity, _)| *similarity >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, c)| c.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_suggested_and_a_far_one_is_not() {
        let names = ["late", "carrier", "temp"];
        assert_eq!(most_similar("Latte", names.into_iter()).as_deref(), Some("late"));
        assert_eq!(most_similar("zzz", names.into_iter()), None);
    }

    #[test]
    fn many_classes_are_listed_with_counts() {
        let error = DataError::ManyClasses {
            column: "y".into(),
            classes: vec![("a".into(), 3), ("b".into(), 4), ("c".into(), 5)],
        };
        assert_eq!(
            error.to_string(),
            "target \"y\" has 3 classes: \"a\" (3), \"b\" (4), \"c\" (5)"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("positive = \"c\"")));
    }
}
