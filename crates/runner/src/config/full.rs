//! A config with every key, its default and what it does.

use std::fmt::Write as _;

use super::config::Config;
use super::key::{Choice, Key, Kind};
use super::table::join;
use super::value::{Value, key_text, quoted};

/// Columns of a line of comment.
const WIDTH: usize = 110;

impl Config {
    /// Every key with its default and a comment, as a config that runs: keys without a default, and those that are not
    /// built yet, are comments themselves.
    pub fn full(train: &str, target: &str, name: &str) -> String {
        let mut text = String::from("# Every key with its default.\n");
        for key in Self::KEYS.iter().filter(|key| key.fields().is_empty()) {
            let value = (key.name == "name").then(|| quoted(name));
            entry(&mut text, "", key, value);
        }
        for table in Self::KEYS.iter().filter(|key| !key.fields().is_empty()) {
            comment(&mut text, &format!("\n{}", table.doc()));
            let _ = writeln!(text, "[{}]", table.name);
            let (search, keys): (Vec<&Key>, Vec<&Key>) = table.fields().iter().partition(|key| is_search(key));
            for key in keys {
                let value = match (table.name, key.name) {
                    ("data", "train") => Some(quoted(train)),
                    ("data", "target") => Some(quoted(target)),
                    _ => None,
                };
                entry(&mut text, "", key, value);
            }
            for key in search {
                parameters(&mut text, table.name, key);
            }
        }
        text
    }
}

fn is_search(key: &Key) -> bool {
    matches!(key.spec.kind, Kind::Parameters | Kind::Assignments)
}

/// A key with its comment; the keys of a table that is always there one by one.
fn entry(text: &mut String, prefix: &str, key: &Key, value: Option<String>) {
    let path = join(prefix, &key_text(key.name));
    if let (Kind::Fields(keys), Value::Table(_)) = (key.spec.kind, key.default_value()) {
        for key in keys {
            entry(text, &path, key, None);
        }
        return;
    }
    let default = key.default_value();
    let is_absent = default == Value::Null || default == Value::List(Vec::new());
    let is_open = value.is_none() && (is_absent || (!key.spec.is_built && key.spec.default.is_none()));
    comment(text, &about(key, is_open));
    let mark = if is_open { "# " } else { "" };
    let value = value.unwrap_or_else(|| match key.spec.kind {
        Kind::Fields(keys) => {
            let pairs = keys.iter().map(|key| format!("{} = {}", key.name, key.default_value()));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        _ if is_absent => key.spec.example.to_owned(),
        _ => default.to_string(),
    });
    let unit = match key.spec.unit {
        "" => String::new(),
        unit => format!("    # {unit}"),
    };
    let _ = writeln!(text, "{mark}{path} = {value}{unit}");
}

/// What a key does, and its words.
fn about(key: &Key, is_open: bool) -> String {
    let mut about = format!("\n{}", key.doc());
    if let Some(words) = words(&key.spec.kind) {
        let _ = write!(about, "\n{words}");
    }
    if !key.spec.is_built {
        about += "\nNot built yet.";
    } else if is_open {
        about += "\nAbsent, unless written; for example:";
    }
    about
}

/// The words that a key takes.
pub(super) fn words(kind: &Kind) -> Option<String> {
    let (choices, other) = match kind {
        Kind::Choice(choices) => (*choices, None),
        Kind::Either(choices, other) => (*choices, Some(other.expected())),
        Kind::List(item, _) => return words(item).map(|words| format!("Of: {words}")),
        _ => return None,
    };
    let named = |is_built: bool| {
        let names = choices.iter().filter(|choice: &&Choice| choice.is_built == is_built);
        names.map(|choice| choice.name.to_owned()).collect::<Vec<_>>()
    };
    let mut built = named(true);
    built.extend(other);
    let later = named(false);
    Some(if later.is_empty() {
        built.join(" | ")
    } else {
        format!("{} (not built yet: {})", built.join(" | "), later.join(", "))
    })
}

/// `[sweep.parameters]` with something to sweep, and the tables that may stand below it.
fn parameters(text: &mut String, table: &str, key: &Key) {
    comment(text, &format!("\n{}", key.doc()));
    match key.spec.kind {
        Kind::Parameters => {
            let _ = writeln!(
                text,
                "[{table}.{}]\nmodel.C = {{ min = 1e-3, max = 1e3, num = 7, log = true }}",
                key.name
            );
        }
        _ => {
            let _ = writeln!(text, "# [[{table}.{}]]\n# model.C = 1.0", key.name);
        }
    }
}

/// Lines of comment; a line end at the start stays one.
fn comment(text: &mut String, words: &str) {
    for line in words.split('\n') {
        if line.is_empty() {
            text.push('\n');
            continue;
        }
        let mut length = 0;
        for word in line.split(' ') {
            let wanted = word.chars().count() + 1;
            if length == 0 || length + wanted > WIDTH {
                text.push_str(if length == 0 { "# " } else { "\n# " });
                length = 2 + wanted;
            } else {
                text.push(' ');
                length += wanted;
            }
            text.push_str(word);
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse, reference};

    #[test]
    fn every_key_is_there_and_says_its_default() {
        let text = Config::full("a.csv", "y", "all");
        let config = parse(&text, "full.toml", "full", &[]).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        let least = "name = \"all\"\n[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[sweep.parameters]\n\
                     model.C = { min = 1e-3, max = 1e3, num = 7, log = true }\n";
        assert_eq!(Ok(config), parse(least, "full.toml", "full", &[]));
        for table in reference() {
            for key in table.keys {
                assert!(text.contains(key.name), "{}.{}", table.path, key.name);
            }
        }
        assert!(text.lines().all(|line| line.chars().count() <= 200), "{text}");
    }
}
