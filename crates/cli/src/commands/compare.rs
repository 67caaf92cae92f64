//! `gradsweep compare`: what stores say beside each other.

use gradsweep_report::{self as report, Query};

use crate::args::CompareArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn compare(arguments: &CompareArgs) -> Result<u8, Failure> {
    let sweeps = report::open(&arguments.stores)?;
    let query = Query {
        by: arguments.by.clone(),
        top: arguments.top,
        filter: arguments.filter.clone(),
        sort: arguments.sort.clone(),
        pareto: arguments.pareto.clone(),
    };
    let format = arguments.format;
    let text = if arguments.changes {
        report::changes(&sweeps)?.render(format)
    } else if arguments.importance {
        report::importance(&sweeps, &query)?.render(format)
    } else if let Some(column) = &arguments.group_by {
        report::groups(&sweeps, &query, column)?.render(format)
    } else {
        report::compare(&sweeps, &query)?.render(format)
    };
    terminal::result(&text)?;
    Ok(OK)
}
