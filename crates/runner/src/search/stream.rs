//! Random numbers keyed by what they are for, not by the order in which they are drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The generator of everything that has this name under a seed: one of the 2⁶⁴ streams of `ChaCha8`, found by FNV-1a.
pub(super) fn named(seed: u64, name: &str) -> ChaCha8Rng {
    let stream = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// A number from [0, 1) with 53 random bits.
pub(super) fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
}

/// A whole number below `count`.
pub(super) fn below(random: &mut ChaCha8Rng, count: u64) -> u64 {
    ((u128::from(random.next_u64()) * u128::from(count)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored sweeps are extended by drawing their first trials again: these numbers may never change.
    #[test]
    fn streams_stay_what_they_are() {
        let mut random = named(0, "search/model.C");
        let first: Vec<u64> = (0..2).map(|_| random.next_u64()).collect();
        assert_eq!(first, FIRST);
        assert_ne!(named(0, "search/model.l1_ratio").next_u64(), FIRST[0]);
        assert_ne!(named(1, "search/model.C").next_u64(), FIRST[0]);
    }

    const FIRST: [u64; 2] = [17_825_074_478_145_762_274, 16_135_070_720_411_062_144];
}
