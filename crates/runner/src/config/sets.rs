//! `--set key=value`: the layer above the file.

use super::parameters;
use super::report::{Draft, Report};
use super::table::sweepable;
use super::tree::{self, At, Data, Entry, Node};

/// One `--set` that could be read.
pub(super) struct Set {
    /// The path it sets.
    pub(super) path: String,
    /// The value as it was typed.
    pub(super) value: String,
    /// The whole argument.
    pub(super) at: At,
}

/// Puts every `--set` into the tree, in order, so that the last one on a key wins.
pub(super) fn apply(report: &mut Report, tree: &mut Node, arguments: &[String]) -> Vec<Set> {
    flatten(tree);
    let mut sets = Vec::new();
    for (i, argument) in arguments.iter().enumerate() {
        let at = At {
            source: i + 1,
            range: 0..argument.len(),
        };
        match read(argument, i + 1) {
            Ok((path, node)) => {
                let value = argument.get(node.at.range.clone()).unwrap_or_default().to_owned();
                sets.push(Set {
                    path: path.join("."),
                    value,
                    at: at.clone(),
                });
                let path = flat(path);
                if let Some((name, parents)) = path.split_last() {
                    tree.put(
                        parents,
                        Entry {
                            name: name.clone(),
                            name_at: at,
                            node,
                        },
                    );
                }
            }
            Err(message) => {
                report.add(
                    &at,
                    Draft::new(message).help("write it as --set train.learning_rate=0.1"),
                );
            }
        }
    }
    sets
}

/// Gives `[sweep.parameters]` one name per parameter, however the file spells it, so that a `--set` meets its namesake.
fn flatten(tree: &mut Node) {
    let Data::Table(tables) = &mut tree.data else {
        return;
    };
    let Some(sweep) = tables.iter_mut().find(|entry| entry.name == "sweep") else {
        return;
    };
    let Data::Table(keys) = &mut sweep.node.data else {
        return;
    };
    let Some(entry) = keys.iter_mut().find(|entry| entry.name == "parameters") else {
        return;
    };
    let Data::Table(entries) = &entry.node.data else {
        return;
    };
    let leaves = parameters::leaves(entries);
    let flat = leaves
        .into_iter()
        .map(|(name, entry)| Entry { name, ..entry.clone() })
        .collect();
    entry.node.data = Data::Table(flat);
}

/// The path of a `--set` in the flattened tree.
fn flat(path: Vec<String>) -> Vec<String> {
    let [sweep, parameters, rest @ ..] = path.as_slice() else {
        return path;
    };
    if sweep != "sweep" || parameters != "parameters" || rest.is_empty() {
        return path;
    }
    let is_leaf = |length: &usize| sweepable(&rest[..*length].join(".")).is_some();
    let length = (1..=rest.len()).find(is_leaf).unwrap_or(rest.len());
    let mut flat = vec![sweep.clone(), parameters.clone(), rest[..length].join(".")];
    flat.extend_from_slice(&rest[length..]);
    flat
}

/// The path and the value of an argument: the value as TOML, or else as text.
fn read(argument: &str, source: usize) -> Result<(Vec<String>, Node), String> {
    let mut quote = None;
    let equals = argument
        .char_indices()
        .find(|(_, c)| {
            match (quote, c) {
                (None, '"' | '\'') => quote = Some(*c),
                (Some(open), c) if open == *c => quote = None,
                _ => {}
            }
            quote.is_none() && *c == '='
        })
        .map(|(at, _)| at)
        .ok_or("there is no `=` in it")?;
    let (key, value) = (&argument[..equals], &argument[equals + 1..]);

    let (tree, errors) = tree::parse(&format!("{key} = 0"), source);
    let mut path = Vec::new();
    let mut node = &tree;
    while let [entry] = node.entries() {
        path.push(entry.name.clone());
        node = &entry.node;
    }
    if !errors.is_empty() || path.is_empty() || !matches!(node.data, Data::Int(0)) {
        return Err(format!("{:?} is not a key", key.trim()));
    }

    // As long as the key, so that places in the value are places in the argument.
    let (tree, errors) = tree::parse(&format!("{:<equals$}={value}", "v"), source);
    let node = match tree.entries() {
        [entry] if errors.is_empty() => entry.node.clone(),
        _ => {
            let start = equals + 1 + value.len() - value.trim_start().len();
            let text = value.trim();
            Node {
                data: Data::Text(text.to_owned()),
                at: At {
                    source,
                    range: start..start + text.len(),
                },
            }
        }
    };
    Ok((path, node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_else_text() {
        let cases = [
            ("train.epochs=5", "train/epochs", "Int(5)"),
            ("train.solver=adam", "train/solver", "Text(\"adam\")"),
            ("train.solver=\"adam\"", "train/solver", "Text(\"adam\")"),
            ("data.types.\"a=b\" = numeric", "data/types/a=b", "Text(\"numeric\")"),
            ("data.train=a b/*.csv", "data/train", "Text(\"a b/*.csv\")"),
            ("name=", "name", "Text(\"\")"),
            ("model.C=inf", "model/C", "Float(inf)"),
        ];
        for (argument, path, data) in cases {
            let (found, node) = read(argument, 1).expect(argument);
            assert_eq!(found.join("/"), path);
            assert_eq!(format!("{:?}", node.data), data);
        }
        for wrong in ["train.epochs", "=5", "a b=5", "[a]=5", "a.=1", "a=1\nb"] {
            assert!(read(wrong, 1).is_err() || wrong.contains('\n'), "{wrong}");
        }
        let (_, node) = read("a=1\nb=2", 1).expect("text");
        assert!(matches!(node.data, Data::Text(_)), "a second line is no second key");
    }
}
