//! One run on its way to its minimum.

use std::sync::Arc;

use ndarray::Array2;

use super::curvature::Curvature;
use super::direction::direction;
use super::goal::Goal;
use super::lasso::Accuracy;
use super::model::{Model, Own};
use super::pairs::{Pairs, add, dot, negate};

/// A step is taken when the slope at its end is at most this share of the slope at its start, on either side.
const SLOPE: f64 = 0.9;
/// The rounding of a mean loss for scores whose terms cancel, as a share of that of the largest term.
const SCORES: f64 = 1e-3;
/// Tries along one line.
const MOST_TRIES: u32 = 25;
/// A Hessian is worth a product when the last step with the old one left more than this share of the distance.
const GOOD_PROGRESS: f64 = 0.3;
/// The smallest mean of p(1−p) a model is built on.
const SMALLEST_SCALE: f64 = 1e-8;

/// What a pass says of a run at the point it asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean training loss.
    pub loss: f64,
    /// Its gradient by the weights, then the intercept (P + 1).
    pub gradient: Vec<f64>,
    /// About the mean of p(1−p); the mean of (p − y)² is, for a model that is not far off.
    pub curvature: f64,
    /// The Hessian of the mean loss by weights and intercept, where it was asked for.
    pub hessian: Option<Arc<Array2<f64>>>,
}

/// What became of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The point is the run's new standing; it needs a direction.
    Accepted,
    /// The step was too long or too short; the run asks for another point of the same line.
    Rejected,
    /// The point is the minimum, to the tolerance.
    Converged,
    /// The line leads nowhere; the run is back at its standing and needs a direction that forgets what it has seen.
    Returned,
    /// No point of the line improves on the run's standing: it is as near to the minimum as the arithmetic allows.
    Stalled,
    /// The objective is not finite where the run starts.
    Lost,
}

/// A run between its start and its minimum.
#[derive(Debug, Clone)]
pub struct Descent {
    pub(super) goal: Goal,
    /// The best point so far, once there is one.
    pub(super) standing: Option<Standing>,
    pub(super) line: Option<Line>,
    /// The point to be evaluated, in centered coordinates.
    pub(super) trial: Vec<f64>,
    pub(super) pairs: Pairs,
    pub(super) model: Model,
    pub(super) takes_hessians: bool,
    /// The distance left by the last step, as a share of the one before it.
    pub(super) progress: f64,
}

/// A point that a run has accepted, in centered coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The point (P + 1).
    pub u: Vec<f64>,
    /// The gradient there, ridge included (P + 1).
    pub gradient: Vec<f64>,
    /// The objective there.
    pub objective: f64,
    /// The largest distance from optimality over all parameters.
    pub distance: f64,
}

/// A search along a direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The direction, in centered coordinates (P + 1).
    pub direction: Vec<f64>,
    /// The step that is tried, as a share of it.
    pub length: f64,
    /// The slope at the start, negative.
    pub slope: f64,
    /// A step that was too short.
    pub low: f64,
    /// A step that was too long.
    pub high: f64,
    /// Steps that were tried.
    pub tries: u32,
}

impl Descent {
    /// A run that starts at given weights and intercept.
    pub fn new(goal: Goal, parameters: &[f64], curvature: f64, takes_hessians: bool) -> Self {
        let trial = goal.centered(parameters);
        Self {
            goal,
            standing: None,
            line: None,
            trial,
            pairs: Pairs::default(),
            model: Model::Shared {
                scale: curvature.max(SMALLEST_SCALE),
            },
            takes_hessians,
            progress: 0.0,
        }
    }

    /// A run that starts where solved runs of the same data, whose penalties differ, say it will end: one step of each
    /// run's own model under the new penalties, mixed by `share` of the second.
    pub fn beside(goal: Goal, first: &Self, second: Option<(&Self, f64)>, curvature: &Curvature) -> Self {
        let nearest = match second {
            Some((second, share)) if share > 0.5 => second,
            _ => first,
        };
        let run = nearest.under(goal);
        let predict = |solved: &Self| {
            if std::ptr::eq(solved, nearest) {
                solved.predict(&run, curvature)
            } else {
                solved.predict(&solved.under(run.goal.clone()), curvature)
            }
        };
        let mut trial = predict(first);
        if let Some((second, share)) = second {
            for (value, other) in trial.iter_mut().zip(predict(second)) {
                *value += share * (other - *value);
            }
        }
        Self { trial, ..run }
    }

