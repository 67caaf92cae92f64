//! Every combination of the values of all parameters.

use super::sampler::Sampler;
use crate::config::{Parameter, Value};

/// Combinations asked for at a time.
const COHORT: usize = 4096;

/// An odometer over the values of every parameter, the last one varying fastest.
pub(super) struct Grid {
    values: Vec<Vec<Value>>,
    next: Option<Vec<usize>>,
}

impl Grid {
    pub(super) fn new(parameters: &[Parameter]) -> Self {
        let values: Vec<_> = parameters.iter().map(Parameter::values).collect();
        let next = values
            .iter()
            .all(|values| !values.is_empty())
            .then(|| vec![0; values.len()]);
        Self { values, next }
    }
}

impl Sampler for Grid {
    fn ask(&mut self) -> Vec<Vec<Value>> {
        self.take(COHORT).collect()
    }
}

impl Iterator for Grid {
    type Item = Vec<Value>;

    fn next(&mut self) -> Option<Vec<Value>> {
        let at = self.next.take()?;
        let item = self
            .values
            .iter()
            .zip(&at)
            .map(|(values, i)| values[*i].clone())
            .collect();
        let mut following = at;
        for (digit, values) in following.iter_mut().zip(&self.values).rev() {
            *digit += 1;
            if *digit < values.len() {
                self.next = Some(following);
                break;
            }
            *digit = 0;
        }
        Some(item)
    }
}
