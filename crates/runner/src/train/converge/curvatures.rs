//! What the runs of a cohort know of the features before their first step.

use std::collections::BTreeMap;

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::solver::{Curvature, Spread};

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
        let wanted = ROWS * (view.map.features + 1);
        let runs = || blocks.iter().flat_map(|block| &block.runs).copied();
        let learns = |run: usize| plan.trial_of(run).model.fit_intercept;
        let roles = &view.folds.roles;
        let is_trained = |group: usize| roles.iter().any(|roles| roles[group] == Role::Train);
        let moments = trips::moments(view, segments, wanted, is_trained);
        let shared = [false, true].map(|learned| {
            let is_needed = runs().any(|run| learns(run) == learned);
            is_needed.then(|| Curvature::new(&view.map, &moments.view(), learned))
        });
        let newton = runs().filter(|&run| plan.method_of(run) == Method::Newton);
        let mut own: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
        for run in newton {
            let learned = own.entry(plan.runs[run].fold).or_default();
            if !learned.contains(&learns(run)) {
                learned.push(learns(run));
            }
        }
        let spreads = own.into_iter().flat_map(|(fold, learned)| {
            let moments = trips::moments(view, segments, wanted, |group| roles[fold][group] == Role::Train);
            let map = &view.map;
            let spread = move |learned| Spread::new(map, &map.folds[fold], &moments.view(), learned);
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
