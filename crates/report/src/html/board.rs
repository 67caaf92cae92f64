//! Every trial of the page, in columns: what the charts and the leaderboard are made of.

use gradsweep_store::{ParamValue, TrialState};
use serde_json::{Map, Value, json};

use super::figures;
use crate::columns;
use crate::compare::{Candidate, Ranking};
use crate::params::{Source, Varying};
use crate::summary::headline;

/// A numeric parameter whose positive values span more than this factor has a logarithmic axis.
const WIDE: f64 = 50.0;

/// The trials in the order of the ranking.
pub(super) fn trials(sources: &[Source], ranking: &Ranking, varying: &Varying) -> Value {
    let all = &ranking.candidates;
    let of = |get: &dyn Fn(&Candidate) -> Value| Value::Array(all.iter().map(get).collect());
    let mut scores = Map::new();
    for metric in &ranking.metrics {
        let score = |candidate: &Candidate| {
            let table = sources[candidate.sweep].trials;
            let index = table.metrics.iter().position(|held| held.name == metric.name);
            index.map(|index| candidate.row.scores[index]).unwrap_or_default()
        };
        let mean = of(&|candidate| figures::score(headline(&score(candidate), ranking.is_train).0));
        let se = of(&|candidate| score(candidate).se_val.map_or(Value::Null, |se| figures::short(se, 3)));
        let train = of(&|candidate| figures::score(score(candidate).mean_train));
        let mut column = json!({"higher": metric.higher_is_better, "mean": mean, "train": train});
        if all.iter().any(|candidate| score(candidate).se_val.is_some()) {
            column["se"] = se;
        }
        scores.insert(metric.name.clone(), column);
    }
    let states: Vec<&str> = TrialState::ALL.iter().map(|state| state.name()).collect();
    let state = |candidate: &Candidate| {
        TrialState::ALL
            .iter()
            .position(|state| *state == candidate.row.state)
            .into()
    };
    json!({
        "sweep": of(&|candidate| candidate.sweep.into()),
        "trial": of(&|candidate| candidate.row.trial.into()),
        "states": states,
        "state": of(&state),
        "failed": of(&|candidate| candidate.row.n_failed.into()),
        "runs": of(&|candidate| candidate.row.n_runs.into()),
        "rung": of(&|candidate| candidate.row.rung.into()),
        "scores": scores,
        "params": params(sources, all, varying),
    })
}

/// The varying parameters with their values by trial, and how an axis shows them.
fn params(sources: &[Source], all: &[Candidate], varying: &Varying) -> Value {
    let params = varying.paths.iter().zip(&varying.headers).map(|(path, header)| {
        let values: Vec<ParamValue> = all
            .iter()
            .map(|candidate| crate::params::value_of(path, &sources[candidate.sweep], candidate.row))
            .collect();
        let mut distinct: Vec<&ParamValue> = values.iter().filter(|value| !value.is_null()).collect();
        distinct.sort_by(|a, b| columns::order(a, b));
        distinct.dedup();
        let is_number = distinct.iter().all(|value| value.as_f64().is_some());
        let finite = distinct
            .iter()
            .filter_map(|value| value.as_f64())
            .filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let kind = match () {
            () if !is_number => "text",
            () if low > 0.0 && high / low > WIDE => "log",
            () => "linear",
        };
        let texts: Vec<Value> = distinct.iter().map(|value| figures::param(value)).collect();
        json!({
            "path": path,
            "name": header,
            "kind": kind,
            "distinct": if is_number && distinct.len() > 200 { Vec::new() } else { texts },
            "values": values.iter().map(figures::param).collect::<Vec<Value>>(),
        })
    });
    Value::Array(params.collect())
}
