//! Scores of a block's columns: means of what a pass summed up, and metrics that need the rows in order.

use std::ops::Range;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::elementwise::LANES;
use gradsweep_math::fused::{LinearBlock, Objective, Pass};
use gradsweep_math::metric::{Metric, ScoredRows};
use gradsweep_math::workspace::{Scores, Scratch};
use rayon::prelude::*;

use super::view::View;

/// Scores the rows that play `role` for any of the columns, without gradients.
pub(super) fn score<T: Real>(
    view: &View<'_, T>,
    block: &LinearBlock<T>,
    role: Role,
    scratch: &mut Scratch<T>,
) -> Scores {
    let pass = block.pass();
    let mut scores = Scores::new(view.groups.len(), pass.width());
    for (group, rows) in view.groups.iter().enumerate() {
        let plays = |position: usize| view.folds.roles[block.objective(position).fold][group] == role;
        if let Some(columns) = pass.covering(block.live().len(), plays) {
            pass.score(view.rows(group, rows.clone()), columns, view.cut, scratch, &mut scores);
        }
    }
    scores
}

/// The free metrics of one column over the groups that play `role` for its fold; empty when none do.
pub(super) fn free_metrics<T: Real>(
    view: &View<'_, T>,
    scores: &Scores,
    position: usize,
    fold: usize,
    role: Role,
) -> Vec<(Metric, f64)> {
    let [zero, one] = view.class_sums_as(fold, role);
    if view.rows_as(fold, role) == 0 {
        return Vec::new();
    }
    let mean = |metric: Metric| {
        let of_group = |group: usize| match metric {
            Metric::BrierScore => scores.squared[[group, position]],
            Metric::Accuracy => scores.correct[[group, position]],
            _ => scores.loss_of(group, position),
        };
        view.groups_as(fold, role).map(of_group).sum::<f64>() / (zero + one)
    };
    view.metrics
        .iter()
        .filter(|metric| metric.is_free())
        .map(|&metric| (metric, mean(metric)))
        .collect()
}

/// The mean training loss of one column, its class weights included: the objective without the penalty.
pub(super) fn training_loss<T: Real>(
    view: &View<'_, T>,
    scores: &Scores,
    position: usize,
    objective: &Objective,
) -> f64 {
    let of_class = |class: usize| -> f64 {
        let groups = view.groups_as(objective.fold, Role::Train);
        objective.class_weight[class] * groups.map(|group| scores.loss[class][[group, position]]).sum::<f64>()
    };
    (of_class(0) + of_class(1)) / view.training_weight(objective)
}

/// Which rows [`ordered_metrics`] measures.
pub(super) fn ordered_role<T: Real>(view: &View<'_, T>) -> Role {
    if view.has_validation() { Role::Val } else { Role::Train }
}

/// The metrics that a pass does not measure by the way, of the columns at `positions`: on their held-out rows, or on their
/// training rows where the sweep holds nothing out.
///
/// Columns are scored in waves of one register, so that memory stays at held-out rows x 16 per worker.
pub(super) fn ordered_metrics<T: Real>(
    view: &View<'_, T>,
    pass: &Pass<T>,
    fold_of: impl Fn(usize) -> usize + Sync,
    positions: &[usize],
) -> Vec<Vec<(Metric, f64)>> {
    let ordered: Vec<Metric> = view
        .metrics
        .iter()
        .copied()
        .filter(|metric| !metric.is_free())
        .collect();
    if ordered.is_empty() {
        return vec![Vec::new(); positions.len()];
    }
    let waves: Vec<&[usize]> = positions.chunk_by(|a, b| a / LANES == b / LANES).collect();
    waves
        .par_iter()
        .flat_map_iter(|wave| {
            let first = wave[0] / LANES * LANES;
            let columns = first..(first + LANES).min(pass.width());
            scored_wave(view, pass, &fold_of, wave, &columns)
                .into_iter()
                .map(|rows| ordered.iter().map(|&metric| (metric, metric.value(&rows))).collect())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The rows of each position of a wave that [`ordered_metrics`] measures, with their scores.
fn scored_wave<T: Real>(
    view: &View<'_, T>,
    pass: &Pass<T>,
    fold_of: &impl Fn(usize) -> usize,
    wave: &[usize],
    columns: &Range<usize>,
) -> Vec<ScoredRows> {
    let role = ordered_role(view);
    let mut scratch = Scratch::new(view.map.raw_columns, pass.width());
    let mut rows_of: Vec<Vec<(f64, bool, f64)>> = vec![Vec::new(); wave.len()];
    let mut z = Vec::new();
    for (group, rows) in view.groups.iter().enumerate() {
        let counts = |position: usize| view.folds.roles[fold_of(position)][group] == role;
        if !wave.iter().any(|&position| counts(position)) {
            continue;
        }
        z.clear();
        let own = view.rows(group, rows.clone());
        pass.predict(own, columns.clone(), &mut scratch, &mut z);
        let weight = |index: usize| own.weight.map_or(1.0, |weight| weight[index].as_f64());
        for (rows_of, &position) in rows_of.iter_mut().zip(wave) {
            if counts(position) {
                let column = z.iter().skip(position - columns.start).step_by(columns.len());
                let scored = column.zip(own.y).enumerate();
                rows_of.extend(scored.map(|(index, (z, y))| (z.as_f64(), *y > T::zero(), weight(index))));
            }
        }
    }
    rows_of.into_iter().map(|rows| scored(view, rows)).collect()
}

/// Scored rows under the view's threshold, with their weights where there are any.
fn scored<T: Real>(view: &View<'_, T>, rows: impl IntoIterator<Item = (f64, bool, f64)>) -> ScoredRows {
    if view.weight.is_some() {
        ScoredRows::weighted(rows, view.threshold)
    } else {
        ScoredRows::new(rows.into_iter().map(|(z, y, _)| (z, y)), view.threshold)
    }
}
