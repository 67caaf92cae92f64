//! The second scan: numeric columns into the matrix, with the statistics of each row group.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::cache::{CacheSpec, Values};
use crate::element::Element;
use crate::encode::median::SortedColumn;
use crate::encode::missing;
use crate::encode::numeric::Center;
use crate::encode::{RawColumn, RawKind};
use crate::error::DataError;
use crate::fingerprint::ColumnHasher;
use crate::profile::{Moments, profile};
use crate::source::table::Table;
use crate::spec::Impute;
use crate::tile::marks;
use crate::tile::numbers::NumberColumn;
use crate::tile::placement::Placement;
use crate::tile::scatter::{Scattered, read_column, scatter, store_column};

/// The matrix while it grows: numeric columns first, then levels, then marks of missing values, then codes.
#[derive(Debug)]
pub(crate) struct Matrix<T> {
    pub(crate) values: Values<T>,
    pub(crate) stride: usize,
    /// Columns of codes, the last.
    pub(crate) code_columns: usize,
    pub(crate) numbers: Vec<Number>,
}

/// A numeric column of the matrix.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) column: NumberColumn,
    pub(crate) center: Center,
    /// Per row group, rows counted by their weights.
    pub(crate) moments: Vec<Moments>,
    /// Per set of training row groups; empty where none is needed.
    pub(crate) medians: Vec<f64>,
    /// Of all rows, whatever their weights.
    pub(crate) total: Moments,
    pub(crate) hasher: ColumnHasher,
}

impl<T: Element> Matrix<T> {
    /// Reads the numeric columns and leaves room for columns of levels and of codes; into a file if there is a
    /// `cache`. `weight` is in storage order.
    pub(crate) fn read(
        table: &Table,
        mut columns: Vec<NumberColumn>,
        (level_columns, code_columns): (usize, usize),
        placement: &Placement,
        weight: Option<&[f64]>,
        impute: Impute,
        cache: Option<&CacheSpec>,
    ) -> Result<Self, DataError> {
        let stride = columns.len() + level_columns + code_columns;
        let Scattered {
            mut values,
            mut centers,
            hashers,
        } = scatter::<T>(table, &mut columns, placement, stride, cache)?;
        let mut profiles = profiles(&values, None, stride, columns.len(), placement);
        let unfit: Vec<usize> = (0..columns.len())
            .filter(|&j| !Center::fits(&total(&profiles[j])))
            .collect();
        for &j in &unfit {
            let source = read_column(table, &columns[j])?;
            check_finite(&source, &columns[j], placement, table)?;
            centers[j] = Center::of(placement.kept_values(&source));
            store_column(&mut values, stride, j, &source, &placement.source_row, centers[j]);
        }
        if !unfit.is_empty() {
            profiles = self::profiles(&values, None, stride, columns.len(), placement);
        }
        let totals: Vec<Moments> = profiles.iter().map(|groups| total(groups)).collect();
        if weight.is_some() {
            profiles = self::profiles(&values, weight, stride, columns.len(), placement);
        }
        let statistics = profiles.into_iter().zip(totals);
        let numbers = columns.into_iter().zip(centers).zip(statistics).zip(hashers);
        let numbers: Vec<Number> = numbers
            .map(|(((column, center), (moments, total)), hasher)| Number {
                column,
                center,
                moments,
                medians: Vec::new(),
                total,
                hasher,
            })
            .collect();
        let matrix = Self {
            values,
            stride,
            code_columns,
            numbers,
        };
        if impute == Impute::Error {
            matrix.check_missing(table, placement)?;
        }
        Ok(matrix)
    }

    fn check_missing(&self, table: &Table, placement: &Placement) -> Result<(), DataError> {
        let Some(j) = self.numbers.iter().position(|number| number.total.missing > 0.0) else {
            return Ok(());
        };
        let column = self
            .values
            .iter()
            .skip(j)
            .step_by(self.stride)
            .zip(&placement.source_row);
        let rows = column.filter(|(value, _)| value.is_nan()).map(|(_, row)| *row);
        let (file, row) = table.locate(rows.min().unwrap_or(0) as usize);
        Err(DataError::MissingValue {
            column: self.numbers[j].column.name.clone(),
            row,
            file,
        })
    }

