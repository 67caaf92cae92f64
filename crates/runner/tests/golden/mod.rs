//! Fits against golden numbers: data/golden, made by scripts/golden from scikit-learn, statsmodels and glmnet.
//!
//! The files hold answers and the few numbers a problem is drawn from; [`problems`] draws the same table, bit for bit.
//! Slow ones are ignored by default and run by `scripts/test --all`.

#![expect(clippy::print_stdout, reason = "the slow half prints its figures")]

mod elastic_net;
mod fits;
mod folds;
mod kkt;
mod logit;
mod newton;
mod problems;
mod separation;

/// A golden file's list of problems.
fn read<T: serde::de::DeserializeOwned>(name: &str, key: &str) -> Vec<T> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../data/golden")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: serde_json::Value = serde_json::from_str(&text).expect("golden files are JSON");
    serde_json::from_value(file[key].take()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Largest difference of two fits' coefficients, each relative to the expected one, but to no less than a hundredth of
/// the fit's largest: a coefficient near zero carries the rounding errors of its neighbors.
fn relative_difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0.0f64, |size, value| size.max(value.abs()));
    let errors = found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (found - expected).abs() / expected.abs().max(0.01 * size).max(1e-12));
    errors.fold(0.0, nan_or_max)
}

/// The greater of two numbers; not a number if one is not.
fn nan_or_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
