//! Rows of one matrix added to rows of another: what a column of codes is in the place of a product.

use crate::codes::{MIXED, NO_SLOT};

/// Kernels over rows of neighboring numbers. Implemented for `f32` and `f64`.
pub trait RowKernels: Copy {
    /// Adds to every row of `z` the row of `w` that its slot names, and nothing where that is none or is mixed.
    ///
    /// # Shapes
    /// `k` numbers of each row; `z` and `w` come with the distance between two of their rows; `slots` (m).
    fn gather(z: (&mut [Self], usize), w: (&[Self], usize), k: usize, slots: &[u32]);

    /// Adds every row of `z` to the row of `g` that its slot names: the adjoint of [`RowKernels::gather`].
    ///
    /// # Shapes
    /// As [`RowKernels::gather`].
    fn scatter(z: (&[Self], usize), g: (&mut [Self], usize), k: usize, slots: &[u32]);

    /// As [`RowKernels::scatter`], into sums in `f64`.
    fn scatter_sums(z: (&[Self], usize), g: (&mut [f64], usize), k: usize, slots: &[u32]);
}

macro_rules! kernels {
    ($type:ident, $module:ident) => {
        mod $module {
            use super::{MIXED, NO_SLOT};
            use multiversion::multiversion;

            #[multiversion(targets("x86_64+avx512f+avx512vl+avx2", "x86_64+avx2", "aarch64+neon"))]
            pub(super) fn gather(z: (&mut [$type], usize), w: (&[$type], usize), k: usize, slots: &[u32]) {
                for (z, &slot) in z.0.chunks_mut(z.1).zip(slots) {
                    if slot != NO_SLOT && slot != MIXED {
                        for (z, &w) in z[..k].iter_mut().zip(&w.0[slot as usize * w.1..][..k]) {
                            *z += w;
                        }
                    }
                }
            }

            #[multiversion(targets("x86_64+avx512f+avx512vl+avx2", "x86_64+avx2", "aarch64+neon"))]
            pub(super) fn scatter(z: (&[$type], usize), g: (&mut [$type], usize), k: usize, slots: &[u32]) {
                for (z, &slot) in z.0.chunks(z.1).zip(slots) {
                    if slot != NO_SLOT && slot != MIXED {
                        for (g, &z) in g.0[slot as usize * g.1..][..k].iter_mut().zip(&z[..k]) {
                            *g += z;
                        }
                    }
                }
            }

            #[multiversion(targets("x86_64+avx512f+avx512vl+avx2", "x86_64+avx2", "aarch64+neon"))]
            pub(super) fn scatter_sums(z: (&[$type], usize), g: (&mut [f64], usize), k: usize, slots: &[u32]) {
                for (z, &slot) in z.0.chunks(z.1).zip(slots) {
                    if slot != NO_SLOT && slot != MIXED {
                        for (g, &z) in g.0[slot as usize * g.1..][..k].iter_mut().zip(&z[..k]) {
                            *g += f64::from(z);
                        }
                    }
                }
            }
        }

        impl RowKernels for $type {
            fn gather(z: (&mut [Self], usize), w: (&[Self], usize), k: usize, slots: &[u32]) {
                $module::gather(z, w, k, slots);
            }

            fn scatter(z: (&[Self], usize), g: (&mut [Self], usize), k: usize, slots: &[u32]) {
                $module::scatter(z, g, k, slots);
            }

            fn scatter_sums(z: (&[Self], usize), g: (&mut [f64], usize), k: usize, slots: &[u32]) {
                $module::scatter_sums(z, g, k, slots);
            }
        }
    };
}
kernels!(f32, single);
kernels!(f64, double);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_gathered_and_scattered_by_their_slots() {
        let slots = [1, NO_SLOT, 0, MIXED, 1];
        // Of a matrix of three columns the first two.
        let w = [1.0, 2.0, 9.0, 10.0, 20.0, 9.0];
        let mut z = [0.5f32; 10];
        f32::gather((&mut z, 2), (&w, 3), 2, &slots);
        assert_eq!(z, [10.5, 20.5, 0.5, 0.5, 1.5, 2.5, 0.5, 0.5, 10.5, 20.5]);
        let (mut g, mut sums) = ([0.0f32; 4], [0.0; 4]);
        f32::scatter((&z, 2), (&mut g, 2), 2, &slots);
        // The second column alone.
        f32::scatter_sums((&z[1..], 2), (&mut sums[1..], 2), 1, &slots);
        assert_eq!(g, [1.5, 2.5, 21.0, 41.0]);
        assert_eq!(sums, [0.0, 2.5, 0.0, 41.0]);
    }
}
