//! Bad input: each is an error that names file, column and row, and says what to do.

use gradsweep_data::{ColumnType, DataError, Impute, LoadSpec, OtherLevels, Strategy, load};
use polars::prelude::*;

use crate::files::{Folder, load_text, message, spec, table};

/// The error of loading a CSV: its message and its hint.
fn refused(text: &str, change: impl FnOnce(&mut LoadSpec)) -> (String, String) {
    let error = load_text(text, change).expect_err("it must be refused");
    (message(&error), error.hint().unwrap_or_default())
}

fn yes_no(row: usize) -> &'static str {
    if row.is_multiple_of(2) { "no" } else { "yes" }
}

fn good() -> String {
    table("x,y", 12, |row| format!("{row},{}", yes_no(row * row / 3)))
}

#[test]
fn files_without_rows() {
    let (text, _) = refused("", |_| {});
    assert_eq!(text, "a.csv is empty");
    let (text, _) = refused("x,y\n", |_| {});
    assert_eq!(text, "a.csv has no rows");
    let frame = df!("x" => Vec::<f64>::new(), "y" => Vec::<bool>::new()).unwrap();
    let folder = Folder::new();
    let path = folder.parquet("e.parquet", &frame, 10);
    assert!(matches!(load::<f32>(&spec(&[path])), Err(DataError::NoRows { .. })));
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::new();
    folder.text("flights.csv", &good());
    let missing = load::<f32>(&spec(&[folder.path("flight.csv")])).unwrap_err();
    assert_eq!(message(&missing), "there is no file flight.csv");
    assert!(missing.hint().unwrap().ends_with("flights.csv?"));
    let glob = load::<f32>(&spec(&[folder.path("z*.csv")])).unwrap_err();
    assert_eq!(message(&glob), "no file matches z*.csv");
}

#[test]
fn a_damaged_parquet_file() {
    let folder = Folder::new();
    let path = folder.text("a.parquet", "this is not parquet at all");
    let error = load::<f32>(&spec(&[path])).unwrap_err();
    assert!(matches!(error, DataError::Damaged { .. }), "{error:?}");
    assert!(error.hint().is_some());
}

#[test]
fn a_header_of_another_delimiter() {
    let (text, hint) = refused(&good().replace(',', ";"), |_| {});
    assert_eq!(text, "a.csv has one column, \"x;y\": its delimiter is not ','");
    assert_eq!(hint, "set [data] csv = { delimiter = \";\" }");
}

#[test]
fn blank_lines_at_the_end_are_no_rows() {
    let text = good();
    for (end, rows) in [("\n", 12), ("\r\n\n\n", 12)] {
        assert_eq!(load_text(&(text.clone() + end), |_| {}).unwrap().summary.rows, rows);
    }
    let (message, _) = refused(&(text + ",\n"), |_| {});
    assert_eq!(
        message,
        "target \"y\" is missing in 1 of 13 rows, first in row 13 of a.csv"
    );
}

#[test]
fn targets_that_cannot_be_learned() {
    let (text, hint) = refused(&good(), |spec| spec.roles.target = "Y_".into());
    assert_eq!(text, "there is no column \"Y_\" ([data] target)");
    assert_eq!(hint, "did you mean \"y\"?");
    let (text, _) = refused(&table("x,y", 9, |row| format!("{row},no")), |_| {});
    assert_eq!(text, "target \"y\" has one class only: \"no\" in all 9 rows");
    let three = table("x,y", 9, |row| format!("{row},{}", ["a", "b", "c"][row % 3]));
    let (text, hint) = refused(&three, |_| {});
    assert_eq!(text, "target \"y\" has 3 classes: \"a\" (3), \"b\" (3), \"c\" (3)");
    assert!(hint.contains("positive = \"c\""));
    let (text, _) = refused(&three, |spec| spec.roles.positive = Some("d".into()));
    assert_eq!(
        text,
        "positive = \"d\" is not a label of \"y\"; its labels are \"a\" (3), \"b\" (3), \"c\" (3)"
    );
    let (text, _) = refused(&table("x,y", 9, |row| format!("{row},{}", row as f64 / 2.0)), |_| {});
    assert_eq!(
        text,
        "target \"y\" holds 0.5 in row 2 of a.csv: a class is a text, a bool or a whole number"
    );
}

#[test]
fn null_targets() {
    let text = table("x,y", 12, |row| {
        format!("{row},{}", if row % 5 == 3 { "" } else { yes_no(row) })
    });
    let (message, hint) = refused(&text, |_| {});
    assert_eq!(
        message,
        "target \"y\" is missing in 2 of 12 rows, first in row 4 of a.csv"
    );
    assert!(hint.contains("null_target = \"drop\""));
    let data = load_text(&text, |spec| spec.roles.drop_null_target = true).unwrap();
    assert_eq!((data.summary.rows, data.summary.rows_dropped), (10, 2));
    assert!(data.source_row.iter().all(|row| row % 5 != 3));
}

