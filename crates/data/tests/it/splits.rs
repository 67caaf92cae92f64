//! Folds that follow a column, and repeats, as they come out of real files.

use std::collections::BTreeMap;

use gradsweep_data::{Dataset, LoadSpec, Role, Strategy, load};
use polars::prelude::*;

use crate::files::{Folder, load_text, spec, table};

const ROWS: usize = 400;

fn label(row: usize) -> &'static str {
    if row * 7 % 5 < 2 { "yes" } else { "no" }
}

/// A household of each row, of many sizes; and a day, in no order.
fn household(row: usize) -> usize {
    row * row % 61
}

fn day(row: usize) -> usize {
    row * 37 % 90
}

fn text() -> String {
    table("x,home,day,y", ROWS, |row| {
        let date = format!("2013-{:02}-{:02}", day(row) / 30 + 1, day(row) % 28 + 1);
        format!("{},h{},{date},{}", row * 31 % 97, household(row), label(row))
    })
}

/// Fold and role of each row of the file.
fn roles(data: &Dataset<f64>) -> Vec<BTreeMap<usize, Role>> {
    let of_fold = |roles: &Vec<Role>| {
        let groups = data.groups.iter().zip(roles);
        let rows = groups.flat_map(|(rows, role)| rows.clone().map(|row| (data.source_row[row] as usize, *role)));
        rows.collect()
    };
    data.folds.roles.iter().map(of_fold).collect()
}

#[test]
fn a_household_is_in_one_fold() {
    let data = load_text(&text(), |spec| {
        spec.roles.group = Some("home".into());
        spec.split.strategy = Strategy::Group;
        spec.split.folds = 4;
        spec.roles.exclude = vec!["day".into()];
    })
    .unwrap();
    assert_eq!(data.encoding.features.len(), 1, "home is no feature");
    let mut rows_held_out = Vec::new();
    for roles in roles(&data) {
        assert_eq!(roles.len(), ROWS);
        let mut role_of = BTreeMap::new();
        for (row, role) in &roles {
            assert_eq!(role_of.entry(household(*row)).or_insert(*role), role);
        }
        rows_held_out.push(roles.values().filter(|role| **role == Role::Val).count());
    }
    assert_eq!(rows_held_out.iter().sum::<usize>(), ROWS);
    // 31 households of 14 rows at most: eight of them or seven.
    assert!(
        rows_held_out.iter().all(|rows| (7 * 13..=8 * 14).contains(rows)),
        "{rows_held_out:?}"
    );
}

#[test]
fn time_goes_forward_whatever_the_type() {
    let by_time = |spec: &mut LoadSpec| {
        spec.roles.time = Some("day".into());
        spec.split.strategy = Strategy::Time;
        spec.split.folds = 4;
        spec.roles.include = vec!["x".into()];
    };
    let data = load_text(&text(), by_time).unwrap();
    assert_eq!((data.folds.len(), data.groups.len()), (4, 5));
    let date = |row: usize| (day(row) / 30, day(row) % 28);
    for (fold, roles) in roles(&data).into_iter().enumerate() {
        let of = |wanted| {
            roles
                .iter()
                .filter(move |(_, role)| **role == wanted)
                .map(|(row, _)| date(*row))
        };
        assert!(of(Role::Train).max() < of(Role::Val).min());
        assert!(fold == 3 || of(Role::Val).max() < of(Role::Unused).min());
        assert!(of(Role::Val).count().abs_diff(ROWS / 5) < 15);
    }
    let folder = Folder::new();
    let days: Vec<i64> = (0..ROWS)
        .map(|row| {
            let (month, day) = date(row);
            15_706 + [0, 31, 59][month] + i64::try_from(day).unwrap()
        })
        .collect();
    let mut frame = df!(
        "x" => (0..ROWS).map(|row| (row * 31 % 97) as f64).collect::<Vec<_>>(),
        "home" => (0..ROWS).map(|row| format!("h{}", household(row))).collect::<Vec<_>>(),
        "day" => days,
        "y" => (0..ROWS).map(label).collect::<Vec<_>>()
    )
    .unwrap();
    for (name, dtype) in [
        ("numbers", DataType::Int32),
        ("dates", DataType::Date),
        ("times", DataType::Datetime(TimeUnit::Milliseconds, None)),
    ] {
        let column = frame.column("day").unwrap().cast(&dtype).unwrap();
        frame.with_column(column).unwrap();
        let mut spec = spec(&[folder.parquet(&format!("{name}.parquet"), &frame, 64)]);
        by_time(&mut spec);
        let other = load::<f64>(&spec).unwrap();
        assert_eq!((&other.x, &other.source_row), (&data.x, &data.source_row), "{name}");
        let is_same = other.summary.fingerprint == data.summary.fingerprint;
        assert_eq!(is_same, name != "numbers", "{name}");
    }
}

#[test]
fn repeats_assign_rows_anew() {
    for (strategy, groups) in [
        (Strategy::Stratified, 4),
        (Strategy::KFold, 4),
        (Strategy::Group, 4),
        (Strategy::Holdout, 2),
    ] {
        let repeat = |repeat| {
            load_text(&text(), |spec| {
                spec.roles.group = Some("home".into());
                spec.roles.exclude = vec!["day".into()];
                spec.split.strategy = strategy;
                spec.split.folds = 4;
                spec.split.repeat = repeat;
            })
            .unwrap()
        };
        let [first, second, third] = [0, 1, 2].map(repeat);
        assert_eq!(first.groups.len(), groups);
        assert_ne!(roles(&first), roles(&second), "{strategy:?}");
        assert_ne!(roles(&second), roles(&third), "{strategy:?}");
        assert_eq!(roles(&second), roles(&repeat(1)), "{strategy:?}");
        assert_eq!(first.summary.fingerprint, second.summary.fingerprint);
    }
}

#[test]
fn held_out_rows_of_one_class_are_said() {
    let text = table("x,day,y", 40, |row| {
        format!("{},{row},{}", row * 31 % 17, if row < 20 { label(row) } else { "no" })
    });
    let data = load_text(&text, |spec| {
        spec.roles.time = Some("day".into());
        spec.split.strategy = Strategy::Time;
        spec.split.folds = 3;
    })
    .unwrap();
    assert_eq!(
        data.summary.warnings,
        ["the held-out rows of folds 1, 2 have one class only (\"no\"): roc_auc is undefined there"]
    );
}
