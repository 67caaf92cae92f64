//! Rows in a file of the cache are the rows in memory, and a file that is not whole is none.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use gradsweep_data::{
    CacheSpec, Dataset, Impute, LoadSpec, TextEncoding, clear_cache, list_cache, load, load_within, spill,
};
use polars::prelude::*;

use crate::files::{Folder, spec};

const ROWS: usize = 70_000;

/// Numbers with gaps, integers, bools, levels with nulls, weights, and a column whose first rows are unlike the rest.
fn frame() -> DataFrame {
    let number = |row: usize| (row * 7919 % 1013) as f64 / 8.0;
    df!(
        "a" => (0..ROWS).map(|row| (row % 13 != 5).then(|| number(row))).collect::<Vec<_>>(),
        "k" => (0..ROWS).map(|row| (row % 11 != 3).then(|| ["red", "green", "blue", "rare"][(row * row) % 4])).collect::<Vec<_>>(),
        "b" => (0..ROWS).map(|row| row % 3 == 0).collect::<Vec<_>>(),
        "late" => (0..ROWS).map(|row| if row < 30_000 { 1.0 } else { 1e6 + number(row) }).collect::<Vec<_>>(),
        "s" => (0..ROWS).map(|row| number(row * 5 + 2) as f32).collect::<Vec<_>>(),
        "w" => (0_u32..).take(ROWS).map(|row| row % 4).collect::<Vec<_>>(),
        "y" => (0..ROWS).map(|row| if number(row * 3 + 1) > 60.0 { "yes" } else { "no" }).collect::<Vec<_>>()
    )
    .unwrap()
}

/// A file that was written long enough ago to be known by its time.
fn settled(path: &str, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
        .unwrap();
}

fn cache(folder: &Folder, limit_bytes: u64) -> CacheSpec {
    CacheSpec {
        dir: folder.path("cache").into(),
        limit_bytes,
    }
}

/// All but the time it took.
fn assert_same(one: &Dataset<f32>, other: &Dataset<f32>) {
    let bits = |data: &Dataset<f32>| data.x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert!(one.x.dim() == other.x.dim() && bits(one) == bits(other));
    let mut other = other.clone();
    other.summary.read_seconds = one.summary.read_seconds;
    assert_eq!(*one, other);
}

fn weighted(path: String) -> LoadSpec {
    let mut spec = spec(&[path]);
    spec.roles.weight = Some("w".to_owned());
    spec.encode.impute = Impute::Median;
    spec.encode.indicator = true;
    spec.split.folds = 3;
    spec
}

fn only_file(folder: &Folder) -> std::path::PathBuf {
    let entries = list_cache(Path::new(&folder.path("cache"))).unwrap();
    assert_eq!(entries.len(), 1);
    Path::new(&folder.path("cache")).join(format!("{}.tiles", entries[0].name))
}

/// A CSV that memory should not hold is parsed by every scan and gives the same rows: plain, packed, in two folders.
#[test]
fn a_csv_is_the_same_whether_its_columns_are_kept_or_not() {
    let folder = Folder::new();
    let rows = ROWS / 10;
    let mut frame = frame().head(Some(rows));
    // Text that a reader in memory has to read again: its first cells are numbers.
    let codes = (0..rows).map(|row| {
        if row < rows - 9 {
            (row % 7).to_string()
        } else {
            "x7".to_owned()
        }
    });
    frame
        .with_column(Column::new("c".into(), codes.collect::<Vec<_>>()))
        .unwrap();
    let mut text = Vec::new();
    CsvWriter::new(&mut text).finish(&mut frame).unwrap();
    let text = String::from_utf8(text).unwrap();
    let plain = folder.text("a.csv", &text);
    let latin1 = folder.text("b.csv", &text);
    for name in ["part=1", "part=2"] {
        fs::create_dir_all(folder.path(&format!("tree/{name}"))).unwrap();
        folder.text(&format!("tree/{name}/a.csv"), &text);
    }
    for (path, encoding) in [
        (plain, TextEncoding::Utf8),
        (latin1, TextEncoding::Latin1),
        (folder.path("tree"), TextEncoding::Utf8),
    ] {
        let mut spec = weighted(path);
        spec.source.encoding = encoding;
        let kept = load::<f32>(&spec).unwrap();
        let again = load_within::<f32>(&spec, &cache(&folder, 0)).unwrap();
        assert!(again.x.is_in_file() && !kept.x.is_in_file());
        assert_same(&kept, &again);
    }
}

