//! `gradsweep plan`: what a config would train.

use gradsweep_runner::sweep;

use super::{json, request};
use crate::args::{Answer, PlanArgs};
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn plan(arguments: &PlanArgs) -> Result<u8, Failure> {
    let (_, plan) = sweep::plan(&request(&arguments.source)?)?;
    match arguments.format {
        Answer::Table => terminal::result(&plan.to_string())?,
        Answer::Json => terminal::result(&json(&plan)?)?,
    }
    Ok(OK)
}
