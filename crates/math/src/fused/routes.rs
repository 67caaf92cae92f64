//! Where the codes of a row lead in each column of a pass.

use std::ops::Range;
use std::sync::Arc;

use super::Rows;
use crate::Real;
use crate::affine::AffineMap;
use crate::codes::{Codes, MIXED, NO_SLOT};

/// The codes of a stored matrix for the columns of a pass.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    pub(super) codes: Arc<Codes>,
    /// Columns of numbers, in front of those of codes.
    pub(super) numbers: usize,
    fold_of_column: Vec<usize>,
    /// Columns of one fold that lie side by side.
    stretches: Vec<(Range<usize>, usize)>,
}

impl Routes {
    /// For columns of these folds; none where there are no codes.
    pub(super) fn new(map: &AffineMap, fold_of_column: Vec<usize>) -> Option<Self> {
        let mut routes = Self {
            codes: Arc::clone(&map.codes),
            numbers: map.raw_columns,
            fold_of_column,
            stretches: Vec::new(),
        };
        routes.stretch();
        (routes.codes.columns() > 0).then_some(routes)
    }

    fn stretch(&mut self) {
        let mut first = 0;
        let stretches = self.fold_of_column.chunk_by(|a, b| a == b).map(|own| {
            let columns = first..first + own.len();
            first = columns.end;
            (columns, own[0])
        });
        self.stretches = stretches.collect();
    }

    /// Keeps the given columns, in that order.
    pub(super) fn keep(&mut self, order: &[usize]) {
        self.fold_of_column = order.iter().map(|&column| self.fold_of_column[column]).collect();
        self.stretch();
    }

    /// Tells the slots of a tile's rows, once for every column of codes and stretch of `columns` in which each code leads to
    /// one slot. A code that leads to different slots in different folds is [`MIXED`] where the stretches are told together.
    pub(super) fn walk<T: Real>(
        &self,
        tile: &Rows<'_, T>,
        columns: &Range<usize>,
        slots: &mut Vec<u32>,
        mut take: impl FnMut(Range<usize>, &mut [u32]),
    ) {
        let lead = |column: usize, to: &[u32], slots: &mut Vec<u32>| {
            let slot = |code: &T| to.get(code.as_f64() as usize).copied().unwrap_or(NO_SLOT);
            slots.clear();
            slots.extend(tile.x.column(self.numbers + column).iter().map(slot));
        };
        for column in 0..self.codes.columns() {
            if let [(_, fold)] = self.stretches[..] {
                lead(column, self.codes.slots(fold), slots);
                take(columns.clone(), slots);
                continue;
            }
            lead(column, self.codes.common(), slots);
            let is_mixed = slots.contains(&MIXED);
            take(columns.clone(), slots);
            if !is_mixed {
                continue;
            }
            for (stretch, fold) in &self.stretches {
                let own = stretch.start.max(columns.start)..stretch.end.min(columns.end);
                if own.is_empty() {
                    continue;
                }
                lead(column, self.codes.slots(*fold), slots);
                for (slot, code) in slots.iter_mut().zip(tile.x.column(self.numbers + column)) {
                    if self.codes.common().get(code.as_f64() as usize) != Some(&MIXED) {
                        *slot = NO_SLOT;
                    }
                }
                take(own, slots);
            }
        }
    }
}
