//! `[data]`: the files, and what their columns are for.

use std::collections::BTreeMap;

use super::key::{Format, Kind, Spec, choices, settings};

settings! {
    /// The files, and what their columns are for.
    pub DataConfig {
        /// Files to learn from, relative to the working directory: a path, a glob, a hive-partitioned folder, or a list of
        /// them. Globs and folders are sorted by name: the order of rows is part of the result. Formats: .parquet, .arrow,
        /// .csv, .csv.gz, .csv.zst.
        train "train": Vec<String> = Spec::of(Kind::OneOrMore(&Kind::Text), "\"data/flights.parquet\"").required();
        /// Files scored once, by the selected model.
        test "test": Vec<String> =
            Spec::of(Kind::OneOrMore(&Kind::Text), "\"data/flights-test.parquet\"").default("[]");
        /// The column to predict.
        target "target": String = Spec::of(Kind::Text, "\"late\"").required();
        /// The label that counts as 1. Default: the greater of the two labels in sort order.
        positive "positive": Option<String> = Spec::of(Kind::Label, "\"yes\"");
        /// What to do with a row that has no target.
        null_target "null_target": NullTarget = Spec::of(Kind::Choice(NullTarget::CHOICES), "\"drop\"").default("\"error\"");
        /// The column of row weights, in statistics, fits and scores: weight k counts as the row repeated k times.
        weight "weight": Option<String> = Spec::of(Kind::Text, "\"w\"");
        /// The column whose equal values stay in one fold, for strategy "group".
        group "group": Option<String> = Spec::of(Kind::Text, "\"household\"");
        /// The column of fold labels, for strategy "predefined".
        fold "fold": Option<String> = Spec::of(Kind::Text, "\"fold_id\"");
        /// The column that orders rows in time, for strategy "time": numbers, dates or datetimes.
        time "time": Option<String> = Spec::of(Kind::Text, "\"date\"");
        /// The column that names a row; it is carried into predictions and is never a feature.
        id "id": Option<String> = Spec::of(Kind::Text, "\"row_id\"");
        /// Globs of the feature columns.
        include "include": Vec<String> = Spec::of(Kind::List(&Kind::Text, 1), "[\"num_*\"]").default("[\"*\"]");
        /// Globs of columns that are not features.
        exclude "exclude": Vec<String> = Spec::of(Kind::List(&Kind::Text, 0), "[\"*_raw\"]").default("[]");
        /// Column types that override what the files say.
        types "types": BTreeMap<String, ColumnType> =
            Spec::of(Kind::Map(&Kind::Choice(ColumnType::CHOICES)), "{ zip = \"categorical\" }").default("{}");
        /// Texts that a CSV file means as missing. (NaN in a feature is missing, too.)
        missing "missing": Vec<String> =
            Spec::of(Kind::List(&Kind::AnyText, 0), "[\"\", \"-\"]").default("[\"\", \"NA\", \"?\"]");
        /// How CSV files are written.
        csv "csv": Csv = Spec::table(Csv::KEYS);
    }
}

settings! {
    /// How CSV files are written.
    pub Csv {
        /// The character between two cells.
        delimiter "delimiter": char = Spec::of(Kind::Formatted(DELIMITER), "\";\"").default("\",\"");
        /// The character around a cell; empty for none.
        quote "quote": Option<char> = Spec::of(Kind::Formatted(QUOTE), "\"'\"").default("'\"'");
        /// The encoding of the text.
        encoding "encoding": TextEncoding = Spec::of(Kind::Choice(TextEncoding::CHOICES), "\"latin1\"").default("\"utf8\"");
    }
}

choices! {
    /// What to do with a row that has no target.
    pub NullTarget {
        /// Stop, naming the row.
        Error "error";
        /// Leave the row out, and count it.
        Drop "drop";
    }
}

choices! {
    /// What a column holds.
    pub ColumnType {
        /// Numbers.
        Numeric "numeric";
        /// Levels without order.
        Categorical "categorical";
        /// Dates or datetimes, taken apart into numbers (in UTC): `when.year`, `.month`, `.day`, `.weekday` (1 = Monday), and
        /// with a time of day `.hour`, `.minute`, `.second`.
        Datetime "datetime";
    }
}

choices! {
    /// The encoding of a text file.
    pub TextEncoding {
        /// UTF-8.
        Utf8 "utf8";
        /// ISO 8859-1.
        Latin1 "latin1";
    }
}

const DELIMITER: Format = Format {
    what: "one ASCII character",
    check: |text| (!is_ascii_character(text)).then(|| format!("found {} characters", text.chars().count())),
};

const QUOTE: Format = Format {
    what: "one ASCII character, or \"\" for none",
    check: |text| (!text.is_empty() && !is_ascii_character(text)).then(|| "not one ASCII character".to_owned()),
};

fn is_ascii_character(text: &str) -> bool {
    text.len() == 1 && text.is_ascii() && text != "\n" && text != "\r"
}
