//! One sweep: its data, its runs, its choice, its files.

use gradsweep_store::{ParamValue, RunRow, Store, TrialTable};

use super::rungs;
use crate::error::ReportError;
use crate::json::Json;
use crate::list::day_and_minute;
use crate::number;
use crate::page::{Block, Page};
use crate::params::{Source, Varying, in_words};
use crate::summary::{RunCounts, data_line, headline, is_validated, scores_in_words, trial_states};
use crate::table::{Grid, Side, float, whole};

pub(crate) fn page(store: &Store, trials: &TrialTable, runs: &[RunRow]) -> Result<Page, ReportError> {
    let manifest = store.manifest();
    let counts = RunCounts::new(runs);
    let files = store.files()?;
    let dir = store.dir().display().to_string();
    let mut facts = Vec::new();
    facts.push((
        "created",
        format!(
            "{} by gradsweep {}",
            day_and_minute(&manifest.created),
            manifest.version
        ),
    ));
    if let Some(line) = data_line(manifest) {
        facts.push(("data", line));
    }
    let varying = Varying::new(&[Source {
        name: &manifest.name,
        manifest,
        trials,
    }]);
    let n_trials = number::counted(trials.rows.len() as u64, "trial");
    let mut states = trial_states(trials);
    if !varying.headers.is_empty() {
        states = format!("{states}; they differ in {}", varying.headers.join(", "));
    }
    facts.push(("trials", format!("{n_trials}: {states}")));
    let n_runs = number::counted(runs.len() as u64, "run");
    facts.push(("runs", format!("{n_runs}: {}", counts.in_words())));
    if let Some(best) = trials.selected() {
        let values = varying.values(
            &Source {
                name: &manifest.name,
                manifest,
                trials,
            },
            best,
        );
        let params = in_words(&varying.paths, &values);
        let comma = if params.is_empty() { "" } else { ", " };
        let scores = scores_in_words(manifest, trials, best);
        facts.push(("best", format!("trial {}{comma}{params}: {scores}", best.trial)));
    }
    if let Some(spent) = manifest.cost.train_seconds {
        facts.push(("training", number::seconds(spent)));
    }
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    facts.push(("files", format!("{}: {}", number::bytes(total), names.join(", "))));
    facts.push(("next", format!("gradsweep compare {dir}")));
    if trials.selected().is_some() {
        facts.push(("", format!("gradsweep show {dir} best")));
    }
    let rungs = rungs::table(manifest, trials).map(|grid| Block::Table("rungs".to_owned(), grid));
    Ok(Page {
        title: format!("{}   {dir}", manifest.name),
        blocks: [Block::Facts(facts)].into_iter().chain(rungs).collect(),
        json: json(store, trials, runs, counts, &files),
        csv: csv(store, trials, runs, counts),
    })
}

fn json(store: &Store, trials: &TrialTable, runs: &[RunRow], counts: RunCounts, files: &[(String, u64)]) -> Json {
    let manifest = store.manifest();
    let best = trials.selected().map(|row| {
        let params = trials.params.iter().cloned().zip(row.params.iter().cloned());
        let params = params.map(|(path, value)| (path, Json::Value(value)));
        let scores = trials.metrics.iter().zip(&row.scores).map(|(metric, score)| {
            let figures = Json::object([
                ("mean_val", score.mean_val.into()),
                ("std_val", score.std_val.into()),
                ("se_val", score.se_val.into()),
                ("mean_train", score.mean_train.into()),
            ]);
            (metric.name.clone(), figures)
        });
        Json::object([
            ("trial", row.trial.into()),
            ("params", Json::Object(params.collect())),
            ("scores", Json::Object(scores.collect())),
        ])
    });
    let files = files
        .iter()
        .map(|(name, bytes)| Json::object([("name", name.as_str().into()), ("bytes", (*bytes).into())]));
    Json::object([
        ("store", store.dir().display().to_string().as_str().into()),
        ("name", manifest.name.as_str().into()),
        ("created", manifest.created.as_str().into()),
        ("version", manifest.version.as_str().into()),
        ("seed", manifest.seed.into()),
        ("precision", manifest.precision.as_str().into()),
        ("metric", manifest.select.as_str().into()),
        ("data", Json::Raw(manifest.data.clone())),
        ("trials", trials.rows.len().into()),
        ("runs", runs.len().into()),
        ("complete", counts.complete.into()),
        ("pruned", counts.pruned.into()),
        ("failed", counts.failed.into()),
        ("waiting", counts.waiting.into()),
        ("unconverged", counts.unconverged.into()),
        ("best", best.into()),
        ("files", files.collect::<Vec<_>>().into()),
    ])
}

/// The sweep's figures in one row.
fn csv(store: &Store, trials: &TrialTable, runs: &[RunRow], counts: RunCounts) -> Grid {
    let manifest = store.manifest();
    let is_train = !is_validated(trials, &manifest.select);
    let index = trials.metrics.iter().position(|held| held.name == manifest.select);
    let best = trials.selected();
    let score = best.and_then(|row| Some(headline(&row.scores[index?], is_train)));
    let (mean, se) = score.unwrap_or((None, None));
    let text = |text: &str| ParamValue::Text(text.to_owned());
    let cells = [
        ("store", text(&store.dir().display().to_string())),
        ("name", text(&manifest.name)),
        ("created", text(&manifest.created)),
        ("trials", whole(trials.rows.len())),
        ("runs", whole(runs.len())),
        ("complete", whole(counts.complete)),
        ("pruned", whole(counts.pruned)),
        ("failed", whole(counts.failed)),
        ("waiting", whole(counts.waiting)),
        ("unconverged", whole(counts.unconverged)),
        ("metric", text(&manifest.select)),
        ("on", text(if is_train { "train" } else { "val" })),
        ("best_trial", best.map_or(ParamValue::Null, |row| whole(row.trial))),
        ("best_mean", float(mean)),
        ("best_se", float(se)),
    ];
    let mut grid = Grid::new();
    let mut row = Vec::new();
    for (name, cell) in cells {
        grid.column(name, Side::Left);
        row.push(cell);
    }
    grid.row(row);
    grid
}
