//! Runs, learning curves and coefficients of the trials that a reader may open.

use std::collections::{BTreeMap, HashMap, HashSet};

use gradsweep_store::{CoefficientRow, HistoryRow, Reason, RunId, RunRow, Split};
use serde_json::{Map, Value, json};

use super::figures::{self, short};
use crate::compare::{Candidate, Ranking};
use crate::error::ReportError;
use crate::params::Source;
use crate::sweeps::Sweep;

/// Bytes of a page: what it has room for below the 5 MB that it may have, and what stands in it whatever the sweep.
const PAGE: usize = 4_500_000;
const FRAME: usize = 850_000;
/// The best trials that are kept with their curves and coefficients, however little or much room there is.
const LEAST_TRIALS: usize = 50;
const MOST_TRIALS: usize = 2_000;
/// Trials along one parameter that are kept besides, for the path of the coefficients.
const MOST_ON_PATH: usize = 100;
/// Points of a curve.
const POINTS: usize = 24;
/// Coefficients of a trial.
const COEFFICIENTS: usize = 24;
/// Features along a path.
const ON_PATH: usize = 8;
/// The parameter whose path is shown.
pub(super) const C: &str = "model.C";

/// Positions in the ranking of the trials with details: the best ones, and those that differ from the best only in C.
pub(super) fn detailed(
    sources: &[Source],
    ranking: &Ranking,
    params: usize,
    runs: &[Vec<RunRow>],
) -> (Vec<usize>, Vec<usize>) {
    let all = &ranking.candidates;
    let runs: usize = runs.iter().map(Vec::len).sum();
    let kept = all.len().min(room(
        all.len(),
        params,
        ranking.metrics.len(),
        runs.div_ceil(all.len().max(1)),
    ));
    let mut chosen: Vec<usize> = (0..kept).collect();
    let path = path(sources, all);
    chosen.extend(path.iter().filter(|index| **index >= kept));
    (chosen, path)
}

/// How many trials the page has room for besides what it says of every one: about as many bytes as their numbers have digits.
fn room(trials: usize, params: usize, metrics: usize, runs: usize) -> usize {
    let in_board = 40 + 20 * params + 27 * metrics + 9 * runs;
    let in_details = 1_400 + 100 * runs;
    let left = PAGE.saturating_sub(FRAME + trials * in_board);
    (left / in_details).clamp(LEAST_TRIALS, MOST_TRIALS)
}

/// The best trial and those of its sweep that differ from it only in C, by C.
fn path(sources: &[Source], all: &[Candidate]) -> Vec<usize> {
    let Some(best) = all.first() else {
        return Vec::new();
    };
    let Some(c) = sources[best.sweep].trials.params.iter().position(|path| path == C) else {
        return Vec::new();
    };
    let is_beside = |candidate: &Candidate| {
        let mut pairs = candidate.row.params.iter().zip(&best.row.params).enumerate();
        // A trial that was pruned earlier had fewer epochs: its score is no point of this path.
        let is_as_far = candidate.row.rung == best.row.rung;
        candidate.sweep == best.sweep && is_as_far && pairs.all(|(index, (own, other))| index == c || own == other)
    };
    let mut found: Vec<usize> = (0..all.len()).filter(|index| is_beside(&all[*index])).collect();
    let value = |index: usize| all[index].row.params[c].as_f64().unwrap_or(f64::NAN);
    found.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
    if found.len() < 3 {
        return Vec::new();
    }
    found.truncate(MOST_ON_PATH);
    found
}

