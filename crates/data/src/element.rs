//! The two number types rows are stored in.

/// A stored number: `f32` or `f64`.
pub trait Element: ndarray::NdFloat {
    /// Rounds `v` to this type.
    fn from_f64(v: f64) -> Self;
    /// The exact value as `f64`.
    fn to_f64(self) -> f64;
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
}

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
