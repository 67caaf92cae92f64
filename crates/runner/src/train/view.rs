//! What training sees of a data set: stored rows, row groups, and each fold's preprocessing as a map of the weights.

use std::ops::Range;

use gradsweep_data::{Dataset, Folds, Role};
use gradsweep_math::Real;
use gradsweep_math::affine::{AffineMap, FoldMap, Link};
use gradsweep_math::fused::{Column, Rows};
use gradsweep_math::init::{Start, weights};
use gradsweep_math::metric::{Metric, cut};
use gradsweep_math::optimizer::Settings;
use gradsweep_math::penalty::l2;
use ndarray::{ArrayView2, s};

use crate::config::{Config, Init};
use crate::plan::{Plan, kind_of};
use crate::search::Trial;

/// A data set and the rules by which its rows are scored.
#[derive(Debug)]
pub struct View<'a, T> {
    /// Stored columns (n, D).
    pub x: ArrayView2<'a, T>,
    /// Labels, 0 and 1 (n).
    pub y: Vec<T>,
    /// Storage rows of each row group.
    pub groups: &'a [Range<usize>],
    /// Which fold trains on which group.
    pub folds: &'a Folds,
    /// Preprocessing per fold.
    pub map: AffineMap,
    /// Names of the features.
    pub features: Vec<&'a str>,
    /// Metrics to record.
    pub metrics: Vec<Metric>,
    /// The metric that ranks trials.
    pub select: Metric,
    /// Scores above this count as positive.
    pub cut: f64,
    /// The probability that belongs to `cut`.
    pub threshold: f64,
    /// Seed of starts and batch orders.
    pub seed: u64,
}

impl<'a, T: Real + gradsweep_data::Element> View<'a, T> {
    /// The view of a data set under a config.
    pub fn new(data: &'a Dataset<T>, config: &Config) -> Self {
        Self {
            x: data.x.view(),
            y: data
                .y
                .iter()
                .map(|&y| if y == 1 { T::one() } else { T::zero() })
                .collect(),
            groups: &data.groups,
            folds: &data.folds,
            map: map(data),
            features: data
                .encoding
                .features
                .iter()
                .map(|feature| feature.name.as_str())
                .collect(),
            metrics: config
                .metrics()
                .iter()
                .filter_map(|metric| Metric::from_name(metric.name()))
                .collect(),
            select: Metric::from_name(config.sweep.metric.name()).unwrap_or(Metric::LogLoss),
            cut: cut(config.metrics.threshold),
            threshold: config.metrics.threshold,
            seed: config.run.seed,
        }
    }
}

/// Each fold's preprocessing in the words of the math crate.
fn map<T>(data: &Dataset<T>) -> AffineMap {
    let encoding = &data.encoding;
    AffineMap {
        raw_columns: encoding.raw.len(),
        features: encoding.features.len(),
        links: encoding
            .links
            .iter()
            .map(|link| Link {
                raw: link.raw,
                feature: link.feature,
            })
            .collect(),
        folds: encoding
            .folds
            .iter()
            .map(|fold| FoldMap {
                factor: fold.factor.clone(),
                offset: fold.offset.clone(),
                is_held: fold.is_held.clone(),
            })
            .collect(),
    }
}

impl<T: Real> View<'_, T> {
    /// Stored rows of one group.
    pub fn rows(&self, group: usize, rows: Range<usize>) -> Rows<'_, T> {
        Rows {
            x: self.x.slice(s![rows.clone(), ..]),
            y: &self.y[rows],
            group,
        }
    }

    /// The groups that play a role for a fold.
    pub fn groups_as(&self, fold: usize, role: Role) -> impl Iterator<Item = usize> {
        let roles = &self.folds.roles[fold];
        (0..roles.len()).filter(move |&group| roles[group] == role)
    }

    /// The number of rows that play a role for a fold.
    pub fn rows_as(&self, fold: usize, role: Role) -> usize {
        self.groups_as(fold, role).map(|group| self.groups[group].len()).sum()
    }

    /// Whether any fold has held-out rows.
    pub fn has_validation(&self) -> bool {
        self.folds.roles.iter().flatten().any(|&role| role == Role::Val)
    }

    /// The column of a planned run, at its starting weights.
    pub fn column(&self, plan: &Plan, run: usize) -> Column {
        let planned = &plan.runs[run];
        let trial = plan.trial_of(run);
        let start = match trial.train.init {
            Init::Zeros => Start::Zeros,
            Init::Normal { std } => Start::Normal { std },
            Init::Glorot => Start::Glorot,
        };
        Column {
            fold: planned.fold,
            is_trained: self.folds.roles[planned.fold]
                .iter()
                .map(|&role| role == Role::Train)
                .collect(),
            l2: l2::strength(trial.model.c, self.rows_as(planned.fold, Role::Train) as f64),
            fit_intercept: trial.model.fit_intercept,
            kind: kind_of(trial),
            settings: settings(trial),
            start: weights(start, self.seed, planned.restart, &self.features),
            intercept: 0.0,
        }
    }
}

fn settings(trial: &Trial) -> Settings {
    let train = &trial.train;
    Settings {
        learning_rate: train.learning_rate.rate(),
        momentum: train.momentum,
        nesterov: train.nesterov,
        beta1: train.beta1,
        beta2: train.beta2,
        rho: train.rho,
        epsilon: train.epsilon,
        weight_decay: train.weight_decay,
    }
}