#[test]
fn infinities() {
    let text = table("x,y", 12, |row| {
        format!(
            "{},{}",
            if row == 7 { "-inf".into() } else { row.to_string() },
            yes_no(row)
        )
    });
    let (message, hint) = refused(&text, |_| {});
    assert_eq!(message, "column \"x\" holds -inf in row 8 of a.csv");
    assert!(hint.contains("[data] exclude"));
}

#[test]
fn missing_numbers_under_impute_error() {
    let text = table("x,y", 12, |row| {
        format!(
            "{},{}",
            if row > 6 { "NA".into() } else { row.to_string() },
            yes_no(row)
        )
    });
    let (message, _) = refused(&text, |spec| spec.encode.impute = Impute::Error);
    assert_eq!(
        message,
        "column \"x\" has no value in row 8 of a.csv, and [preprocess] impute = \"error\""
    );
}

#[test]
fn repeated_names() {
    let (text, _) = refused("x,x,y\n1,2,a\n2,3,b\n", |_| {});
    assert_eq!(text, "a.csv has columns of the same name: \"x\"");
}

#[test]
fn files_that_differ() {
    let folder = Folder::new();
    let one = folder.text("1.csv", &good());
    let two = folder.text("2.csv", "z,y\n1,no\n");
    let error = load::<f32>(&spec(&[one, two])).unwrap_err();
    assert!(
        message(&error).starts_with("2.csv lacks column \"x\", unlike"),
        "{error}"
    );
    let one = folder.parquet("1.parquet", &df!("x" => [1.0, 2.0], "y" => [true, false]).unwrap(), 10);
    let two = folder.parquet("2.parquet", &df!("x" => [1_i64, 2], "y" => [true, false]).unwrap(), 10);
    let error = load::<f32>(&spec(&[one, two])).unwrap_err();
    assert!(
        message(&error).starts_with("2.parquet has another type (i64 instead of f64) of column \"x\""),
        "{error}"
    );
}

#[test]
fn settings_that_match_nothing() {
    let (text, hint) = refused(&good(), |spec| spec.roles.exclude = vec!["xx".into()]);
    assert_eq!(text, "[data] exclude \"xx\" matches no column");
    assert_eq!(hint, "did you mean \"x\"?");
    let (text, _) = refused(&good(), |spec| spec.roles.include = vec!["a*".into()]);
    assert_eq!(text, "[data] include \"a*\" matches no column");
    let (text, _) = refused(&good(), |spec| {
        spec.roles.types.insert("w".into(), ColumnType::Numeric);
    });
    assert_eq!(text, "there is no column \"w\" ([data] types)");
    let (text, _) = refused(&good(), |spec| spec.roles.exclude = vec!["x".into()]);
    assert_eq!(text, "no feature column is left (0 skipped)");
    let (text, _) = refused(&good(), |spec| spec.roles.id = Some("y".into()));
    assert_eq!(text, "column \"y\" is both [data] target and [data] id");
}

#[test]
fn types_that_are_no_features() {
    let folder = Folder::new();
    let bytes = Series::new("b".into(), [b"ab".as_slice(), b"c", b"d", b"e"]);
    let list = Series::new("l".into(), [bytes.clone(), bytes.clone(), bytes.clone(), bytes.clone()]);
    let base = df!("x" => [1.0, 2.0, 3.0, 5.0], "y" => [true, false, true, false]).unwrap();
    for (name, series) in [("b", bytes), ("l", list)] {
        let mut frame = base.clone();
        frame.with_column(series.into()).unwrap();
        let mut spec = spec(&[folder.parquet("a.parquet", &frame, 10)]);
        let error = load::<f32>(&spec).unwrap_err();
        assert!(
            message(&error).starts_with(&format!("column \"{name}\" of a.parquet has type")),
            "{error}"
        );
        spec.roles.exclude = vec![name.to_owned()];
        assert_eq!(load::<f32>(&spec).unwrap().x.ncols(), 1);
    }
}

#[test]
fn text_declared_numeric() {
    let text = table("x,y", 12, |row| {
        format!(
            "{},{}",
            if row == 5 { "n/a".into() } else { row.to_string() },
            yes_no(row)
        )
    });
    let (message, hint) = refused(&text, |spec| {
        spec.roles.types.insert("x".into(), ColumnType::Numeric);
    });
    assert_eq!(
        message,
        "column \"x\" holds \"n/a\" in row 6 of a.csv, and [data] types says it is numeric"
    );
    assert!(hint.contains("add \"n/a\" to [data] missing"));
}

