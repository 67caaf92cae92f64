//! Numbers of a checkpoint, one after the other, into it and out of it.

use std::sync::Arc;

use gradsweep_math::Real;
use gradsweep_math::metric::Metric;
use gradsweep_store::Split;
use ndarray::Array2;

use crate::train::{HistoryPoint, Standing};

/// Numbers on their way into a checkpoint.
pub(super) struct Sink<T> {
    pub(super) numbers: Vec<f64>,
    pub(super) weights: Vec<T>,
    pub(super) metrics: Vec<Metric>,
    /// Matrices that are in the numbers already.
    matrices: Vec<Arc<Array2<f64>>>,
}

impl<T> Default for Sink<T> {
    fn default() -> Self {
        Self {
            numbers: Vec::new(),
            weights: Vec::new(),
            metrics: Vec::new(),
            matrices: Vec::new(),
        }
    }
}

impl<T: Real> Sink<T> {
    pub(super) fn count(&mut self, count: usize) {
        // Exact up to 2^53.
        self.numbers.push(count as f64);
    }

    pub(super) fn weights(&mut self, weights: &[T]) {
        self.count(weights.len());
        self.weights.extend_from_slice(weights);
    }

    pub(super) fn optional(&mut self, value: Option<f64>) {
        self.count(usize::from(value.is_some()));
        self.numbers.extend(value);
    }

    pub(super) fn metric(&mut self, metric: Metric) {
        let place = self.metrics.iter().position(|own| *own == metric).unwrap_or_else(|| {
            self.metrics.push(metric);
            self.metrics.len() - 1
        });
        self.count(place);
    }

    pub(super) fn scores(&mut self, scores: &[(Metric, f64)]) {
        self.count(scores.len());
        for &(metric, value) in scores {
            self.metric(metric);
            self.numbers.push(value);
        }
    }

    pub(super) fn standing(&mut self, standing: &Standing) {
        self.count(standing.epoch as usize);
        self.scores(&standing.val);
        self.scores(&standing.train);
        self.optional(standing.loss);
        self.optional(standing.grad_norm);
    }

    /// Numbers, and how many there are.
    pub(super) fn list(&mut self, numbers: &[f64]) {
        self.count(numbers.len());
        self.numbers.extend_from_slice(numbers);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.count(usize::from(flag));
    }

    pub(super) fn history(&mut self, history: &[HistoryPoint]) {
        self.count(history.len());
        for point in history {
            self.count(point.epoch as usize);
            self.flag(point.split == Split::Val);
            self.metric(point.metric);
            self.numbers.push(point.value);
        }
    }

    /// A square matrix; one that several runs share is there once.
    pub(super) fn matrix(&mut self, matrix: &Arc<Array2<f64>>) {
        let held = self.matrices.iter().position(|held| Arc::ptr_eq(held, matrix));
        self.count(held.unwrap_or(self.matrices.len()));
        if held.is_none() {
            self.count(matrix.nrows());
            self.numbers.extend(matrix.iter());
            self.matrices.push(Arc::clone(matrix));
        }
    }
}

/// Numbers on their way out of one; nothing once they do not fit together.
pub(super) struct Source<'a, T> {
    numbers: &'a [f64],
    weights: &'a [T],
    metrics: Vec<Metric>,
    /// Matrices that have been read.
    matrices: Vec<Arc<Array2<f64>>>,
}

impl<'a, T: Real> Source<'a, T> {
    pub(super) fn new(numbers: &'a [f64], weights: &'a [T], metrics: Vec<Metric>) -> Self {
        Self {
            numbers,
            weights,
            metrics,
            matrices: Vec::new(),
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.weights.is_empty()
    }

    pub(super) fn number(&mut self) -> Option<f64> {
        let (first, rest) = self.numbers.split_first()?;
        self.numbers = rest;
        Some(*first)
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        let number = self.number()?;
        let is_count = number >= 0.0 && number.fract() == 0.0 && number < 9e15;
        is_count.then_some(number as usize)
    }

    /// A number of things, each of which takes a number or a weight at least.
    pub(super) fn length(&mut self) -> Option<usize> {
        let length = self.count()?;
        (length <= self.numbers.len() + self.weights.len()).then_some(length)
    }

    pub(super) fn weights(&mut self) -> Option<Vec<T>> {
        let length = self.count()?;
        let (own, rest) = self.weights.split_at_checked(length)?;
        self.weights = rest;
        Some(own.to_vec())
    }

    #[expect(
        clippy::option_option,
        reason = "the inner one is the value, the outer one says whether the numbers fit together"
    )]
    pub(super) fn optional(&mut self) -> Option<Option<f64>> {
        Some(if self.count()? == 1 { Some(self.number()?) } else { None })
    }

    pub(super) fn metric(&mut self) -> Option<Metric> {
        let place = self.count()?;
        self.metrics.get(place).copied()
    }

    pub(super) fn scores(&mut self) -> Option<Vec<(Metric, f64)>> {
        (0..self.length()?)
            .map(|_| Some((self.metric()?, self.number()?)))
            .collect()
    }

    pub(super) fn standing(&mut self) -> Option<Standing> {
        Some(Standing {
            epoch: self.epochs()?,
            val: self.scores()?,
            train: self.scores()?,
            loss: self.optional()?,
            grad_norm: self.optional()?,
        })
    }

    pub(super) fn list(&mut self) -> Option<Vec<f64>> {
        let length = self.count()?;
        let (own, rest) = self.numbers.split_at_checked(length)?;
        self.numbers = rest;
        Some(own.to_vec())
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.count()? == 1)
    }

    pub(super) fn epochs(&mut self) -> Option<u32> {
        u32::try_from(self.count()?).ok()
    }

    pub(super) fn history(&mut self) -> Option<Vec<HistoryPoint>> {
        let point = |source: &mut Self| {
            Some(HistoryPoint {
                epoch: source.epochs()?,
                split: if source.flag()? { Split::Val } else { Split::Train },
                metric: source.metric()?,
                value: source.number()?,
            })
        };
        (0..self.length()?).map(|_| point(self)).collect()
    }

    pub(super) fn matrix(&mut self) -> Option<Arc<Array2<f64>>> {
        let place = self.count()?;
        if place == self.matrices.len() {
            let order = self.count()?;
            let (own, rest) = self.numbers.split_at_checked(order.checked_mul(order)?)?;
            self.numbers = rest;
            let matrix = Array2::from_shape_vec((order, order), own.to_vec()).ok()?;
            self.matrices.push(Arc::new(matrix));
        }
        self.matrices.get(place).cloned()
    }
}
