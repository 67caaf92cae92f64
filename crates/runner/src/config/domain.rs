//! From a parameter to its values.

use super::config::Config;
use super::key::Setting;
use super::model::ClassWeight;
use super::sweep::{Domain, Parameter};
use super::table::sweepable;
use super::value::Value;

/// Values of a parameter that the rules look at one by one; of more, the ends speak for all.
const MOST_LISTED: u64 = 10_000;

impl Parameter {
    /// Its values in order; none of a range that the data decide, before they have; of a range without `num` or `step`, its
    /// ends. A range includes both ends exactly; of a key that takes integers the values are rounded, and each is taken
    /// once.
    pub fn values(&self) -> Vec<Value> {
        let range = match &self.domain {
            Domain::Values(values) => return values.clone(),
            Domain::Auto { .. } => return Vec::new(),
            range @ Domain::Range { .. } => range,
        };
        let mut values: Vec<Value> = Vec::new();
        for i in 0..range.len().unwrap_or(2) {
            let value = self.typed(range.number(i));
            // The numbers never fall, so that equal ones are neighbors.
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
        values
    }

    /// Values that stand for all of them: those of a long range are its ends.
    pub(super) fn possible(&self) -> Vec<Value> {
        match self.domain {
            Domain::Range { min, max, .. } if self.most_values() > MOST_LISTED => {
                vec![self.typed(min), self.typed(max)]
            }
            _ => self.values(),
        }
    }

    /// The value at a place between 0 (included) and 1. Places that are spread evenly give values that are spread as the
    /// parameter says: by its probabilities, evenly, or evenly in the logarithm.
    pub(crate) fn at(&self, place: f64) -> Value {
        let pick = |count: u64| ((place * count as f64) as u64).min(count.saturating_sub(1));
        match &self.domain {
            Domain::Values(values) if self.probabilities.is_empty() => {
                values[pick(values.len() as u64) as usize].clone()
            }
            Domain::Values(values) => {
                let mut sum = 0.0;
                let ends = self.probabilities.iter().map(|probability| {
                    sum += probability;
                    sum
                });
                let index = ends.into_iter().position(|end| place < end);
                // Rounding may leave the sum below 1; a value that is never drawn stays so.
                let last = self.probabilities.iter().rposition(|probability| *probability > 0.0);
                values[index.or(last).unwrap_or(0)].clone()
            }
            Domain::Auto { .. } => Value::Null,
            range @ Domain::Range { num: Some(num), .. } => self.typed(range.number(pick(u64::from(*num)))),
            Domain::Range { min, max, log, .. } => match (self.lattice(), log) {
                (Some(lattice), false) => self.typed(lattice.number(pick(lattice.count))),
                (Some(lattice), true) => self.typed(lattice.nearest(lattice.in_logarithm(place))),
                (None, false) => self.typed(rounded(min + place * (max - min)).clamp(*min, *max)),
                (None, true) => self.typed(rounded(min * (max / min).powf(place)).clamp(*min, *max)),
            },
        }
    }

    /// At most this many values, without making them.
    pub(crate) fn most_values(&self) -> u64 {
        match &self.domain {
            Domain::Values(values) => values.len() as u64,
            Domain::Auto { num, .. } | Domain::Range { num: Some(num), .. } => u64::from(*num),
            Domain::Range { .. } => self.lattice().map_or(u64::MAX, |lattice| lattice.count),
        }
    }

    fn is_integer(&self) -> bool {
        sweepable(self.path).is_some_and(|(_, key)| key.spec.kind.is_integer())
    }

    fn typed(&self, number: f64) -> Value {
        if self.is_integer() {
            Value::Int(number.round() as i64)
        } else {
            Value::Float(number)
        }
    }

    /// The numbers of a range that keeps to steps; integers do without being told to.
    pub(super) fn lattice(&self) -> Option<Lattice> {
        match &self.domain {
            Domain::Range { min, max, step, .. } => {
                let step = step.or_else(|| self.is_integer().then_some(1.0))?;
                Some(Lattice::new(*min, *max, step))
            }
            _ => None,
        }
    }
}

impl Domain {
    /// How many numbers a range lists; `None` where nothing says so.
    fn len(&self) -> Option<u64> {
        match self {
            Self::Range { num: Some(num), .. } => Some(u64::from(*num)),
            Self::Range {
                min,
                max,
                step: Some(step),
                ..
            } => Some(Lattice::new(*min, *max, *step).count),
            _ => None,
        }
    }

