//! Which runs start from others: coarse to fine along C.
//!
//! Runs that differ in nothing but C lie on a smooth path. A few values of C are solved first; the others start from where
//! their solved neighbors say they will end, and most of them are there at once. It takes the place of the warm starts
//! that solving one after the other would have.

use std::collections::BTreeMap;

use crate::config::Init;
use crate::plan::Plan;

/// Steps along C between two runs that are solved first.
const STRIDE: usize = 8;
/// Runs of a path below which all of them are solved at once.
const SHORTEST: usize = 4;

/// Where a run starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    /// At its own starting weights.
    Own,
    /// From two solved runs, by position in the block; `share` of the second.
    Between { first: usize, second: usize, share: f64 },
}

/// The start of every run of a block.
pub(super) fn starts(plan: &Plan, runs: &[usize]) -> Vec<Start> {
    let mut paths: BTreeMap<String, Vec<(f64, usize)>> = BTreeMap::new();
    for (position, &run) in runs.iter().enumerate() {
        let trial = plan.trial_of(run);
        if trial.train.init != Init::Zeros {
            continue;
        }
        let mut model = trial.model.clone();
        model.c = 1.0;
        let planned = &plan.runs[run];
        let method = plan.method_of(run);
        let key = format!(
            "{} {} {method:?} {model:?} {:?}",
            planned.fold, planned.restart, trial.train
        );
        paths.entry(key).or_default().push((trial.model.c, position));
    }
    let mut starts = vec![Start::Own; runs.len()];
    for path in paths.values_mut() {
        path.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (position, start) in along(path) {
            starts[position] = start;
        }
    }
    starts
}

/// The starts of the runs of one path, sorted by C, that are not solved first.
fn along(path: &[(f64, usize)]) -> Vec<(usize, Start)> {
    if path.len() < SHORTEST {
        return Vec::new();
    }
    let last = path.len() - 1;
    (0..path.len())
        .filter(|index| index % STRIDE != 0 && *index != last)
        .map(|index| {
            let low = index / STRIDE * STRIDE;
            let high = (low + STRIDE).min(last);
            let (below, above) = (path[low].0.ln(), path[high].0.ln());
            let share = (path[index].0.ln() - below) / (above - below);
            let start = Start::Between {
                first: path[low].1,
                second: path[high].1,
                // Without a penalty the upper end has no distance.
                share: if above.is_finite() && share.is_finite() {
                    share
                } else {
                    0.5
                },
            };
            (path[index].1, start)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_solved_from_every_eighth_value() {
        let path: Vec<(f64, usize)> = (0..20).map(|i| (10f64.powi(i), 100 + i as usize)).collect();
        let starts = along(&path);
        assert_eq!(starts.len(), 20 - 4, "0, 8, 16 and 19 are solved first");
        let Some((105, Start::Between { first, second, share })) = starts.get(4).copied() else {
            panic!("{starts:?}");
        };
        assert_eq!((first, second), (100, 108));
        assert!((share - 5.0 / 8.0).abs() < 1e-12);
        assert!(along(&path[..3]).is_empty());
        let mut open = path.clone();
        open[19].0 = f64::INFINITY;
        let tail = along(&open);
        assert!(matches!(tail[tail.len() - 1].1, Start::Between { share, .. } if share == 0.5));
    }
}
