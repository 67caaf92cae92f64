//! Parquet and Arrow files: types that are features, types that are none, and footers that lie.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::fixture::{Case, Data, Noted, Outcome, Works, case, label};

const PARQUET: &str = "\"data.parquet\"";
const ROWS: i32 = 40;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = types();
    cases.extend(written_elsewhere());
    cases.extend(files());
    cases
}

/// Rows of `x` and the target.
fn frame(rows: i32) -> DataFrame {
    let x: Vec<f64> = (0..rows).map(|row| f64::from(row % 9)).collect();
    let y: Vec<&str> = (0..rows).map(|row| label(row as usize)).collect();
    df!("x" => x, "y" => y).expect("equal lengths")
}

/// Numbers, text with few and with many levels, bools and nulls.
pub(super) fn many_types(rows: i32) -> DataFrame {
    let number = |row: i32| f64::from(row * 7919 % 997) / 31.0;
    let mut frame = frame(rows);
    for column in [
        Column::new("a".into(), (0..rows).map(|row| number(row) as f32).collect::<Vec<_>>()),
        Column::new("b".into(), (0..rows).map(number).collect::<Vec<_>>()),
        Column::new(
            "c".into(),
            (0..rows)
                .map(|row| (row % 7 > 0).then_some(i64::from(row * 31 % 50)))
                .collect::<Vec<_>>(),
        ),
        Column::new(
            "k".into(),
            (0..rows)
                .map(|row| [Some("red"), Some("blue"), None][row as usize % 3])
                .collect::<Vec<_>>(),
        ),
        Column::new(
            "s".into(),
            (0..rows).map(|row| format!("t{}", row * 37 % 90)).collect::<Vec<_>>(),
        ),
        Column::new("f".into(), (0..rows).map(|row| row % 3 == 0).collect::<Vec<_>>()),
    ] {
        frame.with_column(column).expect("equal lengths");
    }
    frame
}

pub(super) fn write(path: &Path, mut frame: DataFrame) {
    let file = File::create(path).expect("created");
    let writer = ParquetWriter::new(file).with_row_group_size(Some(16));
    writer.finish(&mut frame).expect("written");
}

/// With another column.
fn with(name: &'static str, outcome: Outcome, column: impl Fn() -> Column + Send + Sync + 'static) -> Case {
    case(name, outcome).train(PARQUET).make(move |dir| {
        let mut frame = frame(ROWS);
        frame.with_column(column()).expect("equal lengths");
        write(&dir.join("data.parquet"), frame);
    })
}

fn integers() -> Vec<i32> {
    (0..ROWS).map(|row| row % 7).collect()
}

fn cast(name: &str, dtype: &DataType) -> Column {
    Column::new(name.into(), integers()).cast(dtype).expect("of integers")
}

