//! `gradsweep init`: a first config, from a table or with every key.

use std::path::{Path, PathBuf};

use gradsweep_runner::config::Config;
use gradsweep_runner::init;

use super::run::{columns, opening};
use super::{name_of, written};
use crate::args::InitArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn init(arguments: &InitArgs, quiet: bool) -> Result<u8, Failure> {
    let Some(input) = &arguments.data else {
        if arguments.full {
            let (train, target) = ("data.csv", arguments.target.as_deref().unwrap_or("target"));
            return finish(&Config::full(train, target, "sweep"), arguments.out.as_deref());
        }
        return Err(Failure::Usage {
            message: "which table is it for?".to_owned(),
            hint: Some("gradsweep init DATA --target COLUMN, or gradsweep init --full for every key".to_owned()),
        });
    };
    let train = input.display().to_string();
    let Some(target) = &arguments.target else {
        let names = init::column_names(&train)?;
        let more = if names.len() > 30 { ", …" } else { "" };
        let shown: Vec<String> = names.into_iter().take(30).collect();
        return Err(Failure::Usage {
            message: format!("which column of {train} is to be predicted?"),
            hint: Some(format!(
                "gradsweep init {train} --target COLUMN; its columns are {}{more}",
                shown.join(", ")
            )),
        });
    };
    let name = name_of(input);
    let (text, summary) = init::config_for(&train, target, &name, arguments.rows)?;
    let text = if arguments.full {
        Config::full(&train, target, &name)
    } else {
        text
    };
    if !quiet {
        terminal::say(&opening(&summary));
        terminal::say(columns(&summary).trim_end());
        for warning in &summary.warnings {
            terminal::say(&format!("  warning: {warning}"));
        }
    }
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    finish(&text, Some(&out))?;
    if out != Path::new("-") && !quiet {
        terminal::say(&format!("next    gradsweep run {}", out.display()));
    }
    Ok(OK)
}

/// Prints a config, or writes it where it is wanted.
fn finish(text: &str, out: Option<&Path>) -> Result<u8, Failure> {
    match out {
        None => terminal::result(text)?,
        Some(out) if out == Path::new("-") => terminal::result(text)?,
        Some(out) => written(out, text)?,
    }
    Ok(OK)
}
