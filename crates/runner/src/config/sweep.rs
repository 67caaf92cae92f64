//! `[sweep]`: which trials there are, and how they are ranked.

use super::key::{Bounds, Key, Kind, Setting, Spec, choices, settings};
use super::metrics::Metric;
use super::setting::optional;
use super::table::sweepable;
use super::value::Value;

settings! {
    /// Which trials there are, and how they are ranked.
    pub SweepConfig {
        /// How trials are chosen.
        method "method": Method = Spec::of(Kind::Choice(Method::CHOICES), "\"random\"").default("\"grid\"");
        /// The number of trials in all, points included; needed by all methods but grid. A larger number extends a sweep:
        /// its first trials stay the same.
        trials "trials": Option<u64> = Spec::of(Kind::Integer(1, i64::MAX), "64").unit("trials");
        /// The validation score that ranks trials; its direction follows from the name.
        metric "metric": Metric = Spec::of(Kind::Choice(Metric::CHOICES), "\"roc_auc\"").default("\"log_loss\"");
        /// Stops the sweep when a trial reaches this score.
        target "target": Option<f64> = Spec::of(Kind::Number(Bounds::FINITE), "0.30");
        /// Which trial is selected.
        select "select": Select = Spec::of(Kind::Choice(Select::CHOICES), "\"1se\"").default("\"best\"");
        /// Keeps the best share of the trials, rung by rung; absent = off.
        halving "halving": Option<Halving> = Spec::of(Kind::Fields(Halving::KEYS), "{ factor = 3 }");
        /// Several brackets of halving; absent = off.
        hyperband "hyperband": Option<Halving> = Spec::of(Kind::Fields(Halving::KEYS), "{ factor = 3 }");
        /// What varies: the paths of keys, each with a list of values or a range.
        parameters "parameters": Vec<Parameter> = Spec::of(Kind::Parameters, "{ model.C = [0.1, 1.0] }").default("{}");
        /// Trials that are tried first, whatever the method.
        points "points": Vec<Assignment> = Spec::of(Kind::Assignments, "[{ model.C = 1.0 }]").default("[]");
        /// Trials that match every key of one of these are dropped before they run.
        exclude "exclude": Vec<Assignment> = Spec::of(Kind::Assignments, "[{ model.C = 1.0 }]").default("[]");
    }
}

settings! {
    /// Drops the weaker trials on the way.
    pub Halving {
        /// One in this many trials goes on.
        factor "factor": u32 = Spec::of(Kind::Integer(2, 1000), "4").default("3");
        /// Epochs before the first comparison.
        min_epochs "min_epochs": u32 = Spec::of(Kind::Integer(1, u32::MAX as i64), "4").default("1").unit("epochs");
    }
}
optional!(Halving);

choices! {
    /// How trials are chosen.
    pub Method {
        /// Every combination of the values.
        Grid "grid";
        /// At random.
        Random "random";
        /// A scrambled Sobol sequence.
        Sobol "sobol";
        /// A scrambled Halton sequence.
        Halton "halton";
        /// By the scores of the trials before, 16 to 64 trials at a time (tree-structured Parzen estimators).
        Tpe "tpe";
    }
}

choices! {
    /// Which trial is selected.
    pub Select {
        /// The best mean score.
        Best "best";
        /// The smallest C within one standard error of the best, then the larger `l1_ratio`.
        OneSe "1se";
    }
}

/// One key that varies.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The path of the key it overrides.
    pub path: &'static str,
    /// Its values.
    pub domain: Domain,
    /// How often each of the listed values is drawn, adding up to 1; empty = equally often.
    pub probabilities: Vec<f64>,
    /// Only trials that match all of these have it.
    pub when: Vec<Condition>,
}

