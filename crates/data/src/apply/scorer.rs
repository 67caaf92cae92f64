//! Files in, scores out: rows in order, a batch at a time, so that memory does not grow with the files.

use polars::prelude::{Column, DataFrame};
use rayon::prelude::*;

use super::drift::{ColumnDrift, EXAMPLES};
use super::error::ApplyError;
use super::fitted::FittedColumn;
use super::lookup::Lookup;
use super::term::{Place, Term};
use crate::levels::{LevelsBuilder, NULL};
use crate::source::parts::Part;
use crate::source::stream::Stream;
use crate::spec::SourceSpec;
use crate::weight;

/// Columns whose cells are turned into numbers at the same time: a wide table must not multiply the memory of a batch.
const COLUMNS: usize = 32;

/// Rows whose sums stay in the first cache while the columns are added.
const ROWS: usize = 2048;

/// A model ready to score rows. Everything is computed in f64.
#[derive(Debug, Clone)]
pub struct Scorer {
    terms: Vec<Term>,
    intercept: f64,
    training_rows: u64,
}

/// Which rows, and what else to take from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplySpec {
    /// The files.
    pub source: SourceSpec,
    /// Columns of dates or datetimes that are taken apart, as in training.
    pub datetimes: Vec<String>,
    /// The column that names a row; carried along where the files have it.
    pub id: Option<String>,
    /// The labels, when they are wanted.
    pub labels: Option<LabelSpec>,
}

/// The labels of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSpec {
    /// The column.
    pub column: String,
    /// The label that counts as 1.
    pub positive: String,
    /// The label that counts as 0; `None` when every other label does.
    pub negative: Option<String>,
    /// Leave rows without a label out instead of refusing them.
    pub drop_null: bool,
    /// The column that says how much each row counts, where the files have it.
    pub weight: Option<String>,
}

/// Some rows with their scores.
#[derive(Debug)]
pub struct ScoredBatch {
    /// The log odds of the positive label, in the order of the rows.
    pub z: Vec<f64>,
    /// Whether each row has the positive label; `None` for a row without one. Empty when no labels are wanted.
    pub labels: Vec<Option<bool>>,
    /// How much each row counts. Empty when all count the same.
    pub weights: Vec<f64>,
    pub(super) id: Option<Column>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// Rows of all files.
    pub rows: u64,
    /// The files in the order they were read.
    pub files: Vec<String>,
    /// Columns that the model does not know.
    pub ignored: Vec<String>,
    /// What the user should know, in whole sentences.
    pub notes: Vec<String>,
    /// Nulls and unseen levels, per column of the model.
    pub drift: Vec<ColumnDrift>,
}

impl Scorer {
    /// From the columns of a model, a weight per feature, and the number of rows it was fitted on.
    ///
    /// # Panics
    /// If a column names a feature without a weight.
    pub fn new(columns: &[FittedColumn], coefficients: &[f64], intercept: f64, training_rows: u64) -> Self {
        Self {
            terms: columns.iter().map(|column| Term::new(column, coefficients)).collect(),
            intercept,
            training_rows,
        }
    }

