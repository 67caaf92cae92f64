//! What is not refused but said: skipped columns, constants, leaks, rounded integers.

use gradsweep_data::{ColumnKind, SkipReason, load};
use polars::prelude::*;

use crate::files::{Folder, load_text, spec, table};

fn label(row: usize) -> &'static str {
    if row * 7 % 5 < 2 { "yes" } else { "no" }
}

#[test]
fn constant_and_empty_columns_are_held_and_named_once() {
    let text = table("x,c,e,y", 40, |row| format!("{row},7,,{}", label(row)));
    let data = load_text(&text, |_| {}).unwrap();
    assert_eq!(
        data.summary.warnings,
        [
            "column \"c\" is constant: its weight is held at 0",
            "column \"e\" has no value in any row: its weight is held at 0"
        ]
    );
    for fold in &data.encoding.folds {
        assert_eq!(fold.is_held, [false, true, true]);
    }
    assert!(data.x.iter().all(|v| v.is_finite()));
}

#[test]
fn leaks_are_named() {
    let text = table("x,paid,y", 40, |row| {
        format!("{},{},{}", row % 9, u8::from(label(row) == "no"), label(row))
    });
    let data = load_text(&text, |_| {}).unwrap();
    assert_eq!(data.summary.warnings.len(), 1);
    assert!(data.summary.warnings[0].starts_with("column \"paid\" alone tells the target (roc_auc 0.0000)"));
}

#[test]
fn ids_and_dates_are_skipped_unless_named() {
    let folder = Folder::new();
    let rows = 40_i32;
    let mut frame = df!(
        "x" => (0..rows).map(|row| row % 7).collect::<Vec<_>>(),
        "key" => (0..rows).map(|row| format!("k{row}")).collect::<Vec<_>>(),
        "day" => (0..rows).collect::<Vec<_>>(),
        "y" => (0..rows).map(|row| label(row as usize)).collect::<Vec<_>>()
    )
    .unwrap();
    let day = frame.column("day").unwrap().cast(&DataType::Date).unwrap();
    frame.with_column(day).unwrap();
    let mut spec = spec(&[folder.parquet("a.parquet", &frame, 16)]);
    let data = load::<f32>(&spec).unwrap();
    let skipped: Vec<_> = data
        .summary
        .skipped
        .iter()
        .map(|s| (s.column.as_str(), s.reason))
        .collect();
    assert_eq!(
        skipped,
        [("day", SkipReason::Date), ("key", SkipReason::OneValuePerRow)]
    );
    assert_eq!(data.summary.columns.len(), 1);
    spec.roles.include = vec!["x".into(), "day".into()];
    assert!(load::<f32>(&spec).unwrap_err().to_string().contains("has type date"));
    spec.roles.include = vec!["x".into(), "key".into()];
    assert_eq!(load::<f32>(&spec).unwrap().summary.columns.len(), 2);
}

#[test]
fn integers_beyond_f64_are_named() {
    let text = table("x,y", 40, |row| {
        format!("{},{}", 9_007_199_254_740_993_u64 + 2 * (row as u64 % 9), label(row))
    });
    let warnings = load_text(&text, |_| {}).unwrap().summary.warnings;
    assert!(warnings[0].starts_with("column \"x\" holds integers beyond 2^53, which are rounded (first in row 1 of"));
    let folder = Folder::new();
    let x: Vec<i64> = (0..40).map(|row| (1_i64 << 53) + row % 7).collect();
    let y: Vec<&str> = (0..40).map(label).collect();
    let path = folder.parquet("a.parquet", &df!("x" => x, "y" => y).unwrap(), 16);
    let warnings = load::<f64>(&spec(&[path])).unwrap().summary.warnings;
    assert!(warnings[0].contains("(first in row 2 of"), "{warnings:?}");
}

#[test]
fn a_few_bad_cells_are_pointed_at() {
    let text = table("x,y", 40, |row| {
        format!(
            "{},{}",
            if row == 30 { "n/a".into() } else { (row % 3).to_string() },
            label(row)
        )
    });
    let data = load_text(&text, |_| {}).unwrap();
    assert_eq!(data.summary.columns[0].kind, ColumnKind::Categorical);
    assert!(data.summary.warnings[0].starts_with(
        "column \"x\" is read as categories, for 1 of its 40 values is not a number (first \"n/a\" in row 31 of"
    ));
    let data = load_text(&text, |spec| spec.source.missing.push("n/a".into())).unwrap();
    assert_eq!(
        (data.summary.columns[0].kind, data.summary.columns[0].nulls),
        (ColumnKind::Numeric, 1)
    );
}

#[test]
fn three_classes_become_one_against_the_rest() {
    let text = table("x,y", 40, |row| format!("{},{}", row % 9, ["a", "b", "c"][row % 3]));
    let data = load_text(&text, |spec| spec.roles.positive = Some("b".into())).unwrap();
    let target = &data.summary.target;
    assert_eq!(
        (target.positive.as_str(), target.negative.as_str(), target.positives),
        ("b", "not b", 13)
    );
    assert!(
        data.y
            .iter()
            .zip(&data.source_row)
            .all(|(y, row)| (*y == 1.0) == (row % 3 == 1))
    );
}

#[test]
fn targets_of_any_label_type_are_equal() {
    let load_with = |one: &str, zero: &str| {
        let text = table("x,y", 40, |row| {
            format!("{},{}", row % 9, if label(row) == "yes" { one } else { zero })
        });
        load_text(&text, |_| {}).unwrap()
    };
    let texts = load_with("yes", "no");
    for (one, zero) in [("1", "0"), ("1.0", "0.0"), ("true", "false"), ("10", "9")] {
        let other = load_with(one, zero);
        assert_eq!((&other.y, &other.x), (&texts.y, &texts.x), "{one}");
        assert_eq!(other.summary.target.positive, one.trim_end_matches(".0"));
    }
}

#[test]
fn one_bad_cell_among_distinct_numbers_is_pointed_at() {
    let text = table("x,z,y", 400, |row| {
        let x = if row == 30 { "oops".into() } else { format!("{row}.5") };
        format!("{x},{},{}", row % 9, label(row))
    });
    let data = load_text(&text, |_| {}).unwrap();
    assert_eq!(data.summary.skipped[0].reason, SkipReason::OneValuePerRow);
    let warning = &data.summary.warnings[0];
    assert!(
        warning.starts_with(
            "column \"x\" is skipped, for 1 of its 400 values is not a number (first \"oops\" in row 31 of"
        ),
        "{warning}"
    );
    assert!(warning.contains("add \"oops\" to [data] missing"));
}

#[test]
fn text_in_one_of_several_files_is_pointed_at() {
    let folder = Folder::new();
    let numbers = table("x,y", 20, |row| format!("{},{}", row % 3, label(row)));
    let texts = table("x,y", 40, |row| format!("{},{}", ["a", "b"][row % 2], label(row)));
    let data = load::<f32>(&spec(&[folder.text("1.csv", &numbers), folder.text("2.csv", &texts)])).unwrap();
    let warning = &data.summary.warnings[0];
    assert!(
        warning.contains("for 40 of its 60 values are not numbers (first \"a\" in row 1 of"),
        "{warning}"
    );
    assert!(warning.contains("2.csv"));
}
