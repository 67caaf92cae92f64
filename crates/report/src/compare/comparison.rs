//! Trials ranked over all sweeps given.

use std::collections::HashMap;

use gradsweep_store::{
    MetricInfo, ParamValue, RunRow, Score, StoreError, TrialRow, TrialState, TrialTable, one_standard_error,
};

use super::certainty::probability_of_being_best;
use super::paired::{Difference, FoldScores, Test, split_identity};
use super::pareto;
use super::query::Query;
use super::rank::{Candidate, Ranking, metric, rank, score};
use crate::columns::{self, Column};
use crate::error::ReportError;
use crate::params::{Source, Varying, in_words};
use crate::sweeps::Sweep;

/// A ranking of trials. Its rows are those asked for; ranks, differences and chances are over all trials that the filter keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub(crate) by: MetricInfo,
    /// Nothing was held out: training scores rank.
    pub(crate) is_train: bool,
    pub(crate) is_over_sweeps: bool,
    pub(crate) varying: Varying,
    /// The other metrics.
    pub(crate) others: Vec<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) trials: usize,
    /// Trials that the filter left out.
    pub(crate) n_filtered: usize,
    /// Whether the corrected test holds for the best trial's folds.
    pub(crate) test: Test,
    /// Scores each trial of the best one's sweep has.
    pub(crate) n_scores: usize,
    /// The two metrics of a front.
    pub(crate) pareto: Option<[String; 2]>,
    /// What the rule of one standard error takes, by sweep.
    pub(crate) one_se: Vec<OneSe>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) rank: usize,
    pub(crate) sweep: String,
    pub(crate) trial: u32,
    pub(crate) state: TrialState,
    pub(crate) params: Vec<ParamValue>,
    pub(crate) score: Score,
    /// To the best trial, where both were scored on the same rows.
    pub(crate) difference: Option<Difference>,
    /// The chance that it is the best of those scored on the same rows as the best.
    pub(crate) p_best: Option<f64>,
    pub(crate) others: Vec<Score>,
}

/// What the rule of one standard error takes in a sweep.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OneSe {
    pub(crate) sweep: String,
    pub(crate) trial: u32,
    pub(crate) params: String,
    /// It is the trial with the best score too.
    pub(crate) is_best: bool,
}

/// What is known of a trial beside the best one.
#[derive(Debug, Clone, Copy, Default)]
struct Beside {
    difference: Option<Difference>,
    p_best: Option<f64>,
}

/// Ranks the trials of all sweeps by a metric (the first sweep's own if none is given).
///
/// Complete trials come first, then pruned ones by how far they got, waiting ones and failed ones. The difference to the best trial is the
/// mean of the differences fold by fold with its standard error; it is given where both trials were scored on the same held-out rows (the
/// same data, split in the same way).
pub fn compare(sweeps: &[Sweep], query: &Query) -> Result<Comparison, ReportError> {
    let tables = tables(sweeps)?;
    let runs = |index: usize| sweeps[index].store.runs();
    compare_tables(&sources(sweeps, &tables), query, runs)
}

/// The same of tables that are read already.
pub(crate) fn compare_tables(
    sources: &[Source],
    query: &Query,
    runs: impl Fn(usize) -> Result<Vec<RunRow>, StoreError>,
) -> Result<Comparison, ReportError> {
    let mut ranking = rank(sources, query)?;
    let pareto = query.pareto.as_deref().map(|names| two(names, &ranking)).transpose()?;
    if let Some(pair) = &pareto {
        keep_front(&mut ranking, sources, pair);
    }
    let mut order: Vec<usize> = (0..ranking.candidates.len()).collect();
    if let Some(text) = &query.sort {
        sort(&mut order, &ranking, sources, text)?;
    }
    order.truncate(query.top.unwrap_or(usize::MAX));
    let best = ranking.candidates.first().copied().filter(Candidate::is_scored);
    let folds = match best {
        Some(best) if !ranking.is_train || ranking.candidates.len() > 1 => fold_scores(sources, &ranking, best, runs)?,
        _ => HashMap::new(),
    };
    let test = best.map_or(Test::Valid, |best| Test::new(sources[best.sweep].manifest));
    let beside = beside(sources, &ranking, &folds, test);
    let varying = Varying::new(sources);
    let others: Vec<String> = ranking
        .metrics
        .iter()
        .map(|metric| metric.name.clone())
        .filter(|name| *name != ranking.by.name)
        .collect();
    let rows = order.into_iter().map(|index| {
        let candidate = &ranking.candidates[index];
        let source = &sources[candidate.sweep];
        let score = |name: &str| {
            let index = source.trials.metrics.iter().position(|held| held.name == name);
            index.map_or(Score::default(), |index| candidate.row.scores[index])
        };
        Row {
            rank: index + 1,
            sweep: source.name.to_owned(),
            trial: candidate.row.trial,
            state: candidate.row.state,
            params: varying.values(source, candidate.row),
            score: score(&ranking.by.name),
            difference: beside[index].difference,
            p_best: beside[index].p_best,
            others: others.iter().map(|name| score(name)).collect(),
        }
    });
    let rows: Vec<Row> = rows.collect();
    Ok(Comparison {
        is_over_sweeps: sources.len() > 1,
        one_se: one_se(sources, &ranking),
        n_scores: best
            .and_then(|best| folds.get(&best.key()))
            .map_or(0, |held| held.scores().len()),
        trials: ranking.candidates.len(),
        n_filtered: ranking.n_filtered,
        by: ranking.by,
        is_train: ranking.is_train,
        varying,
        others,
        rows,
        test,
        pareto: pareto.map(|pair| pair.map(|metric| metric.name)),
    })
}

