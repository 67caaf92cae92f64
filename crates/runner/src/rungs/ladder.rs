//! The rungs of a sweep, and how many trials each of them leaves.

use serde::Serialize;

use crate::config::{Config, Halving};

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// Its number, from 0.
    pub rung: u32,
    /// Epochs that a trial has had when it is compared.
    pub epochs: u32,
    /// Trials that reach it.
    pub trials: usize,
    /// Trials that go on from it.
    pub kept: usize,
}

/// Where trials are compared, and in which company.
///
/// Rung r is at `min_epochs·factorʳ` epochs, below the run's last; the end of training is the rung after the last of these.
/// Halving has one bracket, in which all trials are compared at every rung. Hyperband has one for every number of rungs to
/// leave out: trials of bracket s are compared among themselves from rung s on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    factor: u32,
    epochs: Vec<u32>,
    /// The bracket of each trial, by its place in the plan.
    bracket: Vec<usize>,
    last: u32,
}

impl Ladder {
    /// The ladder of a config for this many trials; none where the sweep prunes nothing.
    pub fn new(config: &Config, trials: usize) -> Option<Self> {
        let sweep = &config.sweep;
        let (rule, has_brackets) = match (&sweep.halving, &sweep.hyperband) {
            (Some(rule), _) => (rule, false),
            (None, Some(rule)) => (rule, true),
            (None, None) => return None,
        };
        Some(Self::of(rule, has_brackets, config.train.epochs, trials))
    }

    fn of(rule: &Halving, has_brackets: bool, last: u32, trials: usize) -> Self {
        let multiples = std::iter::successors(Some(rule.min_epochs), |epochs| epochs.checked_mul(rule.factor));
        let epochs: Vec<u32> = multiples.take_while(|epochs| *epochs < last).collect();
        let bracket = if has_brackets {
            deal(&shares(rule.factor, epochs.len()), trials)
        } else {
            vec![0; trials]
        };
        Self {
            factor: rule.factor,
            epochs,
            bracket,
            last,
        }
    }

    /// The epochs at which trials are compared, in order.
    pub fn epochs(&self) -> &[u32] {
        &self.epochs
    }

    /// The number of the rung that a run has reached which was trained to its end.
    pub fn end(&self) -> u32 {
        self.epochs.len() as u32
    }

    /// Brackets.
    pub fn brackets(&self) -> usize {
        self.bracket.iter().max().map_or(1, |most| most + 1)
    }

    /// The bracket of a trial.
    pub fn bracket(&self, trial: usize) -> usize {
        self.bracket[trial]
    }

    /// How many of `trials` trials go on.
    pub fn kept(&self, trials: usize) -> usize {
        trials.div_ceil(self.factor as usize)
    }

    /// The rungs of a bracket, the end of training included, where no run ends before it is pruned.
    pub fn table(&self, bracket: usize) -> Vec<Rung> {
        let mut trials = self.bracket.iter().filter(|own| **own == bracket).count();
        let mut table = Vec::new();
        for (rung, &epochs) in self.epochs.iter().enumerate().skip(bracket) {
            let kept = self.kept(trials);
            table.push(Rung {
                rung: rung as u32,
                epochs,
                trials,
                kept,
            });
            trials = kept;
        }
        table.push(Rung {
            rung: self.end(),
            epochs: self.last,
            trials,
            kept: trials,
        });
        table
    }

    /// What a plan says of it: `halving keeps 1 in 3 trials: 256 to epoch 1, 86 to epoch 3, 29 to epoch 9; ...`.
    pub fn note(&self) -> String {
        let share = 100.0 * self.share();
        let of_bracket = |bracket: usize| {
            let steps = self.table(bracket).into_iter();
            let steps = steps.map(|rung| format!("{} to epoch {}", rung.trials, rung.epochs));
            steps.collect::<Vec<_>>().join(", ")
        };
        let brackets: Vec<String> = (0..self.brackets()).map(of_bracket).collect();
        format!(
            "{} keeps 1 in {} trials: {}; {share:.1} % of the epochs of training all to the end",
            if brackets.len() > 1 { "hyperband" } else { "halving" },
            self.factor,
            brackets.join("; ")
        )
    }

    /// The share of the epochs of training all trials to the end.
    pub fn share(&self) -> f64 {
        let whole = u64::from(self.last) * self.bracket.len() as u64;
        self.total_epochs() as f64 / whole.max(1) as f64
    }

