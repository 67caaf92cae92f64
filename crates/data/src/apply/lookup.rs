//! Texts of levels and labels. A Parquet file holds a level as a number, a CSV as `1.0`; both mean the level `1`.

use polars::prelude::PlHashMap;

use crate::levels::number_text;

/// Finds the position of a text among those that training saw.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    positions: PlHashMap<String, usize>,
    /// Every text is one that a number or a bool has.
    are_numbers: bool,
    are_bools: bool,
}

impl Lookup {
    /// From texts with their positions.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = (usize, &'a str)>) -> Self {
        let positions: PlHashMap<String, usize> = texts.map(|(position, text)| (text.to_owned(), position)).collect();
        let is_number = |text: &String| text.parse().is_ok_and(|value| number_text(value) == *text);
        Self {
            are_numbers: !positions.is_empty() && positions.keys().all(is_number),
            are_bools: !positions.is_empty() && positions.keys().all(|text| text == "true" || text == "false"),
            positions,
        }
    }

    /// Whether the texts are neither numbers nor bools, so that a column of those is another one.
    pub(crate) fn is_of_words(&self) -> bool {
        !self.are_numbers && !self.are_bools && !self.positions.is_empty()
    }

    /// The position of a text as a file writes it.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        if let Some(position) = self.positions.get(text) {
            return Some(*position);
        }
        if self.are_numbers {
            let value: f64 = text.parse().ok()?;
            return self.positions.get(&number_text(value)).copied();
        }
        let bool = match text {
            "True" | "TRUE" => "true",
            "False" | "FALSE" => "false",
            _ => return None,
        };
        self.positions.get(bool).filter(|_| self.are_bools).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(texts: &[&str]) -> Lookup {
        Lookup::new(texts.iter().copied().enumerate())
    }

    #[test]
    fn numbers_and_bools_are_found_however_they_are_written() {
        assert_eq!(lookup(&["1", "2.5"]).find("1.0"), Some(0));
        assert_eq!(lookup(&["1", "2.5"]).find("25e-1"), Some(1));
        assert_eq!(lookup(&["false", "true"]).find("True"), Some(1));
    }

    #[test]
    fn words_are_found_as_they_are() {
        let codes = lookup(&["007", "7"]);
        assert_eq!(
            (codes.find("007"), codes.find("7"), codes.find("7.0")),
            (Some(0), Some(1), None)
        );
        assert!(codes.is_of_words() && !lookup(&["1"]).is_of_words() && !lookup(&["true"]).is_of_words());
        assert_eq!(lookup(&["true", "maybe"]).find("True"), None);
    }
}
