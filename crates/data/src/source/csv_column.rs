//! One CSV column on its way from cells of text to numbers, bools or text.

use polars::prelude::{Column, DataType, IntoSeries, NamedFrom, PlSmallStr, PolarsError, Series, StringChunked};

/// Collects the cells of a column and decides at the end what it is.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    state: State,
    /// Texts that are null.
    missing: Vec<String>,
    /// Numbers written as codes (`007`, `+1`) make the column text.
    keeps_codes: bool,
    /// The cells are looked at, not kept.
    forgets: bool,
    rows: usize,
    wide_integer: Option<usize>,
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No cell has a value.
    Nulls,
    /// Numbers.
    Numbers,
    /// True and false.
    Bools,
    /// Text.
    Text,
}

impl Kind {
    /// The type of such a column in a table.
    pub(super) fn dtype(self) -> DataType {
        match self {
            Self::Nulls => DataType::Null,
            Self::Numbers => DataType::Float64,
            Self::Bools => DataType::Boolean,
            Self::Text => DataType::String,
        }
    }
}

#[derive(Debug)]
enum State {
    /// Only nulls so far, `rows` of them.
    Nulls,
    /// Numbers, NaN where null.
    Numbers(Vec<f64>),
    /// 1, 0, and NaN where null.
    Bools(Vec<f64>),
    /// Text, a series per batch.
    Text(Vec<Series>),
    /// Text whose first cells are gone, for they had been read as numbers or bools.
    LostText,
}

impl ColumnBuilder {
    pub(super) fn new(keeps_codes: bool, missing: &[String]) -> Self {
        let missing = missing.to_vec();
        Self {
            state: State::Nulls,
            missing,
            keeps_codes,
            forgets: false,
            rows: 0,
            wide_integer: None,
        }
    }

    /// A column of which it is known what it is.
    pub(super) fn of_kind(kind: Kind, missing: &[String]) -> Self {
        Self {
            state: match kind {
                Kind::Nulls => State::Nulls,
                Kind::Numbers => State::Numbers(Vec::new()),
                Kind::Bools => State::Bools(Vec::new()),
                Kind::Text => State::Text(Vec::new()),
            },
            ..Self::new(false, missing)
        }
    }

    /// From now on cells are looked at, not kept: only [`ColumnBuilder::kind`] is asked for in the end.
    pub(super) fn forget(&mut self) {
        self.forgets = true;
    }

    /// What the cells so far make the column.
    pub(super) fn kind(&self) -> Kind {
        match self.state {
            State::Nulls => Kind::Nulls,
            State::Numbers(_) => Kind::Numbers,
            State::Bools(_) => Kind::Bools,
            State::Text(_) | State::LostText => Kind::Text,
        }
    }

    /// First row with an integer that `f64` cannot hold, when the column is of numbers.
    pub(super) fn wide_integer(&self) -> Option<usize> {
        self.wide_integer.filter(|_| matches!(self.state, State::Numbers(_)))
    }

    pub(super) fn lost_text(&self) -> bool {
        matches!(self.state, State::LostText)
    }

    pub(super) fn restart_as_text(&mut self) {
        self.state = State::Text(Vec::new());
        self.rows = 0;
    }

    /// Takes the next cells.
    pub(super) fn push(&mut self, column: &Column) -> Result<(), PolarsError> {
        let cells = column.as_materialized_series().str()?;
        if self.forgets && self.kind() == Kind::Text {
            return Ok(());
        }
        if matches!(self.state, State::Nulls) && cells.iter().all(|cell| self.known(cell).is_none()) {
            self.rows += cells.len();
            return Ok(());
        }
        let before = if self.forgets { 0 } else { self.rows };
        let nulls = |rows| vec![f64::NAN; rows];
        let state = std::mem::replace(&mut self.state, State::LostText);
        self.state = match state {
            State::Nulls => {
                if let Some(values) = self.bools(cells, nulls(before)) {
                    State::Bools(values)
                } else if let Some(values) = self.numbers(cells, nulls(before)) {
                    State::Numbers(values)
                } else {
                    let nulls = Series::full_null(PlSmallStr::EMPTY, before, &DataType::String);
                    State::Text(vec![nulls, self.text(cells)])
                }
            }
            State::Numbers(values) => self.numbers(cells, values).map_or(State::LostText, State::Numbers),
            State::Bools(values) => self.bools(cells, values).map_or(State::LostText, State::Bools),
            State::Text(mut parts) => {
                parts.push(self.text(cells));
                State::Text(parts)
            }
            State::LostText => State::LostText,
        };
        if self.forgets {
            match &mut self.state {
                State::Numbers(values) | State::Bools(values) => values.clear(),
                State::Text(parts) => parts.clear(),
                State::Nulls | State::LostText => {}
            }
        }
        self.rows += cells.len();
        Ok(())
    }

    /// The whole column; one without any value is null throughout.
    pub(super) fn finish(self, name: &str) -> Series {
        let name = PlSmallStr::from(name);
        match self.state {
            State::Nulls | State::LostText => Series::new_null(name, self.rows),
            State::Numbers(values) => Series::new(name, values),
            State::Bools(values) => {
                let bools: Vec<Option<bool>> = values.into_iter().map(|v| (!v.is_nan()).then_some(v > 0.5)).collect();
                Series::new(name, bools)
            }
            State::Text(parts) => {
                let texts: StringChunked = parts
                    .iter()
                    .filter_map(|part| part.str().ok())
                    .flat_map(StringChunked::iter)
                    .collect();
                texts.with_name(name).into_series()
            }
        }
    }

