//! Fits without a penalty against statsmodels' Logit.

use serde::Deserialize;

use super::fits::{Setting, fit};
use super::problems::Spec;
use super::{nan_or_max, read, relative_difference};

#[derive(Deserialize)]
struct Problem {
    #[serde(flatten)]
    spec: Spec,
    fit_intercept: bool,
    coef: Vec<f64>,
    intercept: f64,
    llf: f64,
}

#[test]
fn newton_without_penalty_fits_as_statsmodels() {
    let (mut worst, mut worst_likelihood) = (0.0, 0.0);
    for problem in read::<Problem>("logit.json", "problems") {
        let setting = Setting {
            fit_intercept: problem.fit_intercept,
            strengths: &[f64::INFINITY],
            ..Setting::default()
        };
        let fits = fit(&problem.spec.make(), &setting);
        let (fit, record) = (&fits[0], &fits[0].record);
        assert!(
            record.converged && record.l1 == 0.0 && record.l2 == 0.0,
            "{:?}: {record:?}",
            problem.spec
        );
        let expected: Vec<f64> = problem.coef.iter().copied().chain([problem.intercept]).collect();
        worst = nan_or_max(worst, relative_difference(&fit.parameters(), &expected));
        let likelihood = -record.objective.expect("converged") * problem.spec.rows as f64;
        worst_likelihood = nan_or_max(worst_likelihood, ((likelihood - problem.llf) / problem.llf).abs());
    }
    println!("newton at C = inf from statsmodels: coefficients {worst:.1e}, log-likelihood {worst_likelihood:.1e}");
    assert!(worst <= 1e-9 && worst_likelihood <= 1e-12, "{worst} {worst_likelihood}");
}
