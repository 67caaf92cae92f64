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

use super::{ColumnTerms, Kernels, RowTerms, ScoreSums, check_shapes};

/// Rows whose factors `1 + e` are multiplied before one logarithm is taken: each is at most 2, so 64 of them stay below
/// 2⁶⁴ and cannot overflow `f32`.
const ROWS_PER_LOG: usize = 64;

/// Columns whose running sums fit on the stack together.
const WIDEST: usize = 128;

macro_rules! kernels {
    ($type:ident, $module:ident, $mantissa:literal, $bias:literal, $terms:literal, $magic:literal, $largest:literal,
     $ln2_high:literal, $ln2_low:literal, $polynomial:expr) => {
        mod $module {
            use super::super::{ColumnTerms, LANES, RowTerms, ScoreSums};
            use super::{ROWS_PER_LOG, WIDEST};
            use multiversion::multiversion;

            const POLYNOMIAL: &[$type] = &$polynomial;
            /// 1, 1/3, 1/5, …: the series of artanh, to the type's precision at 1/3.
            const ARTANH: [$type; $terms] = {
                let mut series = [0.0; $terms];
                let mut i = 0;
                while i < $terms {
                    series[i] = 1.0 / (2 * i + 1) as $type;
                    i += 1;
                }
                series
            };
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

            /// σ(z), and 1 + exp(−|z|), from which the loss is made; beyond ±`LARGEST` both stay at their values there.
            #[inline(always)]
            fn sigmoid_and_factor(z: $type) -> ($type, $type) {
                let e = exp((-z.abs()).max(-LARGEST));
                let factor = 1.0 + e;
                let above = 1.0 / factor;
                (if z >= 0.0 { above } else { e * above }, factor)
            }

            #[inline(always)]
            fn sigmoid_of(z: $type) -> $type {
                sigmoid_and_factor(z).0
            }

            /// ln(f) for f between 1 and 2: `2·artanh(s)` with `s = (f − 1)/(f + 1)`, at most 1/3.
            #[inline(always)]
            fn ln(f: $type) -> $type {
                let s = (f - 1.0) / (f + 1.0);
                let square = s * s;
                let mut sum = ARTANH[ARTANH.len() - 1];
                for &coefficient in ARTANH.iter().rev().skip(1) {
                    sum = sum.mul_add(square, coefficient);
                }
                2.0 * s * sum
            }

            /// Running sums of one register of lanes, the losses by class; emptied into f64 every `ROWS_PER_LOG` rows.
            struct LaneSums {
                linear: [Lanes; 2],
                product: [Lanes; 2],
                squared: Lanes,
                correct: Lanes,
            }

            impl LaneSums {
                #[inline(always)]
                fn new() -> Self {
                    Self {
                        linear: [[0.0; LANES]; 2],
                        product: [[1.0; LANES]; 2],
                        squared: [0.0; LANES],
                        correct: [0.0; LANES],
                    }
                }

                #[inline(always)]
                fn add<const WEIGHTED: bool>(
                    &mut self,
                    lane: usize,
                    row: Row,
                    z: $type,
                    cut: $type,
                    both: ($type, $type),
                ) {
                    let Row { y, weight } = row;
                    let (p, factor) = both;
                    let linear = y.mul_add(-z, z.max(0.0));
                    let of_one: $type = if y > 0.5 { 1.0 } else { 0.0 };
                    if WEIGHTED {
                        let loss = weight * (linear + ln(factor));
                        self.linear[1][lane] += of_one * loss;
                        self.linear[0][lane] += (1.0 - of_one) * loss;
                    } else {
                        self.linear[1][lane] += of_one * linear;
                        self.linear[0][lane] += (1.0 - of_one) * linear;
                        self.product[1][lane] *= if y > 0.5 { factor } else { 1.0 };
                        self.product[0][lane] *= if y > 0.5 { 1.0 } else { factor };
                    }
                    self.squared[lane] = (weight * (p - y)).mul_add(p - y, self.squared[lane]);
                    let side: $type = if z > cut { 1.0 } else { 0.0 };
                    self.correct[lane] += if side == y { weight } else { 0.0 };
                }

                fn empty(&self, scores: &mut ScoreSums<'_>) {
                    for lane in 0..LANES {
                        for class in 0..2 {
                            scores.loss[class][0] +=
                                f64::from(self.linear[class][lane]) + f64::from(self.product[class][lane].ln());
                        }
                        scores.squared[0] += f64::from(self.squared[lane]);
                        scores.correct[0] += f64::from(self.correct[lane]);
                    }
                }
            }

            /// Running sums of up to `WIDEST` columns, the losses by class.
            struct ColumnSums {
                linear: [[$type; WIDEST]; 2],
                product: [[$type; WIDEST]; 2],
                /// Powers of two taken out of the products.
                exponent: [[$type; WIDEST]; 2],
                squared: [$type; WIDEST],
                correct: [$type; WIDEST],
            }

            impl ColumnSums {
                #[inline(always)]
                fn new() -> Self {
                    Self {
                        linear: [[0.0; WIDEST]; 2],
                        product: [[1.0; WIDEST]; 2],
                        exponent: [[0.0; WIDEST]; 2],
                        squared: [0.0; WIDEST],
                        correct: [0.0; WIDEST],
                    }
                }

                /// Empties the plain sums into f64 and takes the powers of two out of the products, so that neither
                /// loses digits; the logarithms wait for [`ColumnSums::finish`].
                #[inline(always)]
                fn empty(&mut self, first: usize, columns: usize, scores: &mut ScoreSums<'_>) {
                    for class in 0..2 {
                        let loss = &mut scores.loss[class][first..first + columns];
                        for (loss, linear) in loss.iter_mut().zip(&mut self.linear[class]) {
                            *loss += f64::from(*linear);
                            *linear = 0.0;
                        }
                        let products = self.product[class][..columns].iter_mut();
                        for (product, exponent) in products.zip(&mut self.exponent[class]) {
                            let bits = product.to_bits();
                            *exponent += ((bits >> $mantissa).cast_signed() - $bias.cast_signed()) as $type;
                            *product = $type::from_bits((bits & ((1 << $mantissa) - 1)) | ($bias << $mantissa));
                        }
                    }
                    let squared = &mut scores.squared[first..first + columns];
                    for (sum, part) in squared.iter_mut().zip(&mut self.squared) {
                        *sum += f64::from(*part);
                        *part = 0.0;
                    }
                    let correct = &mut scores.correct[first..first + columns];
                    for (sum, part) in correct.iter_mut().zip(&mut self.correct) {
                        *sum += f64::from(*part);
                        *part = 0.0;
                    }
                }

                fn finish(&self, first: usize, columns: usize, scores: &mut ScoreSums<'_>) {
                    for class in 0..2 {
                        for j in 0..columns {
                            scores.loss[class][first + j] += std::f64::consts::LN_2
                                * f64::from(self.exponent[class][j])
                                + f64::from(self.product[class][j]).ln();
                        }
                    }
                }
            }

            /// A row's side of the kernels.
            #[derive(Clone, Copy)]
            struct Row {
                y: $type,
                weight: $type,
            }

            impl RowTerms<'_, $type> {
                #[inline(always)]
                fn row<const WEIGHTED: bool>(&self, index: usize) -> Row {
                    let weight = match self.weight {
                        Some(weight) if WEIGHTED => weight[index],
                        _ => 1.0,
                    };
                    Row {
                        y: self.y[index],
                        weight,
                    }
                }
            }

            /// Many columns: the lanes run over columns, whose constants stay in the first-level cache.
            #[inline(always)]
            fn columns_in_lanes<const RESIDUAL: bool, const SCORE: bool, const WEIGHTED: bool>(
                z: &mut [$type],
                rows: RowTerms<'_, $type>,
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                let k = columns.intercept.len();
                for first in (0..k).step_by(WIDEST) {
                    let range = first..k.min(first + WIDEST);
                    let b = &columns.intercept[range.clone()];
                    let weight = [
                        &columns.weight[0][range.clone()],
                        &columns.weight[1][range.clone()],
                    ];
                    if !SCORE {
                        let db = &mut db[range.clone()];
                        for (index, z) in z.chunks_exact_mut(k).enumerate() {
                            let row = rows.row::<WEIGHTED>(index);
                            let s = weight[usize::from(row.y > 0.5)];
                            residual_row::<WEIGHTED>(&mut z[range.clone()], row, b, s, db);
                        }
                        continue;
                    }
                    let mut spare = [0.0; WIDEST];
                    let db = if RESIDUAL {
                        &mut db[range.clone()]
                    } else {
                        &mut spare[..range.len()]
                    };
                    let mut sums = ColumnSums::new();
                    for (part, z) in z.chunks_mut(ROWS_PER_LOG * k).enumerate() {
                        for (index, z) in z.chunks_exact_mut(k).enumerate() {
                            let row = rows.row::<WEIGHTED>(part * ROWS_PER_LOG + index);
                            let s = weight[usize::from(row.y > 0.5)];
                            let z = &mut z[range.clone()];
                            score_row::<RESIDUAL, WEIGHTED>(z, row, b, s, columns.cut, db, &mut sums);
                        }
                        sums.empty(first, range.len(), scores);
                    }
                    if !WEIGHTED {
                        sums.finish(first, range.len(), scores);
                    }
                }
            }

            #[inline(always)]
            fn residual_row<const WEIGHTED: bool>(
                z: &mut [$type],
                row: Row,
                b: &[$type],
                s: &[$type],
                db: &mut [$type],
            ) {
                for (((z, &b), &s), db) in z.iter_mut().zip(b).zip(s).zip(db) {
                    let p = sigmoid_of(*z + b);
                    *z = s * (p - row.y);
                    if WEIGHTED {
                        *z *= row.weight;
                    }
                    *db += *z;
                }
            }

            #[inline(always)]
            fn score_row<const RESIDUAL: bool, const WEIGHTED: bool>(
                z: &mut [$type],
                row: Row,
                b: &[$type],
                s: &[$type],
                cut: $type,
                db: &mut [$type],
                sums: &mut ColumnSums,
            ) {
                let Row { y, weight } = row;
                let class = usize::from(y > 0.5);
                let ColumnSums {
                    linear,
                    product,
                    squared,
                    correct,
                    ..
                } = sums;
                let sums = linear[class]
                    .iter_mut()
                    .zip(&mut product[class])
                    .zip(squared.iter_mut().zip(correct));
                let columns = z.iter_mut().zip(b).zip(s.iter().zip(db));
                for (((stored, &b), (&s, db)), ((linear, product), (squared, correct))) in columns.zip(sums) {
                    let z = *stored + b;
                    let (p, factor) = sigmoid_and_factor(z);
                    let term = y.mul_add(-z, z.max(0.0));
                    if WEIGHTED {
                        *linear += weight * (term + ln(factor));
                    } else {
                        *linear += term;
                        *product *= factor;
                    }
                    *squared = (weight * (p - y)).mul_add(p - y, *squared);
                    let side: $type = if z > cut { 1.0 } else { 0.0 };
                    *correct += if side == y { weight } else { 0.0 };
                    if RESIDUAL {
                        *stored = s * (p - y);
                        if WEIGHTED {
                            *stored *= weight;
                        }
                        *db += *stored;
                    }
                }
            }

            /// A single column: the lanes run over rows.
            #[inline(always)]
            fn rows_in_lanes<const RESIDUAL: bool, const SCORE: bool, const WEIGHTED: bool>(
                z: &mut [$type],
                rows: RowTerms<'_, $type>,
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                let b = columns.intercept[0];
                let s = [columns.weight[0][0], columns.weight[1][0]];
                let mut sums: Lanes = [0.0; LANES];
                for (part, z) in z.chunks_mut(ROWS_PER_LOG * LANES).enumerate() {
                    let mut lane_sums = LaneSums::new();
                    let mut step = |z: &mut [$type], first: usize| {
                        let own = RowTerms {
                            y: &rows.y[first..first + z.len()],
                            weight: rows.weight.map(|weight| &weight[first..first + z.len()]),
                        };
                        for lane in 0..z.len() {
                            let row = own.row::<WEIGHTED>(lane);
                            let score = z[lane] + b;
                            let both = sigmoid_and_factor(score);
                            let p = both.0;
                            if SCORE {
                                lane_sums.add::<WEIGHTED>(lane, row, score, columns.cut, both);
                            }
                            if RESIDUAL {
                                let s = if row.y > 0.5 { s[1] } else { s[0] };
                                let dz = row.weight * s * (p - row.y);
                                sums[lane] += dz;
                                z[lane] = dz;
                            }
                        }
                    };
                    let before = part * ROWS_PER_LOG * LANES;
                    let (whole, rest) = z.as_chunks_mut::<LANES>();
                    let done = whole.len() * LANES;
                    for (index, z) in whole.iter_mut().enumerate() {
                        step(z, before + index * LANES);
                    }
                    step(rest, before + done);
                    if SCORE {
                        lane_sums.empty(scores);
                    }
                }
                if RESIDUAL {
                    db[0] += sums.iter().sum::<$type>();
                }
            }

            #[inline(always)]
            fn pass<const RESIDUAL: bool, const SCORE: bool>(
                z: &mut [$type],
                rows: RowTerms<'_, $type>,
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                match (columns.intercept.len() == 1, rows.weight.is_some()) {
                    (true, false) => rows_in_lanes::<RESIDUAL, SCORE, false>(z, rows, columns, db, scores),
                    (true, true) => rows_in_lanes::<RESIDUAL, SCORE, true>(z, rows, columns, db, scores),
                    (false, false) => columns_in_lanes::<RESIDUAL, SCORE, false>(z, rows, columns, db, scores),
                    (false, true) => columns_in_lanes::<RESIDUAL, SCORE, true>(z, rows, columns, db, scores),
                }
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn residual(
                z: &mut [$type],
                rows: RowTerms<'_, $type>,
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
            ) {
                let mut none = ScoreSums {
                    loss: [&mut [], &mut []],
                    squared: &mut [],
                    correct: &mut [],
                };
                pass::<true, false>(z, rows, columns, db, &mut none);
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn residual_and_score(
                z: &mut [$type],
                rows: RowTerms<'_, $type>,
                columns: ColumnTerms<'_, $type>,
                db: &mut [$type],
                scores: &mut ScoreSums<'_>,
            ) {
                pass::<true, true>(z, rows, columns, db, scores);
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn score(
                z: &mut [$type],
                rows: RowTerms<'_, $type>,
                columns: ColumnTerms<'_, $type>,
                scores: &mut ScoreSums<'_>,
            ) {
                pass::<false, true>(z, rows, columns, &mut [], scores);
            }

            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub(super) fn curvature(z: &mut [$type], rows: RowTerms<'_, $type>, columns: ColumnTerms<'_, $type>) {
                let k = columns.intercept.len();
                for (index, z) in z.chunks_exact_mut(k).enumerate() {
                    let Row { y, weight } = rows.row::<true>(index);
                    let s = columns.weight[usize::from(y > 0.5)];
                    for ((z, &b), &s) in z.iter_mut().zip(columns.intercept).zip(s) {
                        let p = sigmoid_of(*z + b);
                        *z = weight * s * (p * (1.0 - p));
                    }
                }
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
            fn residual(z: &mut [Self], rows: RowTerms<'_, Self>, columns: ColumnTerms<'_, Self>, db: &mut [Self]) {
                check_shapes(z.len(), &rows, &columns);
                $module::residual(z, rows, columns, db);
            }

            #[inline]
            fn residual_and_score(
                z: &mut [Self],
                rows: RowTerms<'_, Self>,
                columns: ColumnTerms<'_, Self>,
                db: &mut [Self],
                mut scores: ScoreSums<'_>,
            ) {
                check_shapes(z.len(), &rows, &columns);
                $module::residual_and_score(z, rows, columns, db, &mut scores);
            }

            #[inline]
            fn score(
                z: &mut [Self],
                rows: RowTerms<'_, Self>,
                columns: ColumnTerms<'_, Self>,
                mut scores: ScoreSums<'_>,
            ) {
                check_shapes(z.len(), &rows, &columns);
                $module::score(z, rows, columns, &mut scores);
            }

            #[inline]
            fn curvature(z: &mut [Self], rows: RowTerms<'_, Self>, columns: ColumnTerms<'_, Self>) {
                check_shapes(z.len(), &rows, &columns);
                $module::curvature(z, rows, columns);
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
    23,
    127_u32,
    8,
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
    52,
    1023_u64,
    17,
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
