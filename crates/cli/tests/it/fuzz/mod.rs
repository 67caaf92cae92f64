//! Fuzzing: files and texts with mutations, through the entry points that users' files and texts go through.
//!
//! cargo-fuzz would build polars a second time with a sanitizer's counters, so the mutations here are blind: seeded, stacked,
//! with the words and numbers of each format. A seal that a mutation broke is made right again in half of the cases, or
//! nothing behind it would ever be reached. The short form has a few hundred cases for each target; the long one,
//! `fuzz::every_target_for_long`, takes `FUZZ_SECONDS` (60) for each.

mod driver;
mod mutate;
mod seal;
mod stores;
mod tables;
mod texts;

use driver::Hunt;

type Target = (&'static str, usize, fn(&Hunt));

/// Every target by name, with the cases of its short form.
const TARGETS: [Target; 9] = [
    ("config text", 1500, texts::config),
    ("CLI overrides", 1500, texts::overrides),
    ("report strings", 60, texts::report_strings),
    ("CSV", 300, tables::csv),
    ("Parquet", 60, tables::parquet),
    ("tile cache", 150, tables::cache),
    ("parts and manifest", 150, stores::parts_and_manifest),
    ("checkpoint", 40, stores::checkpoint),
    ("model", 250, stores::model),
];

fn short(name: &str) {
    let (_, cases, target) = TARGETS.iter().find(|(own, ..)| *own == name).expect("a target");
    target(&Hunt::of_cases(name, *cases));
}

macro_rules! short_forms {
    ($($test:ident: $name:literal;)+) => {
        $(#[test]
        fn $test() {
            short($name);
        })+
    };
}
short_forms! {
    config_texts: "config text";
    cli_overrides: "CLI overrides";
    report_strings: "report strings";
    csv_files: "CSV";
    parquet_files: "Parquet";
    tile_cache: "tile cache";
    parts_and_manifest: "parts and manifest";
    checkpoints: "checkpoint";
    models: "model";
}

/// The long form, of `scripts/torture`.
#[test]
#[ignore = "minutes for each target"]
fn every_target_for_long() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let only = std::env::var("FUZZ_ONLY").unwrap_or_default();
    let wrong = TARGETS
        .iter()
        .filter(|(name, ..)| name.contains(&only))
        .filter(|(name, _, target)| {
            let hunt = Hunt::of_seconds(name, seconds.unwrap_or(60));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&hunt))).is_err()
        });
    assert_eq!(wrong.count(), 0);
}
