//! One table with what a reader has to know beside it.

use crate::format::Format;
use crate::json::Json;
use crate::table::Grid;

/// An answer that is a table: what it holds for people, for programs, and notes below it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    pub(crate) people: Grid,
    pub(crate) programs: Grid,
    pub(crate) notes: Vec<String>,
    /// Members of the JSON object before `rows`.
    pub(crate) facts: Vec<(String, Json)>,
}

impl Sheet {
    /// The answer as text, with a newline at its end. JSON and CSV hold one column per quantity in full.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table => format!("{}{}", self.people.to_table(), self.noted("")),
            Format::Md => format!("{}{}", self.people.to_md(), self.noted("\n")),
            Format::Csv => self.programs.to_csv(),
            Format::Json => {
                let mut members = self.facts.clone();
                members.push(("rows".to_owned(), self.programs.to_json()));
                Json::Object(members).render()
            }
        }
    }

    fn noted(&self, before: &str) -> String {
        let notes = self
            .notes
            .iter()
            .map(|note| format!("{before}{}\n", crate::sanitize(note)));
        notes.collect()
    }
}
