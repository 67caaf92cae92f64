//! `gradsweep import`: a sweep of another program as a config.

use std::path::Path;

use gradsweep_runner::config::{from_optuna, from_wandb};

use super::{read, written};
use crate::args::{ImportArgs, Program};
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn import(arguments: &ImportArgs) -> Result<u8, Failure> {
    let text = read(&arguments.file)?;
    let (train, target) = (arguments.data.as_deref(), arguments.target.as_deref());
    let imported = match arguments.program {
        Program::Wandb => from_wandb(&text, train, target),
        Program::Optuna => from_optuna(&text, train, target),
    };
    let imported = imported.map_err(|why| Failure::Usage {
        message: format!("{}: {why}", arguments.file.display()),
        hint: None,
    })?;
    for note in &imported.notes {
        terminal::say(&format!("note: {note}"));
    }
    match &arguments.out {
        Some(out) if out != Path::new("-") => written(out, &imported.text)?,
        _ => terminal::result(&imported.text)?,
    }
    Ok(OK)
}
