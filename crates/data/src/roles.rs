//! Which column plays which part, with the names checked before any row is read.

use globset::{Glob, GlobMatcher};
use polars::prelude::DataType;

use crate::error::{DataError, most_similar};
use crate::source::table::Table;
use crate::spec::{ColumnType, RoleSpec};
use crate::summary::{SkipReason, Skipped};

/// A feature column before its rows are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeatureColumn {
    pub(crate) name: String,
    pub(crate) kind: FeatureKind,
    /// Named by include or types: it is not skipped by itself.
    pub(crate) is_explicit: bool,
}

/// How a feature column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeatureKind {
    Number,
    Boolean,
    /// Text to be parsed as numbers.
    TextNumber,
    Levels,
}

/// All parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) features: Vec<FeatureColumn>,
    pub(crate) skipped: Vec<Skipped>,
}

/// Checks every name of the specification against the table.
pub(crate) fn resolve(spec: &RoleSpec, table: &Table) -> Result<Roles, DataError> {
    let named = [
        ("target", Some(&spec.target)),
        ("weight", spec.weight.as_ref()),
        ("group", spec.group.as_ref()),
        ("fold", spec.fold.as_ref()),
        ("time", spec.time.as_ref()),
        ("id", spec.id.as_ref()),
    ];
    for (i, (role, column)) in named.iter().enumerate() {
        let Some(column) = column else { continue };
        exists(table, column, &format!("[data] {role}"))?;
        if let Some((first, _)) = named[..i].iter().find(|(_, other)| other == &Some(*column)) {
            let column = (*column).clone();
            return Err(DataError::TwoRoles {
                column,
                first,
                second: role,
            });
        }
    }
    for column in spec.types.keys() {
        exists(table, column, "[data] types")?;
    }
    for (part, column) in named {
        let is_usable: fn(&DataType) -> bool = match part {
            "weight" => is_weight,
            "time" => is_time,
            // It is carried along, whatever it is.
            "id" => |_| true,
            _ => is_label,
        };
        if let Some((column, dtype)) = column.and_then(|column| Some((column, table.dtype(column)?)))
            && !(dtype.is_null() || is_usable(dtype))
        {
            return Err(unsupported(table, column, dtype, part));
        }
    }
    let include = patterns(&spec.include, "include", table)?;
    let exclude = patterns(&spec.exclude, "exclude", table)?;
    let mut roles = Roles {
        features: Vec::new(),
        skipped: Vec::new(),
    };
    for column in &table.columns {
        let name = column.name.as_str();
        // A part goes by the name of its column, too.
        let base = column.part.as_ref().map(|(base, _)| base.as_str());
        let mut roles_of = named.iter().filter_map(|(_, other)| other.map(String::as_str));
        let has_role = roles_of.any(|other| other == name || Some(other) == base);
        let matches = |patterns: &[Pattern]| {
            patterns
                .iter()
                .any(|p| p.matches(name) || base.is_some_and(|b| p.matches(b)))
        };
        if has_role || !matches(&include) || matches(&exclude) {
            continue;
        }
        let forced = spec.types.get(name).copied();
        if forced == Some(ColumnType::Datetime) {
            continue;
        }
        let is_explicit = forced.is_some() || base.is_some() || spec.include.iter().any(|pattern| pattern == name);
        match feature_kind(&column.dtype, forced) {
            Some(kind) => {
                roles.features.push(FeatureColumn {
                    name: name.to_owned(),
                    kind,
                    is_explicit,
                });
            }
            None if is_date(&column.dtype) && !is_explicit => {
                roles.skipped.push(Skipped {
                    column: name.to_owned(),
                    reason: SkipReason::Date,
                });
            }
            None => return Err(unsupported(table, name, &column.dtype, "feature")),
        }
    }
    Ok(roles)
}

fn is_date(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::Date | DataType::Datetime(..) | DataType::Duration(_) | DataType::Time
    )
}

