//! Panics of the libraries that read files, turned into errors of the file.
//!
//! A damaged file makes them index past the end of a page or unwrap what is not there, on threads of their own. Of 1,000
//! bytes flipped in Parquet files 7 did; each panic came back to the thread that waits for the rows, none ended the
//! process. What does end it is an allocation that the system refuses, since a Rust program cannot catch that:
//! [`file_being_read`] lets the program's allocator say which file asked for it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, Once};

use crate::error::DataError;

/// Names of the files that are being read, the last one first asked for.
static READING: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// This thread calls a library that reads a file.
    static IS_READER: Cell<bool> = const { Cell::new(false) };
}

/// The file that is being read by a library right now, if any.
pub fn file_being_read() -> Option<String> {
    READING.try_lock().ok()?.last().cloned()
}

/// Runs `read`, which calls a library that reads `file`; its panics are errors of the file.
pub(super) fn guarded<T, E: From<DataError>>(file: &str, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if file_being_read().is_none() || !is_of_reader(panic) {
                loud(panic);
            }
        }));
    });
    let mark = Mark::new(file);
    let before = IS_READER.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(read));
    IS_READER.set(before);
    drop(mark);
    outcome.unwrap_or_else(|panic| {
        Err(E::from(DataError::Damaged {
            file: file.to_owned(),
            what: message(panic.as_ref()),
        }))
    })
}

/// Says that a file is being read, until it is dropped.
struct Mark;

impl Mark {
    fn new(file: &str) -> Self {
        if let Ok(mut reading) = READING.lock() {
            reading.push(file.to_owned());
        }
        Self
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if let Ok(mut reading) = READING.lock() {
            reading.pop();
        }
    }
}

/// Whether a panic comes out of a library that reads files: by the place of its source, or by its thread where the
/// place is the standard library's.
fn is_of_reader(panic: &PanicHookInfo<'_>) -> bool {
    let readers = [
        "polars", "planus", "arrow", "parquet", "flate2", "zstd", "lz4", "snap", "brotli",
    ];
    let pools = ["async-executor", "tokio", "polars"];
    let source = panic.location().map_or("", |location| location.file());
    let in_registry = source.split_once("registry").map_or("", |(_, path)| path);
    let thread = std::thread::current();
    let is_of_pool = thread
        .name()
        .is_some_and(|name| pools.iter().any(|pool| name.starts_with(pool)));
    IS_READER.get() || is_of_pool || readers.iter().any(|reader| in_registry.contains(reader))
}

/// What the library said, in one line.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text
        .and_then(|text| text.lines().next())
        .unwrap_or("the reader stopped");
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_the_file() {
        let panics = || -> Result<(), DataError> { panic!("index 7 of {}", 3) };
        let error = guarded("a.parquet", panics).expect_err("it panics");
        assert_eq!(error.to_string(), "a.parquet is damaged: index 7 of 3");
        let inside = guarded("b.parquet", || Ok::<_, DataError>(file_being_read()));
        assert_eq!(inside.expect("no panic").as_deref(), Some("b.parquet"));
    }
}
