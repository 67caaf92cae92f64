//! Where runs start.

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::fused::Objective;
use gradsweep_math::solver::{Descent, Goal, Rounding};
use rayon::prelude::*;

use super::PATIENCE;
use super::path::Start;
use super::trainer::Trainer;
use crate::plan::Method;
use crate::train::Stood;

impl<T: Real> Trainer<'_, '_, T> {
    /// Starts the runs that wait for nothing any more.
    pub(super) fn admit(&mut self) {
        let start = |column: usize| {
            let run = &self.runs[column];
            if run.descent.is_some() || run.is_done {
                return None;
            }
            match run.start {
                Start::Own => Some(self.own_start(column)),
                Start::Between { first, second, share } => (self.runs[first].is_done && self.runs[second].is_done)
                    .then(|| self.start_between(column, (first, second), share)),
            }
        };
        let started: Vec<Option<Descent>> = (0..self.runs.len()).into_par_iter().map(start).collect();
        for (run, descent) in self.runs.iter_mut().zip(started) {
            run.descent = run.descent.take().or(descent);
        }
    }

    pub(super) fn goal(&self, column: usize) -> Goal {
        let (plan, run) = (self.ledger.task.plan, self.ledger.runs[column]);
        let Objective {
            fold,
            l2,
            l1,
            fit_intercept,
            ..
        } = self.ledger.columns[column].objective;
        Goal {
            l2,
            l1,
            fit_intercept,
            tol: plan.trial_of(run).train.tol,
            is_held: self.ledger.task.view.map.folds[fold].is_held.as_slice().into(),
            spread: self.ground.curvatures.spread(fold, fit_intercept, plan.method_of(run)),
            rounding: Rounding::of::<T>(),
        }
    }

    /// A run where it stood.
    fn go_on(&self, column: usize, stood: &Stood) -> Descent {
        let method = self.ledger.task.plan.method_of(self.ledger.runs[column]);
        let is_patient = stood.epochs >= PATIENCE && method == Method::QuasiNewton { may_switch: true };
        let takes_hessians = method == Method::Newton || is_patient;
        Descent::new(self.goal(column), &stood.parameters, 0.25, takes_hessians)
    }

    /// A run at its starting weights; one that starts at zeros has the intercept of the null model.
    fn own_start(&self, column: usize) -> Descent {
        if let Some(stood) = self.ledger.stood(column) {
            return self.go_on(column, stood);
        }
        let (view, plan) = (self.ledger.task.view, self.ledger.task.plan);
        let run = &self.ledger.columns[column];
        let objective = &run.objective;
        let sums = view.class_sums_as(objective.fold, Role::Train);
        let of_class = |class: usize| objective.class_weight[class] * sums[class];
        let is_null = run.start.iter().all(|&w| w == 0.0) && objective.fit_intercept;
        let intercept = if is_null { (of_class(1) / of_class(0)).ln() } else { 0.0 };
        let rate = of_class(1) / (of_class(0) + of_class(1));
        let curvature = if is_null { rate * (1.0 - rate) } else { 0.25 };
        let held = &view.map.folds[objective.fold].is_held;
        let weights = run
            .start
            .iter()
            .zip(held)
            .map(|(&w, &is_held)| if is_held { 0.0 } else { w });
        let parameters: Vec<f64> = weights.chain([intercept]).collect();
        let is_newton = plan.method_of(self.ledger.runs[column]) == Method::Newton;
        Descent::new(self.goal(column), &parameters, curvature, is_newton)
    }

    fn start_between(&self, column: usize, (first, second): (usize, usize), share: f64) -> Descent {
        let solved = |column: usize| {
            self.runs[column]
                .descent
                .as_ref()
                .filter(|run| run.distance().is_some())
        };
        match (solved(first), solved(second)) {
            (Some(first), Some(second)) => {
                Descent::beside(self.goal(column), first, Some((second, share)), self.curvature(column))
            }
            (Some(one), None) | (None, Some(one)) => {
                Descent::beside(self.goal(column), one, None, self.curvature(column))
            }
            (None, None) => self.own_start(column),
        }
    }
}
