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
        /// The number of trials in all; needed by all methods but grid.
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
        Random "random" later;
        /// A scrambled Sobol sequence.
        Sobol "sobol" later;
        /// A scrambled Halton sequence.
        Halton "halton" later;
        /// Tree-structured Parzen estimators.
        Tpe "tpe" later;
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
}

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
        /// How many.
        num: u32,
        /// Equal ratios instead of equal differences.
        log: bool,
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
        /// How often each of the values is drawn.
        probabilities "probabilities": Option<Vec<f64>> =
            Spec::of(Kind::List(&Kind::Number(Bounds::UNIT), 1), "[0.7, 0.3]").later();
        /// The first value of a range.
        min "min": Option<Value> = Spec::of(Kind::Any, "1e-3");
        /// The last value of a range.
        max "max": Option<Value> = Spec::of(Kind::Any, "1e3");
        /// How many values of a range a grid takes. Default with `auto`: 64.
        num "num": Option<u64> = Spec::of(Kind::Integer(1, u32::MAX as i64), "8");
        /// Equal ratios instead of equal differences.
        log "log": bool = Spec::of(Kind::Bool, "true").default("false");
        /// Rounds drawn values.
        step "step": Option<Value> = Spec::of(Kind::Any, "256").later();
        /// Takes the range of `model.C` from the data: the first value holds every weight at 0.
        auto "auto": Option<bool> = Spec::of(Kind::Bool, "true");
        /// The smallest value over the greatest, with `auto`. Default: 1e-4.
        ratio "ratio": Option<f64> = Spec::of(Kind::Number(Bounds::new(1e-12, 1.0, true, false)), "1e-3");
        /// Only trials that match have this parameter.
        when "when": Option<Value> = Spec::of(Kind::Any, "{ \"train.solver\" = [\"sgd\"] }").later();
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
                let domain = match value {
                    Value::List(values) => Domain::Values(values.clone()),
                    table => match table.get("values") {
                        Some(values) => Domain::Values(Vec::read(values)?),
                        None if table.get("auto").is_some() => Domain::Auto {
                            num: u32::read(table.get("num")?)?,
                            ratio: f64::read(table.get("ratio")?)?,
                        },
                        None => Domain::Range {
                            min: number(table.get("min")?)?,
                            max: number(table.get("max")?)?,
                            num: u32::read(table.get("num")?)?,
                            log: bool::read(table.get("log")?)?,
                        },
                    },
                };
                Some(Parameter {
                    path: sweepable(path)?.0,
                    domain,
                })
            })
            .collect()
    }

    fn write(&self) -> Value {
        Value::Table(
            self.iter()
                .map(|parameter| (parameter.path.to_owned(), parameter.domain.write(parameter.path)))
                .collect(),
        )
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
            Self::Range { min, max, num, log } => {
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
                    ("num".into(), Value::Int(i64::from(*num))),
                    ("log".into(), Value::Bool(*log)),
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

impl SweepConfig {
    /// At most this many trials, before duplicates and excluded ones are dropped.
    pub(crate) fn most_trials(&self) -> u64 {
        let grid = self.parameters.iter().fold(1_u64, |product, parameter| {
            product.saturating_mul(parameter.most_values())
        });
        grid.saturating_add(self.points.len() as u64)
    }
}
