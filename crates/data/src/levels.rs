//! Columns of names: each distinct text once, and a code per row.

use polars::prelude::{Column, DataType, PlHashMap, PolarsError, Series};

/// The code of a null.
pub(crate) const NULL: u32 = u32::MAX;

/// A column of names, read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Levels {
    /// Distinct texts: numbers in numeric order, anything else by text.
    pub(crate) texts: Vec<String>,
    /// Rows of each text.
    pub(crate) counts: Vec<u64>,
    /// Index into `texts` per row, or [`NULL`].
    pub(crate) codes: Vec<u32>,
}

/// Rows that room is made for before they are read.
pub(crate) const MOST_PROMISED: usize = 1 << 22;

/// Integers from 0 below this are looked up without a text.
const SMALL: usize = 256;

/// Collects [`Levels`] batch by batch.
#[derive(Debug)]
pub(crate) struct LevelsBuilder {
    index: PlHashMap<String, u32>,
    /// Codes of small integers, 0 and 1 of bools, so that most labels need no text.
    small: [u32; SMALL],
    counts: Vec<u64>,
    codes: Vec<u32>,
}

impl LevelsBuilder {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            index: PlHashMap::default(),
            small: [NULL; SMALL],
            counts: Vec::new(),
            // A damaged file may promise any number of rows.
            codes: Vec::with_capacity(rows.min(MOST_PROMISED)),
        }
    }

    /// Takes the next rows. Numbers get the text of their value: 1.0 is `1`.
    pub(crate) fn push(&mut self, column: &Column) -> Result<(), PolarsError> {
        let series = column.as_materialized_series();
        match series.dtype() {
            DataType::Boolean => {
                let values = series.bool()?.iter().map(|value| value.map(i64::from));
                self.add_integers(values, |value| if value == 1 { "true" } else { "false" }.to_owned());
            }
            dtype
                if dtype.is_integer() && !matches!(dtype, DataType::UInt64 | DataType::UInt128 | DataType::Int128) =>
            {
                let series = series.cast(&DataType::Int64)?;
                self.add_integers(series.i64()?.iter(), |value| value.to_string());
            }
            DataType::Float32 => {
                for value in series.f32()?.iter() {
                    self.add_number(value.filter(|v| !v.is_nan()), |v| number_text_f32(*v));
                }
            }
            DataType::Float64 | DataType::Decimal(..) | DataType::Float16 => {
                let series = series.cast(&DataType::Float64)?;
                for value in series.f64()?.iter() {
                    self.add_number(value.filter(|v| !v.is_nan()), |v| number_text(*v));
                }
            }
            DataType::String => self.add_texts(series)?,
            _ => self.add_texts(&series.cast(&DataType::String)?)?,
        }
        Ok(())
    }

    fn add_texts(&mut self, series: &Series) -> Result<(), PolarsError> {
        for text in series.str()?.iter() {
            self.add(text);
        }
        Ok(())
    }

    fn add_integers(&mut self, values: impl Iterator<Item = Option<i64>>, text: impl Fn(i64) -> String) {
        for value in values {
            let Some(value) = value else {
                self.add(None);
                continue;
            };
            let place = usize::try_from(value).ok().filter(|place| *place < SMALL);
            match place.map(|place| self.small[place]) {
                Some(code) if code != NULL => {
                    self.counts[code as usize] += 1;
                    self.codes.push(code);
                }
                _ => {
                    self.add(Some(&text(value)));
                    if let (Some(place), Some(code)) = (place, self.codes.last()) {
                        self.small[place] = *code;
                    }
                }
            }
        }
    }

    fn add_number<V>(&mut self, value: Option<V>, text: impl Fn(&V) -> String) {
        match value {
            Some(value) => self.add(Some(&text(&value))),
            None => self.add(None),
        }
    }

    fn add(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            self.codes.push(NULL);
            return;
        };
        let code = if let Some(&code) = self.index.get(text) {
            code
        } else {
            let code = self.index.len() as u32;
            self.index.insert(text.to_owned(), code);
            self.counts.push(0);
            code
        };
        self.counts[code as usize] += 1;
        self.codes.push(code);
    }

    /// Sorts the texts, by value when `is_number`.
    pub(crate) fn finish(self, is_number: bool) -> Levels {
        let mut order: Vec<(String, u32)> = self.index.into_iter().collect();
        order.sort();
        if is_number {
            let value = |text: &str| text.parse().unwrap_or(f64::NAN);
            order.sort_by(|a, b| value(&a.0).total_cmp(&value(&b.0)));
        }
        let mut rank = vec![0; order.len()];
        for (new, (_, old)) in order.iter().enumerate() {
            rank[*old as usize] = new as u32;
        }
        let counts = order.iter().map(|(_, old)| self.counts[*old as usize]).collect();
        let texts = order.into_iter().map(|(text, _)| text).collect();
        let mut codes = self.codes;
        for code in codes.iter_mut().filter(|code| **code != NULL) {
            *code = rank[*code as usize];
        }
        Levels { texts, counts, codes }
    }
}

