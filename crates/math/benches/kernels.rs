//! The logistic kernels on one tile: `cargo bench --workspace --bench kernels`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradsweep_math::elementwise::{ColumnTerms, Kernels, ScoreSums};

const ROWS: usize = 256;

/// Elements per second of residuals alone, with scores, and of scores alone.
fn logistic(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("logistic kernel, f32");
    for k in [1, 16, 128] {
        let start: Vec<f32> = (0..ROWS * k).map(|i| (i * 37 % 101) as f32 / 10.0 - 5.0).collect();
        let y: Vec<f32> = (0..ROWS).map(|i| (i % 2) as f32).collect();
        let terms = vec![0.5f32; k];
        let columns = ColumnTerms {
            intercept: &terms,
            is_trained: &terms,
            cut: 0.0,
        };
        let (mut z, mut db) = (start.clone(), vec![0.0f32; k]);
        let mut sums = vec![0.0f64; 3 * k];
        group.throughput(Throughput::Elements((ROWS * k) as u64));
        group.bench_function(BenchmarkId::new("residual", k), |bencher| {
            bencher.iter(|| {
                z.copy_from_slice(&start);
                f32::residual(&mut z, &y, columns, &mut db);
            });
        });
        group.bench_function(BenchmarkId::new("residual and score", k), |bencher| {
            bencher.iter(|| {
                z.copy_from_slice(&start);
                let (loss, rest) = sums.split_at_mut(k);
                let (squared, correct) = rest.split_at_mut(k);
                f32::residual_and_score(&mut z, &y, columns, &mut db, ScoreSums { loss, squared, correct });
            });
        });
        group.bench_function(BenchmarkId::new("score", k), |bencher| {
            bencher.iter(|| {
                let (loss, rest) = sums.split_at_mut(k);
                let (squared, correct) = rest.split_at_mut(k);
                f32::score(&mut z, &y, columns, ScoreSums { loss, squared, correct });
            });
        });
    }
    group.finish();
}

criterion_group!(kernels, logistic);
criterion_main!(kernels);
