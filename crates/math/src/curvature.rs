//! How steep the objective can be: the largest step gradient descent survives.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, s};
use ndarray_linalg::{EigValsh, UPLO};

use crate::Real;
use crate::affine::expand;
use crate::codes::Codes;
use crate::fused::Rows;

/// `Σ [x 1]ᵀ[x 1]` of stored rows with a column for every level of `codes`, each counted with its sample weight.
///
/// # Shapes
/// (D + codes + 1, D + codes + 1).
pub fn second_moments<T: Real>(rows: &Rows<'_, T>, codes: &Codes) -> Array2<f64> {
    const TILE: usize = 2048;
    let d = rows.x.ncols() - codes.columns() + codes.count();
    let mut expanded = Array2::<T>::zeros((if codes.columns() > 0 { TILE } else { 0 }, d));
    let mut sums = Array2::<f64>::zeros((d + 1, d + 1));
    let mut product = Array2::<T>::zeros((d, d));
    for first in (0..rows.y.len()).step_by(TILE) {
        let last = rows.y.len().min(first + TILE);
        let mut x = rows.x.slice(s![first..last, ..]);
        if codes.columns() > 0 {
            expand(&x, codes, &mut expanded.view_mut());
            x = expanded.slice(s![..last - first, ..]);
        }
        let weight: Vec<T> = match rows.weight {
            Some(weight) => weight[first..last].to_vec(),
            None => vec![T::one(); last - first],
        };
        let mut weighted = x.to_owned();
        if rows.weight.is_some() {
            for (mut row, &weight) in weighted.rows_mut().into_iter().zip(&weight) {
                row *= weight;
            }
        }
        general_mat_mul(T::one(), &x.t(), &weighted, T::zero(), &mut product);
        for (sum, part) in sums.slice_mut(s![..d, ..d]).iter_mut().zip(&product) {
            *sum += part.as_f64();
        }
        for j in 0..d {
            let sum: f64 = weighted.column(j).iter().map(|value| value.as_f64()).sum();
            sums[[j, d]] += sum;
            sums[[d, j]] += sum;
        }
        sums[[d, d]] += weight.iter().map(|value| value.as_f64()).sum::<f64>();
    }
    sums
}

/// Sums of stored columns and of their squares, and the weight of the rows with each code.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstMoments {
    /// Of the rows.
    pub weight: f64,
    /// Of the columns of numbers (D).
    pub sums: Vec<f64>,
    /// Of their squares (D).
    pub squares: Vec<f64>,
    /// Weight of the rows with each code.
    pub codes: Vec<f64>,
}

impl FirstMoments {
    /// Of no rows.
    pub fn new(numbers: usize, codes: usize) -> Self {
        Self {
            weight: 0.0,
            sums: vec![0.0; numbers],
            squares: vec![0.0; numbers],
            codes: vec![0.0; codes],
        }
    }

    /// Adds rows, each counted with its sample weight.
    pub fn add<T: Real>(&mut self, rows: &Rows<'_, T>) {
        let numbers = self.sums.len();
        for (index, row) in rows.x.rows().into_iter().enumerate() {
            let weight = rows.weight.map_or(1.0, |weight| weight[index].as_f64());
            self.weight += weight;
            let sums = self.sums.iter_mut().zip(&mut self.squares);
            for ((sum, square), x) in sums.zip(row) {
                let x = x.as_f64();
                *sum += weight * x;
                *square += weight * x * x;
            }
            for code in row.iter().skip(numbers) {
                if let Some(sum) = self.codes.get_mut(code.as_f64() as usize) {
                    *sum += weight;
                }
            }
        }
    }

    /// Adds other rows' moments.
    pub fn merge(&mut self, other: &Self) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        self.weight += other.weight;
        add(&mut self.sums, &other.sums);
        add(&mut self.squares, &other.squares);
        add(&mut self.codes, &other.codes);
    }
}

/// Second moments of feature rows, the intercept's column of ones included: `Σ [x 1]ᵀ[x 1]`, tile by tile.
///
/// # Shapes
/// (P + 1, P + 1).
#[derive(Debug, Clone, PartialEq)]
pub struct SecondMoments {
    sums: Array2<f64>,
}

impl SecondMoments {
    /// Of no rows yet, for P features.
    pub fn new(features: usize) -> Self {
        Self {
            sums: Array2::zeros((features + 1, features + 1)),
        }
    }

    /// Adds rows.
    ///
    /// # Shapes
    /// `x` (m, P).
    pub fn add(&mut self, x: &ArrayView2<'_, f64>) {
        let (m, features) = x.dim();
        let mut block = self.sums.slice_mut(s![..features, ..features]);
        general_mat_mul(1.0, &x.t(), x, 1.0, &mut block);
        for (j, column) in x.columns().into_iter().enumerate() {
            self.sums[[j, features]] += column.sum();
            self.sums[[features, j]] = self.sums[[j, features]];
        }
        self.sums[[features, features]] += m as f64;
    }

    /// The largest eigenvalue of the mean of `[x 1]ᵀ[x 1]`; `None` when LAPACK finds none (sums that are not finite) or
    /// there are no rows.
    pub fn largest_eigenvalue(&self) -> Option<f64> {
        let rows = self.sums[[self.sums.nrows() - 1, self.sums.nrows() - 1]];
        let eigenvalues = self.sums.eigvalsh(UPLO::Lower).ok()?;
        let largest = eigenvalues.iter().copied().fold(f64::NAN, f64::max) / rows;
        (largest.is_finite() && largest > 0.0).then_some(largest)
    }
}

/// The learning rate above which gradient descent on the logistic loss may diverge: `2 / (λ/4 + l2)`.
///
/// λ is the largest eigenvalue of the features' second moments; a quarter of them bounds the Hessian everywhere.
///
/// # Source
/// Böhning and Lindsay 1988 for the bound; Nesterov, *Lectures on Convex Optimization*, theorem 2.1.14 for the step.
pub fn largest_stable_rate(eigenvalue: f64, l2: f64) -> f64 {
    2.0 / (eigenvalue / 4.0 + l2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_bound_is_that_of_the_largest_eigenvalue() {
        // Two uncorrelated standardized columns: M is the identity, so L = 1/4 and the largest rate is 8.
        let x = array![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
        let of = |tiles: &[Array2<f64>]| {
            let mut moments = SecondMoments::new(2);
            for tile in tiles {
                moments.add(&tile.view());
            }
            moments.largest_eigenvalue().expect("finite")
        };
        let eigenvalue = of(std::slice::from_ref(&x));
        assert!((largest_stable_rate(eigenvalue, 0.0) - 8.0).abs() < 1e-12);
        assert!((largest_stable_rate(eigenvalue, 0.25) - 4.0).abs() < 1e-12);
        // The same rows in two tiles, and the same column twice, which doubles the curvature.
        let halves = [x.slice(s![..1, ..]).to_owned(), x.slice(s![1.., ..]).to_owned()];
        assert!((of(&halves) - eigenvalue).abs() < 1e-12);
        assert!((largest_stable_rate(of(&[array![[1.0, 1.0], [-1.0, -1.0]]]), 0.0) - 4.0).abs() < 1e-12);
        assert!(SecondMoments::new(2).largest_eigenvalue().is_none());
    }
}
