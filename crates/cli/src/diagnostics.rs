//! Draws the problems of a config: each with its place, the offending text underlined, and what to do about it.

use std::fmt::{self, Write as _};
use std::ops::Range;

use gradsweep_report::sanitize;
use gradsweep_runner::config::{Problem, Problems};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

/// A line longer than this is not shown: it would push everything else off the screen.
const MOST_LINE_BYTES: usize = 400;

/// Problems drawn; the others are counted.
const MOST_PROBLEMS: usize = 20;

/// The problems as text for a terminal of `width` columns, ending with how many there are.
pub(crate) fn render(problems: &Problems, color: bool, width: usize) -> String {
    let mut theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    theme.characters.error = "error:".into();
    // Terminal links would be escapes in a log.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.max(20))
        .with_links(false);

    let file = sanitize(&problems.file);
    let source = Source {
        name: file.clone(),
        text: harmless(&problems.text),
    };
    let mut text = String::new();
    for problem in problems.problems.iter().take(MOST_PROBLEMS) {
        let drawing = Drawing::new(problems, problem, &source);
        let mut drawn = String::new();
        match handler.render_report(&mut drawn, &drawing) {
            // The handler indents the message: it leaves room for a mark instead of a word.
            Ok(()) => text.push_str(drawn.trim_start_matches(' ')),
            // Drawing is a courtesy: what is wrong must be said even where it fails.
            Err(fmt::Error) => {
                let _ = writeln!(text, "error: {drawing}");
            }
        }
    }
    let count = problems.problems.len();
    if count > MOST_PROBLEMS {
        let _ = writeln!(text, "… and {} more", count - MOST_PROBLEMS);
    }
    let plural = if count == 1 { "" } else { "s" };
    let place = if file.is_empty() { "" } else { " in " };
    let _ = writeln!(
        text,
        "{count} problem{plural}{place}{file}; nothing was read or written"
    );
    text
}

/// One problem as the handler takes it.
struct Drawing<'a> {
    message: String,
    span: Option<Range<usize>>,
    label: Option<String>,
    help: Option<String>,
    source: &'a Source,
}

impl<'a> Drawing<'a> {
    fn new(problems: &Problems, problem: &Problem, source: &'a Source) -> Self {
        let mut message = sanitize(&problem.message);
        let mut label = problem.label.as_deref().map(sanitize);
        let mut help = problem.help.as_deref().map(sanitize);
        let span = problem.span.clone().and_then(|span| first_line(&source.text, span));
        if span.is_none() {
            if let Some((line, column)) = problems.position(problem) {
                let _ = write!(message, " ({}:{line}:{column})", source.name);
            }
            // Without a line to write it under, the label is part of the advice.
            help = match (label.take(), help) {
                (Some(label), Some(help)) => Some(format!("{label}; {help}")),
                (label, help) => label.or(help),
            };
        }
        Self {
            message,
            span,
            label,
            help,
            source,
        }
    }
}

impl fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.is_some().then_some(self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        let label = LabeledSpan::new(self.label.clone(), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}

/// The text that spans point into.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The line that holds a byte, without its end.
    fn line(&self, at: usize) -> Option<Range<usize>> {
        line(&self.text, at)
    }
}

/// The whole line that a span starts in, and no other: the neighbors of a key say nothing about it. (A `String` as the
/// source shows either the neighbors, too, or nothing around the span.)
impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span.offset();
        let line = self.line(start).ok_or(MietteError::OutOfBounds)?;
        let before = &self.text[..line.start];
        // The handler asks for a span without context when it wants to know where it is.
        let column = if lines_before == 0 {
            self.text[line.start..start].chars().count()
        } else {
            0
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[line.clone()],
            (line.start, line.len()).into(),
            before.matches('\n').count(),
            column,
            1,
        )))
    }
}

fn line(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, after) = text.split_at_checked(at)?;
    let from = before.rfind('\n').map_or(0, |newline| newline + 1);
    let to = after.find('\n').map_or(text.len(), |newline| before.len() + newline);
    Some(from..from + text[from..to].trim_end_matches('\r').len())
}

/// The part of a span in its first line, with at least one character; `None` where there is nothing to show, or too much.
fn first_line(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let line = line(text, span.start)?;
    if line.is_empty() || line.len() > MOST_LINE_BYTES {
        return None;
    }
    // A span at the end of a line is of what is missing there: the last character stands for it.
    let start = match text[line.clone()].char_indices().next_back() {
        Some((last, _)) => span.start.min(line.start + last),
        None => span.start,
    };
    let next = text[start..].chars().next().map_or(1, char::len_utf8);
    Some(start..span.end.min(line.end).max(start + next))
}

