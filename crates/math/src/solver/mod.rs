//! Solvers that converge: quasi-Newton and Newton steps of many runs that share every trip over the rows.
//!
//! A [`Descent`] is one run on its way to the minimum of its objective. It never touches data: it says at which point it
//! wants to be evaluated, is told the loss and gradient there, and decides about the next point (reverse communication).
//! So runs in different phases, one searching along a line, another taking a new direction, still share the next pass.
//! [`advance`] makes the directions of many runs at once.
//!
//! Curvature comes from one [`Curvature`] for all runs (`lbfgs`) or from each run's own Hessian (`newton`); what a run has
//! seen of the gradient along its steps refines either. With an L1 penalty the step minimizes the quadratic model plus the
//! penalty by coordinate descent, which gives exact zeros.

mod curvature;
mod descent;
mod direction;
mod factor;
mod goal;
mod gram;
mod lasso;
mod model;
mod pairs;
mod state;

pub use curvature::{Curvature, MOST_WHOLE, Spread};
pub use descent::{Descent, Evaluation, Line, Standing, Verdict};
pub use direction::advance;
pub use goal::{Goal, Rounding};
pub use state::{DescentState, ModelState};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine::AffineMap;
    use crate::loss::logistic::{loss, residual, sigmoid};
    use ndarray::Array2;

    /// A small problem with correlated features of different size.
    struct Problem {
        x: Array2<f64>,
        y: Vec<f64>,
        curvature: Curvature,
    }

    impl Problem {
        fn new(rows: usize, features: usize) -> Self {
            let noise = |i: usize| {
                let hash = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                (hash >> 11) as f64 / (1u64 << 52) as f64 - 1.0
            };
            let x = Array2::from_shape_fn((rows, features), |(i, j)| {
                noise(i * features + j) + 0.5 * noise(i * features) + 0.3 * j as f64
            });
            let y = (0..rows)
                .map(|i| {
                    let z: f64 = (0..features)
                        .map(|j| x[[i, j]] * if j % 2 == 0 { 1.5 } else { -1.0 })
                        .sum();
                    f64::from(u8::from(sigmoid(z) > noise(1_000_000 + i).abs()))
                })
                .collect();
            let ones = Array2::ones((rows, 1));
            let all = ndarray::concatenate(ndarray::Axis(1), &[x.view(), ones.view()]).expect("equal heights");
            let moments = all.t().dot(&all);
            let curvature = Curvature::new(&AffineMap::identity(features), &moments.view(), true);
            Self { x, y, curvature }
        }

        fn goal(&self, l2: f64, l1: f64) -> Goal {
            Goal {
                l2,
                l1,
                fit_intercept: true,
                tol: 1e-9,
                is_held: vec![false; self.x.ncols()].into(),
                spread: self.curvature.spread().clone(),
                rounding: Rounding::of::<f64>(),
            }
        }

        fn evaluate(&self, point: &[f64], with_hessian: bool) -> Evaluation {
            let (rows, p) = self.x.dim();
            let n = rows as f64;
            let mut hessian = Array2::zeros((p + 1, p + 1));
            let mut out = Evaluation {
                loss: 0.0,
                gradient: vec![0.0; p + 1],
                curvature: 0.0,
                hessian: None,
            };
            for i in 0..rows {
                let row = |j: usize| if j < p { self.x[[i, j]] } else { 1.0 };
                let z: f64 = (0..=p).map(|j| row(j) * point[j]).sum();
                let dz = residual(self.y[i], z);
                out.loss += loss(self.y[i], z) / n;
                out.curvature += dz * dz / n;
                for j in 0..=p {
                    out.gradient[j] += row(j) * dz / n;
                }
                if with_hessian {
                    let bend = sigmoid(z) * (1.0 - sigmoid(z)) / n;
                    for a in 0..=p {
                        for b in 0..=p {
                            hessian[[a, b]] += bend * row(a) * row(b);
                        }
                    }
                }
            }
            out.hessian = with_hessian.then(|| hessian.into());
            out
        }

        /// Solves from a descent's start; returns it and its evaluations.
        fn solve(&self, mut run: Descent) -> (Descent, u32) {
            for evaluations in 1..500 {
                match run.tell(self.evaluate(&run.point(), run.wants_hessian())) {
                    Verdict::Converged => return (run, evaluations),
                    Verdict::Accepted | Verdict::Returned => advance(&mut [&mut run], &self.curvature),
                    Verdict::Rejected => {}
                    verdict => panic!("{verdict:?} after {evaluations} evaluations"),
                }
            }
            panic!("500 evaluations and no end");
        }

        fn start(&self, goal: Goal, takes_hessians: bool) -> Descent {
            Descent::new(goal, &vec![0.0; self.x.ncols() + 1], 0.25, takes_hessians)
        }
    }

    #[test]
    fn both_ways_lead_to_the_same_minimum() {
        let problem = Problem::new(400, 6);
        for (l2, l1) in [(0.1, 0.0), (1e-4, 0.0), (0.0, 0.0), (0.01, 0.05), (0.0, 0.02)] {
            let (slow, passes) = problem.solve(problem.start(problem.goal(l2, l1), false));
            let (fast, few) = problem.solve(problem.start(problem.goal(l2, l1), true));
            assert!(few <= passes.max(12), "{few} {passes}");
            assert!(passes <= 40, "l2 {l2} l1 {l1}: {passes} evaluations");
            for (a, b) in slow.parameters().iter().zip(fast.parameters()) {
                assert!((a - b).abs() < 1e-6, "l2 {l2} l1 {l1}: {a} {b}");
            }
            let zeros = |run: &Descent| run.parameters().iter().filter(|&&w| w == 0.0).count();
            assert_eq!(zeros(&slow), zeros(&fast));
            assert!(zeros(&fast) > 0 || l1 < 0.05, "a strong lasso has exact zeros");
            assert!(slow.distance().is_some_and(|distance| distance <= 1e-9));
        }
    }

    #[test]
    fn a_neighbor_between_two_solved_runs_is_almost_there() {
        let problem = Problem::new(400, 6);
        for l1 in [0.0, 0.01] {
            let solved = |l2: f64, l1: f64| problem.solve(problem.start(problem.goal(l2, l1), false)).0;
            let (strong, weak) = (solved(1e-1, l1), solved(1e-2, 0.1 * l1));
            let goal = problem.goal(1e-1 / 10f64.sqrt(), l1 / 10f64.sqrt());
            let beside = Descent::beside(goal.clone(), &strong, Some((&weak, 0.5)), &problem.curvature);
            let first = beside.clone().tell(problem.evaluate(&beside.point(), false));
            assert_eq!(first, Verdict::Accepted);
            let mut begun = beside.clone();
            begun.tell(problem.evaluate(&beside.point(), false));
            let mut cold = problem.start(goal.clone(), false);
            cold.tell(problem.evaluate(&cold.point(), false));
            assert!(begun.distance() < cold.distance().map(|distance| 0.1 * distance));
            let (warm, passes) = problem.solve(beside);
            let (cold, more) = problem.solve(problem.start(goal, false));
            assert!(passes < more, "{passes} {more}");
            for (a, b) in warm.parameters().iter().zip(cold.parameters()) {
                assert!((a - b).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_run_that_starts_far_away_shortens_its_steps() {
        let problem = Problem::new(300, 4);
        let start = [30.0, -40.0, 25.0, 50.0, -60.0];
        for takes_hessians in [false, true] {
            let goal = problem.goal(1e-3, 0.0);
            let far = Descent::new(goal.clone(), &start, 0.25, takes_hessians);
            let (far, _) = problem.solve(far);
            let (near, _) = problem.solve(problem.start(goal, takes_hessians));
            for (a, b) in far.parameters().iter().zip(near.parameters()) {
                assert!((a - b).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn what_is_not_finite_at_the_start_is_lost() {
        let problem = Problem::new(50, 2);
        let mut run = problem.start(problem.goal(0.1, 0.0), false);
        let mut evaluation = problem.evaluate(&run.point(), false);
        evaluation.gradient[0] = f64::NAN;
        assert_eq!(run.tell(evaluation), Verdict::Lost);
    }

    /// A run that is taken apart before every evaluation ends as one that is left alone, in as many of them.
    #[test]
    fn a_restored_run_goes_on_bit_for_bit() {
        let problem = Problem::new(300, 5);
        let far = [30.0, -40.0, 25.0, 50.0, -60.0, 3.0];
        for (l2, l1) in [(1e-3, 0.0), (0.0, 0.02), (0.01, 0.01)] {
            for takes_hessians in [false, true] {
                let goal = || problem.goal(l2, l1);
                let start = || Descent::new(goal(), &far, 0.25, takes_hessians);
                let (through, evaluations) = problem.solve(start());
                let (mut run, mut lines) = (start(), 0);
                for evaluation in 1..=evaluations {
                    let state = run.state();
                    lines += u32::from(state.line.is_some() && state.standing.is_some());
                    run = Descent::restored(goal(), state.clone());
                    assert_eq!(run.state(), state);
                    match run.tell(problem.evaluate(&run.point(), run.wants_hessian())) {
                        Verdict::Converged => assert_eq!(evaluation, evaluations),
                        Verdict::Rejected => {}
                        verdict => {
                            assert!(matches!(verdict, Verdict::Accepted | Verdict::Returned), "{verdict:?}");
                            run = Descent::restored(goal(), run.state());
                            advance(&mut [&mut run], &problem.curvature);
                        }
                    }
                }
                assert!(lines > 0, "some were taken apart inside a line search");
                assert_eq!(run.state(), through.state(), "l2 {l2} l1 {l1} {takes_hessians}");
                // What a neighbor would start from is the same too.
                let beside = |run: &Descent| Descent::beside(problem.goal(2.0 * l2, l1), run, None, &problem.curvature);
                assert_eq!(beside(&run).state(), beside(&through).state());
            }
        }
    }

    /// With a diagonal for most features the minimum is the same, with and without a lasso.
    #[test]
    fn a_diagonal_leads_to_the_same_minimum() {
        let mut problem = Problem::new(300, 8);
        let moments = |problem: &Problem| {
            let mut moments = crate::curvature::FirstMoments::new(8, 0);
            moments.add(&crate::fused::Rows {
                x: problem.x.view(),
                y: &problem.y,
                weight: None,
                group: 0,
            });
            moments
        };
        let map = AffineMap::identity(8);
        for (l2, l1) in [(0.1, 0.0), (1e-3, 0.0), (0.01, 0.03)] {
            let (expected, _) = problem.solve(problem.start(problem.goal(l2, l1), false));
            let parted = Curvature::parted(&map, None, &moments(&problem), true);
            let whole = std::mem::replace(&mut problem.curvature, parted);
            let spread = problem.curvature.spread();
            let pairs = spread.center.iter().zip(whole.spread().center.iter());
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
            let (found, _) = problem.solve(problem.start(problem.goal(l2, l1), false));
            for (a, b) in found.parameters().iter().zip(expected.parameters()) {
                assert!((a - b).abs() < 1e-6, "l2 {l2} l1 {l1}: {a} {b}");
            }
            problem.curvature = whole;
        }
    }
}
