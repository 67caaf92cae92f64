//! `gradsweep predict`: a model on new rows.

use gradsweep_runner::plan::grouped;
use gradsweep_runner::predict;

use super::drift;
use crate::args::PredictArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn predict(arguments: &PredictArgs, quiet: bool) -> Result<u8, Failure> {
    let predict = if arguments.calibrated {
        predict::predict_calibrated
    } else {
        predict::predict
    };
    let done = predict(&arguments.model, &arguments.data, &arguments.out)?;
    if quiet {
        return Ok(OK);
    }
    let rows = done.applied.rows;
    terminal::say(&format!(
        "Predicted {} rows of {} with {} ({:.2} s)",
        grouped(rows),
        drift::files(&done.applied.files),
        done.model.display(),
        done.seconds
    ));
    terminal::talk(&drift::lines(&done.applied));
    terminal::say(&format!(
        "  {} = \"{}\" in {} rows ({:.1} %)",
        done.target.name,
        done.target.positive,
        grouped(done.positives),
        100.0 * done.positives as f64 / rows.max(1) as f64
    ));
    terminal::say(&format!("Wrote {}", done.out.display()));
    Ok(OK)
}
