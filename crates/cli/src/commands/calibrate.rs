//! `gradsweep calibrate`: calibrated probabilities and a tuned threshold.

use gradsweep_report::number;
use gradsweep_runner::calibrate::{self, CalibrateRequest, Calibrated, Decision, Map, Method};
use gradsweep_runner::plan::grouped;

use super::json;
use crate::args::{Answer, CalibrateArgs, CalibrationMethod};
use crate::exit::{Failure, OK};
use crate::terminal;

pub(crate) fn calibrate(arguments: &CalibrateArgs, quiet: bool) -> Result<u8, Failure> {
    let method = arguments.method.map(|method| match method {
        CalibrationMethod::Platt => Method::Platt,
        CalibrationMethod::Isotonic => Method::Isotonic,
    });
    let threshold = arguments.threshold.as_deref().map(Decision::from_name).transpose()?;
    let done = calibrate::calibrate(&CalibrateRequest {
        store: arguments.store.clone(),
        method: method.or(threshold.is_none().then_some(Method::Platt)),
        threshold,
    })?;
    if !quiet {
        for note in &done.notes {
            terminal::say(&format!("  note: {note}"));
        }
    }
    match arguments.format {
        Answer::Json => terminal::result(&json(&done)?)?,
        Answer::Table => terminal::result(&screen(&done))?,
    }
    Ok(OK)
}

fn screen(done: &Calibrated) -> String {
    let method = match &done.calibration.map {
        Some(Map::Platt { slope, intercept }) => format!("platt: log odds times {slope:.4} plus {intercept:+.4}"),
        Some(Map::Isotonic { z, .. }) => format!("isotonic: {} points", grouped(z.len() as u64)),
        None => "none: probabilities stay as they are".to_owned(),
    };
    let mut text = format!(
        "calibration  {method}\n             trial {}, {} out-of-fold predictions\n",
        done.trial,
        grouped(done.rows)
    );
    if done.calibration.map.is_some() {
        let (before, after) = (&done.before, &done.after);
        for (name, before, after) in [
            ("log_loss", before.log_loss, after.log_loss),
            ("brier_score", before.brier_score, after.brier_score),
            ("roc_auc", before.roc_auc, after.roc_auc),
        ] {
            text += &format!(
                "{name:<13}{} before, {} after\n",
                number::score(before),
                number::score(after)
            );
        }
        text += &format!(
            "             after: each of {} parts under the calibration of the others\n\n",
            done.parts
        );
        text += "predicted  calibrated  observed       rows\n";
        for bin in &done.table {
            text += &format!(
                "{:>9.4}{:>12.4}{:>10.4}{:>11}\n",
                bin.predicted,
                bin.calibrated,
                bin.observed,
                grouped(bin.rows as u64)
            );
        }
        text += "\n";
    }
    if let Some(tuned) = &done.threshold {
        text += &format!(
            "threshold    {:.4} for {}: {} before (at {}), {} after (each part under the threshold of the others)\n",
            tuned.threshold,
            tuned.metric,
            number::side_score(tuned.before),
            tuned.usual,
            number::side_score(tuned.after),
        );
    }
    let model = done.model.display();
    text += &format!(
        "model        {model}\nnext         gradsweep predict {model} --calibrated --data new.csv --out scores.parquet\n"
    );
    text
}
