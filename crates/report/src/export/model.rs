//! A fitted model as what each column adds to the log odds: the one reading of it that all model formats share.

use std::collections::BTreeMap;

use gradsweep_store::{Fate, Model, ModelLevel, OtherRule, Shape};

/// The level of a null.
pub(super) const MISSING: &str = "(missing)";
/// The level of those that have no feature of their own.
pub(super) const OTHER: &str = "(other)";

/// A numeric column: `coefficient · (x − mean) / scale`, with `impute` in place of a missing x.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number<'a> {
    pub(super) name: &'a str,
    pub(super) impute: f64,
    pub(super) mean: f64,
    pub(super) scale: f64,
    pub(super) coefficient: f64,
    /// Added where x is missing.
    pub(super) indicator: Option<f64>,
    /// A missing x is an error.
    pub(super) refuses_null: bool,
}

/// A column of levels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels<'a> {
    pub(super) name: &'a str,
    /// What the texts are, and so what a column of them holds.
    pub(super) texts: Texts,
    /// The names and coefficients of its features.
    pub(super) features: Vec<(&'a str, f64)>,
    /// Every level of the training rows but the null, with its feature; none counts as zeros.
    pub(super) known: Vec<(&'a str, Option<usize>)>,
    /// What a null means.
    pub(super) null: Meaning,
    /// What any other level means.
    pub(super) unseen: Meaning,
}

/// What a cell means that is none of the known levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It has this feature.
    Feature(usize),
    /// It is all zeros.
    Zeros,
    /// It is an error.
    Error,
}

/// What the texts of a column's levels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    Words,
    /// Every one is as a number is written: the column holds numbers.
    Numbers,
    /// `true` and `false`.
    Bools,
}

/// The two labels: the negative one, then the positive one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Labels {
    Integers([i64; 2]),
    Texts([String; 2]),
}

/// The numeric columns of a model, in its order.
pub(super) fn numbers(model: &Model) -> Vec<Number<'_>> {
    let mut numeric = 0..;
    let columns = model.info.columns.iter().filter_map(|column| {
        let Shape::Numeric {
            feature,
            indicator,
            refuses_null,
            ..
        } = &column.shape
        else {
            return None;
        };
        let n: usize = numeric.next()?;
        Some(Number {
            name: &column.name,
            impute: model.numbers.impute[n],
            mean: model.numbers.mean[n],
            scale: model.numbers.scale[n],
            coefficient: model.numbers.coefficients[*feature],
            indicator: indicator.map(|feature| model.numbers.coefficients[feature]),
            refuses_null: *refuses_null,
        })
    });
    columns.collect()
}

/// The columns of levels of a model, in its order.
pub(super) fn levels(model: &Model) -> Vec<Levels<'_>> {
    let columns = model.info.columns.iter().filter_map(|column| {
        let Shape::Categorical {
            levels,
            other,
            other_feature,
        } = &column.shape
        else {
            return None;
        };
        let mut features: Vec<(&str, f64)> = Vec::new();
        let mut of_model: BTreeMap<usize, usize> = BTreeMap::new();
        let own = levels.iter().filter(|level| level.fate == Fate::Kept);
        let own = own.filter_map(|level| Some((level.feature?, level.text.as_str())));
        for (feature, text) in own.chain(other_feature.map(|feature| (feature, OTHER))) {
            of_model.entry(feature).or_insert(features.len());
            features.push((text, model.numbers.coefficients[feature]));
        }
        let position = |feature: Option<usize>| of_model.get(&feature?).copied();
        let meaning = |feature: Option<usize>| position(feature).map_or(Meaning::Zeros, Meaning::Feature);
        let unseen = match other {
            OtherRule::Group => meaning(*other_feature),
            OtherRule::Ignore => Meaning::Zeros,
            OtherRule::Error => Meaning::Error,
        };
        let null = levels.iter().find(|level| level.text == MISSING);
        let known: Vec<&ModelLevel> = levels.iter().filter(|level| level.text != MISSING).collect();
        Some(Levels {
            name: &column.name,
            texts: Texts::of(&known.iter().map(|level| level.text.as_str()).collect::<Vec<_>>()),
            features,
            known: known
                .iter()
                .map(|level| (level.text.as_str(), position(level.feature)))
                .collect(),
            null: null.map_or(unseen, |level| meaning(level.feature)),
            unseen,
        })
    });
    columns.collect()
}

impl Levels<'_> {
    /// What a feature, or the lack of one, adds.
    pub(super) fn weight(&self, feature: Option<usize>) -> f64 {
        feature.map_or(0.0, |feature| self.features[feature].1)
    }
}

impl Meaning {
    pub(super) fn feature(self) -> Option<usize> {
        match self {
            Self::Feature(feature) => Some(feature),
            Self::Zeros | Self::Error => None,
        }
    }
}

impl Texts {
    fn of(texts: &[&str]) -> Self {
        // As levels and labels are written: -0 is 0.
        let is_number = |text: &&str| {
            text.parse::<f64>()
                .is_ok_and(|value| format!("{}", value + 0.0) == **text)
        };
        if texts.is_empty() {
            Self::Words
        } else if texts.iter().all(is_number) {
            Self::Numbers
        } else if texts.iter().all(|text| ["true", "false"].contains(text)) {
            Self::Bools
        } else {
            Self::Words
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Numbers => "numbers",
            Self::Bools => "bools",
        }
    }
}

