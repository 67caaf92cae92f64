//! From a value back to its place: what a search that learns from scores knows of a parameter.

use super::sweep::{Domain, Parameter};
use super::value::Value;

/// Listed numbers from which their order counts; of fewer, each stands for itself.
const FEWEST_ORDERED: usize = 5;

impl Parameter {
    /// A place that [`at`](Self::at) turns into this value, in the middle of those that do; none where it is no value. The
    /// place of a number outside of a range is that of the nearer end.
    pub(crate) fn place(&self, value: &Value) -> Option<f64> {
        let middle = |index: u64, count: u64| (index as f64 + 0.5) / count as f64;
        let (min, max, num, log) = match &self.domain {
            Domain::Auto { .. } => return None,
            Domain::Values(values) => {
                let index = values.iter().position(|own| own == value)?;
                let ends = self.ends();
                let start = index.checked_sub(1).map_or(0.0, |before| ends[before]);
                return Some(f64::midpoint(start, ends[index]));
            }
            Domain::Range { min, max, num, log, .. } => (*min, *max, *num, *log),
        };
        let number = match value {
            Value::Int(number) => *number as f64,
            Value::Float(number) => *number,
            _ => return None,
        };
        let share = |low: f64, high: f64| {
            let share = if log {
                (number / low).ln() / (high / low).ln()
            } else {
                (number - low) / (high - low)
            };
            // A range of one number has no length.
            if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 }
        };
        let place = match (num, self.lattice()) {
            (Some(num), _) => {
                let last = num.saturating_sub(1);
                middle((share(min, max) * f64::from(last)).round() as u64, u64::from(num))
            }
            (None, Some(lattice)) if log => {
                let (low, high) = lattice.span();
                share(low, high)
            }
            (None, Some(lattice)) => middle(lattice.index(number), lattice.count),
            (None, None) => share(min, max),
        };
        Some(place.min(1.0 - f64::EPSILON))
    }

    /// Where the places of each value end, where values stand for themselves; nothing where neighbors are alike, as in a range
    /// or a longer list of numbers that rise.
    pub(crate) fn cells(&self) -> Option<Vec<f64>> {
        let Domain::Values(values) = &self.domain else {
            return None;
        };
        let number = |value: &Value| match value {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        let rises = |pair: &[Value]| number(&pair[0]).zip(number(&pair[1])).is_some_and(|(a, b)| a < b);
        let is_ordered = values.len() >= FEWEST_ORDERED && values.windows(2).all(rises);
        (!is_ordered || !self.probabilities.is_empty()).then(|| self.ends())
    }

    /// Where the places of each listed value end.
    fn ends(&self) -> Vec<f64> {
        let Domain::Values(values) = &self.domain else {
            return Vec::new();
        };
        if self.probabilities.is_empty() {
            return (1..=values.len())
                .map(|index| index as f64 / values.len() as f64)
                .collect();
        }
        let mut sum = 0.0;
        let end = |share: &f64| {
            sum += share;
            sum
        };
        self.probabilities.iter().map(end).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn parameter(path: &str, spec: &str) -> Parameter {
        let text = format!(
            "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nsolver = \"sgd\"\n[sweep]\nmethod = \"tpe\"\ntrials = 9\n\
             [sweep.parameters]\n{path} = {spec}\n"
        );
        let mut config = parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
        config.sweep.parameters.remove(0)
    }

    #[test]
    fn a_value_lies_at_its_place() {
        for (path, spec) in [
            ("model.C", "{ min = 1e-4, max = 1e4, log = true }"),
            ("model.l1_ratio", "{ min = 0.2, max = 0.8 }"),
            ("model.l1_ratio", "{ min = 0.0, max = 1.0, step = 0.1 }"),
            ("model.C", "{ min = 1e-4, max = 1e4, num = 9, log = true }"),
            ("train.batch_rows", "{ min = 32, max = 100 }"),
            ("train.batch_rows", "{ min = 256, max = 8192, log = true, step = 256 }"),
            ("train.batch_rows", "[64, 256, \"full\"]"),
            ("model.C", "[0.1, 1, 10, 100, 1000, inf]"),
            (
                "train.momentum",
                "{ values = [0.0, 0.5, 0.9], probabilities = [0.5, 0.3, 0.2] }",
            ),
        ] {
            let parameter = parameter(path, spec);
            for i in 0..500 {
                let value = parameter.at((f64::from(i) + 0.5) / 500.0);
                let place = parameter.place(&value).expect("a value of its own");
                assert!((0.0..1.0).contains(&place), "{path} {spec}: {value} lies at {place}");
                let again = parameter.at(place);
                let is_close = match (&value, &again) {
                    // Numbers between are written with six digits.
                    (Value::Float(a), Value::Float(b)) => a == b || (a - b).abs() <= 2e-5 * a.abs(),
                    (a, b) => a == b,
                };
                assert!(is_close, "{path} {spec}: {value} lies at {place}, which is {again}");
            }
            assert_eq!(parameter.place(&Value::Null), None);
        }
    }

    #[test]
    fn few_values_and_words_stand_for_themselves() {
        let cells = |path: &str, spec: &str| parameter(path, spec).cells().map(|ends| ends.len());
        assert_eq!(
            cells(
                "train.solver",
                "[\"adam\", \"sgd\", \"rmsprop\", \"adagrad\", \"adamw\"]"
            ),
            Some(5)
        );
        assert_eq!(cells("model.C", "[0.1, 1, 10]"), Some(3));
        assert_eq!(cells("model.C", "[0.1, 1, 10, 100, 1000]"), None);
        assert_eq!(cells("model.C", "[1, 0.1, 10, 100, 1000]"), Some(5));
        assert_eq!(cells("model.C", "{ min = 1e-4, max = 1e4, log = true }"), None);
    }
}
