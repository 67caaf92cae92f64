//! The grammar of `[sweep.parameters]`, `[[sweep.points]]` and `[[sweep.exclude]]`: names are paths of keys.
//!
//! [`values`] reads lists, [`range`] what lies between two ends.

mod range;
mod values;

use super::check;
use super::key::Key;
use super::report::{Draft, Report};
use super::suggest::{did_you_mean, nearest, refused};
use super::sweep::DOMAIN_KEYS;
use super::table::{join, leads_to_sweepable, paths, sweepable};
use super::tree::{Data, Entry, Node};
use super::value::Value;
use range::{automatic, range};
use values::{distinct, values, with_probabilities};

/// Path and entry of every leaf: quoted names, dotted names and nested tables mean the same.
pub(super) fn leaves(entries: &[Entry]) -> Vec<(String, &Entry)> {
    fn walk<'a>(prefix: &str, entries: &'a [Entry], leaves: &mut Vec<(String, &'a Entry)>) {
        for entry in entries {
            let path = join(prefix, &entry.name);
            let below = entry.node.entries();
            // Of a path that no key has, the whole of it is worth showing: it ends where a value begins.
            let is_spec = below
                .iter()
                .any(|entry| DOMAIN_KEYS.iter().any(|key| key.name == entry.name));
            let is_path = !below.is_empty() && (leads_to_sweepable(&path) || !is_spec);
            if is_path && sweepable(&path).is_none() {
                walk(&path, entry.node.entries(), leaves);
            } else {
                leaves.push((path, entry));
            }
        }
    }
    let mut leaves = Vec::new();
    walk("", entries, &mut leaves);
    leaves.sort_by_key(|(_, entry)| (entry.name_at.source, entry.name_at.range.start));
    leaves
}

/// The checked parameters, each path with a list of values or a range, in the order of the text.
pub(super) fn domains(report: &mut Report, entries: &[Entry]) -> Value {
    let mut domains: Vec<(String, Value)> = Vec::new();
    for (path, entry) in leaves(entries) {
        let Some(key) = known(report, &path, entry) else {
            continue;
        };
        if domains.iter().any(|(other, _)| *other == path) {
            report.add(
                &entry.name_at,
                Draft::new(format!("`{path}` is swept twice")).label("the second time"),
            );
            continue;
        }
        match domain(report, &path, key, entry) {
            Some(value) => domains.push((path, value)),
            None => report.break_path(&path),
        }
    }
    Value::Table(domains)
}

/// The checked assignments of `[[sweep.points]]` or `[[sweep.exclude]]`.
pub(super) fn assignments(report: &mut Report, path: &str, nodes: &[Node]) -> Value {
    let mut assignments = Vec::new();
    for node in nodes {
        let Data::Table(entries) = &node.data else {
            report.add(
                &node.at,
                Draft::new(format!("`{path}` takes tables")).label(format!("found {}", node.data.name())),
            );
            continue;
        };
        let mut values: Vec<(String, Value)> = Vec::new();
        for (path, entry) in leaves(entries) {
            let Some(key) = known(report, &path, entry) else {
                continue;
            };
            if values.iter().any(|(other, _)| *other == path) {
                report.add(
                    &entry.name_at,
                    Draft::new(format!("`{path}` is given twice")).label("the second time"),
                );
            } else if let Some(value) = one(report, &path, key, &entry.node) {
                values.push((path, value));
            }
        }
        if entries.is_empty() {
            report.add(
                &node.at,
                Draft::new(format!("an entry of `{path}` names no key")).label("empty"),
            );
        }
        assignments.push(Value::Table(values));
    }
    Value::List(assignments)
}

