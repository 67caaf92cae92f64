//! The model card: `README.md` in a model's folder, for whoever finds the folder.
//!
//! What the program knows is written anew with every model; what people fill in, below a marker, stays.

use std::collections::BTreeMap;
use std::path::Path;

use gradsweep_store::{self as store, Model, ParamValue, Shape, TrialTable};

use crate::config::{Solver, sweepable};
use crate::error::RunError;
use crate::plan::grouped;

pub(crate) const FILE: &str = "README.md";
/// What follows it belongs to people.
const MARKER: &str = "<!-- What follows is yours: it stays when the model is fitted again. -->";
/// Features listed, the largest first.
const FEATURES: usize = 50;
/// Columns listed.
const COLUMNS: usize = 200;

const TO_FILL: &str = "
## Intended use

- Who uses it, for what: *to be filled in*
- Not to be used for: *to be filled in*

## Where the data come from

- Source, time and way of collection: *to be filled in*
- Who or what is missing in them: *to be filled in*

## Limits and risks

- Groups it was not scored on: *to be filled in*
- What a wrong prediction costs, and whom: *to be filled in*

## Contact

- *to be filled in*
";

/// Writes the card of the model in `dir`; `table` has the trial's scores over folds, where there are any.
pub(crate) fn write(dir: &Path, model: &Model, table: Option<&TrialTable>) -> Result<(), RunError> {
    let kept = std::fs::read_to_string(dir.join(FILE)).ok();
    let kept = kept
        .as_deref()
        .and_then(|text| text.split_once(MARKER))
        .map(|(_, own)| own);
    let text = format!("{}{MARKER}{}", known(model, table), kept.unwrap_or(TO_FILL));
    Ok(store::write_beside_model(dir, FILE, text.as_bytes())?)
}

/// All that the program knows.
fn known(model: &Model, table: Option<&TrialTable>) -> String {
    let info = &model.info;
    let target = &info.target;
    let share = 100.0 * target.positives as f64 / info.rows.max(1) as f64;
    let mut text = format!(
        "# {}\n\nA logistic regression that gives the probability of `{}` = `{}`, made by gradsweep {}.\n\n",
        escaped(&info.name),
        code(&target.name),
        code(&target.positive),
        escaped(&info.version),
    );
    text += "## Use\n\n```sh\ngradsweep predict PATH/TO/THIS/FOLDER --data new.csv --out scores.parquet\n```\n\n";
    text += &format!(
        "It predicts `{}` where the probability is above {}.\n\n## Data\n\n- {} rows, {} of them `{}` ({share:.1} %); the rest is `{}`\n\
         - {} columns, {} features\n- content hash: `{}`\n\n",
        code(&target.positive),
        info.threshold,
        grouped(info.rows),
        grouped(target.positives),
        code(&target.positive),
        code(&target.negative),
        grouped(info.columns.len() as u64),
        grouped(info.features.len() as u64),
        code(&info.fingerprint),
    );
    text += &columns(model);
    text += &scores(model, table);
    text += &coefficients(model);
    text += &settings(model);
    text
}

fn columns(model: &Model) -> String {
    let mut text = "| column | kind | rows without a value |\n| :-- | :-- | --: |\n".to_owned();
    for column in model.info.columns.iter().take(COLUMNS) {
        let kind = match &column.shape {
            Shape::Numeric { is_boolean: true, .. } => "true or false".to_owned(),
            Shape::Numeric { .. } => "number".to_owned(),
            Shape::Categorical { levels, .. } => format!("{} levels", grouped(levels.len() as u64)),
        };
        text += &format!("| {} | {kind} | {} |\n", escaped(&column.name), grouped(column.nulls));
    }
    text += &left_out(model.info.columns.len(), COLUMNS, "columns");
    text + "\n"
}

