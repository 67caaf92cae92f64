//! `gradsweep explain`: one row through one run's model.

use gradsweep_runner::{explain, sweep};

use super::{parse, read_config};
use crate::args::ExplainArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn explain(arguments: &ExplainArgs) -> Result<u8, Failure> {
    let dir = if arguments.store.is_file() {
        sweep::output_dir(&parse(&read_config(&arguments.store)?, &arguments.store, &[])?)
    } else {
        arguments.store.clone()
    };
    let explanation = explain::explain(&dir, &arguments.run, arguments.row)?;
    if arguments.dot {
        terminal::result(&explanation.graph.graph.to_dot())?;
    } else {
        terminal::result(&explanation.to_string())?;
    }
    Ok(OK)
}