    /// Scores every row of the files in order and hands the batches over.
    pub fn score<E: From<ApplyError>>(
        &self,
        spec: &ApplySpec,
        mut take: impl FnMut(ScoredBatch) -> Result<(), E>,
    ) -> Result<Applied, E> {
        let stream = Stream::open(&spec.source, &spec.datetimes).map_err(ApplyError::from)?;
        let mut applied = self.look(spec, &stream)?;
        let id = spec.id.as_deref().filter(|id| stream.dtype(id).is_some());
        let labels = spec.labels.as_ref().map(|labels| (labels, labels.lookup()));
        let weight = spec.weight().filter(|weight| stream.dtype(weight).is_some());
        let mut names: Vec<&str> = self.terms.iter().map(|term| term.name.as_str()).collect();
        for name in id
            .into_iter()
            .chain(spec.labels.as_ref().map(|labels| labels.column.as_str()))
            .chain(weight)
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut first_row = 0;
        stream
            .for_each_batch::<Stop<E>>(&names, |batch| {
                let place = Place {
                    stream: &stream,
                    missing: &spec.source.missing,
                    first_row,
                };
                first_row += batch.height();
                let z = self.z(&batch, place, &mut applied.drift).map_err(Stop::apply)?;
                let column = |name: &str| batch.column(name).map_err(|error| Stop::apply(place.unreadable(error)));
                let labels = match &labels {
                    Some((spec, lookup)) => spec.read(column(&spec.column)?, lookup, place).map_err(Stop::apply)?,
                    None => Vec::new(),
                };
                let weights = match weight {
                    Some(weight) => weights(column(weight)?, &labels, place).map_err(Stop::apply)?,
                    None => Vec::new(),
                };
                let id = id.map(|id| column(id).cloned()).transpose()?;
                let batch = ScoredBatch { z, labels, weights, id };
                take(batch).map_err(Stop::Taker)
            })
            .map_err(|stop| match stop {
                Stop::Taker(error) => error,
                Stop::Apply(error) => (*error).into(),
            })?;
        applied.rows = first_row as u64;
        Ok(applied)
    }

    /// Compares the columns of the files with those of the model.
    fn look(&self, spec: &ApplySpec, stream: &Stream) -> Result<Applied, ApplyError> {
        let first = &stream.files[0].name;
        let mut missing: Vec<String> = self
            .terms
            .iter()
            .filter(|term| stream.dtype(&term.name).is_none())
            .map(|term| spec.base_of(&term.name).unwrap_or(&term.name).to_owned())
            .collect();
        missing.dedup();
        if !missing.is_empty() {
            return Err(ApplyError::missing(first, missing, &stream.columns));
        }
        let target = spec.labels.as_ref().map(|labels| labels.column.as_str());
        if let Some(column) = target.filter(|target| stream.dtype(target).is_none()) {
            let (file, column) = (first.clone(), column.to_owned());
            return Err(ApplyError::NoTarget { file, column });
        }
        let mut notes = Vec::new();
        for term in &self.terms {
            notes.extend(term.check(stream)?);
        }
        if let Some(id) = spec.id.as_ref().filter(|id| stream.dtype(id).is_none()) {
            notes.push(format!(
                "{first} has no column \"{id}\" ([data] id): rows are not named"
            ));
        }
        if let Some(weight) = spec.weight().filter(|weight| stream.dtype(weight).is_none()) {
            notes.push(format!(
                "{first} has no column \"{weight}\" ([data] weight): every row counts the same"
            ));
        }
        let is_used = |name: &str| {
            let is_apart = spec.datetimes.iter().any(|base| base == name) || spec.base_of(name).is_some();
            is_apart
                || spec.id.as_deref() == Some(name)
                || target == Some(name)
                || spec.weight() == Some(name)
                || self.terms.iter().any(|term| term.name == name)
        };
        let ignored = stream.columns.iter().filter(|(name, _)| !is_used(name));
        Ok(Applied {
            rows: 0,
            files: stream.files.iter().map(|file| file.name.clone()).collect(),
            ignored: ignored.map(|(name, _)| name.clone()).collect(),
            notes,
            drift: self
                .terms
                .iter()
                .map(|term| ColumnDrift {
                    column: term.name.clone(),
                    training_null_rate: term.training_nulls as f64 / self.training_rows.max(1) as f64,
                    unseen_fate: term.unseen_fate(),
                    ..ColumnDrift::default()
                })
                .collect(),
        })
    }

