//! `gradsweep gradcheck`: the fused gradient against small steps and the computation graph.

use gradsweep_runner::gradcheck;

use super::{json, request};
use crate::args::{Answer, GradcheckArgs};
use crate::exit::{Failure, OK, SOME_FAILED};
use crate::terminal;

pub(crate) fn gradcheck(arguments: &GradcheckArgs) -> Result<u8, Failure> {
    let check = gradcheck::gradcheck(&request(&arguments.source)?)?;
    match arguments.format {
        Answer::Table => terminal::result(&check.to_string())?,
        Answer::Json => terminal::result(&json(&check)?)?,
    }
    Ok(if check.passed() { OK } else { SOME_FAILED })
}
