//! What the runs of a cohort know of the features before their first step.

use std::collections::BTreeMap;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::codes::Codes;
use gradsweep_math::solver::{Curvature, MOST_WHOLE, Spread};
use ndarray::Array2;

use super::super::Task;
use super::trips::{self, Segment};
use crate::plan::{Block, Method};

/// Rows per feature that second moments are taken from, at the most.
const ROWS: usize = 256;

/// The shared curvature of quasi-Newton steps, and where the features lie.
///
/// The shared curvature sees all rows that any run trains on: it decides how fast a run gets to its minimum, not where that
/// is. Newton's runs take nothing from it but what their own fold's training rows say, so that not one bit of theirs
/// depends on rows they hold out.
pub(super) struct Curvatures {
    /// By whether the intercept is learned.
    shared: [Option<Curvature>; 2],
    /// Of Newton's runs, by fold and whether the intercept is learned.
    own: BTreeMap<(usize, bool), Spread>,
}

impl Curvatures {
    pub(super) fn new<T: Real>(task: &Task<'_, '_, T>, segments: &[Segment], blocks: &[&Block]) -> Self {
        let (plan, view) = (task.plan, task.view);
        let map = &view.map;
        let runs = || blocks.iter().flat_map(|block| &block.runs).copied();
        let learns = |run: usize| plan.trial_of(run).model.fit_intercept;
        let roles = &view.folds.roles;
        let is_trained = |group: usize| roles.iter().any(|roles| roles[group] == Role::Train);
        let is_needed = |learned: bool| runs().any(|run| learns(run) == learned);
        let shared = if map.features > MOST_WHOLE {
            let first = trips::first_moments(view, segments, is_trained);
            let whole = map.without_codes().1.len();
            let none = Codes::default();
            let moments =
                (whole <= MOST_WHOLE).then(|| trips::moments(view, &none, segments, ROWS * (whole + 1), is_trained));
            [false, true].map(|learned| {
                let whole = moments.as_ref().map(|moments: &Array2<f64>| moments.view());
                is_needed(learned).then(|| Curvature::parted(map, whole.as_ref(), &first, learned))
            })
        } else {
            let moments = trips::moments(view, &map.codes, segments, ROWS * (map.features + 1), is_trained);
            let expanded = map.expanded();
            [false, true].map(|learned| is_needed(learned).then(|| Curvature::new(&expanded, &moments.view(), learned)))
        };
        let newton = runs().filter(|&run| plan.method_of(run) == Method::Newton);
        let mut own: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
        for run in newton {
            let learned = own.entry(plan.runs[run].fold).or_default();
            if !learned.contains(&learns(run)) {
                learned.push(learns(run));
            }
        }
        let spreads = own.into_iter().flat_map(|(fold, learned)| {
            let wanted = ROWS * (map.features + 1);
            let moments = trips::moments(view, &map.codes, segments, wanted, |group| {
                roles[fold][group] == Role::Train
            });
            let expanded = map.expanded();
            let spread = move |learned| Spread::new(&expanded, &expanded.folds[fold], &moments.view(), learned);
            learned
                .into_iter()
                .map(move |learned| ((fold, learned), spread(learned)))
        });
        Self {
            own: spreads.collect(),
            shared,
        }
    }

    /// The curvature that runs share, by whether their intercept is learned.
    pub(super) fn shared(&self) -> [Option<&Curvature>; 2] {
        self.shared.each_ref().map(Option::as_ref)
    }

    /// The curvature of the runs that do or do not learn their intercept.
    pub(super) fn of(&self, learned: bool) -> &Curvature {
        self.shared[usize::from(learned)]
            .as_ref()
            .expect("made for every run of the cohort")
    }

    /// Where the features of a run lie.
    pub(super) fn spread(&self, fold: usize, learned: bool, method: Method) -> Spread {
        let own = self.own.get(&(fold, learned)).filter(|_| method == Method::Newton);
        own.unwrap_or_else(|| self.of(learned).spread()).clone()
    }
}
