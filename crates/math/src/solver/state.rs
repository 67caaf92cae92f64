//! A run on its way as plain numbers, taken out and put back.

use std::sync::Arc;

use ndarray::Array2;

use super::descent::{Descent, Line, Standing};
use super::goal::Goal;
use super::model::{Model, Own};
use super::pairs::Pairs;

/// All that the next steps of a run depend on besides its goal and the shared curvature.
#[derive(Debug, Clone, PartialEq)]
pub struct DescentState {
    /// The point to be evaluated, in centered coordinates (P + 1).
    pub trial: Vec<f64>,
    /// The best point so far, once there is one.
    pub standing: Option<Standing>,
    /// The search along a direction that it is in.
    pub line: Option<Line>,
    /// The steps it remembers, and how the gradient changed along each, oldest first.
    pub pairs: Vec<(Vec<f64>, Vec<f64>)>,
    /// What it knows of its curvature.
    pub model: ModelState,
    /// Whether it takes its own Hessians.
    pub takes_hessians: bool,
    /// The distance left by the last step, as a share of the one before it.
    pub progress: f64,
    /// The distance at which it has converged, which may be less than its trial's.
    pub tol: f64,
}

/// The Hessian of the mean loss, as far as a run knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelState {
    /// This number times the shared matrix.
    Shared(f64),
    /// Its own at some earlier point (P + 1, P + 1), in centered coordinates; neighbors may share one.
    Own(Arc<Array2<f64>>),
}

impl Descent {
    /// The run between two evaluations.
    pub fn state(&self) -> DescentState {
        DescentState {
            trial: self.trial.clone(),
            standing: self.standing.clone(),
            line: self.line.clone(),
            pairs: self.pairs.iter().map(|pair| (pair.s.clone(), pair.y.clone())).collect(),
            model: match &self.model {
                Model::Shared { scale } => ModelState::Shared(*scale),
                Model::Own(own) => ModelState::Own(Arc::clone(&own.matrix)),
            },
            takes_hessians: self.takes_hessians,
            progress: self.progress,
            tol: self.goal.tol,
        }
    }

    /// The run that a state was taken from: with an equal goal, its tolerance aside, it goes on bit for bit.
    ///
    /// # Panics
    /// If a vector or matrix of the state has not the goal's number of parameters.
    pub fn restored(mut goal: Goal, state: DescentState) -> Self {
        let parameters = goal.features() + 1;
        let vectors = [&state.trial]
            .into_iter()
            .chain(
                state
                    .standing
                    .iter()
                    .flat_map(|standing| [&standing.u, &standing.gradient]),
            )
            .chain(state.line.iter().map(|line| &line.direction))
            .chain(state.pairs.iter().flat_map(|(s, y)| [s, y]));
        for vector in vectors {
            assert!(vector.len() == parameters, "{} numbers for {parameters}", vector.len());
        }
        goal.tol = state.tol;
        let model = match state.model {
            ModelState::Shared(scale) => Model::Shared { scale },
            ModelState::Own(matrix) => {
                let shape = matrix.dim();
                assert!(
                    shape == (parameters, parameters),
                    "{shape:?} for {parameters} parameters"
                );
                Model::Own(Own::with(&goal, matrix))
            }
        };
        Self {
            goal,
            standing: state.standing,
            line: state.line,
            trial: state.trial,
            pairs: Pairs::restored(state.pairs),
            model,
            takes_hessians: state.takes_hessians,
            progress: state.progress,
        }
    }
}
