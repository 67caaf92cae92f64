//! Where the levels of categorical columns stand in the matrix.

use crate::categorical::CategoricalColumn;
use crate::encode::CodeColumn;
use crate::error::DataError;
use crate::tile::marks::{LevelMarks, NO_LEVEL};

/// The places of all categorical columns, in their order.
#[derive(Debug)]
pub(crate) struct LevelPlaces {
    places: Vec<Place>,
    /// Columns of numbers, those of levels included.
    pub(crate) numbers: usize,
    /// Columns of codes behind them.
    pub(crate) code_columns: usize,
}

/// The place of one categorical column.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// 0/1 columns from here on.
    Numbers { first: usize },
    /// Codes from `first` on, in this one of the columns of codes.
    Codes { first: usize, column: usize },
}

impl LevelPlaces {
    /// Behind `numeric` columns of numbers.
    pub(crate) fn new(categorical: &[CategoricalColumn], numeric: usize) -> Result<Self, DataError> {
        let mut out = Self {
            places: Vec::with_capacity(categorical.len()),
            numbers: numeric,
            code_columns: 0,
        };
        let mut codes = 0;
        for column in categorical {
            let levels = column.layout.raw_levels.len();
            if column.is_coded {
                out.places.push(Place::Codes {
                    first: codes,
                    column: out.code_columns,
                });
                codes += levels;
                out.code_columns += 1;
            } else {
                out.places.push(Place::Numbers { first: out.numbers });
                out.numbers += levels;
            }
            if codes >= NO_LEVEL {
                return Err(DataError::TooManyLevels {
                    column: column.name.clone(),
                    levels: codes,
                    most: NO_LEVEL - 1,
                });
            }
        }
        Ok(out)
    }

    /// What to write into the matrix while marks of missing values are still to come.
    pub(crate) fn marks<'a>(&self, categorical: &'a [CategoricalColumn]) -> Vec<LevelMarks<'a>> {
        let marks = |(column, place): (&'a CategoricalColumn, &Place)| match *place {
            Place::Numbers { first } => column.marks(first, None),
            Place::Codes { first, column: own } => column.marks(first, Some(self.numbers + own)),
        };
        categorical.iter().zip(&self.places).map(marks).collect()
    }

    /// The first raw column of each, where the matrix has so many columns of numbers in the end.
    pub(crate) fn first_raw(&self, numbers: usize) -> Vec<usize> {
        let first = |place: &Place| match *place {
            Place::Numbers { first } => first,
            Place::Codes { first, .. } => numbers + first,
        };
        self.places.iter().map(first).collect()
    }
}

/// The columns of codes, in their order.
pub(crate) fn code_columns(categorical: &[CategoricalColumn]) -> Vec<CodeColumn> {
    let coded = categorical.iter().filter(|column| column.is_coded);
    coded
        .map(|column| CodeColumn {
            column: column.name.clone(),
            levels: column.layout.raw_levels.len(),
        })
        .collect()
}
