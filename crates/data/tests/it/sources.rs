//! The same rows are the same data set, whatever holds them.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use gradsweep_data::{ColumnType, Dataset, LoadSpec, Strategy, TextEncoding, load};
use polars::prelude::*;

use crate::files::{Folder, spec, table};

fn label(row: usize) -> &'static str {
    if row * 7 % 5 < 2 { "yes" } else { "no" }
}

fn loaded(path: String, change: impl FnOnce(&mut LoadSpec)) -> Dataset<f64> {
    let mut spec = spec(&[path]);
    change(&mut spec);
    load(&spec).unwrap()
}

fn assert_same(a: &Dataset<f64>, b: &Dataset<f64>, what: &str) {
    assert_eq!(a.summary.fingerprint, b.summary.fingerprint, "{what}");
    assert_eq!((&a.x, &a.y, &a.source_row), (&b.x, &b.y, &b.source_row), "{what}");
    assert_eq!(a.encoding.features, b.encoding.features, "{what}");
}

/// A file that another library wrote.
fn foreign(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/it/inputs/files");
    folder.join(name).display().to_string()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

#[test]
fn parquet_arrow_and_csv_are_the_same_data() {
    let parquet = loaded(foreign("many_types_v2.parquet"), |_| {});
    assert_same(&parquet, &loaded(foreign("many_types_delta.parquet"), |_| {}), "delta");
    assert_same(&parquet, &loaded(foreign("many_types.arrow"), |_| {}), "arrow");
    let file = File::open(foreign("many_types_v2.parquet")).unwrap();
    let mut frame = ParquetReader::new(file).finish().unwrap();
    // The shortest text of an f32 is another number as f64.
    let wide = frame.column("a").unwrap().cast(&DataType::Float64).unwrap();
    frame.with_column(wide).unwrap();
    let mut text = Vec::new();
    CsvWriter::new(&mut text).finish(&mut frame).unwrap();
    let folder = Folder::new();
    for (name, bytes) in [
        ("a.csv", text.clone()),
        ("b.csv.gz", gzip(&text)),
        ("c.csv.zst", zstd::encode_all(text.as_slice(), 1).unwrap()),
    ] {
        fs::write(folder.path(name), bytes).unwrap();
        assert_same(&parquet, &loaded(folder.path(name), |_| {}), name);
        let first = loaded(folder.path(name), |spec| spec.rows = Some(120));
        assert_same(
            &loaded(foreign("many_types.arrow"), |spec| spec.rows = Some(120)),
            &first,
            name,
        );
    }
}

#[test]
fn packed_text_of_many_blocks_is_the_plain_text() {
    let text = table("x,k,y", 300_000, |row| {
        let level = if row % 1000 == 7 { "\"two\nlines\"" } else { "one" };
        format!("{}.125,{level},{}", row * 7919 % 100_003, label(row))
    });
    let folder = Folder::new();
    let plain = loaded(folder.text("a.csv", &text), |_| {});
    fs::write(folder.path("a.csv.gz"), gzip(text.as_bytes())).unwrap();
    assert_same(&plain, &loaded(folder.path("a.csv.gz"), |_| {}), "gzip");
}

#[test]
fn latin1_is_utf8_said_otherwise() {
    let text = table("x,caf\u{e9},y", 40, |row| {
        format!("{},{},{}", row % 9, ["th\u{e9}", "\u{ff}a"][row % 2], label(row))
    });
    let folder = Folder::new();
    let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
    fs::write(folder.path("l.csv"), latin1).unwrap();
    let utf8 = loaded(folder.text("u.csv", &text), |_| {});
    let said = loaded(folder.path("l.csv"), |spec| spec.source.encoding = TextEncoding::Latin1);
    assert_same(&utf8, &said, "latin1");
}

#[test]
fn names_of_folders_are_columns() {
    let folder = Folder::new();
    let rows = |from: usize| {
        table("x,y", 30, move |row| {
            format!("{},{}", (row + from) % 9, label(row + from))
        })
    };
    for (place, from) in [("year=2013/m=01", 0), ("year=2014/m=__HIVE_DEFAULT_PARTITION__", 3)] {
        let part = folder.path(&format!("parts/{place}"));
        fs::create_dir_all(&part).unwrap();
        fs::write(format!("{part}/a.csv"), rows(from)).unwrap();
    }
    let whole = table("x,y,year,m", 60, |row| {
        let (from, year, month) = if row < 30 { (0, 2013, "01") } else { (3, 2014, "") };
        let row = row % 30 + from;
        format!("{},{},{year},{month}", row % 9, label(row))
    });
    let categorical = |spec: &mut LoadSpec| {
        spec.roles.types.insert("m".into(), ColumnType::Categorical);
    };
    let one = loaded(folder.text("one.csv", &whole), categorical);
    assert_same(&one, &loaded(folder.path("parts"), categorical), "folder");
}

#[test]
fn dates_have_the_same_parts_in_every_format() {
    let stamps: Vec<i64> = (0..40).map(|row| 1_357_000_000_000 + row * 12_345_678).collect();
    let times = Column::new("t".into(), &stamps)
        .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))
        .unwrap();
    let labels: Vec<&str> = (0..40).map(label).collect();
    let mut frame = df!("x" => stamps.iter().map(|v| v % 9).collect::<Vec<_>>(), "y" => labels).unwrap();
    frame.with_column(times).unwrap();
    let folder = Folder::new();
    let asked = |spec: &mut LoadSpec| {
        spec.roles.types.insert("t".into(), ColumnType::Datetime);
    };
    let parquet = loaded(folder.parquet("a.parquet", &frame, 16), asked);
    let mut text = Vec::new();
    CsvWriter::new(&mut text).finish(&mut frame).unwrap();
    fs::write(folder.path("a.csv"), text).unwrap();
    assert_same(&parquet, &loaded(folder.path("a.csv"), asked), "csv");
    let names: Vec<&str> = parquet
        .encoding
        .features
        .iter()
        .map(|feature| feature.name.as_str())
        .collect();
    let parts = ["year", "month", "day", "weekday", "hour", "minute", "second"].map(|part| format!("t.{part}"));
    assert_eq!(names[1..], parts);
    // The column that orders rows is no feature, nor are its parts.
    let ordered = loaded(folder.path("a.csv"), |spec| {
        asked(spec);
        spec.roles.time = Some("t".into());
        spec.split.strategy = Strategy::Time;
    });
    assert_eq!(ordered.encoding.features.len(), 1);
    let one = loaded(folder.path("a.csv"), |spec| {
        asked(spec);
        spec.roles.exclude = vec!["t.second".into(), "t.minute".into()];
    });
    assert_eq!(one.encoding.features.len(), 6);
}

