//! Levels stored as codes against the same levels stored as 0/1 columns.

use std::sync::Arc;

use gradsweep_math::affine::{AffineMap, FoldMap, Link, expand};
use gradsweep_math::codes::{Codes, NO_LEVEL, NO_SLOT};
use gradsweep_math::fused::{Column, HessianScratch, Hessians, LinearBlock, Objective, Rows};
use gradsweep_math::optimizer::{Kind, Settings};
use gradsweep_math::workspace::{Scratch, Sums};
use ndarray::Array2;

use super::{labels, noise};

/// Rows with a column per level, the same with codes, and their labels.
type Part = (Array2<f64>, Array2<f64>, Vec<f64>);

const NUMBERS: usize = 2;
const LEVELS: [usize; 2] = [30, 9];

/// Two numbers, and two columns of codes. In fold 1 every fifth level of the first column is tied to the first feature of
/// codes and every seventh has none.
fn map() -> AffineMap {
    let count = LEVELS[0] + LEVELS[1];
    let features: Vec<usize> = (0..count)
        .map(|slot| if slot < 5 { slot } else { slot + NUMBERS })
        .collect();
    let slots = |fold: usize| {
        let slot = |code: usize| match (fold, code < LEVELS[0], code % 5, code % 7) {
            (1, true, 0, _) => 0,
            (1, true, _, 0) => NO_SLOT,
            _ => code as u32,
        };
        (0..count).map(slot).collect::<Vec<u32>>()
    };
    let fold = |fold: usize| FoldMap {
        factor: vec![0.5 + fold as f64, 1.5],
        offset: (0..count + NUMBERS)
            .map(|i| if i == 5 { 0.3 - fold as f64 } else { 0.0 })
            .collect(),
        is_held: vec![false; count + NUMBERS],
    };
    AffineMap {
        raw_columns: NUMBERS,
        features: count + NUMBERS,
        links: vec![Link { raw: 0, feature: 5 }, Link { raw: 1, feature: 6 }],
        folds: vec![fold(0), fold(1)],
        codes: Arc::new(Codes::new(2, features, vec![slots(0), slots(1)])),
    }
}

/// Rows of numbers and codes; a tenth of them have no level in the second column.
fn rows(m: usize, seed: usize) -> Array2<f64> {
    Array2::from_shape_fn((m, NUMBERS + 2), |(i, j)| {
        let value = noise(seed + 4 * i + j);
        let level = |levels: usize| ((value.abs() * levels as f64) as usize).min(levels - 1) as f64;
        match j {
            2 => level(LEVELS[0]),
            3 if noise(seed + 9 * i) > 0.8 => f64::from(NO_LEVEL),
            3 => LEVELS[0] as f64 + level(LEVELS[1]),
            _ => value,
        }
    })
}

fn expanded(x: &Array2<f64>, map: &AffineMap) -> Array2<f64> {
    let mut out = Array2::zeros((x.nrows(), map.expanded_columns()));
    expand(&x.view(), &map.codes, &mut out.view_mut());
    out
}

fn column(index: usize, kind: Kind, has_lasso: bool) -> Column {
    let features = map().features;
    Column {
        objective: Objective {
            fold: usize::from(index >= 9),
            is_trained: vec![index < 9, index >= 9, true],
            l2: 0.02 * (index % 4) as f64,
            l1: if has_lasso && index % 3 == 1 { 0.004 } else { 0.0 },
            fit_intercept: index % 5 != 4,
            ..Objective::unpenalized(0, Vec::new())
        },
        kind,
        settings: Settings {
            learning_rate: 0.05 * (1 + index % 7) as f64,
            momentum: if index.is_multiple_of(3) { 0.9 } else { 0.0 },
            nesterov: index.is_multiple_of(6),
            weight_decay: 0.05,
            ..Settings::default()
        },
        start: (0..features).map(|i| 0.3 * noise(900 + index * features + i)).collect(),
        intercept: 0.1,
    }
}

