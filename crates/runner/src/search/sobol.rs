//! A scrambled Sobol sequence: settings that fill the space more evenly than independent draws.
//!
//! # Source
//! Sobol' 1967; scrambled as Owen 1995, by the hash of Burley 2020.

use rand_chacha::rand_core::Rng;

use super::random::Random;
use super::sampler::Points;
use super::stream::named;
use crate::config::{MOST_SOBOL, Parameter};

/// A scrambled Sobol sequence.
pub(super) struct Sobol {
    dimensions: u32,
    index: u32,
    seed: u32,
    /// Takes over behind the last point, which only a search that throws points away can reach.
    beyond: Random,
}

impl Sobol {
    /// A dimension per parameter; there are fewer keys than the crate has dimensions.
    pub(super) fn new(parameters: &[Parameter], seed: u64) -> Self {
        let dimensions = parameters.len() as u32;
        assert!(dimensions <= sobol_burley::NUM_DIMENSIONS, "{dimensions} dimensions");
        Self {
            dimensions,
            index: 0,
            seed: named(seed, "search/sobol").next_u32(),
            beyond: Random::new(parameters, seed),
        }
    }
}

impl Points for Sobol {
    fn next(&mut self) -> Vec<f64> {
        if u64::from(self.index) >= MOST_SOBOL {
            return self.beyond.next();
        }
        let coordinate = |dimension| f64::from(sobol_burley::sample(self.index, dimension, self.seed));
        let point = (0..self.dimensions).map(coordinate).collect();
        self.index += 1;
        point
    }
}
