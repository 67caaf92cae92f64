//! The ladder: every rung against every other, and the fused pass against runs trained alone.

mod codes;
mod trajectories;

use gradsweep_math::Real;
use gradsweep_math::affine::{AffineMap, FoldMap, Link};
use gradsweep_math::blas;
use gradsweep_math::check::finite_difference::{gradient, relative_error};
use gradsweep_math::fused::{Column, LinearBlock, Objective, Rows};
use gradsweep_math::loss::logistic;
use gradsweep_math::optimizer::{Kind, Settings};
use gradsweep_math::penalty::l1;
use gradsweep_math::reference::{Problem, RUNGS, loops};
use gradsweep_math::select::Selection;
use gradsweep_math::workspace::{Scores, Scratch};
use ndarray::{Array2, Axis};

/// A number in −1..1 that looks random and is the same everywhere.
fn noise(seed: usize) -> f64 {
    let hash = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((hash >> 11) as f64) / ((1u64 << 52) as f64) - 1.0
}

fn matrix(rows: usize, columns: usize, seed: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| noise(seed + i * columns + j))
}

fn labels(rows: usize, seed: usize) -> Vec<f64> {
    (0..rows)
        .map(|i| if noise(seed + i) > 0.2 { 1.0 } else { 0.0 })
        .collect()
}

#[test]
fn all_rungs_of_the_ladder_agree() {
    for (m, d, k) in [(1, 1, 1), (37, 5, 1), (120, 7, 4), (300, 3, 19)] {
        let (x, y, w) = (matrix(m, d, 1), labels(m, 2), matrix(d, k, 3));
        let b: Vec<f64> = (0..k).map(noise).collect();
        let third = m / 3;
        let folds = Selection {
            groups: vec![0..third, third..2 * third, 2 * third..m],
            is_trained: Array2::from_shape_fn((3, k), |(group, run)| m < 3 || group != run % 3),
        };
        for selection in [Selection::all(m, k), folds] {
            let problem = Problem {
                x: x.view(),
                y: &y,
                selection: &selection,
                w: w.view(),
                b: &b,
            };
            let truth = loops::evaluate(&problem);
            for (name, rung) in RUNGS {
                let found = rung(&problem);
                let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
                assert!(
                    found.loss.iter().zip(&truth.loss).all(|(a, b)| close(*a, *b)),
                    "{name}: loss, m = {m}"
                );
                assert!(
                    found.db.iter().zip(&truth.db).all(|(a, b)| close(*a, *b)),
                    "{name}: db, m = {m}"
                );
                assert!(
                    found.dw.iter().zip(&truth.dw).all(|(a, b)| close(*a, *b)),
                    "{name}: dw, m = {m}"
                );
            }
        }
    }
}

#[test]
fn the_ladder_has_the_slopes_of_small_steps() {
    let (m, d) = (40, 4);
    let (x, y) = (matrix(m, d, 5), labels(m, 6));
    let selection = Selection::all(m, 1);
    let loss = |point: &[f64]| {
        let w = Array2::from_shape_vec((d, 1), point[..d].to_vec()).expect("d weights");
        loops::evaluate(&Problem {
            x: x.view(),
            y: &y,
            selection: &selection,
            w: w.view(),
            b: &point[d..],
        })
        .loss[0]
    };
    let point: Vec<f64> = (0..=d).map(|i| noise(70 + i)).collect();
    let slopes = gradient(loss, &point);
    let w = Array2::from_shape_vec((d, 1), point[..d].to_vec()).expect("d weights");
    let problem = Problem {
        x: x.view(),
        y: &y,
        selection: &selection,
        w: w.view(),
        b: &point[d..],
    };
    for (name, rung) in RUNGS {
        let found = rung(&problem);
        for (found, slope) in found.dw.iter().chain(&found.db).zip(&slopes) {
            assert!(relative_error(*found, *slope) < 1e-7, "{name}: {found} {slope}");
        }
    }
}

/// Stored columns with a missing mask and two levels tied in the second fold, as real preprocessing makes them.
fn map() -> AffineMap {
    let links = [(0, 0), (1, 1), (2, 1), (3, 2), (3, 3), (4, 2)];
    AffineMap {
        raw_columns: 5,
        features: 4,
        links: links.map(|(raw, feature)| Link { raw, feature }).to_vec(),
        folds: vec![
            FoldMap {
                factor: vec![0.7, 1.2, -0.3, 1.0, 0.0, 1.0],
                offset: vec![0.2, -0.4, 0.0, 0.0],
                is_held: vec![false; 4],
            },
            FoldMap {
                factor: vec![0.8, 1.1, 0.25, 0.0, 1.0, 1.0],
                offset: vec![-0.1, 0.3, 0.0, 0.0],
                is_held: vec![false; 4],
            },
        ],
        codes: std::sync::Arc::default(),
    }
}

