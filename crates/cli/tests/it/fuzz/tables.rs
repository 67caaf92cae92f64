//! Data files, and the cache of prepared rows.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use gradsweep_data::{self as data, CacheSpec, Dataset, LoadSpec};
use gradsweep_runner::config;
use gradsweep_runner::dataset::load_spec;

use super::driver::{Hunt, said_by_program};
use crate::inputs::{many_types, stored};

/// What to load from a file in a folder.
fn spec(dir: &Path, file: &str, more: &str) -> LoadSpec {
    let path = dir.join(file).display().to_string();
    let text = format!("[data]\ntrain = {path:?}\ntarget = \"y\"\n{more}[validation]\nfolds = 2\n");
    let config = config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    load_spec(&config, None)
}

/// Numbers, gaps, a category and a label.
fn table(rows: u32) -> String {
    let mut text = "x,u,city,y\n".to_owned();
    for row in 0..rows {
        let x = if row % 9 == 4 {
            String::new()
        } else {
            format!("{}", f64::from(row * 31 % 97) / 7.0)
        };
        let city = ["Oslo", "Rome", "Lima"][(row % 7 % 3) as usize];
        let label = if row * 7 % 5 < 2 { "yes" } else { "no" };
        writeln!(text, "{x},{},{city},{label}", row * 13 % 29).expect("a String");
    }
    text
}

/// Loads; whatever comes of it fits together.
fn load(spec: &LoadSpec) -> Result<(), String> {
    let Ok(loaded) = data::load::<f32>(spec) else {
        return Ok(());
    };
    let rows = loaded.x.nrows();
    let lengths = [loaded.y.len(), loaded.source_row.len(), loaded.summary.rows];
    if lengths != [rows; 3] || loaded.x.ncols() != loaded.encoding.raw.len() {
        return Err(format!("{rows} rows and {lengths:?}"));
    }
    if loaded.x.as_slice().iter().any(|value| value.is_nan()) {
        return Err("a NaN among the stored numbers".to_owned());
    }
    Ok(())
}

pub(super) fn csv(hunt: &Hunt) {
    const WORDS: [&str; 22] = [
        ",",
        ",,",
        "\"",
        "\"\"",
        "\n",
        "\r\n",
        "\r",
        "\t",
        ";",
        "NA",
        "nan",
        "inf",
        "-inf",
        "true",
        "false",
        "yes",
        "\u{feff}",
        "é",
        "\\N",
        "0x1p3",
        "1e400",
        "2024-02-30",
    ];
    let quoted = "x,\"a \"\"b\"\"\",y\n1,\"p,\nq\",yes\n2,r,no\n3,s,yes\n4,,no\n5,r,no\n6,s,yes\n";
    let dates = "when,x,y\n2024-01-02,1,0\n2024-01-03 04:05:06,2,1\n2024-01-04,3,0\n2024-02-04,4,1\n2025-01-04,5,0\n";
    let corpus = [
        table(30),
        quoted.to_owned(),
        dates.to_owned(),
        table(12).replace('\n', "\r\n"),
    ]
    .map(String::into_bytes);
    hunt.run(&corpus, &WORDS, |input, _| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("data.csv"), input).expect("written");
        load(&spec(dir.path(), "data.csv", ""))
    });
}

pub(super) fn parquet(hunt: &Hunt) {
    let names = ["many_types_v2.parquet", "many_types_delta.parquet"];
    let corpus: Vec<Vec<u8>> = names.iter().map(|name| stored(name)).chain([many_types()]).collect();
    hunt.run(
        &corpus,
        &["PAR1", "ARROW:schema", "\u{15}\u{0}", "\u{19}", "\u{2}"],
        |input, _| {
            let dir = tempfile::tempdir().expect("a temporary directory");
            std::fs::write(dir.path().join("data.parquet"), input).expect("written");
            let config = "version = 1\n[data]\ntrain = \"data.parquet\"\ntarget = \"y\"\n[validation]\nfolds = 2\n";
            std::fs::write(dir.path().join("sweep.toml"), config).expect("written");
            // A decoder may ask for more memory than there is, which only the program itself survives.
            said_by_program(dir.path(), &["check", "sweep.toml", "--data"], &[0, 3])
        },
    );
}

/// Bytes of the header that its hash is of.
const HASHED: usize = 16 + 4 + 5 * 8 + 32;
const HEADER_BYTES: usize = 4096;

/// Makes the hashes of a file of the cache right again, of its parts and of its header.
fn rehash(bytes: &mut [u8]) {
    if bytes.len() < HEADER_BYTES {
        return;
    }
    let field = |at: usize| {
        let mut number = [0; 8];
        number.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(number) as usize
    };
    let (place, length) = (field(16 + 4 + 3 * 8), field(16 + 4 + 4 * 8));
    if let Some(parts) = place.checked_add(length).and_then(|end| bytes.get(place..end)) {
        let hash = *blake3::hash(parts).as_bytes();
        bytes[HASHED - 32..HASHED].copy_from_slice(&hash);
    }
    let hash = *blake3::hash(&bytes[..HASHED]).as_bytes();
    bytes[HASHED..HASHED + 32].copy_from_slice(&hash);
}

fn same(a: &Dataset<f32>, b: &Dataset<f32>) -> bool {
    a.x.as_slice() == b.x.as_slice() && a.y == b.y && a.source_row == b.source_row && a.groups == b.groups
}

pub(super) fn cache(hunt: &Hunt) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("data.csv");
    std::fs::write(&path, table(60)).expect("written");
    // Data that have only just been written are not trusted to stay as they are.
    let file = std::fs::File::options().write(true).open(&path).expect("there");
    file.set_modified(SystemTime::now() - Duration::from_secs(100))
        .expect("settable");
    let spec = spec(dir.path(), "data.csv", "");
    let spec_of = |dir: &Path| CacheSpec {
        dir: dir.to_path_buf(),
        limit_bytes: 0,
    };
    let folder = dir.path().join("cache");
    let whole = data::load_within::<f32>(&spec, &spec_of(&folder)).expect("it is good");
    let entries: Vec<_> = std::fs::read_dir(&folder)
        .expect("made")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    let name = entry.file_name().expect("a name");
    let corpus = [std::fs::read(entry).expect("readable")];
    hunt.run(&corpus, &["Oslo", "Rome", "city"], |input, draw| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let mut bytes = input.to_vec();
        // The parts come last, and the header's fields first: there the mutations of the middle would miss them.
        if draw.is_heads() && bytes.len() > HEADER_BYTES {
            let at = if draw.is_heads() {
                draw.below(HASHED)
            } else {
                bytes.len() - 1 - draw.below(bytes.len() - HEADER_BYTES)
            };
            bytes[at] ^= 1 << draw.below(8);
        }
        let is_resealed = draw.is_heads();
        if is_resealed {
            rehash(&mut bytes);
        }
        std::fs::write(scratch.path().join(name), &bytes).expect("written");
        let loaded = data::load_within::<f32>(&spec, &spec_of(scratch.path())).map_err(|error| error.to_string())?;
        if !is_resealed && !same(&loaded, &whole) {
            return Err("a damaged file gives other rows".to_owned());
        }
        let rows = loaded.x.nrows();
        if loaded.groups.iter().any(|group| group.end > rows) || loaded.y.len() != rows {
            return Err("its parts do not fit together".to_owned());
        }
        Ok(())
    });
}
