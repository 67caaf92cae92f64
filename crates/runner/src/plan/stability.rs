//! Learning rates that gradient descent will not survive, said before training.

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::curvature::{SecondMoments, largest_stable_rate};
use gradsweep_math::optimizer::Kind;
use gradsweep_math::penalty::l2;
use gradsweep_math::solver::MOST_WHOLE;

use super::{Method, Plan};
use crate::train::View;

/// Rows preprocessed at a time.
const ROWS: usize = 4096;

/// A sentence when trials with solver `gd` have learning rates above the bound of the first fold's curvature.
///
/// Reads all training rows of that fold once, only when there are such trials, and features few enough for a matrix of them.
pub(super) fn note<T: Real>(plan: &Plan, view: &View<'_, T>) -> Option<String> {
    let trials = || plan.trials.iter().zip(&plan.methods);
    let gd = || {
        trials()
            .filter(|(_, method)| **method == Method::Steps(Kind::Gd))
            .map(|(trial, _)| trial)
    };
    if view.map.features > MOST_WHOLE {
        return None;
    }
    let largest = gd()
        .filter_map(|trial| trial.train.learning_rate.given())
        .max_by(f64::total_cmp)?;
    let mut moments = SecondMoments::new(view.map.features);
    for group in view.groups_as(0, Role::Train) {
        let rows = view.groups[group].clone();
        for first in rows.clone().step_by(ROWS) {
            let tile = view.rows(group, first..rows.end.min(first + ROWS));
            moments.add(&view.map.features_of(0, &tile.x).view());
        }
    }
    let rows = view.rows_as(0, Role::Train) as f64;
    let weakest = gd()
        .map(|trial| l2::strength(trial.model.c, trial.model.l1_ratio, rows))
        .min_by(f64::total_cmp)?;
    let bound = largest_stable_rate(moments.largest_eigenvalue()?, weakest);
    (largest > bound).then(|| {
        format!("gd may diverge at learning rates above {bound:.3} on these features; the sweep goes up to {largest}")
    })
}
