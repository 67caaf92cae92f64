//! The step of a run with an L1 penalty: the minimum of the quadratic model plus the penalty.
//!
//! Coordinate descent finds which weights are 0, and in tame models the minimum too. Where features are nearly collinear it
//! would crawl; there the weights that are not 0 are solved for at once, as long as none changes its sign.

use ndarray::{Array1, Array2, s};
use ndarray_linalg::Inverse;

use super::curvature::MOST_WHOLE;
use super::factor::Factor;
use super::goal::Goal;
use super::gram::Gram;
use super::pairs::{Pairs, dot};
use crate::penalty::l1;

/// Sweeps over all coordinates, at the most.
const MOST_SWEEPS: usize = 100;
/// Sweeps over the weights that are not 0 before they are solved for at once.
const PATIENCE: usize = 12;

/// How far a step's inner iteration goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Accuracy {
    /// The distance from its optimum that every coordinate is allowed.
    pub(super) enough: f64,
    /// Whether the weights that are not 0 are solved for at once at least once, whatever the coordinates say.
    pub(super) solves: bool,
}

/// `B = scale·M + l2·I − W·N·Wᵀ`: a model's matrix, the ridge, and what the remembered steps add to it (the compact form of
/// the quasi-Newton update).
struct Quadratic<'a> {
    matrix: &'a Gram,
    scale: f64,
    l2: f64,
    /// (P + 1, 2m): `[B₀S Y]`.
    wide: Array2<f64>,
    /// (P + 1, 2m): `W·N`.
    turned: Array2<f64>,
    diagonal: Vec<f64>,
}

impl<'a> Quadratic<'a> {
    fn new(goal: &Goal, matrix: &'a Gram, scale: f64, pairs: &Pairs) -> Self {
        let (order, m) = (matrix.order(), pairs.len());
        let ridge = |i: usize| if i + 1 < order { goal.l2 } else { 0.0 };
        let mut quadratic = Self {
            matrix,
            scale,
            l2: goal.l2,
            wide: Array2::zeros((order, 2 * m)),
            turned: Array2::zeros((order, 2 * m)),
            diagonal: (0..order).map(|i| scale * matrix.at(i, i) + ridge(i)).collect(),
        };
        if m > 0 {
            quadratic.add_steps(pairs, ridge);
        }
        quadratic
    }

    fn add_steps(&mut self, pairs: &Pairs, ridge: impl Fn(usize) -> f64) {
        let (order, m) = (self.matrix.order(), pairs.len());
        let steps = Array2::from_shape_vec((m, order), pairs.iter().flat_map(|pair| pair.s.clone()).collect())
            .expect("every step has the matrix's order");
        let mut first = self.matrix.times(&steps);
        first *= self.scale;
        for (j, pair) in pairs.iter().enumerate() {
            for i in 0..order {
                self.wide[[i, j]] = first[[i, j]] + ridge(i) * pair.s[i];
                self.wide[[i, m + j]] = pair.y[i];
            }
        }
        let mut middle = Array2::zeros((2 * m, 2 * m));
        middle
            .slice_mut(s![..m, ..m])
            .assign(&steps.dot(&self.wide.slice(s![.., ..m])));
        for (i, of_step) in pairs.iter().enumerate() {
            for (j, of_change) in pairs.iter().enumerate().take(i) {
                let value = dot(&of_step.s, &of_change.y);
                middle[[i, m + j]] = value;
                middle[[m + j, i]] = value;
            }
            middle[[m + i, m + i]] = -of_step.sy;
        }
        let Ok(inverse) = middle.inv() else {
            self.wide.fill(0.0);
            return;
        };
        self.turned = self.wide.dot(&inverse);
        for (i, diagonal) in self.diagonal.iter_mut().enumerate() {
            let less = self.wide.row(i).dot(&self.turned.row(i));
            // The form is positive; a diagonal that is all rounding would make steps without bound.
            *diagonal = (*diagonal - less).max(1e-3 * *diagonal);
        }
    }
}

