//! The whole table of keys, and how to find one in it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::config::Config;
use super::key::Key;

/// Every table of a config with its keys, in the order of the reference: the top level first, then each table by its path.
/// The checks, the suggestions, `init --full` and the reference page all read this.
pub fn reference() -> &'static [Table] {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
        let mut tables = Vec::new();
        collect("", "Keys above the first table.", Config::KEYS, &mut tables);
        tables
    });
    &TABLES
}

/// One table of the reference.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its path; empty for the top level.
    pub path: String,
    /// What it is about.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

fn collect(path: &str, doc: &'static str, keys: &'static [Key], tables: &mut Vec<Table>) {
    tables.push(Table {
        path: path.to_owned(),
        doc,
        keys,
    });
    for key in keys.iter().filter(|key| !key.fields().is_empty()) {
        collect(&join(path, key.name), key.doc(), key.fields(), tables);
    }
}

/// The path of a key below a table.
pub(super) fn join(table: &str, name: &str) -> String {
    if table.is_empty() {
        name.to_owned()
    } else {
        format!("{table}.{name}")
    }
}

/// Every path of the table of keys with its key, tables included.
pub(crate) fn paths() -> &'static BTreeMap<String, &'static Key> {
    static PATHS: LazyLock<BTreeMap<String, &'static Key>> = LazyLock::new(|| {
        reference()
            .iter()
            .flat_map(|table| table.keys.iter().map(|key| (join(&table.path, key.name), key)))
            .collect()
    });
    &PATHS
}

/// The key at `path`, when `[sweep.parameters]` may name it.
pub(crate) fn sweepable(path: &str) -> Option<(&'static str, &'static Key)> {
    let (path, key) = paths().get_key_value(path)?;
    key.spec.is_sweepable.then_some((path.as_str(), *key))
}

/// Whether a path that [`sweepable`] knows goes through `path`.
pub(super) fn leads_to_sweepable(path: &str) -> bool {
    let prefix = format!("{path}.");
    paths()
        .range(prefix.clone()..)
        .take_while(|(path, _)| path.starts_with(&prefix))
        .any(|(_, key)| key.spec.is_sweepable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_documented_and_found() {
        assert!(reference().len() > 12);
        for (path, key) in paths() {
            assert!(
                key.doc().ends_with('.') || key.doc().ends_with(".)"),
                "{path}: {}",
                key.doc()
            );
        }
        assert!(sweepable("model.C").is_some() && sweepable("run.seed").is_none());
        assert!(leads_to_sweepable("model") && !leads_to_sweepable("data"));
        assert_eq!(reference()[1].path, "data");
    }
}
