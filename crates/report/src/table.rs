//! The one core that all tables are rendered by.

use comfy_table::{CellAlignment, Table, presets};
use gradsweep_store::ParamValue;

use crate::json::Json;
use crate::sanitize::{csv_text, md_text, sanitize};

/// Longest text of a cell for people; what is longer ends in an ellipsis.
const WIDEST: usize = 60;

/// Which side a column leans to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Columns and rows. A table for people holds texts that are rounded already, one for programs holds the values.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Grid {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<ParamValue>>,
}

impl Grid {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn column(&mut self, name: impl Into<String>, side: Side) {
        self.columns.push((name.into(), side));
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row, which has a cell for every column.
    pub(crate) fn row(&mut self, cells: Vec<ParamValue>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "{:?}", self.columns);
        self.rows.push(cells);
    }

    /// Adds a row of texts.
    pub(crate) fn texts(&mut self, cells: Vec<String>) {
        self.row(cells.into_iter().map(ParamValue::Text).collect());
    }

    /// The header and the rows as texts.
    pub(crate) fn texts_of(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let header = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect());
        (header, rows.collect())
    }

    /// Removes every column whose cells are all empty or missing.
    pub(crate) fn without_empty_columns(mut self) -> Self {
        let keep: Vec<bool> = (0..self.columns.len())
            .map(|column| {
                let mut cells = self.rows.iter().map(|row| &row[column]);
                cells.any(|cell| {
                    let text = cell.to_string();
                    !text.is_empty() && text != crate::number::NONE
                })
            })
            .collect();
        let mut kept = keep.iter();
        self.columns.retain(|_| kept.next() == Some(&true));
        for row in &mut self.rows {
            let mut kept = keep.iter();
            row.retain(|_| kept.next() == Some(&true));
        }
        self
    }

    /// Aligned for a terminal, two spaces between columns.
    pub(crate) fn to_table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(self.columns.iter().map(|(name, _)| for_people(name)));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| for_people(&cell.to_string())));
        }
        for (index, (_, side)) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, 2));
                column.set_cell_alignment(match side {
                    Side::Left => CellAlignment::Left,
                    Side::Right => CellAlignment::Right,
                });
            }
        }
        let mut text = String::new();
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    pub(crate) fn to_md(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.columns.iter().map(|(name, _)| md_text(name)).collect());
        let rules = self.columns.iter().map(|(_, side)| match side {
            Side::Left => ":--".to_owned(),
            Side::Right => "--:".to_owned(),
        });
        text += &line(rules.collect());
        for row in &self.rows {
            text += &line(row.iter().map(|cell| md_text(&cell.to_string())).collect());
        }
        text
    }

    pub(crate) fn to_csv(&self) -> String {
        let mut text = String::new();
        let mut line = |cells: Vec<String>| {
            text.push_str(&cells.join(","));
            text.push('\n');
        };
        line(self.columns.iter().map(|(name, _)| csv_text(name)).collect());
        for row in &self.rows {
            let cells = row.iter().map(|cell| match cell {
                ParamValue::Text(text) => csv_text(text),
                number => number.to_string(),
            });
            line(cells.collect());
        }
        text
    }

    /// A list of objects, one per row.
    pub(crate) fn to_json(&self) -> Json {
        let rows = self.rows.iter().map(|row| {
            let names = self.columns.iter().map(|(name, _)| name.clone());
            Json::Object(names.zip(row.iter().cloned().map(Json::Value)).collect())
        });
        Json::List(rows.collect())
    }
}

/// A cell with a whole number.
pub(crate) fn whole<T>(value: T) -> ParamValue
where
    i64: TryFrom<T>,
{
    i64::try_from(value).map_or(ParamValue::Null, ParamValue::Int)
}

/// A cell with a number, or an empty one.
pub(crate) fn float(value: Option<f64>) -> ParamValue {
    value.map_or(ParamValue::Null, ParamValue::Float)
}

fn for_people(text: &str) -> String {
    let clean = sanitize(text);
    if clean.chars().count() <= WIDEST {
        return clean;
    }
    let head: String = clean.chars().take(WIDEST - 1).collect();
    head + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Grid {
        let mut grid = Grid::new();
        grid.column("feature", Side::Left);
        grid.column("value", Side::Right);
        grid.row(vec![
            ParamValue::Text("=cmd|x, \u{1b}[1m".to_owned()),
            ParamValue::Float(-0.5),
        ]);
        grid.row(vec![ParamValue::Text("東京".to_owned()), ParamValue::Null]);
        grid
    }

    #[test]
    fn a_table_is_aligned_and_harmless() {
        insta::assert_snapshot!(sample().to_table(), @"
        feature       value
        =cmd|x, �[1m   -0.5
        東京
        ");
    }

    #[test]
    fn markdown_is_escaped() {
        insta::assert_snapshot!(sample().to_md(), @r"
        | feature | value |
        | :-- | --: |
        | =cmd\|x, �\[1m | -0.5 |
        | 東京 |  |
        ");
    }

    #[test]
    fn numbers_in_csv_are_no_formulas() {
        insta::assert_snapshot!(sample().to_csv(), @r#"
        feature,value
        "'=cmd|x, �[1m",-0.5
        東京,
        "#);
    }

    #[test]
    fn json_keeps_texts_as_they_are() {
        let json = serde_json::to_value(sample().to_json()).expect("serializable");
        assert_eq!(json[0]["feature"], "=cmd|x, \u{1b}[1m");
        assert_eq!(json[1]["value"], serde_json::Value::Null);
    }

    #[test]
    fn long_texts_end_in_an_ellipsis() {
        let mut grid = Grid::new();
        grid.column("feature", Side::Left);
        grid.texts(vec!["x".repeat(200)]);
        let table = grid.to_table();
        assert_eq!(table.lines().nth(1).map(|line| line.chars().count()), Some(WIDEST));
        assert!(grid.to_csv().contains(&"x".repeat(200)));
    }

    #[test]
    fn empty_columns_go() {
        let mut grid = Grid::new();
        grid.column("a", Side::Left);
        grid.column("b", Side::Left);
        grid.texts(vec!["1".to_owned(), "–".to_owned()]);
        assert_eq!(grid.without_empty_columns().to_table(), "a\n1\n");
    }
}