/// The key at a path that a sweep may vary, or a problem.
fn known(report: &mut Report, path: &str, entry: &Entry) -> Option<&'static Key> {
    if let Some((_, key)) = sweepable(path) {
        return Some(key);
    }
    if report.is_full() {
        report.add(&entry.name_at, Draft::new(""));
        return None;
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    let names = || {
        paths()
            .keys()
            .map(String::as_str)
            .filter(|path| sweepable(path).is_some())
    };
    let draft = if paths().contains_key(path) {
        Draft::new(format!("`{path}` cannot be swept"))
            .label("the same in every trial")
            .help("preprocess.*, model.* and train.* can vary from trial to trial")
    } else if let Some(foreign) = refused(last) {
        report.break_path(foreign.path);
        foreign.advise(Draft::new(format!("`{path}` is not a key")), None)
    } else {
        // A bare name is looked for in every table, a path among the paths.
        let by_name: Vec<&str> = if path.contains('.') {
            let table = path.rsplit_once('.').map_or("", |(table, _)| table);
            let below = names().filter_map(|known| known.strip_prefix(table)?.strip_prefix('.'));
            nearest(last, below)
                .into_iter()
                .filter_map(|name| sweepable(&join(table, name)).map(|(p, _)| p))
                .collect()
        } else {
            let last_of = |known: &'static str| known.rsplit('.').next().unwrap_or(known);
            let best = nearest(path, names().map(last_of));
            names().filter(|known| best.contains(&last_of(known))).take(3).collect()
        };
        let near = if by_name.is_empty() {
            nearest(path, names())
        } else {
            by_name
        };
        for near in &near {
            report.break_path(near);
        }
        let draft = Draft::new(format!("`{path}` is not the path of a key"));
        match did_you_mean(&near) {
            Some(label) => draft.label(label),
            None => draft
                .label("no such key")
                .help("a name here is the path it overrides, as model.C or train.learning_rate"),
        }
    };
    report.add(&entry.name_at, draft);
    None
}

/// One checked value of a key.
fn one(report: &mut Report, path: &str, key: &Key, node: &Node) -> Option<Value> {
    let before = report.count();
    let value = check::value(report, &key.spec.kind, path, node, &node.at)?;
    if report.count() > before {
        return None;
    }
    let value = key.canonical(&value);
    if !key.spec.is_built && value != key.default_value() {
        report.add(&node.at, check::not_built(key, path));
        return None;
    }
    Some(value)
}

fn domain(report: &mut Report, path: &str, key: &Key, entry: &Entry) -> Option<Value> {
    match &entry.node.data {
        Data::List(nodes) if !key.spec.kind.is_container() => {
            values(report, path, key, nodes, &entry.node).map(|values| Value::List(distinct(values, &mut Vec::new())))
        }
        Data::Table(_) => spec(report, path, key, entry),
        Data::List(_) => {
            let list = report.slice(&entry.node.at);
            report.add(
                &entry.node.at,
                Draft::new(format!("`{path}` takes lists or tables itself"))
                    .label(format!("write {{ values = {list} }}")),
            );
            None
        }
        _ => {
            let value = report.slice(&entry.node.at);
            report.add(
                &entry.node.at,
                Draft::new(format!("`{path}` needs a list or a range here"))
                    .label(format!("write [{value}]"))
                    .help("a value for all trials goes into the key's own table"),
            );
            None
        }
    }
}

/// A parameter that is written as a table: `values`, or `min` and `max`, or `auto`; each with `when`.
fn spec(report: &mut Report, path: &str, key: &Key, entry: &Entry) -> Option<Value> {
    let condition = entry.node.entry("when");
    let when = condition.map(|condition| when(report, path, condition));
    match (table(report, path, key, entry), when) {
        (Some(domain), None) => Some(domain),
        (Some(Value::Table(mut entries)), Some(Some(when))) => {
            entries.push(("when".to_owned(), when));
            Some(Value::Table(entries))
        }
        (Some(values), Some(Some(when))) => Some(Value::Table(vec![
            ("values".to_owned(), values),
            ("when".to_owned(), when),
        ])),
        _ => None,
    }
}

