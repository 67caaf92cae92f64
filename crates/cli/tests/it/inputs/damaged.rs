//! Files cut off and with flipped bytes: an error, or a finished sweep where the byte is a value. Nothing else.

use std::path::Path;

use super::fixture::{in_parallel, run};
use super::parquet;

/// What came of each damage.
struct Tally {
    finished: usize,
    refused: usize,
}

/// A generator of a few bits: the places must be the same in every run.
fn scrambled(number: usize) -> usize {
    let mut z = (number as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x5851_f42d_4c95_7f2d);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as usize
}

/// Damages a copy of the file for each number and runs a sweep on it.
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn damage(name: &str, bytes: &[u8], count: usize, change: impl Fn(usize, &mut Vec<u8>) + Sync) -> Tally {
    let refused = std::sync::atomic::AtomicUsize::new(0);
    let problems = in_parallel(count, |number| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut damaged = bytes.to_vec();
        change(number, &mut damaged);
        std::fs::write(dir.path().join(name), damaged).expect("written");
        let config = format!(
            "version = 1\n[data]\ntrain = \"{name}\"\ntarget = \"y\"\n[validation]\nfolds = 2\n[train]\nepochs = 2\n\
             [sweep.parameters]\nmodel.C = [1.0]\n"
        );
        std::fs::write(dir.path().join("sweep.toml"), config).expect("written");
        let output = run(dir.path(), &["run", "sweep.toml", "--quiet"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_told = said.starts_with("error: ") && !said.contains("panicked");
        match output.status.code() {
            Some(0) if said.is_empty() => None,
            Some(3) if is_told && !Path::new(&dir.path().join("sweeps")).exists() => {
                refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                None
            }
            _ => Some(format!("{name} {number}: {}\n{said}", output.status)),
        }
    });
    let refused = refused.into_inner();
    let tally = Tally {
        finished: count - refused - problems.len(),
        refused,
    };
    println!(
        "{name}: {} of {count} damaged files are refused, {} make a finished sweep, {} do anything else",
        tally.refused,
        tally.finished,
        problems.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    tally
}

/// A Parquet file with several row groups, encodings and nulls.
pub(crate) fn sample() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("data.parquet");
    parquet::write(&path, parquet::many_types(300));
    std::fs::read(path).expect("written")
}

/// A file of `scripts/golden/input_files.py`.
pub(crate) fn stored(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/inputs/files");
    std::fs::read(folder.join(name)).expect("there")
}

#[expect(clippy::ptr_arg, reason = "other damages change the length")]
fn flip(number: usize, bytes: &mut Vec<u8>) {
    let place = scrambled(number) % bytes.len();
    bytes[place] ^= (scrambled(number + 1_000_000) % 255) as u8 + 1;
}

fn cut_off(number: usize, bytes: &mut Vec<u8>) {
    bytes.truncate(scrambled(number) % bytes.len());
}

#[test]
fn some_damage() {
    let bytes = sample();
    assert_eq!(damage("data.parquet", &bytes, 30, cut_off).finished, 0);
    damage("data.parquet", &bytes, 100, flip);
    damage("data.arrow", &stored("many_types.arrow"), 50, flip);
}

/// The slow half: `cargo test --release --workspace --test it -- --ignored --nocapture inputs`.
#[test]
#[ignore = "thousands of sweeps: some minutes"]
fn much_damage() {
    let bytes = sample();
    assert_eq!(damage("data.parquet", &bytes, 200, cut_off).finished, 0);
    damage("data.parquet", &bytes, 2000, flip);
    for name in ["many_types_v2.parquet", "many_types_delta.parquet", "many_types.arrow"] {
        let ending = name.split_once('.').map_or("", |(_, ending)| ending);
        damage(&format!("data.{ending}"), &stored(name), 1000, flip);
    }
    let arrow = stored("many_types.arrow");
    assert_eq!(damage("data.arrow", &arrow, 200, cut_off).finished, 0);
}
