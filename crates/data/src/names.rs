//! The first, light scan: target, columns with a role, and categorical columns.

use rayon::prelude::*;

use crate::error::DataError;
use crate::levels::{Levels, LevelsBuilder, NULL};
use crate::role_columns::{RoleColumns, RoleColumnsBuilder};
use crate::roles::{FeatureColumn, FeatureKind, Roles};
use crate::source::table::Table;
use crate::spec::{RoleSpec, Strategy};
use crate::summary::{SkipReason, Skipped};

/// What the first scan reads, each column completely.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) target: Levels,
    pub(crate) role_columns: RoleColumns,
    /// Categorical feature columns, in file order.
    pub(crate) features: Vec<(String, Levels)>,
}

/// Fewer rows may all differ by chance.
const MIN_ROWS_OF_ID: usize = 20;

/// Characters of a cell that are shown.
const LONGEST_CELL: usize = 80;

/// Reads them in one scan.
pub(crate) fn read(
    table: &Table,
    spec: &RoleSpec,
    strategy: Strategy,
    features: &[FeatureColumn],
) -> Result<Names, DataError> {
    let categorical = features.iter().filter(|column| column.kind == FeatureKind::Levels);
    let mut named: Vec<&str> = vec![&spec.target];
    named.extend(categorical.map(|column| column.name.as_str()));
    let mut builders: Vec<LevelsBuilder> = named.iter().map(|_| LevelsBuilder::new(table.rows)).collect();
    let mut role_columns = RoleColumnsBuilder::new(spec, strategy, table.rows);
    let role_names = role_columns.names();
    let wanted: Vec<&str> = named
        .iter()
        .copied()
        .chain(role_names.iter().map(String::as_str))
        .collect();
    table.for_each_batch(&wanted, |batch| {
        builders
            .par_iter_mut()
            .zip(&named)
            .try_for_each(|(builder, name)| builder.push(batch.column(name)?))
            .map_err(|e| table.unreadable(e))?;
        role_columns.push(&batch, table)
    })?;
    let mut levels = named
        .iter()
        .zip(builders)
        .map(|(name, builder)| ((*name).to_owned(), builder.finish(table.is_number(name))));
    let Some((_, target)) = levels.next() else {
        return Err(DataError::NoPaths);
    };
    let features = levels.collect();
    let role_columns = role_columns.finish(table);
    Ok(Names {
        target,
        role_columns,
        features,
    })
}

/// Drops what only the texts can tell: columns without a text, columns with one text per row.
///
/// Returns what is to be said about columns of numbers that a few texts turned into one text per row.
pub(crate) fn settle(names: &mut Names, roles: &mut Roles, table: &Table, spec: &RoleSpec) -> Vec<String> {
    let mut warned = Vec::new();
    names.features.retain(|(name, levels)| {
        let Some(place) = roles.features.iter().position(|column| &column.name == name) else {
            return false;
        };
        if levels.texts.is_empty() {
            // No text says that it is text: the same as a column of numbers without a number.
            roles.features[place].kind = FeatureKind::Number;
            return false;
        }
        let rows = levels.codes.len();
        let is_text = !table
            .dtype(name)
            .is_some_and(|d| d.is_primitive_numeric() || d.is_bool());
        let is_id = is_text && rows > MIN_ROWS_OF_ID && levels.texts.len() == rows;
        if is_id && !roles.features[place].is_explicit {
            warned.extend(numeric_text_warning(name, levels, table, spec, "skipped"));
            let column = roles.features.remove(place).name;
            roles.skipped.push(Skipped {
                column,
                reason: SkipReason::OneValuePerRow,
            });
            return false;
        }
        true
    });
    warned
}

/// A sentence about a column of text in which most cells of all files, or of one of them, are numbers.
pub(crate) fn numeric_text_warning(
    name: &str,
    levels: &Levels,
    table: &Table,
    spec: &RoleSpec,
    fate: &str,
) -> Option<String> {
    if spec.types.contains_key(name) || !table.dtype(name).is_some_and(polars::prelude::DataType::is_string) {
        return None;
    }
    let is_text: Vec<bool> = levels
        .texts
        .iter()
        .map(|text| text.trim_ascii().parse::<f64>().is_err())
        .collect();
    let mut codes = levels.codes.iter();
    let by_file: Vec<(u64, u64)> = table
        .files
        .iter()
        .map(|file| {
            let known = codes.by_ref().take(file.rows).filter(|code| **code != NULL);
            known.fold((0, 0), |(bad, all), code| {
                (bad + u64::from(is_text[*code as usize]), all + 1)
            })
        })
        .collect();
    let (bad, all) = by_file
        .iter()
        .fold((0, 0), |sum, file| (sum.0 + file.0, sum.1 + file.1));
    let is_of_numbers = |&(bad, all): &(u64, u64)| bad * 2 < all;
    if bad == 0 || !(is_of_numbers(&(bad, all)) || by_file.iter().any(is_of_numbers)) {
        return None;
    }
    let first = levels
        .codes
        .iter()
        .position(|&code| code != NULL && is_text[code as usize])?;
    let text = &levels.texts[levels.codes[first] as usize];
    // A paragraph of prose is not repeated here.
    let text: String = text.chars().take(LONGEST_CELL).collect();
    let (file, row) = table.locate(first);
    let verb = if bad == 1 { "is not a number" } else { "are not numbers" };
    Some(format!(
        "column \"{name}\" is {fate}, for {bad} of its {all} values {verb} (first {text:?} in row {row} of {file}): \
         add {text:?} to [data] missing to read it as numbers, or set types = {{ {name} = \"categorical\" }}"
    ))
}
