//! `gradsweep report`: a sweep, or several beside each other, as one page.

use gradsweep_report as report;

use crate::args::ReportArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

/// The page in a sweep's directory.
const FILE: &str = "report.html";

pub(crate) fn report(arguments: &ReportArgs, quiet: bool) -> Result<u8, Failure> {
    let sweeps = report::open(&arguments.stores)?;
    let out = arguments.out.clone().unwrap_or_else(|| match sweeps.as_slice() {
        [only] => only.store.dir().join(FILE),
        _ => FILE.into(),
    });
    report::write_html(&sweeps, None, &out)?;
    if !quiet {
        terminal::say(&format!("Wrote {}", out.display()));
    }
    Ok(OK)
}