fn scores(model: &Model, table: Option<&TrialTable>) -> String {
    let metrics = &model.info.metrics;
    let mut text =
        "## Scores\n\n| metric | validation | 95 % interval | test | training |\n| :-- | --: | :-- | --: | --: |\n"
            .to_owned();
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.5}"));
    let row = table.and_then(|table| Some((table, table.trial(model.info.trial)?)));
    let mut names: Vec<&String> = metrics.val.keys().chain(metrics.train.keys()).collect();
    names.sort_unstable_by_key(|name| (**name != metrics.select, *name));
    names.dedup();
    let mut splits = None;
    for name in names {
        let score = row.and_then(|(table, row)| {
            let index = table.metrics.iter().position(|metric| metric.name == *name)?;
            Some(row.scores[index])
        });
        let interval = score.and_then(|score| {
            let (mean, std, se) = (score.mean_val?, score.std_val?, score.se_val?);
            let count = if se > 0.0 {
                (std / se).powi(2).round()
            } else {
                return None;
            };
            splits = Some(count);
            let half = student_975(count - 1.0) * se;
            let (least, most) = bounds(name);
            Some(format!(
                "{:.5} to {:.5}",
                (mean - half).max(least),
                (mean + half).min(most)
            ))
        });
        let test = metrics.test.as_ref().and_then(|test| test.get(name).copied().flatten());
        text += &format!(
            "| {name} | {} | {} | {} | {} |\n",
            number(metrics.val.get(name).and_then(|mean| mean.mean)),
            interval.unwrap_or_else(|| "–".to_owned()),
            number(test),
            number(metrics.train.get(name).copied().flatten()),
        );
    }
    text.push('\n');
    if let Some(splits) = splits {
        text += &format!(
            "Validation is the mean over {splits} held-out parts, of models fitted to the other rows. The interval is Student's over those parts; \
             they share training rows, so it is rather too narrow. "
        );
    }
    if !metrics.val.is_empty() {
        text += "The trial was chosen by its validation score, which therefore flatters it. ";
    }
    text += &match metrics.test_rows {
        Some(rows) => format!("The test score is of {} rows that decided nothing.\n\n", grouped(rows)),
        None => "There was no test file.\n\n".to_owned(),
    };
    text
}

/// The values that a metric can have; an interval that reaches beyond them is cut there.
fn bounds(metric: &str) -> (f64, f64) {
    match metric {
        "log_loss" => (0.0, f64::INFINITY),
        "matthews_corrcoef" => (-1.0, 1.0),
        _ => (0.0, 1.0),
    }
}

fn coefficients(model: &Model) -> String {
    let numbers = &model.numbers;
    let mut scale = vec![None; numbers.coefficients.len()];
    let numeric = model.info.columns.iter().filter_map(|column| match &column.shape {
        Shape::Numeric { feature, .. } => Some(*feature),
        Shape::Categorical { .. } => None,
    });
    for (feature, own) in numeric.zip(&numbers.scale) {
        scale[feature] = Some(*own);
    }
    let mut order: Vec<usize> = (0..numbers.coefficients.len()).collect();
    let size = |feature: usize| numbers.coefficients[feature].abs();
    order.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
    let mut text = format!(
        "## Coefficients\n\nChange of the log odds per standard deviation of a number, or for having a level; beside it, per unit. The intercept is \
         {:.5}.\n\n| feature | coefficient | per unit |\n| :-- | --: | --: |\n",
        numbers.intercept
    );
    for &feature in order.iter().take(FEATURES) {
        let coefficient = numbers.coefficients[feature];
        let per_unit = scale[feature].map_or("–".to_owned(), |scale| {
            ParamValue::Float(round(coefficient / scale)).to_string()
        });
        text += &format!(
            "| {} | {coefficient:.5} | {per_unit} |\n",
            escaped(&model.info.features[feature])
        );
    }
    text += &left_out(order.len(), FEATURES, "features with smaller ones");
    text + "\n"
}

