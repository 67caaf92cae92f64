//! Inputs of a size that takes seconds to write.

use std::fs::File;
use std::io::{BufWriter, Write};

use super::csv::gzip_bomb;
use super::fixture::{Data, Noted, Works, case, label, report};

/// The curvature of 50,000 columns does not fit under the cap; a mini-batch solver needs none.
const MINI_BATCH: &str = "[train]\nsolver = \"adam\"\nlearning_rate = 0.01\nepochs = 2";

/// The slow half: `cargo test --release --workspace --test it -- --ignored --nocapture inputs`.
#[test]
#[ignore = "files of hundreds of megabytes: a minute"]
fn large_inputs_have_their_outcome() {
    let line = |length: usize| {
        move |dir: &std::path::Path| {
            let mut file = BufWriter::new(File::create(dir.join("data.csv")).expect("created"));
            writeln!(file, "x,k,y").expect("written");
            for row in 0..40 {
                let text = if row == 7 { "a".repeat(length) } else { "b".to_owned() };
                writeln!(file, "{},{text},{}", row % 9, label(row)).expect("written");
            }
        }
    };
    let cases = vec![
        case("a line of 100 MB", Works).make(line(100_000_000)),
        case("a line of 300 MB", Data)
            .make(line(300_000_000))
            .says(["row 8 of data.csv is longer than 256 MiB"]),
        case("50,000 columns", Works).rest(MINI_BATCH).make(|dir| {
            let mut file = BufWriter::new(File::create(dir.join("data.csv")).expect("created"));
            let names: Vec<String> = (0..50_000).map(|j| format!("x{j}")).collect();
            writeln!(file, "{},y", names.join(",")).expect("written");
            for row in 0..40 {
                let cells: Vec<String> = (0..50_000).map(|j| ((row * 31 + j * 17) % 101).to_string()).collect();
                writeln!(file, "{},{}", cells.join(","), label(row)).expect("written");
            }
        }),
        case("a million levels", Noted)
            .make(|dir| {
                let mut file = BufWriter::new(File::create(dir.join("data.csv")).expect("created"));
                writeln!(file, "x,k,y").expect("written");
                for row in 0..1_050_000 {
                    let level = if row < 1_000_000 { row } else { row % 7 };
                    writeln!(file, "{},k{level},{}", row % 9, label(row)).expect("written");
                }
            })
            .data("types = { k = \"categorical\" }")
            .says(["categorical  1 columns"]),
        case("a bomb of one line", Data)
            .train("\"data.csv.gz\"")
            .make(|dir| gzip_bomb(&dir.join("data.csv.gz"), b"x,y\n1,no\n", &[b'0'; 1 << 20], 2048))
            .says(["row 2 of data.csv.gz is longer than 256 MiB"]),
        case("a bomb of many rows", Data)
            .train("\"data.csv.gz\"")
            .make(|dir| {
                gzip_bomb(
                    &dir.join("data.csv.gz"),
                    b"x,y\n",
                    "1,no\n".repeat(1 << 18).as_bytes(),
                    2048,
                );
            })
            .says(["data.csv.gz"]),
    ];
    report("large inputs", &cases);
}
