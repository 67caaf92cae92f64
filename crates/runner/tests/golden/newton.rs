//! 50 problems x 5 values of C against scikit-learn's newton-cholesky.

use serde::Deserialize;

use super::fits::{Setting, fit};
use super::problems::Spec;
use super::{nan_or_max, read, relative_difference};

#[derive(Deserialize)]
struct Problem {
    #[serde(flatten)]
    spec: Spec,
    fit_intercept: bool,
    class_weight: String,
    weighted: bool,
    fits: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "C")]
    strength: f64,
    coef: Vec<f64>,
    intercept: f64,
}

/// Largest relative difference of a solver's coefficients from scikit-learn's, over all problems.
fn worst(solver: &str, tol: f64, precision: &str) -> f64 {
    let mut worst = 0.0;
    for problem in read::<Problem>("newton.json", "problems") {
        let strengths: Vec<f64> = problem.fits.iter().map(|answer| answer.strength).collect();
        let setting = Setting {
            solver,
            tol,
            fit_intercept: problem.fit_intercept,
            class_weight: &problem.class_weight,
            is_weighted: problem.weighted,
            strengths: &strengths,
            precision,
            ..Setting::default()
        };
        for (fit, answer) in fit(&problem.spec.make(), &setting).iter().zip(&problem.fits) {
            let record = &fit.record;
            assert!(
                record.converged,
                "{:?}, C = {}: {record:?}",
                problem.spec, answer.strength
            );
            let expected: Vec<f64> = answer.coef.iter().copied().chain([answer.intercept]).collect();
            worst = nan_or_max(worst, relative_difference(&fit.parameters(), &expected));
        }
    }
    println!("{solver} in {precision}, tol {tol:e}, from scikit-learn's newton-cholesky: {worst:.1e} over 250 fits");
    worst
}

#[test]
fn newton_fits_as_scikit_learn() {
    assert!(worst("newton", 1e-12, "f64") <= 1e-8);
}

#[test]
#[ignore = "slow: scripts/test --all"]
fn lbfgs_fits_as_newton() {
    assert!(worst("lbfgs", 1e-11, "f64") <= 1e-6);
}
