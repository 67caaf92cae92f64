//! How much of the differences between trials each hyperparameter explains.

use std::num::NonZeroUsize;

use fanova::{FanovaOptions, RandomForestOptions};
use gradsweep_store::ParamValue;

use super::comparison::{sources, tables};
use super::query::Query;
use super::rank::{Candidate, rank};
use crate::columns;
use crate::error::ReportError;
use crate::number;
use crate::params::{Source, Varying};
use crate::sheet::Sheet;
use crate::sweeps::Sweep;
use crate::table::{Grid, Side, float};

/// Trees of the forest.
const TREES: usize = 64;
/// Most trials the forest is grown on where that is all that was asked for; the time it takes grows with the square.
const MOST_TRIALS: usize = 500;
/// Fewest trials that say anything.
const FEWEST_TRIALS: usize = 4;
/// Most parameters whose pairs are looked at.
const MOST_FOR_PAIRS: usize = 8;
/// A positive parameter whose values span more than this factor is taken by its logarithm.
const WIDE: f64 = 50.0;

/// The share of the variance of scores that one parameter explains, or a pair beyond what both explain alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Importance {
    /// Positions among the varying parameters: one or two.
    pub(crate) params: Vec<usize>,
    pub(crate) share: f64,
    /// Over the trees of the forest.
    pub(crate) std: f64,
}

/// The importance of each varying hyperparameter for the ranking metric, greatest first, with the pairs that matter.
///
/// A functional analysis of variance (fANOVA) over a random forest that predicts the mean score from the hyperparameters: the forest's
/// prediction is averaged over all other parameters, and what still varies is the share of the one. It is about the whole range swept,
/// not about the neighborhood of the best.
///
/// # Source
/// Hutter, Hoos and Leyton-Brown 2014, An Efficient Approach for Assessing Hyperparameter Importance; forest and decomposition are those of
/// the crate `fanova`.
pub fn importance(sweeps: &[Sweep], query: &Query) -> Result<Sheet, ReportError> {
    let tables = tables(sweeps)?;
    let sources = sources(sweeps, &tables);
    let ranking = rank(&sources, query)?;
    let varying = Varying::new(&sources);
    let found = of(
        &sources,
        &varying,
        &ranking.candidates,
        sweeps[0].store.manifest().seed,
        MOST_TRIALS,
    )?;
    let mut people = Grid::new();
    people.column("parameter", Side::Left);
    people.column(format!("share of the variance of {}", ranking.by.name), Side::Right);
    people.column("", Side::Left);
    let mut programs = Grid::new();
    for name in ["parameter", "with", "share", "std"] {
        programs.column(name, Side::Left);
    }
    for held in &found {
        let names: Vec<&str> = held
            .params
            .iter()
            .map(|index| varying.headers[*index].as_str())
            .collect();
        let bar = "█".repeat((20.0 * held.share).round() as usize);
        people.texts(vec![
            names.join(" with "),
            format!("{:.3} ± {:.3}", held.share, held.std),
            bar,
        ]);
        let path = |place: usize| {
            held.params
                .get(place)
                .map(|index| format!("param.{}", varying.paths[*index]))
        };
        programs.row(vec![
            ParamValue::Text(path(0).unwrap_or_default()),
            path(1).map_or(ParamValue::Null, ParamValue::Text),
            float(Some(held.share)),
            float(Some(held.std)),
        ]);
    }
    let scored = ranking
        .candidates
        .iter()
        .filter(|candidate| candidate.is_scored())
        .count();
    Ok(Sheet {
        people,
        programs,
        notes: vec![format!(
            "fANOVA over a random forest of {TREES} trees on {}; ± over the trees; \"with\" is what two explain together and not alone",
            number::counted(scored.min(MOST_TRIALS) as u64, "trial")
        )],
        facts: vec![
            ("by".to_owned(), ranking.by.name.as_str().into()),
            ("method".to_owned(), "fanova".into()),
        ],
    })
}

