//! What is wrong with a config, as plain data: only the terminal knows how to draw it.

use std::fmt;
use std::ops::Range;

/// Every problem of one config, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file as messages call it.
    pub file: String,
    /// The whole text, which the spans point into.
    pub text: String,
    /// At least one problem.
    pub problems: Vec<Problem>,
}

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// The offending bytes of the text; `None` for a problem of the command line or of no place.
    pub span: Option<Range<usize>>,
    /// A few words for under the span.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problems {
    /// Line and column of a problem, both from 1; columns count characters.
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        let start = problem.span.as_ref()?.start.min(self.text.len());
        let before = self.text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        Some((line, before[line_start..].chars().count() + 1))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file)?;
            if let Some((line, column)) = self.position(problem) {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {}", problem.message)?;
            for more in [&problem.label, &problem.help].into_iter().flatten() {
                write!(f, "; {more}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let problem = Problem {
            message: "x".into(),
            span: Some(7..8),
            label: None,
            help: Some("y".into()),
        };
        let problems = Problems {
            file: "a.toml".into(),
            text: "é = 1\nb".into(),
            problems: vec![problem.clone()],
        };
        assert_eq!(problems.position(&problem), Some((2, 1)));
        assert_eq!(problems.to_string(), "a.toml:2:1: x; y");
    }
}
