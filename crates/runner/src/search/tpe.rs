//! Tree-structured Parzen estimators, asked for a whole cohort at a time.
//!
//! Trials are parted by their scores into few good ones and the others. The next setting is the one, of some drawn from the
//! density of the good ones, at which that density is largest against the density of the others. Settings chosen for the same
//! cohort count among the others, which keeps the next from crowding beside them.
//!
//! # Source
//! Bergstra, Bardenet, Bengio and Kégl 2011; the share of good trials and the weights of old ones as in Optuna, cohorts as the
//! "constant liar" of Ginsbourger, Le Riche and Carraro 2010.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::parzen::{Axis, Density, Places};
use super::random::Random;
use super::sampler::{Points, Sampler};
use super::stream::named;
use crate::config::{Parameter, Value};

/// Trials drawn at random before there is anything to learn from.
const STARTUP: usize = 16;
/// Settings of a cohort: a third of the trials before, in this range, so that passes grow wider as more is known.
const LEAST_COHORT: usize = 16;
const MOST_COHORT: usize = 64;
/// How that is said.
pub(crate) const COHORTS: &str = "16 to 64";
/// Settings drawn of which the best is taken.
const CANDIDATES: usize = 24;
/// Good trials are this share, but no more than [`MOST_GOOD`].
const GOOD_SHARE: f64 = 0.1;
const MOST_GOOD: usize = 25;
/// The last trials, which weigh as much as they can; the weight of those before falls with their age.
const YOUNG: usize = 25;

/// A search that learns from scores.
pub(super) struct Tpe {
    parameters: Vec<Parameter>,
    axes: Vec<Axis>,
    startup: Random,
    seed: u64,
    /// How often it was asked.
    round: u64,
    told: Vec<Told>,
    /// How many trials it had been told of when it was last asked.
    known: usize,
    /// The settings it has given.
    given: BTreeSet<Vec<String>>,
}

/// A trial with its score; less is better, none is worst.
struct Told {
    places: Places,
    score: Option<f64>,
}

impl Tpe {
    pub(super) fn new(parameters: &[Parameter], seed: u64) -> Self {
        let axis = |parameter: &Parameter| parameter.cells().map_or(Axis::Ordered, Axis::Cells);
        Self {
            parameters: parameters.to_vec(),
            axes: parameters.iter().map(axis).collect(),
            startup: Random::new(parameters, seed),
            seed,
            round: 0,
            told: Vec::new(),
            known: 0,
            given: BTreeSet::new(),
        }
    }

    fn values(&self, point: &[f64]) -> Vec<Value> {
        let pairs = self.parameters.iter().zip(point);
        pairs.map(|(parameter, place)| parameter.at(*place)).collect()
    }

    fn places(&self, values: &[Value]) -> Places {
        let pairs = self.parameters.iter().zip(values);
        pairs.map(|(parameter, value)| parameter.place(value)).collect()
    }

    /// Settings that owe nothing to any score.
    fn at_random(&mut self, count: usize) -> Vec<Vec<Value>> {
        (0..count)
            .map(|_| {
                let point = self.startup.next();
                self.values(&point)
            })
            .collect()
    }

