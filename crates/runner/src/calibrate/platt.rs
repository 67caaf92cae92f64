//! Platt's calibration: a logistic regression of the labels on the log odds.

use gradsweep_math::loss::logistic::{loss, sigmoid};

/// Newton steps at the most; ten are usual.
const STEPS: usize = 100;
/// What sums of this many terms lose, at the least.
const ROUNDING: f64 = 1e-14;
/// Halvings of a step that does not go down.
const HALVINGS: usize = 40;

/// Slope and intercept of the calibrated log odds `a·z + b`: they minimize `Σ softplus(s) − t·s` with `s = a·z + b`, where the targets t
/// are `(N₊ + 1)/(N₊ + 2)` for the positive rows and `1/(N₋ + 2)` for the others.
///
/// # Numerical notes
/// The problem is convex in two numbers; Newton's steps are halved until they go down, so it ends at the minimum.
///
/// # Source
/// Platt, "Probabilistic outputs for support vector machines" (1999); Lin, Lin and Weng (2007) for the targets' use.
pub(super) fn fit(rows: &[(f64, bool)]) -> (f64, f64) {
    let positives = rows.iter().filter(|row| row.1).count() as f64;
    let negatives = rows.len() as f64 - positives;
    let target = |y: bool| {
        if y {
            (positives + 1.0) / (positives + 2.0)
        } else {
            1.0 / (negatives + 2.0)
        }
    };
    let objective = |a: f64, b: f64| rows.iter().map(|&(z, y)| loss(target(y), a * z + b)).sum::<f64>();
    let (mut a, mut b) = (1.0, 0.0);
    let mut value = objective(a, b);
    for _ in 0..STEPS {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(z, y) in rows {
            let p = sigmoid(a * z + b);
            let (dz, curvature) = (p - target(y), p * (1.0 - p));
            ga += dz * z;
            gb += dz;
            haa += curvature * z * z;
            hab += curvature * z;
            hbb += curvature;
        }
        let determinant = haa * hbb - hab * hab;
        // Equal scores have no slope: only the intercept moves.
        let is_flat = determinant <= 1e-14 * haa * hbb;
        let (da, db) = if is_flat {
            (0.0, gb / hbb)
        } else {
            ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant)
        };
        if !(da.is_finite() && db.is_finite()) {
            break;
        }
        let mut step = 1.0;
        let next = (0..HALVINGS).find_map(|_| {
            let (a, b) = (a - step * da, b - step * db);
            let next = objective(a, b);
            step /= 2.0;
            // Near the minimum the objective only moves by its rounding, where a Newton step still gains digits.
            (next <= value * (1.0 + ROUNDING)).then_some((a, b, next))
        });
        let Some((next_a, next_b, next)) = next else {
            break;
        };
        let moved = (next_a - a).abs() / (1.0 + a.abs()) + (next_b - b).abs() / (1.0 + b.abs());
        (a, b, value) = (next_a, next_b, next);
        if moved < ROUNDING {
            break;
        }
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_zero_at_the_fit() {
        let rows: Vec<(f64, bool)> = (0..200)
            .map(|i| {
                (
                    f64::from(i % 17) - 8.0,
                    (i * 7 + i / 11) % 10 < if i % 17 > 8 { 7 } else { 2 },
                )
            })
            .collect();
        let (a, b) = fit(&rows);
        let positives = rows.iter().filter(|row| row.1).count() as f64;
        let negatives = 200.0 - positives;
        let (mut ga, mut gb) = (0.0, 0.0);
        for &(z, y) in &rows {
            let t = if y {
                (positives + 1.0) / (positives + 2.0)
            } else {
                1.0 / (negatives + 2.0)
            };
            ga += (sigmoid(a * z + b) - t) * z;
            gb += sigmoid(a * z + b) - t;
        }
        assert!(a > 0.0 && ga.abs() < 1e-7 && gb.abs() < 1e-7, "{a} {b}: {ga} {gb}");
    }

    #[test]
    fn equal_scores_give_the_rate_and_separated_ones_end() {
        let (a, b) = fit(&[(2.0, true), (2.0, false), (2.0, false), (2.0, false)]);
        let p = sigmoid(2.0 * a + b);
        assert!((p - (2.0 / 3.0 + 3.0 * 0.2) / 4.0).abs() < 1e-9, "{p}");
        let (a, b) = fit(&[(-30.0, false), (30.0, true)]);
        assert!(a.is_finite() && b.is_finite());
    }
}