fn types() -> Vec<Case> {
    let list = || {
        let part = Series::new("".into(), [1_i64, 2]);
        Column::new("l".into(), vec![part; ROWS as usize])
    };
    vec![
        with("a list", Data, list).says(["column \"l\" of data.parquet has type list"]),
        with("a list left out", Works, list).data("exclude = [\"l\"]"),
        with("a struct", Data, || {
            let fields = [Series::new("a".into(), integers()), Series::new("b".into(), integers())];
            StructChunked::from_series("s".into(), ROWS as usize, fields.iter())
                .expect("equal lengths")
                .into_column()
        })
        .says(["column \"s\" of data.parquet has type struct"]),
        with("bytes", Data, || {
            let bytes: Vec<&[u8]> = (0..ROWS).map(|_| b"ab".as_slice()).collect();
            Column::new("b".into(), bytes)
        })
        .says(["column \"b\" of data.parquet has type binary"]),
        with("a decimal", Works, || cast("d", &DataType::Decimal(10, 2))),
        with("small integers", Works, || cast("n", &DataType::UInt8)),
        with("a column of nulls", Noted, || {
            Column::full_null("n".into(), ROWS as usize, &DataType::Null)
        })
        .says(["column \"n\" has no value in any row"]),
        with("unsigned integers beyond 2^53", Noted, || {
            let wide: Vec<u64> = (0..ROWS as u64).map(|row| u64::MAX - row % 7).collect();
            Column::new("n".into(), wide)
        })
        .says(["column \"n\" holds integers beyond 2^53", "row 1 of data.parquet"]),
        with("the least integers", Noted, || {
            let wide: Vec<i64> = (0..i64::from(ROWS)).map(|row| i64::MIN + row % 7).collect();
            Column::new("n".into(), wide)
        })
        .says(["column \"n\" holds integers beyond 2^53"]),
        with("NaN and null", Noted, || {
            let values =
                (0..ROWS).map(|row| (row % 4 != 0).then_some(if row % 4 == 1 { f64::NAN } else { f64::from(row) }));
            Column::new("n".into(), values.collect::<Vec<_>>())
        })
        .says(["missing  n 50.0 %"]),
        with("inf in f32", Data, || {
            let values: Vec<f32> = (0..ROWS)
                .map(|row| if row == 4 { f32::INFINITY } else { row as f32 })
                .collect();
            Column::new("n".into(), values)
        })
        .says(["column \"n\" holds inf in row 5 of data.parquet"]),
        with("a zero byte in a level", Works, || {
            let texts: Vec<&str> = (0..ROWS).map(|row| ["a\0b", "c"][row as usize % 2]).collect();
            Column::new("k".into(), texts)
        }),
        with("a date", Noted, || cast("t", &DataType::Date)).says(["skipped  t (a date or time"]),
        with("a date named", Data, || cast("t", &DataType::Date))
            .data("include = [\"x\", \"t\"]")
            .says([
                "column \"t\" of data.parquet has type date",
                "types = { t = \"datetime\" }",
            ]),
        with("a date taken apart", Works, || cast("t", &DataType::Date)).data("types = { t = \"datetime\" }"),
        with("a number declared datetime", Data, || cast("t", &DataType::Int64))
            .data("types = { t = \"datetime\" }")
            .says(["column \"t\" of data.parquet has type i64, which cannot be a datetime"]),
        with("a time of day", Noted, || {
            cast("t", &DataType::Int64).cast(&DataType::Time).expect("nanoseconds")
        })
        .says(["skipped  t (a date or time"]),
        with("a duration", Noted, || {
            let duration = DataType::Duration(TimeUnit::Milliseconds);
            cast("t", &DataType::Int64).cast(&duration).expect("milliseconds")
        })
        .says(["skipped  t (a date or time"]),
        with("names that are patterns", Works, || cast("^x.*$", &DataType::Float32)),
        with("a target of bools", Works, || {
            let bools: Vec<bool> = (0..ROWS).map(|row| row % 3 == 0).collect();
            Column::new("y".into(), bools)
        }),
        with("a target of lists", Data, move || list().with_name("y".into()))
            .says(["column \"y\" of data.parquet has type list"]),
        with("a target with NaN", Data, || {
            let labels: Vec<f64> = (0..ROWS)
                .map(|row| if row == 3 { f64::NAN } else { f64::from(row % 2) })
                .collect();
            Column::new("y".into(), labels)
        })
        .says(["target \"y\" is missing in 1 of 40 rows, first in row 4 of data.parquet"]),
        with("weights with NaN", Data, || {
            let weights: Vec<f64> = (0..ROWS).map(|row| if row == 3 { f64::NAN } else { 1.0 }).collect();
            Column::new("w".into(), weights)
        })
        .data("weight = \"w\"")
        .says(["weight column \"w\"", "row 4 of data.parquet"]),
    ]
}

/// A file of `scripts/golden/input_files.py`.
fn stored(name: &'static str, file: &'static str, outcome: Outcome) -> Case {
    case(name, outcome).train(PARQUET).make(move |dir| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/inputs/files");
        std::fs::copy(folder.join(file), dir.join("data.parquet")).expect("copied");
    })
}

fn written_elsewhere() -> Vec<Case> {
    vec![
        stored("timestamps of 96 bits", "int96.parquet", Noted).says(["skipped  when (a date or time"]),
        stored("timestamps of 96 bits taken apart", "int96.parquet", Works).data("types = { when = \"datetime\" }"),
        stored("timestamps of a zone", "zoned.parquet", Works).data("types = { when = \"datetime\" }"),
        stored("halves", "float16.parquet", Data).says(["column \"half\" of data.parquet has type"]),
        stored("a map", "map.parquet", Data).says(["column \"pairs\""]),
        stored("bytes of one length", "fixed_bytes.parquet", Data).says(["column \"key\""]),
        stored("one name twice in Parquet", "repeated_names.parquet", Data)
            .says(["data.parquet has columns of the same name: \"x\""]),
    ]
}