fn column(index: usize, kind: Kind) -> Column {
    let fold = index % 2;
    Column {
        objective: Objective {
            fold,
            is_trained: vec![fold != 0, fold != 1, true],
            class_weight: [1.0, if index % 4 == 1 { 2.5 } else { 1.0 }],
            l2: 0.01 * index as f64,
            l1: if index % 3 == 1 { 0.02 } else { 0.0 },
            fit_intercept: index % 5 != 4,
        },
        kind,
        settings: Settings {
            learning_rate: 0.02 * (1 + index % 7) as f64,
            momentum: if index.is_multiple_of(3) { 0.9 } else { 0.0 },
            nesterov: index.is_multiple_of(6),
            beta1: 0.85 + 0.01 * (index % 5) as f64,
            beta2: 0.99,
            rho: 0.8,
            epsilon: 1e-6,
            weight_decay: 0.05,
        },
        start: (0..4).map(|i| 0.3 * noise(900 + index * 4 + i)).collect(),
        intercept: 0.0,
    }
}

/// One run on its own gathered training rows and preprocessed features: the slow twin of a column.
struct Alone {
    column: Column,
    w: Array2<f64>,
    optimizer: Box<dyn gradsweep_math::optimizer::Optimizer<f64>>,
}

impl Alone {
    fn new(column: Column) -> Self {
        let mut w: Vec<f64> = column.start.clone();
        w.push(column.intercept);
        let optimizer = column.kind.build(w.len(), &[column.settings]);
        Self {
            w: Array2::from_shape_vec((w.len(), 1), w).expect("one column"),
            column,
            optimizer,
        }
    }

