//! Everything the program prints: results on standard output, talk on standard error.
//!
//! Names and labels come from files; control characters in them never reach the terminal.

use std::io::{IsTerminal, Write};

/// Writes a result to standard output.
pub(crate) fn result(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(clean(text).as_bytes())?;
    out.flush()
}

/// Writes talk to standard error. A closed standard error is nobody's loss.
pub(crate) fn talk(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes());
    let _ = err.flush();
}

/// Writes a line of talk whose text may hold names from files.
pub(crate) fn say(line: &str) {
    talk(&format!("{}\n", clean(line)));
}

/// Writes an error and its hint.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    let (bold, red, reset) = if has_color() {
        ("\u{1b}[1m", "\u{1b}[31;1m", "\u{1b}[0m")
    } else {
        ("", "", "")
    };
    talk(&format!("{red}error{reset}{bold}:{reset} {}\n", clean(message)));
    if let Some(hint) = hint {
        // Further lines stand below the first, so that a caret points at what it means.
        talk(&format!("  help: {}\n", clean(hint).replace('\n', "\n        ")));
    }
}

/// Whether standard error takes color.
pub(crate) fn has_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::io::stderr().is_terminal()
}

/// Whether standard error is a terminal.
pub(crate) fn is_interactive() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of the terminal; 100 where there is none.
pub(crate) fn width() -> usize {
    console::Term::stderr()
        .size_checked()
        .map_or(100, |(_, columns)| usize::from(columns))
        .clamp(40, 160)
}

/// Control characters other than line ends are shown as a replacement character.
pub(crate) fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    let is_hostile =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(is_hostile) {
        text.replace(is_hostile, "\u{fffd}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn escapes_from_files_do_not_reach_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[31mb\rc\nd\u{202e}"),
            "a\u{fffd}[31mb\u{fffd}c\nd\u{fffd}"
        );
        assert_eq!(clean("plain · text"), "plain · text");
    }
}
