//! `gradsweep resume`: goes on with a sweep from what its directory holds.

use gradsweep_data as data;
use gradsweep_runner::plan::PlanSummary;
use gradsweep_runner::resume::{self, More, ResumeRequest};

use super::closing::closing;
use super::{json, report, run};
use crate::args::{Answer, ResumeArgs};
use crate::exit::{Failure, OK, SOME_FAILED};
use crate::progress::Progress;
use crate::signals;
use crate::terminal;

pub(crate) fn resume(arguments: &ResumeArgs, quiet: bool) -> Result<u8, Failure> {
    let more = arguments.epochs.map_or(More::UntilConverged, More::Epochs);
    let request = ResumeRequest {
        store: arguments.store.clone(),
        threads: arguments.threads,
        more: arguments.until_converged.then_some(more),
        retry_failed: arguments.retry_failed,
    };
    let progress = Progress::new(arguments.store.clone(), quiet, arguments.log.as_deref())?;
    let on_loaded = |data: &data::Summary, plan: &PlanSummary| {
        if quiet {
            return;
        }
        terminal::say(&run::opening(data));
        for warning in &data.warnings {
            terminal::say(&format!("  warning: {warning}"));
        }
        terminal::say(&run::planned(plan));
    };
    let outcome = resume::resume_until(&request, &signals::stop_flag(), &progress, &on_loaded);
    progress.finish();
    let mut summary = outcome?;
    report::at_the_end(&mut summary);
    match arguments.format {
        Answer::Json => terminal::result(&json(&summary)?)?,
        Answer::Table => terminal::result(&closing(&summary))?,
    }
    Ok(if summary.failed > 0 { SOME_FAILED } else { OK })
}
