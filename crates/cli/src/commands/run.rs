//! `gradsweep run`: trains a sweep, shows it on the way, and ends with one screen.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gradsweep_data::{self as data, SkipReason, Skipped};
use gradsweep_runner::config::Config;
use gradsweep_runner::plan::{PlanSummary, grouped, many};
use gradsweep_runner::sweep::{self, Request};

use super::closing::closing;
use super::{json, layers, name_of, parse, read_config, report};
use crate::args::{Answer, RunArgs};
use crate::exit::{Failure, OK, SOME_FAILED};
use crate::live::{Both, LiveReport};
use crate::progress::Progress;
use crate::signals;
use crate::terminal;

/// Columns listed one by one; of wider tables only the first.
const COLUMNS_SHOWN: usize = 40;

pub(crate) fn run(arguments: &RunArgs, quiet: bool) -> Result<u8, Failure> {
    let input = &arguments.input;
    let sets = layers(&arguments.sets, &arguments.sweeps)?;
    let is_config = input.extension().is_some_and(|extension| extension == "toml");
    let (path, request) = match (is_config, &arguments.target) {
        (true, None) => {
            let text = read_config(input)?;
            let config = parse(&text, input, &sets)?;
            (
                None,
                Request {
                    config,
                    text,
                    rows: arguments.rows,
                },
            )
        }
        (true, Some(target)) => {
            return Err(Failure::Usage {
                message: "--target goes with a data file; a config names its own".to_owned(),
                hint: Some(format!("--set data.target={target}")),
            });
        }
        (false, None) => {
            return Err(Failure::Usage {
                message: format!("which column of {} is to be predicted?", input.display()),
                hint: Some(format!("gradsweep run {} --target COLUMN", input.display())),
            });
        }
        (false, Some(target)) => starter(input, target, &sets, arguments.rows)?,
    };
    let say = |line: &str| {
        if !quiet {
            terminal::say(line);
        }
    };
    let dir = sweep::output_dir(&request.config);
    let progress = Progress::new(dir.clone(), quiet, arguments.log.as_deref())?;
    let live = arguments.report_live.then(|| LiveReport::new(dir));
    let written = OnceLock::new();
    let on_loaded = |data: &data::Summary, plan: &PlanSummary| {
        say(&opening(data));
        if let Some(path) = &path {
            say(columns(data).trim_end());
            // The config is written once the data have proved readable, and before training.
            let _ = written.set(write_starter(path, &request.text));
        }
        for warning in &data.warnings {
            say(&format!("  warning: {warning}"));
        }
        say(&planned(plan));
        for note in &plan.notes {
            say(&format!("  note: {note}"));
        }
    };
    let outcome = sweep::run_until(
        &request,
        &signals::stop_flag(),
        &Both(&progress, live.as_ref()),
        &on_loaded,
    );
    progress.finish();
    if let Some(live) = &live {
        live.finish();
    }
    let mut summary = outcome?;
    summary.report |= arguments.report_live;
    report::at_the_end(&mut summary);
    if let Some(Err(failure)) = written.into_inner() {
        return Err(failure);
    }
    match arguments.format {
        Answer::Json => terminal::result(&json(&summary)?)?,
        Answer::Table => terminal::result(&closing(&summary))?,
    }
    Ok(if summary.failed > 0 { SOME_FAILED } else { OK })
}

/// The config that `run DATA --target COLUMN` uses, and where it will be written.
fn starter(
    input: &Path,
    target: &str,
    sets: &[String],
    rows: Option<usize>,
) -> Result<(Option<PathBuf>, Request), Failure> {
    let name = name_of(input);
    let path = PathBuf::from(format!("{name}.toml"));
    let text = Config::default_for(&input.display().to_string(), target, &name);
    if path.exists() && std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
        return Err(Failure::Usage {
            message: format!("{} exists and is not the config this would write", path.display()),
            hint: Some(format!("gradsweep run {}, or move it away", path.display())),
        });
    }
    let config = parse(&text, &path, sets)?;
    Ok((Some(path), Request { config, text, rows }))
}

fn write_starter(path: &Path, text: &str) -> Result<(), Failure> {
    if std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        std::fs::write(path, text).map_err(|source| Failure::File {
            path: path.to_path_buf(),
            action: "write",
            source,
        })?;
        terminal::say(&format!("Wrote {} (edit it and run it again)", path.display()));
    }
    Ok(())
}

fn percent(part: f64, whole: f64) -> String {
    format!("{:.1} %", 100.0 * part / whole.max(1.0))
}

