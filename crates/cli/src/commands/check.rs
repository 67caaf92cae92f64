//! `gradsweep check`: a config without its data, or with them.

use gradsweep_runner::{search, sweep};

use super::{request, run};
use crate::args::CheckArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn check(arguments: &CheckArgs) -> Result<u8, Failure> {
    let request = request(&arguments.source)?;
    let (trials, left_out) = search::count(&request.config)?;
    let mut text = format!("{}: no problems, {trials} trials\n", arguments.source.config.display());
    for note in request.config.stand_ins().into_iter().chain(left_out) {
        text += &format!("note: {note}\n");
    }
    if arguments.data {
        let (data, _) = sweep::plan(&request)?;
        text += &run::columns(&data);
    }
    terminal::result(&text)?;
    Ok(OK)
}
