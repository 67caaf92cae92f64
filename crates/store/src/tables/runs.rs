//! `runs.parquet`: one row per planned run.

use std::collections::BTreeSet;

use polars::prelude::{DataFrame, PolarsResult};

use crate::error::StoreError;
use crate::frame::{Frame, column, scores};
use crate::rows::{RunRow, TRAIN, VAL, runs};
use crate::run::{Name, Reason, RunRecord, RunState, TrialState};

/// The rows of the file. Scores of metrics beyond those listed come after them, by name.
pub(crate) fn runs_frame(rows: &[RunRow], metrics: &[Name]) -> PolarsResult<DataFrame> {
    let numbers = |of: fn(&RunRow) -> u32| rows.iter().map(of).collect::<Vec<u32>>();
    let metrics = all_metrics(rows, metrics);
    let mut columns = vec![
        column(
            runs::RUN,
            rows.iter().map(|row| row.run.to_string()).collect::<Vec<_>>(),
        ),
        column(runs::TRIAL, numbers(|row| row.trial)),
        column(runs::FOLD, numbers(|row| row.fold)),
        column(runs::REPEAT, numbers(|row| row.repeat)),
        column(runs::RESTART, numbers(|row| row.restart)),
        column(runs::STATE, rows.iter().map(RunRow::state).collect::<Vec<_>>()),
        column(runs::REASON, of_records(rows, |record| record.reason.map(Reason::name))),
        column(runs::CONVERGED, of_records(rows, |r| Some(r.converged))),
        column(runs::EPOCHS, of_records(rows, |r| Some(r.epochs))),
        column(runs::BEST_EPOCH, of_records(rows, |r| r.best_epoch)),
        column(runs::FIRST_PASS, of_records(rows, |r| Some(r.first_pass))),
        column(runs::RUNG, of_records(rows, |record| record.rung)),
        score_column(runs::OBJECTIVE, rows, |record| record.objective),
        score_column(runs::GRAD_NORM, rows, |record| record.grad_norm),
        score_column(runs::L1, rows, |record| Some(record.l1)),
        score_column(runs::L2, rows, |record| Some(record.l2)),
        column(runs::N_TRAIN, of_records(rows, |r| i64::try_from(r.n_train).ok())),
        column(runs::N_VAL, of_records(rows, |r| i64::try_from(r.n_val).ok())),
    ];
    for metric in &metrics {
        let name = format!("{TRAIN}{metric}");
        columns.push(score_column(&name, rows, |r| r.train_score(metric)));
    }
    for metric in &metrics {
        let name = format!("{VAL}{metric}");
        columns.push(score_column(&name, rows, |r| r.val_score(metric)));
    }
    columns.push(score_column(runs::SECONDS, rows, |r| Some(r.seconds)));
    DataFrame::new(rows.len(), columns)
}

fn all_metrics(rows: &[RunRow], listed: &[Name]) -> Vec<Name> {
    let records = rows.iter().filter_map(|row| row.record.as_ref());
    let more: BTreeSet<&Name> = records
        .flat_map(|record| record.train.iter().chain(&record.val))
        .map(|(name, _)| name)
        .filter(|name| !listed.contains(name))
        .collect();
    listed.iter().chain(more).cloned().collect()
}

fn of_records<'a, T>(rows: &'a [RunRow], of: impl Fn(&'a RunRecord) -> Option<T>) -> Vec<Option<T>> {
    let cells = rows.iter().map(|row| row.record.as_ref().and_then(&of));
    cells.collect()
}

fn score_column(name: &str, rows: &[RunRow], of: impl Fn(&RunRecord) -> Option<f64>) -> polars::prelude::Column {
    scores(name, rows.iter().map(|row| row.record.as_ref().and_then(&of)))
}

/// Reads the file back.
pub(crate) fn runs_from(frame: &Frame) -> Result<Vec<RunRow>, StoreError> {
    let ids = frame.run_ids()?;
    let trial = frame.all_u32(runs::TRIAL)?;
    let fold = frame.all_u32(runs::FOLD)?;
    let repeat = frame.all_u32(runs::REPEAT)?;
    let restart = frame.all_u32(runs::RESTART)?;
    let is_waiting = |word: &str| word == TrialState::Waiting.name();
    let state = frame.all_words(runs::STATE, |word| {
        let state = RunState::parse(word);
        (state.is_some() || is_waiting(word)).then_some(state)
    })?;
    let reason = frame.some_words(runs::REASON, Reason::parse)?;
    let converged = frame.bool(runs::CONVERGED)?;
    let (epochs, best) = (frame.u32(runs::EPOCHS)?, frame.u32(runs::BEST_EPOCH)?);
    let (first_pass, rung) = (frame.u32(runs::FIRST_PASS)?, frame.u32(runs::RUNG)?);
    let (objective, grad_norm) = (frame.f64(runs::OBJECTIVE)?, frame.f64(runs::GRAD_NORM)?);
    let (l1, l2) = (frame.f64(runs::L1)?, frame.f64(runs::L2)?);
    let (n_train, n_val) = (frame.i64(runs::N_TRAIN)?, frame.i64(runs::N_VAL)?);
    let seconds = frame.f64(runs::SECONDS)?;
    let score_columns = |prefix: &str| {
        let names = frame.names_after(prefix).into_iter();
        let columns = names.map(|metric| {
            let cells = frame.f64(&format!("{prefix}{metric}"))?;
            Ok((Name::from(metric), cells))
        });
        columns.collect::<Result<Vec<_>, StoreError>>()
    };
    let (train, val) = (score_columns(TRAIN)?, score_columns(VAL)?);
    let mut rows = Vec::with_capacity(ids.len());
    for (row, run) in ids.into_iter().enumerate() {
        let scores_of = |columns: &[(Name, &polars::prelude::Float64Chunked)]| {
            let held = columns.iter();
            held.filter_map(|(name, cells)| Some((name.clone(), cells.get(row)?)))
                .collect()
        };
        let record = state[row].map(|state| RunRecord {
            run,
            state,
            reason: reason[row],
            converged: converged.get(row).unwrap_or(false),
            epochs: epochs.get(row).unwrap_or(0),
            best_epoch: best.get(row),
            first_pass: first_pass.get(row).unwrap_or(0),
            rung: rung.get(row),
            objective: objective.get(row),
            grad_norm: grad_norm.get(row),
            l1: l1.get(row).unwrap_or(f64::NAN),
            l2: l2.get(row).unwrap_or(f64::NAN),
            n_train: n_train.get(row).unwrap_or(0) as u64,
            n_val: n_val.get(row).unwrap_or(0) as u64,
            train: scores_of(&train),
            val: scores_of(&val),
            seconds: seconds.get(row).unwrap_or(f64::NAN),
        });
        rows.push(RunRow {
            run,
            trial: trial[row],
            fold: fold[row],
            repeat: repeat[row],
            restart: restart[row],
            record,
        });
    }
    Ok(rows)
}