/// The bytes of a good file after `change`.
fn changed(name: &'static str, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Case {
    case(name, Data).train(PARQUET).make(move |dir| {
        let path = dir.join("data.parquet");
        write(&path, frame(ROWS));
        let mut bytes = std::fs::read(&path).expect("written");
        change(&mut bytes);
        std::fs::write(path, bytes).expect("written");
    })
}

fn files() -> Vec<Case> {
    let two = |second: fn() -> DataFrame| {
        move |dir: &Path| {
            write(&dir.join("1.parquet"), frame(ROWS));
            write(&dir.join("2.parquet"), second());
        }
    };
    let both = "\"*.parquet\"";
    vec![
        case("Parquet", Works)
            .train(PARQUET)
            .make(|dir| write(&dir.join("data.parquet"), frame(ROWS))),
        case("Parquet without rows", Data)
            .train(PARQUET)
            .make(|dir| write(&dir.join("data.parquet"), frame(0)))
            .says(["data.parquet has no rows"]),
        case("text named .parquet", Data)
            .train(PARQUET)
            .make(|dir| std::fs::write(dir.join("data.parquet"), "x,y\n1,no\n2,yes\n").expect("written"))
            .says(["data.parquet is damaged: it does not begin as a Parquet file does"]),
        changed("a wrong beginning", |bytes| bytes[0] = b'Q').says(["does not begin as a Parquet file does"]),
        changed("a wrong end", |bytes| {
            let last = bytes.len() - 1;
            bytes[last] = b'Q';
        })
        .says(["does not end as a Parquet file does"]),
        changed("an encrypted footer", |bytes| {
            let end = bytes.len() - 4;
            bytes[..4].copy_from_slice(b"PARE");
            bytes[end..].copy_from_slice(b"PARE");
        })
        .says(["data.parquet is encrypted"]),
        changed("a footer longer than the file", |bytes| {
            let end = bytes.len() - 8;
            bytes[end..end + 4].copy_from_slice(&i32::MAX.to_le_bytes());
        })
        .says(["data.parquet"]),
        changed("a footer of no bytes", |bytes| {
            let end = bytes.len() - 8;
            bytes[end..end + 4].fill(0);
        })
        .says(["data.parquet"]),
        case("files that differ in a type", Data)
            .train(both)
            .make(two(|| {
                let mut other = frame(9);
                let x = other.column("x").expect("there").cast(&DataType::Int64).expect("whole");
                other.with_column(x).expect("equal lengths");
                other
            }))
            .says(["2.parquet has another type (i64 instead of f64) of column \"x\", unlike 1.parquet"]),
        case("files that differ in a column", Data)
            .train(both)
            .make(two(|| frame(9).drop("x").expect("there")))
            .says(["2.parquet lacks column \"x\", unlike 1.parquet"]),
        case("files that agree", Works).train(both).make(two(|| frame(9))),
        case("a partitioned folder of Parquet", Works)
            .train("\"folder\"")
            .make(|dir| {
                for year in ["2013", "2014"] {
                    let folder: PathBuf = dir.join("folder").join(format!("year={year}"));
                    std::fs::create_dir_all(&folder).expect("created");
                    write(&folder.join("a.parquet"), frame(ROWS));
                }
            }),
        case("text named .arrow", Data)
            .train("\"data.arrow\"")
            .make(|dir| std::fs::write(dir.join("data.arrow"), "x,y\n1,no\n").expect("written"))
            .says(["data.arrow is damaged: it does not begin as an Arrow file does"]),
        case("an Arrow stream", Data)
            .train("\"data.arrow\"")
            .make(|dir| std::fs::write(dir.join("data.arrow"), b"\xff\xff\xff\xff\x10\0\0\0").expect("written"))
            .says(["it is an Arrow stream, not an Arrow file"]),
        case("Feather of the first version", Data)
            .train("\"data.feather\"")
            .make(|dir| std::fs::write(dir.join("data.feather"), b"FEA1\0\0\0\0FEA1").expect("written"))
            .says(["Feather's first version"]),
    ]
}