    /// What this run knows of its curvature, under another goal and without a standing.
    fn under(&self, goal: Goal) -> Self {
        let mut run = self.clone();
        run.pairs.reweigh(goal.l2 - self.goal.l2);
        if let Model::Own(own) = &self.model {
            run.model = Model::Own(Own::with(&goal, own.matrix.clone()));
        }
        run.goal = goal;
        (run.standing, run.line, run.progress) = (None, None, 0.0);
        run
    }

    /// Where one step of this run's model leads under another goal; `run` is what it knows, under that goal.
    fn predict(&self, run: &Self, curvature: &Curvature) -> Vec<f64> {
        let goal = &run.goal;
        let Some(standing) = &self.standing else {
            return self.trial.clone();
        };
        let mut gradient = standing.gradient.clone();
        add(&mut gradient[..goal.features()], goal.l2 - self.goal.l2, &standing.u);
        let accuracy = Accuracy {
            enough: 0.1 * goal.tol,
            solves: false,
        };
        let mut step = direction(
            goal,
            &standing.u,
            &gradient,
            &run.model,
            &run.pairs,
            curvature,
            accuracy,
        );
        goal.hold(&mut step);
        add(&mut step, 1.0, &standing.u);
        step
    }

    /// Weights and intercept to be evaluated next.
    pub fn point(&self) -> Vec<f64> {
        self.goal.parameters(&self.trial)
    }

    /// Whether the next evaluation should bring the Hessian.
    pub fn wants_hessian(&self) -> bool {
        self.takes_hessians
            && match self.model {
                Model::Shared { .. } => true,
                Model::Own(_) => self.progress > GOOD_PROGRESS,
            }
    }

    /// From now on the run takes its own Hessians.
    pub fn take_hessians(&mut self) {
        self.takes_hessians = true;
    }

    /// The best weights and intercept so far.
    pub fn parameters(&self) -> Vec<f64> {
        let u = self.standing.as_ref().map_or(&self.trial, |standing| &standing.u);
        self.goal.parameters(u)
    }

    /// The largest distance from optimality over all parameters, at the best point so far.
    pub fn distance(&self) -> Option<f64> {
        self.standing.as_ref().map(|standing| standing.distance)
    }

    /// The objective at the best point so far.
    pub fn objective(&self) -> Option<f64> {
        self.standing.as_ref().map(|standing| standing.objective)
    }

    /// The direction the run walks in, by weights and intercept.
    pub fn direction(&self) -> Option<Vec<f64>> {
        let line = self.line.as_ref()?;
        Some(self.goal.parameters(&line.direction))
    }

    /// Takes the Hessian at the run's standing, and returns Newton's direction from it, by weights and intercept.
    pub fn newton_direction(&mut self, hessian: &Array2<f64>) -> Option<Vec<f64>> {
        let own = Own::new(&self.goal, hessian);
        let mut direction = own.solve(&self.standing.as_ref()?.gradient);
        negate(&mut direction);
        self.goal.hold(&mut direction);
        self.model = Model::Own(own);
        self.pairs.clear();
        Some(self.goal.parameters(&direction))
    }

    /// From now on the run has converged at this tolerance only.
    pub fn demand(&mut self, tol: f64) {
        self.goal.tol = tol;
    }

    /// What the run has to reach.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// Takes note of an evaluation at [`Descent::point`].
    pub fn tell(&mut self, evaluation: Evaluation) -> Verdict {
        let Evaluation {
            loss,
            gradient: of_loss,
            curvature,
            hessian,
        } = evaluation;
        let mut here = Standing {
            objective: self.goal.objective(loss, &self.trial),
            distance: self.goal.distance(&of_loss, &self.trial),
            gradient: self.goal.gradient(&of_loss, &self.trial),
            u: Vec::new(),
        };
        if !(here.objective.is_finite() && here.distance.is_finite()) {
            return self.shorten(0.1);
        }
        let is_arrived = here.distance <= self.goal.tol;
        if let (Some(line), Some(standing), false) = (&self.line, &self.standing, is_arrived) {
            let slope =
                dot(&here.gradient, &line.direction) + self.goal.lasso_slope(&self.trial, &standing.u, &line.direction);
            let rise = here.objective - standing.objective;
            let noise = self.goal.rounding.loss
                * (standing.objective.abs().max(1e-3) + SCORES * self.goal.largest_term(&self.trial));
            if slope > -SLOPE * line.slope || rise > noise {
                // The zero of the line through both slopes, or half of the way.
                let zero = if slope > 0.0 {
                    -line.slope / (slope - line.slope)
                } else {
                    0.5
                };
                return self.shorten(zero.clamp(0.1, 0.7));
            }
            if slope < SLOPE * line.slope && self.goal.l1 == 0.0 && line.high.is_infinite() && line.tries < 8 {
                let zero = -line.slope / (slope - line.slope);
                return self.lengthen(if zero.is_finite() { zero } else { 8.0 }.clamp(1.5, 8.0));
            }
        }
        here.u.clone_from(&self.trial);
        self.learn(&here, curvature, hessian);
        self.progress = self
            .standing
            .as_ref()
            .map_or(0.0, |standing| here.distance / standing.distance);
        self.standing = Some(here);
        self.line = None;
        if is_arrived {
            Verdict::Converged
        } else {
            Verdict::Accepted
        }
    }