/// Of candidates in the order of the ranking; of more than `most`, of an even choice over it.
pub(crate) fn of(
    sources: &[Source],
    varying: &Varying,
    candidates: &[Candidate],
    seed: u64,
    most: usize,
) -> Result<Vec<Importance>, ReportError> {
    let scored: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.is_scored()).collect();
    let n = scored.len().min(most);
    if n < FEWEST_TRIALS || varying.paths.is_empty() {
        return Err(ReportError::TooLittle {
            what: "the importance of parameters",
            needed: "a parameter that varies over four complete trials or more",
        });
    }
    let chosen: Vec<&Candidate> = (0..n)
        .map(|index| scored[index * (scored.len() - 1) / (n - 1)])
        .collect();
    let target: Vec<f64> = chosen.iter().filter_map(|candidate| candidate.score).collect();
    let features: Vec<Vec<f64>> = varying
        .paths
        .iter()
        .map(|path| {
            let value =
                |candidate: &&Candidate| crate::params::value_of(path, &sources[candidate.sweep], candidate.row);
            encode(&chosen.iter().map(value).collect::<Vec<ParamValue>>())
        })
        .collect();
    if target.iter().all(|score| *score == target[0]) {
        return Ok(Vec::new());
    }
    let trees = NonZeroUsize::new(TREES).unwrap_or(NonZeroUsize::MIN);
    let all = NonZeroUsize::new(features.len()).unwrap_or(NonZeroUsize::MIN);
    let forest = RandomForestOptions::new().seed(seed).trees(trees).max_features(all);
    let columns = features.iter().map(Vec::as_slice).collect();
    let fitted = FanovaOptions::new()
        .random_forest(forest)
        .parallel()
        .fit(columns, &target);
    let Ok(mut fitted) = fitted else {
        return Ok(Vec::new());
    };
    let mut sets: Vec<Vec<usize>> = (0..features.len()).map(|index| vec![index]).collect();
    if features.len() <= MOST_FOR_PAIRS {
        let pairs = (0..features.len()).flat_map(|a| (a + 1..features.len()).map(move |b| vec![a, b]));
        sets.extend(pairs);
    }
    let mut found: Vec<Importance> = sets
        .into_iter()
        .filter_map(|params| {
            let quantified = fitted.quantify_importance(&params);
            quantified.mean.is_finite().then_some(Importance {
                share: quantified.mean.max(0.0),
                std: quantified.stddev,
                params,
            })
        })
        .collect();
    // A pair that explains next to nothing is not worth a line.
    found.retain(|held| held.params.len() == 1 || held.share >= 0.005);
    found.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.params.cmp(&b.params)));
    Ok(found)
}

/// Values as the forest takes them: numbers (by their logarithm where they span much), texts by their place in the order of texts.
/// What has no value comes below all others, an infinity one step above.
fn encode(values: &[ParamValue]) -> Vec<f64> {
    let mut distinct: Vec<&ParamValue> = values.iter().collect();
    distinct.sort_by(|a, b| columns::order(a, b));
    distinct.dedup();
    let numbers: Vec<f64> = distinct
        .iter()
        .filter_map(|value| value.as_f64())
        .filter(|value| value.is_finite())
        .collect();
    let is_number = distinct.iter().all(|value| value.as_f64().is_some() || value.is_null()) && !numbers.is_empty();
    if !is_number {
        let place = |value: &ParamValue| distinct.iter().position(|other| *other == value).unwrap_or(0) as f64;
        return values.iter().map(place).collect();
    }
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_log = low > 0.0 && high / low > WIDE;
    let scale = |value: f64| if is_log { value.log10() } else { value };
    let step = ((scale(high) - scale(low)) / (numbers.len().max(2) - 1) as f64).max(f64::MIN_POSITIVE);
    values
        .iter()
        .map(|value| match value.as_f64() {
            Some(number) if number.is_finite() => scale(number),
            Some(number) if number > 0.0 => scale(high) + step,
            None | Some(_) => scale(low) - step,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_by_size_by_logarithm_or_by_place() {
        let floats = |values: &[f64]| values.iter().map(|value| ParamValue::Float(*value)).collect::<Vec<_>>();
        assert_eq!(encode(&floats(&[0.1, 0.2, 0.9])), [0.1, 0.2, 0.9]);
        let wide = encode(&floats(&[0.001, 1.0, 1000.0, f64::INFINITY]));
        for (found, wanted) in wide.iter().zip([-3.0, 0.0, 3.0, 6.0]) {
            assert!((found - wanted).abs() < 1e-12, "{wide:?}");
        }
        let texts = ["sgd", "adam", "sgd"].map(|text| ParamValue::Text(text.to_owned()));
        assert_eq!(encode(&texts), [1.0, 0.0, 1.0]);
        assert_eq!(
            encode(&[ParamValue::Int(2), ParamValue::Null, ParamValue::Int(4)]),
            [2.0, 0.0, 4.0]
        );
    }
}
