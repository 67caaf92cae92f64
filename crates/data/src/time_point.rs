//! Points in time, of any type that a column may give them.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use polars::prelude::{Column, DataType, PolarsError, TimeUnit};

/// A point in time as the sum of two numbers: what the nearest `f64` leaves over is the second, so that every integer
/// of 64 bits and every nanosecond has its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimePoint {
    high: f64,
    low: f64,
}

/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;

impl TimePoint {
    /// Of a row without one.
    pub(crate) const NULL: Self = Self {
        high: f64::NAN,
        low: 0.0,
    };

    fn of_integer(value: i128) -> Self {
        let high = value as f64;
        let low = (value - high as i128) as f64;
        Self { high, low }
    }

    fn of_number(value: f64) -> Self {
        // Adding zero turns -0 into 0: one value, one point.
        Self {
            high: value + 0.0,
            low: 0.0,
        }
    }

    /// From a text as `2013-01-31`, `2013-01-31 05:00` or `2013-01-31T05:00:00Z`; without an offset it is UTC.
    fn of_text(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        if let Ok(number) = text.parse::<f64>() {
            return Some(Self::of_number(number));
        }
        Self::of_date(text)
    }

    /// From a text that is a date or datetime; a number is none.
    pub(crate) fn of_date(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        // What follows the date names the offset, if anything does: `DateTime` would read over it.
        let has_offset = text.get(10..)?.contains(['Z', 'z', '+', '-']);
        let time = if has_offset {
            text.parse::<Timestamp>().ok()?
        } else if text.contains('[') {
            return None;
        } else {
            Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
        };
        Some(Self::of_integer(time.as_nanosecond()))
    }

    /// Whether a row has none.
    pub(crate) fn is_null(self) -> bool {
        self.high.is_nan()
    }

    /// Nanoseconds since 1970 of a date or datetime; `None` without one.
    pub(crate) fn nanoseconds(self) -> Option<i128> {
        // Both parts are whole numbers of 96 bits together.
        (!self.is_null()).then_some(self.high as i128 + self.low as i128)
    }

    /// Both numbers.
    pub(crate) fn parts(self) -> [f64; 2] {
        [self.high, self.low]
    }

    /// The order of points; a null is the last.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.high
            .total_cmp(&other.high)
            .then_with(|| self.low.total_cmp(&other.low))
    }
}

/// Appends the points of a batch; `Err(Ok((row, text)))` is the first text that is none.
///
/// Dates and datetimes count in nanoseconds, so that a date is the same point whatever wrote it.
pub(crate) fn extend(points: &mut Vec<TimePoint>, column: &Column) -> Result<(), Result<(usize, String), PolarsError>> {
    let series = column.as_materialized_series();
    let nanoseconds = match series.dtype() {
        DataType::String => {
            for (row, text) in series.str().map_err(Err)?.iter().enumerate() {
                points.push(match text {
                    None => TimePoint::NULL,
                    Some(text) => TimePoint::of_text(text).ok_or_else(|| Ok((row, text.to_owned())))?,
                });
            }
            return Ok(());
        }
        DataType::Float32 | DataType::Float64 | DataType::Decimal(..) | DataType::Null => {
            let series = series.cast(&DataType::Float64).map_err(Err)?;
            let values = series.f64().map_err(Err)?.iter();
            points.extend(values.map(|value| value.map_or(TimePoint::NULL, TimePoint::of_number)));
            return Ok(());
        }
        DataType::UInt64 => {
            let values = series.u64().map_err(Err)?.iter();
            points.extend(values.map(|value| value.map_or(TimePoint::NULL, |v| TimePoint::of_integer(v.into()))));
            return Ok(());
        }
        DataType::Date => DAY,
        DataType::Datetime(TimeUnit::Milliseconds, _) => 1_000_000,
        DataType::Datetime(TimeUnit::Microseconds, _) => 1000,
        _ => 1,
    };
    let series = series.to_physical_repr().cast(&DataType::Int64).map_err(Err)?;
    let values = series.i64().map_err(Err)?.iter();
    points.extend(
        values.map(|value| value.map_or(TimePoint::NULL, |v| TimePoint::of_integer(i128::from(v) * nanoseconds))),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::{NamedFrom, Series};

    use super::*;

    fn points(series: Series) -> Vec<TimePoint> {
        let mut points = Vec::new();
        extend(&mut points, &series.into()).unwrap();
        points
    }

    #[test]
    fn a_date_is_one_point_whatever_wrote_it() {
        let days = Series::new("t".into(), [0, 15_706, -1]);
        let of_text = points(Series::new("t".into(), ["1970-01-01", "2013-01-01", "1969-12-31"]));
        assert_eq!(points(days.cast(&DataType::Date).unwrap()), of_text);
        for unit in [TimeUnit::Milliseconds, TimeUnit::Microseconds, TimeUnit::Nanoseconds] {
            let date = days.cast(&DataType::Date).unwrap();
            let times = date.cast(&DataType::Datetime(unit, None)).unwrap();
            assert_eq!(points(times), of_text);
        }
        for text in [
            "2013-01-01T00:00:00",
            "2013-01-01 00:00",
            "2013-01-01T00:00Z",
            "2012-12-31T19:00-05:00",
        ] {
            assert_eq!(points(Series::new("t".into(), [text])), of_text[1..2], "{text}");
        }
    }

    #[test]
    fn integers_keep_their_order_to_the_last_unit() {
        let last = points(Series::new("t".into(), [i64::MAX - 1, i64::MAX, i64::MIN]));
        assert_eq!(last[0].order(&last[1]), Ordering::Less);
        assert_eq!(last[2].order(&last[0]), Ordering::Less);
        let wide = points(Series::new("t".into(), [u64::MAX - 1, u64::MAX]));
        assert_eq!(wide[0].order(&wide[1]), Ordering::Less);
        assert_eq!(
            points(Series::new("t".into(), [-0.0, 3.0])),
            points(Series::new("t".into(), [0_i32, 3]))
        );
    }

    #[test]
    fn a_text_that_is_no_date_is_handed_back() {
        for text in [
            "01/31/2013",
            "yesterday",
            "2013-02-30",
            "2013-01-01[UTC]",
            "2013-1-1",
            "é013-01-01",
        ] {
            let column: Column = Series::new("t".into(), ["2013-01-01", text]).into();
            let refused = extend(&mut Vec::new(), &column).unwrap_err().unwrap();
            assert_eq!(refused, (1, text.to_owned()));
        }
        let none = points(Series::new("t".into(), [None, Some(1.5)]));
        assert!(none[0].is_null() && !none[1].is_null());
    }
}