#[test]
fn levels_with_reserved_names() {
    for level in ["(other)", "(missing)"] {
        let text = table("x,y", 12, |row| {
            format!("{},{}", if row == 2 { level } else { "a" }, yes_no(row))
        });
        let (message, _) = refused(&text, |_| {});
        assert!(
            message.starts_with(&format!("column \"x\" has a level named {level}")),
            "{message}"
        );
    }
}

#[test]
fn levels_only_in_held_out_rows() {
    let text = table("x,f,y", 12, |row| {
        format!("{},{},{}", if row == 2 { "b" } else { "a" }, row / 6, yes_no(row))
    });
    let (message, _) = refused(&text, |spec| {
        spec.roles.fold = Some("f".into());
        spec.split.strategy = Strategy::Predefined;
        spec.encode.one_hot.other = OtherLevels::Error;
    });
    assert_eq!(
        message,
        "level \"b\" of column \"x\" occurs in held-out rows of fold 0 only"
    );
}

#[test]
fn folds_that_cannot_be_used() {
    let predefined = |spec: &mut LoadSpec| {
        spec.roles.fold = Some("f".into());
        spec.split.strategy = Strategy::Predefined;
    };
    let text = table("x,f,y", 12, |row| {
        format!("{row},{},{}", if row == 4 { "" } else { yes_no(row / 2) }, yes_no(row))
    });
    assert_eq!(
        refused(&text, predefined).0,
        "fold column \"f\" is missing in 1 row, first in row 5 of a.csv"
    );
    let text = table("x,f,y", 12, |row| format!("{row},1,{}", yes_no(row)));
    assert!(refused(&text, predefined).0.starts_with("1 fold is not enough"));
    let text = table("x,f,y", 12, |row| format!("{row},{},{}", row % 2, yes_no(row)));
    assert_eq!(
        refused(&text, predefined).0,
        "the training rows of fold 0 have one class only: \"yes\""
    );
    let text = table("x,y", 12, |row| format!("{row},{}", yes_no(usize::from(row == 3))));
    assert_eq!(
        refused(&text, |_| {}).0,
        "class \"yes\" of \"y\" has 1 row, fewer than the 2 folds"
    );
    assert!(
        refused(&text, |spec| spec.split.strategy = Strategy::Predefined)
            .0
            .contains("needs [data] fold")
    );
}

#[test]
fn groups_and_times_that_cannot_be_split() {
    let text = table("x,g,t,y", 12, |row| {
        let (group, time) = (
            if row == 4 { "" } else { "a" },
            if row == 6 { "soon" } else { "2013-01-31" },
        );
        format!("{row},{group},{time},{}", yes_no(row / 2))
    });
    let group = |spec: &mut LoadSpec| {
        spec.roles.group = Some("g".into());
        spec.split.strategy = Strategy::Group;
    };
    let (message, hint) = refused(&text, group);
    assert_eq!(
        message,
        "group column \"g\" is missing in 1 row, first in row 5 of a.csv"
    );
    assert_eq!(hint, "give every row a group");
    let (message, _) = refused(&text.replace(",,", ",a,"), group);
    assert_eq!(message, "column \"g\" has 1 group, fewer than the 2 folds");
    let time = |spec: &mut LoadSpec| {
        spec.roles.time = Some("t".into());
        spec.split.strategy = Strategy::Time;
    };
    let (message, hint) = refused(&text, time);
    assert_eq!(
        message,
        "time column \"t\" holds \"soon\" in row 7 of a.csv, which is neither a number nor a date"
    );
    assert!(hint.contains("2013-01-31"));
    let (message, _) = refused(&text.replace("soon", ""), time);
    assert_eq!(
        message,
        "time column \"t\" is missing in 1 row, first in row 7 of a.csv"
    );
    let (message, hint) = refused(&text.replace("soon", "2013-02-01"), time);
    assert_eq!(
        message,
        "column \"t\" has 2 different times, and 2 folds need 3 or more"
    );
    assert!(!hint.is_empty());
    let (message, _) = refused(&text, |spec| spec.split.strategy = Strategy::Time);
    assert_eq!(message, "[validation] strategy = \"time\" needs [data] time");
    let (message, _) = refused(&good(), |spec| {
        spec.roles.time = Some("x".into());
        spec.roles.group = Some("x".into());
    });
    assert_eq!(message, "column \"x\" is both [data] group and [data] time");
}

