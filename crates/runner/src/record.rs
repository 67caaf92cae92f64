//! From outcomes to the rows of the store.

use gradsweep_data::{Encoding, FoldEncoding, RawKind, Role};
use gradsweep_math::Real;
use gradsweep_math::metric::Metric;
use gradsweep_store::{CoefficientRow, HistoryRow, Name, Part, RunRecord, RunState};

use crate::plan::Plan;
use crate::train::{Outcome, View};

/// Turns a cohort's outcomes into a part of the store.
pub(crate) fn part<T: Real>(plan: &Plan, view: &View<'_, T>, encoding: &Encoding, outcomes: Vec<Outcome>) -> Part {
    let names: Vec<Name> = encoding
        .features
        .iter()
        .map(|feature| Name::from(feature.name.as_str()))
        .collect();
    let intercept = Name::from("(intercept)");
    let is_level = levels(encoding);
    let mut part = Part::default();
    for outcome in outcomes {
        let planned = &plan.runs[outcome.run];
        let scores = |values: &[(Metric, f64)]| values.iter().map(|&(metric, value)| (name(metric), value)).collect();
        part.runs.push(RunRecord {
            run: planned.id,
            state: outcome.state,
            reason: outcome.reason,
            converged: outcome.converged,
            epochs: outcome.epochs,
            best_epoch: outcome.best_epoch,
            first_pass: outcome.first_pass,
            rung: outcome.rung,
            objective: outcome.objective,
            grad_norm: outcome.grad_norm,
            l1: outcome.l1,
            l2: outcome.l2,
            n_train: view.rows_as(planned.fold, Role::Train) as u64,
            n_val: view.rows_as(planned.fold, Role::Val) as u64,
            train: scores(&outcome.train),
            val: scores(&outcome.val),
            seconds: outcome.seconds,
        });
        part.history.extend(outcome.history.iter().map(|point| HistoryRow {
            run: planned.id,
            epoch: point.epoch,
            split: point.split,
            metric: name(point.metric),
            value: point.value,
        }));
        if outcome.state == RunState::Complete {
            let fold = &encoding.folds[planned.fold];
            let original = original_units(fold, &outcome.parameters);
            for (feature, name) in names.iter().enumerate() {
                // A level that is rare or absent in the fold has no weight of its own.
                if !(fold.is_held[feature] && is_level[feature]) {
                    part.coefficients.push(CoefficientRow {
                        run: planned.id,
                        feature: name.clone(),
                        coefficient: original[feature],
                        coefficient_standardized: outcome.parameters[feature],
                    });
                }
            }
            part.coefficients.push(CoefficientRow {
                run: planned.id,
                feature: intercept.clone(),
                coefficient: original[names.len()],
                coefficient_standardized: outcome.parameters[names.len()],
            });
        }
    }
    part
}

/// Weights and intercept in the units of the data: `w/σ` and `b − Σ w·μ/σ`.
fn original_units(fold: &FoldEncoding, parameters: &[f64]) -> Vec<f64> {
    let features = fold.scale.len();
    let mut original: Vec<f64> = (0..features).map(|i| parameters[i] / fold.scale[i]).collect();
    let shift: f64 = original.iter().zip(&fold.mean).map(|(w, mean)| w * mean).sum();
    original.push(parameters[features] - shift);
    original
}

/// Which features stand for a level of a categorical column.
pub(crate) fn levels(encoding: &Encoding) -> Vec<bool> {
    let mut is_level = vec![false; encoding.features.len()];
    for link in &encoding.links {
        is_level[link.feature] |= matches!(encoding.raw[link.raw].kind, RawKind::Level);
    }
    is_level
}

fn name(metric: Metric) -> Name {
    Name::from(metric.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_units_give_the_same_score() {
        let fold = FoldEncoding {
            factor: Vec::new(),
            offset: Vec::new(),
            is_held: vec![false; 2],
            scale: vec![2.0, 0.5],
            mean: vec![10.0, -1.0],
        };
        let parameters = [0.4, -0.3, 0.1];
        let original = original_units(&fold, &parameters);
        let x = [13.0, 0.25];
        let standardized: f64 = (0..2)
            .map(|i| parameters[i] * (x[i] - fold.mean[i]) / fold.scale[i])
            .sum();
        let direct: f64 = (0..2).map(|i| original[i] * x[i]).sum();
        assert!((standardized + parameters[2] - (direct + original[2])).abs() < 1e-14);
    }
}
