//! Random numbers: `ChaCha8`, keyed by what they are for, so that no use disturbs another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator for one purpose and part of it, as (`deal`, row group).
pub(crate) fn generator(seed: u64, purpose: &str, part: u64) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new_derive_key("gradsweep 2026 data random");
    hasher.update(&seed.to_le_bytes());
    hasher.update(&part.to_le_bytes());
    hasher.update(purpose.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// The seed of a repeat: the first has the user's own.
pub(crate) fn seed_of_repeat(seed: u64, repeat: u32) -> u64 {
    if repeat == 0 {
        return seed;
    }
    generator(seed, "repeat", repeat.into()).next_u64()
}

/// Fisher-Yates. The high word of a 64-bit product is uniform to within `len / 2^64`.
pub(crate) fn shuffle<T>(items: &mut [T], random: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        let product = u128::from(random.next_u64()) * (last as u128 + 1);
        items.swap(last, (product >> 64) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_is_a_permutation_that_depends_on_every_key() {
        let dealt = |seed, purpose, part| {
            let mut items: Vec<u32> = (0..100).collect();
            shuffle(&mut items, &mut generator(seed, purpose, part));
            items
        };
        let first = dealt(1, "deal", 0);
        assert_eq!(first, dealt(1, "deal", 0));
        for other in [dealt(2, "deal", 0), dealt(1, "split", 0), dealt(1, "deal", 1)] {
            assert_ne!(first, other);
        }
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn repeats_have_seeds_of_their_own_after_the_first() {
        assert_eq!(seed_of_repeat(7, 0), 7);
        let seeds = [1, 2, 3].map(|repeat| seed_of_repeat(7, repeat));
        assert!(!seeds.contains(&7) && seeds[0] != seeds[1] && seeds[1] != seeds[2]);
        assert_ne!(seeds[0], seed_of_repeat(8, 1));
    }

    #[test]
    fn the_stream_is_pinned() {
        let mut items: Vec<u32> = (0..8).collect();
        shuffle(&mut items, &mut generator(0, "deal", 0));
        assert_eq!(items, PINNED);
    }

    /// Changing these numbers changes the folds and the row order of every sweep.
    const PINNED: [u32; 8] = [6, 0, 3, 4, 1, 2, 5, 7];
}