    /// Places in `told` of the good trials and of the others, in the order they came.
    fn parted(&self) -> (Vec<usize>, Vec<usize>) {
        let mut ranked: Vec<usize> = (0..self.told.len()).collect();
        let score = |index: &usize| self.told[*index].score;
        ranked.sort_by(|a, b| match (score(a), score(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        let scored = ranked.iter().filter(|index| score(index).is_some()).count();
        let share = (GOOD_SHARE * ranked.len() as f64).ceil() as usize;
        let mut others = ranked.split_off(share.min(MOST_GOOD).min(scored));
        ranked.sort_unstable();
        others.sort_unstable();
        (ranked, others)
    }

    /// A cohort of settings that follow from the scores.
    fn learned(&mut self, (good, others): (&[usize], &[usize]), count: usize) -> Vec<Vec<Value>> {
        // The draws of a cohort follow from its number, so that a sweep that goes on asks for the same.
        let mut random = named(self.seed, &format!("search/tpe/{}", self.round));
        let mut chosen: Vec<(Vec<Value>, Places)> = Vec::new();
        while chosen.len() < count {
            let of_told = |index: &usize| &self.told[*index].places;
            let good = weighted(good.iter().map(of_told).collect());
            let good = Density::new(&self.axes, &good);
            let others = others
                .iter()
                .map(of_told)
                .chain(chosen.iter().map(|(_, places)| places));
            let others = weighted(others.collect());
            let others = Density::new(&self.axes, &others);
            let next = self.best(&good, &others, &mut random);
            let values = next.unwrap_or_else(|| self.at_random(1).swap_remove(0));
            self.given.insert(identity(&values));
            let places = self.places(&values);
            chosen.push((values, places));
        }
        chosen.into_iter().map(|(values, _)| values).collect()
    }

    /// Of some settings drawn from one density, the new one at which it is largest against the other.
    fn best(&self, good: &Density<'_>, others: &Density<'_>, random: &mut ChaCha8Rng) -> Option<Vec<Value>> {
        let mut drawn: Vec<(f64, Vec<f64>)> = (0..CANDIDATES)
            .map(|_| {
                let point = good.draw(random);
                (good.log_at(&point) - others.log_at(&point), point)
            })
            .collect();
        // The first of equal ones.
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0));
        let values = drawn.iter().map(|(_, point)| self.values(point));
        values
            .into_iter()
            .find(|values| !self.given.contains(&identity(values)))
    }
}

impl Sampler for Tpe {
    fn ask(&mut self) -> Vec<Vec<Value>> {
        // Where nothing came of the last cohort, all of it had been tried before.
        let is_stuck = self.round > 0 && self.told.len() == self.known;
        let count = if self.told.len() < STARTUP {
            STARTUP - self.told.len()
        } else {
            cohort(self.told.len())
        };
        let (good, others) = self.parted();
        let settings = if is_stuck || self.told.len() < STARTUP || good.is_empty() {
            self.at_random(count)
        } else {
            self.learned((&good, &others), count)
        };
        self.given.extend(settings.iter().map(|values| identity(values)));
        (self.round, self.known) = (self.round + 1, self.told.len());
        settings
    }

    fn tell(&mut self, values: &[Value], score: Option<f64>) {
        let places = self.places(values);
        self.told.push(Told { places, score });
    }
}

/// Settings of the cohort that follows so many trials.
fn cohort(told: usize) -> usize {
    (told / 3).clamp(LEAST_COHORT, MOST_COHORT)
}

/// Settings in the order they came, with their weights: 1 for the young ones, less the older they are.
fn weighted(settings: Vec<&Places>) -> Vec<(&Places, f64)> {
    let old = settings.len().saturating_sub(YOUNG);
    let least = 1.0 / settings.len().max(1) as f64;
    let weight = |index: usize| {
        if index >= old {
            1.0
        } else if old == 1 {
            least
        } else {
            least + (1.0 - least) * index as f64 / (old - 1) as f64
        }
    };
    settings
        .into_iter()
        .enumerate()
        .map(|(index, places)| (places, weight(index)))
        .collect()
}

/// What tells two settings apart.
fn identity(values: &[Value]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Domain, parse};
    use crate::search::{Search, Trial};

    #[test]
    fn young_settings_weigh_most() {
        let settings = vec![vec![None]; 30];
        let weights: Vec<f64> = weighted(settings.iter().collect())
            .iter()
            .map(|(_, weight)| *weight)
            .collect();
        assert!((weights[0] - 1.0 / 30.0).abs() < 1e-15 && weights.is_sorted());
        assert!(weights[4..].iter().all(|weight| *weight == 1.0));
        let few: Vec<&Places> = settings.iter().take(26).collect();
        assert_eq!(weighted(few)[1].1, 1.0);
    }

