//! `gradsweep refit`: a trial of a sweep on other rows, as next month's.

use gradsweep_runner::plan::grouped;
use gradsweep_runner::refit::{self, RefitRequest, RefitSummary};

use super::json;
use crate::args::{Answer, RefitArgs};
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn refit(arguments: &RefitArgs, quiet: bool) -> Result<u8, Failure> {
    let summary = refit::refit(&RefitRequest {
        store: arguments.store.clone(),
        trial: arguments.trial,
        data: arguments.data.clone(),
        out: arguments.out.clone(),
    })?;
    if !quiet {
        for warning in &summary.warnings {
            terminal::say(&format!("  warning: {warning}"));
        }
    }
    match arguments.format {
        Answer::Json => terminal::result(&json(&summary)?)?,
        Answer::Table => terminal::result(&screen(&summary))?,
    }
    Ok(OK)
}

fn screen(summary: &RefitSummary) -> String {
    let params = summary
        .params
        .iter()
        .map(|(path, value)| format!("   {} = {value}", super::last_name(path)));
    let scores = summary
        .train
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {:.4}", (*value)?)));
    let model = summary.model.display();
    format!(
        "refit   trial {}{}\n        {} rows, {} features, {} epochs ({:.2} s)\n        training {}\nmodel   {model}\n\
         next    gradsweep predict {model} --data new.csv --out scores.parquet\n",
        summary.trial,
        params.collect::<String>(),
        grouped(summary.rows as u64),
        summary.features,
        summary.epochs,
        summary.seconds,
        scores.collect::<Vec<_>>().join("   "),
    )
}