/// Every optimizer: many steps on small batches that lead to few levels, runs of two folds in one block, some leaving, and
/// other learning rates on the way.
#[test]
fn training_on_codes_is_training_on_columns() {
    let map = map();
    let wide = map.expanded();
    for (&kind, has_lasso) in Kind::ALL.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let columns: Vec<Column> = (0..19).map(|index| column(index, kind, has_lasso)).collect();
        let (mut coded, mut plain) = (
            LinearBlock::<f64>::new(&map, &columns),
            LinearBlock::new(&wide, &columns),
        );
        for step in 0..60 {
            let data: Vec<Part> = [3, 2, 1 + step % 4]
                .iter()
                .enumerate()
                .map(|(group, &m)| {
                    let seed = 1000 * step + 100_000 * group;
                    let x = rows(m, seed);
                    (expanded(&x, &map), x, labels(m, seed + 7))
                })
                .collect();
            if step == 20 {
                coded.retire(&[3, 12, 18]);
                plain.retire(&[3, 12, 18]);
            }
            if step == 40 {
                let rates: Vec<f64> = (0..coded.live().len()).map(|at| 0.01 * (1 + at) as f64).collect();
                coded.set_learning_rates(&rates);
                plain.set_learning_rates(&rates);
            }
            for (block, width) in [(&mut coded, NUMBERS), (&mut plain, wide.raw_columns)] {
                let mut batch = Vec::new();
                for (group, (broad, narrow, y)) in data.iter().enumerate() {
                    batch.push(Rows {
                        x: if width == NUMBERS { narrow } else { broad }.view(),
                        y,
                        weight: None,
                        group,
                    });
                }
                let mut scratch = Scratch::new(width, block.width());
                block.train_batch(&batch, &mut scratch, None);
            }
        }
        coded.settle();
        for position in 0..coded.live().len() {
            let pairs = coded.parameters(position).into_iter().zip(plain.parameters(position));
            for (parameter, (a, b)) in pairs.enumerate() {
                let error = (a - b).abs() / b.abs().max(0.1);
                assert!(error < 1e-10, "{} run {position}, {parameter}: {a} {b}", kind.name());
            }
        }
    }
}

/// Bringing all weights up to date in between changes no bit.
#[test]
fn late_steps_are_timely_steps() {
    let map = map();
    let columns: Vec<Column> = (0..19).map(|index| column(index, Kind::Sgd, true)).collect();
    let (mut late, mut timely) = (
        LinearBlock::<f32>::new(&map, &columns),
        LinearBlock::<f32>::new(&map, &columns),
    );
    for step in 0..40 {
        let x = rows(3, 50 * step).mapv(|value| value as f32);
        let y: Vec<f32> = labels(3, step).into_iter().map(|y| y as f32).collect();
        for block in [&mut late, &mut timely] {
            let batch = [Rows {
                x: x.view(),
                y: &y,
                weight: None,
                group: step % 3,
            }];
            block.train_batch(&batch, &mut Scratch::new(NUMBERS, block.width()), None);
        }
        timely.settle();
    }
    late.settle();
    for position in 0..columns.len() {
        assert_eq!(late.state(position), timely.state(position));
    }
}

#[test]
fn passes_and_hessians_over_codes_are_those_over_columns() {
    let map = map();
    let wide = map.expanded();
    let columns: Vec<Column> = (0..19).map(|index| column(index, Kind::Gd, false)).collect();
    let x = rows(300, 5);
    let broad = expanded(&x, &map);
    let (y, weight) = (labels(300, 6), (0..300).map(|i| 1.0 + noise(i)).collect::<Vec<f64>>());
    let see = |map: &AffineMap, x: &Array2<f64>| {
        let mut block = LinearBlock::<f64>::new(map, &columns);
        let mut sums = Sums::new(map.weights(), 3, block.width());
        let mut scratch = Scratch::new(map.raw_columns, block.width());
        let mut hessians = Hessians::new(map.expanded_columns(), block.width());
        let mut room = HessianScratch::new(map.expanded_columns(), block.width());
        let mut z = Vec::new();
        for group in 0..3 {
            let own = Rows {
                x: x.slice(ndarray::s![group * 100..(group + 1) * 100, ..]),
                y: &y[group * 100..(group + 1) * 100],
                weight: Some(&weight[group * 100..(group + 1) * 100]),
                group,
            };
            block.pass().accumulate(own, 0.0, &mut scratch, &mut sums);
            block.pass().add_hessians(own, &mut room, &mut hessians);
            block.pass().predict(own, 0..16, &mut scratch, &mut z);
        }
        let losses: Vec<f64> = (0..19).map(|j| sums.scores.loss_of(2, j)).collect();
        let gradient = block.gradient(&sums, &[100.0; 19]).to_owned();
        (losses, gradient, hessians.of(10), z)
    };
    let (coded, plain) = (see(&map, &x), see(&wide, &broad));
    let close = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-11);
    assert!(close(&coded.0, &plain.0) && close(&coded.3, &plain.3));
    assert!(close(
        coded.1.as_slice().expect("row-major"),
        plain.1.as_slice().expect("row-major")
    ));
    assert!(close(
        coded.2.as_slice().expect("row-major"),
        plain.2.as_slice().expect("row-major")
    ));
}
