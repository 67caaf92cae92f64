//! The logistic kernels on one tile: `cargo bench --workspace --bench kernels`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradsweep_math::elementwise::{ColumnTerms, Kernels, RowTerms, ScoreSums};

const ROWS: usize = 256;

fn as_sums(sums: &mut [Vec<f64>]) -> ScoreSums<'_> {
    let [zero, one, squared, correct] = sums else {
        unreachable!("four sums");
    };
    ScoreSums {
        loss: [zero, one],
        squared,
        correct,
    }
}

/// Elements per second of residuals alone, with scores, and of scores alone.
fn logistic(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("logistic kernel, f32");
    for k in [1, 16, 128] {
        let start: Vec<f32> = (0..ROWS * k).map(|i| (i * 37 % 101) as f32 / 10.0 - 5.0).collect();
        let y: Vec<f32> = (0..ROWS).map(|i| (i % 2) as f32).collect();
        let terms = vec![0.5f32; k];
        let columns = ColumnTerms {
            intercept: &terms,
            weight: [&terms; 2],
            cut: 0.0,
        };
        let (mut z, mut db) = (start.clone(), vec![0.0f32; k]);
        let rows = RowTerms { y: &y, weight: None };
        let mut sums = vec![vec![0.0f64; k]; 4];
        group.throughput(Throughput::Elements((ROWS * k) as u64));
        group.bench_function(BenchmarkId::new("residual", k), |bencher| {
            bencher.iter(|| {
                z.copy_from_slice(&start);
                f32::residual(&mut z, rows, columns, &mut db);
            });
        });
        group.bench_function(BenchmarkId::new("residual and score", k), |bencher| {
            bencher.iter(|| {
                z.copy_from_slice(&start);
                f32::residual_and_score(&mut z, rows, columns, &mut db, as_sums(&mut sums));
            });
        });
        group.bench_function(BenchmarkId::new("score", k), |bencher| {
            bencher.iter(|| {
                f32::score(&mut z, rows, columns, as_sums(&mut sums));
            });
        });
    }
    group.finish();
}

criterion_group!(kernels, logistic);
criterion_main!(kernels);
