//! `gradsweep show`: one sweep, trial or run; with `--inference`, a run's standard errors.

use gradsweep_report::{self as report, Term};
use gradsweep_runner::inference::{self, Estimate, Inference};
use gradsweep_store::{RunRow, RunState, Store};

use crate::args::ShowArgs;
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn show(arguments: &ShowArgs) -> Result<u8, Failure> {
    let sweeps = report::open(std::slice::from_ref(&arguments.store))?;
    let store = &sweeps[0].store;
    let page = match &arguments.what {
        Some(what) if arguments.inference => infer(store, what, arguments.level)?.page(store),
        what => report::show(store, what.as_deref())?,
    };
    terminal::result(&page.render(arguments.format))?;
    Ok(OK)
}

/// Of the run that is named, or of the first finished one of the trial.
fn infer(store: &Store, what: &str, level: f64) -> Result<report::Inference, Failure> {
    let runs = report::runs_named(store, what)?;
    let is_complete = |run: &&RunRow| {
        let record = run.record.as_ref();
        record.is_some_and(|record| record.state == RunState::Complete)
    };
    let Some(chosen) = runs.iter().find(is_complete).or(runs.first()) else {
        return Err(Failure::Usage {
            message: format!("{} has no run of {what}", store.dir().display()),
            hint: Some(format!("gradsweep show {}", store.dir().display())),
        });
    };
    let inference = inference::infer(store, chosen.run)?;
    let mut page = shown(&inference, level);
    if runs.len() > 1 {
        page.notes.insert(
            0,
            format!(
                "trial {} has {} runs and this is the first; name another by its id (gradsweep show {} {}), or train one on all \
                 rows with validation.strategy = \"none\"",
                chosen.trial,
                runs.len(),
                store.dir().display(),
                chosen.trial,
            ),
        );
    }
    Ok(page)
}

/// The intercept first, then the features in the order of the data.
fn shown(inference: &Inference, level: f64) -> report::Inference {
    let estimates = &inference.estimates;
    let intercept = estimates.intercept.iter().map(|estimate| ("(intercept)", estimate));
    let features = inference.names.iter().map(String::as_str).zip(&estimates.features);
    let term = |(feature, estimate): (&str, &Estimate)| Term {
        feature: feature.to_owned(),
        coefficient: estimate.coefficient,
        standard_error: estimate.standard_error,
        z: estimate.z(),
        p_value: estimate.p_value(),
        interval: estimate.interval(level),
    };
    report::Inference {
        run: inference.run.to_string(),
        trial: inference.trial,
        fold: inference.fold,
        fold_label: inference.fold_label.clone(),
        repeat: inference.repeat,
        held_out: inference.held_out,
        event: format!("{} = {:?}", inference.target, inference.positive),
        rows: estimates.rows,
        observations: estimates.observations,
        events: estimates.events,
        parameters: estimates.parameters,
        log_likelihood: estimates.log_likelihood,
        null_log_likelihood: estimates.null_log_likelihood,
        aic: estimates.aic(),
        bic: estimates.bic(),
        mcfadden_r2: estimates.mcfadden_r2(),
        grad_norm: estimates.grad_norm,
        distance: estimates.distance,
        condition: estimates.condition,
        level,
        terms: intercept.chain(features).map(term).collect(),
        notes: inference.notes(),
    }
}