    /// Refines the model by a step just taken.
    fn learn(&mut self, here: &Standing, curvature: f64, hessian: Option<Arc<Array2<f64>>>) {
        if let Some(hessian) = hessian {
            self.model = Model::Own(Own::new(&self.goal, &hessian));
            self.pairs.clear();
            return;
        }
        if let Some(standing) = &self.standing {
            let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
            let (s, y) = (
                difference(&here.u, &standing.u),
                difference(&here.gradient, &standing.gradient),
            );
            self.pairs.push(s, y);
        }
        if let Model::Shared { scale } = &mut self.model {
            *scale = curvature.max(SMALLEST_SCALE);
        }
    }

    fn shorten(&mut self, factor: f64) -> Verdict {
        let Some(line) = &mut self.line else {
            return Verdict::Lost;
        };
        line.high = line.length;
        let length = line.low + factor * (line.length - line.low);
        self.walk_to(length)
    }

    fn lengthen(&mut self, factor: f64) -> Verdict {
        let Some(line) = &mut self.line else {
            return Verdict::Lost;
        };
        line.low = line.length;
        let length = line.length * factor;
        self.walk_to(length)
    }

    fn walk_to(&mut self, length: f64) -> Verdict {
        let (Some(line), Some(standing)) = (&mut self.line, &self.standing) else {
            return Verdict::Lost;
        };
        line.tries += 1;
        if line.tries > MOST_TRIES {
            if self.pairs.is_empty() {
                return Verdict::Stalled;
            }
            // What was seen may mislead; without it the model's own step is a last try.
            self.pairs.clear();
            self.line = None;
            return Verdict::Returned;
        }
        line.length = length;
        self.trial.clone_from(&standing.u);
        add(&mut self.trial, length, &line.direction);
        Verdict::Rejected
    }

    pub(super) fn gradient(&self) -> &[f64] {
        self.standing.as_ref().map_or(&[], |standing| &standing.gradient)
    }

    pub(super) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// The factor of the shared matrix.
    pub(super) fn scale(&self) -> f64 {
        match self.model {
            Model::Shared { scale } => scale,
            Model::Own(_) => 1.0,
        }
    }

    pub(super) fn walks_by_shared_inverse(&self) -> bool {
        self.goal.l1 == 0.0 && matches!(self.model, Model::Shared { .. }) && self.standing.is_some()
    }

    /// The direction from the run's standing by its own model.
    pub(super) fn own_direction(&self, curvature: &Curvature) -> Vec<f64> {
        let Some(standing) = &self.standing else {
            return vec![0.0; self.trial.len()];
        };
        let accuracy = Accuracy {
            enough: (0.05 * standing.distance).max(0.2 * self.goal.tol),
            solves: matches!(&self.model, Model::Own(own) if own.is_flat()),
        };
        direction(
            &self.goal,
            &standing.u,
            &standing.gradient,
            &self.model,
            &self.pairs,
            curvature,
            accuracy,
        )
    }

    /// Sets out along a direction; one that does not lead down is replaced by the model's own.
    pub(super) fn go(&mut self, mut direction: Vec<f64>, curvature: &Curvature) {
        let Some(standing) = &self.standing else {
            return;
        };
        self.goal.hold(&mut direction);
        let slope_of = |direction: &[f64]| {
            dot(&standing.gradient, direction) + self.goal.lasso_slope(&standing.u, &standing.u, direction)
        };
        let mut slope = slope_of(&direction);
        if slope >= 0.0 && !self.pairs.is_empty() {
            self.pairs.clear();
            direction = self.own_direction(curvature);
            self.goal.hold(&mut direction);
            slope = slope_of(&direction);
        }
        self.trial.clone_from(&standing.u);
        add(&mut self.trial, 1.0, &direction);
        self.line = Some(Line {
            direction,
            length: 1.0,
            slope,
            low: 0.0,
            high: f64::INFINITY,
            tries: 0,
        });
    }
}
