//! One walk over the tree and the table of keys: every value becomes a checked one, or a problem.

use super::key::{Choice, Key, Kind};
use super::parameters;
use super::report::{Draft, Report};
use super::suggest::nearest;
use super::table::join;
use super::tree::{At, Data, Entry, Node};
use super::unknown;
use super::value::{Value, key_text};

/// The checked values of a table with fixed names; a key that is absent or wrong has its default.
pub(super) fn fields(
    report: &mut Report,
    keys: &'static [Key],
    path: &str,
    table: Option<&Node>,
    header: &At,
) -> Value {
    if let Some(table) = table {
        for entry in table
            .entries()
            .iter()
            .filter(|entry| keys.iter().all(|key| key.name != entry.name))
        {
            if report.is_full() {
                // A file with a hundred thousand wrong keys needs no suggestion for each of them.
                report.add(&entry.name_at, Draft::new(""));
            } else {
                unknown::report(report, keys, path, entry);
            }
        }
    }
    let values: Vec<(String, Value)> = keys
        .iter()
        .map(|key| {
            let path = join(path, key.name);
            let entry = table.and_then(|table| table.entry(key.name));
            let value = match entry {
                Some(entry) => present(report, key, &path, entry),
                None => absent(report, key, &path, header),
            };
            (key.name.to_owned(), value)
        })
        .collect();
    only_with(report, keys, path, table, &values);
    Value::Table(values)
}

/// The default of a key, and a problem if it has none and needs one.
fn absent(report: &mut Report, key: &Key, path: &str, header: &At) -> Value {
    if key.is_required() && report.is_sound(path) {
        let (table, _) = path.rsplit_once('.').unwrap_or(("", path));
        report.break_path(path);
        report.add(
            header,
            Draft::new(format!("[{table}] needs `{}`", key.name))
                .label(format!("add {} = {}", key.name, key.spec.example)),
        );
    }
    match key.spec.kind {
        // A table of keys that are required must say so even when the table itself is absent.
        Kind::Fields(keys) if key.spec.default.is_some() => fields(report, keys, path, None, header),
        _ => key.default_value(),
    }
}

fn present(report: &mut Report, key: &Key, path: &str, entry: &Entry) -> Value {
    let before = report.count();
    let value = value(report, &key.spec.kind, path, &entry.node, &entry.name_at);
    let canonical = value.map(|value| key.canonical(&value));
    if report.count() > before {
        report.break_path(path);
    }
    let Some(value) = canonical else {
        return key.default_value();
    };
    if report.count() == before && !key.spec.is_built && value != key.default_value() {
        report.break_path(path);
        report.add(&entry.name_at, not_built(key, path));
    }
    value
}

/// "not built yet" for a key of which only the default is built.
pub(super) fn not_built(key: &Key, path: &str) -> Draft {
    let draft = Draft::new(format!("`{path}` is not built yet"));
    match key.spec.default {
        Some("[]" | "{}") | None => draft.label("leave it out"),
        Some(default) => draft.label(format!("only {default} works in this version")),
    }
}

/// Keys that mean something only beside a certain value of a sibling.
fn only_with(report: &mut Report, keys: &[Key], path: &str, table: Option<&Node>, values: &[(String, Value)]) {
    for key in keys {
        let Some((sibling, needed)) = key.spec.only_with else {
            continue;
        };
        let Some(entry) = table.and_then(|table| table.entry(key.name)) else {
            continue;
        };
        let of = |name: &str| values.iter().find(|(n, _)| n == name).map(|(_, value)| value);
        let is_met = of(sibling) == Some(&Value::Text(needed.to_owned()));
        let is_default = of(key.name) == Some(&key.default_value());
        let (own, other) = (join(path, key.name), join(path, sibling));
        if !is_met && !is_default && report.is_sound(&own) && report.is_sound(&other) {
            report.break_path(&own);
            report.add(
                &entry.name_at,
                Draft::new(format!("`{own}` has no effect without {sibling} = {needed:?}"))
                    .label(format!("add {sibling} = {needed:?}, or leave this out")),
            );
        }
    }
}

