//! From a specification to a data set, in two scans: names first, then numbers.

use std::time::Instant;

use crate::cache::{self, CacheSpec, Key, Parts};
use crate::categorical::CategoricalColumn;
use crate::dataset::Dataset;
use crate::element::Element;
use crate::encode::encoding::PreparedColumn;
use crate::encode::{Encoding, RawColumn};
use crate::error::DataError;
use crate::fingerprint::{self, ColumnHasher};
use crate::level_places::{LevelPlaces, code_columns};
use crate::levels::Levels;
use crate::matrix::{Matrix, Number};
use crate::names::{self, Names};
use crate::random;
use crate::roles::{self, FeatureKind, Roles};
use crate::source::table::Table;
use crate::spec::{Impute, LoadSpec};
use crate::split::folds::{self, Split};
use crate::summary::{ColumnKind, ColumnSummary, Summary};
use crate::target;
use crate::tile::marks;
use crate::tile::numbers::NumberColumn;
use crate::tile::placement::Placement;
use crate::warnings;
use crate::weight;

/// Loads the files that `spec` names.
///
/// The result depends on nothing but the content of the files in their order and on `spec`: not on threads, row groups
/// or how rows are spread over files.
pub fn load<T: Element>(spec: &LoadSpec) -> Result<Dataset<T>, DataError> {
    load_by(spec, None, &Key::NONE)
}

/// As [`load`], but a matrix that the memory should not hold goes to a file of the cache, from where a later load of the
/// same data takes it. The numbers and their order are the same.
pub fn load_within<T: Element>(spec: &LoadSpec, cache: &CacheSpec) -> Result<Dataset<T>, DataError> {
    let start = Instant::now();
    let key = Key::of::<T>(spec);
    if let Some(mut data) = cache::open(&cache.dir, &key) {
        data.summary.read_seconds = start.elapsed().as_secs_f64();
        return Ok(data);
    }
    load_by(spec, Some(cache), &key)
}