    fn step<T: Real>(&mut self, map: &AffineMap, batch: &[Rows<'_, T>]) {
        let (p, objective) = (map.features, &self.column.objective);
        let mut grad = Array2::<f64>::zeros((p + 1, 1));
        let mut weight = 0.0;
        for part in batch.iter().filter(|part| objective.is_trained[part.group]) {
            let features = map.features_of(objective.fold, &part.x);
            let sample = |i: usize| part.weight.map_or(1.0, |weight| weight[i].as_f64());
            for (row, (x, y)) in features.rows().into_iter().zip(part.y).enumerate() {
                let z = self.w[[p, 0]] + (0..p).map(|i| x[i] * self.w[[i, 0]]).sum::<f64>();
                let s = sample(row) * objective.class_weight[usize::from(y.as_f64() > 0.5)];
                let dz = s * logistic::residual(y.as_f64(), z);
                for i in 0..p {
                    grad[[i, 0]] += x[i] * dz;
                }
                grad[[p, 0]] += dz;
                weight += s;
            }
        }
        grad /= weight;
        for i in 0..p {
            grad[[i, 0]] += objective.l2 * self.w[[i, 0]];
        }
        if !objective.fit_intercept {
            grad[[p, 0]] = 0.0;
        }
        self.optimizer.step(self.w.view_mut(), grad.view());
        for i in 0..p {
            let mut gain = [0.0];
            self.optimizer.gain(i, &mut gain);
            self.w[[i, 0]] = l1::soft_threshold(self.w[[i, 0]], gain[0] * objective.l1);
        }
    }
}

/// "Fused equals separate": every optimizer in one block, different hyperparameters per column, columns retiring on the
/// way, against each run alone. f64 to 1e-10 relative and f32 to 1e-5 per step.
fn fused_equals_separate<T: Real>(tolerance: f64) {
    let (map, runs, steps) = (map(), 21, 30);
    let columns: Vec<Column> = (0..runs)
        .map(|index| column(index, Kind::ALL[index * 6 / runs]))
        .collect();
    let mut block = LinearBlock::<T>::new(&map, &columns);
    let mut alone: Vec<Alone> = columns.iter().cloned().map(Alone::new).collect();
    for step in 0..steps {
        // Five rows at first, then more than one tile.
        let (sizes, width) = ([5 + step, 7, 3 + 2000 * (step % 2)], map.raw_columns);
        let data: Vec<(Array2<T>, Vec<T>, Vec<T>)> = sizes
            .iter()
            .enumerate()
            .map(|(group, &m)| {
                let seed = 10_000 * step + 1_000_000 * group;
                let x = matrix(m, width, seed).mapv(T::from_f64);
                let y = labels(m, seed + 7).into_iter().map(T::from_f64).collect();
                let weight = (0..m).map(|i| T::from_f64(1.0 + noise(seed + 13 + i))).collect();
                (x, y, weight)
            })
            .collect();
        let is_weighted = step % 3 == 2;
        let batch: Vec<Rows<'_, T>> = data
            .iter()
            .enumerate()
            .map(|(group, (x, y, weight))| Rows {
                x: x.view(),
                y,
                weight: is_weighted.then_some(weight.as_slice()),
                group,
            })
            .collect();
        if step == 10 {
            block.retire(&[3, 20]);
        }
        if step == 20 {
            block.retire(&(0..12).collect::<Vec<_>>());
            assert_eq!((block.live().len(), block.width()), (7, 16));
        }
        // Both start the step from the same weights, so that a step's error is a step's error.
        for (position, &index) in block.live().iter().enumerate() {
            let own = block.parameters(position);
            alone[index].w = Array2::from_shape_vec((own.len(), 1), own).expect("one column");
        }
        let mut scratch = Scratch::new(width, block.width());
        block.train_batch(&batch, &mut scratch, None);
        for (position, &index) in block.live().iter().enumerate() {
            alone[index].step(&map, &batch);
            for (fused, separate) in block.parameters(position).iter().zip(&alone[index].w) {
                let error = (fused - separate).abs() / separate.abs().max(0.1);
                let name = columns[index].kind.name();
                assert!(
                    error <= tolerance,
                    "step {step}, run {index} ({name}): {fused} {separate}"
                );
            }
        }
    }
}

#[test]
fn fused_equals_separate_in_f64() {
    fused_equals_separate::<f64>(1e-10);
}

#[test]
fn fused_equals_separate_in_f32() {
    fused_equals_separate::<f32>(1e-5);
}

/// The loop over runs must not hide behind the interface: one run and a block of runs ask BLAS for the same products.
#[test]
fn one_run_and_a_full_block_make_the_same_products() {
    let (m, d) = (1200, 28);
    let x = matrix(m, d, 11);
    let y = labels(m, 12);
    let map = AffineMap::identity(d);
    let run = |index: usize| Column {
        objective: Objective::unpenalized(0, vec![true]),
        start: vec![0.0; d],
        ..column(index, Kind::Sgd)
    };
    let products = |runs: usize| {
        let columns: Vec<Column> = (0..runs).map(run).collect();
        let mut block = LinearBlock::<f64>::new(&map, &columns);
        let mut scratch = Scratch::new(d, block.width());
        let before = blas::products();
        for batch in 0..4 {
            let rows = batch * 300..(batch + 1) * 300;
            let x = x.slice(ndarray::s![rows.clone(), ..]);
            block.train_batch(
                &[Rows {
                    x,
                    y: &y[rows],
                    weight: None,
                    group: 0,
                }],
                &mut scratch,
                None,
            );
        }
        blas::products() - before
    };
    // Other tests of this binary multiply at the same time, so the count is read in a process of its own by the runner's
    // tests; here the smallest of several readings is exact.
    let least = |runs: usize| (0..50).map(|_| products(runs)).min();
    // 4 batches of 300 rows are 2 tiles each, forward and backward.
    assert_eq!(least(1), Some(16));
    assert_eq!(least(128), Some(16));
}

#[test]
fn scores_of_a_step_are_those_before_it() {
    let (m, d) = (50, 3);
    let (x, y) = (matrix(m, d, 21), labels(m, 22));
    let columns: Vec<Column> = (0..2)
        .map(|index| Column {
            objective: Objective::unpenalized(0, vec![true]),
            start: vec![0.1; d],
            ..column(index, Kind::Sgd)
        })
        .collect();
    let mut block = LinearBlock::<f64>::new(&AffineMap::identity(d), &columns);
    let mut scratch = Scratch::new(d, block.width());
    let mut scores = Scores::new(1, block.width());
    let rows = Rows {
        x: x.view(),
        y: &y,
        weight: None,
        group: 0,
    };
    let before: f64 = x
        .axis_iter(Axis(0))
        .zip(&y)
        .map(|(x, &y)| logistic::loss(y, 0.1 * x.sum()))
        .sum();
    block.train_batch(&[rows], &mut scratch, Some(&mut scores));
    assert!((scores.loss_of(0, 0) - before).abs() < 1e-12);
}
