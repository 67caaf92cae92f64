//! Every first-order optimizer against PyTorch's, weight by weight after each of 200 steps (data/golden/trajectories.csv).

#![expect(clippy::print_stdout, reason = "the figure is what a reader of the log wants")]

use std::collections::BTreeMap;

use gradsweep_math::affine::AffineMap;
use gradsweep_math::fused::{Column, LinearBlock, Objective, Rows};
use gradsweep_math::optimizer::{Kind, Settings};
use gradsweep_math::workspace::Scratch;
use ndarray::Array2;

const ROWS: &str = include_str!("../../../../data/golden/trajectories-rows.csv");
const STEPS: &str = include_str!("../../../../data/golden/trajectories.csv");

/// The cells of the lines that are not comments.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(',').collect())
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

/// What `scripts/golden/trajectories.py` passes to torch, under our names.
fn optimizers() -> [(&'static str, Kind, Settings); 7] {
    let rate = |learning_rate| Settings {
        learning_rate,
        ..Settings::default()
    };
    let momentum = Settings {
        momentum: 0.9,
        ..rate(0.1)
    };
    let nesterov = Settings {
        nesterov: true,
        ..momentum
    };
    let adamw = Settings {
        beta1: 0.8,
        beta2: 0.99,
        epsilon: 1e-6,
        weight_decay: 0.1,
        ..rate(0.05)
    };
    // Near the optimum g / √s is a sign, and what a sign does there hangs on the last bit: a large epsilon keeps the walk
    // a function of its numbers.
    let rmsprop = Settings {
        epsilon: 1e-2,
        ..rate(0.02)
    };
    [
        ("sgd", Kind::Sgd, rate(0.5)),
        ("sgd-momentum", Kind::Sgd, momentum),
        ("sgd-nesterov", Kind::Sgd, nesterov),
        ("adam", Kind::Adam, rate(0.05)),
        ("adamw", Kind::AdamW, adamw),
        ("adagrad", Kind::Adagrad, rate(0.3)),
        ("rmsprop", Kind::RmsProp, rmsprop),
    ]
}

/// All seven as columns of one block, as a sweep trains them.
#[test]
fn optimizers_walk_as_those_of_pytorch() {
    let rows: Vec<Vec<f64>> = lines(ROWS)
        .map(|cells| cells.into_iter().map(number).collect())
        .collect();
    let features = rows[0].len() - 1;
    let x = Array2::from_shape_fn((rows.len(), features), |(i, j)| rows[i][j]);
    let y: Vec<f64> = rows.iter().map(|row| row[features]).collect();

    let mut expected: BTreeMap<&str, Vec<Vec<f64>>> = BTreeMap::new();
    for cells in lines(STEPS) {
        let walk = expected.entry(cells[0]).or_default();
        assert_eq!(cells[1], (walk.len() + 1).to_string());
        walk.push(cells[2..].iter().map(|cell| number(cell)).collect());
    }
    let columns: Vec<Column> = optimizers()
        .map(|(_, kind, settings)| Column {
            objective: Objective {
                l2: 0.01,
                ..Objective::unpenalized(0, vec![true])
            },
            kind,
            settings,
            start: (0..features).map(|j| (j as f64 - 2.0) / 8.0).collect(),
            intercept: 0.25,
        })
        .to_vec();

    let mut block = LinearBlock::<f64>::new(&AffineMap::identity(features), &columns);
    let mut scratch = Scratch::new(features, block.width());
    let batch = [Rows {
        x: x.view(),
        y: &y,
        weight: None,
        group: 0,
    }];
    assert_eq!(expected.len(), columns.len());
    let mut worst = 0.0f64;
    for step in 0..200 {
        block.train_batch(&batch, &mut scratch, None);
        for (position, (name, ..)) in optimizers().iter().enumerate() {
            let expected = &expected[name][step];
            // A weight crosses 0 on its way; what it is measured against there is the size of its neighbors.
            let size = expected.iter().fold(0.0f64, |size, w| size.max(w.abs()));
            for (found, expected) in block.parameters(position).iter().zip(expected) {
                let error = (found - expected).abs() / expected.abs().max(0.01 * size);
                assert!(error <= 1e-10, "{name}, step {}: {found} {expected}", step + 1);
                worst = worst.max(error);
            }
        }
    }
    println!("largest relative difference from PyTorch over 7 optimizers, 200 steps: {worst:.1e}");
}