fn load_by<T: Element>(spec: &LoadSpec, cache: Option<&CacheSpec>, key: &Key) -> Result<Dataset<T>, DataError> {
    let start = Instant::now();
    let table = Table::open(spec, cache.map_or(u64::MAX, |cache| cache.limit_bytes))?;
    let (roles, mut names, mut warned) = read_names(spec, &table)?;
    let mut target = target::resolve(&spec.roles, &mut names.target, &table)?;
    let is_kept = target.is_kept.as_deref();
    names.role_columns.settle(is_kept, &table)?;
    warned.extend(settle_features(spec, &mut names.features, is_kept, &table));
    let hashed = role_hashers(spec, &names);
    // What only the first scan needs goes before the matrix comes.
    let Names {
        target: target_levels,
        role_columns,
        features,
    } = names;
    drop(target_levels);
    let seed = random::seed_of_repeat(spec.seed, spec.split.repeat);
    let mut split = folds::assign(&spec.split, seed, &target, &role_columns)?;
    let (group_weight, said) = folds::check(&split, &target, &role_columns)?;
    warned.extend(said);
    let weight_summary = role_columns
        .weight
        .as_ref()
        .map(|(name, values)| weight::summary(name, values));
    let weight = role_columns.weight.map(|(_, weight)| weight);
    let placement = Placement::new(&split, is_kept, spec.deal, seed);
    let numbers = number_columns(&roles, &table);
    let categorical = categorical_columns(spec, features, &split, weight.as_deref())?;
    split.group = Vec::new();
    let y: Vec<u8> = placement.stored(&target.y);
    target.y = Vec::new();
    let weight: Option<Vec<f64>> = weight.map(|weight| placement.stored(&weight));

    let places = LevelPlaces::new(&categorical, numbers.len())?;
    let (weights, impute) = (weight.as_deref(), spec.encode.impute);
    // What lies beside the matrix: places and labels, then what training makes of them.
    let beside = 9 + size_of::<T>() + 4 * categorical.len() + weights.map_or(0, |_| 8 + size_of::<T>());
    let row = (places.numbers + places.code_columns) * size_of::<T>() + beside;
    let cache = cache.filter(|cache| (row * y.len()) as u64 > cache.limit_bytes && row > beside);
    let room = (places.numbers - numbers.len(), places.code_columns);
    let mut matrix = Matrix::<T>::read(&table, numbers, room, &placement, weights, impute, cache)?;
    let trainings = split.trainings_and_all();
    if impute == Impute::Median {
        matrix.find_medians(&trainings, weights, &placement.groups);
    }
    warned.extend(warnings::wide_integers(&matrix.numbers, &table));
    warned.extend(warnings::leaks(&matrix, &y));
    let level_marks = places.marks(&categorical);
    marks::write_levels(&mut matrix.values, matrix.stride, placement.kept_rows(), &level_marks);
    let marks_of = matrix.mark_missing()?;
    let raw = raw_columns(&matrix, &categorical, &marks_of);
    let codes = code_columns(&categorical);
    let numbers_stored = matrix.stride - matrix.code_columns;
    let first_raw = places.first_raw(numbers_stored);
    let Matrix { values, numbers, .. } = matrix;
    let Columns {
        prepared,
        mut summaries,
        hashers,
    } = Columns::new(&roles, numbers, marks_of, categorical, first_raw);
    let encoding = Encoding::new(raw, codes, prepared, &spec.encode, trainings)?;
    count_features(&mut summaries, &encoding);
    warned.extend(warnings::constant_columns(&summaries, y.len(), &encoding, split.groups));
    let feature_hashers = summaries
        .iter()
        .zip(hashers)
        .map(|(s, hasher)| (s.kind.word(), s.name.as_str(), hasher));
    let hashed = hashed
        .iter()
        .map(|(role, name, hasher)| (*role, name.as_str(), hasher.clone()));
    let fingerprint = fingerprint::join(hashed.chain(feature_hashers));
    let summary = Summary {
        rows: y.len(),
        rows_dropped: table.rows - y.len(),
        files: table.files.into_iter().map(|file| file.name).collect(),
        columns: summaries,
        skipped: roles.skipped,
        target: target.summary,
        weight: weight_summary,
        warnings: warned,
        fingerprint,
        read_seconds: start.elapsed().as_secs_f64(),
    };
    let (source_row, groups) = placement.into_stored();
    let parts = Parts {
        y,
        weight,
        source_row,
        groups,
        group_weight,
        folds: split.folds,
        encoding,
        summary,
    };
    values.finish(parts, key, spec)
}

/// Checks the columns and reads those of names; what is to be said about them comes third.
fn read_names(spec: &LoadSpec, table: &Table) -> Result<(Roles, Names, Vec<String>), DataError> {
    let mut roles = roles::resolve(&spec.roles, table)?;
    let mut names = names::read(table, &spec.roles, spec.split.strategy, &roles.features)?;
    let warned = names::settle(&mut names, &mut roles, table, &spec.roles);
    if roles.features.is_empty() {
        let skipped = roles.skipped.into_iter().map(|skipped| skipped.column).collect();
        return Err(DataError::NoFeatures { skipped });
    }
    Ok((roles, names, warned))
}

/// Keeps the rows of the categorical columns; says which of them look like numbers with a few other texts.
fn settle_features(
    spec: &LoadSpec,
    features: &mut [(String, Levels)],
    is_kept: Option<&[bool]>,
    table: &Table,
) -> Vec<String> {
    let mut warned = Vec::new();
    for (name, levels) in features {
        warned.extend(names::numeric_text_warning(
            name,
            levels,
            table,
            &spec.roles,
            "read as categories",
        ));
        if let Some(is_kept) = is_kept {
            levels.keep(is_kept);
        }
    }
    warned
}

/// Target and columns with a role are part of the fingerprint.
fn role_hashers(spec: &LoadSpec, names: &Names) -> Vec<(&'static str, String, ColumnHasher)> {
    let target = ColumnHasher::of_levels(&names.target);
    let mut hashed = vec![("target", spec.roles.target.clone(), target)];
    hashed.extend(names.role_columns.hashers());
    hashed
}

/// Lays out the categorical columns.
fn categorical_columns(
    spec: &LoadSpec,
    features: Vec<(String, Levels)>,
    split: &Split,
    weight: Option<&[f64]>,
) -> Result<Vec<CategoricalColumn>, DataError> {
    let column = |(name, levels)| CategoricalColumn::new(name, levels, split, weight, &spec.encode.one_hot);
    features.into_iter().map(column).collect()
}

