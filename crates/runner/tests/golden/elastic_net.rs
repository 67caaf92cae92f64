//! L1 and elastic net against optima refined from glmnet's answers.

use serde::Deserialize;

use super::fits::{Setting, fit};
use super::problems::Spec;
use super::{nan_or_max, read};

#[derive(Deserialize)]
struct Problem {
    #[serde(flatten)]
    spec: Spec,
    #[serde(rename = "C")]
    strength: f64,
    l1_ratio: f64,
    fit_intercept: bool,
    weighted: bool,
    coef: Vec<f64>,
    intercept: f64,
    /// How far the nearest weight of 0 is from leaving it, in units of the gradient.
    margin: Option<f64>,
}

#[test]
fn elastic_net_has_the_optimum_and_its_zeros() {
    let mut worst = 0.0;
    for problem in read::<Problem>("elastic_net.json", "problems") {
        let setting = Setting {
            solver: "lbfgs",
            tol: 1e-9,
            fit_intercept: problem.fit_intercept,
            is_weighted: problem.weighted,
            l1_ratio: problem.l1_ratio,
            strengths: &[problem.strength],
            ..Setting::default()
        };
        let fits = fit(&problem.spec.make(), &setting);
        assert!(fits[0].record.converged, "{:?}: {:?}", problem.spec, fits[0].record);
        for (found, expected) in fits[0].w.iter().zip(&problem.coef) {
            worst = nan_or_max(worst, (found - expected).abs());
            if problem.margin.is_none_or(|margin| margin > 1e-6) {
                assert_eq!(
                    *found == 0.0,
                    *expected == 0.0,
                    "{:?}: {found} {expected}",
                    problem.spec
                );
            }
        }
        worst = nan_or_max(worst, (fits[0].b - problem.intercept).abs());
    }
    println!("elastic net from the refined answers of glmnet: {worst:.1e} over 32 fits");
    assert!(worst <= 1e-6, "{worst}");
}
