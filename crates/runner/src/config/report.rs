//! Collects the problems of one config.

use std::collections::BTreeSet;
use std::ops::Range;

use super::problem::{Problem, Problems};
use super::tree::At;

/// More problems than a reader can use are counted, not kept.
const MOST: usize = 100;

/// The problems so far, and which paths they leave without a sound value.
pub(super) struct Report<'a> {
    text: &'a str,
    sets: &'a [String],
    found: Vec<(At, Problem)>,
    left_off: usize,
    broken: BTreeSet<String>,
    silent: Vec<Range<usize>>,
    /// Whether the method is "grid", which needs the number of a range's values.
    pub(super) is_grid: bool,
}

/// A problem before it has a place.
pub(super) struct Draft {
    pub(super) message: String,
    pub(super) label: Option<String>,
    pub(super) help: Option<String>,
}

impl Draft {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            label: None,
            help: None,
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str, sets: &'a [String]) -> Self {
        Self {
            text,
            sets,
            found: Vec::new(),
            left_off: 0,
            broken: BTreeSet::new(),
            silent: Vec::new(),
            is_grid: true,
        }
    }

    /// Adds what is no TOML; what was read of the same line is not judged, nor a second error in it.
    pub(super) fn add_syntax(&mut self, at: &At, draft: Draft) {
        let before = self.found.len();
        self.add(at, draft);
        if self.found.len() > before && at.source == 0 {
            let start = at.range.start.min(self.text.len());
            let from = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
            let line = &self.text[from..];
            // Below a header that could not be read, nobody knows which table the keys are of.
            let next = if line.trim_start().starts_with('[') {
                "\n["
            } else {
                "\n"
            };
            let to = self.text[start..]
                .find(next)
                .map_or(self.text.len(), |newline| start + newline);
            self.silent.push(from..to.max(at.range.end) + 1);
        }
    }

    /// Adds a problem at a place.
    pub(super) fn add(&mut self, at: &At, draft: Draft) {
        if at.source == 0 && self.silent.iter().any(|line| line.contains(&at.range.start)) {
            return;
        }
        if self.is_full() {
            self.left_off += 1;
            return;
        }
        let problem = match at.source.checked_sub(1).and_then(|i| self.sets.get(i)) {
            None => Problem {
                message: draft.message,
                span: Some(at.range.clone()),
                label: draft.label,
                help: draft.help,
            },
            Some(argument) => Problem {
                message: format!("--set {argument}: {}", draft.message),
                span: None,
                label: None,
                // Nothing is underlined, so that the label's words go with the help.
                help: match (draft.label, draft.help) {
                    (Some(label), Some(help)) => Some(format!("{label}; {help}")),
                    (label, help) => label.or(help),
                },
            },
        };
        self.found.push((at.clone(), problem));
    }

    /// Whether further problems are only counted, so that no advice is looked for.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    pub(super) fn count(&self) -> usize {
        self.found.len() + self.left_off
    }

    /// Notes that the value at `path` is not what its author meant, so that no rule judges it.
    pub(super) fn break_path(&mut self, path: &str) {
        self.broken.insert(path.to_owned());
    }

    /// Whether the values at `path` and below it are as written.
    pub(super) fn is_sound(&self, path: &str) -> bool {
        let below = format!("{path}.");
        !self
            .broken
            .iter()
            .any(|broken| broken == path || broken.starts_with(&below) || path.starts_with(&format!("{broken}.")))
    }

    /// The text of a place.
    pub(super) fn slice(&self, at: &At) -> &'a str {
        let text = match at.source.checked_sub(1) {
            None => self.text,
            Some(i) => self.sets.get(i).map_or("", String::as_str),
        };
        text.get(at.range.clone()).unwrap_or("")
    }

    /// All problems in the order of the text, those of `--set` last; `None` when there are none.
    pub(super) fn finish(mut self, file: &str) -> Option<Problems> {
        if self.found.is_empty() {
            return None;
        }
        self.found.sort_by_key(|(at, _)| (at.source, at.range.start));
        let mut problems: Vec<Problem> = self.found.into_iter().map(|(_, problem)| problem).collect();
        problems.dedup();
        if self.left_off > 0 {
            problems.push(Problem {
                message: format!("{} more problems are left off", self.left_off),
                span: None,
                label: None,
                help: Some("mend these first".into()),
            });
        }
        Some(Problems {
            file: file.to_owned(),
            text: self.text.to_owned(),
            problems,
        })
    }
}
