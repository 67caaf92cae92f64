//! From text to a config, or to everything that is wrong with it.

use super::check;
use super::config::{Config, name_from};
use super::key::Setting;
use super::problem::{Problem, Problems};
use super::report::{Draft, Report};
use super::table::paths;
use super::tree::{self, At, Data};
use super::value::Value;
use super::{rules, sets};

/// A longer text is no config.
pub const MOST_BYTES: usize = 1 << 20;

/// Reads a config and checks everything that can be checked without reading data.
///
/// `file` is what messages call the text, `stem` is the name of a config that has none, `sets` are the `key=value` of
/// `--set`, each above the file and above those before it.
///
/// # Errors
/// All problems at once, in the order of the text.
pub fn parse(text: &str, file: &str, stem: &str, sets: &[String]) -> Result<Config, Problems> {
    if text.len() > MOST_BYTES {
        let message = "this is too long for a config, which has 1 MiB at the most".to_owned();
        let problem = Problem {
            message,
            span: None,
            label: None,
            help: None,
        };
        return Err(Problems {
            file: file.to_owned(),
            text: String::new(),
            problems: vec![problem],
        });
    }
    let mut report = Report::new(text, sets);
    let (mut tree, errors) = tree::parse(text, 0);
    let is_whole = errors.is_empty();
    for error in errors {
        // The parser takes what is not there for text without quotes.
        let is_missing =
            error.message.starts_with("string values must be quoted") && report.slice(&error.at).trim().is_empty();
        let what = if is_missing {
            "a value is missing"
        } else {
            &error.message
        };
        report.add_syntax(&error.at, Draft::new(format!("this is not TOML: {what}")));
    }
    if !is_whole {
        // What could not be read may hold the keys that seem to be missing.
        for (path, _) in paths().iter().filter(|(_, key)| key.spec.is_required) {
            report.break_path(path);
        }
    }
    let sets = sets::apply(&mut report, &mut tree, sets);
    report.is_grid = tree
        .find(["sweep", "method"])
        .is_none_or(|entry| matches!(&entry.node.data, Data::Text(text) if text == "grid"));

    let mut values = check::fields(&mut report, Config::KEYS, "", Some(&tree), &At::START);
    if let (Value::Table(values), None) = (&mut values, tree.entry("name")) {
        for (_, value) in values.iter_mut().filter(|(name, _)| name == "name") {
            *value = Value::Text(name_from(stem));
        }
    }
    let config = Config::read(&values);
    if let (Some(config), true) = (&config, is_whole) {
        rules::check(&mut report, config, &tree, &sets);
    }
    match (report.finish(file), config) {
        (Some(problems), _) => Err(problems),
        (None, Some(config)) => Ok(config),
        (None, None) => unreachable!("checked values have the types of their keys"),
    }
}