#[test]
fn a_profile_is_that_of_two_passes_far_from_zero() {
    let value = |row: usize| 1e9 + (row * 7919 % 1009) as f64 / 1024.0;
    let text = table("x,k,y", 5000, |row| {
        let cell = if row % 50 == 3 {
            String::new()
        } else {
            value(row).to_string()
        };
        format!("{cell},{},{}", ["a", "b", ""][row % 3], label(row))
    });
    let folder = Folder::new();
    let data = loaded(folder.text("a.csv", &text), |_| {});
    let profile = data.profile();
    let two_pass = |rows: &[usize]| {
        let known: Vec<f64> = rows
            .iter()
            .filter(|row| **row % 50 != 3)
            .map(|row| value(*row))
            .collect();
        let shifted = known.iter().map(|v| v - 1e9).sum::<f64>() / known.len() as f64;
        let variance = known.iter().map(|v| (v - 1e9 - shifted).powi(2)).sum::<f64>() / known.len() as f64;
        (known.len() as f64, 1e9 + shifted, variance.sqrt())
    };
    let near = |a: f64, b: f64, of: f64| (a - b).abs() <= 1e-12 * of;
    let column = &profile.columns[0];
    let all: Vec<usize> = (0..5000).collect();
    let (rows, mean, std) = two_pass(&all);
    assert_eq!((column.rows as f64, column.missing), (rows, 100));
    assert!(near(column.mean.unwrap(), mean, 1e9) && near(column.std.unwrap(), std, 1.0));
    let of_min_and_max = (column.min.unwrap(), column.max.unwrap());
    assert_eq!(of_min_and_max, (1e9, 1e9 + 1008.0 / 1024.0));
    for (fold, found) in column.folds.iter().enumerate() {
        let groups = data.groups.iter().zip(data.folds.is_training(fold));
        let rows = groups
            .filter(|(_, is_training)| *is_training)
            .flat_map(|(group, _)| group.clone());
        let rows: Vec<usize> = rows.map(|row| data.source_row[row] as usize).collect();
        let (count, mean, std) = two_pass(&rows);
        assert_eq!((found.rows, found.missing), (count, rows.len() as f64 - count));
        assert!(near(found.mean.unwrap(), mean, 1e9) && near(found.std.unwrap(), std, 1.0));
    }
    let levels = &profile.columns[1];
    assert_eq!(levels.missing, 1666);
    assert_eq!(levels.levels[0], ("a".to_owned(), 1667.0));
    assert_eq!(levels.folds[0].levels, 2);
    let held_out: f64 = profile.folds.iter().map(|fold| fold.val[0] + fold.val[1]).sum();
    assert_eq!(held_out, 5000.0);
}