    /// The `i`-th number of a range; of one that lists none, `min` is the first and `max` the second.
    fn number(&self, i: u64) -> f64 {
        let Self::Range {
            min,
            max,
            num,
            log,
            step,
        } = *self
        else {
            return f64::NAN;
        };
        match (num, step.map(|step| Lattice::new(min, max, step))) {
            (Some(num), None) => point(min, max, num, log, i as u32),
            (Some(num), Some(lattice)) => lattice.nearest(point(min, max, num, log, i as u32)),
            (None, Some(lattice)) => lattice.number(i),
            (None, None) => point(min, max, 2, log, i as u32),
        }
    }
}

/// `min` plus the multiples of `step` that do not exceed the range.
pub(super) struct Lattice {
    min: f64,
    step: f64,
    pub(super) count: u64,
}

impl Lattice {
    fn new(min: f64, max: f64, step: f64) -> Self {
        // 0.1 fits three times between 0.0 and 0.3, whatever the division's last bit says.
        let count = ((max - min) / step * (1.0 + 4.0 * f64::EPSILON)) as u64 + 1;
        Self { min, step, count }
    }

    /// The number at `index`, without the last digits' rounding: 0.3 instead of 0.30000000000000004.
    fn number(&self, index: u64) -> f64 {
        let number = self.min + index as f64 * self.step;
        format!("{number:.14e}").parse().unwrap_or(number)
    }

    fn nearest(&self, number: f64) -> f64 {
        self.number(self.index(number))
    }

    /// The index of the nearest number.
    pub(super) fn index(&self, number: f64) -> u64 {
        let index = ((number - self.min) / self.step).round().max(0.0) as u64;
        index.min(self.count - 1)
    }

    /// A number spread evenly in the logarithm, half a step beyond both ends, so that the ends get their share of what is
    /// rounded to them.
    fn in_logarithm(&self, place: f64) -> f64 {
        let (low, high) = self.span();
        low * (high / low).powf(place)
    }

    /// From where to where places are spread in the logarithm.
    pub(super) fn span(&self) -> (f64, f64) {
        let low = (self.min - self.step / 2.0).max(self.min / 2.0);
        (low, self.number(self.count - 1) + self.step / 2.0)
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

    /// The value of a sweepable key in trials that do not vary it.
    pub(crate) fn base_value(&self, path: &str) -> Option<Value> {
        match path.split_once('.')? {
            ("model", name) => self.model.value_within(name),
            ("train", name) => self.train.value_within(name),
            ("preprocess", name) => self.preprocess.value_within(name),
            _ => None,
        }
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

    fn parameter(
        path: &'static str,
        min: f64,
        max: f64,
        (num, log, step): (Option<u32>, bool, Option<f64>),
    ) -> Parameter {
        Parameter {
            path,
            domain: Domain::Range {
                min,
                max,
                num,
                log,
                step,
            },
            probabilities: Vec::new(),
            when: Vec::new(),
        }
    }

    fn range(path: &'static str, min: f64, max: f64, num: u32, log: bool) -> Vec<Value> {
        parameter(path, min, max, (Some(num), log, None)).values()
    }

    #[test]
    fn steps_are_listed_and_never_exceed_the_range() {
        let tenths = parameter("model.l1_ratio", 0.0, 0.3, (None, false, Some(0.1)));
        assert_eq!(tenths.values(), [0.0, 0.1, 0.2, 0.3].map(Value::Float));
        assert_eq!(tenths.most_values(), 4);
        let rows = parameter("train.batch_rows", 256.0, 1100.0, (None, false, Some(256.0)));
        assert_eq!(rows.values(), [256, 512, 768, 1024].map(Value::Int));
        let both = parameter("train.batch_rows", 256.0, 8192.0, (Some(4), true, Some(256.0)));
        assert_eq!(both.values(), [256, 768, 2560, 8192].map(Value::Int));
    }

    #[test]
    fn places_become_values_of_the_range() {
        let rate = parameter("train.learning_rate", 1e-3, 1.0, (None, true, None));
        assert_eq!(rate.at(0.0), Value::Float(1e-3));
        assert_eq!(rate.at(1.0 / 3.0), Value::Float(1e-2));
        assert_eq!(rate.at(1.0 - 1e-12), Value::Float(1.0));
        let epochs = parameter("train.epochs", 1.0, 4.0, (None, false, None));
        let drawn: Vec<Value> = [0.0, 0.24, 0.25, 0.5, 0.99]
            .iter()
            .map(|place| epochs.at(*place))
            .collect();
        assert_eq!(drawn, [1, 1, 2, 3, 4].map(Value::Int));
        let listed = parameter("model.C", 1.0, 100.0, (Some(3), true, None));
        assert_eq!(
            (listed.at(0.3), listed.at(0.7)),
            (Value::Float(1.0), Value::Float(100.0))
        );
        assert_eq!(
            epochs.possible().len(),
            2,
            "the ends stand for a range that lists nothing"
        );
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
