//! The two element types of the kernels, `f32` and `f64`, behind one trait.

use ndarray::NdFloat;

use crate::elementwise::Kernels;

/// An element type the fused pass can run in: `f32` or `f64`.
///
/// Sums over more than a few thousand rows are never kept in `Self`; they are `f64` everywhere.
pub trait Real: NdFloat + Kernels + std::iter::Sum {
    /// The type's name as the config writes it: `f32` or `f64`.
    const NAME: &'static str;

    /// The nearest value to `value`.
    fn from_f64(value: f64) -> Self;

    /// The same value in `f64`.
    fn as_f64(self) -> f64;
}

macro_rules! real {
    ($type:ident) => {
        impl Real for $type {
            const NAME: &'static str = stringify!($type);

            #[inline]
            fn from_f64(value: f64) -> Self {
                value as $type
            }

            #[inline]
            fn as_f64(self) -> f64 {
                f64::from(self)
            }
        }
    };
}

real!(f32);
real!(f64);
