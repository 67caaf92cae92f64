//! A directory of event files: the experiment in its root, and a folder per trial.
//!
//! - [`record`]: the framing of events, with checksums
//! - [`event`]: events and summaries
//! - [`hparams`]: what the `HParams` plugin reads

mod event;
mod hparams;
mod record;

use std::path::Path;

use gradsweep_store::Split;

use self::event::{scalar, version};
use super::curves::Curves;
use super::error::ExportError;
use super::file;
use super::results::Results;

/// Fills an empty directory.
///
/// Scalars are `val/<metric>` and `train/<metric>` by epoch, and `mean_val_<metric>` as in the sweep's table of trials, by which
/// `HParams` compares trials.
pub(super) fn write(results: &Results, curves: &Curves, dir: &Path) -> Result<(), ExportError> {
    let begun = results.begun();
    let name = format!("events.out.tfevents.{begun:.0}.gradsweep");
    let events = [version(begun), hparams::experiment(results)];
    file::write(&dir.join(&name), &record::file(&events))?;
    let by_trial = results.by_trial();
    let width = results
        .table
        .rows
        .iter()
        .map(|row| row.trial)
        .max()
        .unwrap_or(0)
        .to_string()
        .len();
    for row in &results.table.rows {
        let runs = by_trial.get(&row.trial).copied().unwrap_or(&[]);
        let seconds: f64 = runs.iter().filter_map(|run| Some(run.record.as_ref()?.seconds)).sum();
        let mut events = vec![version(begun), hparams::start(results, row, begun)];
        let mut last = 0;
        for curve in curves.of(row.trial) {
            let rows = match curve.split {
                Split::Train => "train",
                Split::Val => "val",
            };
            let tag = format!("{rows}/{}", curve.metric);
            events.extend(
                curve
                    .points
                    .iter()
                    .map(|(epoch, value)| scalar(&tag, *epoch, *value, begun)),
            );
            last = last.max(curve.points.last().map_or(0, |(epoch, _)| *epoch));
        }
        for metric in &results.table.metrics {
            if let Some(value) = results.value(row, &metric.name) {
                events.push(scalar(&hparams::tag(results, &metric.name), last, value, begun));
            }
        }
        events.push(hparams::end(row, begun + seconds));
        let folder = dir.join(format!("trial-{:0width$}", row.trial));
        file::empty_directory(&folder)?;
        file::write(&folder.join(&name), &record::file(&events))?;
    }
    Ok(())
}
