//! The only file that talks to BLAS: products, the thread policy, the core's name, the call counter and the probe.
//!
//! Every product of the fused pass goes through [`forward`] and [`backward`], so that [`products`] counts what a pass
//! really did. They are `ndarray` products with its `blas` feature, which reach `cblas_sgemm`/`cblas_dgemm` (`gemv` for a
//! single column).
#![expect(
    unsafe_code,
    reason = "OpenBLAS has no Rust bindings for its thread count and core name"
)]

use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicU64, Ordering};

// Linked for its symbols: the build script of openblas-src finds the system's library.
use openblas_src as _;

use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use crate::Real;

unsafe extern "C" {
    fn openblas_get_corename() -> *const c_char;
    fn openblas_set_num_threads(threads: c_int);
    fn openblas_get_config() -> *const c_char;
}

static PRODUCTS: AtomicU64 = AtomicU64::new(0);

/// How many matrix products this process has asked of BLAS through this module.
pub fn products() -> u64 {
    PRODUCTS.load(Ordering::Relaxed)
}

/// The name of the kernels OpenBLAS chose for this processor, such as `SkylakeX`.
pub fn core_name() -> String {
    // SAFETY: OpenBLAS returns a pointer to a static, NUL-terminated string.
    let text = unsafe { CStr::from_ptr(openblas_get_corename()) };
    text.to_string_lossy().into_owned()
}

/// OpenBLAS's own description of its build: version, threading, core.
pub fn build_description() -> String {
    // SAFETY: OpenBLAS returns a pointer to a static, NUL-terminated string.
    let text = unsafe { CStr::from_ptr(openblas_get_config()) };
    text.to_string_lossy().into_owned()
}

/// One thread inside BLAS: the parallelism is ours, over blocks of columns and segments of rows, so that a result's bits
/// never depend on the number of threads (1 v 2 BLAS threads changes most elements of a product).
pub fn use_one_thread_per_product() {
    // SAFETY: sets a number inside OpenBLAS; callable at any time.
    unsafe { openblas_set_num_threads(1) }
}

/// The kernels this processor could run, where the library chose older ones.
///
/// A library older than the processor does not know its model number and falls back to kernels of 2004 (`Prescott`),
/// six times slower than those it carries for the same instruction set. The name returned is a value for the variable
/// `OPENBLAS_CORETYPE`, which the library reads once, when it is loaded.
pub fn better_core() -> Option<&'static str> {
    better_core_than(&core_name())
}

#[cfg(target_arch = "x86_64")]
fn better_core_than(chosen: &str) -> Option<&'static str> {
    const BEFORE_AVX2: [&str; 19] = [
        "Katmai",
        "Coppermine",
        "Northwood",
        "Prescott",
        "Banias",
        "Core2",
        "Penryn",
        "Dunnington",
        "Atom",
        "Nehalem",
        "Athlon",
        "Opteron",
        "Opteron_SSE3",
        "Barcelona",
        "Bobcat",
        "Nano",
        "Sandybridge",
        "Bulldozer",
        "Generic",
    ];
    let named = |list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(chosen));
    let has_avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512cd");
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    if has_avx512 && named(&BEFORE_AVX2) {
        Some("SkylakeX")
    } else if has_avx2 && named(&BEFORE_AVX2) {
        Some("Haswell")
    } else {
        None
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn better_core_than(_chosen: &str) -> Option<&'static str> {
    None
}

/// Forward product of one tile: `Z = X·W`.
///
/// # Shapes
/// `x` (m, d) · `w` (d, k) → `z` (m, k), all row-major.
///
/// # Panics
/// If the shapes do not fit together.
#[inline]
pub fn forward<T: Real>(x: &ArrayView2<'_, T>, w: &ArrayView2<'_, T>, z: &mut ArrayViewMut2<'_, T>) {
    PRODUCTS.fetch_add(1, Ordering::Relaxed);
    if w.ncols() == 1 {
        let w = w.index_axis(Axis(1), 0);
        let mut z = z.index_axis_mut(Axis(1), 0);
        general_mat_vec_mul(T::one(), x, &w, T::zero(), &mut z);
    } else {
        general_mat_mul(T::one(), x, w, T::zero(), z);
    }
}

/// Backward product of one tile: `G = Xᵀ·dZ`, or `G += Xᵀ·dZ` when `accumulate`.
///
/// # Shapes
/// `x` (m, d) transposed · `dz` (m, k) → `g` (d, k), all row-major.
///
/// # Panics
/// If the shapes do not fit together.
#[inline]
pub fn backward<T: Real>(
    x: &ArrayView2<'_, T>,
    dz: &ArrayView2<'_, T>,
    accumulate: bool,
    g: &mut ArrayViewMut2<'_, T>,
) {
    PRODUCTS.fetch_add(1, Ordering::Relaxed);
    let beta = if accumulate { T::one() } else { T::zero() };
    if dz.ncols() == 1 {
        let dz = dz.index_axis(Axis(1), 0);
        let mut g = g.index_axis_mut(Axis(1), 0);
        general_mat_vec_mul(T::one(), &x.t(), &dz, beta, &mut g);
    } else {
        general_mat_mul(T::one(), &x.t(), dz, beta, g);
    }
}

/// Multiplies from several threads at once and compares with the same products made one after the other.
///
/// A serial OpenBLAS built without locking gives wrong numbers under threads; nothing else would notice. Takes about a
/// millisecond.
///
/// # Returns
/// How many of the products came out wrong: 0 on a sound library.
pub fn probe_threads() -> usize {
    const ROUNDS: usize = 32;
    let (m, d, k) = (96, 24, 32);
    let operand = |seed: usize, rows: usize, columns: usize| {
        ndarray::Array2::from_shape_fn((rows, columns), |(i, j)| {
            ((i * 31 + j * 17 + seed * 7) % 23) as f32 - 11.0
        })
    };
    let product = |seed: usize| {
        let (x, w) = (operand(seed, m, d), operand(seed + 1, d, k));
        let mut z = ndarray::Array2::zeros((m, k));
        general_mat_mul(1.0f32, &x, &w, 0.0, &mut z);
        z
    };
    let expected: Vec<_> = (0..ROUNDS).map(product).collect();
    (0..ROUNDS)
        .into_par_iter()
        .filter(|&round| product(round) != expected[round])
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn products_are_right_for_one_column_and_for_many() {
        let x = array![[1.0f64, 2.0], [3.0, 4.0], [5.0, 6.0]];
        for k in [1, 2, 17] {
            let w = ndarray::Array2::from_shape_fn((2, k), |(i, j)| (i + 2 * j) as f64 - 1.5);
            let mut z = ndarray::Array2::zeros((3, k));
            forward(&x.view(), &w.view(), &mut z.view_mut());
            assert_eq!(z, x.dot(&w));
            let mut g = ndarray::Array2::from_elem((2, k), 1.0);
            backward(&x.view(), &z.view(), true, &mut g.view_mut());
            assert_eq!(g, x.t().dot(&z) + 1.0);
        }
    }

    #[test]
    fn the_linked_library_is_sound_under_threads() {
        assert_eq!(probe_threads(), 0);
    }

    #[test]
    fn modern_kernels_are_left_alone() {
        assert_eq!(better_core_than("SkylakeX"), None);
        assert_eq!(better_core_than("Cooperlake"), None);
        assert!(!core_name().is_empty());
        assert!(build_description().contains("OpenBLAS"));
    }
}