fn settings(model: &Model) -> String {
    let info = &model.info;
    let mut text = format!(
        "## Fit\n\nTrial {} of the sweep, fitted to all rows in {}",
        info.trial, info.precision
    );
    let swept = info.params.iter().map(|(path, value)| format!("`{path}` = {value}"));
    let swept: Vec<String> = swept.collect();
    text += &if swept.is_empty() {
        ".\n\n".to_owned()
    } else {
        format!(", with {}.\n\n", swept.join(", "))
    };
    text += "| key | value |\n| :-- | :-- |\n";
    let tables = ["model.", "preprocess.", "train."];
    for (key, value) in info
        .keys
        .iter()
        .filter(|(key, _)| tables.iter().any(|table| key.starts_with(table)) && has_effect(&info.keys, key))
    {
        text += &format!("| {} | {} |\n", escaped(key), escaped(&value.to_string()));
    }
    text + "\n"
}

/// Whether a key mattered to the fit: not where the solver does not use it, nor where it belongs to another kind of model.
fn has_effect(keys: &BTreeMap<String, serde_json::Value>, path: &str) -> bool {
    let text = |key: &str| keys.get(key).and_then(serde_json::Value::as_str);
    let solver = Solver::ALL
        .iter()
        .find(|solver| text("train.solver") == Some(solver.name()));
    let name = path
        .strip_prefix("train.")
        .map(|rest| rest.split('.').next().unwrap_or(rest));
    let is_used = solver.zip(name).is_none_or(|(solver, name)| solver.uses(name));
    let needed = sweepable(path).and_then(|(_, key)| key.spec.only_with);
    is_used
        && needed.is_none_or(|(sibling, value)| {
            let table = path.rsplit_once('.').map_or("", |(table, _)| table);
            text(&format!("{table}.{sibling}")) == Some(value)
        })
}

fn left_out(all: usize, listed: usize, what: &str) -> String {
    match all.checked_sub(listed) {
        Some(more @ 1..) => format!("\n{} more {what}.\n", grouped(more as u64)),
        _ => String::new(),
    }
}

/// To five significant digits.
fn round(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// The 0.975 quantile of Student's distribution, to within 0.003.
fn student_975(degrees: f64) -> f64 {
    const SMALL: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    const NORMAL: f64 = 1.959_964;
    if degrees < 1.0 {
        return f64::INFINITY;
    }
    if let Some(quantile) = SMALL.get(degrees as usize - 1) {
        return *quantile;
    }
    // Two terms of the expansion around the normal quantile.
    let z = NORMAL;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    z + first / degrees + second / degrees.powi(2)
}

/// A text of the user's that stays text in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '[' | ']' | '#' | '!' | '$' | '~' => out.extend(['\\', c]),
            c if is_harmful(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A text of the user's between backticks.
fn code(text: &str) -> String {
    text.chars()
        .map(|c| if c == '`' || is_harmful(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Control characters, and those that change the direction of text or take no room.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text() {
        assert_eq!(
            escaped("a|b <img src=x> [x](y)\n# h"),
            "a\\|b &lt;img src=x&gt; \\[x\\](y)\u{fffd}\\# h"
        );
        assert_eq!(code("a`b\nc"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (degrees, quantile) in [
            (4.0, 2.776),
            (10.0, 2.228),
            (11.0, 2.201),
            (30.0, 2.042),
            (120.0, 1.980),
        ] {
            assert!((student_975(degrees) - quantile).abs() < 3e-3, "{degrees}");
        }
    }

    #[test]
    fn only_keys_that_mattered_are_listed() {
        let keys = [("train.solver", "sgd"), ("model.kind", "logistic")];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.into())).into();
        for (key, matters) in [
            ("train.momentum", true),
            ("train.beta1", false),
            ("train.schedule.kind", true),
            ("train.epochs", true),
            ("model.C", true),
            ("model.hidden", false),
            ("preprocess.scale", true),
        ] {
            assert_eq!(has_effect(&keys, key), matters, "{key}");
        }
    }

    #[test]
    fn intervals_end_where_the_metric_does() {
        assert_eq!(bounds("recall"), (0.0, 1.0));
        assert_eq!(bounds("log_loss"), (0.0, f64::INFINITY));
        assert_eq!(bounds("matthews_corrcoef"), (-1.0, 1.0));
    }

    #[test]
    fn small_numbers_keep_five_digits() {
        assert_eq!(round(0.000_123_456_789), 0.000_123_46);
    }
}