#[test]
fn a_file_holds_the_rows_that_memory_would() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &frame(), 9000);
    settled(&path, 60);
    let spec = weighted(path);
    let memory = load::<f32>(&spec).unwrap();
    assert!(!memory.x.is_in_file());
    let none = cache(&folder, 0);
    let first = load_within::<f32>(&spec, &none).unwrap();
    assert!(first.x.is_in_file());
    assert_same(&memory, &first);
    let again = load_within::<f32>(&spec, &none).unwrap();
    assert_same(&memory, &again);
    // The next load takes the file, whatever the limit is then; another one does not.
    assert!(
        load_within::<f32>(&spec, &cache(&folder, u64::MAX))
            .unwrap()
            .x
            .is_in_file()
    );
    let other = LoadSpec {
        seed: 2,
        ..spec.clone()
    };
    assert!(
        !load_within::<f32>(&other, &cache(&folder, u64::MAX))
            .unwrap()
            .x
            .is_in_file()
    );
    assert_eq!(clear_cache(&none.dir).unwrap().0, 1);
    assert_same(&memory, &again);
    // Rows that were in memory first, and rows without a numeric column.
    assert_same(&memory, &spill(memory.clone(), &spec, &none).unwrap());
    let mut levels = spec.clone();
    levels.roles.include = vec!["k".to_owned()];
    assert_same(&load(&levels).unwrap(), &load_within(&levels, &none).unwrap());
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let alone = threads.install(|| load_within::<f32>(&other, &none).unwrap());
    assert_same(&load(&other).unwrap(), &alone);
}

#[test]
fn a_damaged_file_is_made_again() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &frame().head(Some(3000)), 9000);
    settled(&path, 60);
    let spec = weighted(path);
    let none = cache(&folder, 0);
    let memory = load::<f32>(&spec).unwrap();
    load_within::<f32>(&spec, &none).unwrap();
    let file = only_file(&folder);
    let whole = fs::read(&file).unwrap();
    let stamp = || fs::metadata(&file).unwrap().modified().unwrap();
    let mut damaged: Vec<Vec<u8>> = [0, 1, 100, 4095, 4096, whole.len() - 1]
        .map(|len| whole[..len].to_vec())
        .into();
    let places = [
        0,
        17,
        20,
        60,
        100,
        4096,
        4096 + 3000,
        whole.len() / 2,
        whole.len() - 40_000,
        whole.len() - 1,
    ];
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 4;
        damaged.push(bytes);
    }
    damaged.push([whole.as_slice(), b"more"].concat());
    for bytes in damaged {
        // A new file, as the old one may be mapped.
        fs::remove_file(&file).unwrap();
        fs::write(&file, &bytes).unwrap();
        settled(file.to_str().unwrap(), 1000);
        let before = stamp();
        let loaded = load_within::<f32>(&spec, &none).unwrap();
        assert_same(&memory, &loaded);
        assert!(stamp() != before, "{} bytes were taken for whole", bytes.len());
        assert_eq!(fs::read(&file).unwrap().len(), whole.len());
    }
}

#[test]
fn changed_and_fresh_data_are_read_again() {
    let folder = Folder::new();
    let text = |label: &str| {
        crate::files::table("x,y", 200, |row| {
            format!("{},{}", row % 17, if row % 3 == 0 { label } else { "b" })
        })
    };
    let spec = spec(&[folder.text("a.csv", &text("a"))]);
    let none = cache(&folder, 0);
    let fresh = load_within::<f32>(&spec, &none).unwrap();
    assert!(fresh.x.is_in_file());
    assert_eq!(
        list_cache(&none.dir).unwrap(),
        [],
        "a file just written is not known by its time"
    );
    settled(&spec.source.paths[0], 60);
    let first = load_within::<f32>(&spec, &none).unwrap();
    assert_same(&fresh, &first);
    folder.text("a.csv", &text("c"));
    settled(&spec.source.paths[0], 30);
    let second = load_within::<f32>(&spec, &none).unwrap();
    assert_ne!(first.summary.fingerprint, second.summary.fingerprint);
    assert_eq!(second.summary.target.positive, "c");
    drop((fresh, first, second));
    assert_eq!(fs::read_dir(&none.dir).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn loads_at_the_same_time_agree() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &frame().head(Some(5000)), 900);
    settled(&path, 60);
    let spec = weighted(path);
    let memory = load::<f32>(&spec).unwrap();
    let none = cache(&folder, 0);
    let loaded: Vec<Dataset<f32>> = std::thread::scope(|scope| {
        let loads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| load_within::<f32>(&spec, &none).unwrap()))
            .collect();
        loads.into_iter().map(|load| load.join().unwrap()).collect()
    });
    for loaded in &loaded {
        assert_same(&memory, loaded);
    }
    only_file(&folder);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &frame().head(Some(500)), 900);
    folder.text("cache", "a file");
    let error = load_within::<f32>(&weighted(path), &cache(&folder, 0)).unwrap_err();
    assert!(error.to_string().contains("cache"), "{error}");
    assert!(error.hint().unwrap().contains("XDG_CACHE_HOME"));
}
