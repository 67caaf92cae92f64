//! Which columns make a Hessian singular.

use ndarray::{Array2, ArrayView2};

/// A column is a combination of earlier ones where less than this share of its information is its own: standard errors
/// would be inflated by more than 10^5.5 and keep five digits at most.
pub(super) const OWN_SHARE: f64 = 1e-11;
/// Earlier columns that take part with less than this are left out.
const PART: f64 = 1e-5;

/// A column without information of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collinear {
    /// The feature.
    pub feature: usize,
    /// The earlier features it is a combination of.
    pub of: Vec<usize>,
    /// Whether the intercept takes part.
    pub with_intercept: bool,
}

/// The Hessian has no inverse.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Singular {
    /// Features are combinations of earlier ones.
    #[error("{} features are combinations of others", .0.len())]
    Collinear(Vec<Collinear>),
    /// Sums that are not finite, or no rows.
    #[error("the second derivatives are not finite")]
    NotFinite,
}

/// Eliminates the columns one after the other; one that has nothing left is reported with the earlier ones that make it
/// up, and takes no further part.
///
/// # Shapes
/// `scaled` (d, d), symmetric with ones on its diagonal; with `has_intercept` the first column is the intercept's.
pub(super) fn find(scaled: &ArrayView2<'_, f64>, has_intercept: bool) -> Vec<Collinear> {
    let d = scaled.nrows();
    let mut factor = Array2::<f64>::zeros((d, d));
    let mut kept: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for j in 0..d {
        for &k in &kept {
            let before: f64 = kept
                .iter()
                .take_while(|&&i| i < k)
                .map(|&i| factor[[j, i]] * factor[[k, i]])
                .sum();
            factor[[j, k]] = (scaled[[j, k]] - before) / factor[[k, k]];
        }
        let own = scaled[[j, j]] - kept.iter().map(|&k| factor[[j, k]].powi(2)).sum::<f64>();
        if own > OWN_SHARE {
            factor[[j, j]] = own.sqrt();
            kept.push(j);
            continue;
        }
        // Lᵀ·part = the column's row of L, from the last kept column back.
        let mut part = vec![0.0; d];
        for (at, &k) in kept.iter().enumerate().rev() {
            let after: f64 = kept[at + 1..].iter().map(|&i| factor[[i, k]] * part[i]).sum();
            part[k] = (factor[[j, k]] - after) / factor[[k, k]];
        }
        let first = usize::from(has_intercept);
        let takes_part = |&&k: &&usize| part[k].abs() > PART;
        let of = kept.iter().filter(takes_part).filter(|&&k| k >= first);
        found.push(Collinear {
            feature: j - first,
            of: of.map(|&k| k - first).collect(),
            with_intercept: has_intercept && part[0].abs() > PART,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    fn scaled(columns: &[Array1<f64>]) -> Array2<f64> {
        let unit: Vec<Array1<f64>> = columns.iter().map(|c| c / c.dot(c).sqrt()).collect();
        Array2::from_shape_fn((columns.len(), columns.len()), |(i, j)| unit[i].dot(&unit[j]))
    }

    #[test]
    fn combinations_are_named_with_what_they_are_made_of() {
        let ones = Array1::from_elem(40, 1.0);
        let wave = |k: usize| Array1::from_shape_fn(40, |i| ((i * (2 * k + 3) + k) as f64).sin());
        let (a, b, c) = (wave(0), wave(1), wave(2));
        let sum = 2.0 * &a - 0.5 * &c + 1e-13 * wave(5);
        let level = Array1::from_shape_fn(40, |i| f64::from(u8::from(i % 3 == 0)));
        let others = &ones - &level;
        let columns = [ones, a, b.clone(), c, sum, level, others, b];
        let expected = [(3, vec![0, 2], false), (5, vec![4], true), (6, vec![1], false)];
        let expected = expected.map(|(feature, of, with_intercept)| Collinear {
            feature,
            of,
            with_intercept,
        });
        assert_eq!(find(&scaled(&columns).view(), true), expected);
        assert_eq!(find(&scaled(&columns[..4]).view(), true), []);
    }
}
