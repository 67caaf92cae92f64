//! The text of a config as a tree in which every key and value knows where it was written.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where something was written: in the file, or in one of the `--set` arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    /// 0 = the file, i = the i-th `--set`.
    pub(super) source: usize,
    /// Bytes of that source.
    pub(super) range: Range<usize>,
}

impl At {
    /// Nowhere in particular.
    pub(super) const START: Self = Self { source: 0, range: 0..0 };
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) data: Data,
    pub(super) at: At,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) name_at: At,
    pub(super) node: Node,
}

/// What TOML can say.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Datetime,
    /// A number that no 64 bits hold.
    TooLarge,
    List(Vec<Node>),
    /// In the order of the text.
    Table(Vec<Entry>),
}

impl Data {
    /// What a message calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::Datetime => "a date",
            Self::TooLarge => "a number too large",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// The entries of a table; none of anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The entry at a path of names.
    pub(super) fn find<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<&Entry> {
        let mut path = path.into_iter();
        let mut entry = self.entry(path.next()?)?;
        for name in path {
            entry = entry.node.entry(name)?;
        }
        Some(entry)
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.name == name)
    }

    /// Puts `entry` at the end of a path, in place of what is there. Tables on the way are made where they are missing.
    pub(super) fn put(&mut self, path: &[String], entry: Entry) {
        if !matches!(self.data, Data::Table(_)) {
            self.data = Data::Table(Vec::new());
        }
        let Data::Table(entries) = &mut self.data else {
            return;
        };
        let name = path.first().unwrap_or(&entry.name);
        let position = entries.iter().position(|old| old.name == *name);
        match (path.split_first(), position) {
            (None, Some(at)) => entries[at] = entry,
            (None, None) => entries.push(entry),
            (Some((_, rest)), Some(at)) => entries[at].node.put(rest, entry),
            (Some((name, rest)), None) => {
                let mut node = Node {
                    data: Data::Table(Vec::new()),
                    at: entry.node.at.clone(),
                };
                let (name, name_at) = (name.clone(), entry.name_at.clone());
                node.put(rest, entry);
                entries.push(Entry { name, name_at, node });
            }
        }
    }
}

/// What is no TOML, and where.
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) at: At,
}

/// The tree of a text with as much as could be read, and everything that could not.
pub(super) fn parse(text: &str, source: usize) -> (Node, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let errors = errors
        .iter()
        .map(|error| SyntaxError {
            message: error.message().to_owned(),
            at: At {
                source,
                range: error.span().unwrap_or(0..0),
            },
        })
        .collect();
    let range = table.span();
    (
        Node {
            data: table_data(table.get_ref(), source),
            at: At { source, range },
        },
        errors,
    )
}

fn table_data(table: &DeTable<'_>, source: usize) -> Data {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(name, value)| Entry {
            name: name.get_ref().to_string(),
            name_at: At {
                source,
                range: name.span(),
            },
            node: Node {
                data: data(value.get_ref(), source),
                at: At {
                    source,
                    range: value.span(),
                },
            },
        })
        .collect();
    // The crate's map is sorted by name; the order of the text is the order of a grid.
    entries.sort_by_key(|entry| entry.name_at.range.start);
    Data::Table(entries)
}

fn data(value: &DeValue<'_>, source: usize) -> Data {
    match value {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).map_or(Data::TooLarge, Data::Int)
        }
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(value) if value.is_finite() || !float.as_str().contains(|c: char| c.is_ascii_digit()) => {
                Data::Float(value)
            }
            _ => Data::TooLarge,
        },
        DeValue::Boolean(value) => Data::Bool(*value),
        DeValue::Datetime(_) => Data::Datetime,
        DeValue::Array(items) => Data::List(
            items
                .iter()
                .map(|item| Node {
                    data: data(item.get_ref(), source),
                    at: At {
                        source,
                        range: item.span(),
                    },
                })
                .collect(),
        ),
        DeValue::Table(table) => table_data(table, source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_keep_order_and_places() {
        let text = "b = 1\na.z = inf\na.c = 'é'\n[t]\nx = 99999999999999999999";
        let (tree, errors) = parse(text, 0);
        assert!(errors.is_empty());
        let names: Vec<_> = tree.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "t"]);
        let z = tree.find(["a", "z"]).expect("a.z");
        assert_eq!(&text[z.name_at.range.clone()], "z");
        assert_eq!(&text[z.node.at.range.clone()], "inf");
        assert!(matches!(z.node.data, Data::Float(f) if f.is_infinite()));
        let x = tree.find(["t", "x"]).expect("t.x");
        assert!(matches!(x.node.data, Data::TooLarge));
    }
}
