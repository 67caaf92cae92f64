//! The rungs of the ladder on one thread: explicit loops, vectorized over features and examples, vectorized over
//! experiments. `cargo bench --workspace --bench ladder`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradsweep_math::blas;
use gradsweep_math::fused::{Objective, Pass, Rows};
use gradsweep_math::reference::{Problem, loops, vectorized};
use gradsweep_math::select::Selection;
use gradsweep_math::workspace::{Scratch, Sums, padded_width};
use ndarray::Array2;

const ROWS: usize = 4096;
const FEATURES: usize = 28;

fn table() -> (Array2<f64>, Vec<f64>) {
    let x = Array2::from_shape_fn((ROWS, FEATURES), |(i, j)| ((i * 31 + j * 17) % 97) as f64 / 48.0 - 1.0);
    (x, (0..ROWS).map(|i| f64::from(u8::from(i * 7 % 3 == 0))).collect())
}

/// Loss and gradient; throughput in rows x runs.
fn gradients(criterion: &mut Criterion) {
    blas::use_one_thread_per_product();
    let mut group = criterion.benchmark_group(format!("gradient of {ROWS} x {FEATURES} ({})", blas::core_name()));
    let (x, y) = table();
    let w = Array2::from_elem((FEATURES, 1), 0.1);
    let selection = Selection::all(ROWS, 1);
    let problem = Problem {
        x: x.view(),
        y: &y,
        selection: &selection,
        w: w.view(),
        b: &[0.1],
    };
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("loops, 1 run", |bencher| {
        bencher.iter(|| loops::evaluate(&problem));
    });
    group.bench_function("vectorized, 1 run", |bencher| {
        bencher.iter(|| vectorized::evaluate(&problem));
    });
    let (x, y) = (
        x.mapv(|value| value as f32),
        y.iter().map(|&y| y as f32).collect::<Vec<_>>(),
    );
    for runs in [1, 16, 64, 128] {
        let objective = Objective::unpenalized(0, vec![true]);
        let mut pass = Pass::<f32>::new(FEATURES, std::iter::repeat_n(&objective, runs), padded_width(runs));
        pass.set(&Array2::from_elem((FEATURES, runs), 0.1).view(), &vec![0.0; runs]);
        let mut scratch = Scratch::new(FEATURES, pass.width());
        let mut sums = Sums::new(FEATURES, 1, pass.width());
        group.throughput(Throughput::Elements((ROWS * runs) as u64));
        group.bench_function(BenchmarkId::new("fused", runs), |bencher| {
            bencher.iter(|| {
                pass.accumulate(
                    Rows {
                        x: x.view(),
                        y: &y,
                        weight: None,
                        group: 0,
                    },
                    0.0,
                    &mut scratch,
                    &mut sums,
                );
            });
        });
    }
    group.finish();
}

criterion_group!(ladder, gradients);
criterion_main!(ladder);