/// What is known of the trials at these positions.
pub(super) fn details(
    sweeps: &[Sweep],
    ranking: &Ranking,
    chosen: &[usize],
    path: &[usize],
    runs: &[Vec<RunRow>],
) -> Result<Value, ReportError> {
    let mut trials = Map::new();
    // Of the other trials the scores alone, in the order of the runs of every trial of the sweep.
    let mut scores = vec![Value::Null; ranking.candidates.len()];
    let mut layouts = Vec::new();
    let is_detailed: HashSet<usize> = chosen.iter().copied().collect();
    let mut on_path = vec![BTreeMap::new(); path.len()];
    let mut features = Features::default();
    let mut epochs: Vec<u32> = Vec::new();
    for (sweep, runs) in sweeps
        .iter()
        .zip(runs)
        .enumerate()
        .map(|(index, (sweep, runs))| ((index, sweep), runs))
    {
        let (sweep_index, sweep) = sweep;
        let own = chosen.iter().map(|index| (*index, &ranking.candidates[*index]));
        let own: Vec<(usize, &Candidate)> = own.filter(|(_, candidate)| candidate.sweep == sweep_index).collect();
        let by_trial: HashMap<u32, &[RunRow]> = runs
            .chunk_by(|a, b| a.trial == b.trial)
            .map(|runs| (runs[0].trial, runs))
            .collect();
        let runs_of = |candidate: &Candidate| by_trial.get(&candidate.row.trial).copied().unwrap_or(&[]);
        let place = |run: &RunRow| (run.fold, run.repeat, run.restart);
        let layout: Vec<_> = runs
            .chunk_by(|a, b| a.trial == b.trial)
            .next()
            .map_or_else(Vec::new, |runs| runs.iter().map(place).collect());
        let others = ranking.candidates.iter().enumerate();
        for (index, candidate) in
            others.filter(|(index, other)| other.sweep == sweep_index && !is_detailed.contains(index))
        {
            let own = runs_of(candidate);
            if own.iter().map(place).eq(layout.iter().copied()) {
                scores[index] = own
                    .iter()
                    .map(|run| score(run, &ranking.by.name, ranking.is_train))
                    .collect();
            }
        }
        layouts.push(json!(layout));
        let ids: Vec<RunId> = own
            .iter()
            .flat_map(|(_, candidate)| runs_of(candidate))
            .map(|run| run.run)
            .collect();
        let history = sweep.store.history_of(&ids)?;
        let mut of_history: HashMap<RunId, Vec<&HistoryRow>> = HashMap::new();
        for row in history.iter().filter(|row| *row.metric == *ranking.by.name) {
            of_history.entry(row.run).or_default().push(row);
        }
        let weights = sweep.store.coefficients_of(&ids)?;
        let mut of_weights: HashMap<RunId, Vec<&CoefficientRow>> = HashMap::new();
        for row in &weights {
            of_weights.entry(row.run).or_default().push(row);
        }
        for (index, candidate) in own {
            let runs = runs_of(candidate);
            let lines: Vec<Vec<&HistoryRow>> = runs
                .iter()
                .filter_map(|run| of_history.get(&run.run))
                .cloned()
                .collect();
            let mut detail = json!({"runs": runs.iter().map(|run| row(run, &ranking.by.name, ranking.is_train)).collect::<Vec<Value>>()});
            if let Some(curve) = curve(&lines, &mut epochs) {
                detail["curve"] = curve;
            }
            let held = runs.iter().filter_map(|run| of_weights.get(&run.run));
            let averages = averages(&held.flatten().copied().collect::<Vec<_>>());
            detail["weights"] = features.greatest(&averages);
            if let Some(place) = path.iter().position(|own| *own == index) {
                let means = averages.iter().map(|(name, mean, _)| ((*name).to_owned(), *mean));
                on_path[place] = means.collect();
            }
            trials.insert(index.to_string(), detail);
        }
    }
    let paths = features.paths(&on_path, path.iter().position(|own| Some(own) == path.iter().min()));
    Ok(json!({"trials": trials, "features": features.names, "paths": paths, "scores": scores, "layouts": layouts}))
}

/// What the run's trial is ranked by.
fn score(run: &RunRow, metric: &str, is_train: bool) -> Value {
    let record = run.record.as_ref();
    figures::score(record.and_then(|record| {
        if is_train {
            record.train_score(metric)
        } else {
            record.val_score(metric)
        }
    }))
}

