//! The rungs of the ladder, timed: what each loop that goes is worth on this machine.

use std::hint::black_box;

use gradsweep_math::blas;
use gradsweep_math::elementwise::LANES;
use gradsweep_math::fused::{Objective, Pass, Rows};
use gradsweep_math::reference::{Problem, loops, vectorized};
use gradsweep_math::select::Selection;
use gradsweep_math::workspace::{Scratch, Sums, padded_width};
use ndarray::Array2;
use serde::Serialize;

use super::median_seconds;

/// The speed of one rung.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RungSpeed {
    /// The rung.
    pub rung: &'static str,
    /// Runs at a time.
    pub runs: usize,
    /// Rows times runs per second, of loss and gradient.
    pub row_columns_per_second: f64,
}

/// Times loss and gradient of 4,096 rows x 28 features on one thread: explicit loops, vectorized over features and
/// examples, and vectorized over experiments too (f64 like the others, and f32 as sweeps run).
pub fn ladder() -> Vec<RungSpeed> {
    const ROWS: usize = 4096;
    const FEATURES: usize = 28;
    const RUNS: usize = 8 * LANES;
    blas::use_one_thread_per_product();
    let x = Array2::from_shape_fn((ROWS, FEATURES), |(i, j)| ((i * 31 + j * 17) % 97) as f64 / 48.0 - 1.0);
    let y: Vec<f64> = (0..ROWS).map(|i| f64::from(u8::from(i * 7 % 3 == 0))).collect();
    let w = Array2::from_shape_fn((FEATURES, 1), |(i, _)| 0.1 - 0.01 * i as f64);
    let selection = Selection::all(ROWS, 1);
    let problem = Problem {
        x: x.view(),
        y: &y,
        selection: &selection,
        w: w.view(),
        b: &[0.1],
    };
    let single = x.mapv(|value| value as f32);
    let labels: Vec<f32> = y.iter().map(|&y| y as f32).collect();
    vec![
        speed("loops", 1, ROWS, || {
            black_box(loops::evaluate(black_box(&problem)));
        }),
        speed("vectorized", 1, ROWS, || {
            black_box(vectorized::evaluate(black_box(&problem)));
        }),
        speed("fused f64", RUNS, ROWS, fused(&x, &y, RUNS)),
        speed("fused f32", RUNS, ROWS, fused(&single, &labels, RUNS)),
        speed("fused f32", 1, ROWS, fused(&single, &labels, 1)),
    ]
}

fn fused<'a, T: gradsweep_math::Real>(x: &'a Array2<T>, y: &'a [T], runs: usize) -> impl FnMut() + use<'a, T> {
    let objective = Objective::unpenalized(0, vec![true]);
    let mut pass = Pass::<T>::new(x.ncols(), std::iter::repeat_n(&objective, runs), padded_width(runs));
    pass.set(&Array2::from_elem((x.ncols(), runs), 0.1).view(), &vec![0.0; runs]);
    let mut scratch = Scratch::new(x.ncols(), pass.width());
    let mut sums = Sums::new(x.ncols(), 1, pass.width());
    move || {
        pass.accumulate(
            Rows {
                x: x.view(),
                y,
                weight: None,
                group: 0,
            },
            0.0,
            &mut scratch,
            &mut sums,
        );
    }
}

fn speed(rung: &'static str, runs: usize, rows: usize, work: impl FnMut()) -> RungSpeed {
    RungSpeed {
        rung,
        runs,
        row_columns_per_second: (rows * runs) as f64 / median_seconds(work),
    }
}