impl Labels {
    pub(super) fn of(model: &Model) -> Self {
        let target = &model.info.target;
        let texts = [target.negative.clone(), target.positive.clone()];
        let whole = |text: &String| text.parse::<i64>().ok().filter(|value| value.to_string() == *text);
        match (whole(&texts[0]), whole(&texts[1])) {
            (Some(negative), Some(positive)) => Self::Integers([negative, positive]),
            _ => Self::Texts(texts),
        }
    }
}

/// The log odds above which the positive label is predicted.
pub(super) fn cut(model: &Model) -> f64 {
    let threshold = model.info.threshold;
    (threshold / (1.0 - threshold)).ln()
}

/// A model with a column of every kind.
#[cfg(test)]
pub(super) fn sample() -> Model {
    use gradsweep_store::{ModelColumn, ModelInfo, ModelMetrics, ModelNumbers, ModelTarget, Reading};
    let level = |text: &str, fate, feature| ModelLevel {
        text: text.to_owned(),
        rows: 10,
        fate,
        feature,
    };
    let number = |name: &str, feature, indicator| ModelColumn {
        name: name.to_owned(),
        nulls: 1,
        shape: Shape::Numeric {
            feature,
            indicator,
            is_boolean: false,
            is_text: false,
            refuses_null: false,
        },
    };
    let column = |name: &str, levels, other, other_feature| ModelColumn {
        name: name.to_owned(),
        nulls: 1,
        shape: Shape::Categorical {
            levels,
            other,
            other_feature,
        },
    };
    Model {
        info: ModelInfo {
            version: "0.1.0".to_owned(),
            name: "sample".to_owned(),
            kind: "logistic".to_owned(),
            trial: 3,
            params: std::iter::once(("model.C".to_owned(), gradsweep_store::ParamValue::Float(0.5))).collect(),
            identity: "0".repeat(32),
            target: ModelTarget {
                name: "late".to_owned(),
                positive: "yes".to_owned(),
                negative: "no".to_owned(),
                positives: 4,
                drop_null: false,
            },
            threshold: 0.5,
            reading: Reading {
                missing: vec![String::new()],
                delimiter: ',',
                quote: Some('"'),
                is_latin1: false,
                datetimes: Vec::new(),
            },
            id: None,
            rows: 12,
            fingerprint: "f".repeat(64),
            features: [
                "hour",
                "hour=(missing)",
                "day",
                "carrier=AA",
                "carrier=(missing)",
                "carrier=(other)",
                "month=1",
            ]
            .map(str::to_owned)
            .to_vec(),
            columns: vec![
                number("hour", 0, Some(1)),
                number("day", 2, None),
                column(
                    "carrier",
                    vec![
                        level(MISSING, Fate::Kept, Some(4)),
                        level("AA", Fate::Kept, Some(3)),
                        level("ZZ", Fate::Other, Some(5)),
                    ],
                    OtherRule::Group,
                    Some(5),
                ),
                column(
                    "month",
                    vec![level("1", Fate::Kept, Some(6)), level("2", Fate::Dropped, None)],
                    OtherRule::Error,
                    None,
                ),
            ],
            metrics: ModelMetrics {
                select: "log_loss".to_owned(),
                ..ModelMetrics::default()
            },
            keys: std::collections::BTreeMap::new(),
            precision: "f64".to_owned(),
            blas_core: String::new(),
        },
        numbers: ModelNumbers {
            coefficients: vec![0.5, -1.0, 0.25, 2.0, 3.0, 4.0, 5.0],
            intercept: 0.125,
            impute: vec![12.0, 15.0],
            mean: vec![10.0, 15.0],
            scale: vec![2.0, 4.0],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_say_what_each_cell_adds() {
        let model = sample();
        let numbers = numbers(&model);
        assert_eq!((numbers[0].coefficient, numbers[0].indicator), (0.5, Some(-1.0)));
        let levels = levels(&model);
        let carrier = &levels[0];
        assert_eq!(carrier.features, [(MISSING, 3.0), ("AA", 2.0), (OTHER, 4.0)]);
        assert_eq!(carrier.known, [("AA", Some(1)), ("ZZ", Some(2))]);
        assert_eq!(
            (carrier.null, carrier.unseen),
            (Meaning::Feature(0), Meaning::Feature(2))
        );
        let month = &levels[1];
        assert_eq!(month.known, [("1", Some(0)), ("2", None)]);
        assert_eq!(
            (month.texts, month.null, month.unseen),
            (Texts::Numbers, Meaning::Error, Meaning::Error)
        );
    }

    #[test]
    fn labels_that_are_whole_numbers_are_numbers() {
        let mut model = sample();
        assert_eq!(Labels::of(&model), Labels::Texts(["no".to_owned(), "yes".to_owned()]));
        (model.info.target.negative, model.info.target.positive) = ("0".to_owned(), "1".to_owned());
        assert_eq!(Labels::of(&model), Labels::Integers([0, 1]));
        model.info.target.negative = "00".to_owned();
        assert!(matches!(Labels::of(&model), Labels::Texts(_)));
    }
}
