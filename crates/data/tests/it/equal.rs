//! The data set depends on content and settings only: not on format, files, row groups or threads.

use gradsweep_data::{Dataset, LoadSpec, Strategy, load};
use polars::prelude::*;

use crate::files::{Folder, spec};

const ROWS: usize = 70_000;

fn frame(rows: usize) -> DataFrame {
    let number = |row: usize| (row * 7919 % 1013) as f64 / 8.0;
    df!(
        "a" => (0..rows).map(|row| (row % 13 != 5).then(|| number(row))).collect::<Vec<_>>(),
        "k" => (0..rows).map(|row| (row % 11 != 3).then(|| ["red", "green", "blue", "rare"][(row * row) % 4])).collect::<Vec<_>>(),
        "b" => (0..rows).map(|row| row % 3 == 0).collect::<Vec<_>>(),
        "i" => (0_i64..).take(rows).map(|row| row % 97).collect::<Vec<_>>(),
        "y" => (0..rows).map(|row| if number(row * 3 + 1) > 60.0 { "yes" } else { "no" }).collect::<Vec<_>>()
    )
    .unwrap()
}

fn csv(frame: &DataFrame) -> String {
    let mut text = "a,k,b,i,y\n".to_owned();
    for row in 0..frame.height() {
        let cells: Vec<String> = frame
            .get_row(row)
            .unwrap()
            .0
            .iter()
            .map(|value| match value {
                AnyValue::Null => "NA".to_owned(),
                AnyValue::String(text) => (*text).to_owned(),
                other => other.to_string(),
            })
            .collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

fn assert_same(one: &Dataset<f32>, other: &Dataset<f32>) {
    assert_eq!(one.x, other.x);
    assert_eq!(
        (&one.y, &one.source_row, &one.groups),
        (&other.y, &other.source_row, &other.groups)
    );
    assert_eq!((&one.folds, &one.encoding), (&other.folds, &other.encoding));
    assert_eq!(one.summary.fingerprint, other.summary.fingerprint);
    assert_eq!(
        (&one.summary.columns, &one.summary.warnings),
        (&other.summary.columns, &other.summary.warnings)
    );
}

#[test]
fn files_row_groups_format_and_threads_change_nothing() {
    let folder = Folder::new();
    let frame = frame(ROWS);
    let whole = load::<f32>(&spec(&[folder.parquet("whole.parquet", &frame, 1 << 20)])).unwrap();
    assert_eq!(whole.x.nrows(), ROWS);
    let groups = load::<f32>(&spec(&[folder.parquet("groups.parquet", &frame, 1000)])).unwrap();
    assert_same(&whole, &groups);
    for (part, first) in [(0, 0), (1, 3_i64), (2, 40_000)] {
        let next = [3, 40_000, ROWS][part];
        folder.parquet(
            &format!("part-{part}.parquet"),
            &frame.slice(first, next - first as usize),
            9000,
        );
    }
    let parts = load::<f32>(&spec(&[folder.path("part-*.parquet")])).unwrap();
    assert_eq!(parts.summary.files.len(), 3);
    assert_same(&whole, &parts);
    let csv = load::<f32>(&spec(&[folder.text("a.csv", &csv(&frame))])).unwrap();
    assert_same(&whole, &csv);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let alone = pool
        .install(|| load::<f32>(&spec(&[folder.path("whole.parquet")])))
        .unwrap();
    assert_same(&whole, &alone);
}

#[test]
fn the_first_rows_are_those_of_a_shorter_file() {
    let folder = Folder::new();
    let (long, short) = (frame(5000), frame(1234));
    for (name, other) in [("long.parquet", "short.parquet"), ("long.csv", "short.csv")] {
        let write = |name: &str, frame: &DataFrame| {
            if name.ends_with("csv") {
                folder.text(name, &csv(frame))
            } else {
                folder.parquet(name, frame, 500)
            }
        };
        let first = LoadSpec {
            rows: Some(1234),
            ..spec(&[write(name, &long)])
        };
        let first = load::<f32>(&first).unwrap();
        assert_same(&first, &load::<f32>(&spec(&[write(other, &short)])).unwrap());
    }
}

#[test]
fn the_fingerprint_follows_content_alone() {
    let folder = Folder::new();
    let mut changed = frame(2000);
    let base = spec(&[folder.parquet("a.parquet", &changed, 500)]);
    let first = load::<f32>(&base).unwrap().summary.fingerprint;
    let mut other = base.clone();
    other.seed = 9;
    other.deal = false;
    other.split.strategy = Strategy::Holdout;
    assert_eq!(load::<f64>(&other).unwrap().summary.fingerprint, first);
    let i = changed.column("i").unwrap().i64().unwrap();
    let i: Vec<i64> = i
        .iter()
        .enumerate()
        .map(|(row, v)| v.unwrap() + i64::from(row == 1999))
        .collect();
    changed.with_column(Column::new("i".into(), i)).unwrap();
    let changed = spec(&[folder.parquet("b.parquet", &changed, 500)]);
    assert_ne!(load::<f32>(&changed).unwrap().summary.fingerprint, first);
}

#[test]
fn rows_undealt_keep_file_order_in_each_group() {
    let folder = Folder::new();
    let base = spec(&[folder.parquet("a.parquet", &frame(2000), 500)]);
    let undealt = load::<f32>(&LoadSpec {
        deal: false,
        ..base.clone()
    })
    .unwrap();
    let dealt = load::<f32>(&base).unwrap();
    assert_eq!(undealt.groups, dealt.groups);
    for group in &undealt.groups {
        assert!(undealt.source_row[group.clone()].is_sorted());
        let mut sorted = dealt.source_row[group.clone()].to_vec();
        assert!(!sorted.is_sorted());
        sorted.sort_unstable();
        assert_eq!(sorted, undealt.source_row[group.clone()]);
    }
}

#[test]
fn columns_unlike_their_first_rows_are_stored_again() {
    let folder = Folder::new();
    let rows = 20_000;
    let x: Vec<f64> = (0..rows)
        .map(|row| {
            if row < 9000 {
                5.0
            } else {
                5.0 + 1e-20 + 1e30 * f64::from(row % 7)
            }
        })
        .collect();
    let y: Vec<bool> = (0..rows).map(|row| row % 5 == 0).collect();
    let data = load::<f32>(&spec(&[folder.parquet(
        "a.parquet",
        &df!("x" => x, "y" => y).unwrap(),
        4096,
    )]))
    .unwrap();
    assert!(data.x.iter().all(|v| v.abs() < 10.0));
    let std = data.summary.columns[0].std.unwrap();
    assert!(std > 1e30 && std < 3e30);
}
