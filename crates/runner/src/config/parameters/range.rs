//! Ranges: two ends and how to get from one to the other, or what the data decide.

use crate::config::check;
use crate::config::key::{Bounds, Key, Kind};
use crate::config::report::{Draft, Report};
use crate::config::tree::{Entry, Node};
use crate::config::value::Value;

/// Values that the data decide.
pub(super) fn automatic(report: &mut Report, path: &str, node: &Node, auto: &Entry, checked: &Value) -> Option<Value> {
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
    for name in ["values", "probabilities", "min", "max", "log", "step"] {
        if let Some(extra) = node.entry(name) {
            let draft = Draft::new(format!("`{name}` of `{path}` has no effect with `auto`"))
                .label("leave it out")
                .help("the data decide where the range begins, ratio where it ends; its steps are equal ratios");
            report.add(&extra.name_at, draft);
        }
    }
    if !report.is_grid {
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

/// The numbers between two ends, both included.
pub(super) fn range(
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
    let step = match entry.node.entry("step") {
        None => None,
        Some(written) => {
            let step = step(report, path, key, written, max - min);
            is_sound = step.is_some();
            step
        }
    };
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
        _ if !report.is_grid => {}
        // Equal steps can be counted.
        _ if entry.node.entry("step").is_some() && !is_log => {}
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
            ("step".into(), step.map_or(Value::Null, Value::Float)),
        ])
    })
}

/// The step of a range: a positive number of the key's type, no longer than the range.
fn step(report: &mut Report, path: &str, key: &Key, entry: &Entry, length: f64) -> Option<f64> {
    let kind = if key.spec.kind.is_integer() {
        Kind::Integer(1, i64::MAX)
    } else {
        Kind::Number(Bounds::POSITIVE)
    };
    let name = format!("sweep.parameters.{path}.step");
    let step = match check::value(report, &kind, &name, &entry.node, &entry.name_at)? {
        Value::Int(step) => step as f64,
        Value::Float(step) => step,
        _ => return None,
    };
    if step > length && length >= 0.0 {
        let draft = Draft::new(format!("the step of `{path}` is longer than its range"))
            .label(format!("the range is {length} long"));
        report.add(&entry.node.at, draft);
        return None;
    }
    Some(step)
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
