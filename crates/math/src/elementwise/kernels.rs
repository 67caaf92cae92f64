//! The kernels themselves, written once for both element types.
//!
//! `exp` is range reduction and a polynomial, so there is no library call per element and no saturating float-to-integer
//! cast, which would double the time.
//!
//! # Source
//! W. J. Cody and W. Waite, *Software Manual for the Elementary Functions*, 1980, chapter 6; the polynomials are
//! Chebyshev approximations of `exp` on ±ln 2/2 computed in 40 digits (relative error 2.0e-9 and 4.2e-20).
#![expect(
    clippy::excessive_precision,
    reason = "the polynomials are written as they were computed, in 20 digits"
)]

use super::{ColumnTerms, Kernels, ScoreSums, check_shapes};

/// Rows whose factors `1 + e` are multiplied before one logarithm is taken: each is at most 2, so 64 of them stay below
/// 2⁶⁴ and cannot overflow `f32`.
const ROWS_PER_LOG: usize = 64;

/// Columns whose running sums fit on the stack together.
const WIDEST: usize = 128;

macro_rules! kernels {
    ($type:ident, $module:ident, $bits:ident, $mantissa:literal, $bias:literal, $magic:literal, $largest:literal,
     $ln2_high:literal, $ln2_low:literal, $polynomial:expr) => {
        mod $module {
            use super::super::{ColumnTerms, LANES, ScoreSums};
            use super::{ROWS_PER_LOG, WIDEST};
            use multiversion::multiversion;

            const POLYNOMIAL: &[$type] = &$polynomial;
            /// exp of it and of its negative are normal numbers.
            const LARGEST: $type = $largest;
            type Lanes = [$type; LANES];

            /// exp(x) for x between ±`LARGEST`.
            #[inline(always)]
            fn exp(x: $type) -> $type {
                // Adding 1.5·2^mantissa rounds to the nearest integer and leaves it in the low bits.
                let shifted = x.mul_add(std::$type::consts::LOG2_E, $magic);
                let n = shifted - $magic;
                let r = n.mul_add(-$ln2_low, n.mul_add(-$ln2_high, x));
                let mut sum = POLYNOMIAL[POLYNOMIAL.len() - 1];
                for &coefficient in POLYNOMIAL.iter().rev().skip(1) {
                    sum = sum.mul_add(r, coefficient);
                }
                let scale = $type::from_bits((shifted.to_bits() << $mantissa).wrapping_add($bias << $mantissa));
                sum * scale
            }

            /// σ(z) = 1 / (1 + exp(−z)); beyond ±`LARGEST` it stays at its value there.
            #[inline(always)]
            fn sigmoid_of(z: $type) -> $type {
                1.0 / (1.0 + exp((-z).max(-LARGEST).min(LARGEST)))
            }

            /// 1 + exp(−|z|), from which the loss is made.
            #[inline(always)]
            fn factor_of(z: $type) -> $type {
                1.0 + exp((-z.abs()).max(-LARGEST))
            }

            /// Running sums of one register of lanes; flushed into f64 every `ROWS_PER_LOG` rows.
            #[derive(Clone, Copy)]
            struct LaneSums {
                linear: Lanes,
                product: Lanes,
                squared: Lanes,
                correct: Lanes,
            }

            impl LaneSums {
                #[inline(always)]
                fn new() -> Self {
                    Self {
                        linear: [0.0; LANES],
                        product: [1.0; LANES],
                        squared: [0.0; LANES],
                        correct: [0.0; LANES],
                    }
                }

                #[inline(always)]
                fn add(&mut self, lane: usize, z: $type, y: $type, cut: $type, p: $type, factor: $type) {
                    self.linear[lane] += y.mul_add(-z, z.max(0.0));
                    self.product[lane] *= factor;
                    self.squared[lane] = (p - y).mul_add(p - y, self.squared[lane]);
                    let side: $type = if z > cut { 1.0 } else { 0.0 };
                    self.correct[lane] += if side == y { 1.0 } else { 0.0 };
                }

                #[inline(always)]
                fn loss(&self, lane: usize) -> f64 {
                    f64::from(self.linear[lane]) + f64::from(self.product[lane].ln())
                }
            }

            /// Running sums of up to `WIDEST` columns; flushed into f64 every `ROWS_PER_LOG` rows.
            struct ColumnSums {
                linear: [$type; WIDEST],
                product: [$type; WIDEST],
                squared: [$type; WIDEST],
                correct: [$type; WIDEST],
            }

            /// Many columns: the lanes run over columns, whose constants stay in the first-level cache.
            #[inline(always)]
            fn columns_in_lanes<const RESIDUAL: bool, const SCORE: bool>(
                z: &mut [$type],
                y: &[$type],
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                let k = columns.intercept.len();
                for first in (0..k).step_by(WIDEST) {
                    let range = first..k.min(first + WIDEST);
                    let (b, s) = (
                        &columns.intercept[range.clone()],
                        &columns.is_trained[range.clone()],
                    );
                    if !SCORE {
                        let db = &mut db[range.clone()];
                        for (row, &y) in z.chunks_exact_mut(k).zip(y) {
                            residual_row(&mut row[range.clone()], y, b, s, db);
                        }
                        continue;
                    }
                    let mut spare = [0.0; WIDEST];
                    for (rows, y) in z.chunks_mut(ROWS_PER_LOG * k).zip(y.chunks(ROWS_PER_LOG)) {
                        let zeros = [0.0; WIDEST];
                        let mut sums = ColumnSums {
                            linear: zeros,
                            product: [1.0; WIDEST],
                            squared: zeros,
                            correct: zeros,
                        };
                        let db = if RESIDUAL {
                            &mut db[range.clone()]
                        } else {
                            &mut spare[..range.len()]
                        };
                        for (row, &y) in rows.chunks_exact_mut(k).zip(y) {
                            score_row::<RESIDUAL>(&mut row[range.clone()], y, b, s, columns.cut, db, &mut sums);
                        }
                        for (j, column) in range.clone().enumerate() {
                            scores.loss[column] += f64::from(sums.linear[j]) + f64::from(sums.product[j].ln());
                            scores.squared[column] += f64::from(sums.squared[j]);
                            scores.correct[column] += f64::from(sums.correct[j]);
                        }
                    }
                }
            }

            #[inline(always)]
            fn residual_row(row: &mut [$type], y: $type, b: &[$type], s: &[$type], db: &mut [$type]) {
                for (((z, &b), &s), db) in row.iter_mut().zip(b).zip(s).zip(db) {
                    let p = sigmoid_of(*z + b);
                    *z = s * (p - y);
                    *db += *z;
                }
            }

            #[inline(always)]
            fn score_row<const RESIDUAL: bool>(
                row: &mut [$type],
                y: $type,
                b: &[$type],
                s: &[$type],
                cut: $type,
                db: &mut [$type],
                sums: &mut ColumnSums,
            ) {
                let ColumnSums {
                    linear,
                    product,
                    squared,
                    correct,
                } = sums;
                let sums = linear
                    .iter_mut()
                    .zip(product)
                    .zip(squared.iter_mut().zip(correct));
                let columns = row.iter_mut().zip(b).zip(s.iter().zip(db));
                for (((stored, &b), (&s, db)), ((linear, product), (squared, correct))) in columns.zip(sums) {
                    let z = *stored + b;
                    let (p, factor) = (sigmoid_of(z), factor_of(z));
                    *linear += y.mul_add(-z, z.max(0.0));
                    *product *= factor;
                    *squared = (p - y).mul_add(p - y, *squared);
                    let side: $type = if z > cut { 1.0 } else { 0.0 };
                    *correct += if side == y { 1.0 } else { 0.0 };
                    if RESIDUAL {
                        *stored = s * (p - y);
                        *db += *stored;
                    }
                }
            }

            /// A single column: the lanes run over rows.
            #[inline(always)]
            fn rows_in_lanes<const RESIDUAL: bool, const SCORE: bool>(
                z: &mut [$type],
                y: &[$type],
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                let (b, s) = (columns.intercept[0], columns.is_trained[0]);
                let mut sums: Lanes = [0.0; LANES];
                for (rows, y) in z
                    .chunks_mut(ROWS_PER_LOG * LANES)
                    .zip(y.chunks(ROWS_PER_LOG * LANES))
                {
                    let mut lane_sums = LaneSums::new();
                    let mut step = |row: &mut [$type], y: &[$type], sums: &mut Lanes| {
                        for lane in 0..row.len() {
                            let (z, y) = (row[lane] + b, y[lane]);
                            let p = sigmoid_of(z);
                            if SCORE {
                                lane_sums.add(lane, z, y, columns.cut, p, factor_of(z));
                            }
                            if RESIDUAL {
                                let dz = s * (p - y);
                                sums[lane] += dz;
                                row[lane] = dz;
                            }
                        }
                    };
                    let (z_whole, z_rest) = rows.as_chunks_mut::<LANES>();
                    let (y_whole, y_rest) = y.as_chunks::<LANES>();
                    for (row, y) in z_whole.iter_mut().zip(y_whole) {
                        step(row, y, &mut sums);
                    }
                    step(z_rest, y_rest, &mut sums);
                    if SCORE {
                        for lane in 0..LANES {
                            scores.loss[0] += lane_sums.loss(lane);
                            scores.squared[0] += f64::from(lane_sums.squared[lane]);
                            scores.correct[0] += f64::from(lane_sums.correct[lane]);
                        }
                    }
                }
                if RESIDUAL {
                    db[0] += sums.iter().sum::<$type>();
                }
            }

            #[inline(always)]
            fn pass<const RESIDUAL: bool, const SCORE: bool>(
                z: &mut [$type],
                y: &[$type],
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                if columns.intercept.len() == 1 {
                    rows_in_lanes::<RESIDUAL, SCORE>(z, y, columns, db, scores);
                } else {
                    columns_in_lanes::<RESIDUAL, SCORE>(z, y, columns, db, scores);
                }
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn residual(z: &mut [$type], y: &[$type], columns: ColumnTerms<'_, $type>, db: &mut [$type]) {
                let mut none = ScoreSums {
                    loss: &mut [],
                    squared: &mut [],
                    correct: &mut [],
                };
                pass::<true, false>(z, y, columns, db, &mut none);
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn residual_and_score(
                z: &mut [$type],
                y: &[$type],
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                pass::<true, true>(z, y, columns, db, scores);
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn score(
                z: &mut [$type],
                y: &[$type],
                columns: ColumnTerms<'_, $type>,
                scores: &mut ScoreSums<'_>,
            ) {
                pass::<false, true>(z, y, columns, &mut [], scores);
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn sigmoid(z: &mut [$type]) {
                for z in z {
                    *z = sigmoid_of(*z);
                }
            }
        }

        impl Kernels for $type {
            #[inline]
            fn residual(z: &mut [Self], y: &[Self], columns: ColumnTerms<'_, Self>, db: &mut [Self]) {
                check_shapes(z.len(), y.len(), &columns);
                $module::residual(z, y, columns, db);
            }

            #[inline]
            fn residual_and_score(
                z: &mut [Self],
                y: &[Self],
                columns: ColumnTerms<'_, Self>,
                db: &mut [Self],
                mut scores: ScoreSums<'_>,
            ) {
                check_shapes(z.len(), y.len(), &columns);
                $module::residual_and_score(z, y, columns, db, &mut scores);
            }

            #[inline]
            fn score(z: &mut [Self], y: &[Self], columns: ColumnTerms<'_, Self>, mut scores: ScoreSums<'_>) {
                check_shapes(z.len(), y.len(), &columns);
                $module::score(z, y, columns, &mut scores);
            }

            #[inline]
            fn sigmoid(z: &mut [Self]) {
                $module::sigmoid(z);
            }
        }
    };
}

kernels!(
    f32,
    single,
    u32,
    23,
    127_u32,
    12_582_912.0,
    87.0,
    0.693_359_4,
    -2.121_944_4e-4,
    [
        1.0,
        1.000_000_037_738_871_3,
        0.500_000_004_714_605_7,
        0.166_664_154_160_411_78,
        0.041_666_352_771_112_21,
        0.008_375_134_774_624_325,
        0.001_394_111_889_583_700_1
    ]
);
kernels!(
    f64,
    double,
    u64,
    52,
    1023_u64,
    6_755_399_441_055_744.0,
    708.0,
    0.693_145_751_953_125,
    1.428_606_820_309_417_2e-6,
    [
        1.0,
        0.999_999_999_999_999_998_46,
        0.499_999_999_999_999_999_89,
        0.166_666_666_666_667_024_47,
        0.041_666_666_666_666_692_218,
        0.008_333_333_333_309_508_019_2,
        0.001_388_888_888_887_187_460_9,
        0.000_198_412_699_092_579_029_24,
        2.480_158_735_013_993_1e-5,
        2.755_722_492_065_213_9e-6,
        2.755_725_187_722_508_2e-7,
        2.511_488_209_588_032_e-8,
        2.092_158_893_897_149_2e-9
    ]
);
