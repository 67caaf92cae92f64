//! The seam between a sweep and a method of search: ask for settings, tell their scores.

use crate::config::{Parameter, Value};

/// Settings asked for at a time where the method does not mind.
const COHORT: usize = 64;

/// A method of search.
pub(super) trait Sampler {
    /// The next cohort: the value of every parameter, in their order, for each setting. The method may be asked for more
    /// than become trials. Empty when it has no more.
    fn ask(&mut self) -> Vec<Vec<Value>>;

    /// What became of a trial: the values of its parameters (`Null` where they had no effect) and its score, of which less
    /// is better. Most methods do not listen.
    fn tell(&mut self, _values: &[Value], _score: Option<f64>) {}
}

/// Points of the unit cube, one after the other.
pub(super) trait Points {
    /// The next point: a coordinate from [0, 1) for every parameter.
    fn next(&mut self) -> Vec<f64>;
}

/// A method that places points in the unit cube, one dimension per parameter.
pub(super) struct Cube<P> {
    parameters: Vec<Parameter>,
    points: P,
}

impl<P> Cube<P> {
    pub(super) fn new(parameters: &[Parameter], points: P) -> Self {
        Self {
            parameters: parameters.to_vec(),
            points,
        }
    }
}

impl<P: Points> Sampler for Cube<P> {
    fn ask(&mut self) -> Vec<Vec<Value>> {
        let mut setting = || {
            let point = self.points.next();
            let values = self.parameters.iter().zip(point);
            values.map(|(parameter, place)| parameter.at(place)).collect()
        };
        (0..COHORT).map(|_| setting()).collect()
    }
}
