//! Standard errors, tests and criteria against statsmodels.
//!
//! `scripts/golden/inference` made the file and says how a problem follows from its number.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis, concatenate, s};

use super::{Estimate, Estimates, Information, Units};
use crate::check::generator::{SplitMix64, lines, number};

/// Values of each term of a problem.
type Terms = BTreeMap<String, Vec<f64>>;

struct Problem {
    x: Array2<f64>,
    y: Vec<f64>,
    counts: Option<Vec<f64>>,
    has_intercept: bool,
}

fn problem(seed: u64) -> Problem {
    let mut draw = SplitMix64(1000 + seed);
    let (rows, features) = (80 + draw.below(240), 1 + draw.below(7));
    let intercept = (draw.below(9) as f64 - 4.0) / 4.0;
    let columns: Vec<(u64, f64, f64, f64)> = (0..features)
        .map(|_| {
            let kind = draw.below(4);
            let scale = 2.0_f64.powi(draw.below(13) as i32 - 6);
            let offset = (draw.below(41) as f64 - 20.0) / 4.0;
            (kind, scale, offset, (draw.below(17) as f64 - 8.0) / 8.0)
        })
        .collect();
    let mut x = Array2::zeros((rows as usize, features as usize));
    let (mut y, mut counts) = (Vec::new(), Vec::new());
    for mut row in x.rows_mut() {
        let (mut t, mut before) = (intercept, None);
        for (x, &(kind, scale, offset, weight)) in row.iter_mut().zip(&columns) {
            let drawn = draw.below(1 << 20) as f64 / f64::from(1 << 19) - 1.0;
            let u = match (kind, before) {
                (0, _) => f64::from(u8::from(drawn > 0.25)),
                (1, Some(before)) => 0.75 * before + 0.25 * drawn,
                _ => drawn,
            };
            *x = if kind == 0 { u } else { scale * (offset + u) };
            t += weight * u;
            before = Some(u);
        }
        let coin = draw.below(1 << 20) as f64 / f64::from(1 << 20);
        y.push(f64::from(u8::from(coin < 0.5 + t / (2.0 * (1.0 + t.abs())))));
        counts.push(draw.below(4) as f64);
    }
    Problem {
        x,
        y,
        counts: (seed % 4 == 3).then_some(counts),
        has_intercept: seed % 10 != 9,
    }
}

impl Problem {
    /// Estimates at coefficients, the rows in tiles.
    fn estimates(&self, x: &Array2<f64>, coefficients: &[f64], units: &Units) -> Estimates {
        let mut information = Information::new(coefficients, self.has_intercept);
        for start in (0..x.nrows()).step_by(50) {
            let rows = start..(start + 50).min(x.nrows());
            let weights = self.counts.as_ref().map(|counts| &counts[rows.clone()]);
            information.add(&x.slice(s![rows.clone(), ..]), &self.y[rows], weights);
        }
        information.estimates(units).expect("independent columns")
    }
}

fn assert_close(value: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (value - expected).abs() / expected.abs();
    assert!(error <= tolerance, "{what}: {value}, not {expected} ({error:.1e})");
}

fn assert_agrees(found: &Estimates, fit: &[f64], terms: &Terms, problem: u64) {
    let own = [
        found.log_likelihood,
        found.null_log_likelihood,
        found.aic(),
        found.bic(),
        found.mcfadden_r2(),
        found.observations,
    ];
    for ((own, expected), what) in own.iter().zip(fit).zip(["llf", "llnull", "aic", "bic", "R²", "nobs"]) {
        // statsmodels finds the null model by optimizing, which a small difference of log-likelihoods shows.
        let tolerance = if what == "R²" { 1e-7 } else { 1e-9 };
        assert_close(*own, *expected, tolerance, &format!("problem {problem}, {what}"));
    }
    for (name, expected) in terms {
        let estimate: Estimate = match name.parse::<usize>() {
            Ok(feature) => found.features[feature],
            Err(_) => found.intercept.expect("an intercept"),
        };
        let (low, high) = estimate.interval(0.95);
        let own = [estimate.coefficient, estimate.standard_error, estimate.z()];
        for (own, (expected, what)) in own.iter().zip(expected.iter().zip(["coefficient", "se", "z"])) {
            assert_close(*own, *expected, 1e-7, &format!("problem {problem}, {name}, {what}"));
        }
        // A relative error of z is one of z² in the logarithm of the tail.
        let tail = 1e-7 * (1.0 + estimate.z().powi(2));
        assert_close(
            estimate.p_value(),
            expected[3],
            tail,
            &format!("problem {problem}, {name}, p"),
        );
        for (own, expected) in [low, high].iter().zip(&expected[4..]) {
            let error = (own - expected).abs() / estimate.standard_error;
            assert!(error <= 1e-7, "problem {problem}, {name}: {own}, not {expected}");
        }
    }
}

