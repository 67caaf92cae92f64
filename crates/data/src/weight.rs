//! Sample weights: weight k counts as the row repeated k times, 0 as the row removed.

use polars::prelude::{Column, DataType, PolarsError};

use crate::error::DataError;
use crate::source::table::Table;
use crate::summary::WeightSummary;

/// Appends the weights of a batch, NaN where there is no number.
pub(crate) fn extend(values: &mut Vec<f64>, column: &Column) -> Result<(), PolarsError> {
    let series = column.as_materialized_series();
    if let DataType::String = series.dtype() {
        let texts = series.str()?.iter();
        values.extend(texts.map(|text| text.and_then(|text| text.trim_ascii().parse().ok()).unwrap_or(f64::NAN)));
    } else {
        let series = series.cast(&DataType::Float64)?;
        values.extend(series.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(())
}

/// Every kept row needs a finite weight of 0 or more.
pub(crate) fn check(
    values: &[f64],
    column: &str,
    keeps: impl Fn(usize) -> bool,
    table: &Table,
) -> Result<(), DataError> {
    let is_bad = |row: &usize| !(values[*row].is_finite() && values[*row] >= 0.0) && keeps(*row);
    let Some(first) = (0..values.len()).find(is_bad) else {
        return Ok(());
    };
    let count = (first..values.len()).filter(is_bad).count();
    let (file, row) = table.locate(first);
    Err(DataError::BadWeight {
        column: column.to_owned(),
        value: (!values[first].is_nan()).then_some(values[first]),
        count,
        rows: values.len(),
        row,
        file,
    })
}

/// What is to be known of checked weights.
pub(crate) fn summary(name: &str, values: &[f64]) -> WeightSummary {
    WeightSummary {
        name: name.to_owned(),
        sum: values.iter().sum(),
        zeros: values.iter().filter(|weight| **weight == 0.0).count() as u64,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::{NamedFrom, Series};

    use super::*;

    #[test]
    fn every_type_becomes_numbers_with_nan_for_what_is_none() {
        let mut values = Vec::new();
        for series in [
            Series::new("w".into(), [Some(1_i64), None]),
            Series::new("w".into(), [Some(0.5_f32), Some(f32::NAN)]),
            Series::new("w".into(), [Some(" 2 "), Some("two")]),
        ] {
            extend(&mut values, &series.into()).unwrap();
        }
        assert_eq!([values[0], values[2], values[4]], [1.0, 0.5, 2.0]);
        assert!(values[1].is_nan() && values[3].is_nan() && values[5].is_nan());
    }
}
