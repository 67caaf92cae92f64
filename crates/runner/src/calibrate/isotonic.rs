//! Isotonic calibration: the rising step function of the log odds that is nearest to the labels, with straight lines between its steps.

/// The ends of the steps: ascending log odds, and the probability at each.
///
/// Equal log odds are one point with the mean of their labels; neighbors that would fall are pooled. Between steps the probability rises
/// linearly, and beyond the ends it stays, as scikit-learn's `IsotonicRegression(out_of_bounds="clip")` has it.
///
/// # Source
/// Ayer et al., "An empirical distribution function for sampling with incomplete information" (1955): pool adjacent violators.
pub(super) fn fit(rows: &[(f64, bool)]) -> (Vec<f64>, Vec<f64>) {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Each point: log odds, sum of labels, rows.
    let mut points: Vec<(f64, f64, f64)> = Vec::new();
    for (z, y) in sorted {
        let y = f64::from(u8::from(y));
        match points.last_mut() {
            Some(last) if last.0 == z => {
                last.1 += y;
                last.2 += 1.0;
            }
            _ => points.push((z, y, 1.0)),
        }
    }
    // Each step: sum of labels, rows, points.
    let mut steps: Vec<(f64, f64, usize)> = Vec::new();
    for &(_, sum, count) in &points {
        let mut step = (sum, count, 1);
        while let Some(last) = steps.last().filter(|last| last.0 * step.1 >= step.0 * last.1) {
            step = (step.0 + last.0, step.1 + last.1, step.2 + last.2);
            steps.pop();
        }
        steps.push(step);
    }
    let (mut z, mut p) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (sum, count, length) in steps {
        let last = first + length - 1;
        for point in if length > 1 { vec![first, last] } else { vec![first] } {
            z.push(points[point].0);
            p.push(sum / count);
        }
        first += length;
    }
    (z, p)
}

/// The probability at some log odds.
pub(super) fn at(z: f64, ends: &[f64], probabilities: &[f64]) -> f64 {
    let after = ends.partition_point(|end| *end < z);
    match (after.checked_sub(1), ends.get(after)) {
        (_, Some(&end)) if end == z => probabilities[after],
        (None, _) => probabilities.first().copied().unwrap_or(f64::NAN),
        (Some(before), None) => probabilities[before],
        (Some(before), Some(end)) => {
            let share = (z - ends[before]) / (end - ends[before]);
            probabilities[before] + share * (probabilities[after] - probabilities[before])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbors_that_fall_are_pooled() {
        let rows = [
            (0.0, false),
            (1.0, true),
            (2.0, false),
            (3.0, true),
            (3.0, false),
            (4.0, true),
        ];
        let (z, p) = fit(&rows);
        assert_eq!(z, [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(p, [0.0, 0.5, 0.5, 1.0]);
        assert_eq!(at(0.5, &z, &p), 0.25);
        assert_eq!((at(-9.0, &z, &p), at(2.0, &z, &p), at(9.0, &z, &p)), (0.0, 0.5, 1.0));
        assert_eq!(at(3.0, &z, &p), 0.5);
    }

    #[test]
    fn probabilities_rise_and_keep_the_rate() {
        let rows: Vec<(f64, bool)> = (0..500)
            .map(|i| (f64::from(i * 37 % 101), (i * 37 % 101 + i * 13 % 97) > 90))
            .collect();
        let (z, p) = fit(&rows);
        assert!(z.is_sorted() && p.is_sorted());
        let sum: f64 = rows.iter().map(|row| at(row.0, &z, &p)).sum();
        let positives = rows.iter().filter(|row| row.1).count() as f64;
        assert!((sum - positives).abs() < 1e-9);
    }
}
