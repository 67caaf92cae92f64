//! Everything the tables hold of the trials, as one JSON object.

use super::results::{Results, Rows};
use crate::json::Json;

/// The object, indented.
pub(super) fn text(results: &Results) -> String {
    let manifest = &results.manifest;
    let by_trial = results.by_trial();
    let metrics = results.table.metrics.iter().map(|metric| {
        Json::object([
            ("name", metric.name.as_str().into()),
            ("higher_is_better", metric.higher_is_better.into()),
        ])
    });
    let splits = results
        .splits
        .iter()
        .map(|&(repeat, fold)| Json::object([("repeat", repeat.into()), ("fold", fold.into())]));
    let trials = results.table.rows.iter().map(|row| {
        let runs = by_trial.get(&row.trial).copied().unwrap_or(&[]);
        let params = results.params(row);
        let params = params.map(|(path, value)| (path.to_owned(), value.clone().into()));
        let scores = results.table.metrics.iter().zip(&row.scores).map(|(metric, score)| {
            let by_split = |rows| -> Json {
                let scores = results.scores(runs, &metric.name, rows);
                scores.into_iter().map(Json::from).collect::<Vec<_>>().into()
            };
            let score = Json::object([
                ("mean_val", score.mean_val.into()),
                ("std_val", score.std_val.into()),
                ("se_val", score.se_val.into()),
                ("mean_train", score.mean_train.into()),
                ("val", by_split(Rows::Val)),
                ("train", by_split(Rows::Train)),
            ]);
            (metric.name.clone(), score)
        });
        Json::object([
            ("trial", row.trial.into()),
            ("state", row.state.name().into()),
            ("rank", row.rank.into()),
            ("selected", row.is_selected.into()),
            ("rung", row.rung.into()),
            ("n_runs", row.n_runs.into()),
            ("n_failed", row.n_failed.into()),
            ("params", Json::Object(params.collect())),
            ("scores", Json::Object(scores.collect())),
        ])
    });
    let keys = manifest
        .keys
        .iter()
        .map(|(key, value)| (key.clone(), Json::Raw(value.clone())));
    Json::object([
        ("name", manifest.name.as_str().into()),
        ("created", manifest.created.as_str().into()),
        ("version", manifest.version.as_str().into()),
        ("select", manifest.select.as_str().into()),
        ("metrics", Json::List(metrics.collect())),
        ("fingerprint", manifest.fingerprint.as_str().into()),
        ("data", Json::Raw(manifest.data.clone())),
        ("keys", Json::Object(keys.collect())),
        ("splits", Json::List(splits.collect())),
        ("trials", Json::List(trials.collect())),
    ])
    .render()
}
