//! Classes that a direction separates: without a penalty there is no minimum.
//!
//! A direction d separates the classes when no training row lies on the wrong side of it, `(2y − 1)·(x·d + d₀) ≥ 0` for all
//! rows, and some rows lie off it. Then scores may grow along d for ever and the loss only falls. The steps of a run whose
//! classes are separated turn into such a direction by themselves; a look at all rows proves it.
//!
//! # Source
//! Albert and Anderson 1984 (complete and quasi-complete separation).

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::Objective;
use gradsweep_math::workspace::Scratch;
use rayon::prelude::*;

use super::trips::{self, Segment};
use crate::train::View;

/// Epochs before the first look.
pub(super) const FIRST_LOOK: u32 = 6;

/// What a direction does to the training rows.
pub(super) enum Look {
    /// It separates the classes; the feature that weighs most in it.
    Separated(String),
    /// It moves scores.
    Moving,
    /// It moves no score by more than [`STILL`].
    Still,
}

/// A step that moves no score by more leaves a run where it is.
const STILL: f64 = 0.05;

/// Looks at the training rows of a run along a direction from where it stands.
pub(super) fn look<T: Real>(
    view: &View<'_, T>,
    segments: &[Segment],
    objective: &Objective,
    direction: &[f64],
) -> Look {
    let (worst, best) = margins(view, segments, objective, direction);
    if best.max(-worst) <= STILL {
        return Look::Still;
    }
    // Rows that the direction leaves alone lie on it up to rounding.
    let rounding = if T::NAME == "f32" { 1e-4 } else { 1e-6 };
    if !(best > 0.0 && worst >= -rounding * best) {
        return Look::Moving;
    }
    let weights = direction[..view.features.len()].iter().map(|w| w.abs());
    let largest = weights.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    Look::Separated(largest.map_or_else(String::new, |(feature, _)| view.features[feature].to_owned()))
}

/// The smallest and the largest of `(2y − 1)·(x·d + d₀)` over the training rows.
fn margins<T: Real>(view: &View<'_, T>, segments: &[Segment], objective: &Objective, direction: &[f64]) -> (f64, f64) {
    let pass = trips::pass_at(view, &[objective], &[direction.to_vec()]);
    let is_trained = |segment: &&Segment| view.folds.roles[objective.fold][segment.0] == Role::Train;
    let trained: Vec<&Segment> = segments.iter().filter(is_trained).collect();
    trained
        .par_iter()
        .map(|(group, rows)| {
            let mut z = Vec::with_capacity(rows.len());
            let rows = view.rows(*group, rows.clone());
            pass.predict(rows, 0..1, &mut Scratch::new(view.map.raw_columns, 1), &mut z);
            let counts = |index: usize| rows.weight.is_none_or(|weight| weight[index] > T::zero());
            z.iter()
                .zip(rows.y)
                .enumerate()
                .filter(|(index, _)| counts(*index))
                .map(|(_, (z, y))| if *y > T::zero() { z.as_f64() } else { -z.as_f64() })
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), margin| {
                    (low.min(margin), high.max(margin))
                })
        })
        .reduce(
            || (f64::INFINITY, f64::NEG_INFINITY),
            |a, b| (a.0.min(b.0), a.1.max(b.1)),
        )
}
