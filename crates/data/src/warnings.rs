//! What the user should look at: columns that cannot help, columns that help too much.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::element::Element;
use crate::encode::Encoding;
use crate::leak::suspicious_auc;
use crate::matrix::{Matrix, Number};
use crate::source::table::Table;
use crate::summary::{ColumnKind, ColumnSummary};

/// Numeric columns with one value or none.
pub(crate) fn constant_columns(
    columns: &[ColumnSummary],
    rows: usize,
    encoding: &Encoding,
    groups: usize,
) -> Vec<String> {
    let all = encoding.for_training(&vec![true; groups]);
    let free: BTreeSet<&str> = encoding
        .features
        .iter()
        .zip(&all.is_held)
        .filter(|(_, is_held)| !**is_held)
        .map(|(feature, _)| feature.column.as_str())
        .collect();
    columns
        .iter()
        .filter(|column| !free.contains(column.name.as_str()))
        .map(|column| {
            let name = &column.name;
            if column.nulls == rows as u64 {
                format!("column \"{name}\" has no value in any row: its weight is held at 0")
            } else if column.kind == ColumnKind::Categorical {
                format!("column \"{name}\" has fewer than two levels with enough rows: its weights are held at 0")
            } else {
                format!("column \"{name}\" is constant: its weight is held at 0")
            }
        })
        .collect()
}

/// Integers that `f64` rounds.
pub(crate) fn wide_integers(columns: &[Number], table: &Table) -> Vec<String> {
    let wide = columns
        .iter()
        .map(|number| &number.column)
        .filter_map(|column| column.wide_integer.map(|row| (column, row)));
    wide.map(|(column, row)| {
        let (file, row) = table.locate(row);
        format!(
            "column \"{}\" holds integers beyond 2^53, which are rounded (first in row {row} of {file}): \
             if it is an id, list it under [data] exclude",
            column.name
        )
    })
    .collect()
}

/// Numeric columns that tell the target by themselves.
pub(crate) fn leaks<T: Element>(matrix: &Matrix<T>, y: &[u8]) -> Vec<String> {
    let Matrix {
        values,
        stride,
        numbers,
        ..
    } = matrix;
    let found: Vec<Option<f64>> = (0..numbers.len())
        .into_par_iter()
        .map(|j| suspicious_auc(values, *stride, j, y))
        .collect();
    let found = numbers
        .iter()
        .zip(found)
        .filter_map(|(number, auc)| auc.map(|auc| (&number.column, auc)));
    found
        .map(|(column, auc)| {
            format!(
                "column \"{0}\" alone tells the target (roc_auc {auc:.4}): if it is recorded after the fact, it is a \
                 leak; list it under [data] exclude",
                column.name
            )
        })
        .collect()
}
