//! `gradsweep schema`: the table of keys for other programs, and as the reference page.

use gradsweep_runner::config;

use crate::args::SchemaArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn schema(arguments: &SchemaArgs) -> Result<u8, Failure> {
    let text = if arguments.markdown {
        config::page()
    } else {
        let schema = serde_json::to_string_pretty(&config::schema());
        schema.map_err(|error| Failure::Output(error.into()))? + "\n"
    };
    terminal::result(&text)?;
    Ok(OK)
}
