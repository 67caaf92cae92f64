//! What follows from the recorded runs: out-of-fold predictions, and models fitted on all rows.

use std::time::Instant;

use gradsweep_data::Element;
use gradsweep_math::Real;
use gradsweep_store::{self as store, StoreWriter};

use super::cohorts::Work;
use super::loaded::Loaded;
use crate::config::SaveModels;
use crate::error::RunError;
use crate::oof::OutOfFold;
use crate::refit;
use crate::search::Trial;
use crate::summary::Seconds;

/// Predicts held-out rows and fits the models, as the config asks.
pub(super) fn refit_and_predict<T: Real + Element>(
    work: &Work<'_>,
    writer: &StoreWriter,
    data: Loaded<T>,
    seconds: &mut Seconds,
) -> Result<refit::Refitted, RunError> {
    let (config, plan) = (work.config, work.plan);
    let table = store::Store::open(work.dir)?.trials()?;
    let mut data = predict_held_out(writer, work, data, seconds)?;
    let refitting = Instant::now();
    let mut of_trials = None;
    if config.output.save_models == SaveModels::All {
        (data, of_trials) = fit_all_trials(work, data, &table, seconds)?;
    }
    // The refit takes the rows in the order of the first repeat, so that its model does not depend on how many there are.
    if let Some(view) = table.selected().and_then(|row| plan.view_of(row.trial, 0)) {
        data = data.switch(config, work.rows, plan.rows_of(view), seconds)?;
    }
    let refitted = refit::selected(work.dir, config, data.data, &plan.trials, &table)?;
    seconds.refit = refitting.elapsed().as_secs_f64();
    Ok(refit::Refitted { of_trials, ..refitted })
}

/// Makes the out-of-fold predictions that the config asks for.
fn predict_held_out<T: Real + Element>(
    writer: &StoreWriter,
    work: &Work<'_>,
    mut data: Loaded<T>,
    seconds: &mut Seconds,
) -> Result<Loaded<T>, RunError> {
    let Some(mut predictions) = OutOfFold::missing(writer, work.config)? else {
        return Ok(data);
    };
    for view in predictions.views(work.plan, data.rows()) {
        data = data.switch(work.config, work.rows, work.plan.rows_of(view), seconds)?;
        let writing = Instant::now();
        predictions.add((work.plan, view), &data, work.config)?;
        seconds.write += writing.elapsed().as_secs_f64();
    }
    let writing = Instant::now();
    predictions.write(writer)?;
    seconds.write += writing.elapsed().as_secs_f64();
    Ok(data)
}

/// Fits every complete trial on all rows, those with the same rows together, and saves their models; returns how many there
/// are.
fn fit_all_trials<T: Real + Element>(
    work: &Work<'_>,
    mut data: Loaded<T>,
    table: &store::TrialTable,
    seconds: &mut Seconds,
) -> Result<(Loaded<T>, Option<usize>), RunError> {
    let complete = refit::complete(table, &work.plan.trials);
    let mut saved = 0;
    for (place, preparation) in work.plan.preparations.iter().enumerate() {
        let is_own = |trial: &&&Trial| {
            let view = work.plan.view_of(trial.number, 0);
            view.is_some_and(|view| view.preparation == place)
        };
        let own: Vec<Trial> = complete.iter().filter(is_own).map(|trial| (*trial).clone()).collect();
        data = data.switch(work.config, work.rows, (0, preparation), seconds)?;
        data.data = refit::on_all_rows(data.data);
        saved += refit::every(work.dir, work.config, &data, &own, table)?;
    }
    Ok((data, Some(saved)))
}
