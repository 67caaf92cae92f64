//! `history.parquet` and `coefficients.parquet`: the long tables, encoded a row group at a time.

use polars::prelude::{Column, DataFrame, DataType, Field, PolarsResult, Schema};

use super::MADE_FROM;
use super::gather::Gathered;
use crate::frame::{column, scores};
use crate::rows::{coefficients, history};
use crate::sealed::{self, ROW_GROUP};

/// The bytes of `history.parquet`.
pub(crate) fn history_bytes(gathered: &Gathered, made_from: &str) -> PolarsResult<Vec<u8>> {
    let schema = Schema::from_iter([
        Field::new(history::RUN.into(), DataType::String),
        Field::new(history::EPOCH.into(), DataType::UInt32),
        Field::new(history::SPLIT.into(), DataType::String),
        Field::new(history::METRIC.into(), DataType::String),
        Field::new(history::VALUE.into(), DataType::Float64),
    ]);
    let ids = run_texts(gathered);
    let frames = groups(&gathered.history).map(|cells| {
        let runs: Vec<&str> = cells.iter().map(|c| ids[c.run as usize].as_str()).collect();
        let epochs: Vec<u32> = cells.iter().map(|cell| cell.epoch).collect();
        let splits: Vec<&str> = cells.iter().map(|cell| cell.split.name()).collect();
        let metrics: Vec<&str> = cells
            .iter()
            .map(|cell| &*gathered.metrics[cell.metric as usize])
            .collect();
        frame(vec![
            column(history::RUN, runs),
            column(history::EPOCH, epochs),
            column(history::SPLIT, splits),
            column(history::METRIC, metrics),
            scores(history::VALUE, cells.iter().map(|cell| Some(cell.value))),
        ])
    });
    sealed::encode(&schema, frames, &[(MADE_FROM, made_from)])
}

/// The bytes of `coefficients.parquet`.
pub(crate) fn coefficients_bytes(gathered: &Gathered, made_from: &str) -> PolarsResult<Vec<u8>> {
    let schema = Schema::from_iter([
        Field::new(coefficients::RUN.into(), DataType::String),
        Field::new(coefficients::FEATURE.into(), DataType::String),
        Field::new(coefficients::COEFFICIENT.into(), DataType::Float64),
        Field::new(coefficients::STANDARDIZED.into(), DataType::Float64),
    ]);
    let ids = run_texts(gathered);
    let frames = groups(&gathered.coefficients).map(|cells| {
        let runs: Vec<&str> = cells.iter().map(|c| ids[c.run as usize].as_str()).collect();
        let features: Vec<&str> = cells
            .iter()
            .map(|cell| &*gathered.features[cell.feature as usize])
            .collect();
        let values = cells.iter().map(|cell| Some(cell.coefficient));
        let standardized = cells.iter().map(|cell| Some(cell.standardized));
        frame(vec![
            column(coefficients::RUN, runs),
            column(coefficients::FEATURE, features),
            scores(coefficients::COEFFICIENT, values),
            scores(coefficients::STANDARDIZED, standardized),
        ])
    });
    sealed::encode(&schema, frames, &[(MADE_FROM, made_from)])
}

/// Pieces of a row group each, and one empty piece if there is nothing: a table always has its columns.
fn groups<T>(cells: &[T]) -> impl Iterator<Item = &[T]> {
    let empty = cells.is_empty().then_some(cells);
    cells.chunks(ROW_GROUP).chain(empty)
}

fn frame(columns: Vec<Column>) -> PolarsResult<DataFrame> {
    DataFrame::new_infer_height(columns)
}

fn run_texts(gathered: &Gathered) -> Vec<String> {
    gathered.runs.iter().map(|row| row.run.to_string()).collect()
}
