//! From a parameter to its values.

use super::config::Config;
use super::key::Setting;
use super::model::ClassWeight;
use super::sweep::{Domain, Parameter};
use super::table::sweepable;
use super::value::Value;

impl Parameter {
    /// Its values in order; none of a range that the data decide, before they have. A range includes both ends exactly; of a key that takes integers the values are rounded, and
    /// each is taken once.
    pub fn values(&self) -> Vec<Value> {
        let (min, max, num, is_log) = match &self.domain {
            Domain::Values(values) => return values.clone(),
            Domain::Auto { .. } => return Vec::new(),
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
            Domain::Range { num, .. } | Domain::Auto { num, .. } => u64::from(*num),
        }
    }
}

/// The key that may be automatic.
const C: &str = "model.C";

impl Config {
    /// The config with the values of an automatic `model.C`, ascending from `smallest` by equal ratios, written with six
    /// digits; the first is rounded down, so that it is no weaker a penalty. Without an automatic C, the same config.
    #[must_use]
    pub fn with_c_path(&self, smallest: f64) -> Self {
        let mut config = self.clone();
        for parameter in &mut config.sweep.parameters {
            if let Domain::Auto { num, ratio } = parameter.domain {
                let mut values = vec![Value::Float(rounded_down(smallest))];
                let others = (1..num).map(|i| rounded(point(smallest, smallest / ratio, num, true, i)));
                values.extend(others.map(Value::Float));
                // Values that six digits do not tell apart are one; they never fall.
                values.dedup();
                parameter.domain = Domain::Values(values);
            }
        }
        config
    }

    /// How many values an automatic C has; `None` where there is none, or it has them already.
    pub(crate) fn c_path_len(&self) -> Option<u32> {
        self.sweep
            .parameters
            .iter()
            .find_map(|parameter| match parameter.domain {
                Domain::Auto { num, .. } => Some(num),
                _ => None,
            })
    }

    /// The values of the parameter `model.C`.
    pub(crate) fn c_values(&self) -> Vec<f64> {
        let own = self.sweep.parameters.iter().find(|parameter| parameter.path == C);
        let values = own.map(Parameter::values).unwrap_or_default();
        values.iter().filter_map(f64::read).collect()
    }

    /// Every `l1_ratio` of the sweep.
    pub(crate) fn l1_ratios(&self) -> Vec<f64> {
        self.settings("model.l1_ratio", &self.model.l1_ratio)
    }

    /// Every kind of intercept of the sweep.
    pub(crate) fn intercepts(&self) -> Vec<bool> {
        self.settings("model.fit_intercept", &self.model.fit_intercept)
    }

    /// Every class weight of the sweep.
    pub(crate) fn class_weights(&self) -> Vec<ClassWeight> {
        self.settings("model.class_weight", &self.model.class_weight)
    }

    fn settings<T: Setting>(&self, path: &str, base: &T) -> Vec<T> {
        self.possible(path, base.write()).iter().filter_map(T::read).collect()
    }
}

/// To six significant digits.
fn rounded(value: f64) -> f64 {
    // A number that is written can be read.
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// To six significant digits, not above `value`.
fn rounded_down(value: f64) -> f64 {
    let nearest = rounded(value);
    if nearest <= value {
        return nearest;
    }
    rounded(nearest - 10_f64.powi(value.log10().floor() as i32 - 5))
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
    use crate::config::parse;

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
    fn six_digits_never_round_the_first_value_up() {
        for value in [
            1.0,
            0.123_456_7,
            9.999_999_9e-5,
            1e-5,
            2.0 / 3.0,
            123_456_789.0,
            0.1 + 0.2,
        ] {
            let down = rounded_down(value);
            assert!(down <= value && down > value * (1.0 - 1e-5), "{value} {down}");
            assert!(format!("{down:e}").len() <= "1.23456e-10".len(), "{down:e}");
        }
    }

    #[test]
    fn an_automatic_c_gets_its_values() {
        let text =
            "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[sweep.parameters]\nmodel.C = { auto = true, num = 5 }\n";
        let config = parse(text, "a.toml", "a", &[]).expect("a config");
        assert_eq!((config.c_path_len(), config.c_values()), (Some(5), Vec::new()));
        let with_values = config.with_c_path(0.001_234_567_89);
        assert_eq!(with_values.c_path_len(), None);
        assert_eq!(
            with_values.c_values(),
            [0.001_234_56, 0.012_345_7, 0.123_457, 1.234_57, 12.345_7]
        );
        assert_eq!(with_values.with_c_path(1.0), with_values);
    }

    #[test]
    fn equal_ends_are_one_value() {
        assert_eq!(range("model.C", 2.0, 2.0, 5, true), [Value::Float(2.0)]);
    }
}
