//! Impute and standardize, folded into a factor and an offset per fold.
//!
//! With `t = (value - c) / g` stored, 0 where missing, and `m` = 1 where missing, a fold that imputes `a` and
//! standardizes by `μ` and `σ` (all in units of `t`) sees
//!
//! ```text
//! feature = (t + a·m - μ) / σ = t/σ + m·a/σ - μ/σ
//! μ = (n_o·mean_o + n_m·a) / n      σ² = [ n_o·(var_o + (mean_o - μ)²) + n_m·(a - μ)² ] / n
//! ```

use crate::profile::Moments;
use crate::spec::Impute;

/// Global center and scale of a stored column. They condition the numbers and cancel in every feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Center {
    pub(crate) center: f64,
    pub(crate) scale: f64,
}

impl Center {
    /// From some observed values: the scale is the power of two nearest to their standard deviation, so that scaling
    /// is exact; the center is their mean rounded to a multiple of scale/256.
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let values = values.filter(|v| v.is_finite());
        let largest = values.clone().fold(0.0_f64, |largest, v| largest.max(v.abs()));
        if largest == 0.0 {
            return Self {
                center: 0.0,
                scale: 1.0,
            };
        }
        // Relative to the largest no square can overflow.
        let (mut sum, mut count) = (0.0, 0.0);
        for v in values.clone() {
            sum += v / largest;
            count += 1.0;
        }
        let mean = sum / count;
        let variance = values.map(|v| (v / largest - mean).powi(2)).sum::<f64>() / count;
        let (center, std) = (mean * largest, variance.sqrt() * largest);
        if !std.is_normal() || variance.sqrt() < 1e-14 {
            return Self { center, scale: 1.0 };
        }
        let scale = std.log2().round().clamp(-1000.0, 1000.0).exp2();
        let rounded = (center / scale * 256.0).round() / 256.0 * scale;
        Self {
            center: if rounded.is_finite() { rounded } else { center },
            scale,
        }
    }

    /// The stored number of a value; NaN stays NaN.
    #[inline]
    pub(crate) fn store(self, value: f64) -> f64 {
        (value - self.center) * (1.0 / self.scale)
    }

    /// Whether stored numbers with these moments, of all rows, lose nothing that matters when rounded to f32.
    pub(crate) fn fits(moments: &Moments) -> bool {
        let (min, max) = (moments.min, moments.max);
        if moments.observed == 0.0 || min >= max {
            return moments.observed == 0.0 || (min.is_finite() && min.abs() < 1.0);
        }
        let std = moments.variance().sqrt();
        let allowed = 2.0 * (moments.observed / HEAD_ROWS as f64).sqrt().max(1.0);
        min.is_finite()
            && max.is_finite()
            && (0.5_f64.powi(40)..=2.0_f64.powi(40)).contains(&std)
            && moments.mean.abs() <= allowed * std
    }
}

/// Center and scale come from the first so many rows.
pub(crate) const HEAD_ROWS: usize = 8192;

/// A numeric feature in one fold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FoldNumbers {
    /// Multiplies the stored number.
    pub(crate) factor: f64,
    /// Multiplies the missing mark.
    pub(crate) missing_factor: f64,
    pub(crate) offset: f64,
    pub(crate) is_held: bool,
    /// In original units.
    pub(crate) mean: f64,
    /// In original units.
    pub(crate) scale: f64,
}

impl FoldNumbers {
    /// The feature is zero whatever its weight.
    pub(crate) const HELD: Self = Self {
        factor: 0.0,
        missing_factor: 0.0,
        offset: 0.0,
        is_held: true,
        mean: 0.0,
        scale: 1.0,
    };

