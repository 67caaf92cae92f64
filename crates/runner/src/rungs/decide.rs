//! Who goes on from a rung.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::Ladder;
use crate::plan::Plan;

/// The selecting metric of runs when they are compared, by their place in the plan; nothing for one that failed or has no
/// score.
pub(crate) type Standings = BTreeMap<usize, Option<f64>>;

/// The trials that go on from a rung, of those that have reached it: in every bracket that is compared there the best share
/// by the mean of their runs, trials without a score last, ties by number.
pub(crate) fn survivors(
    ladder: &Ladder,
    rung: usize,
    plan: &Plan,
    reached: &BTreeSet<usize>,
    (standings, higher_is_better): (&Standings, bool),
) -> BTreeSet<usize> {
    let means = means(plan, standings);
    let mut kept: BTreeSet<usize> = reached
        .iter()
        .copied()
        .filter(|&trial| ladder.bracket(trial) > rung)
        .collect();
    for bracket in 0..=rung.min(ladder.brackets() - 1) {
        let mut own: Vec<usize> = reached
            .iter()
            .copied()
            .filter(|&trial| ladder.bracket(trial) == bracket)
            .collect();
        own.sort_by(|a, b| {
            let by_score = match (means[*a], means[*b]) {
                (Some(a), Some(b)) if higher_is_better => b.total_cmp(&a),
                (Some(a), Some(b)) => a.total_cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            by_score.then(plan.trials[*a].number.cmp(&plan.trials[*b].number))
        });
        own.truncate(ladder.kept(own.len()));
        kept.extend(own);
    }
    kept
}

/// The mean of every trial's runs, by its place in the plan; nothing where one of them has no score.
pub(crate) fn means(plan: &Plan, standings: &Standings) -> Vec<Option<f64>> {
    let mut sums = vec![Some((0.0, 0u32)); plan.trials.len()];
    for (index, run) in plan.runs.iter().enumerate() {
        let score = standings.get(&index).copied().flatten().filter(|score| !score.is_nan());
        sums[run.trial] = sums[run.trial]
            .zip(score)
            .map(|((sum, count), score)| (sum + score, count + 1));
    }
    let mean = |sum: Option<(f64, u32)>| {
        sum.filter(|(_, count)| *count > 0)
            .map(|(sum, count)| sum / f64::from(count))
    };
    sums.into_iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::plan::Shape;
    use crate::search;

    /// Seven trials on two folds, and the ladder of `[sweep]` with these lines.
    fn setting(sweep: &str) -> (Plan, Ladder) {
        let text = format!(
            "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nsolver = \"sgd\"\nepochs = 9\n[validation]\nfolds = 2\n\
             [sweep]\n{sweep}\n[sweep.parameters]\nmodel.C = [1, 2, 3, 4, 5, 6, 7]\n"
        );
        let config = parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
        let trials = search::trials(&config).expect("trials");
        let shape = Shape {
            folds: 2,
            ..Shape::EMPTY
        };
        let plan = Plan::new(&config, trials, shape, "");
        let ladder = Ladder::new(&config, plan.trials.len()).expect("a sweep that prunes");
        (plan, ladder)
    }

    /// Both folds of trial t score `scores[t]` on average.
    fn standings(plan: &Plan, scores: &[Option<f64>]) -> Standings {
        let score = |(index, run): (usize, &crate::plan::PlannedRun)| {
            let off = if run.fold == 0 { 0.25 } else { -0.25 };
            (index, scores[run.trial].map(|score| score + off))
        };
        plan.runs.iter().enumerate().map(score).collect()
    }

    #[test]
    fn the_best_third_goes_on_and_ties_go_by_number() {
        let (plan, ladder) = setting("halving = {}");
        let all: BTreeSet<usize> = (0..7).collect();
        let scores = [3.0, 1.0, 2.0, 1.0, 5.0, 1.0, 1.0].map(Some);
        let standings = standings(&plan, &scores);
        let kept = |higher| survivors(&ladder, 0, &plan, &all, (&standings, higher));
        assert_eq!(kept(false), BTreeSet::from([1, 3, 5]));
        assert_eq!(kept(true), BTreeSet::from([4, 0, 2]));
    }

    #[test]
    fn a_trial_with_a_failed_run_goes_last() {
        let (plan, ladder) = setting("halving = {}");
        let mut standings = standings(&plan, &[Some(1.0); 7]);
        standings.insert(0, None);
        standings.insert(3, Some(f64::NAN));
        let kept = survivors(&ladder, 0, &plan, &(0..7).collect(), (&standings, false));
        assert_eq!(kept, BTreeSet::from([2, 3, 4]));
    }

    #[test]
    fn brackets_are_compared_among_themselves_from_their_rung_on() {
        let (plan, ladder) = setting("hyperband = {}");
        // 9, 5 and 3 shares for the brackets that begin at 1, 3 and 9 epochs.
        let of = |bracket: usize| -> Vec<usize> { (0..7).filter(|trial| ladder.bracket(*trial) == bracket).collect() };
        assert_eq!([of(0).len(), of(1).len(), of(2).len()], [4, 2, 1]);
        let scores: Vec<Option<f64>> = (0..7).map(|trial| Some(f64::from(trial))).collect();
        let standings = standings(&plan, &scores);
        let all: BTreeSet<usize> = (0..7).collect();
        let kept = survivors(&ladder, 0, &plan, &all, (&standings, false));
        let expected: BTreeSet<usize> = of(0)[..2].iter().chain(&of(1)).chain(&of(2)).copied().collect();
        assert_eq!(kept, expected);
        let kept = survivors(&ladder, 1, &plan, &kept, (&standings, false));
        let expected: BTreeSet<usize> = [of(0)[0], of(1)[0], of(2)[0]].into();
        assert_eq!(kept, expected);
    }
}