/// `[id, fold, repeat, restart, state, reason, converged, epochs, val, train, n_val, seconds]`.
fn row(run: &RunRow, metric: &str, is_train: bool) -> Value {
    let record = run.record.as_ref();
    let val = record.and_then(|record| record.val_score(metric)).filter(|_| !is_train);
    json!([
        run.run.to_string(),
        run.fold,
        run.repeat,
        run.restart,
        run.state(),
        record.and_then(|record| record.reason).map(Reason::name),
        record.is_some_and(|record| record.converged),
        record.map(|record| record.epochs),
        figures::score(val),
        figures::score(record.and_then(|record| record.train_score(metric))),
        record.map(|record| record.n_val),
        record.map(|record| short(record.seconds, 3)),
    ])
}

/// Mean and band over runs at a few epochs: `{epochs, val, low, high, train}`. A run that ended keeps its last score.
fn curve(runs: &[Vec<&HistoryRow>], scratch: &mut Vec<u32>) -> Option<Value> {
    scratch.clear();
    scratch.extend(runs.iter().flatten().map(|row| row.epoch));
    scratch.sort_unstable();
    scratch.dedup();
    let epochs = thinned(scratch);
    if epochs.len() < 2 {
        return None;
    }
    let at = |split: Split| -> Vec<Vec<f64>> {
        let lines = runs.iter().map(|rows| {
            let mut points = rows
                .iter()
                .filter(|row| row.split == split && row.value.is_finite())
                .peekable();
            let mut last = None;
            epochs.iter().map(move |epoch| {
                while let Some(row) = points.next_if(|row| row.epoch <= *epoch) {
                    last = Some(row.value);
                }
                last
            })
        });
        let mut lines: Vec<_> = lines.collect();
        let values = epochs
            .iter()
            .map(|_| lines.iter_mut().filter_map(|line| line.next().flatten()).collect());
        values.collect()
    };
    let mean = |values: &Vec<f64>| short(values.iter().sum::<f64>() / values.len() as f64, 5);
    let val = at(Split::Val);
    let low = |values: &Vec<f64>| short(values.iter().copied().fold(f64::INFINITY, f64::min), 5);
    let high = |values: &Vec<f64>| short(values.iter().copied().fold(f64::NEG_INFINITY, f64::max), 5);
    let mut curve = json!({
        "epochs": epochs,
        "train": at(Split::Train).iter().map(mean).collect::<Vec<Value>>(),
    });
    if val.iter().any(|values| !values.is_empty()) {
        curve["val"] = val.iter().map(mean).collect();
        curve["low"] = val.iter().map(low).collect();
        curve["high"] = val.iter().map(high).collect();
    }
    Some(curve)
}

/// All epochs if they are few; otherwise the first, the last, and some between that lie closer at the start.
fn thinned(epochs: &[u32]) -> Vec<u32> {
    let n = epochs.len();
    if n <= POINTS {
        return epochs.to_vec();
    }
    let mut places: Vec<usize> = (0..POINTS)
        .map(|point| {
            let share = point as f64 / (POINTS - 1) as f64;
            ((n as f64).powf(share) - 1.0) / (n as f64 - 1.0) * (n - 1) as f64
        })
        .map(|place| place.round() as usize)
        .collect();
    places.dedup();
    places.into_iter().map(|place| epochs[place.min(n - 1)]).collect()
}

