//! `gradsweep evaluate`: how good a model is on labelled rows.

use gradsweep_report::Format;
use gradsweep_runner::plan::grouped;
use gradsweep_runner::predict::{self, Evaluation};

use super::{drift, json};
use crate::args::EvaluateArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn evaluate(arguments: &EvaluateArgs, quiet: bool) -> Result<u8, Failure> {
    let done = predict::evaluate(&arguments.model, &arguments.data)?;
    if !quiet {
        terminal::say(&format!(
            "Scored {} rows of {} with {}: {} \"{}\" in {:.1} %",
            grouped(done.rows),
            drift::files(&done.applied.files),
            done.model.display(),
            done.target.name,
            done.target.positive,
            100.0 * done.positives as f64 / done.rows.max(1) as f64
        ));
        if done.rows_dropped > 0 {
            terminal::say(&format!(
                "  dropped  {} rows without a label",
                grouped(done.rows_dropped)
            ));
        }
        if let Some(weight) = &done.weight {
            terminal::say(&format!("  weight   rows count by {weight}"));
        }
        terminal::talk(&drift::lines(&done.applied));
    }
    let text = match arguments.format {
        Format::Json => json(&Answer::new(&done))?,
        format => table(&done, format),
    };
    terminal::result(&text)?;
    Ok(OK)
}

/// The evaluation with its metrics as one object.
#[derive(serde::Serialize)]
struct Answer<'a> {
    model: &'a std::path::Path,
    rows: u64,
    positives: u64,
    rows_dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'a str>,
    metrics: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Answer<'a> {
    fn new(done: &'a Evaluation) -> Self {
        let metrics = done
            .metrics
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()));
        Self {
            model: &done.model,
            rows: done.rows,
            positives: done.positives,
            rows_dropped: done.rows_dropped,
            weight: done.weight.as_deref(),
            metrics: metrics.collect(),
        }
    }
}

/// A row per metric. An empty cell is a metric that these rows do not define.
fn table(done: &Evaluation, format: Format) -> String {
    let full = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let width = done.metrics.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let rows = done.metrics.iter().map(|&(name, value)| match format {
        Format::Csv => format!("{name},{}\n", full(value)),
        Format::Md => format!("| {name} | {} |\n", full(value)),
        Format::Table | Format::Json => {
            let value = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.5}"));
            format!("{name:<width$}  {value:>8}\n")
        }
    });
    let head = match format {
        Format::Csv => "metric,value\n",
        Format::Md => "| metric | value |\n| :-- | --: |\n",
        Format::Table | Format::Json => "",
    };
    head.to_owned() + &rows.collect::<String>()
}
