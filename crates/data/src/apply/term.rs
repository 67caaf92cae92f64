//! What one column adds to the scores of a batch.

use polars::prelude::{Column, DataType, PolarsError, Series};

use super::addend::Addends;
use super::error::ApplyError;
use super::fitted::{FittedColumn, FittedLevels, FittedNumber, FittedShape};
use super::lookup::Lookup;
use crate::encode::missing::MISSING;
use crate::error::DataError;
use crate::levels::{LevelsBuilder, NULL};
use crate::source::stream::Stream;
use crate::spec::OtherLevels;

/// A column with the weights of its features.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) name: String,
    pub(super) training_nulls: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// `slope·(x − mean)`, and `null` where there is no x.
    Number {
        slope: f64,
        null: f64,
        number: FittedNumber,
    },
    /// The weight of the level.
    Levels {
        lookup: Lookup,
        weights: Vec<f64>,
        /// `None` when training saw no null.
        null: Option<f64>,
        /// `None` when an unseen level is an error.
        unseen: Option<f64>,
        unseen_fate: &'static str,
    },
}

/// What a column adds to each row of a batch, and what was odd about it.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) values: Addends,
    pub(super) nulls: u64,
    pub(super) unseen: u64,
    /// In the order of their texts.
    pub(super) unseen_levels: Vec<String>,
}

/// Where a batch comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) stream: &'a Stream,
    /// Texts of a CSV that are null.
    pub(super) missing: &'a [String],
    /// Row of the stream that the batch begins with.
    pub(super) first_row: usize,
}

impl Place<'_> {
    /// Whether a cell of text is a null.
    pub(super) fn is_null(&self, text: &str) -> bool {
        self.stream.is_csv && self.missing.iter().any(|missing| missing == text)
    }

    /// File and row of a row of the batch.
    pub(super) fn locate(&self, row: usize) -> (String, usize) {
        self.stream.locate(self.first_row + row)
    }

    /// An error of the library that reads files.
    pub(super) fn unreadable(&self, source: PolarsError) -> ApplyError {
        let (file, _) = self.locate(0);
        ApplyError::Data(DataError::Unreadable {
            file,
            source: source.into(),
        })
    }
}

impl Term {
    pub(super) fn new(column: &FittedColumn, coefficients: &[f64]) -> Self {
        let weight = |feature: Option<usize>| feature.map_or(0.0, |feature| coefficients[feature]);
        let kind = match &column.shape {
            FittedShape::Numeric(number) => {
                let slope = coefficients[number.feature] / number.scale;
                Kind::Number {
                    slope,
                    null: slope * (number.impute - number.mean) + weight(number.indicator),
                    number: number.clone(),
                }
            }
            FittedShape::Categorical(FittedLevels {
                levels,
                other,
                other_feature,
            }) => {
                let known = levels.iter().enumerate().filter(|(_, level)| level.text != MISSING);
                let null = levels.iter().find(|level| level.text == MISSING);
                Kind::Levels {
                    lookup: Lookup::new(known.map(|(position, level)| (position, level.text.as_str()))),
                    weights: levels.iter().map(|level| weight(level.feature)).collect(),
                    null: null.map(|level| weight(level.feature)),
                    unseen: match other {
                        OtherLevels::Group => Some(weight(*other_feature)),
                        OtherLevels::Ignore => Some(0.0),
                        OtherLevels::Error => None,
                    },
                    unseen_fate: match other {
                        OtherLevels::Group if other_feature.is_some() => "they count as (other)",
                        _ => "they count as no level",
                    },
                }
            }
        };
        Self {
            name: column.name.clone(),
            training_nulls: column.nulls,
            kind,
        }
    }