/// A value of `kind`, or a problem and `None`.
pub(super) fn value(report: &mut Report, kind: &Kind, path: &str, node: &Node, name_at: &At) -> Option<Value> {
    match (kind, &node.data) {
        (Kind::Bool, Data::Bool(value)) => Some(Value::Bool(*value)),
        (Kind::Integer(min, max), Data::Int(value)) if (min..=max).contains(&value) => Some(Value::Int(*value)),
        (Kind::Number(bounds), Data::Int(value)) if bounds.contains(*value as f64) => Some(Value::Float(*value as f64)),
        // Adding zero turns -0.0 into 0.0: one number, one text, one trial.
        (Kind::Number(bounds), Data::Float(value)) if bounds.contains(*value) => Some(Value::Float(*value + 0.0)),
        (Kind::AnyText, Data::Text(text)) => Some(Value::Text(text.clone())),
        (Kind::Text | Kind::Label, Data::Text(text)) if !text.is_empty() => Some(Value::Text(text.clone())),
        (Kind::Label, Data::Bool(value)) => Some(Value::Text(value.to_string())),
        (Kind::Label, Data::Int(value)) => Some(Value::Text(value.to_string())),
        // Labels of numbers are written without a trailing zero: 1.0 is the label "1".
        (Kind::Label, Data::Float(value)) if value.is_finite() => Some(Value::Text(value.to_string())),
        (Kind::Formatted(format), Data::Text(text)) => match (format.check)(text) {
            None => Some(Value::Text(text.clone())),
            Some(wrong) => {
                report.add(
                    &node.at,
                    Draft::new(format!("`{path}` must be {}", format.what)).label(wrong),
                );
                None
            }
        },
        (Kind::Choice(choices) | Kind::Either(choices, _), Data::Text(text)) => {
            choice(report, choices, kind, path, node, text)
        }
        (Kind::Either(_, other), data) if other.takes(data) => value(report, other, path, node, name_at),
        (Kind::List(item, least), Data::List(nodes)) if nodes.len() >= *least => list(report, item, path, nodes),
        (Kind::OneOrMore(item), Data::List(nodes)) if !nodes.is_empty() => list(report, item, path, nodes),
        (Kind::OneOrMore(item), data) if item.takes(data) => {
            value(report, item, path, node, name_at).map(|value| Value::List(vec![value]))
        }
        (Kind::Map(item), Data::Table(entries)) => map(report, item, path, entries),
        (Kind::Fields(keys), Data::Table(_)) => Some(fields(report, keys, path, Some(node), name_at)),
        (Kind::Parameters, Data::Table(entries)) => Some(parameters::domains(report, entries)),
        (Kind::Assignments, Data::List(nodes)) => Some(parameters::assignments(report, path, nodes)),
        // What is inside is checked against another key; here it only says that something is there.
        (Kind::Any, _) => Some(Value::Bool(true)),
        // `--set name=2024` is read as a number; on the command line, text needs no quotes.
        (Kind::Text | Kind::AnyText | Kind::Formatted(_) | Kind::OneOrMore(Kind::Text), data)
            if node.at.source > 0 && !matches!(data, Data::Text(_) | Data::List(_) | Data::Table(_)) =>
        {
            let text = Node {
                data: Data::Text(report.slice(&node.at).to_owned()),
                at: node.at.clone(),
            };
            value(report, kind, path, &text, name_at)
        }
        _ => {
            let draft = mismatch(kind, path, node, report.slice(&node.at));
            report.add(
                if matches!(kind, Kind::Fields(_)) {
                    name_at
                } else {
                    &node.at
                },
                draft,
            );
            None
        }
    }
}

fn list(report: &mut Report, item: &Kind, path: &str, nodes: &[Node]) -> Option<Value> {
    let values: Vec<_> = nodes
        .iter()
        .map(|node| value(report, item, path, node, &node.at))
        .collect();
    values.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
}

fn map(report: &mut Report, item: &Kind, path: &str, entries: &[Entry]) -> Option<Value> {
    let mut values: Vec<_> = entries
        .iter()
        .map(|entry| {
            let path = format!("{path}.{}", key_text(&entry.name));
            Some((
                entry.name.clone(),
                value(report, item, &path, &entry.node, &entry.name_at)?,
            ))
        })
        .collect::<Option<_>>()?;
    values.sort_by(|(a, _): &(String, Value), (b, _)| a.cmp(b));
    Some(Value::Table(values))
}