#[test]
fn weights_that_are_none() {
    let weighted = |weight: &str| {
        table("x,w,y", 12, |row| {
            format!("{row},{},{}", if row % 5 == 3 { weight } else { "1" }, yes_no(row))
        })
    };
    for (weight, shown) in [("-1", " (-1)"), ("inf", " (inf)"), ("", ""), ("nan", ""), ("two", "")] {
        let (message, hint) = refused(&weighted(weight), |spec| spec.roles.weight = Some("w".into()));
        let expected =
            "weight column \"w\" is missing, negative, infinite or no number in 2 of 12 rows, first in row 4 of";
        assert_eq!(message, format!("{expected} a.csv{shown}"), "{weight}");
        assert!(hint.contains("0 or more"));
    }
    let zeros = table("x,f,w,y", 12, |row| {
        format!("{row},{},{},{}", row % 2, row % 2, yes_no(row / 2))
    });
    let (message, _) = refused(&zeros, |spec| {
        spec.roles.weight = Some("w".into());
        spec.roles.fold = Some("f".into());
        spec.split.strategy = Strategy::Predefined;
    });
    assert_eq!(message, "all held-out rows of fold 0 have weight 0 in \"w\"");
    let (message, hint) = refused(
        &weighted("1").replace("1,no", "true,no").replace("1,yes", "false,yes"),
        |spec| {
            spec.roles.weight = Some("w".into());
            spec.roles.include = vec!["x".into()];
        },
    );
    assert_eq!(message, "column \"w\" of a.csv has type bool, which cannot be a weight");
    assert_eq!(hint, "store it as numbers");
}

#[test]
fn rows_with_other_fields_than_the_header() {
    for (row, found) in [
        ("5", "1 field"),
        ("5,no,", "3 fields"),
        ("", "no fields (a blank line)"),
    ] {
        for end in ["\n", "\r\n"] {
            let text = (good() + row + "\n1,no\n").replace('\n', end);
            let (message, hint) = refused(&text, |_| {});
            assert_eq!(message, format!("row 13 of a.csv has {found}, and the header has 2"));
            assert!(!hint.is_empty());
        }
    }
    let (message, _) = refused("x,y\n1,no\n2", |_| {});
    assert_eq!(message, "row 2 of a.csv has 1 field, and the header has 2");
}

#[test]
fn a_quote_that_is_not_closed() {
    let rows = |row| format!("{},{}\n", if row == 9 { "\"9" } else { "1" }, yes_no(row));
    let text = "x,y\n".to_owned() + &(0..9000).map(rows).collect::<String>();
    let folder = Folder::new();
    let error = load::<f32>(&spec(&[folder.text("a.csv", &text)])).unwrap_err();
    assert_eq!(
        message(&error),
        "row 10 of a.csv has a quote that is not closed in its field"
    );
    assert!(error.hint().is_some() && std::error::Error::source(&error).is_none());
    let text = good().replace("x,y", "\u{feff}\"x,1\",y");
    assert_eq!(load_text(&text, |_| {}).unwrap().summary.columns[0].name, "x,1");
    let (message, _) = refused("x,\"y\n1,no\n", |_| {});
    assert_eq!(
        message,
        "the header of a.csv has a quote that is not closed in its field"
    );
}

#[test]
fn files_that_are_no_text() {
    let folder = Folder::new();
    let refused = |bytes: &[u8]| {
        std::fs::write(folder.path("a.csv"), bytes).unwrap();
        let error = load::<f32>(&spec(&[folder.path("a.csv")])).unwrap_err();
        assert!(error.hint().is_some());
        message(&error)
    };
    assert_eq!(
        refused(b"x,y\n1,no\n2,\xe9t\xe9\n"),
        "a.csv is not UTF-8 text: byte 11, in row 2, is not UTF-8"
    );
    assert_eq!(
        refused(b"\xff\xfex\0,\0y\0\n\0"),
        "a.csv is not UTF-8 text: byte 0, in the header, begins UTF-16 text"
    );
    assert_eq!(
        refused(b"x,y\n1,n\0\n"),
        "a.csv is not UTF-8 text: byte 7, in row 1, is zero, which no text has"
    );
    assert_eq!(
        refused(b"\x1f\x8b\x08\0\0\xff"),
        "a.csv is not UTF-8 text: byte 1, in the header, begins a gzip file"
    );
}

#[cfg(unix)]
#[test]
fn pipes_are_no_data() {
    let folder = Folder::new();
    let path = folder.path("a.csv");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    for path in [path, folder.path("*.csv")] {
        let error = load::<f32>(&spec(&[path])).unwrap_err();
        assert_eq!(message(&error), "a.csv is not a regular file");
    }
}

#[test]
fn a_file_given_twice() {
    let folder = Folder::new();
    let path = folder.text("a.csv", &good());
    let error = load::<f32>(&spec(&[path, folder.path("*.csv")])).unwrap_err();
    assert_eq!(message(&error), "a.csv is given twice");
}

#[test]
fn a_feature_named_like_the_intercept() {
    let (message, hint) = refused(&good().replace("x,y", "(intercept),y"), |_| {});
    assert_eq!(
        message,
        "a feature would be named \"(intercept)\", the name of the model's intercept"
    );
    assert!(hint.contains("rename the column"));
}
