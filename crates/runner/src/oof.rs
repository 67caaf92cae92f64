//! Out-of-fold predictions: what each run gives for the rows that were held out from it.
//!
//! They are made from the stored coefficients and the rows of the matrix, in f64 and in the order of the columns, so that making them
//! again gives the same bits. The probability of a row is the mean of those of the restarts, as scores are averaged over restarts first.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use gradsweep_data::{Dataset, Element, Role};
use gradsweep_math::Real;
use gradsweep_math::affine::BlockAffine;
use gradsweep_math::loss::logistic::sigmoid;
use gradsweep_store::{self as store, RunId, RunRow, RunState, Store, StoreError, StoreWriter};
use ndarray::Array2;
use rayon::prelude::*;

use crate::config::{Config, Predictions, Strategy};
use crate::error::RunError;
use crate::plan::{DataView, Plan, Preparation};
use crate::train::View;

/// Rows of one task.
const ROWS: usize = 4096;
/// Sums of a row that go on at the same time: one alone would wait for each addition.
const LANES: usize = 8;

/// Predictions that are to be made.
pub(crate) struct OutOfFold {
    store: Store,
    /// Which trials, as the table says it.
    trials: String,
    /// Their complete runs, by trial, fold, repeat, restart.
    runs: Vec<RunRow>,
    table: store::Predictions,
}

/// One run's weights of the stored columns.
struct Weights {
    w: Vec<f64>,
    b: f64,
    fold: usize,
}

/// Which trials' predictions a config asks for; nothing if none are.
fn trials(store: &Store, config: &Config) -> Result<Option<(String, Option<u32>)>, RunError> {
    if config.validation.strategy == Strategy::None {
        return Ok(None);
    }
    Ok(match config.output.predictions {
        Predictions::None => None,
        Predictions::All => Some(("all".to_owned(), None)),
        Predictions::Selected => {
            let selected = store.trials()?.selected().map(|row| row.trial);
            selected.map(|trial| (format!("selected {trial}"), Some(trial)))
        }
    })
}

/// Whether the store has the predictions that the config asks for, and no others.
pub(crate) fn is_current(dir: &Path, config: &Config) -> Result<bool, RunError> {
    let store = Store::open(dir)?;
    Ok(match trials(&store, config)? {
        Some((trials, _)) => store.has_predictions(&trials)?,
        None => store.predictions()?.is_none(),
    })
}