/// Names of features, each once.
#[derive(Default)]
struct Features {
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Features {
    fn position(&mut self, name: &str) -> usize {
        if let Some(position) = self.positions.get(name) {
            return *position;
        }
        self.names.push(name.to_owned());
        self.positions.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// `[feature, mean, deviation]` of the greatest ones.
    fn greatest(&mut self, averages: &[(&str, f64, f64)]) -> Value {
        let kept = averages.iter().take(COEFFICIENTS);
        kept.map(|(name, mean, std)| json!([self.position(name), short(*mean, 4), short(*std, 2)]))
            .collect()
    }

    /// `{features, values}`: along a path, the means of the features that are greatest at its best trial; nothing for a trial whose
    /// coefficients were not kept.
    fn paths(&mut self, on_path: &[BTreeMap<String, f64>], best: Option<usize>) -> Value {
        let mut lead: Vec<(&String, &f64)> = best.map_or_else(Vec::new, |best| on_path[best].iter().collect());
        lead.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        lead.truncate(ON_PATH);
        let values = on_path.iter().map(|means| {
            let mean = |(name, _): &(&String, &f64)| short(means.get(*name).copied().unwrap_or(0.0), 4);
            (!means.is_empty()).then(|| lead.iter().map(mean).collect::<Vec<Value>>())
        });
        let values: Vec<Option<Vec<Value>>> = values.collect();
        json!({"features": lead.iter().map(|(name, _)| self.position(name)).collect::<Vec<_>>(), "values": values})
    }
}

/// Mean and deviation of the standardized coefficients over runs, the greatest first, the intercept left out.
fn averages<'a>(rows: &[&'a CoefficientRow]) -> Vec<(&'a str, f64, f64)> {
    let mut by_feature: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
    for row in rows {
        if &*row.feature == "(intercept)" || !row.coefficient_standardized.is_finite() {
            continue;
        }
        let held = by_feature.entry(&row.feature).or_default();
        held.0 += 1.0;
        held.1 += row.coefficient_standardized;
        held.2 += row.coefficient_standardized.powi(2);
    }
    let averages = by_feature.into_iter().map(|(name, (n, sum, squares))| {
        let mean = sum / n;
        let variance = if n > 1.0 {
            (squares - n * mean * mean).max(0.0) / (n - 1.0)
        } else {
            0.0
        };
        (name, mean, variance.sqrt())
    });
    let mut averages: Vec<(&str, f64, f64)> = averages.collect();
    averages.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(b.0)));
    averages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[(u32, f64)]) -> Vec<HistoryRow> {
        let row = |(epoch, value): &(u32, f64)| HistoryRow {
            run: RunId(0),
            epoch: *epoch,
            split: Split::Val,
            metric: "log_loss".into(),
            value: *value,
        };
        values.iter().map(row).collect()
    }

    #[test]
    fn a_run_that_ended_keeps_its_last_score_and_the_band_spans_the_runs() {
        let (a, b) = (rows(&[(1, 1.0), (2, 0.5)]), rows(&[(1, 2.0), (2, 1.5), (3, 1.0)]));
        let runs = [a.iter().collect(), b.iter().collect()];
        let curve = curve(&runs, &mut Vec::new()).expect("there are scores");
        assert_eq!(curve["epochs"], json!([1, 2, 3]));
        assert_eq!(curve["val"], json!([1.5, 1, 0.75]));
        assert_eq!(curve["low"], json!([1, 0.5, 0.5]));
        assert_eq!(curve["high"], json!([2, 1.5, 1]));
    }

    #[test]
    fn a_page_has_room_for_many_trials_or_much_of_few() {
        assert_eq!(room(64, 2, 4, 5), 1_913);
        assert!((400..1_000).contains(&room(10_000, 3, 2, 5)));
        assert_eq!(room(1_000_000, 3, 2, 5), LEAST_TRIALS);
        assert!(room(64, 2, 1, 100) < 400);
    }

    #[test]
    fn long_curves_keep_both_ends() {
        let epochs: Vec<u32> = (1..=1000).collect();
        let kept = thinned(&epochs);
        assert!(kept.len() <= POINTS && kept.len() > 15, "{kept:?}");
        assert_eq!((kept.first(), kept.last()), (Some(&1), Some(&1000)));
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
