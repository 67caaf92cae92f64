//! Dates and datetimes taken apart into numbers: a year, a month, a weekday are features where a point in time is none.
//!
//! Parts are those of UTC: a text with an offset is first the point in time that it means.

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, DataType, NamedFrom, PolarsError, Series};

use crate::error::DataError;
use crate::time_point::{self, TimePoint};

/// A number that a point in time has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    /// 1 to 12.
    Month,
    /// 1 to 31.
    Day,
    /// 1 for Monday to 7 for Sunday.
    Weekday,
    Hour,
    Minute,
    /// With what follows the decimal point.
    Second,
}

/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;

impl Part {
    const ALL: [Self; 7] = [
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Weekday,
        Self::Hour,
        Self::Minute,
        Self::Second,
    ];

    /// Every part, or those of a date.
    pub(crate) fn all(has_time: bool) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().take(if has_time { 7 } else { 4 })
    }

    /// What the part of a column is called.
    pub(crate) fn name_in(self, column: &str) -> String {
        let part = match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        };
        format!("{column}.{part}")
    }

    /// Of nanoseconds since 1970.
    fn of(self, nanoseconds: i128) -> f64 {
        let (day, time) = (nanoseconds.div_euclid(DAY), nanoseconds.rem_euclid(DAY));
        match self {
            Self::Year => civil(day).0 as f64,
            Self::Month => civil(day).1 as f64,
            Self::Day => civil(day).2 as f64,
            // The first day of 1970 was a Thursday.
            Self::Weekday => ((day + 3).rem_euclid(7) + 1) as f64,
            Self::Hour => (time / (DAY / 24)) as f64,
            Self::Minute => (time / (DAY / 1440) % 60) as f64,
            Self::Second => (time % (DAY / 1440)) as f64 / 1e9,
        }
    }
}

/// Year, month and day of a day since 1970, in the proleptic Gregorian calendar: years begin in March, so that the leap
/// day is the last one, and 146,097 days repeat (Hinnant, *chrono-compatible low-level date algorithms*).
fn civil(day: i128) -> (i128, i128, i128) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year + era * 400 + i128::from(month <= 2);
    (year, month, of_year - (153 * march_month + 2) / 5 + 1)
}

/// Whether some text of a column names a time of day.
pub(crate) fn has_time_of_day(column: &Column) -> Result<bool, PolarsError> {
    let cells = column.as_materialized_series().str()?;
    Ok(cells.iter().flatten().any(|text| text.trim_ascii().len() > 10))
}

/// The columns that are taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) bases: Vec<String>,
}

impl Parts {
    fn find(&self, name: &str) -> Option<(&str, Part)> {
        self.bases.iter().find_map(|base| {
            let part = Part::ALL.into_iter().find(|part| part.name_in(base) == name)?;
            Some((base.as_str(), part))
        })
    }

    /// The columns to read for the named ones, each once.
    pub(crate) fn sources<'a>(&'a self, names: &[&'a str]) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let sources = names.iter().map(|name| self.find(name).map_or(*name, |(base, _)| base));
        sources.filter(|name| seen.insert(*name)).collect()
    }

    /// The named columns of a batch of their sources. `missing` are texts that are null; `locate` finds file and row of a
    /// row of the batch.
    pub(crate) fn compute(
        &self,
        batch: DataFrame,
        names: &[&str],
        missing: &[String],
        locate: impl Fn(usize) -> (String, usize),
    ) -> Result<DataFrame, DataError> {
        if self.bases.is_empty() {
            return Ok(batch);
        }
        let unreadable = |source: PolarsError| DataError::Unreadable {
            file: locate(0).0,
            source: source.into(),
        };
        let mut points: Vec<(&str, Vec<TimePoint>)> = Vec::new();
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let Some((base, part)) = self.find(name) else {
                columns.push(batch.column(name).map_err(unreadable)?.clone());
                continue;
            };
            if points.iter().all(|(known, _)| *known != base) {
                let column = batch.column(base).map_err(unreadable)?;
                let read = read_points(column, missing).map_err(|error| match error {
                    Err(error) => unreadable(error),
                    Ok((row, text)) => {
                        let (file, row) = locate(row);
                        let column = base.to_owned();
                        DataError::NotADate {
                            column,
                            text,
                            row,
                            file,
                        }
                    }
                })?;
                points.push((base, read));
            }
            let of_base = points.iter().find(|(known, _)| *known == base);
            let values = of_base.into_iter().flat_map(|(_, points)| points);
            let values: Vec<f64> = values
                .map(|point| point.nanoseconds().map_or(f64::NAN, |at| part.of(at)))
                .collect();
            columns.push(Series::new((*name).into(), values).into());
        }
        DataFrame::new(batch.height(), columns).map_err(unreadable)
    }
}

/// Points in time of a column of dates, datetimes or text; a number in a text is no date.
fn read_points(column: &Column, missing: &[String]) -> Result<Vec<TimePoint>, Result<(usize, String), PolarsError>> {
    let mut points = Vec::with_capacity(column.len());
    if let DataType::String = column.dtype() {
        let cells = column.as_materialized_series().str().map_err(Err)?;
        for (row, text) in cells.iter().enumerate() {
            points.push(match text {
                Some(text) if !missing.iter().any(|missing| missing == text) => {
                    TimePoint::of_date(text).ok_or_else(|| Ok((row, text.to_owned())))?
                }
                _ => TimePoint::NULL,
            });
        }
    } else {
        time_point::extend(&mut points, column)?;
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dates_are_those_of_a_calendar_library(days in -700_000_i32..2_900_000) {
            let expected = date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let (year, month, day) = civil(days.into());
            prop_assert_eq!(
                (year, month, day),
                (expected.year().into(), expected.month().into(), expected.day().into())
            );
            let weekday = Part::Weekday.of(i128::from(days) * DAY);
            prop_assert_eq!(weekday, f64::from(expected.weekday().to_monday_one_offset()));
        }
    }

    #[test]
    fn text_and_datetimes_have_the_same_parts() {
        let parts = Parts {
            bases: vec!["t".into()],
        };
        let names = ["t.year", "x", "t.weekday", "t.hour", "t.second"];
        assert_eq!(parts.sources(&names), ["t", "x"]);
        let frame = |t: Column| DataFrame::new(2, vec![t, Column::new("x".into(), [7.0, 8.0])]).unwrap();
        let rows = |frame: DataFrame| {
            let batch = parts
                .compute(frame, &names, &["-".to_owned()], |row| ("a".into(), row + 1))
                .unwrap();
            batch
                .columns()
                .iter()
                .map(|c| c.f64().unwrap().get(0).unwrap())
                .collect::<Vec<_>>()
        };
        let text = Column::new("t".into(), ["1969-12-31T23:59:01.5Z", "-"]);
        assert_eq!(rows(frame(text)), [1969.0, 7.0, 3.0, 23.0, 1.5]);
        let stamps = Column::new("t".into(), [-58_500_i64, 0]);
        let stamps = stamps
            .cast(&DataType::Datetime(polars::prelude::TimeUnit::Milliseconds, None))
            .unwrap();
        assert_eq!(rows(frame(stamps)), [1969.0, 7.0, 3.0, 23.0, 1.5]);
    }

    #[test]
    fn a_number_is_no_date() {
        for text in ["2013", "20130131", "soon", "01/31/2013"] {
            let refused = read_points(&Column::new("t".into(), ["2013-01-31", text]), &[])
                .unwrap_err()
                .unwrap();
            assert_eq!(refused, (1, text.to_owned()));
        }
    }
}
