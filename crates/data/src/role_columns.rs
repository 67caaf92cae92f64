//! Columns that say something about a row without being features: its weight, and what its fold follows from.

use polars::prelude::DataFrame;

use crate::error::DataError;
use crate::fingerprint::ColumnHasher;
use crate::levels::{Levels, LevelsBuilder, MOST_PROMISED, NULL};
use crate::source::table::Table;
use crate::spec::{RoleSpec, Strategy};
use crate::time_point::{self, TimePoint};
use crate::weight;

/// The columns that a load needs, each with its name: first of all rows, then of the kept ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RoleColumns {
    pub(crate) weight: Option<(String, Vec<f64>)>,
    pub(crate) group: Option<(String, Levels)>,
    pub(crate) fold: Option<(String, Levels)>,
    pub(crate) time: Option<(String, Vec<TimePoint>)>,
}

/// Reads them batch by batch.
#[derive(Debug)]
pub(crate) struct RoleColumnsBuilder {
    weight: Option<(String, Vec<f64>)>,
    group: Option<(String, LevelsBuilder)>,
    fold: Option<(String, LevelsBuilder)>,
    time: Option<(String, Vec<TimePoint>)>,
}

impl RoleColumnsBuilder {
    /// The weights always count; the others are read only where the strategy asks for them.
    pub(crate) fn new(spec: &RoleSpec, strategy: Strategy, rows: usize) -> Self {
        let room = rows.min(MOST_PROMISED);
        let named = |column: &Option<String>, wanted| column.clone().filter(|_| strategy == wanted);
        let levels = |column, wanted| named(column, wanted).map(|column| (column, LevelsBuilder::new(rows)));
        Self {
            weight: spec.weight.clone().map(|column| (column, Vec::with_capacity(room))),
            group: levels(&spec.group, Strategy::Group),
            fold: levels(&spec.fold, Strategy::Predefined),
            time: named(&spec.time, Strategy::Time).map(|column| (column, Vec::with_capacity(room))),
        }
    }

    /// The columns that it reads.
    pub(crate) fn names(&self) -> Vec<String> {
        let weight = self.weight.iter().map(|(name, _)| name);
        let labels = self.group.iter().chain(&self.fold).map(|(name, _)| name);
        let time = self.time.iter().map(|(name, _)| name);
        weight.chain(labels).chain(time).cloned().collect()
    }

    /// Takes the next rows.
    pub(crate) fn push(&mut self, batch: &DataFrame, table: &Table) -> Result<(), DataError> {
        let unreadable = |error| table.unreadable(error);
        if let Some((name, values)) = &mut self.weight {
            let column = batch.column(name).map_err(unreadable)?;
            weight::extend(values, column).map_err(unreadable)?;
        }
        for (name, builder) in self.group.iter_mut().chain(&mut self.fold) {
            let column = batch.column(name).map_err(unreadable)?;
            builder.push(column).map_err(unreadable)?;
        }
        if let Some((name, points)) = &mut self.time {
            let column = batch.column(name).map_err(unreadable)?;
            let first_row = points.len();
            time_point::extend(points, column).map_err(|error| match error {
                Ok((row, text)) => {
                    let (file, row) = table.locate(first_row + row);
                    let column = name.clone();
                    DataError::NotATime {
                        column,
                        text,
                        row,
                        file,
                    }
                }
                Err(error) => table.unreadable(error),
            })?;
        }
        Ok(())
    }

    /// All rows are read.
    pub(crate) fn finish(self, table: &Table) -> RoleColumns {
        let levels = |(name, builder): (String, LevelsBuilder)| {
            let is_number = table.is_number(&name);
            (name, builder.finish(is_number))
        };
        RoleColumns {
            weight: self.weight,
            group: self.group.map(levels),
            fold: self.fold.map(levels),
            time: self.time,
        }
    }
}

impl RoleColumns {
    /// Checks the rows that are kept, and forgets the others.
    pub(crate) fn settle(&mut self, is_kept: Option<&[bool]>, table: &Table) -> Result<(), DataError> {
        let keeps = |row: usize| is_kept.is_none_or(|kept| kept[row]);
        if let Some((column, values)) = &mut self.weight {
            weight::check(values, column, keeps, table)?;
            keep(values, is_kept);
        }
        for (role, column) in [("group", &mut self.group), ("fold", &mut self.fold)] {
            let Some((name, levels)) = column else { continue };
            let is_null = |row: usize| keeps(row) && levels.codes[row] == NULL;
            check_nulls(role, name, levels.codes.len(), is_null, table)?;
            if let Some(is_kept) = is_kept {
                levels.keep(is_kept);
            }
        }
        if let Some((name, points)) = &mut self.time {
            let is_null = |row: usize| keeps(row) && points[row].is_null();
            check_nulls("time", name, points.len(), is_null, table)?;
            keep(points, is_kept);
        }
        Ok(())
    }

    /// Role, name and content of each, for the fingerprint.
    pub(crate) fn hashers(&self) -> Vec<(&'static str, String, ColumnHasher)> {
        let mut hashed = Vec::new();
        if let Some((name, values)) = &self.weight {
            hashed.push(("weight", name.clone(), ColumnHasher::of_numbers(values)));
        }
        for (role, column) in [("group", &self.group), ("fold", &self.fold)] {
            if let Some((name, levels)) = column {
                hashed.push((role, name.clone(), ColumnHasher::of_levels(levels)));
            }
        }
        if let Some((name, points)) = &self.time {
            let parts: Vec<f64> = points.iter().flat_map(|point| point.parts()).collect();
            hashed.push(("time", name.clone(), ColumnHasher::of_numbers(&parts)));
        }
        hashed
    }
}

fn keep<T>(values: &mut Vec<T>, is_kept: Option<&[bool]>) {
    if let Some(is_kept) = is_kept {
        let mut kept = is_kept.iter();
        values.retain(|_| *kept.next().unwrap_or(&false));
    }
}

/// Every kept row needs a value.
fn check_nulls(
    role: &'static str,
    column: &str,
    rows: usize,
    is_null: impl Fn(usize) -> bool,
    table: &Table,
) -> Result<(), DataError> {
    let Some(first) = (0..rows).find(|row| is_null(*row)) else {
        return Ok(());
    };
    let count = (first..rows).filter(|row| is_null(*row)).count();
    let (file, row) = table.locate(first);
    Err(DataError::NullRole {
        role,
        column: column.to_owned(),
        count,
        row,
        file,
    })
}