/// The trial tables of all sweeps.
pub(crate) fn tables(sweeps: &[Sweep]) -> Result<Vec<TrialTable>, ReportError> {
    let tables = sweeps.iter().map(|sweep| sweep.store.trials());
    Ok(tables.collect::<Result<Vec<_>, StoreError>>()?)
}

/// The sweeps with their trials.
pub(crate) fn sources<'a>(sweeps: &'a [Sweep], tables: &'a [TrialTable]) -> Vec<Source<'a>> {
    let pairs = sweeps.iter().zip(tables);
    let sources = pairs.map(|(sweep, trials)| Source {
        name: &sweep.name,
        manifest: sweep.store.manifest(),
        trials,
    });
    sources.collect()
}

fn two(names: &[String], ranking: &Ranking) -> Result<[MetricInfo; 2], ReportError> {
    let [first, second] = names else {
        return Err(ReportError::NotTwoMetrics {
            metrics: names.to_vec(),
        });
    };
    Ok([metric(&ranking.metrics, first)?, metric(&ranking.metrics, second)?])
}

/// Leaves the trials of the front, in its order: from the best in the first metric to the best in the second.
fn keep_front(ranking: &mut Ranking, sources: &[Source], [first, second]: &[MetricInfo; 2]) {
    let scored = ranking.candidates.iter().filter_map(|candidate| {
        let table = sources[candidate.sweep].trials;
        let of =
            |metric: &MetricInfo| score(table, candidate.row, &metric.name, ranking.is_train).filter(|s| s.is_finite());
        let point = (of(first)?, of(second)?);
        (candidate.row.state == TrialState::Complete).then_some((*candidate, point))
    });
    let (candidates, points): (Vec<Candidate>, Vec<(f64, f64)>) = scored.unzip();
    let front = pareto::front(&points, (first.higher_is_better, second.higher_is_better));
    ranking.candidates = front.into_iter().map(|index| candidates[index]).collect();
}

fn sort(order: &mut [usize], ranking: &Ranking, sources: &[Source], text: &str) -> Result<(), ReportError> {
    let (name, is_reversed) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let column = Column::named(name, sources)?;
    let values: Vec<ParamValue> = ranking
        .candidates
        .iter()
        .map(|candidate| column.of(&sources[candidate.sweep], candidate.row))
        .collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&values[a], &values[b]);
        // What has no value comes last either way.
        if is_reversed && !a.is_null() && !b.is_null() {
            columns::order(b, a)
        } else {
            columns::order(a, b)
        }
    });
    Ok(())
}

/// The scores by fold of all trials whose sweep was split like the best one's.
fn fold_scores(
    sources: &[Source],
    ranking: &Ranking,
    best: Candidate,
    runs: impl Fn(usize) -> Result<Vec<RunRow>, StoreError>,
) -> Result<HashMap<(usize, u32), FoldScores>, ReportError> {
    let identity = split_identity(sources[best.sweep].manifest);
    let mut folds = HashMap::new();
    for (index, source) in sources.iter().enumerate() {
        let is_compared = ranking.candidates.iter().any(|candidate| candidate.sweep == index);
        let is_paired = split_identity(source.manifest) == identity;
        if !(is_paired && is_compared) {
            continue;
        }
        for of_trial in runs(index)?.chunk_by(|a, b| a.trial == b.trial) {
            if let Some(scores) = FoldScores::new(of_trial, &ranking.by.name, ranking.is_train) {
                folds.insert((index, of_trial[0].trial), scores);
            }
        }
    }
    Ok(folds)
}

fn beside(sources: &[Source], ranking: &Ranking, folds: &HashMap<(usize, u32), FoldScores>, test: Test) -> Vec<Beside> {
    let mut beside = vec![Beside::default(); ranking.candidates.len()];
    let Some((best, reference)) = ranking
        .candidates
        .first()
        .and_then(|best| Some((best, folds.get(&best.key())?)))
    else {
        return beside;
    };
    let mut paired = Vec::new();
    for (index, candidate) in ranking.candidates.iter().enumerate() {
        let Some(scores) = folds.get(&candidate.key()) else {
            continue;
        };
        if index > 0 {
            beside[index].difference = scores.minus(reference, test);
        }
        if candidate.is_scored() && scores.pairs_with(reference) {
            paired.push((index, scores));
        }
    }
    if paired.len() < 2 || ranking.is_train {
        return beside;
    }
    let scores: Vec<&FoldScores> = paired.iter().map(|(_, scores)| *scores).collect();
    let seed = sources[best.sweep].manifest.seed;
    if let Some(chances) = probability_of_being_best(&scores, ranking.by.higher_is_better, seed) {
        for ((index, _), chance) in paired.iter().zip(chances) {
            beside[*index].p_best = Some(chance);
        }
    }
    beside
}

fn one_se(sources: &[Source], ranking: &Ranking) -> Vec<OneSe> {
    let mut found = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let is_own = |row: &TrialRow| {
            ranking
                .candidates
                .iter()
                .find(|held| held.sweep == index)
                .map(|held| held.row.trial)
                == Some(row.trial)
        };
        // The rule goes by ranks, which are those of the sweep's own metric.
        if source.manifest.select != ranking.by.name || ranking.n_filtered > 0 {
            continue;
        }
        if let Some(row) = one_standard_error(source.trials, &ranking.by.name) {
            found.push(OneSe {
                sweep: source.name.to_owned(),
                trial: row.trial,
                params: in_words(&source.trials.params, &row.params),
                is_best: is_own(row),
            });
        }
    }
    found
}
