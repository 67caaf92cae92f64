//! What training sees of a data set: stored rows, row groups, and each fold's preprocessing as a map of the weights.

use std::ops::Range;
use std::sync::Arc;

use gradsweep_data::{Dataset, Encoding, Folds, Role};
use gradsweep_math::Real;
use gradsweep_math::affine::{AffineMap, FoldMap, Link};
use gradsweep_math::codes::{Codes, NO_SLOT};
use gradsweep_math::fused::{Column, Objective, Rows};
use gradsweep_math::init::{Start, weights};
use gradsweep_math::metric::{Metric, cut};
use gradsweep_math::optimizer::{Kind, Settings};
use gradsweep_math::penalty::{l1, l2};
use ndarray::{ArrayView2, s};

use super::range::RATES;
use crate::config::{ClassWeight, Config, Init};
use crate::plan::{Method, Plan};
use crate::search::Trial;

/// A data set and the rules by which its rows are scored.
#[derive(Debug, Clone)]
pub struct View<'a, T> {
    /// Columns of numbers and of codes (n, D and columns of codes).
    pub x: ArrayView2<'a, T>,
    /// Labels, 0 and 1 (n).
    pub y: &'a [T],
    /// Sample weights (n); `None` = 1 each.
    pub weight: Option<Arc<[T]>>,
    /// Weight of the rows of class 0 and class 1 in each row group.
    pub class_sums: Vec<[f64; 2]>,
    /// Texts of class 0 and class 1.
    pub labels: [&'a str; 2],
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
    /// Metrics that something waits for on the way: an early stop, a rung.
    pub watched: Vec<Metric>,
    /// Whether the sweep ends when a trial reaches its target.
    pub may_stop: bool,
    /// Epochs between scores of metrics that need the rows in order; none: at the end, and on the way what is watched.
    pub every: Option<u32>,
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
        let target = &data.summary.target;
        Self {
            weight: data
                .weight
                .as_ref()
                .map(|weight| weight.iter().map(|&one| <T as Real>::from_f64(one)).collect()),
            class_sums: data.group_weight.clone(),
            labels: [&target.negative, &target.positive],
            x: data.x.view(),
            y: &data.y,
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
            watched: config
                .watched()
                .iter()
                .filter_map(|metric| Metric::from_name(metric.name()))
                .collect(),
            may_stop: config.sweep.target.is_some(),
            every: config.metrics.every,
            cut: cut(config.metrics.threshold),
            threshold: config.metrics.threshold,
            seed: config.run.seed,
        }
    }
}

/// Each fold's preprocessing in the words of the math crate.
fn map<T>(data: &Dataset<T>) -> AffineMap {
    let encoding = &data.encoding;
    let numbers = encoding.numbers();
    let is_number = |link: &gradsweep_data::Link| link.raw < numbers;
    let factor = |factor: &[f64]| {
        let own = encoding.links.iter().zip(factor).filter(|(link, _)| is_number(link));
        own.map(|(_, factor)| *factor).collect()
    };
    AffineMap {
        raw_columns: numbers,
        features: encoding.features.len(),
        links: encoding
            .links
            .iter()
            .filter(|link| is_number(link))
            .map(|link| Link {
                raw: link.raw,
                feature: link.feature,
            })
            .collect(),
        folds: encoding
            .folds
            .iter()
            .map(|fold| FoldMap {
                factor: factor(&fold.factor),
                offset: fold.offset.clone(),
                is_held: fold.is_held.clone(),
            })
            .collect(),
        codes: codes(encoding).into(),
    }
}

/// Where the codes of each fold lead: a level has a feature of its own, or shares one, or none.
fn codes(encoding: &Encoding) -> Codes {
    let numbers = encoding.numbers();
    let coded = || {
        encoding
            .links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.raw >= numbers)
    };
    let mut features: Vec<usize> = coded().map(|(_, link)| link.feature).collect();
    // Links are sorted by feature.
    features.dedup();
    let mut slot_of = vec![NO_SLOT; encoding.features.len()];
    for (slot, &feature) in features.iter().enumerate() {
        slot_of[feature] = slot as u32;
    }
    let slots = encoding.folds.iter().map(|fold| {
        let mut slots = vec![NO_SLOT; encoding.raw.len() - numbers];
        for (index, link) in coded().filter(|(index, _)| fold.factor[*index] != 0.0) {
            debug_assert!(fold.factor[index] == 1.0);
            slots[link.raw - numbers] = slot_of[link.feature];
        }
        slots
    });
    Codes::new(encoding.codes.len(), features, slots.collect())
}

