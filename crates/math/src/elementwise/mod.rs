//! Vectorized elementwise functions: the logistic kernel of the fused pass, and the sigmoid it is made of.
//!
//! The loops are plain Rust that the compiler vectorizes; `multiversion` compiles each of them for several instruction
//! sets and picks one at run time. `exp` is range reduction (Cody and Waite) and a Chebyshev polynomial, so there is no
//! library call per element and no saturating float-to-integer cast, which would double the time.

mod kernels;
mod rows;

pub use rows::RowKernels;

/// Lanes of one step of the kernels: one AVX-512 register of `f32`. The width of a block of columns is 1 or a multiple of it.
pub const LANES: usize = 16;

/// The columns' side of the logistic kernel: one row group of one tile against all columns of a block.
///
/// # Shapes
/// All slices have length k, the block's width.
#[derive(Debug, Clone, Copy)]
pub struct ColumnTerms<'a, T> {
    /// Effective intercepts b, added to z.
    pub intercept: &'a [T],
    /// What a row of class 0 and one of class 1 count in the column's gradient; 0 where it does not train on the group.
    pub weight: [&'a [T]; 2],
    /// Accuracy counts a row as positive when z is above this.
    pub cut: T,
}

/// The rows' side of the logistic kernel.
///
/// # Shapes
/// All slices have length m.
#[derive(Debug, Clone, Copy)]
pub struct RowTerms<'a, T> {
    /// Labels, 0 and 1.
    pub y: &'a [T],
    /// Sample weights; `None` = 1 each.
    pub weight: Option<&'a [T]>,
}

/// Sums over rows, per column, of what a pass measures; every row counts its sample weight.
///
/// # Shapes
/// All slices have length k.
#[derive(Debug)]
pub struct ScoreSums<'a> {
    /// Σ ℓ(y, z) of the rows of class 0 and of class 1.
    pub loss: [&'a mut [f64]; 2],
    /// Σ (σ(z) − y)².
    pub squared: &'a mut [f64],
    /// Weight of the rows on the right side of the cut.
    pub correct: &'a mut [f64],
}

/// The kernels an element type provides. Implemented for `f32` and `f64`.
pub trait Kernels: Copy + RowKernels {
    /// Replaces scores by residuals in place, and adds the residuals' column sums to `db`.
    ///
    /// `dz = s ⊙ (σ(z + b) − y)`, `db += Σ_rows dz`, where s is the row's weight times the column's weight of its class
    ///
    /// # Shapes
    /// `z` (m·k) row-major, `rows` (m), everything else (k); k is 1 or a multiple of [`LANES`].
    fn residual(z: &mut [Self], rows: RowTerms<'_, Self>, columns: ColumnTerms<'_, Self>, db: &mut [Self]);

    /// As [`Kernels::residual`], and adds loss, squared error and hits of every column (trained or not) to `scores`.
    ///
    /// # Numerical notes
    /// ℓ = max(z, 0) − y·z + log1p(exp(−|z|)). Without sample weights the logarithm is taken once per column and class of
    /// a product of factors 1 + e, whose powers of two are counted apart, so terms below 6e-8 are lost in `f32`: fine for
    /// means, not for line searches. With sample weights it is a series per element.
    fn residual_and_score(
        z: &mut [Self],
        rows: RowTerms<'_, Self>,
        columns: ColumnTerms<'_, Self>,
        db: &mut [Self],
        scores: ScoreSums<'_>,
    );

