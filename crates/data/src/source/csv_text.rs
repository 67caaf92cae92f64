//! The bytes of a CSV as UTF-8 text, whatever they are packed in: unpacked and converted a block at a time.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use flate2::bufread::MultiGzDecoder;
use polars::prelude::{CsvParseOptions, CsvReadOptions, DataFrame, PlSmallStr, PolarsError, Schema, SerReader};

use super::batches::decode_ahead;
use super::columnar::Stop;
use super::csv_records::LONGEST_RECORD;
use super::files::{Packing, packing_of};
use super::table::TableFile;
use crate::error::DataError;
use crate::spec::{SourceSpec, TextEncoding};

/// Text parsed at a time.
const BLOCK: usize = 1 << 22;

/// Whether the file on disk is the text itself.
pub(super) fn is_plain(file: &TableFile, source: &SourceSpec) -> bool {
    packing_of(&file.path) == Packing::Plain && source.encoding == TextEncoding::Utf8
}

/// Opens a file as text.
pub(super) fn open(file: &TableFile, source: &SourceSpec) -> io::Result<Box<dyn Read + Send>> {
    let packed = BufReader::with_capacity(1 << 17, File::open(&file.path)?);
    let bytes: Box<dyn Read + Send> = match packing_of(&file.path) {
        Packing::Plain => Box::new(packed),
        // Several members after each other are one text.
        Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
    };
    Ok(match source.encoding {
        TextEncoding::Utf8 => bytes,
        TextEncoding::Latin1 => Box::new(Latin1 {
            bytes,
            buffer: vec![0; 1 << 16],
            cut: None,
        }),
    })
}

/// An error of reading: what is wrong with the packing is wrong with the file.
pub(super) fn read_error(file: &TableFile, source: io::Error) -> DataError {
    let file_name = file.name.clone();
    let is_packed = packing_of(&file.path) != Packing::Plain;
    let is_of_packing = |kind| {
        use io::ErrorKind as Kind;
        matches!(
            kind,
            Kind::UnexpectedEof | Kind::InvalidData | Kind::InvalidInput | Kind::Other
        )
    };
    if !(is_packed && is_of_packing(source.kind())) {
        let file = file_name;
        return DataError::Io { file, source };
    }
    let what = if source.kind() == io::ErrorKind::UnexpectedEof || source.to_string().contains("incomplete frame") {
        "what is packed in it ends too soon".to_owned()
    } else {
        format!("it cannot be unpacked ({source})")
    };
    DataError::Damaged { file: file_name, what }
}

/// Bytes of ISO 8859-1 as UTF-8.
struct Latin1<R> {
    bytes: R,
    buffer: Vec<u8>,
    /// Second byte of a character whose first one was the last to fit.
    cut: Option<u8>,
}

impl<R: Read> Read for Latin1<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let mut written = 0;
        if let Some(byte) = self.cut.take() {
            out[0] = byte;
            written = 1;
        }
        // A character takes at most two bytes; of an odd place at the end one may be left over.
        let wanted = ((out.len() - written) / 2).clamp(usize::from(written == 0), self.buffer.len());
        let read = self.bytes.read(&mut self.buffer[..wanted])?;
        for &byte in &self.buffer[..read] {
            let mut encoded = [0; 2];
            for &part in char::from(byte).encode_utf8(&mut encoded).as_bytes() {
                if let Some(place) = out.get_mut(written) {
                    *place = part;
                    written += 1;
                } else {
                    self.cut = Some(part);
                }
            }
        }
        Ok(written)
    }
}

/// Parses the first `rows` rows of a file that is not plain text, every cell as text.
pub(super) fn scan(
    file: &TableFile,
    source: &SourceSpec,
    schema: &Schema,
    only: Option<&[&str]>,
    rows: usize,
    mut take: impl FnMut(DataFrame) -> Result<(), PolarsError>,
) -> Result<(), Stop> {
    let text = open(file, source).map_err(|error| Stop::Taker(read_error(file, error)))?;
    let quote = source.quote;
    let read = move |sender: SyncSender<io::Result<Vec<u8>>>| {
        let mut blocks = Blocks::new(text, quote);
        while let Some(block) = blocks.next() {
            let is_error = block.is_err();
            if sender.send(block).is_err() || is_error {
                break;
            }
        }
        Ok(())
    };
    let options = CsvParseOptions::default()
        .with_separator(source.delimiter)
        .with_quote_char(source.quote)
        .with_missing_is_null(false);
    let schema = Arc::new(schema.clone());
    let only: Option<Arc<[PlSmallStr]>> = only.map(|only| only.iter().map(|name| PlSmallStr::from(*name)).collect());
    let mut left = rows;
    decode_ahead(read, &file.name, |block: io::Result<Vec<u8>>| {
        let block = block.map_err(|error| Stop::Taker(read_error(file, error)))?;
        if left == 0 {
            return Ok(());
        }
        let frame = CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(schema.clone()))
            .with_columns(only.clone())
            .with_parse_options(options.clone())
            .with_n_rows(Some(left))
            .into_reader_with_file_handle(Cursor::new(block))
            .finish()?;
        left -= frame.height();
        Ok(take(frame)?)
    })
}