impl<T: Real> View<'_, T> {
    /// The same view of some rows of each group only, which weigh as much less as they are fewer.
    pub(crate) fn part<'b>(&'b self, groups: &'b [Range<usize>]) -> View<'b, T> {
        let share = |(own, all): (&Range<usize>, &Range<usize>)| own.len() as f64 / all.len().max(1) as f64;
        let shares = groups.iter().zip(self.groups).map(share);
        View {
            class_sums: self
                .class_sums
                .iter()
                .zip(shares)
                .map(|(sums, share)| sums.map(|sum| sum * share))
                .collect(),
            groups,
            ..self.clone()
        }
    }

    /// Stored rows of one group.
    pub fn rows(&self, group: usize, rows: Range<usize>) -> Rows<'_, T> {
        Rows {
            x: self.x.slice(s![rows.clone(), ..]),
            y: &self.y[rows.clone()],
            weight: self.weight.as_ref().map(|weight| &weight[rows]),
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

    /// The weight of the rows of each class that play a role for a fold.
    pub fn class_sums_as(&self, fold: usize, role: Role) -> [f64; 2] {
        self.groups_as(fold, role).fold([0.0; 2], |sums, group| {
            let [zero, one] = self.class_sums[group];
            [sums[0] + zero, sums[1] + one]
        })
    }

    /// Whether any fold has held-out rows.
    pub fn has_validation(&self) -> bool {
        self.folds.roles.iter().flatten().any(|&role| role == Role::Val)
    }

    /// What the rows of each class count in the fit of a trial on a fold.
    fn class_weight(&self, trial: &Trial, fold: usize) -> [f64; 2] {
        match &trial.model.class_weight {
            ClassWeight::None => [1.0; 2],
            ClassWeight::Balanced => {
                let sums = self.class_sums_as(fold, Role::Train);
                sums.map(|own| (sums[0] + sums[1]) / (2.0 * own))
            }
            ClassWeight::Weights(weights) => self.labels.map(|label| weights.get(label).copied().unwrap_or(1.0)),
        }
    }

    /// What a planned run minimizes.
    pub fn objective(&self, plan: &Plan, run: usize) -> Objective {
        let fold = plan.runs[run].fold;
        let trial = plan.trial_of(run);
        let class_weight = self.class_weight(trial, fold);
        let sums = self.class_sums_as(fold, Role::Train);
        let weight = class_weight[0] * sums[0] + class_weight[1] * sums[1];
        Objective {
            fold,
            is_trained: self.folds.roles[fold].iter().map(|&role| role == Role::Train).collect(),
            class_weight,
            l2: l2::strength(trial.model.c, trial.model.l1_ratio, weight),
            l1: l1::strength(trial.model.c, trial.model.l1_ratio, weight),
            fit_intercept: trial.model.fit_intercept,
        }
    }

    /// What the training rows weigh in a run's objective.
    pub fn training_weight(&self, objective: &Objective) -> f64 {
        let sums = self.class_sums_as(objective.fold, Role::Train);
        objective.class_weight[0] * sums[0] + objective.class_weight[1] * sums[1]
    }

    /// The starting weights of a planned run.
    pub fn start(&self, plan: &Plan, run: usize) -> Vec<f64> {
        let start = match plan.trial_of(run).train.init {
            Init::Zeros => Start::Zeros,
            Init::Normal { std } => Start::Normal { std },
            Init::Glorot => Start::Glorot,
        };
        weights(start, self.seed, plan.runs[run].restart, &self.features)
    }

    /// The column of a planned run, at its starting weights.
    pub fn column(&self, plan: &Plan, run: usize) -> Column {
        Column {
            objective: self.objective(plan, run),
            kind: match plan.method_of(run) {
                Method::Steps(kind) => kind,
                // Gradients alone are asked of a column whose run converges.
                Method::QuasiNewton { .. } | Method::Newton => Kind::Gd,
            },
            settings: settings(plan.trial_of(run)),
            start: self.start(plan, run),
            intercept: 0.0,
        }
    }
}

fn settings(trial: &Trial) -> Settings {
    let train = &trial.train;
    Settings {
        // Of a run that leaves it open until its test has found one.
        learning_rate: train.learning_rate.given().unwrap_or(RATES[0]),
        momentum: train.momentum,
        nesterov: train.nesterov,
        beta1: train.beta1,
        beta2: train.beta2,
        rho: train.rho,
        epsilon: train.epsilon,
        weight_decay: train.weight_decay,
    }
}
