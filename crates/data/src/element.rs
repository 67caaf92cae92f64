//! The two number types rows are stored in.

use multiversion::multiversion;

/// A stored number: `f32` or `f64`.
pub trait Element: ndarray::NdFloat + bytemuck::Pod {
    /// Rounds `v` to this type.
    fn from_f64(v: f64) -> Self;
    /// The exact value as `f64`.
    fn to_f64(self) -> f64;
    /// `(value - center)·factor` of each, in `f64`, then rounded to this type.
    fn store_singles(values: &[f32], center: f64, factor: f64, out: &mut [Self]);
}

impl Element for f32 {
    #[inline]
    fn from_f64(v: f64) -> Self {
        v as Self
    }

    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn store_singles(values: &[f32], center: f64, factor: f64, out: &mut [Self]) {
        single_from_singles(values, center, factor, out);
    }
}

impl Element for f64 {
    #[inline]
    fn from_f64(v: f64) -> Self {
        v
    }

    #[inline]
    fn to_f64(self) -> f64 {
        self
    }

    fn store_singles(values: &[f32], center: f64, factor: f64, out: &mut [Self]) {
        double_from_singles(values, center, factor, out);
    }
}

macro_rules! from_singles {
    ($name:ident, $type:ty) => {
        #[multiversion(targets("x86_64+avx512f+avx512vl+avx2", "x86_64+avx2", "aarch64+neon"))]
        fn $name(values: &[f32], center: f64, factor: f64, out: &mut [$type]) {
            for (out, value) in out.iter_mut().zip(values) {
                *out = ((f64::from(*value) - center) * factor) as $type;
            }
        }
    };
}
from_singles!(single_from_singles, f32);
from_singles!(double_from_singles, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f32_rounds_once_and_comes_back_exactly() {
        let x = f32::from_f64(0.1);
        assert!((x - 0.1_f32).abs() == 0.0);
        assert!((x.to_f64() - f64::from(0.1_f32)).abs() == 0.0);
    }
}
