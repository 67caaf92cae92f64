//! `gradsweep run`: trains a sweep, shows it on the way, and ends with one screen.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gradsweep_data as data;
use gradsweep_runner::config::Config;
use gradsweep_runner::plan::{PlanSummary, grouped, many};
use gradsweep_runner::resume::{Continued, Resumable};
use gradsweep_runner::summary::{Best, SweepSummary};
use gradsweep_runner::sweep::{self, Request};

use super::{json, last_name, parse, read};
use crate::args::{Answer, RunArgs};
use crate::exit::{Failure, OK, SOME_FAILED};
use crate::progress::Progress;
use crate::signals;
use crate::terminal;

/// Columns listed one by one; of wider tables only the first.
const COLUMNS_SHOWN: usize = 40;

pub(crate) fn run(arguments: &RunArgs, quiet: bool) -> Result<u8, Failure> {
    let input = &arguments.input;
    let is_config = input.extension().is_some_and(|extension| extension == "toml");
    let (path, request) = match (is_config, &arguments.target) {
        (true, None) => {
            let text = read(input)?;
            let config = parse(&text, input, &arguments.sets)?;
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
        (false, Some(target)) => starter(input, target, arguments)?,
    };
    let say = |line: &str| {
        if !quiet {
            terminal::say(line);
        }
    };
    let progress = Progress::new(quiet, arguments.log.as_deref())?;
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
    let outcome = sweep::run_until(&request, &signals::stop_flag(), &progress, &on_loaded);
    progress.finish();
    let summary = outcome?;
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
fn starter(input: &Path, target: &str, arguments: &RunArgs) -> Result<(Option<PathBuf>, Request), Failure> {
    let stem = input
        .file_stem()
        .map_or_else(|| "sweep".into(), |stem| stem.to_string_lossy());
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    let path = PathBuf::from(format!("{name}.toml"));
    let text = Config::default_for(&input.display().to_string(), target, &name);
    if path.exists() && std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
        return Err(Failure::Usage {
            message: format!("{} exists and is not the config this would write", path.display()),
            hint: Some(format!("gradsweep run {}, or move it away", path.display())),
        });
    }
    let config = parse(&text, &path, &arguments.sets)?;
    Ok((
        Some(path),
        Request {
            config,
            text,
            rows: arguments.rows,
        },
    ))
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
        out += &format!("\n  skipped  {} ({})", skipped.column, skipped.reason);
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
        out += &format!("  {:<name_width$}  skipped: {}\n", skipped.column, skipped.reason);
    }
    out
}

/// The plan in a line.
pub(super) fn planned(plan: &PlanSummary) -> String {
    let blocks: usize = plan.cohorts.iter().map(|cohort| cohort.blocks.len()).sum();
    format!(
        "{} = {} in {} of {} · {}",
        plan.sizes(),
        many(plan.runs, "run"),
        many(plan.cohorts.len(), "cohort"),
        many(blocks, "block"),
        plan.precision,
    )
}

/// The one screen a sweep ends with.
pub(super) fn closing(summary: &SweepSummary) -> String {
    let mut out = String::new();
    let score = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    match &summary.best {
        None => out += "best    none: every trial has failed runs, so there is no model\n",
        Some(best) => {
            let how = if summary.select == "1se" && summary.one_se.is_some() {
                " (by the 1se rule)"
            } else {
                ""
            };
            out += format!("best    trial {}{how}   {}", best.trial, params(best).join("   ")).trim_end();
            out.push('\n');
            let name = &summary.metric;
            match best.mean_val {
                Some(_) => {
                    let se = best.se_val.map_or_else(String::new, |se| format!(" ± {se:.4}"));
                    out += &format!("        validation {name} {}{se}", score(best.mean_val));
                    out += &match (best.mean_train, best.mean_val) {
                        (Some(train), Some(val)) => {
                            format!("   train {train:.4} (gap {:+.4})", val - train)
                        }
                        _ => String::new(),
                    };
                }
                None => {
                    out += &format!(
                        "        training {name} {} (nothing is held out)",
                        score(best.mean_train)
                    );
                }
            }
            if let Some(null) = summary.null_model {
                out += &format!("   guessing the rate: {null:.4}");
            }
            out += "\n";
            let others: Vec<String> = best
                .metrics
                .iter()
                .filter_map(|(name, value)| value.map(|value| format!("{name} {value:.4}")))
                .collect();
            if !others.is_empty() {
                out += &format!("        {}\n", others.join("   "));
            }
            out += &one_se(summary, best);
        }
    }
    if let Some(test) = &summary.test {
        let scores = test
            .metrics
            .iter()
            .filter_map(|(name, value)| Some(format!("{name} {:.4}", (*value)?)));
        let scores: Vec<String> = scores.collect();
        out += &format!(
            "test    {}   ({} rows, scored once)\n",
            scores.join("   "),
            grouped(test.rows)
        );
    }
    for sentence in &summary.at_the_edge {
        out += &format!("        {sentence}\n");
    }
    if let Some(restarts) = &summary.restarts {
        out += &format!("        {}\n", restarts.sentence(&summary.metric));
    }
    if let Some([least, most]) = summary.learning_rates {
        let to = if least < most {
            format!(" to {most}")
        } else {
            String::new()
        };
        out += &format!("        learning_rate auto: runs took {least}{to}\n");
    }
    if let Some(target) = &summary.target {
        out += &format!("        {target}\n");
    }
    let pruned = summary.pruned.unwrap_or(0);
    let finished = summary.runs - summary.failed - pruned - summary.waiting;
    if summary.nothing_to_do {
        let state = if summary.continued.is_some() && summary.resumable.runs == 0 {
            "were there already and none is left to converge"
        } else {
            "were there already"
        };
        out += &format!(
            "runs    all {} runs {state}: nothing to do\n",
            grouped(summary.runs as u64)
        );
    } else {
        out += &format!(
            "runs    {} of {} finished{}, {} column·epochs: {:.3} s of training, {:.2} s in all ({} threads, {}, {})\n",
            grouped(finished as u64),
            grouped(summary.runs as u64),
            if pruned > 0 {
                format!(" and {} pruned", grouped(pruned as u64))
            } else {
                String::new()
            },
            grouped(summary.epochs_trained),
            summary.seconds.train,
            summary.seconds.total,
            summary.threads,
            summary.precision,
            summary.blas_core,
        );
    }
    for sentence in &summary.failures {
        out += &format!("        {sentence}\n");
    }
    out += &convergence(summary);
    out + &places(summary)
}

