//! `list`: the sweeps below a directory.

use gradsweep_report::{Format, list};

use crate::sample::{make, path, settled, sgd};

#[test]
fn sweeps_are_listed_with_their_best() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    make(scratch.path(), &path());
    make(&scratch.path().join("deeper"), &sgd());
    std::fs::create_dir_all(scratch.path().join("broken")).expect("directory");
    std::fs::write(scratch.path().join("broken/manifest.json"), "{").expect("file");
    std::fs::create_dir_all(scratch.path().join("empty")).expect("directory");
    let listing = list(scratch.path()).expect("listed");
    assert_eq!(listing.len(), 3);
    let text = settled(&listing.render(Format::Table), scratch.path());
    // The width of the first column follows the scratch directory's path.
    let squeezed = text.split_inclusive('\n').map(|line| {
        let words: Vec<&str> = line.split("  ").map(str::trim).filter(|w| !w.is_empty()).collect();
        words.join(" | ") + "\n"
    });
    let squeezed = squeezed.collect::<String>();
    // Sizes of files change with the library that writes them.
    insta::with_settings!({filters => vec![(r"\d+ kB", "[size]")]}, {
        insta::assert_snapshot!(squeezed, @"
    sweep | created | rows | trials | runs | failed | size | metric | score | best | settings | problem
    sweeps/broken | sweeps/broken/manifest.json is damaged
    sweeps/deeper/flights-sgd | 2026-01-02 03:04 | 327,346 | 2 | 6 | 3 | [size] | log_loss | 0.48655 ± 0.0006 | 0 | learning_rate = 0.05, batch_rows = 256
    sweeps/flights-path | 2026-01-02 03:04 | 327,346 | 4 | 12 | [size] | log_loss | 0.48610 ± 0.0006 | 1 | C = 0.5179
    ");
    });
    let csv = settled(&listing.render(Format::Csv), scratch.path());
    insta::with_settings!({filters => vec![(r",0,\d{4,6},", ",0,[size],")]}, {
        insta::assert_snapshot!(csv, @"
    dir,name,created,trials,runs,failed,metric,on,best_trial,best_mean,best_se,rows,waiting,bytes,problem
    sweeps/broken,,,,,,,,,,,,,,sweeps/broken/manifest.json is damaged
    sweeps/deeper/flights-sgd,flights-sgd,2026-01-02T03:04:05Z,2,6,3,log_loss,val,0,0.48655,0.0005773502691896263,327346,0,[size],
    sweeps/flights-path,flights-path,2026-01-02T03:04:05Z,4,12,0,log_loss,val,1,0.4861,0.0005831237718815284,327346,0,[size],
    ");
    });
}

#[test]
fn a_store_itself_and_an_empty_directory_can_be_listed() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let dir = make(scratch.path(), &path());
    assert_eq!(list(&dir).expect("listed").len(), 1);
    let empty = scratch.path().join("empty");
    std::fs::create_dir(&empty).expect("directory");
    let listing = list(&empty).expect("listed");
    assert!(listing.is_empty());
    assert_eq!(listing.render(Format::Table), "no sweeps here\n");
    assert_eq!(listing.render(Format::Json), "{\n  \"sweeps\": []\n}\n");
    assert!(list(&scratch.path().join("missing")).is_err());
}