    /// The scores of a batch. Each row adds the columns in the order of the model, whatever the threads.
    fn z(&self, batch: &DataFrame, place: Place<'_>, drift: &mut [ColumnDrift]) -> Result<Vec<f64>, ApplyError> {
        let mut z = vec![self.intercept; batch.height()];
        for (terms, drift) in self.terms.chunks(COLUMNS).zip(drift.chunks_mut(COLUMNS)) {
            let added = terms
                .par_iter()
                .map(|term| {
                    let column = batch.column(&term.name).map_err(|error| place.unreadable(error))?;
                    term.add(column, place)
                })
                .collect::<Vec<_>>();
            let added = added.into_iter().collect::<Result<Vec<_>, _>>()?;
            z.par_chunks_mut(ROWS).enumerate().for_each(|(index, z)| {
                for added in &added {
                    added.values.add(index * ROWS, z);
                }
            });
            for (added, drift) in added.into_iter().zip(drift) {
                drift.nulls += added.nulls;
                drift.unseen += added.unseen;
                for level in added.unseen_levels {
                    if drift.unseen_levels.len() < EXAMPLES && !drift.unseen_levels.contains(&level) {
                        drift.unseen_levels.push(level);
                    }
                }
            }
        }
        Ok(z)
    }
}

impl ApplySpec {
    /// The column that says how much each row counts.
    fn weight(&self) -> Option<&str> {
        self.labels.as_ref()?.weight.as_deref()
    }

    /// The column that a column of the model is a part of.
    fn base_of(&self, name: &str) -> Option<&str> {
        let bases = self.datetimes.iter().map(String::as_str);
        let mut found = bases.filter(|base| Part::all(true).any(|part| part.name_in(base) == name));
        found.next()
    }
}

/// The weights of a batch: each row with a label needs a finite one of 0 or more.
fn weights(column: &Column, labels: &[Option<bool>], place: Place<'_>) -> Result<Vec<f64>, ApplyError> {
    let mut weights = Vec::with_capacity(column.len());
    weight::extend(&mut weights, column).map_err(|error| place.unreadable(error))?;
    let is_bad = |row: &usize| !(weights[*row].is_finite() && weights[*row] >= 0.0) && labels[*row].is_some();
    if let Some(bad) = (0..weights.len()).find(is_bad) {
        let (file, row) = place.locate(bad);
        return Err(ApplyError::BadWeight {
            column: column.name().to_string(),
            value: (!weights[bad].is_nan()).then_some(weights[bad]),
            row,
            file,
        });
    }
    Ok(weights)
}

impl LabelSpec {
    fn lookup(&self) -> Lookup {
        let negative = self.negative.as_deref().map(|text| (0, text));
        Lookup::new(negative.into_iter().chain([(1, self.positive.as_str())]))
    }

    fn read(&self, column: &Column, lookup: &Lookup, place: Place<'_>) -> Result<Vec<Option<bool>>, ApplyError> {
        let mut builder = LevelsBuilder::new(column.len());
        builder.push(column).map_err(|error| place.unreadable(error))?;
        let found = builder.finish(false);
        let first = |code: usize| found.codes.iter().position(|&own| own as usize == code).unwrap_or(0);
        let mut of_code = Vec::with_capacity(found.texts.len());
        for (code, text) in found.texts.iter().enumerate() {
            of_code.push(match lookup.find(text) {
                _ if place.is_null(text) => None,
                Some(position) => Some(position == 1),
                None if self.negative.is_none() => Some(false),
                None => {
                    let (file, row) = place.locate(first(code));
                    let negative = self.negative.as_deref().unwrap_or_default();
                    return Err(ApplyError::UnseenLabel {
                        column: self.column.clone(),
                        label: text.clone(),
                        row,
                        file,
                        known: format!("{:?} and {negative:?}", self.positive),
                    });
                }
            });
        }
        let of = |code: &u32| if *code == NULL { None } else { of_code[*code as usize] };
        let labels: Vec<Option<bool>> = found.codes.iter().map(of).collect();
        if !self.drop_null
            && let Some(row) = labels.iter().position(Option::is_none)
        {
            let (file, row) = place.locate(row);
            let column = self.column.clone();
            return Err(ApplyError::NullLabel { column, row, file });
        }
        Ok(labels)
    }
}

/// Who stopped a scan.
enum Stop<E> {
    Taker(E),
    Apply(Box<ApplyError>),
}

impl<E> Stop<E> {
    fn apply(error: ApplyError) -> Self {
        Self::Apply(Box::new(error))
    }
}

impl<E> From<crate::error::DataError> for Stop<E> {
    fn from(error: crate::error::DataError) -> Self {
        Self::apply(error.into())
    }
}
