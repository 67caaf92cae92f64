//! `gradsweep list`: the sweeps below a directory.

use gradsweep_report as report;

use crate::args::ListArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn list(arguments: &ListArgs) -> Result<u8, Failure> {
    terminal::result(&report::list(&arguments.dir)?.render(arguments.format))?;
    Ok(OK)
}
