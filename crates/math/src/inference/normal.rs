//! The normal distribution's tails.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The chance that a standard normal number lies further from 0 than `z`: `erfc(|z|/√2)`.
///
/// # Numerical notes
/// Relative precision to the end of the tail: 0 only below the smallest double, from |z| = 38.5 on.
pub fn two_sided_p_value(z: f64) -> f64 {
    libm::erfc(z.abs() * FRAC_1_SQRT_2)
}

/// The z with a share `level` of the standard normal distribution between −z and z: 1.96 for 0.95.
///
/// # Numerical notes
/// Newton steps on `erfc` from a start that is right to 4.5e-4.
///
/// # Source
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.2.23, for the start.
///
/// # Panics
/// Unless 0 < `level` < 1.
pub fn quantile(level: f64) -> f64 {
    assert!(level > 0.0 && level < 1.0, "a level lies between 0 and 1: {level}");
    let outside = 1.0 - level;
    let t = (-2.0 * (outside / 2.0).ln()).sqrt();
    let start =
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    let density = |z: f64| (2.0 / PI).sqrt() * (-z * z / 2.0).exp();
    (0..4).fold(start, |z, _| z + (libm::erfc(z * FRAC_1_SQRT_2) - outside) / density(z))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of mpmath 1.3 at 40 digits.
    #[test]
    fn tails_keep_their_digits() {
        let expected = [
            (0.0, 1.0),
            (1.0, 0.317_310_507_862_914_1),
            (-1.96, 0.049_995_790_296_440_87),
            (8.0, 1.244_192_114_854_356_8e-15),
            (20.0, 5.507_248_237_212_467_4e-89),
            (37.5, 9.210_706_019_163_91e-308),
        ];
        for (z, p) in expected {
            assert!(
                (two_sided_p_value(z) / p - 1.0).abs() < 1e-13,
                "{z}: {}",
                two_sided_p_value(z)
            );
        }
    }

    #[test]
    fn quantiles_lead_back_to_their_level() {
        assert!((quantile(0.95) - 1.959_963_984_540_054).abs() < 1e-15);
        assert!((quantile(0.5) - 0.674_489_750_196_081_7).abs() < 1e-15);
        for level in [1e-9, 0.01, 0.3, 0.9, 0.999_999] {
            let outside = two_sided_p_value(quantile(level));
            assert!((outside - (1.0 - level)).abs() < 1e-15, "{level}: {outside}");
        }
    }
}
