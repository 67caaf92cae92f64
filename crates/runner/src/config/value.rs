//! A checked value on its way from the text of a config to a typed field, to a trial, and back to text.

use std::fmt::{self, Write as _};

/// A value of a config key, of its key's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The key is absent, or has no effect in this trial.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number; never NaN, but possibly infinite.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Names with values, in the order of the file (free names, such as class labels, are sorted).
    Table(Vec<(String, Value)>),
}

impl Value {
    /// The same value for the `toml` crate; `None` where TOML has nothing to say (`Null`).
    pub fn to_toml(&self) -> Option<toml::Value> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => toml::Value::Boolean(*value),
            Self::Int(value) => toml::Value::Integer(*value),
            Self::Float(value) => toml::Value::Float(*value),
            Self::Text(value) => toml::Value::String(value.clone()),
            Self::List(items) => toml::Value::Array(items.iter().filter_map(Self::to_toml).collect()),
            Self::Table(entries) => toml::Value::Table(
                entries
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), value.to_toml()?)))
                    .collect(),
            ),
        })
    }

    /// The value under `name`, when this is a table that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Table(entries) => entries.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }
}

/// TOML 1.0 on one line; `Null` prints nothing.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            // Debug keeps the point or the exponent, so that the text is read as a float again.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(&quoted(value)),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Table(entries) => {
                let mut separator = "{ ";
                for (name, value) in entries.iter().filter(|(_, v)| *v != Self::Null) {
                    write!(f, "{separator}{} = {value}", key_text(name))?;
                    separator = ", ";
                }
                f.write_str(if separator == ", " { " }" } else { "{}" })
            }
        }
    }
}

/// `text` as a TOML basic string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One segment of a TOML key, quoted only where it must be.
pub(crate) fn key_text(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_value_reads_back() {
        let value = Value::Table(vec![
            ("a".into(), Value::Float(f64::INFINITY)),
            ("b c".into(), Value::List(vec![Value::Float(1e-10), Value::Int(3)])),
            ("d".into(), Value::Text("\" \\ \u{1b} \u{7f} \n".into())),
            ("e".into(), Value::Null),
        ]);
        let text = format!("v = {value}");
        let table: toml::Table = text.parse().expect("valid TOML");
        assert_eq!(value.to_toml().as_ref(), table.get("v"), "{text}");
        assert_eq!(Value::Table(Vec::new()).to_string(), "{}");
    }
}