    /// Scores without residuals; z keeps its values.
    fn score(z: &mut [Self], rows: RowTerms<'_, Self>, columns: ColumnTerms<'_, Self>, scores: ScoreSums<'_>);

    /// Replaces scores by the second derivatives of the loss in place: `s ⊙ p·(1 − p)` with `p = σ(z + b)`.
    ///
    /// # Shapes
    /// As [`Kernels::residual`].
    fn curvature(z: &mut [Self], rows: RowTerms<'_, Self>, columns: ColumnTerms<'_, Self>);

    /// `z[i] ← σ(z[i])`, stable for any finite z.
    fn sigmoid(z: &mut [Self]);
}

fn check_shapes<T>(z: usize, rows: &RowTerms<'_, T>, columns: &ColumnTerms<'_, T>) {
    let (m, k) = (rows.y.len(), columns.intercept.len());
    assert!(
        k == 1 || k.is_multiple_of(LANES),
        "a block of {k} columns: its width is 1 or a multiple of {LANES}"
    );
    assert!(z == m * k, "z has {z} elements for {m} rows of {k} columns");
    for weight in columns.weight {
        assert!(weight.len() == k, "{} weights for {k} columns", weight.len());
    }
    let weights = rows.weight.map_or(m, <[T]>::len);
    assert!(weights == m, "{weights} sample weights for {m} rows");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::logistic;

    #[test]
    fn sigmoid_is_within_a_few_roundings_of_the_library() {
        let points: Vec<f64> = (-4000..=4000).map(|i| f64::from(i) * 0.025).collect();
        let mut double = points.clone();
        f64::sigmoid(&mut double);
        let mut single: Vec<f32> = points.iter().map(|&z| z as f32).collect();
        f32::sigmoid(&mut single);
        for (i, &z) in points.iter().enumerate() {
            let exact = logistic::sigmoid(z);
            assert!(
                (double[i] / exact - 1.0).abs() < 8.0 * f64::EPSILON,
                "{z}: {} {exact}",
                double[i]
            );
            let exact = logistic::sigmoid(f64::from(z as f32));
            // Below the smallest normal number the range reduction stops.
            if z > -86.9 {
                assert!(
                    (f64::from(single[i]) / exact - 1.0).abs() < 8.0 * f64::from(f32::EPSILON),
                    "{z}"
                );
            } else {
                assert!(single[i] < 2e-38, "{z}");
            }
        }
    }

    #[test]
    fn sigmoid_survives_the_extremes() {
        let mut z = [f32::MAX, f32::MIN, 0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY];
        f32::sigmoid(&mut z);
        assert_eq!(z[0], 1.0);
        assert!(z[1] >= 0.0 && z[1] < 1e-37);
        assert_eq!((z[2], z[3], z[4]), (0.5, 0.5, 1.0));
        assert!(z[5] < 1e-37);
    }

    /// Both layouts, both element types, with and without sample weights, against the definition, over more rows than one
    /// logarithm covers.
    #[test]
    fn kernels_agree_with_the_definition() {
        fn check<T: crate::Real>(k: usize, is_weighted: bool, tolerance: f64) {
            let m = 150;
            let value = |i: usize, scale: f64| T::from_f64(((i * 37 % 101) as f64 / 50.0 - 1.0) * scale);
            let start: Vec<T> = (0..m * k).map(|i| value(i, 6.0)).collect();
            let y: Vec<T> = (0..m).map(|i| if i % 3 == 0 { T::one() } else { T::zero() }).collect();
            let sample: Vec<T> = (0..m).map(|i| T::from_f64((i % 4) as f64 * 0.5)).collect();
            let intercept: Vec<T> = (0..k).map(|j| value(j + 5, 0.5)).collect();
            let is_trained = |j: usize| if j % 4 == 3 { 0.0 } else { 1.0 };
            let class_weight = |class: f64| (0..k).map(|j| T::from_f64(is_trained(j) * (1.0 + class))).collect();
            let weight: [Vec<T>; 2] = [class_weight(0.0), class_weight(1.0)];
            let rows = RowTerms {
                y: &y,
                weight: is_weighted.then_some(sample.as_slice()),
            };
            let columns = ColumnTerms {
                intercept: &intercept,
                weight: [&weight[0], &weight[1]],
                cut: T::zero(),
            };
            let (mut z, mut db) = (start.clone(), vec![T::zero(); k]);
            let mut sums = vec![vec![0.0; k]; 4];
            T::residual_and_score(&mut z, rows, columns, &mut db, as_sums(&mut sums));
            let (mut plain, mut plain_db) = (start.clone(), vec![T::zero(); k]);
            T::residual(&mut plain, rows, columns, &mut plain_db);
            assert_eq!((&plain, &plain_db), (&z, &db));
            for j in 0..k {
                let mut expected = [0.0; 5];
                for i in 0..m {
                    let (score, y) = ((start[i * k + j] + intercept[j]).as_f64(), y[i].as_f64());
                    let own = if is_weighted { sample[i].as_f64() } else { 1.0 };
                    let residual = logistic::residual(y, score);
                    let dz = own * is_trained(j) * (1.0 + y) * residual;
                    assert!((z[i * k + j].as_f64() - dz).abs() < tolerance);
                    let hit = f64::from(u8::from((score > 0.0) == (y > 0.5)));
                    let loss = own * logistic::loss(y, score);
                    for (sum, term) in
                        expected
                            .iter_mut()
                            .zip([(1.0 - y) * loss, y * loss, own * residual.powi(2), own * hit, dz])
                    {
                        *sum += term;
                    }
                }
                let found = sums.iter().map(|sum| sum[j]).chain([db[j].as_f64()]);
                for (found, expected) in found.zip(expected) {
                    assert!(
                        (found - expected).abs() < tolerance * m as f64,
                        "k {k} column {j}: {found} {expected}"
                    );
                }
            }
            let mut only = vec![vec![0.0; k]; 4];
            T::score(&mut start.clone(), rows, columns, as_sums(&mut only));
            assert_eq!(only, sums);
        }
        fn as_sums(sums: &mut [Vec<f64>]) -> ScoreSums<'_> {
            let [zero, one, squared, correct] = sums else {
                unreachable!("four sums");
            };
            ScoreSums {
                loss: [zero, one],
                squared,
                correct,
            }
        }
        for k in [1, 16, 48, 160] {
            for is_weighted in [false, true] {
                check::<f64>(k, is_weighted, 1e-14);
                check::<f32>(k, is_weighted, 3e-6);
            }
        }
    }

    #[test]
    #[should_panic(expected = "its width is 1 or a multiple of 16")]
    fn other_widths_are_a_bug() {
        let terms = ColumnTerms {
            intercept: &[0.0f64; 3],
            weight: [&[1.0; 3]; 2],
            cut: 0.0,
        };
        let rows = RowTerms {
            y: &[1.0],
            weight: None,
        };
        f64::residual(&mut [0.0; 3], rows, terms, &mut [0.0; 3]);
    }
}