/// The same text with every character replaced that could steer a terminal, by one of as many bytes: the spans still fit.
fn harmless(text: &str) -> String {
    let mut characters = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = characters.next() {
        let is_line_end = c == '\n' || (c == '\r' && characters.peek() == Some(&'\n'));
        let is_harmful = || !sanitize(c.encode_utf8(&mut [0; 4])).starts_with(c);
        if is_line_end || c == '\t' || !is_harmful() {
            out.push(c);
        } else {
            out.push(match c.len_utf8() {
                1 => '?',
                2 => '\u{b7}',
                3 => '\u{fffd}',
                _ => '\u{1f6c7}',
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradsweep_runner::config::parse;

    fn drawn(text: &str, sets: &[&str]) -> String {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let problems = parse(text, "sweep.toml", "sweep", &sets).expect_err("problems");
        let text = render(&problems, false, 80);
        assert!(!text.contains('\u{1b}'), "without color there are no escapes");
        text
    }

    #[test]
    fn every_problem_is_drawn_at_its_place() {
        let text = "version = 1\n[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n\n[train]\nlearning_rte = 0.1\nepochs = \"5\"\n\n\
                    [sweep.parameters]\nmodel.C = { min = 1e-4, max = 1e4, log = true }\n";
        insta::assert_snapshot!(drawn(text, &["lr=0.1"]), @r#"
        error: `learning_rte` is not a key of [train]
           ╭─[sweep.toml:7:1]
         7 │ learning_rte = 0.1
           · ──────┬─────
           ·       ╰── did you mean `learning_rate`?
           ╰────
        error: `train.epochs` must be an integer, 1 or more
           ╭─[sweep.toml:8:10]
         8 │ epochs = "5"
           ·          ─┬─
           ·           ╰── found text
           ╰────
          help: drop the quotes: 5
        error: method "grid" cannot enumerate a range without `num`
            ╭─[sweep.toml:11:11]
         11 │ model.C = { min = 1e-4, max = 1e4, log = true }
            ·           ──────────────────┬──────────────────
            ·                             ╰── add num = 9
            ╰────
        error: --set lr=0.1: `lr` is not a key of the top level
          help: use train.learning_rate; with the same number
        4 problems in sweep.toml; nothing was read or written
        "#);
    }

    #[test]
    fn what_is_missing_is_drawn_too() {
        insta::assert_snapshot!(drawn("", &[]), @r#"
        error: [data] needs `train` (sweep.toml:1:1)
          help: add train = "data/flights.parquet"
        error: [data] needs `target` (sweep.toml:1:1)
          help: add target = "late"
        2 problems in sweep.toml; nothing was read or written
        "#);
        insta::assert_snapshot!(drawn("\r\n[data]\r\ntrain =\r\ntarget = \"y\"\r\n", &[]), @r"
        error: this is not TOML: a value is missing
           ╭─[sweep.toml:3:7]
         3 │ train =
           ·       ─
           ╰────
        1 problem in sweep.toml; nothing was read or written
        ");
    }

    #[test]
    fn hostile_text_does_not_reach_the_terminal() {
        let hostile = "[data]\ntrain = \"\u{202e}x\"\ntarget = 1 # a\u{1b}é\u{9b}\u{e0001}\n\"k\\u001b\u{9b}\" = 1\n";
        let text = drawn(hostile, &["x\u{1b}=1"]);
        assert!(!text.contains(['\u{9b}', '\u{202e}', '\u{e0001}']), "{text:?}");
        assert_eq!(harmless(hostile).len(), hostile.len());
    }

    #[test]
    fn long_lines_are_named_not_shown() {
        let text = format!(
            "[data]\ntrain = \"a\"\ntarget = \"y\"\nexclude = [{}1]\n",
            "\"x\", ".repeat(10_000)
        );
        let drawn = drawn(&text, &[]);
        assert!(drawn.len() < 400 && drawn.contains("sweep.toml:4:50012"), "{drawn}");
    }

    #[test]
    fn color_is_for_terminals() {
        let problems = parse("x = 1", "sweep.toml", "sweep", &[]).expect_err("problems");
        assert!(render(&problems, true, 80).contains('\u{1b}'));
    }
}
