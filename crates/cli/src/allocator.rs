//! Memory that the system refuses, told instead of aborted on.
//!
//! A Rust program whose allocation fails prints a line and aborts; nothing in it can catch that. Damaged files make the
//! libraries that read them ask for absurd sizes (one byte flipped in a dictionary page: 2 EiB), and honest plans may not
//! fit either. So the system's allocator is used as it is, and only where it answers with nothing the process says what it
//! was doing and ends with the exit code that belongs to it.

#![expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait; every call is handed on as it came"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use gradsweep_data::file_being_read;

use crate::terminal;

/// The data are wrong.
const DATA: i32 = 3;
/// Disk or memory.
const MEMORY: i32 = 4;

/// The system's allocator, which never answers with nothing.
struct Told;

#[global_allocator]
static ALLOCATOR: Told = Told;

// SAFETY: each method hands its arguments to the system's allocator and its answer back; what is added happens only when
// that answer is null, and does not return.
unsafe impl GlobalAlloc for Told {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout`.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `place` came from the system's allocator with this layout.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout`.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: `place` came from the system's allocator with this layout, and `size` is the caller's promise.
        given(unsafe { System.realloc(place, layout, size) }, size)
    }
}

#[inline]
fn given(place: *mut u8, size: usize) -> *mut u8 {
    if place.is_null() {
        refused(size);
    }
    place
}

/// Says which allocation was refused, and ends the process.
#[cold]
fn refused(size: usize) -> ! {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if IS_TOLD.swap(true, Ordering::SeqCst) {
        // Another thread is telling, or the message itself found no memory.
        std::process::exit(MEMORY);
    }
    if let Some(file) = file_being_read() {
        terminal::error(
            &format!(
                "cannot read {file}: its content asks for {} of memory, which the system refuses",
                bytes(size)
            ),
            Some("the file may be damaged: write it again; if it is not, take fewer rows with --rows N"),
        );
        std::process::exit(DATA);
    }
    terminal::error(
        &format!("the system refuses {} of memory", bytes(size)),
        Some("take fewer rows with --rows N, fewer columns with [data] exclude, or sweep fewer values at a time"),
    );
    std::process::exit(MEMORY)
}

fn bytes(size: usize) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!(bytes(2_305_843_009_213_693_928), "2.0 EiB");
        assert_eq!(bytes(1536), "1.5 KiB");
    }
}