/// The checked conditions of a parameter: paths, each with a list of values.
fn when(report: &mut Report, parameter: &str, condition: &Entry) -> Option<Value> {
    let Data::Table(entries) = &condition.node.data else {
        report.add(
            &condition.node.at,
            Draft::new(format!("`when` of `{parameter}` must be a table of paths"))
                .label("write { \"train.solver\" = [\"sgd\"] }"),
        );
        return None;
    };
    let before = report.count();
    let mut conditions: Vec<(String, Value)> = Vec::new();
    for (path, entry) in leaves(entries) {
        let Some(key) = known(report, &path, entry) else {
            continue;
        };
        let checked = match &entry.node.data {
            Data::List(nodes) if !key.spec.kind.is_container() => values(report, &path, key, nodes, &entry.node),
            _ => one(report, &path, key, &entry.node).map(|value| vec![value]),
        };
        if let Some(values) = checked {
            conditions.push((path, Value::List(distinct(values, &mut Vec::new()))));
        }
    }
    if entries.is_empty() {
        let draft = Draft::new(format!("`when` of `{parameter}` names no key")).label("empty");
        report.add(&condition.node.at, draft);
    }
    (report.count() == before).then_some(Value::Table(conditions))
}

/// The values or the range of a parameter that is written as a table.
fn table(report: &mut Report, path: &str, key: &Key, entry: &Entry) -> Option<Value> {
    let before = report.count();
    let node = &entry.node;
    let checked = check::fields(
        report,
        DOMAIN_KEYS,
        &join("sweep.parameters", path),
        Some(node),
        &entry.name_at,
    );
    if report.count() > before {
        return None;
    }
    let part = |name: &str| node.entry(name);
    if let Some(auto) = part("auto") {
        return automatic(report, path, node, auto, &checked);
    }
    if let Some(extra) = part("ratio") {
        let draft =
            Draft::new(format!("`ratio` of `{path}` belongs to `auto`")).label("leave it out, or add auto = true");
        report.add(&extra.name_at, draft);
        return None;
    }
    if let (Some(extra), None) = (part("probabilities"), part("values")) {
        let draft = Draft::new(format!("`probabilities` of `{path}` belongs to `values`")).label("leave it out");
        report.add(&extra.name_at, draft);
        return None;
    }
    match (part("values"), part("min"), part("max")) {
        (Some(list), None, None) => {
            for name in ["num", "log", "step"] {
                if let Some(extra) = part(name) {
                    let draft = Draft::new(format!("`{name}` of `{path}` belongs to a range")).label("leave it out");
                    report.add(&extra.name_at, draft);
                }
            }
            let Data::List(nodes) = &list.node.data else {
                report.add(
                    &list.node.at,
                    Draft::new(format!("the values of `{path}` must be a list"))
                        .label(format!("found {}", list.node.data.name())),
                );
                return None;
            };
            let values = values(report, path, key, nodes, &list.node)?;
            match part("probabilities") {
                None => Some(Value::List(distinct(values, &mut Vec::new()))),
                Some(written) => with_probabilities(report, path, values, written, &checked),
            }
        }
        (None, Some(min), Some(max)) => range(report, path, key, entry, (min, max), &checked),
        (Some(_), Some(extra), _) | (Some(_), _, Some(extra)) => {
            report.add(
                &extra.name_at,
                Draft::new(format!("`{path}` has values and a range")).label("leave out one of them"),
            );
            None
        }
        (None, Some(_), None) | (None, None, Some(_)) => {
            let missing = if part("min").is_none() { "min" } else { "max" };
            report.add(
                &node.at,
                Draft::new(format!("the range of `{path}` has no `{missing}`")).label(format!("add {missing} = …")),
            );
            None
        }
        (None, None, None) => {
            report.add(
                &node.at,
                Draft::new(format!("`{path}` needs values or a range"))
                    .label("write { values = [...] } or { min = …, max = …, num = … }"),
            );
            None
        }
    }
}
