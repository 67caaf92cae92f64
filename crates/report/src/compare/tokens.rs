//! The words, values and signs of a filter.

use gradsweep_store::ParamValue;

use super::filter::error_at;
use crate::error::ReportError;

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A column or a keyword.
    Word(String),
    /// A number or a quoted text.
    Value(ParamValue),
    Sign(&'static str),
}

/// Longer signs before those they begin with.
const SIGNS: [&str; 12] = ["<=", ">=", "==", "!=", "<", ">", "=", "(", ")", "[", "]", ","];

/// Cuts an expression, each token with the byte it begins at.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ReportError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = token(text, at, c)?;
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn token(text: &str, at: usize, first: char) -> Result<(Token, usize), ReportError> {
    let rest = &text[at..];
    if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    if matches!(first, '"' | '\'') {
        let Some(length) = rest[1..].find(first) else {
            return Err(error_at(text, at, "this text has no closing quote"));
        };
        let value = ParamValue::Text(rest[1..=length].to_owned());
        return Ok((Token::Value(value), length + 2));
    }
    let is_in_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
        let mut length = first.len_utf8();
        let mut before = first;
        for c in rest[length..].chars() {
            let is_exponent_sign = matches!(c, '-' | '+') && matches!(before, 'e' | 'E');
            if !is_in_number(c) && !is_exponent_sign {
                break;
            }
            length += c.len_utf8();
            before = c;
        }
        let word = &rest[..length];
        let number = word
            .replace('_', "")
            .parse::<f64>()
            .ok()
            .filter(|number| !number.is_nan());
        let number = number.ok_or_else(|| error_at(text, at, format!("`{word}` is no number")))?;
        return Ok((Token::Value(ParamValue::Float(number)), length));
    }
    if first.is_alphabetic() || first == '_' {
        let is_in_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_');
        let length = rest.find(|c: char| !is_in_word(c)).unwrap_or(rest.len());
        return Ok((Token::Word(rest[..length].to_owned()), length));
    }
    Err(error_at(text, at, format!("`{first}` means nothing here")))
}
