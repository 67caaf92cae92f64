//! docs/config.md, from the table of keys.

use std::fmt::Write as _;

use super::full::words;
use super::key::{Key, Kind};
use super::suggest::conversions;
use super::sweep::DOMAIN_KEYS;
use super::table::{Table, paths, reference};

/// The reference page, in Markdown.
pub fn page() -> String {
    let mut text = String::from(INTRODUCTION);
    for table in reference() {
        section(&mut text, table);
        if table.path == "sweep" {
            text += GRAMMAR;
            keys(&mut text, DOMAIN_KEYS);
            text += MORE_GRAMMAR;
        }
    }
    text += "\n## Names of other programs\n\nThey are refused with what to write instead, because the same name means \
             different things in different programs.\n\n| name | write | |\n|---|---|---|\n";
    for (names, path, conversion) in conversions() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {} | `{path}` | {} |", names.join(", "), cell(conversion));
    }
    text
}

const INTRODUCTION: &str = "\
# The config file

<!-- Written by `gradsweep schema --markdown`; a test fails when it is old. -->

A sweep is one TOML file. Every key has a default except `data.train` and `data.target`; a key that is not known is an error,
and all errors of a file are shown at once. `--set train.learning_rate=0.1` overrides a key, `--sweep 'model.C=0.1,1,10'`
sweeps one. `gradsweep init DATA --target COLUMN` writes a first config for a table, `gradsweep init --full` prints every key,
`gradsweep check CONFIG` checks one without reading data, and `gradsweep schema` prints a JSON Schema for editors
(`#:schema gradsweep.schema.json` in the first line).

Paths are relative to the folder that gradsweep is started in. Keys marked **swept** may stand in `[sweep.parameters]`.
";

const GRAMMAR: &str = "
### Parameters, points and exclude

A name in `[sweep.parameters]` is the path of the key it overrides. Its value is a list (these values) or a table:

";

const MORE_GRAMMAR: &str = "
Keys whose own value is a list or a table (`model.class_weight`, `train.init`) are swept by `{ values = [...] }`. Values take
the key's type before duplicates are removed: `1` and `1.0` are one value of C. A grid takes every combination, the last
parameter varying fastest, and needs `num` (or `step`) for a range; `random` draws independently, `sobol` and `halton` fill the
space evenly, `tpe` goes by the scores of the trials before ([search.md](search.md)). Their first trials do not depend on how
many there are: a sweep with more `trials` extends a stored one. What is drawn follows from `run.seed` alone, with `tpe` also
from the scores.

A parameter that has no effect in a trial (its `when` is not met, or the trial's solver does not use it) is null in the
tables, and two settings that differ in nothing else are one trial.

`[[sweep.points]]` are tried first; a parameter that a point does not name has the config's value. A trial that has every value
of a `[[sweep.exclude]]` is dropped before it runs.

On the command line: `--sweep 'train.solver=adam,sgd'`, `--sweep 'model.C=logspace(1e-4,1e4,9)'`,
`linspace(MIN,MAX,NUM)`, `uniform(MIN,MAX)`, `loguniform(MIN,MAX)`; bounds are values, both included.
";

fn section(text: &mut String, table: &Table) {
    let title = match table.path.as_str() {
        "" => "Top level".to_owned(),
        path => format!("`[{path}]`"),
    };
    let mut doc = table.doc.to_owned();
    if let Some(key) = paths().get(&table.path) {
        if key.spec.is_sweepable {
            doc += " **swept**, by `{ values = [...] }`.";
        }
        if !key.spec.is_built {
            doc += " *Not built yet.*";
        }
    }
    let _ = write!(text, "\n## {title}\n\n{doc}\n\n");
    let own: Vec<Key> = table
        .keys
        .iter()
        .copied()
        .filter(|key| key.fields().is_empty())
        .collect();
    keys(text, &own);
}

fn keys(text: &mut String, keys: &[Key]) {
    *text += "| key | takes | default | |\n|---|---|---|---|\n";
    for key in keys {
        let default = match key.spec.default {
            _ if key.spec.is_required => "must be written".to_owned(),
            Some(default) => format!("`{default}`"),
            None => "absent".to_owned(),
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            key.name,
            cell(&takes(key)),
            cell(&default),
            cell(&about(key))
        );
    }
    for key in keys {
        described(text, key);
    }
}

fn takes(key: &Key) -> String {
    let unit = match key.spec.unit {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    match &key.spec.kind {
        Kind::Parameters | Kind::Assignments => "tables, see below".into(),
        Kind::Any => format!("as `{}`", key.spec.example),
        kind => words(kind).unwrap_or_else(|| kind.expected()) + &unit,
    }
}

fn about(key: &Key) -> String {
    let mut about = key.doc().to_owned();
    if let Some((sibling, value)) = key.spec.only_with {
        let _ = write!(about, " Only with `{sibling} = {value:?}`.");
    }
    if key.spec.is_sweepable {
        about += " **swept**";
    }
    if !key.spec.is_built {
        about += " *Not built yet.*";
    }
    about
}

/// What the words of a key mean, where there are several.
fn described(text: &mut String, key: &Key) {
    let (Kind::Choice(choices) | Kind::Either(choices, _)) = key.spec.kind else {
        return;
    };
    if choices.len() < 2 {
        return;
    }
    let _ = write!(text, "\n`{}`:\n\n", key.name);
    for choice in choices {
        let later = if choice.is_built { "" } else { " *Not built yet.*" };
        let uses: Vec<String> = choice.uses.iter().map(|name| format!("`{name}`")).collect();
        let uses = if uses.is_empty() {
            String::new()
        } else {
            format!(" Uses {}.", uses.join(", "))
        };
        let _ = writeln!(text, "- `{}`: {}{uses}{later}", choice.name, choice.doc());
    }
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == page(),
            "docs/config.md is old: gradsweep schema --markdown > docs/config.md"
        );
    }

    #[test]
    fn every_key_has_a_row() {
        let page = page();
        for table in reference() {
            for key in table.keys.iter().filter(|key| key.fields().is_empty()) {
                assert!(
                    page.contains(&format!("| `{}` |", key.name)),
                    "{}.{}",
                    table.path,
                    key.name
                );
            }
        }
    }
}