/// Blocks of whole records, without the header.
struct Blocks<R> {
    text: R,
    quote: Option<u8>,
    /// What follows the last whole record.
    rest: Vec<u8>,
    is_begun: bool,
    is_ended: bool,
}

impl<R: Read> Blocks<R> {
    fn new(text: R, quote: Option<u8>) -> Self {
        Self {
            text,
            quote,
            rest: Vec::new(),
            is_begun: false,
            is_ended: false,
        }
    }

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        loop {
            if self.is_ended {
                let mut last = std::mem::take(&mut self.rest);
                if !self.is_begun {
                    self.is_begun = true;
                    last = after_header(last, self.quote).unwrap_or_default();
                }
                return (!last.is_empty()).then_some(Ok(last));
            }
            let before = self.rest.len();
            let read = match self.text.by_ref().take(BLOCK as u64).read_to_end(&mut self.rest) {
                Ok(read) => read,
                Err(error) => return Some(Err(error)),
            };
            self.is_ended = read == 0;
            // The records are counted before they are parsed, so that a longer one has been refused.
            debug_assert!(before <= LONGEST_RECORD + BLOCK);
            let Some(end) = last_end(&self.rest, self.quote) else {
                continue;
            };
            let rest = self.rest.split_off(end);
            let mut block = std::mem::replace(&mut self.rest, rest);
            if !self.is_begun {
                self.is_begun = true;
                block = after_header(block, self.quote).unwrap_or_default();
            }
            if !block.is_empty() {
                return Some(Ok(block));
            }
        }
    }
}

/// Where the last whole record of a text ends that begins with a record.
fn last_end(text: &[u8], quote: Option<u8>) -> Option<usize> {
    ends(text, quote).last()
}

fn after_header(mut text: Vec<u8>, quote: Option<u8>) -> Option<Vec<u8>> {
    let end = ends(&text, quote).next()?;
    Some(text.split_off(end))
}

/// Where records end: behind each line end that is not quoted.
fn ends(text: &[u8], quote: Option<u8>) -> impl Iterator<Item = usize> {
    let mut is_quoted = false;
    text.iter().enumerate().filter_map(move |(at, byte)| {
        is_quoted ^= Some(*byte) == quote;
        (*byte == b'\n' && !is_quoted).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    #[test]
    fn latin1_is_converted_however_it_is_read() {
        let bytes: Vec<u8> = (1..=255).collect();
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        for size in [1, 2, 3, 7, 4096] {
            let mut latin1 = Latin1 {
                bytes: bytes.as_slice(),
                buffer: vec![0; 16],
                cut: None,
            };
            let mut read = Vec::new();
            let mut out = vec![0; size];
            loop {
                let n = latin1.read(&mut out).unwrap();
                if n == 0 {
                    break;
                }
                read.extend_from_slice(&out[..n]);
            }
            assert_eq!(String::from_utf8(read).unwrap(), text, "{size} bytes at a time");
        }
    }

    #[test]
    fn blocks_are_whole_records() {
        let blocks = |text: &str| {
            let mut blocks = Blocks::new(text.as_bytes(), Some(b'"'));
            let mut found = Vec::new();
            while let Some(block) = blocks.next() {
                found.push(String::from_utf8(block.unwrap()).unwrap());
            }
            found
        };
        assert_eq!(blocks("\"x\n\",y\n1,2\n3,4\n"), ["1,2\n3,4\n"]);
        assert_eq!(blocks("x,y\n1,\"a\n\"\n3,4"), ["1,\"a\n\"\n", "3,4"]);
        assert!(blocks("x,y").is_empty() && blocks("x,y\n").is_empty());
    }
}