fn choice(report: &mut Report, choices: &[Choice], kind: &Kind, path: &str, node: &Node, text: &str) -> Option<Value> {
    let built = || {
        let names: Vec<_> = choices
            .iter()
            .filter(|choice| choice.is_built)
            .map(|choice| choice.name)
            .collect();
        names.join(", ")
    };
    match choices.iter().find(|choice| choice.name == text) {
        Some(choice) if choice.is_built => return Some(Value::Text(text.to_owned())),
        Some(_) => report.add(
            &node.at,
            Draft::new(format!("`{path}` = {text:?} is not built yet")).label(format!("built: {}", built())),
        ),
        None => {
            let near = nearest(text, choices.iter().map(|choice| choice.name));
            let quoted: Vec<_> = near.iter().map(|name| format!("{name:?}")).collect();
            let draft = if let Kind::Either(_, other) = kind
                && let Some(help) = unquoted(other, text)
            {
                Draft::new(format!("`{path}` must be {}", kind.expected()))
                    .label("this is text")
                    .help(help)
            } else {
                let draft = Draft::new(format!("`{path}` cannot be {text:?}"));
                let expected = kind.expected();
                if quoted.is_empty() {
                    draft.label(format!("must be {expected}"))
                } else {
                    draft
                        .label(format!("did you mean {}?", quoted.join(" or ")))
                        .help(format!("it must be {expected}"))
                }
            };
            report.add(&node.at, draft);
        }
    }
    None
}

/// What is wrong with a value of another type or out of its bounds.
fn mismatch(kind: &Kind, path: &str, node: &Node, source: &str) -> Draft {
    let draft = Draft::new(format!("`{path}` must be {}", kind.expected()));
    match (kind, &node.data) {
        (Kind::Fields(keys), _) => {
            let draft = Draft::new(format!("`{path}` is a table")).label(format!("found {}", node.data.name()));
            match keys.first() {
                Some(key) => draft.help(format!("write its keys below [{path}], as {}", key.name)),
                None => draft,
            }
        }
        (kind, Data::Float(value)) if kind.is_integer() => {
            if value.fract() == 0.0 && value.abs() < 1e15 {
                draft.label(format!("write {value:.0}"))
            } else {
                draft.label("a whole number is needed")
            }
        }
        (Kind::Integer(..) | Kind::Number(_) | Kind::Either(..), Data::Int(_) | Data::Float(_))
            if kind.is_numeric() =>
        {
            draft.label("out of range")
        }
        (Kind::Text | Kind::Label, Data::Text(_)) => draft.label("the text is empty"),
        (Kind::List(..) | Kind::OneOrMore(_), Data::List(_)) => draft.label("the list is empty"),
        (Kind::List(item, _), data) if item.takes(data) => draft.label(format!("write [{source}]")),
        (
            Kind::Text | Kind::AnyText | Kind::Formatted(_) | Kind::Choice(_),
            Data::Bool(_) | Data::Int(_) | Data::Float(_),
        ) => draft
            .label(format!("found {}", node.data.name()))
            .help("put it in quotes"),
        (kind, Data::Text(text)) => {
            let draft = draft.label("found text");
            match unquoted(kind, text) {
                Some(help) => draft.help(help),
                None => draft,
            }
        }
        (_, Data::TooLarge) => draft.label("no 64 bits hold this number"),
        (_, data) => draft.label(format!("found {}", data.name())),
    }
}

/// "drop the quotes" where the text would be a value of `kind` without them.
fn unquoted(kind: &Kind, text: &str) -> Option<String> {
    let (tree, errors) = super::tree::parse(&format!("v = {text}"), 0);
    let data = &tree.entry("v")?.node.data;
    (errors.is_empty() && kind.takes(data) && !matches!(data, Data::Text(_)))
        .then(|| format!("drop the quotes: {text}"))
}