/// The step `d` that minimizes `gᵀd + ½dᵀBd + l1·‖w + d‖₁`, to the given accuracy.
///
/// # Source
/// Friedman, Hastie and Tibshirani 2010 (covariance updates, active sets); Lee, Battle, Raina and Ng 2007 for the solves
/// with fixed signs; Lee, Sun and Saunders 2014 for the proximal quasi-Newton step.
pub(super) fn step(
    goal: &Goal,
    at: &[f64],
    gradient: &[f64],
    (matrix, scale): (&Gram, f64),
    pairs: &Pairs,
    accuracy: Accuracy,
) -> Vec<f64> {
    let Accuracy { enough, solves } = accuracy;
    let quadratic = Quadratic::new(goal, matrix, scale, pairs);
    let order = at.len();
    let mut walk = Walk {
        goal,
        at,
        gradient,
        step: vec![0.0; order],
        product: vec![0.0; order],
        turned: vec![0.0; quadratic.wide.ncols()],
        quadratic,
    };
    let free: Vec<usize> = (0..order).filter(|&i| walk.is_free(i)).collect();
    let mut is_solved = !solves;
    for _ in 0..MOST_SWEEPS {
        let worst = free.iter().fold(0.0, |worst: f64, &i| worst.max(walk.settle(i)));
        let active: Vec<usize> = free.iter().copied().filter(|&i| walk.is_active(i)).collect();
        if worst <= enough {
            if is_solved {
                break;
            }
            // Along nearly flat directions no single coordinate shows how far the minimum still is.
            walk.solve(active);
            is_solved = true;
            continue;
        }
        let sweep = |walk: &mut Walk<'_>| active.iter().fold(0.0, |worst: f64, &i| worst.max(walk.settle(i)));
        if (0..PATIENCE).all(|_| sweep(&mut walk) > 0.5 * enough) {
            // A weight that the sweeps have brought to 0 has no sign to keep.
            walk.solve(active.iter().copied().filter(|&i| walk.is_active(i)).collect());
        }
    }
    walk.step
}

/// A step under way.
struct Walk<'a> {
    goal: &'a Goal,
    at: &'a [f64],
    gradient: &'a [f64],
    quadratic: Quadratic<'a>,
    step: Vec<f64>,
    /// `M·d`.
    product: Vec<f64>,
    /// `N·Wᵀ·d`.
    turned: Vec<f64>,
}

