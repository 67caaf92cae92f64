//! A block of descents as plain numbers, between two evaluations or inside one.

use gradsweep_math::Real;
use gradsweep_math::metric::Metric;
use gradsweep_math::solver::{Descent, DescentState, ModelState};
use gradsweep_store::{Reason, RunState};

use super::trainer::{Paused, Trainer};
use super::trips::{Partial, Trip};
use crate::train::HistoryPoint;

/// All runs of a block that converges: those on their way, those that wait for them, and those that have ended, from which
/// others start.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockOfDescents {
    /// Trips over the rows.
    pub epochs: u32,
    /// The runs, in the order of their columns.
    pub runs: Vec<DescentRun>,
    /// Those that have ended, in that order.
    pub ended: Vec<Ended>,
    /// The sums of the trip at hand over its first rows, where it was told to pause inside one.
    pub trip: Option<TripSums>,
}

/// One run of such a block.
#[derive(Debug, Clone, PartialEq)]
pub struct DescentRun {
    /// Index into the plan's runs.
    pub run: usize,
    /// Nothing before its start.
    pub descent: Option<DescentState>,
    /// Its evaluations.
    pub epochs: u32,
    /// Scores on training rows at the best point so far.
    pub train: Vec<(Metric, f64)>,
    /// Scores on held-out rows there.
    pub val: Vec<(Metric, f64)>,
    /// Its scores by epoch.
    pub history: Vec<HistoryPoint>,
    /// Its share of the block's time so far.
    pub seconds: f64,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Its column.
    pub column: usize,
    /// How.
    pub state: RunState,
    /// Why.
    pub reason: Reason,
    /// What the reason is about.
    pub note: Option<String>,
}

/// Sums over the first rows of a trip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TripSums {
    /// Units of rows and columns that are in the sums of gradients and scores, and the numbers of all of these.
    pub sums: (usize, Vec<f64>),
    /// The same of Hessians, where the trip had come to them.
    pub hessians: Option<(usize, Vec<f64>)>,
}

impl BlockOfDescents {
    /// Whether every run on its way has this many parameters.
    pub(crate) fn has_length(&self, length: usize) -> bool {
        let mut descents = self.runs.iter().filter_map(|run| run.descent.as_ref());
        descents.all(|descent| {
            let own = match &descent.model {
                ModelState::Shared(_) => [length; 2],
                ModelState::Own(matrix) => [matrix.nrows(), matrix.ncols()],
            };
            let mut pairs = descent.pairs.iter();
            descent.trial.len() == length && own == [length; 2] && pairs.all(|(s, y)| [s.len(), y.len()] == [length; 2])
        })
    }
}

impl<T: Real> Trainer<'_, '_, T> {
    /// The block as it stands.
    pub(super) fn numbers(&self) -> BlockOfDescents {
        let runs = self.runs.iter().enumerate().map(|(column, run)| {
            let (history, seconds) = self.ledger.books(column);
            DescentRun {
                run: self.ledger.runs[column],
                descent: run.descent.as_ref().map(Descent::state),
                epochs: run.epochs,
                train: run.train.clone(),
                val: run.val.clone(),
                history: history.to_vec(),
                seconds,
            }
        });
        // The first rows are nothing to keep.
        let begun = self.paused.sums.as_ref().filter(|sums| sums.units > 0);
        let trip = begun.map(|sums| TripSums {
            sums: numbers(sums, |total| total.numbers().collect::<Vec<_>>().into_iter()),
            hessians: self
                .paused
                .hessians
                .as_ref()
                .map(|sums| numbers(sums, |total| total.numbers().collect::<Vec<_>>().into_iter())),
        });
        BlockOfDescents {
            epochs: self.ledger.passes,
            runs: runs.collect(),
            ended: self.ended.clone(),
            trip,
        }
    }

    /// Puts the block where a state of it says.
    pub(super) fn restore(&mut self, state: BlockOfDescents) {
        let is_own = state
            .runs
            .iter()
            .map(|run| run.run)
            .eq(self.ledger.runs.iter().copied());
        assert!(
            is_own,
            "a state of {} runs for a block of {}",
            state.runs.len(),
            self.runs.len()
        );
        self.ledger.passes = state.epochs;
        for (column, own) in state.runs.into_iter().enumerate() {
            self.ledger.set_books(column, own.history, own.seconds);
            let descent = own.descent.map(|descent| Descent::restored(self.goal(column), descent));
            let run = &mut self.runs[column];
            (run.descent, run.epochs, run.train, run.val) = (descent, own.epochs, own.train, own.val);
        }
        for ended in &state.ended {
            self.runs[ended.column].is_done = true;
        }
        self.ended = state.ended;
        if let Some(trip) = state.trip {
            // Without them the trip begins again.
            self.paused = self.paused_at(trip).unwrap_or_default();
        }
    }

    /// The sums of a trip, in the shapes that the runs on their way have together; nothing if they do not fit.
    fn paused_at(&self, trip: TripSums) -> Option<Paused> {
        let view = self.ledger.task.view;
        let asked = self.asked(&self.live());
        let (objectives, points) = self.of_slots(&asked, &asked.slots);
        let mut sums = Trip::new(view, &self.ground.segments, &objectives, &points).no_sums(view);
        fill(&mut sums, trip.sums, |total| Box::new(total.numbers_mut()))?;
        let mut hessians = None;
        if let Some(numbers) = trip.hessians {
            let (_, columns) = self.wanted_hessians(&asked);
            let slots: Vec<usize> = columns.iter().map(|&column| asked.slots[column]).collect();
            let (objectives, points) = self.of_slots(&asked, &slots);
            let mut sums = Trip::of_hessians(view, &objectives, &points).no_hessians(view);
            fill(&mut sums, numbers, |total| Box::new(total.numbers_mut()))?;
            hessians = Some(sums);
        }
        Some(Paused {
            sums: Some(sums),
            hessians,
        })
    }
}

/// The numbers of sums.
fn numbers<S, I: Iterator<Item = f64>>(sums: &Partial<S>, of: impl Fn(&S) -> I) -> (usize, Vec<f64>) {
    (sums.units, sums.totals.iter().flat_map(of).collect())
}

/// Puts stored numbers into sums.
fn fill<S>(
    sums: &mut Partial<S>,
    (units, numbers): (usize, Vec<f64>),
    places: impl for<'s> Fn(&'s mut S) -> Box<dyn Iterator<Item = &'s mut f64> + 's>,
) -> Option<()> {
    sums.units = units;
    let mut numbers = numbers.into_iter();
    for place in sums.totals.iter_mut().flat_map(places) {
        *place = numbers.next()?;
    }
    numbers.next().is_none().then_some(())
}