/// Rows, columns and target in a few lines.
pub(super) fn opening(data: &data::Summary) -> String {
    let files = match data.files.as_slice() {
        [one] => one.clone(),
        several => format!("{} files", several.len()),
    };
    let of_kind = |kinds: &[data::ColumnKind]| {
        data.columns
            .iter()
            .filter(|column| kinds.contains(&column.kind))
            .count()
    };
    let target = &data.target;
    let mut out = format!(
        "Read {files}: {} rows, {} feature columns ({:.2} s)\n  target   {}: \"{}\" counts as 1 ({}), \"{}\" as 0",
        grouped(data.rows as u64),
        data.columns.len(),
        data.read_seconds,
        target.name,
        target.positive,
        percent(target.positives as f64, target.rows as f64),
        target.negative,
    );
    let numeric = of_kind(&[data::ColumnKind::Numeric, data::ColumnKind::Boolean]);
    let categorical: Vec<_> = data
        .columns
        .iter()
        .filter(|column| column.kind == data::ColumnKind::Categorical)
        .collect();
    out += &format!("\n  numeric  {numeric} columns");
    if !categorical.is_empty() {
        let width: usize = categorical.iter().map(|column| column.width).sum();
        out += &format!("   categorical  {} columns → {width} one-hot", categorical.len());
    }
    if data.rows_dropped > 0 {
        out += &format!(
            "\n  dropped  {} rows without a target",
            grouped(data.rows_dropped as u64)
        );
    }
    for skipped in &data.skipped {
        out += &format!(
            "\n  skipped  {} ({}{})",
            skipped.column,
            skipped.reason,
            way_in(skipped)
        );
    }
    let mut missing: Vec<_> = data.columns.iter().filter(|column| column.nulls > 0).collect();
    missing.sort_by_key(|column| std::cmp::Reverse(column.nulls));
    if !missing.is_empty() {
        let shown: Vec<String> = missing
            .iter()
            .take(4)
            .map(|column| format!("{} {}", column.name, percent(column.nulls as f64, data.rows as f64)))
            .collect();
        let more = if missing.len() > 4 {
            format!(" and {} more", missing.len() - 4)
        } else {
            String::new()
        };
        out += &format!("\n  missing  {}{more}", shown.join(", "));
    }
    out
}

/// Every column with its type and encoded width.
pub(crate) fn columns(data: &data::Summary) -> String {
    let name_width = data
        .columns
        .iter()
        .take(COLUMNS_SHOWN)
        .map(|column| column.name.chars().count())
        .max()
        .unwrap_or(0);
    let name_width = name_width.max(data.target.name.chars().count()).max("column".len());
    let mut out = format!(
        "  {:<name_width$}  {:<11}  {:>5}  {:>9}\n",
        "column", "type", "width", "missing"
    );
    out += &format!(
        "  {:<name_width$}  {:<11}  {:>5}  {:>9}\n",
        data.target.name, "target", "-", "-"
    );
    for column in data.columns.iter().take(COLUMNS_SHOWN) {
        let missing = if column.nulls == 0 {
            "-".to_owned()
        } else {
            percent(column.nulls as f64, data.rows as f64)
        };
        out += &format!(
            "  {:<name_width$}  {:<11}  {:>5}  {missing:>9}\n",
            column.name,
            column.kind.to_string(),
            column.width
        );
    }
    if data.columns.len() > COLUMNS_SHOWN {
        out += &format!("  … and {} more\n", data.columns.len() - COLUMNS_SHOWN);
    }
    for skipped in &data.skipped {
        out += &format!(
            "  {:<name_width$}  skipped: {}{}\n",
            skipped.column,
            skipped.reason,
            way_in(skipped)
        );
    }
    out
}

/// What to write for a skipped column to be used, where there is something.
fn way_in(skipped: &Skipped) -> String {
    match skipped.reason {
        SkipReason::Date => format!("; types = {{ {:?} = \"datetime\" }} takes its parts", skipped.column),
        SkipReason::OneValuePerRow => String::new(),
    }
}

/// The plan in a line.
pub(super) fn planned(plan: &PlanSummary) -> String {
    let blocks: usize = plan.cohorts.iter().map(|cohort| cohort.blocks.len()).sum();
    format!(
        "{} = {} in {} of {}{} · {}",
        plan.sizes(),
        many(plan.runs, "run"),
        many(plan.cohorts.len(), "cohort"),
        many(blocks, "block"),
        plan.outlook(),
        plan.precision,
    )
}