    /// Epochs that all trials have together, a run each.
    pub fn total_epochs(&self) -> u64 {
        let of_bracket = |bracket: usize| {
            let table = self.table(bracket);
            let before = std::iter::once(0).chain(table.iter().map(|rung| rung.epochs));
            let steps = table.iter().zip(before);
            steps
                .map(|(rung, before)| rung.trials as u64 * u64::from(rung.epochs - before))
                .sum::<u64>()
        };
        (0..self.brackets()).map(of_bracket).sum()
    }
}

/// The share of the trials that each bracket of hyperband begins with: bracket s leaves out the first s of the rungs and has
/// `factor^(rungs − s) · (rungs + 1) / (rungs − s + 1)` trials for one that is trained to the end.
///
/// # Source
/// Li et al. 2018, algorithm 1.
fn shares(factor: u32, rungs: usize) -> Vec<f64> {
    (0..=rungs)
        .map(|skipped| {
            let left = rungs - skipped;
            (f64::from(factor).powf(left as f64) * (rungs + 1) as f64 / (left + 1) as f64).ceil()
        })
        .collect()
}

/// Deals trials to brackets by their shares, each to the one that lacks most, so that neighbors in the plan, which are
/// alike in a grid, come into different ones.
fn deal(shares: &[f64], trials: usize) -> Vec<usize> {
    let total: f64 = shares.iter().sum();
    let mut dealt = vec![0usize; shares.len()];
    (1..=trials)
        .map(|count| {
            let lack = |bracket: &usize| shares[*bracket] / total * count as f64 - dealt[*bracket] as f64;
            // Equal lacks: the bracket with more rungs.
            let bracket = (0..shares.len())
                .max_by(|a, b| lack(a).total_cmp(&lack(b)).then(b.cmp(a)))
                .unwrap_or(0);
            dealt[bracket] += 1;
            bracket
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(has_brackets: bool, last: u32, trials: usize) -> Ladder {
        let rule = Halving {
            factor: 3,
            min_epochs: 1,
        };
        Ladder::of(&rule, has_brackets, last, trials)
    }

    #[test]
    fn halving_keeps_a_third_at_each_power_of_three() {
        let ladder = ladder(false, 100, 256);
        let table: Vec<(u32, usize, usize)> = ladder
            .table(0)
            .iter()
            .map(|rung| (rung.epochs, rung.trials, rung.kept))
            .collect();
        let expected = [
            (1, 256, 86),
            (3, 86, 29),
            (9, 29, 10),
            (27, 10, 4),
            (81, 4, 2),
            (100, 2, 2),
        ];
        assert_eq!(table, expected);
        assert_eq!(ladder.total_epochs(), 256 + 86 * 2 + 29 * 6 + 10 * 18 + 4 * 54 + 2 * 19);
    }

    #[test]
    fn the_last_epoch_is_no_comparison() {
        assert_eq!(ladder(false, 27, 9).epochs(), [1, 3, 9]);
        assert_eq!(ladder(false, 28, 9).epochs(), [1, 3, 9, 27]);
        assert_eq!(ladder(false, u32::MAX, 9).epochs().len(), 21);
    }

    #[test]
    fn hyperband_deals_every_trial_to_a_bracket_by_the_published_shares() {
        // R = 81, factor 3: 81, 34, 15, 8 and 5 trials (the paper's table 1).
        assert_eq!(shares(3, 4), [81.0, 34.0, 15.0, 8.0, 5.0]);
        let ladder = ladder(true, 81, 143);
        assert_eq!(ladder.brackets(), 5);
        let begin: Vec<usize> = (0..5).map(|bracket| ladder.table(bracket)[0].trials).collect();
        assert_eq!(begin, [81, 34, 15, 8, 5]);
        let first: Vec<u32> = (0..5).map(|bracket| ladder.table(bracket)[0].epochs).collect();
        assert_eq!(first, [1, 3, 9, 27, 81]);
        assert!((0..8).any(|trial| ladder.bracket(trial) != 0), "neighbors are spread");
    }

    #[test]
    fn one_trial_goes_through() {
        let table = ladder(false, 10, 1).table(0);
        assert!(table.iter().all(|rung| (rung.trials, rung.kept) == (1, 1)));
        assert_eq!(ladder(false, 10, 1).total_epochs(), 10);
    }
}