    #[test]
    fn failed_trials_are_never_the_good_ones() {
        let parameter = Parameter {
            path: "model.l1_ratio",
            domain: Domain::Range {
                min: 0.0,
                max: 1.0,
                num: None,
                log: false,
                step: None,
            },
            probabilities: Vec::new(),
            when: Vec::new(),
        };
        let mut tpe = Tpe::new(&[parameter], 0);
        let first = tpe.ask();
        for values in &first {
            tpe.tell(values, None);
        }
        assert_eq!(tpe.parted().0, [0; 0]);
        assert_eq!(tpe.ask().len(), LEAST_COHORT, "chance goes on");
        tpe.tell(&first[3], Some(1.0));
        assert_eq!(tpe.parted().0, [16]);
    }

    /// Asks and tells until there are no more; returns every cohort.
    fn cohorts(text: &str, score: impl Fn(&Trial) -> Option<f64>) -> (Vec<Vec<Trial>>, String) {
        let text = format!("[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nsolver = \"sgd\"\n{text}");
        let config = parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        let mut search = Search::new(&config).expect("a search");
        let mut cohorts = Vec::new();
        loop {
            let cohort = search.ask();
            if cohort.is_empty() {
                return (cohorts, search.left_out().sentence().unwrap_or_default());
            }
            search.tell(&cohort.iter().map(|trial| (trial, score(trial))).collect::<Vec<_>>());
            cohorts.push(cohort);
        }
    }

    #[test]
    fn cohorts_grow_with_what_is_known_and_not_with_what_is_wanted() {
        let text = |trials: usize| {
            format!(
                "[sweep]\nmethod = \"tpe\"\ntrials = {trials}\n[sweep.parameters]\n\
                 model.C = {{ min = 1e-4, max = 1e4, log = true }}\nmodel.l1_ratio = {{ min = 0, max = 1 }}\n\
                 [[sweep.points]]\nmodel.C = 1.0\n"
            )
        };
        let score = |trial: &Trial| Some(trial.model.c.ln().powi(2) + trial.model.l1_ratio);
        let (many, _) = cohorts(&text(200), score);
        let sizes: Vec<usize> = many.iter().map(Vec::len).collect();
        assert_eq!(sizes, [17, 16, 16, 16, 21, 28, 38, 48]);
        let (few, _) = cohorts(&text(40), score);
        assert_eq!(few.concat(), many.concat()[..40]);
        assert!(
            many.iter()
                .enumerate()
                .all(|(round, cohort)| cohort.iter().all(|trial| trial.round == round as u32))
        );
        assert_eq!(many[0][0].model.c, 1.0, "points come first");
        let last: Vec<f64> = many[7].iter().map(|trial| trial.model.c.ln().abs()).collect();
        let first: Vec<f64> = many[0].iter().map(|trial| trial.model.c.ln().abs()).collect();
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        assert!(mean(&last) < 0.5 * mean(&first), "{} {}", mean(&last), mean(&first));
    }

    #[test]
    fn a_small_space_is_used_up() {
        let text = "[sweep]\nmethod = \"tpe\"\ntrials = 50\n[sweep.parameters]\nmodel.C = [1, 2, 3]\n\
            model.fit_intercept = [true, false]\n[[sweep.exclude]]\nmodel.C = 2.0\nmodel.fit_intercept = true\n";
        let (cohorts, note) = cohorts(text, |trial| Some(trial.model.c));
        assert_eq!(cohorts.concat().len(), 5);
        assert!(
            note.contains("45 trials fewer than sweep.trials: no other settings are left"),
            "{note}"
        );
    }

    #[test]
    fn every_setting_of_a_space_is_found() {
        let text = "[sweep]\nmethod = \"tpe\"\ntrials = 60\n[sweep.parameters]\nmodel.C = [1, 2, 3, 4, 5]\n\
            train.solver = [\"adam\", \"sgd\"]\ntrain.momentum = { values = [0.0, 0.5, 0.9], when = { train.solver = \"sgd\" } }\n\
            model.fit_intercept = [true, false]\n";
        for failing in [false, true] {
            let score = |trial: &Trial| (!failing).then_some(trial.model.c - trial.train.momentum);
            let (cohorts, _) = cohorts(text, score);
            // Ten with adam, thirty with sgd.
            assert_eq!(cohorts.concat().len(), 40, "all failing: {failing}");
        }
    }
}
