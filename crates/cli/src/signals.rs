//! What the system and its users say to a sweep while it runs: stop at the next safe point, or now.

use std::time::{Duration, Instant};

use gradsweep_runner::stop::StopFlag;

use crate::exit::STOPPED;
use crate::terminal;

/// How long a sweep that was told to stop may take to reach a safe point. What it has recorded by then is safe anyway.
const PATIENCE: Duration = Duration::from_millis(1600);
/// How often the flag is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A flag that SIGINT, SIGTERM and SIGUSR1 set; a second SIGINT ends the process at once, with 130.
///
/// A sweep that is at no safe point for long (loading data, a long trip of a converging solver) is ended from here.
pub(crate) fn stop_flag() -> StopFlag {
    let flag = StopFlag::default();
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
        let shared = flag.shared();
        // The first handler looks at the flag before the second one sets it. A system without signals goes without.
        let _ = signal_hook::flag::register_conditional_shutdown(SIGINT, 130, std::sync::Arc::clone(&shared));
        for signal in [SIGINT, SIGTERM, SIGUSR1] {
            let _ = signal_hook::flag::register(signal, std::sync::Arc::clone(&shared));
        }
        let watched = flag.clone();
        // It ends with the process.
        std::thread::spawn(move || watch(&watched));
    }
    flag
}

/// Waits for the flag, then for the sweep, and ends the process where that takes too long.
fn watch(flag: &StopFlag) {
    while !flag.is_set() {
        std::thread::sleep(BETWEEN_LOOKS);
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        std::thread::sleep(BETWEEN_LOOKS);
    }
    terminal::error(
        "stopped as asked, before the sweep reached a safe point: what is recorded stays",
        Some("the same command goes on"),
    );
    std::process::exit(i32::from(STOPPED));
}
