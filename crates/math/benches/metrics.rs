//! What a metric of 200,000 held-out rows costs: `cargo bench -p gradsweep-math --bench metrics`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradsweep_math::metric::{Metric, ScoredRows};

const ROWS: usize = 200_000;

/// Scores of a model of some use, as a run trained in f64 leaves them: a sum of three uniform numbers, higher where the
/// label is 1, which it is in a third of the rows.
fn rows() -> Vec<(f64, bool)> {
    let mut state = 1u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..ROWS)
        .map(|_| {
            let is_positive = uniform() < 0.35;
            let noise = uniform() + uniform() + uniform() - 1.5;
            (2.0 * noise + if is_positive { 0.5 } else { -0.5 }, is_positive)
        })
        .collect()
}

/// Rows per second, from scores to the value.
fn metrics(criterion: &mut Criterion) {
    let doubles = rows();
    let singles: Vec<_> = doubles.iter().map(|&(z, y)| (f64::from(z as f32), y)).collect();
    let tied: Vec<_> = doubles.iter().map(|&(z, y)| ((z * 16.0).round() / 16.0, y)).collect();
    let mut group = criterion.benchmark_group("200,000 rows");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, rows) in [("f32 scores", singles), ("f64 scores", doubles), ("tied scores", tied)] {
        for metric in [Metric::RocAuc, Metric::AveragePrecision, Metric::F1] {
            group.bench_function(BenchmarkId::new(metric.name(), name), |bencher| {
                bencher.iter(|| metric.value(&ScoredRows::new(rows.iter().copied(), 0.5)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, metrics);
criterion_main!(benches);
