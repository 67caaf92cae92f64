//! Starting weights, keyed by what they belong to and not by the order in which they are drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Normal, Uniform};

/// How weights start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// All zeros.
    Zeros,
    /// Normal with mean 0 and this standard deviation.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform on ±√(6 / (features + 1)) (Glorot and Bengio 2010, one output).
    Glorot,
}

/// The starting weight of every feature; intercepts start at 0.
///
/// The draw of a feature is keyed by (seed, restart, name), so it is the same for every trial and fold, and adding or
/// dropping a column changes no other feature's start: comparisons stay paired and a sweep can be extended.
pub fn weights<S: AsRef<str>>(start: Start, seed: u64, restart: u32, features: &[S]) -> Vec<f64> {
    let draw = |name: &str| -> f64 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream(restart, name));
        match start {
            Start::Zeros => 0.0,
            Start::Normal { std } => Normal::new(0.0, std).map_or(0.0, |normal| normal.sample(&mut random)),
            Start::Glorot => {
                let bound = (6.0 / (features.len() + 1) as f64).sqrt();
                Uniform::new_inclusive(-bound, bound).map_or(0.0, |uniform| uniform.sample(&mut random))
            }
        }
    };
    features.iter().map(|name| draw(name.as_ref())).collect()
}

/// FNV-1a over restart and name: which of the generator's 2⁶⁴ streams a feature draws from.
fn stream(restart: u32, name: &str) -> u64 {
    restart
        .to_le_bytes()
        .iter()
        .chain(name.as_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_belong_to_names_not_to_positions() {
        let start = Start::Normal { std: 0.5 };
        let all = weights(start, 7, 1, &["age", "income", "city=Oslo"]);
        let some = weights(start, 7, 1, &["city=Oslo", "age"]);
        assert_eq!(some, vec![all[2], all[0]]);
        assert_ne!(weights(start, 7, 2, &["age"])[0], all[0]);
        assert_ne!(weights(start, 8, 1, &["age"])[0], all[0]);
    }

    #[test]
    fn golden_starts_do_not_drift_between_releases() {
        let drawn = weights(Start::Normal { std: 1.0 }, 0, 0, &["x"]);
        assert!((drawn[0] - GOLDEN_NORMAL).abs() < 1e-15, "{:?}", drawn[0]);
        let drawn = weights(Start::Glorot, 0, 0, &["x"]);
        assert!((drawn[0] - GOLDEN_GLOROT).abs() < 1e-15, "{:?}", drawn[0]);
    }

    const GOLDEN_NORMAL: f64 = 0.739_176_684_324_132_5;
    const GOLDEN_GLOROT: f64 = 0.733_041_043_835_846_6;

    #[test]
    fn moments_are_those_of_the_distribution() {
        let names: Vec<String> = (0..4000).map(|i| format!("f{i}")).collect();
        let drawn = weights(Start::Normal { std: 2.0 }, 3, 0, &names);
        let mean = drawn.iter().sum::<f64>() / 4000.0;
        let variance = drawn.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / 4000.0;
        assert!(mean.abs() < 0.12 && (variance - 4.0).abs() < 0.35, "{mean} {variance}");
        let bound = (6.0f64 / 4001.0).sqrt();
        assert!(weights(Start::Glorot, 3, 0, &names).iter().all(|w| w.abs() <= bound));
    }
}
