//! Lists of values: each once, of the key's type, with its share of the draws.

use std::collections::BTreeMap;

use super::one;
use crate::config::key::{Key, Setting};
use crate::config::report::{Draft, Report};
use crate::config::tree::{Entry, Node};
use crate::config::value::Value;

/// Every value of a list, of the key's type.
pub(super) fn values(report: &mut Report, path: &str, key: &Key, nodes: &[Node], list: &Node) -> Option<Vec<Value>> {
    if nodes.is_empty() {
        report.add(
            &list.at,
            Draft::new(format!("`{path}` has no values")).label("the list is empty"),
        );
        return None;
    }
    let checked: Vec<_> = nodes.iter().map(|node| one(report, path, key, node)).collect();
    checked.into_iter().collect()
}

/// Each value once. A value that is written twice is drawn as often as both together.
pub(super) fn distinct(values: Vec<Value>, probabilities: &mut Vec<f64>) -> Vec<Value> {
    // Equal values have equal texts, and texts have an order.
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let (mut kept, mut shares) = (Vec::new(), Vec::new());
    for (i, value) in values.into_iter().enumerate() {
        let share = probabilities.get(i).copied().unwrap_or(0.0);
        let place = *places.entry(value.to_string()).or_insert(kept.len());
        if place == kept.len() {
            kept.push(value);
            shares.push(share);
        } else {
            shares[place] += share;
        }
    }
    if !probabilities.is_empty() {
        *probabilities = shares;
    }
    kept
}

/// A list of values, each with its share of the draws.
pub(super) fn with_probabilities(
    report: &mut Report,
    path: &str,
    values: Vec<Value>,
    written: &Entry,
    checked: &Value,
) -> Option<Value> {
    let mut shares: Vec<f64> = Vec::read(checked.get("probabilities")?)?;
    let sum: f64 = shares.iter().sum();
    let wrong = if report.is_grid {
        let message = format!("`probabilities` of `{path}` has no effect with method \"grid\"");
        Some((&written.name_at, message, "a grid takes every value once".to_owned()))
    } else if shares.len() != values.len() {
        let message = format!(
            "`{path}` has {} values and {} probabilities",
            values.len(),
            shares.len()
        );
        Some((&written.node.at, message, "one for each value".to_owned()))
    } else if (sum - 1.0).abs() > 1e-6 {
        let message = format!("the probabilities of `{path}` must add up to 1");
        Some((
            &written.node.at,
            message,
            format!("they add up to {}", (sum * 1e6).round() / 1e6),
        ))
    } else {
        None
    };
    if let Some((at, message, label)) = wrong {
        report.add(at, Draft::new(message).label(label));
        return None;
    }
    let values = distinct(values, &mut shares);
    Some(Value::Table(vec![
        ("values".into(), Value::List(values)),
        ("probabilities".into(), shares.write()),
    ]))
}
