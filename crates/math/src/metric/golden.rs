//! Every metric against scikit-learn on random rows with ties, weights and odd thresholds.
//!
//! `scripts/golden/metrics` made the file and says how a case follows from its number.

use super::{Metric, ScoredRows};
use crate::check::generator::{SplitMix64, lines, number};

const THRESHOLDS: [f64; 8] = [0.5, 0.5, 0.5, 0.37, 0.903, 0.011, 0.0, 1.0];

fn case(seed: u64) -> ScoredRows {
    let mut draw = SplitMix64(seed);
    let kind = draw.below(8);
    let rows = if kind < 7 {
        1 + draw.below(60)
    } else {
        200 + draw.below(800)
    };
    let threshold = THRESHOLDS[draw.below(8) as usize];
    let (scores, weighting, bias) = (draw.below(3), draw.below(4), draw.below(16));
    let mut drawn: Vec<(f64, bool, f64)> = (0..rows)
        .map(|_| {
            let z = match scores {
                0 => (draw.below(9) as f64 - 4.0) / 2.0,
                1 => (draw.below(257) as f64 - 128.0) / 16.0,
                _ => {
                    let coarse = draw.below(1 << 24) as f64 - f64::from(1 << 23);
                    coarse / f64::from(1 << 20) + draw.below(1 << 24) as f64 / 2.0_f64.powi(50)
                }
            };
            let coin = draw.below(4);
            let y = if bias < 2 { bias == 1 } else { coin < 1 + bias % 3 };
            let weight = draw.next() >> 32;
            let weight = match weighting {
                0 => 1.0,
                1 => (weight % 5) as f64 / 4.0,
                2 => f64::from(u8::from(!weight.is_multiple_of(3))),
                _ => (1 + weight % 1000) as f64 / 64.0,
            };
            (z, y, weight)
        })
        .collect();
    if drawn.iter().all(|row| row.2 == 0.0) {
        drawn[0].2 = 1.0;
    }
    if weighting == 0 {
        ScoredRows::new(drawn.into_iter().map(|(z, y, _)| (z, y)), threshold)
    } else {
        ScoredRows::weighted(drawn, threshold)
    }
}

#[test]
fn every_metric_agrees_with_scikit_learn_on_random_rows() {
    let file = include_str!("../../../../data/golden/metrics.csv");
    let (mut cases, mut undefined) = (0, 0);
    for line in lines(file) {
        let seed = line[0].parse().expect("a case's number");
        let rows = case(seed);
        for (metric, expected) in Metric::ALL.iter().zip(&line[1..]) {
            let (value, expected) = (metric.value(&rows), number(expected));
            if expected.is_nan() {
                assert!(value.is_nan(), "case {seed}: {} is {value}", metric.name());
                undefined += 1;
            } else {
                let error = (value - expected).abs();
                assert!(
                    error <= 1e-12,
                    "case {seed}: {} is {value}, not {expected}",
                    metric.name()
                );
            }
        }
        cases += 1;
    }
    assert!(
        cases == 500 && undefined < 100,
        "{cases} cases, {undefined} values that are not defined"
    );
}