    /// From the moments of the fold's training rows; `median` is theirs, for a column that is missing in some row.
    pub(crate) fn of(
        moments: &Moments,
        center: Center,
        impute: Impute,
        median: Option<f64>,
        standardize: bool,
    ) -> Self {
        let Center { center: c, scale: g } = center;
        let Moments { observed, missing, .. } = *moments;
        if observed == 0.0 {
            return Self::HELD;
        }
        let imputed = match impute {
            Impute::Mean | Impute::Error => moments.mean,
            // Nothing is imputed where there is no median.
            Impute::Median => median.unwrap_or(moments.mean),
            Impute::Zero => -c / g,
        };
        // Exact: the stored numbers are compared, not a variance that rounding keeps above zero.
        let is_spread = moments.min < moments.max || (missing > 0.0 && is_apart(moments.min, imputed));
        let rows = observed + missing;
        let mean = (observed * moments.mean + missing * imputed) / rows;
        let from_observed = moments.variance() + (moments.mean - mean).powi(2);
        let variance = (observed * from_observed + missing * (imputed - mean).powi(2)) / rows;
        let std = variance.sqrt();
        if !is_spread || !std.is_normal() {
            return Self::HELD;
        }
        if standardize {
            Self {
                factor: 1.0 / std,
                missing_factor: imputed / std,
                offset: -mean / std,
                is_held: false,
                mean: c + g * mean,
                scale: g * std,
            }
        } else {
            Self {
                factor: g,
                missing_factor: g * imputed,
                offset: c,
                is_held: false,
                mean: 0.0,
                scale: 1.0,
            }
        }
    }
}

/// Whether a stored number differs from one computed in f64 by more than f32 rounds.
fn is_apart(stored: f64, computed: f64) -> bool {
    (stored - computed).abs() > 4e-7 * computed.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64], missing: f64, center: Center) -> Moments {
        let one = |&v: &f64| {
            let t = center.store(v);
            Moments {
                observed: 1.0,
                missing: 0.0,
                mean: t,
                m2: 0.0,
                min: t,
                max: t,
            }
        };
        let seen = values.iter().map(one).fold(Moments::EMPTY, Moments::merge);
        Moments { missing, ..seen }
    }

    #[test]
    fn centers_condition_any_magnitude() {
        for (mean, std) in [(1e6, 1.0), (-1e300, 1e290), (1e-300, 1e-301), (0.0, 1e-12)] {
            let values = [mean - std, mean + std];
            let center = Center::of(values.into_iter());
            for v in values {
                assert!(
                    center.store(v).abs() <= 1.5,
                    "{center:?} stores {v} as {}",
                    center.store(v)
                );
            }
        }
        assert_eq!(
            Center::of([f64::NAN].into_iter()),
            Center {
                center: 0.0,
                scale: 1.0
            }
        );
        assert_eq!(Center::of([7.3; 3].into_iter()).scale.to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn features_equal_imputing_then_standardizing() {
        let values = [3.0, 5.0, 10.0];
        let center = Center::of(values.into_iter());
        for (impute, a) in [(Impute::Mean, 6.0), (Impute::Median, 5.0), (Impute::Zero, 0.0)] {
            let filled = [3.0, 5.0, 10.0, a, a];
            let mean = filled.iter().sum::<f64>() / 5.0;
            let std = (filled.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 5.0).sqrt();
            let fold = FoldNumbers::of(
                &moments(&values, 2.0, center),
                center,
                impute,
                Some(center.store(5.0)),
                true,
            );
            for v in values {
                let found = fold.factor * center.store(v) + fold.offset;
                assert!((found - (v - mean) / std).abs() < 1e-14);
            }
            assert!((fold.missing_factor + fold.offset - (a - mean) / std).abs() < 1e-14);
            assert!((fold.mean - mean).abs() < 1e-14 && (fold.scale - std).abs() < 1e-14);
        }
    }

    #[test]
    fn constant_and_empty_columns_are_held() {
        let center = Center::of([0.1].into_iter());
        let held = |values: &[f64], missing, impute| {
            FoldNumbers::of(&moments(values, missing, center), center, impute, None, true).is_held
        };
        assert!(held(&[0.1; 7], 0.0, Impute::Mean) && held(&[0.1; 7], 3.0, Impute::Mean));
        assert!(held(&[], 3.0, Impute::Zero));
        assert!(!held(&[0.1; 7], 3.0, Impute::Zero));
    }
}