impl Kind {
    /// Whether data is of this kind's type, whatever its bounds.
    fn takes(&self, data: &Data) -> bool {
        match self {
            Self::Bool => matches!(data, Data::Bool(_)),
            Self::Integer(..) | Self::Number(_) => {
                matches!(data, Data::Int(_) | Data::Float(_) | Data::TooLarge)
            }
            Self::Text | Self::AnyText | Self::Formatted(_) | Self::Choice(_) => {
                matches!(data, Data::Text(_))
            }
            Self::Label => !matches!(data, Data::List(_) | Data::Table(_) | Data::Datetime | Data::TooLarge),
            Self::Either(_, other) => matches!(data, Data::Text(_)) || other.takes(data),
            Self::List(..) | Self::Assignments => matches!(data, Data::List(_)),
            Self::OneOrMore(item) => matches!(data, Data::List(_)) || item.takes(data),
            Self::Map(_) | Self::Fields(_) | Self::Parameters => matches!(data, Data::Table(_)),
            Self::Any => true,
        }
    }

    /// What a message says is expected.
    pub fn expected(&self) -> String {
        let words = |choices: &[Choice]| {
            choices
                .iter()
                .map(|choice| format!("{:?}", choice.name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::Bool => "true or false".into(),
            Self::Integer(min, max) if min == max => format!("{min}"),
            Self::Integer(min, max) if *max >= i64::from(u32::MAX) => {
                format!("an integer, {min} or more")
            }
            Self::Integer(min, max) => format!("an integer from {min} to {max}"),
            Self::Number(bounds) => bounds.to_string(),
            Self::Text | Self::AnyText => "text".into(),
            Self::Formatted(format) => format.what.into(),
            Self::Label => "a label: text, a number, or true or false".into(),
            Self::Choice(choices) => format!("one of {}", words(choices)),
            Self::Either(choices, other) => format!("{}, or {}", words(choices), other.expected()),
            Self::List(item, _) => format!("a list, each {}", item.expected()),
            Self::OneOrMore(item) => format!("{}, or a list of them", item.expected()),
            Self::Map(item) => format!("a table with {} for each name", item.expected()),
            Self::Fields(keys) => {
                let names: Vec<_> = keys.iter().map(|key| key.name).collect();
                format!("a table with {}", names.join(", "))
            }
            Self::Parameters => "a table of paths, each with a list or a range".into(),
            Self::Assignments => "a list of tables of paths, each with one value".into(),
            Self::Any => "a value".into(),
        }
    }
}

impl Key {
    /// Whether it must be written.
    fn is_required(&self) -> bool {
        self.spec.is_required
    }

    /// The one form of a checked value.
    pub(super) fn canonical(&self, value: &Value) -> Value {
        (self.canonical)(value)
            .unwrap_or_else(|| unreachable!("a checked value has the type of its key: {} = {value}", self.name))
    }

    /// The value of the key when it is absent.
    pub(super) fn default_value(&self) -> Value {
        let empty = match self.spec.kind {
            _ if !self.spec.is_required => Value::Null,
            Kind::OneOrMore(_) => Value::List(Vec::new()),
            // A required key has no default; the config that lacks it is never handed out.
            _ => Value::Text(String::new()),
        };
        let Some(default) = self.spec.default else {
            return empty;
        };
        let text = format!("v = {default}");
        let (tree, _) = super::tree::parse(&text, 0);
        let Some(node) = tree.entry("v").map(|entry| &entry.node) else {
            return empty;
        };
        let checked = match (self.spec.kind, &node.data) {
            // No file may write an empty list of files, and no files is still the default of some.
            (Kind::OneOrMore(_), Data::List(nodes)) if nodes.is_empty() => Some(Value::List(Vec::new())),
            (kind, _) => value(&mut Report::new(&text, &[]), &kind, self.name, node, &node.at),
        };
        checked.map(|value| self.canonical(&value)).unwrap_or(empty)
    }
}

impl std::fmt::Display for super::key::Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            min,
            max,
            has_min,
            has_max,
        } = self;
        match (min.is_finite(), max.is_finite()) {
            (false, _) => f.write_str("a finite number"),
            (true, false) => {
                if *has_min {
                    write!(f, "a number, {min} or more")?;
                } else {
                    write!(f, "a number above {min}")?;
                }
                f.write_str(if *has_max { ", or inf" } else { "" })
            }
            (true, true) => {
                let (from, to) = (
                    if *has_min { "from" } else { "above" },
                    if *has_max { "to" } else { "below" },
                );
                let and = if *has_min && *has_max { "" } else { "and " };
                write!(f, "a number {from} {min} {and}{to} {max}")
            }
        }
    }
}