/// Descriptions of all raw columns, in their order: those of codes are the last.
fn raw_columns<T: Element>(
    matrix: &Matrix<T>,
    categorical: &[CategoricalColumn],
    marks_of: &[Option<usize>],
) -> Vec<RawColumn> {
    let levels = |is_coded: bool| {
        let own = categorical.iter().filter(move |column| column.is_coded == is_coded);
        own.flat_map(CategoricalColumn::raw_columns)
    };
    matrix
        .raw_numbers()
        .chain(levels(false))
        .chain(matrix.raw_marks(marks_of))
        .chain(levels(true))
        .collect()
}

/// Columns to be read as numbers, in file order.
fn number_columns(roles: &Roles, table: &Table) -> Vec<NumberColumn> {
    let mut known = table.columns.iter();
    let numeric = roles
        .features
        .iter()
        .filter(|column| column.kind != FeatureKind::Levels);
    numeric
        .map(|column| NumberColumn {
            name: column.name.clone(),
            kind: column.kind,
            wide_integer: known
                .find(|known| known.name == column.name)
                .and_then(|known| known.wide_integer),
        })
        .collect()
}

/// Features lie in the order of their columns.
fn count_features(summaries: &mut [ColumnSummary], encoding: &Encoding) {
    let mut features = encoding.features.iter().peekable();
    for summary in summaries {
        while features.next_if(|feature| feature.column == summary.name).is_some() {
            summary.width += 1;
        }
    }
}

/// Feature columns in file order, each as the encoding, the summary and the fingerprint need it.
#[derive(Default)]
struct Columns {
    prepared: Vec<PreparedColumn>,
    summaries: Vec<ColumnSummary>,
    hashers: Vec<ColumnHasher>,
}

impl Columns {
    /// Merges numeric and categorical columns back into file order.
    fn new(
        roles: &Roles,
        numbers: Vec<Number>,
        marks_of: Vec<Option<usize>>,
        categorical: Vec<CategoricalColumn>,
        first_raw: Vec<usize>,
    ) -> Self {
        let mut columns = Self::default();
        let mut numbers = numbers.into_iter().zip(marks_of).enumerate();
        let mut categorical = categorical.into_iter().zip(first_raw);
        for feature in &roles.features {
            if feature.kind == FeatureKind::Levels {
                if let Some((column, first_raw)) = categorical.next() {
                    columns.add_levels(column, first_raw);
                }
            } else if let Some((raw, (number, mark))) = numbers.next() {
                columns.add_number(number, raw, mark);
            }
        }
        columns
    }

    fn add_number(&mut self, number: Number, raw: usize, missing_raw: Option<usize>) {
        let Number {
            column,
            center,
            moments,
            medians,
            total,
            hasher,
        } = number;
        let observed = (total.observed > 0.0).then_some(total);
        let is_boolean = column.kind == FeatureKind::Boolean && observed.is_some();
        self.summaries.push(ColumnSummary {
            name: column.name.clone(),
            kind: if is_boolean {
                ColumnKind::Boolean
            } else {
                ColumnKind::Numeric
            },
            nulls: total.missing as u64,
            width: 0,
            mean: observed.map(|total| center.center + center.scale * total.mean),
            std: observed.map(|total| center.scale * total.variance().sqrt()),
            levels: 0,
        });
        self.hashers.push(hasher);
        self.prepared.push(PreparedColumn::Numeric {
            name: column.name,
            center,
            moments,
            medians,
            raw,
            missing_raw,
        });
    }

    fn add_levels(&mut self, column: CategoricalColumn, first_raw: usize) {
        let CategoricalColumn {
            name,
            nulls,
            categories,
            layout,
            hasher,
            ..
        } = column;
        self.summaries.push(ColumnSummary {
            name: name.clone(),
            kind: ColumnKind::Categorical,
            nulls,
            width: 0,
            mean: None,
            std: None,
            levels: categories.levels.len(),
        });
        self.hashers.push(hasher);
        self.prepared.push(PreparedColumn::Levels {
            name,
            categories,
            layout,
            first_raw,
        });
    }
}
