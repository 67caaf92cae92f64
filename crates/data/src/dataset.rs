//! The loaded data set.

use std::ops::Range;

use crate::cache::Stored;
use crate::encode::Encoding;
use crate::split::Folds;
use crate::summary::Summary;

/// Rows ready to be trained on: one matrix for all folds, in storage order.
///
/// Rows lie grouped by row group and, when dealt, permuted inside each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<T> {
    /// (n, D) row-major: columns of numbers and behind them columns of codes, see [`Encoding::raw`] and [`Encoding::codes`].
    pub x: Stored<T>,
    /// 0 or 1 per row.
    pub y: Vec<T>,
    /// Weight per row; `None` = each row counts 1.
    pub weight: Option<Vec<f64>>,
    /// Row of the files, counted from 0 over all of them.
    pub source_row: Vec<u32>,
    /// Rows of each row group, in order, covering all rows.
    pub groups: Vec<Range<usize>>,
    /// Sum of the weights of class 0 and of class 1 in each row group; without weights, the number of rows.
    pub group_weight: Vec<[f64; 2]>,
    /// Every fold's role for every row group.
    pub folds: Folds,
    /// From stored columns to features.
    pub encoding: Encoding,
    /// What was loaded, for the user to read.
    pub summary: Summary,
}