#[test]
fn inference_agrees_with_statsmodels() {
    let file = include_str!("../../../../data/golden/inference.csv");
    let mut problems: BTreeMap<u64, (Vec<f64>, Terms)> = BTreeMap::new();
    for line in lines(file) {
        let (seed, name) = (line[0].parse().expect("a problem's number"), line[1]);
        let values: Vec<f64> = line[2..].iter().map(|text| number(text)).collect();
        let (fit, terms) = problems.entry(seed).or_default();
        if name == "fit" {
            *fit = values;
        } else {
            terms.insert(name.to_owned(), values);
        }
    }
    assert_eq!(problems.len(), 40);
    for (seed, (fit, terms)) in problems {
        let problem = problem(seed);
        let features = problem.x.ncols();
        let coefficient = |name: &str| terms.get(name).map_or(0.0, |values| values[0]);
        let mut coefficients: Vec<f64> = (0..features).map(|j| coefficient(&j.to_string())).collect();
        coefficients.push(coefficient("const"));
        let found = problem.estimates(&problem.x, &coefficients, &Units::of_the_data(features));
        assert!(found.distance < 1e-6, "problem {seed}: {}", found.distance);
        assert_agrees(&found, &fit, &terms, seed);

        // The same fit on standardized features, led back to the units of the data.
        if problem.has_intercept {
            let mean = problem.x.mean_axis(Axis(0)).expect("rows");
            let scale = problem.x.std_axis(Axis(0), 0.0);
            let standardized = (&problem.x - &mean) / &scale;
            let mut inside: Vec<f64> = (0..features).map(|j| coefficients[j] * scale[j]).collect();
            let shift: f64 = (0..features).map(|j| coefficients[j] * mean[j]).sum();
            inside.push(coefficients[features] + shift);
            let units = Units {
                scale: scale.to_vec(),
                mean: mean.to_vec(),
            };
            let found = problem.estimates(&standardized, &inside, &units);
            assert_agrees(&found, &fit, &terms, seed);
        }
    }
}

#[test]
fn collinear_columns_and_separated_classes_are_found() {
    let mut problem = problem(0);
    let features = problem.x.ncols();
    let sum = problem.x.sum_axis(Axis(1)).insert_axis(Axis(1));
    let with_sum = concatenate(Axis(1), &[problem.x.view(), sum.view()]).expect("as many rows");
    let mut information = Information::new(&vec![0.0; features + 2], true);
    information.add(&with_sum.view(), &problem.y, None);
    assert!(!information.is_separated());
    let singular = information
        .estimates(&Units::of_the_data(features + 1))
        .expect_err("collinear");
    let super::Singular::Collinear(found) = singular else {
        panic!("{singular:?}");
    };
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].feature, &found[0].of),
        (features, &(0..features).collect::<Vec<_>>())
    );

    problem.y = problem
        .x
        .column(0)
        .iter()
        .map(|x| f64::from(u8::from(*x > 0.5)))
        .collect();
    let mut steep = vec![0.0; features + 1];
    steep[0] = 1.0;
    let mut information = Information::new(&steep, true);
    information.add(&problem.x.view(), &problem.y, None);
    assert!(information.is_separated());
    let nothing = Information::new(&steep, true);
    assert_eq!(
        nothing.estimates(&Units::of_the_data(features)),
        Err(super::Singular::NotFinite)
    );
}
