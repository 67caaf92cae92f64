//! New directions for many runs at once.

use std::sync::Arc;

use ndarray::Array2;
use rayon::prelude::*;

use super::curvature::Curvature;
use super::descent::Descent;
use super::goal::Goal;
use super::gram::Gram;
use super::lasso::{self, Accuracy};
use super::model::Model;
use super::pairs::{Pairs, negate};

/// Runs whose gradients are multiplied by the shared inverse together: a constant, so that bits do not depend on threads.
const TOGETHER: usize = 32;

/// Gives a new direction to every run that has accepted a point.
pub fn advance(runs: &mut [&mut Descent], curvature: &Curvature) {
    runs.par_chunks_mut(TOGETHER).for_each(|runs| {
        let all = runs.iter_mut().map(|run| &mut **run);
        let (mut shared, others): (Vec<_>, Vec<_>) = all.partition(|run| run.walks_by_shared_inverse());
        let directions = shared_inverse(&shared, curvature);
        for (run, direction) in shared.iter_mut().zip(directions) {
            run.go(direction, curvature);
        }
        for run in others {
            let direction = run.own_direction(curvature);
            run.go(direction, curvature);
        }
    });
}

/// Quasi-Newton directions of runs without L1 penalty from the shared curvature.
fn shared_inverse(runs: &[&mut Descent], curvature: &Curvature) -> Vec<Vec<f64>> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let mut gradients = Array2::zeros((runs.len(), first.gradient().len()));
    let mut factors = Vec::with_capacity(runs.len());
    for (run, mut row) in runs.iter().zip(gradients.rows_mut()) {
        let mut q = run.gradient().to_vec();
        factors.push(run.pairs().before(&mut q));
        row.assign(&ndarray::ArrayView1::from(&q));
    }
    let terms: Vec<(f64, f64)> = runs.iter().map(|run| (run.scale(), run.goal().l2)).collect();
    curvature.solve(&mut gradients, &terms);
    runs.iter()
        .zip(gradients.rows())
        .zip(&factors)
        .map(|((run, row), factors)| {
            let mut direction = row.to_vec();
            run.pairs().after(&mut direction, factors);
            negate(&mut direction);
            direction
        })
        .collect()
}

/// The direction of one run from its model and what it has seen.
pub(super) fn direction(
    goal: &Goal,
    at: &[f64],
    gradient: &[f64],
    model: &Model,
    pairs: &Pairs,
    curvature: &Curvature,
    accuracy: Accuracy,
) -> Vec<f64> {
    if goal.l1 > 0.0 {
        let matrix = match model {
            Model::Shared { scale } => (curvature.gram.clone(), *scale),
            Model::Own(own) => (Gram::whole(Arc::clone(&own.matrix)), 1.0),
        };
        return lasso::step(goal, at, gradient, (&matrix.0, matrix.1), pairs, accuracy);
    }
    let mut q = gradient.to_vec();
    let factors = pairs.before(&mut q);
    let mut direction = match model {
        Model::Shared { scale } => {
            let mut row = Array2::from_shape_vec((1, q.len()), q).expect("one row");
            curvature.solve(&mut row, &[(*scale, goal.l2)]);
            row.into_raw_vec_and_offset().0
        }
        Model::Own(own) => own.solve(&q),
    };
    pairs.after(&mut direction, &factors);
    negate(&mut direction);
    direction
}
