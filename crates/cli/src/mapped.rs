//! Mapped files that shrink while they are read, told instead of died of.
//!
//! The reader of Parquet, Arrow and plain CSV maps the files, and so does the cache of prepared rows. A page that is no
//! longer there when it is looked at (the file was cut short in place, or the disk had no room for it) is a signal that ends
//! the process. No check before the reading can exclude it, so the signal says what was being read and ends the process with
//! the exit code that belongs to it. What a sweep has recorded by then stays whole, as after any kill.

#![expect(
    unsafe_code,
    reason = "a signal's handler is registered unsafely: it runs in the middle of anything"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use gradsweep_data::file_being_read;

use crate::terminal;

/// The data are wrong.
const DATA: i32 = 3;
/// Disk or memory.
const DISK: i32 = 4;

/// From now on the process says which file has lost pages before it ends.
pub(crate) fn tell_of_lost_pages() {
    #[cfg(unix)]
    {
        // SAFETY: the handler never returns to what was interrupted. It takes locks and allocates, as a handler should not;
        // the thread that it interrupts is reading a mapped page, which it does neither under the lock of the file's name nor
        // inside the allocator. A system that refuses the handler ends the process as it always did.
        let _ = unsafe { signal_hook::low_level::register(signal_hook::consts::SIGBUS, || lost()) };
    }
}

#[cfg(unix)]
#[cold]
fn lost() -> ! {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if IS_TOLD.swap(true, Ordering::SeqCst) {
        // Another thread is telling.
        loop {
            std::thread::park();
        }
    }
    let (message, hint, code) = match file_being_read() {
        Some(file) => (
            format!("{file} was cut short while it was read"),
            "write new data to another file and rename it; then run the command again",
            DATA,
        ),
        None => (
            "a file of the cache has lost rows, or there was no room on its disk".to_owned(),
            "gradsweep cache clear, then run the command again",
            DISK,
        ),
    };
    terminal::error(&message, Some(hint));
    std::process::exit(code)
}
