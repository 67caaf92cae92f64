//! `gradsweep cache`: the files of prepared rows that did not fit into memory.

use std::time::SystemTime;

use gradsweep_runner::memory::cache_dir;
use gradsweep_runner::plan::{bytes, many};
use gradsweep_runner::{RunError, clear_cache, list_cache};

use super::json;
use crate::args::{Answer, CacheArgs, CacheVerb};
use crate::exit::{Failure, OK};
use crate::terminal;

#[derive(serde::Serialize)]
struct Listed {
    dir: String,
    files: Vec<ListedFile>,
    bytes: u64,
}

#[derive(serde::Serialize)]
struct ListedFile {
    name: String,
    bytes: u64,
    age_seconds: Option<u64>,
}

pub(crate) fn cache(arguments: &CacheArgs) -> Result<u8, Failure> {
    match &arguments.verb {
        CacheVerb::List { format } => list(*format),
        CacheVerb::Clear => clear(),
    }
}

fn list(format: Answer) -> Result<u8, Failure> {
    let dir = cache_dir();
    let now = SystemTime::now();
    let files: Vec<ListedFile> = list_cache(&dir)
        .map_err(RunError::from)?
        .into_iter()
        .map(|entry| ListedFile {
            name: entry.name,
            bytes: entry.bytes,
            age_seconds: entry
                .made
                .and_then(|made| now.duration_since(made).ok())
                .map(|age| age.as_secs()),
        })
        .collect();
    let listed = Listed {
        dir: dir.display().to_string(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
    };
    match format {
        Answer::Table => terminal::result(&text(&listed))?,
        Answer::Json => terminal::result(&json(&listed)?)?,
    }
    Ok(OK)
}

fn text(listed: &Listed) -> String {
    if listed.files.is_empty() {
        return format!("{} holds no prepared rows\n", listed.dir);
    }
    let mut out = format!("{:<32}  {:>7}  {:>12}\n", "file", "size", "made");
    for file in &listed.files {
        let age = file.age_seconds.map_or_else(String::new, ago);
        out += &format!("{:<32}  {:>7}  {age:>12}\n", file.name, bytes(file.bytes));
    }
    let files = many(listed.files.len(), "file");
    out + &format!(
        "\n{files} of prepared rows, {}, in {}\n",
        bytes(listed.bytes),
        listed.dir
    )
}

/// A time in the past in its largest unit.
fn ago(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3600, "h"), (60, "min")];
    let unit = UNITS.iter().find(|(size, _)| seconds >= *size);
    unit.map_or_else(
        || format!("{seconds} s ago"),
        |(size, unit)| format!("{} {unit} ago", seconds / size),
    )
}

fn clear() -> Result<u8, Failure> {
    let dir = cache_dir();
    let (files, freed) = clear_cache(&dir).map_err(RunError::from)?;
    let files = many(files, "file");
    terminal::result(&format!(
        "removed {files} of prepared rows, {}, from {}\n",
        bytes(freed),
        dir.display()
    ))?;
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_sizes_ages_and_the_directory() {
        let mut listed = Listed {
            dir: "/cache".to_owned(),
            files: Vec::new(),
            bytes: 0,
        };
        assert_eq!(text(&listed), "/cache holds no prepared rows\n");
        listed.files.push(ListedFile {
            name: "abc".to_owned(),
            bytes: 2_000_000,
            age_seconds: Some(7300),
        });
        listed.bytes = 2_000_000;
        let lines = text(&listed);
        let lines: Vec<&str> = lines.lines().collect();
        assert!(
            lines[1].starts_with("abc") && lines[1].ends_with(" 2.0 MB       2 h ago"),
            "{lines:?}"
        );
        assert_eq!(lines[3], "1 file of prepared rows, 2.0 MB, in /cache");
    }
}