fn feature_kind(dtype: &DataType, forced: Option<ColumnType>) -> Option<FeatureKind> {
    let is_number = dtype.is_primitive_numeric() || dtype.is_decimal();
    let is_text = dtype.is_string() || dtype.is_categorical() || dtype.is_enum();
    match forced {
        Some(ColumnType::Categorical) if is_number || is_text || dtype.is_bool() => Some(FeatureKind::Levels),
        Some(ColumnType::Numeric) if is_text => Some(FeatureKind::TextNumber),
        // A column without a value has no type to speak of.
        _ if is_number || dtype.is_null() => Some(FeatureKind::Number),
        _ if dtype.is_bool() => Some(FeatureKind::Boolean),
        _ if is_text => Some(FeatureKind::Levels),
        _ => None,
    }
}

fn is_label(dtype: &DataType) -> bool {
    feature_kind(dtype, Some(ColumnType::Categorical)).is_some()
}

/// Numbers; of text, the cell that is no number is named later.
fn is_weight(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric() || dtype.is_decimal() || dtype.is_string()
}

/// Numbers and dates; of text, the cell that is neither is named later.
fn is_time(dtype: &DataType) -> bool {
    is_weight(dtype) || matches!(dtype, DataType::Date | DataType::Datetime(..))
}

fn unsupported(table: &Table, column: &str, dtype: &DataType, part: &'static str) -> DataError {
    DataError::UnsupportedType {
        column: column.to_owned(),
        file: table.files[0].name.clone(),
        dtype: dtype.to_string(),
        part,
    }
}

fn exists(table: &Table, column: &str, setting: &str) -> Result<(), DataError> {
    if table.dtype(column).is_some() {
        return Ok(());
    }
    Err(DataError::ColumnNotFound {
        column: column.to_owned(),
        setting: setting.to_owned(),
        similar: similar(table, column),
    })
}

fn similar(table: &Table, name: &str) -> Option<String> {
    most_similar(name, table.columns.iter().map(|column| column.name.as_str()))
}

/// A name or a glob; a column whose name has glob characters can be named literally.
struct Pattern {
    text: String,
    glob: GlobMatcher,
}

impl Pattern {
    fn matches(&self, name: &str) -> bool {
        self.text == name || self.glob.is_match(name)
    }
}

fn patterns(texts: &[String], setting: &'static str, table: &Table) -> Result<Vec<Pattern>, DataError> {
    let pattern = |text: &String| {
        let glob = Glob::new(text)
            .map_err(|source| DataError::BadGlob {
                pattern: text.clone(),
                source,
            })?
            .compile_matcher();
        let pattern = Pattern {
            text: text.clone(),
            glob,
        };
        if table.columns.iter().any(|column| pattern.matches(&column.name)) {
            return Ok(pattern);
        }
        let similar = similar(table, text);
        Err(DataError::PatternWithoutMatch {
            setting,
            pattern: text.clone(),
            similar,
        })
    };
    texts.iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_decide_how_a_column_is_read() {
        use FeatureKind::{Boolean, Levels, Number, TextNumber};
        let kind = feature_kind;
        assert_eq!(kind(&DataType::Int8, None), Some(Number));
        assert_eq!(kind(&DataType::Decimal(10, 2), None), Some(Number));
        assert_eq!(kind(&DataType::Boolean, None), Some(Boolean));
        assert_eq!(kind(&DataType::String, None), Some(Levels));
        assert_eq!(kind(&DataType::Int64, Some(ColumnType::Categorical)), Some(Levels));
        assert_eq!(kind(&DataType::String, Some(ColumnType::Numeric)), Some(TextNumber));
        assert_eq!(kind(&DataType::Null, Some(ColumnType::Categorical)), Some(Number));
        assert_eq!(kind(&DataType::Binary, None), None);
        assert_eq!(kind(&DataType::Date, Some(ColumnType::Categorical)), None);
    }
}