/// The path of another parameter and those of its values that a trial may have.
pub type Condition = (&'static str, Vec<Value>);

/// The values of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// These, of the key's type and without duplicates.
    Values(Vec<Value>),
    /// A range with both ends included.
    Range {
        /// The first value.
        min: f64,
        /// The last value.
        max: f64,
        /// How many; `None` = all that lie between, which no grid can take.
        num: Option<u32>,
        /// Equal ratios instead of equal differences.
        log: bool,
        /// Only the values that are `min` plus a multiple of it.
        step: Option<f64>,
    },
    /// A log range that the data decide, of `model.C` alone; see [`Config::with_c_path`](super::Config::with_c_path).
    Auto {
        /// How many.
        num: u32,
        /// The first value over the last.
        ratio: f64,
    },
}

/// Paths of keys, each with a value.
pub type Assignment = Vec<(&'static str, Value)>;

/// The keys of a parameter that is written as a table.
pub(super) const DOMAIN_KEYS: &[Key] = DomainFields::KEYS;

settings! {
    /// A parameter that is written as a table.
    pub(super) DomainFields {
        /// The values.
        values "values": Option<Value> = Spec::of(Kind::Any, "[0.1, 1.0]");
        /// How often each of the values is drawn; they add up to 1.
        probabilities "probabilities": Option<Vec<f64>> =
            Spec::of(Kind::List(&Kind::Number(Bounds::UNIT), 1), "[0.7, 0.3]");
        /// The first value of a range.
        min "min": Option<Value> = Spec::of(Kind::Any, "1e-3");
        /// The last value of a range.
        max "max": Option<Value> = Spec::of(Kind::Any, "1e3");
        /// How many values a range has, both ends included: a grid takes them all, other methods draw from them (without it,
        /// from all that lie between). Default with `auto`: 64.
        num "num": Option<u64> = Spec::of(Kind::Integer(1, u32::MAX as i64), "8");
        /// Equal ratios instead of equal differences.
        log "log": bool = Spec::of(Kind::Bool, "true").default("false");
        /// Keeps to `min` plus multiples of this.
        step "step": Option<Value> = Spec::of(Kind::Any, "256");
        /// Takes the range of `model.C` from the data: the first value holds every weight at 0.
        auto "auto": Option<bool> = Spec::of(Kind::Bool, "true");
        /// The smallest value over the greatest, with `auto`. Default: 1e-4.
        ratio "ratio": Option<f64> = Spec::of(Kind::Number(Bounds::new(1e-12, 1.0, true, false)), "1e-3");
        /// Only trials in which the named parameters have one of these values have this one; in the others it is null.
        when "when": Option<Value> = Spec::of(Kind::Any, "{ \"train.solver\" = [\"sgd\"] }");
    }
}
optional!(bool Vec<f64> Value);

impl Setting for Value {
    fn read(value: &Value) -> Option<Self> {
        Some(value.clone())
    }

    fn write(&self) -> Value {
        self.clone()
    }
}

impl Setting for Vec<Parameter> {
    fn read(value: &Value) -> Option<Self> {
        let Value::Table(entries) = value else {
            return None;
        };
        entries
            .iter()
            .map(|(path, value)| {
                Some(Parameter {
                    path: sweepable(path)?.0,
                    domain: Domain::read(value)?,
                    probabilities: value.get("probabilities").map_or(Some(Vec::new()), Vec::read)?,
                    when: value.get("when").map_or(Some(Vec::new()), conditions)?,
                })
            })
            .collect()
    }

    fn write(&self) -> Value {
        Value::Table(
            self.iter()
                .map(|parameter| (parameter.path.to_owned(), parameter.write()))
                .collect(),
        )
    }
}

fn conditions(value: &Value) -> Option<Vec<Condition>> {
    let Value::Table(entries) = value else {
        return None;
    };
    let condition = |(path, values): &(String, Value)| Some((sweepable(path)?.0, Vec::read(values)?));
    entries.iter().map(condition).collect()
}

impl Parameter {
    /// As `[sweep.parameters]` writes it.
    fn write(&self) -> Value {
        let mut more = Vec::new();
        if !self.probabilities.is_empty() {
            more.push(("probabilities".to_owned(), self.probabilities.write()));
        }
        if !self.when.is_empty() {
            let conditions = self.when.iter();
            let conditions = conditions.map(|(path, values)| ((*path).to_owned(), Value::List(values.clone())));
            more.push(("when".to_owned(), Value::Table(conditions.collect())));
        }
        match self.domain.write(self.path) {
            domain if more.is_empty() => domain,
            Value::Table(mut entries) => {
                entries.extend(more);
                Value::Table(entries)
            }
            values => {
                more.insert(0, ("values".to_owned(), values));
                Value::Table(more)
            }
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        Value::Int(value) => Some(*value as f64),
        _ => None,
    }
}

impl Domain {
    fn read(value: &Value) -> Option<Self> {
        let table = match value {
            Value::List(values) => return Some(Self::Values(values.clone())),
            table => table,
        };
        if let Some(values) = table.get("values") {
            return Vec::read(values).map(Self::Values);
        }
        if table.get("auto").is_some() {
            return Some(Self::Auto {
                num: u32::read(table.get("num")?)?,
                ratio: f64::read(table.get("ratio")?)?,
            });
        }
        let is_written = |name: &str| table.get(name).is_some_and(|value| *value != Value::Null);
        Some(Self::Range {
            min: number(table.get("min")?)?,
            max: number(table.get("max")?)?,
            num: if is_written("num") {
                Some(u32::read(table.get("num")?)?)
            } else {
                None
            },
            log: bool::read(table.get("log")?)?,
            step: table.get("step").and_then(number),
        })
    }

    /// As `[sweep.parameters]` writes it.
    fn write(&self, path: &str) -> Value {
        let kind = sweepable(path).map(|(_, key)| key.spec.kind);
        match self {
            Self::Values(values) if kind.is_some_and(|kind| kind.is_container()) => {
                Value::Table(vec![("values".into(), Value::List(values.clone()))])
            }
            Self::Values(values) => Value::List(values.clone()),
            Self::Auto { num, ratio } => Value::Table(vec![
                ("auto".into(), Value::Bool(true)),
                ("num".into(), Value::Int(i64::from(*num))),
                ("ratio".into(), Value::Float(*ratio)),
            ]),
            Self::Range {
                min,
                max,
                num,
                log,
                step,
            } => {
                let is_integer = kind.is_some_and(|kind| kind.is_integer());
                let end = |value: f64| {
                    if is_integer {
                        Value::Int(value as i64)
                    } else {
                        Value::Float(value)
                    }
                };
                Value::Table(vec![
                    ("min".into(), end(*min)),
                    ("max".into(), end(*max)),
                    ("num".into(), num.map_or(Value::Null, |num| Value::Int(i64::from(num)))),
                    ("log".into(), Value::Bool(*log)),
                    ("step".into(), step.map_or(Value::Null, end)),
                ])
            }
        }
    }
}

impl Setting for Vec<Assignment> {
    fn read(value: &Value) -> Option<Self> {
        let Value::List(items) = value else {
            return None;
        };
        items
            .iter()
            .map(|item| match item {
                Value::Table(entries) => entries
                    .iter()
                    .map(|(path, value)| Some((sweepable(path)?.0, value.clone())))
                    .collect(),
                _ => None,
            })
            .collect()
    }

    fn write(&self) -> Value {
        Value::List(
            self.iter()
                .map(|assignment| {
                    Value::Table(
                        assignment
                            .iter()
                            .map(|(path, value)| ((*path).to_owned(), value.clone()))
                            .collect(),
                    )
                })
                .collect(),
        )
    }
}

impl Method {
    /// Whether the next trials follow from the scores of those before.
    pub(crate) fn learns(self) -> bool {
        self == Self::Tpe
    }
}

impl SweepConfig {
    /// At most this many trials, before duplicates and excluded ones are dropped.
    pub(crate) fn most_trials(&self) -> u64 {
        if self.method != Method::Grid {
            return self.trials.unwrap_or(0).max(self.points.len() as u64);
        }
        let grid = self.parameters.iter().fold(1_u64, |product, parameter| {
            product.saturating_mul(parameter.most_values())
        });
        grid.saturating_add(self.points.len() as u64)
    }
}
