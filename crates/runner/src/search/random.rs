//! Independent draws.

use rand_chacha::ChaCha8Rng;

use super::sampler::Points;
use super::stream::{named, unit};
use crate::config::Parameter;

/// Independent uniform coordinates. Every parameter has a stream of its own, named by its path, so that sweeping one more
/// key changes no draw of the others.
pub(super) struct Random {
    streams: Vec<ChaCha8Rng>,
}

impl Random {
    pub(super) fn new(parameters: &[Parameter], seed: u64) -> Self {
        let stream = |parameter: &Parameter| named(seed, &format!("search/{}", parameter.path));
        Self {
            streams: parameters.iter().map(stream).collect(),
        }
    }
}

impl Points for Random {
    fn next(&mut self) -> Vec<f64> {
        self.streams.iter_mut().map(unit).collect()
    }
}
