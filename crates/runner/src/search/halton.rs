//! A scrambled Halton sequence: even coverage for any number of trials.
//!
//! # Source
//! Halton 1960; scrambled by a random permutation for every digit of every base, as Owen 2017.

use super::sampler::Points;
use super::stream::{below, named};

/// A scrambled Halton sequence: dimension `i` counts in the `i`-th prime.
pub(super) struct Halton {
    dimensions: Vec<Dimension>,
    index: u64,
}

struct Dimension {
    base: u64,
    /// For every digit, from the most significant one of the result: what becomes of it.
    permutations: Vec<Vec<u64>>,
}

impl Halton {
    pub(super) fn new(dimensions: usize, seed: u64) -> Self {
        Self::with(dimensions, |dimension, base| {
            let mut random = named(seed, &format!("search/halton/{dimension}"));
            let mut permutation: Vec<u64> = (0..base).collect();
            let mut shuffled = || {
                for i in (1..permutation.len()).rev() {
                    permutation.swap(i, below(&mut random, i as u64 + 1) as usize);
                }
                permutation.clone()
            };
            (0..digits(base)).map(|_| shuffled()).collect()
        })
    }

    fn with(dimensions: usize, permutations: impl Fn(usize, u64) -> Vec<Vec<u64>>) -> Self {
        let dimension = |(i, base)| Dimension {
            base,
            permutations: permutations(i, base),
        };
        Self {
            dimensions: primes().take(dimensions).enumerate().map(dimension).collect(),
            index: 0,
        }
    }
}

impl Points for Halton {
    fn next(&mut self) -> Vec<f64> {
        let index = self.index;
        self.index += 1;
        self.dimensions
            .iter()
            .map(|dimension| dimension.coordinate(index))
            .collect()
    }
}

impl Dimension {
    /// The digits of `index`, the last one first, behind the point. Zeros are digits, too: they are permuted like others.
    fn coordinate(&self, index: u64) -> f64 {
        let (mut rest, mut coordinate, mut place) = (index, 0.0, 1.0);
        for permutation in &self.permutations {
            place /= self.base as f64;
            coordinate += permutation[(rest % self.base) as usize] as f64 * place;
            rest /= self.base;
        }
        // Rounding may reach the end, which is not included.
        coordinate.min(1.0 - f64::EPSILON)
    }
}

/// Digits that a 53-bit number has in a base.
fn digits(base: u64) -> usize {
    (53.0 / (base as f64).log2()).ceil() as usize
}

fn primes() -> impl Iterator<Item = u64> {
    (2_u64..).filter(|n| (2..=n.isqrt()).all(|d| n % d != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_points_are_radical_inverses() {
        let identity = |_: usize, base: u64| vec![(0..base).collect(); digits(base)];
        let mut halton = Halton::with(2, identity);
        let points: Vec<Vec<f64>> = (0..4).map(|_| halton.next()).collect();
        let thirds = 1.0 / 3.0;
        let expected = [[0.0, 0.0], [0.5, thirds], [0.25, 2.0 * thirds], [0.75, thirds / 3.0]];
        for (point, expected) in points.iter().zip(expected) {
            for (a, b) in point.iter().zip(expected) {
                assert!((a - b).abs() < 1e-15, "{a} {b}");
            }
        }
        assert_eq!(primes().take(6).collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13]);
    }

    #[test]
    fn a_base_is_filled_digit_by_digit() {
        let mut halton = Halton::new(3, 5);
        let points: Vec<Vec<f64>> = (0..125).map(|_| halton.next()).collect();
        for (dimension, base) in [2, 3, 5].into_iter().enumerate() {
            for start in [0, 25, 100] {
                let mut cells: Vec<usize> = points[start..start + base]
                    .iter()
                    .map(|point| (point[dimension] * base as f64) as usize)
                    .collect();
                cells.sort_unstable();
                assert_eq!(cells, (0..base).collect::<Vec<_>>());
            }
        }
    }
}