impl Walk<'_> {
    fn is_free(&self, i: usize) -> bool {
        if i < self.goal.features() {
            !self.goal.is_held[i]
        } else {
            self.goal.fit_intercept
        }
    }

    fn is_active(&self, i: usize) -> bool {
        i == self.goal.features() || self.at[i] + self.step[i] != 0.0
    }

    /// L1 and L2 strength of a coordinate: none for the intercept.
    fn penalties(&self, i: usize) -> (f64, f64) {
        if i < self.goal.features() {
            (self.goal.l1, self.quadratic.l2)
        } else {
            (0.0, 0.0)
        }
    }

    fn value(&self, i: usize) -> f64 {
        self.at[i] + self.step[i]
    }

    /// The derivative of the model at the step so far.
    fn slope(&self, i: usize) -> f64 {
        let Quadratic { scale, wide, .. } = &self.quadratic;
        let remembered = wide.row(i);
        let remembered = remembered.as_slice().expect("row-major");
        self.gradient[i] + scale * self.product[i] + self.penalties(i).1 * self.step[i] - dot(remembered, &self.turned)
    }

    /// Brings one coordinate to its optimum; returns how far from it the coordinate was.
    fn settle(&mut self, i: usize) -> f64 {
        let (l1, diagonal) = (self.penalties(i).0, self.quadratic.diagonal[i]);
        let (slope, now) = (self.slope(i), self.value(i));
        self.set(i, l1::soft_threshold(now - slope / diagonal, l1 / diagonal));
        l1::subgradient_distance(slope, now, l1)
    }

    fn set(&mut self, i: usize, value: f64) {
        let change = value - self.value(i);
        if change == 0.0 {
            return;
        }
        // Exactly 0 where the weight is to be 0.
        self.step[i] = value - self.at[i];
        let Quadratic { matrix, turned, .. } = &self.quadratic;
        matrix.add_row(i, change, &mut self.product);
        for (sum, value) in self.turned.iter_mut().zip(turned.row(i)) {
            *sum += change * value;
        }
    }

    /// Solves for the coordinates of `active` at once with the signs they have; where a weight would change its sign, goes
    /// as far as 0, leaves it there, and solves for the others.
    ///
    /// Of so many coordinates that their matrix would be no matrix any more, a diagonal says all there is to know.
    fn solve(&mut self, mut active: Vec<usize>) {
        if self.quadratic.matrix.members().is_some() && active.len() > MOST_WHOLE {
            return;
        }
        while !active.is_empty() {
            let Quadratic {
                matrix,
                scale,
                wide,
                turned,
                ..
            } = &self.quadratic;
            let block = Array2::from_shape_fn((active.len(), active.len()), |(a, b)| {
                let (i, j) = (active[a], active[b]);
                let ridge = if i == j { self.penalties(i).1 } else { 0.0 };
                scale * matrix.at(i, j) + ridge - wide.row(i).dot(&turned.row(j))
            });
            let downhill = |&i: &usize| {
                let is_weight = i < self.goal.features();
                let sign = if is_weight { self.value(i).signum() } else { 0.0 };
                -(self.slope(i) + self.goal.l1 * sign)
            };
            let right: Array1<f64> = active.iter().map(downhill).collect();
            let change = Factor::new(block, self.goal.rounding.pivot).solve(right);
            let values: Vec<f64> = active.iter().map(|&i| self.value(i)).collect();
            // The share of the way at which a weight reaches 0.
            let reach = |index: usize| {
                let (value, change) = (values[index], change[index]);
                let crosses = active[index] < self.goal.features() && value != 0.0 && value * (value + change) <= 0.0;
                if crosses { -value / change } else { f64::INFINITY }
            };
            let first = (0..active.len()).min_by(|&a, &b| reach(a).total_cmp(&reach(b)));
            let Some((first, share)) = first.map(|index| (index, reach(index).min(1.0))) else {
                return;
            };
            for (index, &i) in active.iter().enumerate() {
                self.set(i, values[index] + share * change[index]);
            }
            if share >= 1.0 {
                return;
            }
            self.set(active[first], 0.0);
            active.remove(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::{Rounding, Spread};
    use ndarray::array;

    const PRECISE: Accuracy = Accuracy {
        enough: 1e-12,
        solves: false,
    };

    fn unit_spread(features: usize) -> Spread {
        Spread {
            center: vec![0.0; features].into(),
            deviation: vec![1.0; features].into(),
        }
    }

    #[test]
    fn nearly_collinear_features_are_solved_for() {
        let goal = Goal {
            l2: 0.0,
            l1: 1e-3,
            fit_intercept: true,
            tol: 1e-10,
            is_held: vec![false; 3].into(),
            spread: unit_spread(3),
            rounding: Rounding::of::<f64>(),
        };
        let near = 1.0 - 1e-9;
        let matrix = array![
            [1.0, near, 0.5, 0.0],
            [near, 1.0, 0.5, 0.0],
            [0.5, 0.5, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0]
        ];
        let gradient = [-0.3, -0.3 - 1e-6, 0.4, 0.0];
        let step = step(
            &goal,
            &[0.0; 4],
            &gradient,
            (&Gram::whole(matrix.clone().into()), 0.25),
            &Pairs::default(),
            Accuracy {
                enough: 1e-12,
                solves: false,
            },
        );
        let slope = (&matrix * 0.25).dot(&ndarray::arr1(&step));
        for i in 0..3 {
            let off = l1::subgradient_distance(gradient[i] + slope[i], step[i], goal.l1);
            assert!(off < 1e-11, "{i}: {off} {step:?}");
        }
    }

    #[test]
    fn the_step_is_optimal_for_the_refined_model() {
        let goal = Goal {
            l2: 0.05,
            l1: 0.2,
            fit_intercept: true,
            tol: 1e-8,
            is_held: vec![false, false, true, false].into(),
            spread: unit_spread(4),
            rounding: Rounding::of::<f64>(),
        };
        let matrix = array![
            [1.0, 0.4, 0.0, 0.1, 0.0],
            [0.4, 2.0, 0.3, 0.0, 0.0],
            [0.0, 0.3, 1.5, 0.0, 0.0],
            [0.1, 0.0, 0.0, 0.7, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0]
        ];
        let (at, gradient) = ([0.5, 0.0, 0.0, -0.1, 0.3], [0.3, -0.9, 0.0, 0.05, 0.2]);
        let mut pairs = Pairs::default();
        pairs.push(vec![0.3, -0.2, 0.0, 0.1, 0.05], vec![0.4, -0.3, 0.0, 0.02, 0.03]);
        pairs.push(vec![-0.1, 0.4, 0.0, 0.3, 0.2], vec![-0.05, 0.9, 0.0, 0.2, 0.1]);
        let gram = Gram::whole(matrix.clone().into());
        let step = step(&goal, &at, &gradient, (&gram, 0.25), &pairs, PRECISE);

        // B by explicit rank-two updates.
        let mut b = &matrix * 0.25;
        for i in 0..4 {
            b[[i, i]] += goal.l2;
        }
        for pair in pairs.iter() {
            let (s, y) = (ndarray::arr1(&pair.s), ndarray::arr1(&pair.y));
            let bs = b.dot(&s);
            let sbs = s.dot(&bs);
            for i in 0..5 {
                for j in 0..5 {
                    b[[i, j]] += y[i] * y[j] / pair.sy - bs[i] * bs[j] / sbs;
                }
            }
        }
        let slope = b.dot(&ndarray::arr1(&step));
        assert_eq!(step[2], 0.0);
        for i in [0, 1, 3] {
            let off = l1::subgradient_distance(gradient[i] + slope[i], at[i] + step[i], goal.l1);
            assert!(off < 1e-11, "{i}: {off}");
        }
        assert!((gradient[4] + slope[4]).abs() < 1e-11);
    }
}
