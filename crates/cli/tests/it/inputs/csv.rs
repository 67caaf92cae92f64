//! CSV files as programs and people write them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::fixture::{Case, Config, Data, Works, case, good, label, table, with};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = text();
    cases.extend(records());
    cases.extend(packed());
    cases
}

fn text() -> Vec<Case> {
    let latin1: Vec<u8> = with("k", |row| ["caf\u{e9}", "th\u{e9}"][row % 2].to_owned())
        .chars()
        .map(|c| c as u8)
        .collect();
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(good().encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    vec![
        case("a byte order mark", Works).csv("\u{feff}".to_owned() + &good()),
        case("line ends of CR LF", Works).csv(good().replace('\n', "\r\n")),
        case("line ends of CR", Data)
            .csv(good().replace('\n', "\r"))
            .says(["data.csv"]),
        case("no line end at the end", Works).csv(good().trim_end()),
        case("blank lines at the end", Works).csv(good() + "\n\r\n"),
        case("Latin-1", Data)
            .csv(latin1.clone())
            .says(["data.csv is not UTF-8 text: byte 11, in row 1", "encoding = \"latin1\""]),
        case("Latin-1 that is said", Works)
            .csv(latin1)
            .data("csv = { encoding = \"latin1\" }"),
        case("another encoding", Config)
            .csv(good())
            .data("csv = { encoding = \"utf16\" }")
            .says(["cannot be \"utf16\"", "\"latin1\""]),
        case("UTF-16", Data).csv(utf16).says(["begins UTF-16 text", "iconv"]),
        case("a byte of zero", Data)
            .csv(good().replace("3,yes", "3\0,yes"))
            .says(["data.csv is not UTF-8 text: byte", "is zero"]),
        case("semicolons", Data)
            .csv(good().replace(',', ";"))
            .says(["data.csv has one column, \"x;y\"", "delimiter = \";\""]),
        case("semicolons that are said", Works)
            .csv(good().replace(',', ";"))
            .data("csv = { delimiter = \";\" }"),
        case("tabs that are said", Works)
            .csv(good().replace(',', "\t"))
            .data("csv = { delimiter = \"\\t\" }"),
        case("a delimiter of two characters", Config)
            .csv(good())
            .data("csv = { delimiter = \"||\" }")
            .says(["delimiter", "one ASCII character"]),
        case("a Parquet file named .csv", Data)
            .csv(*b"PAR1\0\x15\x04\xff\xffPAR1")
            .says(["begins a Parquet file"]),
        case("an Excel file named .csv", Data)
            .csv(*b"PK\x03\x04\x14\0\x06\0\xff")
            .says(["begins a zip or Excel file"]),
    ]
}

fn records() -> Vec<Case> {
    vec![
        case("a row too short", Data)
            .csv(good() + "1\n1,no\n")
            .says(["row 41 of data.csv has 1 field, and the header has 2"]),
        case("a row too long", Data)
            .csv(good() + "1,no,3\n1,no\n")
            .says(["row 41 of data.csv has 3 fields, and the header has 2"]),
        case("a blank line between", Data)
            .csv(good() + "\n1,no\n")
            .says(["row 41 of data.csv has no fields (a blank line)"]),
        case("a quote that is not closed", Data)
            .csv(good() + "\"1,no\n1,no\n")
            .says(["row 41 of data.csv has a quote that is not closed"]),
        case("a quote inside a field", Data)
            .csv(with("k", |row| if row == 3 { "5\" pipe".into() } else { "a".into() }))
            .says(["row 4 of data.csv has a quote that is not closed"]),
        case("a quote in the header", Data)
            .csv("x,\"y\n1,no\n")
            .says(["the header of data.csv has a quote that is not closed"]),
        case("quotes that are ordinary", Works)
            .csv(with(
                "k",
                |row| if row % 2 == 0 { "5\" pipe".into() } else { "a".into() },
            ))
            .data("csv = { quote = \"\" }"),
        case("a field over two lines", Works).csv(with("k", |row| format!("\"a\n{}\"", row % 3))),
        case("a delimiter in quotes", Works).csv(with("k", |row| format!("\"a,{}\"", row % 3))),
        case("no comma at all", Data)
            .csv("hello\nworld\n")
            .says(["there is no column \"y\""]),
    ]
}

fn packed() -> Vec<Case> {
    // Long enough that a cut leaves whole rows.
    let rows = || table("x,y", 4000, |row| format!("{},{}", row * 7919 % 997, label(row)));
    let write = |dir: &Path, name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).expect("written");
    let gz = "\"data.csv.gz\"";
    let zst = "\"data.csv.zst\"";
    vec![
        case("gzip", Works)
            .train(gz)
            .make(move |dir| write(dir, "data.csv.gz", &gzip(&rows()))),
        case("gzip of two members", Works).train(gz).make(move |dir| {
            let more = rows().split_once('\n').expect("lines").1.to_owned();
            write(dir, "data.csv.gz", &[gzip(&rows()), gzip(&more)].concat());
        }),
        case("gzip cut off", Data)
            .train(gz)
            .make(move |dir| {
                let bytes = gzip(&rows());
                write(dir, "data.csv.gz", &bytes[..bytes.len() / 2]);
            })
            .says(["data.csv.gz is damaged: what is packed in it ends too soon"]),
        case("gzip with a flipped bit", Data)
            .train(gz)
            .make(move |dir| {
                let mut bytes = gzip(&rows());
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
                write(dir, "data.csv.gz", &bytes);
            })
            .says(["data.csv.gz"]),
        case("text named .csv.gz", Data)
            .train(gz)
            .make(|dir| std::fs::write(dir.join("data.csv.gz"), good()).expect("written"))
            .says(["data.csv.gz is damaged: it cannot be unpacked"]),
        case("gzip named .csv", Data)
            .csv(gzip(&good()))
            .says(["begins a gzip file", "name it .csv.gz"]),
        case("Latin-1 in gzip", Works)
            .train(gz)
            .make(|dir| {
                let latin1 = with("k", |row| ["caf\u{e9}", "th\u{e9}"][row % 2].to_owned());
                let latin1: Vec<u8> = latin1.chars().map(|c| c as u8).collect();
                std::fs::write(dir.join("data.csv.gz"), packed_by_gzip(&latin1)).expect("written");
            })
            .data("csv = { encoding = \"latin1\" }"),
        case("zstd", Works).train(zst).make(move |dir| {
            write(
                dir,
                "data.csv.zst",
                &zstd::encode_all(rows().as_bytes(), 3).expect("packed"),
            );
        }),
        case("zstd cut off", Data)
            .train(zst)
            .make(move |dir| {
                let bytes = zstd::encode_all(rows().as_bytes(), 3).expect("packed");
                write(dir, "data.csv.zst", &bytes[..bytes.len() / 2]);
            })
            .says(["data.csv.zst is damaged: what is packed in it ends too soon"]),
        case("text named .csv.zst", Data)
            .train(zst)
            .make(|dir| std::fs::write(dir.join("data.csv.zst"), good()).expect("written"))
            .says(["data.csv.zst is damaged: it cannot be unpacked"]),
    ]
}

fn gzip(text: &str) -> Vec<u8> {
    packed_by_gzip(text.as_bytes())
}

fn packed_by_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

/// A gzip file of `count` times `piece`.
pub(super) fn gzip_bomb(path: &Path, begin: &[u8], piece: &[u8], count: usize) {
    let file = File::create(path).expect("created");
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer.write_all(begin).expect("packed");
    for _ in 0..count {
        packer.write_all(piece).expect("packed");
    }
    packer.finish().expect("packed");
}