    /// What an unseen level means.
    pub(super) fn unseen_fate(&self) -> &'static str {
        match self.kind {
            Kind::Number { .. } => "",
            Kind::Levels { unseen_fate, .. } => unseen_fate,
        }
    }

    /// Refuses a column whose type cannot be that of training; a harmless change of type is returned as a sentence.
    pub(super) fn check(&self, stream: &Stream) -> Result<Option<String>, ApplyError> {
        let Some(dtype) = stream.dtype(&self.name) else {
            return Ok(None);
        };
        let is_number = dtype.is_primitive_numeric() || dtype.is_decimal();
        let is_text = dtype.is_string() || dtype.is_categorical() || dtype.is_enum();
        let is_known = is_number || is_text || dtype.is_bool() || dtype.is_null();
        let is_right = match &self.kind {
            Kind::Number { number, .. } => !is_text || stream.is_csv || number.is_text,
            Kind::Levels { lookup, .. } => is_text || dtype.is_null() || !lookup.is_of_words(),
        };
        if !is_known || !is_right {
            return Err(ApplyError::Retyped {
                column: self.name.clone(),
                file: stream.files[0].name.clone(),
                found: dtype.to_string(),
                expected: self.expected(),
            });
        }
        let is_other = match &self.kind {
            Kind::Number { number, .. } => !is_text && !dtype.is_null() && number.is_boolean != dtype.is_bool(),
            Kind::Levels { .. } => false,
        };
        Ok(is_other.then(|| {
            let (name, expected) = (&self.name, self.expected());
            format!("column \"{name}\" has type {dtype} and was {expected} in training: read as numbers")
        }))
    }

    fn expected(&self) -> &'static str {
        match &self.kind {
            Kind::Number { number, .. } if number.is_boolean => "true and false",
            Kind::Number { .. } => "numbers",
            Kind::Levels { .. } => "text",
        }
    }

    /// What the column adds to each row of a batch.
    pub(super) fn add(&self, column: &Column, place: Place<'_>) -> Result<Added, ApplyError> {
        match &self.kind {
            Kind::Number { slope, null, number } => self.add_numbers(column, place, *slope, *null, number),
            Kind::Levels {
                lookup,
                weights,
                null,
                unseen,
                ..
            } => self.add_levels(column, place, lookup, weights, *null, *unseen),
        }
    }

    fn add_numbers(
        &self,
        column: &Column,
        place: Place<'_>,
        slope: f64,
        null: f64,
        number: &FittedNumber,
    ) -> Result<Added, ApplyError> {
        let series = column.as_materialized_series();
        if let Some(values) = Addends::of_finite(series, slope, number.mean) {
            return Ok(Added {
                values,
                ..Added::default()
            });
        }
        let mut values = self.numbers(series, place)?;
        let mut nulls = 0;
        for (row, value) in values.iter_mut().enumerate() {
            if value.is_nan() {
                if number.refuses_null {
                    let (file, row) = place.locate(row);
                    let column = self.name.clone();
                    return Err(ApplyError::MissingValue { column, row, file });
                }
                nulls += 1;
                *value = null;
            } else if value.is_infinite() {
                let (file, row) = place.locate(row);
                let (column, value) = (self.name.clone(), *value);
                return Err(ApplyError::Data(DataError::Infinite {
                    column,
                    value,
                    row,
                    file,
                }));
            } else {
                *value = slope * (*value - number.mean);
            }
        }
        Ok(Added {
            values: Addends::Each(values),
            nulls,
            ..Added::default()
        })
    }

    /// The cells as numbers, NaN where there is none.
    fn numbers(&self, series: &Series, place: Place<'_>) -> Result<Vec<f64>, ApplyError> {
        let is_text =
            !(series.dtype().is_primitive_numeric() || series.dtype().is_decimal() || series.dtype().is_bool());
        if series.dtype().is_null() {
            return Ok(vec![f64::NAN; series.len()]);
        }
        if is_text {
            let texts = series
                .cast(&DataType::String)
                .map_err(|error| place.unreadable(error))?;
            let texts = texts.str().map_err(|error| place.unreadable(error))?;
            let cells = texts.iter().enumerate().map(|(row, text)| match text {
                Some(text) if !place.is_null(text) => self.parse(text).ok_or_else(|| {
                    let (file, row) = place.locate(row);
                    ApplyError::NotANumber {
                        column: self.name.clone(),
                        text: text.to_owned(),
                        row,
                        file,
                        expected: self.expected(),
                    }
                }),
                _ => Ok(f64::NAN),
            });
            return cells.collect();
        }
        let numbers = series
            .cast(&DataType::Float64)
            .map_err(|error| place.unreadable(error))?;
        let numbers = numbers.f64().map_err(|error| place.unreadable(error))?;
        Ok(match numbers.cont_slice() {
            Ok(values) => values.to_vec(),
            Err(_) => numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
        })
    }

    fn parse(&self, text: &str) -> Option<f64> {
        let is_boolean = matches!(&self.kind, Kind::Number { number, .. } if number.is_boolean);
        match text {
            "true" | "True" | "TRUE" if is_boolean => Some(1.0),
            "false" | "False" | "FALSE" if is_boolean => Some(0.0),
            text => text.trim_ascii().parse().ok(),
        }
    }

    fn add_levels(
        &self,
        column: &Column,
        place: Place<'_>,
        lookup: &Lookup,
        weights: &[f64],
        null: Option<f64>,
        unseen: Option<f64>,
    ) -> Result<Added, ApplyError> {
        let mut builder = LevelsBuilder::new(column.len());
        builder.push(column).map_err(|error| place.unreadable(error))?;
        let found = builder.finish(false);
        let mut added = Added::default();
        // A text is looked up once for all of its rows.
        let mut of_code = Vec::with_capacity(found.texts.len());
        for (code, (text, &rows)) in found.texts.iter().zip(&found.counts).enumerate() {
            let is_null = place.is_null(text);
            if is_null {
                added.nulls += rows;
            }
            let known = if is_null {
                null
            } else {
                lookup.find(text).map(|position| weights[position])
            };
            of_code.push(if let Some(weight) = known {
                weight
            } else {
                added.unseen += rows;
                let level = if is_null { MISSING } else { text };
                added.unseen_levels.push(level.to_owned());
                let first = || found.codes.iter().position(|&own| own as usize == code).unwrap_or(0);
                unseen.ok_or_else(|| self.unseen(level, place, first()))?
            });
        }
        let nulls = found.codes.iter().filter(|code| **code == NULL).count() as u64;
        let mut of_null = 0.0;
        if let Some(first) = found.codes.iter().position(|code| *code == NULL) {
            added.nulls += nulls;
            of_null = if let Some(weight) = null {
                weight
            } else {
                added.unseen += nulls;
                added.unseen_levels.push(MISSING.to_owned());
                unseen.ok_or_else(|| self.unseen(MISSING, place, first))?
            };
        }
        let weight_of = |code: &u32| {
            if *code == NULL {
                of_null
            } else {
                of_code[*code as usize]
            }
        };
        added.values = Addends::Each(found.codes.iter().map(weight_of).collect());
        Ok(added)
    }

    fn unseen(&self, level: &str, place: Place<'_>, row: usize) -> ApplyError {
        let (file, row) = place.locate(row);
        ApplyError::UnseenLevel {
            column: self.name.clone(),
            level: level.to_owned(),
            row,
            file,
        }
    }
}