/// Which runs did not converge, what became of those that went on, and what to type next.
fn convergence(summary: &SweepSummary) -> String {
    let mut out = String::new();
    let Resumable { runs, named } = &summary.resumable;
    if let Some(continued) = summary.continued.as_ref().filter(|continued| continued.runs > 0) {
        out += &format!(
            "        {} of {} that had not converged {} now",
            grouped(continued.converged as u64),
            many(continued.runs, "run"),
            if continued.converged == 1 { "has" } else { "have" },
        );
        if continued.failed > 0 {
            out += &format!("; {} failed: classes are separated", grouped(continued.failed as u64));
        }
        out.push('\n');
    }
    if *runs > 0 {
        let more = if *runs > named.len() { ", …" } else { "" };
        let dir = summary.store.display();
        let is_stuck = |continued: &Continued| continued.stuck > 0 && continued.stuck == *runs;
        let next = if summary.continued.as_ref().is_some_and(is_stuck) {
            "more epochs bring them no further; a larger train.tol or run.precision = \"f64\" may".to_owned()
        } else {
            format!("gradsweep resume {dir} --until-converged")
        };
        out += &format!(
            "        {} did not converge ({}{more}): {next}\n",
            many(*runs, "run"),
            named.join(", ")
        );
    }
    let others = summary.unconverged.saturating_sub(*runs);
    if others > 0 {
        out += &format!(
            "        {} of full-batch solvers used all epochs without a certificate of convergence\n",
            many(others, "run")
        );
    }
    if let Some(continued) = summary.continued.as_ref().filter(|continued| continued.first_order > 0) {
        out += &format!(
            "        {} of first-order solvers left as they are: only auto, lbfgs and newton go on to a certificate\n",
            many(continued.first_order, "run")
        );
    }
    out
}

/// Where the results lie, and what to type next.
fn places(summary: &SweepSummary) -> String {
    let dir = summary.store.display();
    let mut out = format!("store   {dir}\n");
    if let Some(model) = &summary.model {
        out += &format!("model   {}\n", model.display());
    } else if let Some(failure) = &summary.refit_failure {
        out += &format!("model   none: {failure}\n");
    }
    out += &format!("next    gradsweep compare {dir} --top 10\n");
    out += &format!("        gradsweep show {dir} best\n");
    out += &format!("        gradsweep explain {dir} --row 1\n");
    if summary.model.is_some() {
        out += &format!("        gradsweep predict {dir} --data new.csv --out scores.parquet\n");
    }
    out
}

/// Which trial the rule of one standard error takes, where it did not choose already.
fn one_se(summary: &SweepSummary, best: &Best) -> String {
    let is_rule = summary.select == "1se";
    let Some(one_se) = &summary.one_se else {
        return if is_rule {
            "        the 1se rule needs the spread of two folds or more: the best trial is taken\n".to_owned()
        } else {
            String::new()
        };
    };
    if is_rule {
        return String::new();
    }
    if one_se.trial == best.trial {
        return "        the 1se rule would take the same trial\n".to_owned();
    }
    let score = one_se
        .mean_val
        .map_or_else(String::new, |value| format!("   {} {value:.4}", summary.metric));
    let params = params(one_se).join("   ");
    format!(
        "        the 1se rule would take trial {}   {params}{score}\n",
        one_se.trial
    )
}

fn params(best: &Best) -> Vec<String> {
    let params = best.params.iter();
    params
        .map(|(path, value)| format!("{} = {}", last_name(path), short(value)))
        .collect()
}

/// A parameter as a reader writes it.
fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let rounded = format!("{number:.4e}").parse::<f64>().unwrap_or(number);
            if rounded != 0.0 && !(1e-4..1e6).contains(&rounded.abs()) {
                format!("{rounded:e}")
            } else {
                rounded.to_string()
            }
        }
        serde_json::Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
