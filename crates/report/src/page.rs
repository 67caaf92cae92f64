//! A page: facts, tables and lines in order, rendered as one.

use crate::format::Format;
use crate::json::Json;
use crate::sanitize::{md_text, sanitize};
use crate::table::Grid;

/// What [`show`](crate::show) returns: something about a sweep, a trial or a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    /// The same for programs.
    pub(crate) json: Json,
    /// The one table that stands for the page where only one table can.
    pub(crate) csv: Grid,
}

/// A piece of a page for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    /// Labels with texts.
    Facts(Vec<(&'static str, String)>),
    /// A table under a heading.
    Table(String, Grid),
    /// Lines under a heading.
    Lines(String, Vec<String>),
}

impl Page {
    /// The page as text, with a newline at its end. CSV holds the page's main table: the figures of a sweep, the runs of a trial, the
    /// coefficients of a run.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table => self.to_text(),
            Format::Md => self.to_md(),
            Format::Json => self.json.render(),
            Format::Csv => self.csv.to_csv(),
        }
    }

    fn to_text(&self) -> String {
        let mut lines = vec![sanitize(&self.title)];
        for block in &self.blocks {
            match block {
                Block::Facts(facts) => {
                    let widest = facts.iter().map(|(label, _)| label.len()).max();
                    let width = widest.unwrap_or(0);
                    let facts = facts.iter();
                    lines.extend(facts.map(|(label, value)| format!("  {label:width$}  {}", sanitize(value))));
                }
                Block::Table(heading, grid) => {
                    lines.extend([String::new(), sanitize(heading)]);
                    lines.extend(grid.to_table().lines().map(|line| format!("  {line}")));
                }
                Block::Lines(heading, held) => {
                    lines.extend([String::new(), sanitize(heading)]);
                    lines.extend(held.iter().map(|line| format!("  {}", sanitize(line))));
                }
            }
        }
        joined(&lines)
    }

    fn to_md(&self) -> String {
        let mut lines = vec![format!("# {}", md_text(&self.title))];
        for block in &self.blocks {
            lines.push(String::new());
            match block {
                Block::Facts(facts) => {
                    // A fact without a label belongs to the one before.
                    for of_label in facts.chunk_by(|_, next| next.0.is_empty()) {
                        let values = of_label.iter().map(|(_, value)| md_text(value));
                        let values: Vec<String> = values.collect();
                        lines.push(format!("- {}: {}", md_text(of_label[0].0), values.join("; ")));
                    }
                }
                Block::Table(heading, grid) => {
                    lines.extend([format!("## {}", md_text(heading)), String::new()]);
                    lines.extend(grid.to_md().lines().map(str::to_owned));
                }
                Block::Lines(heading, held) => {
                    lines.extend([format!("## {}", md_text(heading)), String::new()]);
                    lines.extend(held.iter().map(|line| format!("- {}", md_text(line))));
                }
            }
        }
        joined(&lines)
    }
}

/// The lines without spaces at their ends, each with its newline.
fn joined(lines: &[String]) -> String {
    let ended = lines.iter().map(|line| format!("{}\n", line.trim_end()));
    ended.collect()
}
