//! `gradsweep report`: a sweep, or several beside each other, as one page.

use gradsweep_report as report;
use gradsweep_runner::summary::SweepSummary;
use gradsweep_store::REPORT;

use crate::args::ReportArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn report(arguments: &ReportArgs, quiet: bool) -> Result<u8, Failure> {
    let sweeps = report::open(&arguments.stores)?;
    let out = arguments.out.clone().unwrap_or_else(|| match sweeps.as_slice() {
        [only] => only.store.dir().join(REPORT),
        _ => REPORT.into(),
    });
    report::write_html(&sweeps, None, &out)?;
    if !quiet {
        terminal::say(&format!("Wrote {}", out.display()));
    }
    Ok(OK)
}

/// Writes the page of a sweep that has ended, if its config asks for one. A page that cannot be written is no reason to call
/// the sweep failed: it is said, and `gradsweep report` can be typed.
pub(super) fn at_the_end(summary: &mut SweepSummary) {
    let out = summary.store.join(REPORT);
    if !summary.report || (summary.nothing_to_do && out.exists()) {
        summary.report &= out.exists();
        return;
    }
    let written =
        report::open(std::slice::from_ref(&summary.store)).and_then(|sweeps| report::write_html(&sweeps, None, &out));
    if let Err(error) = written {
        terminal::say(&format!(
            "warning: {error}; try: gradsweep report {}",
            summary.store.display()
        ));
        summary.report = false;
    }
}
