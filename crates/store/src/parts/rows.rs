//! The rows of a part.

use polars::prelude::{DataFrame, DataType, Field, PolarsResult, Schema};

use crate::frame::column;
use crate::rows::parts as cells;
use crate::run::{Part, RunId, RunRecord, Split};

/// What a row of a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// `name` is the run's state. Exactly one row per run.
    State = 0,
    /// `name` is the reason.
    Reason = 1,
    /// `name` is a field of the record, `value` its number.
    Number = 2,
    /// `name` is a metric, `value` the score on the training rows at the end.
    Train = 3,
    /// As `Train`, on the held-out rows.
    Val = 4,
    /// A score on the training rows at the end of `epoch`.
    TrainHistory = 5,
    /// A score on the held-out rows at the end of `epoch`.
    ValHistory = 6,
    /// `name` is a feature, `value` and `standardized` its coefficients.
    Coefficient = 7,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::State,
        Self::Reason,
        Self::Number,
        Self::Train,
        Self::Val,
        Self::TrainHistory,
        Self::ValHistory,
        Self::Coefficient,
    ];

    pub(crate) fn of(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Names of the numbers of a record.
pub(crate) mod field {
    pub(crate) const CONVERGED: &str = "converged";
    pub(crate) const EPOCHS: &str = "epochs";
    pub(crate) const BEST_EPOCH: &str = "best_epoch";
    pub(crate) const FIRST_PASS: &str = "first_pass";
    pub(crate) const RUNG: &str = "rung";
    pub(crate) const OBJECTIVE: &str = "objective";
    pub(crate) const GRAD_NORM: &str = "grad_norm";
    pub(crate) const L1: &str = "l1";
    pub(crate) const L2: &str = "l2";
    pub(crate) const N_TRAIN: &str = "n_train";
    pub(crate) const N_VAL: &str = "n_val";
    pub(crate) const SECONDS: &str = "seconds";
}
/// The columns of every part.
pub(super) fn schema() -> Schema {
    Schema::from_iter([
        Field::new(cells::RUN.into(), DataType::UInt64),
        Field::new(cells::KIND.into(), DataType::UInt8),
        Field::new(cells::NAME.into(), DataType::String),
        Field::new(cells::EPOCH.into(), DataType::UInt32),
        Field::new(cells::VALUE.into(), DataType::Float64),
        Field::new(cells::STANDARDIZED.into(), DataType::Float64),
    ])
}

/// The columns of a part while it is put together.
#[derive(Default)]
struct Columns<'a> {
    run: Vec<u64>,
    kind: Vec<u8>,
    name: Vec<&'a str>,
    epoch: Vec<Option<u32>>,
    value: Vec<Option<f64>>,
    standardized: Vec<Option<f64>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, run: RunId, kind: Kind, name: &'a str, value: Option<f64>) {
        self.push_row(run, kind, name, None, value, None);
    }

    fn push_row(
        &mut self,
        run: RunId,
        kind: Kind,
        name: &'a str,
        epoch: Option<u32>,
        value: Option<f64>,
        standardized: Option<f64>,
    ) {
        self.run.push(run.0);
        self.kind.push(kind as u8);
        self.name.push(name);
        self.epoch.push(epoch);
        self.value.push(value);
        self.standardized.push(standardized);
    }

    fn push_record(&mut self, record: &'a RunRecord) {
        let run = record.run;
        self.push(run, Kind::State, record.state.name(), None);
        if let Some(reason) = record.reason {
            self.push(run, Kind::Reason, reason.name(), None);
        }
        let numbers = [
            (field::CONVERGED, Some(f64::from(u8::from(record.converged)))),
            (field::EPOCHS, Some(f64::from(record.epochs))),
            (field::BEST_EPOCH, record.best_epoch.map(f64::from)),
            (field::FIRST_PASS, Some(f64::from(record.first_pass))),
            (field::RUNG, record.rung.map(f64::from)),
            (field::OBJECTIVE, record.objective),
            (field::GRAD_NORM, record.grad_norm),
            (field::L1, Some(record.l1)),
            (field::L2, Some(record.l2)),
            // Row counts stay far below 2^53, where floats stop being exact.
            (field::N_TRAIN, Some(record.n_train as f64)),
            (field::N_VAL, Some(record.n_val as f64)),
            (field::SECONDS, Some(record.seconds)),
        ];
        for (name, number) in numbers {
            if number.is_some() {
                self.push(run, Kind::Number, name, number);
            }
        }
        for (kind, scores) in [(Kind::Train, &record.train), (Kind::Val, &record.val)] {
            for (metric, score) in scores {
                self.push(run, kind, metric, Some(*score));
            }
        }
    }
}

/// A part as one long table.
pub(super) fn encode(part: &Part) -> PolarsResult<DataFrame> {
    let mut columns = Columns::default();
    for record in &part.runs {
        columns.push_record(record);
    }
    for row in &part.history {
        let kind = match row.split {
            Split::Train => Kind::TrainHistory,
            Split::Val => Kind::ValHistory,
        };
        let value = Some(row.value);
        columns.push_row(row.run, kind, &row.metric, Some(row.epoch), value, None);
    }
    for row in &part.coefficients {
        let (value, standardized) = (row.coefficient, row.coefficient_standardized);
        let kind = Kind::Coefficient;
        columns.push_row(row.run, kind, &row.feature, None, Some(value), Some(standardized));
    }
    DataFrame::new(
        columns.run.len(),
        vec![
            column(cells::RUN, columns.run),
            column(cells::KIND, columns.kind),
            column(cells::NAME, columns.name),
            column(cells::EPOCH, columns.epoch),
            column(cells::VALUE, columns.value),
            column(cells::STANDARDIZED, columns.standardized),
        ],
    )
}