    /// Finds the medians of columns that are missing in some rows, for each set of training row groups. One column at a
    /// time is sorted per thread.
    pub(crate) fn find_medians(
        &mut self,
        trainings: &[Vec<bool>],
        weight: Option<&[f64]>,
        groups: &[std::ops::Range<usize>],
    ) {
        let (values, stride) = (&self.values, self.stride);
        let columns = self.numbers.par_iter_mut().enumerate().with_max_len(1);
        let missing = columns.filter(|(_, number)| number.total.missing > 0.0);
        missing.for_each(|(j, number)| {
            let column = SortedColumn::new(values, stride, j, weight, groups);
            number.medians = trainings.iter().map(|training| column.median(training)).collect();
        });
    }

    /// Adds marks for columns that are missing in some rows, in front of the codes, and zeroes what is missing. Returns each
    /// numeric column's mark.
    pub(crate) fn mark_missing(&mut self) -> Result<Vec<Option<usize>>, DataError> {
        let place = self.stride - self.code_columns;
        let (mut marked, mut marks_of) = (Vec::new(), Vec::new());
        for (j, Number { total, .. }) in self.numbers.iter().enumerate() {
            if total.observed == 0.0 {
                marks::clear(&mut self.values, self.stride, j);
            }
            let is_marked = total.missing > 0.0 && total.observed > 0.0;
            marks_of.push(is_marked.then(|| place + marked.len()));
            if is_marked {
                marked.push(j);
            }
        }
        marks::insert_missing(&mut self.values, self.stride, place, &marked)?;
        self.stride += marked.len();
        Ok(marks_of)
    }

    /// Descriptions of the numeric columns.
    pub(crate) fn raw_numbers(&self) -> impl Iterator<Item = RawColumn> {
        self.numbers.iter().map(|number| {
            let Center { center, scale } = number.center;
            RawColumn {
                name: number.column.name.clone(),
                kind: RawKind::Numeric { center, scale },
            }
        })
    }

    /// Descriptions of the marks.
    pub(crate) fn raw_marks(&self, marks_of: &[Option<usize>]) -> impl Iterator<Item = RawColumn> {
        let marked = self.numbers.iter().zip(marks_of).filter(|(_, mark)| mark.is_some());
        marked.map(|(number, _)| {
            let name = missing::feature_name(&number.column.name);
            RawColumn {
                name,
                kind: RawKind::Missing,
            }
        })
    }
}

/// `[column][group]`.
fn profiles<T: Element>(
    values: &[T],
    weight: Option<&[f64]>,
    stride: usize,
    width: usize,
    placement: &Placement,
) -> Vec<Vec<Moments>> {
    if width == 0 {
        return Vec::new();
    }
    let shape = (values.len() / stride, stride);
    let Ok(x) = ArrayView2::from_shape(shape, values) else {
        return Vec::new();
    };
    let groups = profile(&x, weight, width, &placement.groups);
    (0..width)
        .map(|j| groups.iter().map(|columns| columns[j]).collect())
        .collect()
}

fn total(groups: &[Moments]) -> Moments {
    groups.iter().fold(Moments::EMPTY, |sum, group| sum.merge(*group))
}

fn check_finite(source: &[f64], column: &NumberColumn, placement: &Placement, table: &Table) -> Result<(), DataError> {
    let infinite = (0..source.len()).find(|&row| source[row].is_infinite() && placement.is_kept(row));
    match infinite {
        None => Ok(()),
        Some(at) => {
            let (file, row) = table.locate(at);
            Err(DataError::Infinite {
                column: column.name.clone(),
                value: source[at],
                row,
                file,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_over_all_groups() {
        let one = Moments {
            observed: 1.0,
            missing: 2.0,
            mean: 1.0,
            m2: 0.0,
            min: 1.0,
            max: 1.0,
        };
        let both = total(&[
            one,
            Moments {
                mean: 3.0,
                min: 3.0,
                max: 3.0,
                ..one
            },
        ]);
        assert_eq!((both.observed, both.missing), (2.0, 4.0));
        assert!((both.mean - 2.0).abs() < 1e-15 && (both.variance() - 1.0).abs() < 1e-15);
    }
}
