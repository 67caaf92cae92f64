//! `gradsweep compare` and `list`: what stores say.

use gradsweep_report as report;

use crate::args::{CompareArgs, ListArgs};
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn compare(arguments: &CompareArgs) -> Result<u8, Failure> {
    let sweeps = report::open(&arguments.stores)?;
    let comparison = report::compare(&sweeps, arguments.by.as_deref(), arguments.top)?;
    terminal::result(&comparison.render(arguments.format))?;
    Ok(OK)
}

pub(crate) fn list(arguments: &ListArgs) -> Result<u8, Failure> {
    terminal::result(&report::list(&arguments.dir)?.render(arguments.format))?;
    Ok(OK)
}
