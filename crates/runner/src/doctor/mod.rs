//! What the machine and the linked libraries are, and how fast the program runs here.

mod ladder;
mod roofline;

use std::time::Instant;

use gradsweep_math::blas;
use serde::Serialize;

pub use gradsweep_math::blas::better_core;
pub use ladder::{RungSpeed, ladder};
pub use roofline::{Roof, roofline};

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Cores this process may use.
    pub cores: usize,
    /// OpenBLAS's own description of its build.
    pub blas: String,
    /// The kernels it runs.
    pub blas_core: String,
    /// Kernels it has and this processor could run, where it chose older ones.
    pub better_core: Option<&'static str>,
    /// Products that came out wrong under threads, of 32.
    pub wrong_products: usize,
}

/// Looks at the machine.
pub fn machine() -> Machine {
    blas::use_one_thread_per_product();
    Machine {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        blas: blas::build_description(),
        blas_core: blas::core_name(),
        better_core: better_core(),
        wrong_products: blas::probe_threads(),
    }
}

/// The median of nine timings of a few repetitions each, after one that is not timed.
fn median_seconds(mut work: impl FnMut()) -> f64 {
    const REPETITIONS: u32 = 3;
    work();
    let mut seconds: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..REPETITIONS {
                work();
            }
            start.elapsed().as_secs_f64() / f64::from(REPETITIONS)
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
