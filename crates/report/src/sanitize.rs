//! Texts from files, made harmless for a terminal, a table and a spreadsheet.

/// `text` with every character replaced that could move a cursor, color a terminal, reverse or hide other text.
pub fn sanitize(text: &str) -> String {
    text.chars()
        .map(|c| if is_harmful(c) { '\u{fffd}' } else { c })
        .collect()
}

/// A text of several lines, each made harmless.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| sanitize(&line.replace('\t', "    "))).collect();
    lines.join("\n")
}

/// Control characters (among them the escape of terminal sequences), line separators, and characters that change the direction of text or
/// take no room.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{061c}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A cell of text for a CSV file. A spreadsheet takes a cell that starts like a formula for one; an apostrophe in front keeps it a text.
pub(crate) fn csv_text(text: &str) -> String {
    let clean = sanitize(text);
    // A control character in front was replaced, but a spreadsheet may skip what it replaced it by: judge by the first visible one.
    let first = text.trim_start().chars().next();
    let starts_formula = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    let clean = if starts_formula { format!("'{clean}") } else { clean };
    if clean.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", clean.replace('"', "\"\""))
    } else {
        clean
    }
}

/// A cell of text for a Markdown table.
pub(crate) fn md_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let clean = sanitize(text);
    let mut characters = clean.chars().peekable();
    while let Some(c) = characters.next() {
        let is_in_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        match c {
            // Inside a word an underscore means nothing, and names read better without the backslash.
            '_' if is_in_word(Some(&before)) && is_in_word(characters.peek()) => escaped.push(c),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(sanitize("a\u{1b}[31mb\r\n\u{202e}c"), "a�[31mb���c");
        assert_eq!(sanitize("Überraschung ± 東京"), "Überraschung ± 東京");
    }

    #[test]
    fn formulas_become_texts() {
        assert_eq!(csv_text("=1+1"), "'=1+1");
        assert_eq!(csv_text("@cmd, x"), "\"'@cmd, x\"");
        assert_eq!(csv_text("\t=1"), "'�=1");
        assert_eq!(csv_text("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(csv_text("carrier=EV"), "carrier=EV");
    }

    #[test]
    fn markdown_stays_in_its_cell() {
        assert_eq!(md_text("a|b <script> x_1"), "a\\|b &lt;script> x_1");
        assert_eq!(md_text("_x_ *"), "\\_x\\_ \\*");
    }
}