impl OutOfFold {
    /// What is still to be made of what the config asks for. Predictions that are not asked for are removed.
    pub(crate) fn missing(writer: &StoreWriter, config: &Config) -> Result<Option<Self>, RunError> {
        let store = Store::open(writer.dir())?;
        let Some((trials, only)) = trials(&store, config)? else {
            writer.remove_predictions()?;
            return Ok(None);
        };
        match store.has_predictions(&trials) {
            Ok(true) => return Ok(None),
            // Damaged ones are made again.
            Ok(false) | Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let is_wanted = |run: &RunRow| {
            let record = run.record.as_ref();
            only.is_none_or(|trial| run.trial == trial)
                && record.is_some_and(|record| record.state == RunState::Complete)
        };
        let runs = store.runs()?.into_iter().filter(is_wanted).collect();
        Ok(Some(Self {
            store,
            trials,
            runs,
            table: store::Predictions::default(),
        }))
    }

    /// The rows to go through, by the places in the plan of one run on each: those of the loaded rows first.
    pub(crate) fn views(&self, plan: &Plan, loaded: (u32, &Preparation)) -> Vec<DataView> {
        let mut views: Vec<DataView> = self
            .runs
            .iter()
            .filter_map(|run| plan.view_of(run.trial, run.repeat))
            .collect();
        views.sort_unstable();
        views.dedup();
        views.sort_by_key(|view| plan.rows_of(*view) != loaded);
        views
    }

    /// Adds the predictions for one view of the rows.
    pub(crate) fn add<T: Real + Element>(
        &mut self,
        (plan, of): (&Plan, DataView),
        data: &Dataset<T>,
        config: &Config,
    ) -> Result<(), RunError> {
        let view = View::new(data, config);
        let repeat = of.repeat;
        let own: Vec<&RunRow> = self
            .runs
            .iter()
            .filter(|run| plan.view_of(run.trial, run.repeat) == Some(of))
            .collect();
        let weights = self.weights(&own, &view)?;
        for restarts in own.chunk_by(|a, b| (a.trial, a.fold) == (b.trial, b.fold)) {
            let (trial, fold) = (restarts[0].trial, restarts[0].fold);
            let of_restarts: Vec<&Weights> = restarts.iter().filter_map(|run| weights.get(&run.run)).collect();
            for group in view.groups_as(fold as usize, Role::Val) {
                let rows = view.groups[group].clone();
                let count = rows.len();
                let starts: Vec<usize> = rows.clone().step_by(ROWS).collect();
                let table = &mut self.table;
                table.prob.par_extend(starts.into_par_iter().flat_map_iter(|start| {
                    let end = (start + ROWS).min(rows.end);
                    let view = &view;
                    let of_restarts = &of_restarts;
                    (start..end).map(move |row| probability(view, row, of_restarts))
                }));
                table.row.extend_from_slice(&data.source_row[rows.clone()]);
                table.y.extend(data.y[rows].iter().map(|&y| u8::from(y > T::zero())));
                let filled = |column: &mut Vec<u32>, value| column.resize(column.len() + count, value);
                filled(&mut table.trial, trial);
                filled(&mut table.fold, fold);
                filled(&mut table.repeat, repeat);
            }
        }
        Ok(())
    }

    /// Writes the table, by trial, fold, repeat, row.
    pub(crate) fn write(self, writer: &StoreWriter) -> Result<(), RunError> {
        let table = self.table;
        let mut order: Vec<usize> = (0..table.row.len()).collect();
        order.par_sort_unstable_by_key(|&i| (table.trial[i], table.fold[i], table.repeat[i], table.row[i]));
        let numbers = |column: &[u32]| order.iter().map(|&i| column[i]).collect::<Vec<u32>>();
        let sorted = store::Predictions {
            row: numbers(&table.row),
            trial: numbers(&table.trial),
            fold: numbers(&table.fold),
            repeat: numbers(&table.repeat),
            y: order.iter().map(|&i| table.y[i]).collect(),
            prob: order.iter().map(|&i| table.prob[i]).collect(),
        };
        Ok(writer.write_predictions(&self.trials, &sorted)?)
    }

    /// Every run's weights of the stored columns, from its stored coefficients.
    fn weights<T: Real>(&self, runs: &[&RunRow], view: &View<'_, T>) -> Result<HashMap<RunId, Weights>, RunError> {
        let ids: Vec<RunId> = runs.iter().map(|run| run.run).collect();
        let features: BTreeMap<&str, usize> = view.features.iter().enumerate().map(|(i, name)| (*name, i)).collect();
        let width = view.features.len();
        let mut parameters: HashMap<RunId, Array2<f64>> = HashMap::new();
        for row in self.store.coefficients_of(&ids)? {
            let feature = features.get(&*row.feature).copied().unwrap_or(width);
            let own = parameters
                .entry(row.run)
                .or_insert_with(|| Array2::zeros((width + 1, 1)));
            own[[feature, 0]] = row.coefficient_standardized;
        }
        let effective = runs.iter().filter_map(|run| {
            let parameters = parameters.get(&run.run)?;
            let mut w = Array2::zeros((view.map.weights(), 1));
            let mut b = [0.0];
            BlockAffine::<f64>::new(&view.map, &[run.fold as usize]).forward(&parameters.view(), w.view_mut(), &mut b);
            Some((
                run.run,
                Weights {
                    w: w.into_raw_vec_and_offset().0,
                    b: b[0],
                    fold: run.fold as usize,
                },
            ))
        });
        Ok(effective.collect())
    }
}

/// The mean of the restarts' probabilities of a stored row.
fn probability<T: Real>(view: &View<'_, T>, row: usize, restarts: &[&Weights]) -> f64 {
    let x = view.x.row(row);
    // The matrix is row-major: a row is a slice.
    let x = x.as_slice().unwrap_or_default();
    let (x, codes) = x.split_at(view.map.raw_columns);
    let of = |weights: &&Weights| {
        let (w, of_slots) = weights.w.split_at(x.len());
        let slots = view.map.codes.slots(weights.fold);
        let slot = |code: &T| slots.get(code.as_f64() as usize);
        let of_codes = codes.iter().filter_map(|code| of_slots.get(*slot(code)? as usize));
        sigmoid(dot(x, w) + of_codes.sum::<f64>() + weights.b)
    };
    restarts.iter().map(of).sum::<f64>() / restarts.len() as f64
}

/// `Σ x·w` in f64, in an order that depends on nothing but the length.
fn dot<T: Real>(x: &[T], w: &[f64]) -> f64 {
    let (x_lanes, w_lanes) = (x.chunks_exact(LANES), w.chunks_exact(LANES));
    let rest = x_lanes.remainder().iter().zip(w_lanes.remainder());
    let rest: f64 = rest.map(|(x, w)| x.as_f64() * w).sum();
    let mut sums = [0.0; LANES];
    for (x, w) in x_lanes.zip(w_lanes) {
        for lane in 0..LANES {
            sums[lane] += x[lane].as_f64() * w[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::dot;

    #[test]
    fn every_column_counts_once() {
        for length in 0..20_u8 {
            let x: Vec<f32> = (0..length).map(|i| f32::from(i) + 1.0).collect();
            let w: Vec<f64> = (0..length).map(|i| f64::from(i) - 3.0).collect();
            let plain: f64 = x.iter().zip(&w).map(|(x, w)| f64::from(*x) * w).sum();
            assert_eq!(dot(&x, &w), plain, "{length}");
        }
    }
}
