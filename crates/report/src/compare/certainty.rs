//! How sure it is that the first trial is the best.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::paired::FoldScores;

/// Resamples of the folds.
const DRAWS: usize = 2000;

/// For each trial the share of bootstrap resamples of the J scores in which it is the best; trials that tie share. The same folds are drawn for
/// all trials, so that what folds have in common cancels. Nothing where there is one score, or where scores are not of the same folds.
///
/// Few folds make a coarse bootstrap: 5 folds have 126 different resamples.
///
/// # Source
/// Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 6; the random numbers are `ChaCha8` with the seed given.
pub(crate) fn probability_of_being_best(trials: &[&FoldScores], higher_is_better: bool, seed: u64) -> Option<Vec<f64>> {
    let folds = trials.first()?.scores().len();
    if folds < 2 || trials.iter().any(|trial| trial.scores().len() != folds) {
        return None;
    }
    let sign = if higher_is_better { -1.0 } else { 1.0 };
    // By fold, then by trial: the inner loop runs over trials.
    let by_fold: Vec<Vec<f64>> = (0..folds)
        .map(|fold| trials.iter().map(|trial| sign * trial.scores()[fold]).collect())
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut wins = vec![0.0; trials.len()];
    let mut sums = vec![0.0; trials.len()];
    let mut first = Vec::new();
    for _ in 0..DRAWS {
        let mut counts = vec![0.0; folds];
        for _ in 0..folds {
            counts[random.random_range(0..folds)] += 1.0;
        }
        sums.fill(0.0);
        for (count, scores) in counts.iter().zip(&by_fold).filter(|(count, _)| **count > 0.0) {
            for (sum, score) in sums.iter_mut().zip(scores) {
                *sum += count * score;
            }
        }
        let best = sums.iter().copied().fold(f64::INFINITY, f64::min);
        first.clear();
        first.extend((0..sums.len()).filter(|index| sums[*index] == best));
        let share = 1.0 / first.len() as f64;
        for index in &first {
            wins[*index] += share;
        }
    }
    Some(wins.into_iter().map(|wins| wins / DRAWS as f64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chances(trials: &[&[f64]], higher_is_better: bool) -> Option<Vec<f64>> {
        let scores: Vec<FoldScores> = trials.iter().map(|values| FoldScores::of(values)).collect();
        let scores: Vec<&FoldScores> = scores.iter().collect();
        probability_of_being_best(&scores, higher_is_better, 7)
    }

    #[test]
    fn who_wins_every_fold_is_best_for_certain() {
        let trials: [&[f64]; 2] = [&[0.1, 0.5, 0.9], &[0.2, 0.6, 1.0]];
        assert_eq!(chances(&trials, false), Some(vec![1.0, 0.0]));
        assert_eq!(chances(&trials, true), Some(vec![0.0, 1.0]));
    }

    #[test]
    fn equal_trials_share_and_one_fold_says_nothing() {
        assert_eq!(chances(&[&[0.25, 0.5], &[0.25, 0.5]], false), Some(vec![0.5, 0.5]));
        assert_eq!(chances(&[&[0.1], &[0.2]], false), None);
    }

    #[test]
    fn a_coin_is_fair_and_the_same_each_time() {
        // One fold each: the resamples with two draws of the same fold decide, the mixed ones tie.
        let all = chances(&[&[0.0, 1.0], &[1.0, 0.0]], false).expect("two folds");
        assert!((all[0] - 0.5).abs() < 0.03, "{all:?}");
        assert_eq!(chances(&[&[0.0, 1.0], &[1.0, 0.0]], false), Some(all));
    }
}