    fn known<'a>(&self, cell: Option<&'a str>) -> Option<&'a str> {
        cell.filter(|cell| !self.missing.iter().any(|missing| missing == cell))
    }

    fn text(&self, cells: &StringChunked) -> Series {
        let texts: StringChunked = cells.iter().map(|cell| self.known(cell)).collect();
        texts.into_series()
    }

    fn numbers(&mut self, cells: &StringChunked, mut values: Vec<f64>) -> Option<Vec<f64>> {
        values.reserve(cells.len());
        for (row, cell) in cells.iter().enumerate() {
            let Some(text) = self.known(cell) else {
                values.push(f64::NAN);
                continue;
            };
            if self.keeps_codes && is_code(text) {
                return None;
            }
            let value = text.trim_ascii().parse().ok()?;
            if self.wide_integer.is_none() && is_wide_integer(text.trim_ascii(), value) {
                self.wide_integer = Some(self.rows + row);
            }
            values.push(value);
        }
        Some(values)
    }

    fn bools(&self, cells: &StringChunked, mut values: Vec<f64>) -> Option<Vec<f64>> {
        for cell in cells.iter() {
            values.push(match self.known(cell) {
                None => f64::NAN,
                Some("true" | "True" | "TRUE") => 1.0,
                Some("false" | "False" | "FALSE") => 0.0,
                Some(_) => return None,
            });
        }
        Some(values)
    }
}

/// Whether a text would lose something as a number: leading zeros, a plus sign, spaces.
fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    leading_zero || text.starts_with('+') || text.trim_ascii() != text
}

/// Whether `text` is an integer that `value`, its nearest `f64`, does not equal.
fn is_wide_integer(text: &str, value: f64) -> bool {
    text.len() > 15 && text.parse::<i128>().is_ok_and(|integer| value as i128 != integer)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use super::*;

    fn build(keeps_codes: bool, batches: &[&[&str]]) -> ColumnBuilder {
        let mut builder = ColumnBuilder::new(keeps_codes, &[String::new(), "NA".to_owned()]);
        for batch in batches {
            builder.push(&Column::new("x".into(), *batch)).unwrap();
        }
        builder
    }

    #[test]
    fn all_cells_decide_what_a_column_is() {
        let kind = |batches: &[&[&str]]| build(false, batches).finish("x").dtype().to_string();
        assert_eq!(kind(&[&["", "NA"]]), "null");
        assert_eq!(kind(&[&["", "1"], &["2.5", "NA"]]), "f64");
        assert_eq!(kind(&[&["true"], &["", "False"]]), "bool");
        assert_eq!(kind(&[&["", ""], &["a", "1"]]), "str");
        assert!(build(false, &[&["1"], &["x"]]).lost_text());
        assert!(build(false, &[&["true"], &["1"]]).lost_text());
    }

    #[test]
    fn text_after_leading_nulls_keeps_its_rows() {
        let column = build(false, &[&["", "NA"], &["a"], &[""]]).finish("x");
        let texts: Vec<_> = column.str().unwrap().iter().collect();
        assert_eq!(texts, [None, None, Some("a"), None]);
    }

    #[test]
    fn a_forgetful_builder_comes_to_the_same_kind() {
        let batches: [&[&[&str]]; 7] = [
            &[&["", "NA"]],
            &[&["", "1"], &["2.5", "NA"]],
            &[&["true"], &["", "False"]],
            &[&["", ""], &["a", "1"]],
            &[&["1"], &["x"], &["2"]],
            &[&["true"], &["1"]],
            &[&[""], &["1"], &["007"]],
        ];
        for batches in batches {
            for keeps_codes in [false, true] {
                let kept = build(keeps_codes, batches);
                let mut forgetful = ColumnBuilder::new(keeps_codes, &[String::new(), "NA".to_owned()]);
                forgetful.forget();
                for batch in batches {
                    forgetful.push(&Column::new("x".into(), *batch)).unwrap();
                }
                assert_eq!(forgetful.kind(), kept.kind(), "{batches:?}");
                if kept.lost_text() {
                    continue;
                }
                let expected = kept.finish("x");
                assert_eq!(expected.dtype(), &forgetful.kind().dtype());
                let mut again = ColumnBuilder::of_kind(forgetful.kind(), &[String::new(), "NA".to_owned()]);
                for batch in batches {
                    again.push(&Column::new("x".into(), *batch)).unwrap();
                }
                assert!(again.finish("x").equals_missing(&expected), "{batches:?}");
            }
        }
    }

    #[test]
    fn codes_stay_text_where_they_are_names() {
        assert_eq!(build(true, &[&["007", "8"]]).finish("x").dtype().to_string(), "str");
        assert_eq!(build(false, &[&["007", "8"]]).finish("x").dtype().to_string(), "f64");
        assert_eq!(build(true, &[&["0", "-0.5"]]).finish("x").dtype().to_string(), "f64");
    }

    #[test]
    fn integers_beyond_f64_are_noticed() {
        let builder = build(false, &[&["1"], &["9007199254740992", "9007199254740993"]]);
        assert_eq!(builder.wide_integer(), Some(2));
    }
}