impl Levels {
    /// Rows without a text.
    pub(crate) fn nulls(&self) -> u64 {
        self.codes.len() as u64 - self.counts.iter().sum::<u64>()
    }

    /// Texts with their rows.
    pub(crate) fn counted(&self) -> Vec<(String, u64)> {
        self.texts.iter().cloned().zip(self.counts.iter().copied()).collect()
    }

    /// Keeps the rows for which `is_kept` holds; texts without rows disappear.
    pub(crate) fn keep(&mut self, is_kept: &[bool]) {
        let mut kept = is_kept.iter();
        self.codes.retain(|_| *kept.next().unwrap_or(&false));
        let mut counts = vec![0_u64; self.texts.len()];
        for &code in self.codes.iter().filter(|code| **code != NULL) {
            counts[code as usize] += 1;
        }
        let mut rank = vec![NULL; counts.len()];
        let present = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        for (new, (old, _)) in present.enumerate() {
            rank[old] = new as u32;
        }
        let mut code = 0;
        self.texts.retain(|_| {
            code += 1;
            counts[code - 1] > 0
        });
        counts.retain(|count| *count > 0);
        self.counts = counts;
        for code in self.codes.iter_mut().filter(|code| **code != NULL) {
            *code = rank[*code as usize];
        }
    }
}

/// The text of a number as a class or level: `1`, `0.5`, `-3`.
pub(crate) fn number_text(value: f64) -> String {
    // Adding zero turns -0 into 0: one value, one text.
    format!("{}", value + 0.0)
}

fn number_text_f32(value: f32) -> String {
    format!("{}", value + 0.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::NamedFrom;

    use super::*;

    fn levels(series: &Series, is_number: bool) -> Levels {
        let mut builder = LevelsBuilder::new(0);
        let half = series.len() / 2;
        builder.push(&series.slice(0, half).into()).unwrap();
        builder
            .push(&series.slice(half.try_into().unwrap(), series.len() - half).into())
            .unwrap();
        builder.finish(is_number)
    }

    #[test]
    fn texts_are_sorted_and_coded_whatever_the_batches() {
        let found = levels(&Series::new("x".into(), [Some("b"), None, Some("a"), Some("b")]), false);
        assert_eq!(found.texts, ["a", "b"]);
        assert_eq!(found.counts, [1, 2]);
        assert_eq!(found.codes, [1, NULL, 0, 1]);
        assert_eq!(found.nulls(), 1);
    }

    #[test]
    fn numbers_sort_by_value_and_are_written_short() {
        let found = levels(&Series::new("x".into(), [10.0, 9.0, 0.5, -0.0, 1e300, f64::NAN]), true);
        assert_eq!(found.texts[..4], ["0", "0.5", "9", "10"]);
        assert_eq!(found.nulls(), 1);
        assert_eq!(
            levels(&Series::new("x".into(), [0.1_f32, 1.0]), true).texts,
            ["0.1", "1"]
        );
        assert_eq!(levels(&Series::new("x".into(), [10_i64, 9]), true).texts, ["9", "10"]);
    }

    #[test]
    fn keeping_rows_forgets_texts_without_rows() {
        let mut found = levels(&Series::new("x".into(), ["a", "b", "c", "b"]), false);
        found.keep(&[false, true, true, true]);
        assert_eq!(found.texts, ["b", "c"]);
        assert_eq!((found.codes, found.counts), (vec![0, 1, 0], vec![2, 1]));
    }
}
