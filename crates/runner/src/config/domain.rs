//! From a parameter to its values.

use super::sweep::{Domain, Parameter};
use super::table::sweepable;
use super::value::Value;

impl Parameter {
    /// Its values in order. A range includes both ends exactly; of a key that takes integers the values are rounded, and
    /// each is taken once.
    pub fn values(&self) -> Vec<Value> {
        let (min, max, num, is_log) = match &self.domain {
            Domain::Values(values) => return values.clone(),
            Domain::Range { min, max, num, log } => (*min, *max, *num, *log),
        };
        let is_integer = sweepable(self.path).is_some_and(|(_, key)| key.spec.kind.is_integer());
        let mut values: Vec<Value> = Vec::new();
        for i in 0..num {
            let number = point(min, max, num, is_log, i);
            let value = if is_integer {
                Value::Int(number.round() as i64)
            } else {
                Value::Float(number)
            };
            // The numbers never fall, so that equal ones are neighbors.
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
        values
    }

    /// At most this many values, without making them.
    pub(crate) fn most_values(&self) -> u64 {
        match &self.domain {
            Domain::Values(values) => values.len() as u64,
            Domain::Range { num, .. } => u64::from(*num),
        }
    }
}

/// The `i`-th of `num` numbers from `min` to `max`, spaced as `NumPy`'s `linspace` and `logspace` do.
fn point(min: f64, max: f64, num: u32, is_log: bool, i: u32) -> f64 {
    if i == 0 {
        return min;
    }
    if i + 1 == num {
        return max;
    }
    let steps = f64::from(num - 1);
    let between = |from: f64, to: f64| from + f64::from(i) * ((to - from) / steps);
    let number = if is_log {
        10_f64.powf(between(min.log10(), max.log10()))
    } else {
        between(min, max)
    };
    number.clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(path: &'static str, min: f64, max: f64, num: u32, log: bool) -> Vec<Value> {
        Parameter {
            path,
            domain: Domain::Range { min, max, num, log },
        }
        .values()
    }

    #[test]
    fn ends_are_exact() {
        for (min, max, num) in [(1e-4, 1e4, 64), (0.3, 0.7, 7), (1e-3, 1.0, 2), (0.1, 0.1, 1)] {
            for log in [false, true] {
                let values = range("model.C", min, max, num, log);
                assert_eq!(values.len(), num as usize);
                assert_eq!(values.first(), Some(&Value::Float(min)));
                assert_eq!(values.last(), Some(&Value::Float(max)));
            }
        }
    }

    #[test]
    fn decades_are_decades() {
        let values = range("model.C", 1e-3, 1e3, 7, true);
        let expected = [1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3].map(Value::Float);
        assert_eq!(values, expected);
        assert_eq!(
            range("model.l1_ratio", 0.0, 1.0, 3, false),
            [0.0, 0.5, 1.0].map(Value::Float)
        );
    }

    #[test]
    fn integers_are_rounded_and_taken_once() {
        assert_eq!(
            range("train.batch_rows", 1.0, 4.0, 10, false),
            [1, 2, 3, 4].map(Value::Int)
        );
        assert_eq!(
            range("train.batch_rows", 256.0, 8192.0, 6, true),
            [256, 512, 1024, 2048, 4096, 8192].map(Value::Int)
        );
    }

    #[test]
    fn equal_ends_are_one_value() {
        assert_eq!(range("model.C", 2.0, 2.0, 5, true), [Value::Float(2.0)]);
    }
}
