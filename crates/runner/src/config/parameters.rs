//! The grammar of `[sweep.parameters]`, `[[sweep.points]]` and `[[sweep.exclude]]`: names are paths of keys.

use std::collections::BTreeSet;

use super::check;
use super::key::{Key, Kind, Sweep};
use super::report::{Draft, Report};
use super::suggest::{did_you_mean, nearest, refused};
use super::sweep::DOMAIN_KEYS;
use super::table::{join, leads_to_sweepable, paths, sweepable};
use super::tree::{Data, Entry, Node};
use super::value::Value;

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
        if key.spec.sweep == Sweep::Yes {
            return Some(key);
        }
        report.add(
            &entry.name_at,
            Draft::new(format!("sweeping `{path}` is not built yet")).label("set it for the whole sweep"),
        );
        return None;
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
            .help("model.* and train.* can vary from trial to trial")
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
        Data::List(nodes) if !key.spec.kind.is_container() => values(report, path, key, nodes, &entry.node),
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

fn values(report: &mut Report, path: &str, key: &Key, nodes: &[Node], list: &Node) -> Option<Value> {
    if nodes.is_empty() {
        report.add(
            &list.at,
            Draft::new(format!("`{path}` has no values")).label("the list is empty"),
        );
        return None;
    }
    let checked: Vec<_> = nodes.iter().map(|node| one(report, path, key, node)).collect();
    let mut values = checked.into_iter().collect::<Option<Vec<_>>>()?;
    // Equal values have equal texts, and texts have an order.
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(value.to_string()));
    Some(Value::List(values))
}

/// A parameter that is written as a table: `values`, or `min` and `max`, or `auto`.
fn spec(report: &mut Report, path: &str, key: &Key, entry: &Entry) -> Option<Value> {
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
    match (part("values"), part("min"), part("max")) {
        (Some(list), None, None) => {
            for name in ["num", "log"] {
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
            values(report, path, key, nodes, &list.node)
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

/// Values that the data decide.
fn automatic(report: &mut Report, path: &str, node: &Node, auto: &Entry, checked: &Value) -> Option<Value> {
    let before = report.count();
    if path != "model.C" {
        let draft = Draft::new(format!("`{path}` has no automatic range")).label("only model.C has one");
        report.add(&auto.name_at, draft);
        return None;
    }
    if checked.get("auto") != Some(&Value::Bool(true)) {
        report.add(
            &auto.node.at,
            Draft::new(format!("`auto` of `{path}` can only be true")).label("write true, or leave `auto` out"),
        );
    }
    for name in ["values", "min", "max", "log"] {
        if let Some(extra) = node.entry(name) {
            let draft = Draft::new(format!("`{name}` of `{path}` has no effect with `auto`"))
                .label("leave it out")
                .help("the data decide where the range begins, ratio where it ends; its steps are equal ratios");
            report.add(&extra.name_at, draft);
        }
    }
    if !report.needs_num {
        let draft =
            Draft::new("`auto` needs method \"grid\"").label("give the range: { min = …, max = …, log = true }");
        report.add(&auto.name_at, draft);
    }
    if let (Some(Value::Int(1)), Some(num)) = (checked.get("num"), node.entry("num")) {
        let draft = Draft::new(format!("one value cannot hold both ends of the range of `{path}`"))
            .label("num must be 2 or more");
        report.add(&num.node.at, draft);
    }
    let or_default = |name: &str, default: Value| {
        let own = checked.get(name).filter(|value| **value != Value::Null);
        (name.to_owned(), own.cloned().unwrap_or(default))
    };
    (report.count() == before).then(|| {
        Value::Table(vec![
            ("auto".into(), Value::Bool(true)),
            or_default("num", Value::Int(64)),
            or_default("ratio", Value::Float(1e-4)),
        ])
    })
}

fn range(
    report: &mut Report,
    path: &str,
    key: &Key,
    entry: &Entry,
    ends: (&Entry, &Entry),
    checked: &Value,
) -> Option<Value> {
    let at = &entry.node.at;
    if !key.spec.kind.is_numeric() {
        report.add(
            at,
            Draft::new(format!("`{path}` has no range"))
                .label("list its values")
                .help(format!("it must be {}", key.spec.kind.expected())),
        );
        return None;
    }
    let min = end(report, path, key, ends.0);
    let max = end(report, path, key, ends.1);
    let (min, max) = (min?, max?);
    let is_log = checked.get("log") == Some(&Value::Bool(true));
    let mut is_sound = true;
    if min > max {
        is_sound = false;
        report.add(
            &ends.0.node.at,
            Draft::new(format!("the range of `{path}` is empty")).label(format!("above max = {max}")),
        );
    }
    if is_log && min <= 0.0 {
        is_sound = false;
        report.add(
            &ends.0.node.at,
            Draft::new(format!("a log range of `{path}` must start above 0")).label("bounds are values, not exponents"),
        );
    }
    match checked.get("num") {
        Some(Value::Int(1)) if min < max => {
            is_sound = false;
            report.add(
                at,
                Draft::new(format!("one value cannot hold both ends of the range of `{path}`"))
                    .label("num must be 2 or more"),
            );
        }
        Some(Value::Int(_)) => {}
        _ if !report.needs_num => is_sound = false,
        _ => {
            is_sound = false;
            let num = if is_log && is_sound_ratio(min, max) {
                ((max / min).log10().round() as u32 + 1).max(2)
            } else {
                5
            };
            report.add(
                at,
                Draft::new("method \"grid\" cannot enumerate a range without `num`").label(format!("add num = {num}")),
            );
        }
    }
    is_sound.then(|| {
        Value::Table(vec![
            ("min".into(), Value::Float(min)),
            ("max".into(), Value::Float(max)),
            ("num".into(), checked.get("num").cloned().unwrap_or(Value::Null)),
            ("log".into(), Value::Bool(is_log)),
        ])
    })
}

fn is_sound_ratio(min: f64, max: f64) -> bool {
    min > 0.0 && (max / min).is_finite()
}

/// One end of a range: a finite number that the key takes.
fn end(report: &mut Report, path: &str, key: &Key, entry: &Entry) -> Option<f64> {
    // A range has no words.
    let kind = if let Kind::Either(_, number) = key.spec.kind {
        number
    } else {
        &key.spec.kind
    };
    match check::value(report, kind, path, &entry.node, &entry.name_at)? {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) if value.is_finite() => Some(value),
        _ => {
            report.add(
                &entry.node.at,
                Draft::new(format!("the range of `{path}` must be finite")).label("inf can stand in a list of values"),
            );
            None
        }
    }
}
