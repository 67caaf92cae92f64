//! What the template says in words and tables: the answer, and for each sweep its data, cost, failures and config.

use gradsweep_store::{Manifest, Model, RunRow, TrialRow, TrialTable, best_model, check_own_model};
use serde_json::{Value, json};

use super::outcome;
use crate::compare::{Comparison, Row, Test as FoldTest};
use crate::list::day_and_minute;
use crate::number;
use crate::params::{Source, in_words};
use crate::summary::{RunCounts, data_line, headline, is_validated};
use crate::sweeps::Sweep;

/// Most columns of a data profile.
const MOST_COLUMNS: usize = 200;
/// Most levels of a column that are named.
const MOST_LEVELS: usize = 6;

/// The chosen trial's score on rows that had no part in choosing it.
pub(super) struct Test {
    scores: Vec<(String, f64)>,
    rows: Option<u64>,
}

impl Test {
    /// Of the model in a store, if it is of this trial and was tested.
    pub(super) fn read(sweep: &Sweep, trial: u32) -> Option<Self> {
        let folder = best_model(sweep.store.dir());
        let model = check_own_model(&folder).and_then(|()| Model::read(&folder)).ok()?;
        let scores = model.info.metrics.test.filter(|_| model.info.trial == trial)?;
        let scores = scores.into_iter().filter_map(|(name, score)| Some((name, score?)));
        Some(Self {
            scores: scores.collect(),
            rows: model.info.metrics.test_rows,
        })
    }

    pub(super) fn score(&self, metric: &str) -> Option<f64> {
        self.scores
            .iter()
            .find(|(name, _)| name == metric)
            .map(|(_, score)| *score)
    }
}

/// The chosen trial of the page: whose it is, and what is known of it.
pub(super) struct Chosen<'a> {
    pub(super) source: Source<'a>,
    pub(super) row: &'a TrialRow,
    pub(super) test: Option<Test>,
}

/// The first screen: a sentence, figures, and how sure the choice is.
pub(super) fn answer(comparison: &Comparison, chosen: &Chosen, trials: usize) -> Value {
    let by = &comparison.by.name;
    let index = chosen
        .source
        .trials
        .metrics
        .iter()
        .position(|metric| metric.name == *by);
    let score = index.map(|index| chosen.row.scores[index]).unwrap_or_default();
    let (mean, se) = headline(&score, comparison.is_train);
    let params = in_words(&chosen.source.trials.params, &chosen.row.params);
    let test = chosen.test.as_ref().and_then(|test| test.score(by));
    let text = |value: Option<f64>| value.map(number::score);
    let mut figures = vec![json!({
        "name": if comparison.is_train { "training" } else { "validation" },
        "value": text(mean),
        "error": se.map(number::error),
        "note": if comparison.is_train {
            "nothing was held out".to_owned()
        } else if trials > 1 {
            format!("optimistic: the best of {} trials", number::count(trials as u64))
        } else {
            format!("mean over {}", number::counted(comparison.n_scores as u64, "fold"))
        },
    })];
    figures.push(match (test, &chosen.test) {
        (Some(score), Some(held)) => json!({
            "name": "test",
            "value": number::score(score),
            "note": held.rows.map_or_else(String::new, |rows| format!("{} that chose nothing", number::counted(rows, "row"))),
        }),
        _ => json!({"name": "test", "value": number::NONE, "note": "no test rows: name some under [data] test"}),
    });
    if !comparison.is_train {
        figures.push(json!({
            "name": "training",
            "value": text(score.mean_train),
            "note": score.mean_train.zip(mean).map(|(train, val)| format!("gap {:+.4}", val - train).replace('-', "−")),
        }));
    }
    if let Some(rate) = guess(chosen.source.manifest, by) {
        figures.push(
            json!({"name": "guessing", "value": number::score(rate), "note": "the rate of the classes, for every row"}),
        );
    }
    json!({
        "trial": chosen.row.trial,
        "sweep": chosen.source.name,
        "params": params,
        "metric": by,
        "direction": if comparison.by.higher_is_better { "higher is better" } else { "lower is better" },
        "figures": figures,
        "sure": sure(comparison),
    })
}

/// The log loss of the class rate.
fn guess(manifest: &Manifest, metric: &str) -> Option<f64> {
    let target = manifest.data.get("target")?;
    let count = |key: &str| target.get(key).and_then(Value::as_f64);
    let rate = count("positives")? / count("rows")?;
    (metric == "log_loss" && rate > 0.0 && rate < 1.0).then(|| -(rate * rate.ln() + (1.0 - rate) * (1.0 - rate).ln()))
}

/// Sentences about how sure the choice is.
fn sure(comparison: &Comparison) -> Vec<String> {
    let mut sentences = Vec::new();
    let Some(best) = comparison.rows.first() else {
        return sentences;
    };
    if let Some(second) = comparison.rows.get(1).filter(|second| second.difference.is_some()) {
        sentences.push(second_best(second, comparison));
    }
    if let Some(chance) = best.p_best {
        let ties = comparison
            .rows
            .iter()
            .filter(|row| row.p_best.is_some_and(|chance| chance >= 0.05))
            .count();
        let others = match ties {
            0 | 1 => "No other has a chance of 5 % or more.".to_owned(),
            2 => "One other has a chance of 5 % or more.".to_owned(),
            more => format!("{} others have chances of 5 % or more.", more - 1),
        };
        sentences.push(format!(
            "It is the best in {:.0} % of resamples of the {} fold scores. {others}",
            100.0 * chance,
            comparison.n_scores
        ));
    }
    for taken in comparison.one_se.iter().filter(|taken| !taken.is_best) {
        sentences.push(format!(
            "Within one standard error, trial {}{} ({}) is the simplest: the 1se rule takes it.",
            taken.trial,
            of_sweep(comparison, &taken.sweep),
            taken.params
        ));
    }
    sentences
}

/// Whose trial it is, where there is more than one sweep.
fn of_sweep(comparison: &Comparison, sweep: &str) -> String {
    if comparison.is_over_sweeps {
        format!(" of {sweep}")
    } else {
        String::new()
    }
}

fn second_best(second: &Row, comparison: &Comparison) -> String {
    let difference = second.difference.map_or_else(String::new, |held| {
        let decimals = number::difference_decimals(held.se.into_iter());
        number::difference(held.mean, held.se, decimals)
    });
    let p = second.difference.and_then(|held| held.p);
    let p = match (p, &comparison.test) {
        (Some(p), _) => format!(", p = {}", number::p_value(p)),
        (None, FoldTest::NotValid(_)) => format!("; the corrected t-test is {}", comparison.test_in_words()),
        (None, FoldTest::Valid) => String::new(),
    };
    let of = of_sweep(comparison, &second.sweep);
    format!(
        "The next, trial {}{of}, is {difference} away (paired over folds{p}).",
        second.trial
    )
}

/// The first rows of the leaderboard, for readers without JavaScript.
pub(super) fn leaders(comparison: &Comparison, shown: usize) -> Value {
    let rows = comparison.rows.iter().take(shown).map(|row| {
        let (mean, se) = headline(&row.score, comparison.is_train);
        let others = row.others.iter().map(|score| headline(score, comparison.is_train).0);
        json!({
            "rank": row.rank,
            "sweep": row.sweep,
            "trial": row.trial,
            "state": row.state.name(),
            "params": row.params.iter().map(number::param).collect::<Vec<String>>(),
            "score": number::score_with_error(mean, se),
            "p_best": row.p_best.map(|chance| format!("{chance:.2}")),
            "others": others.map(|mean| mean.map_or(number::NONE.to_owned(), number::side_score)).collect::<Vec<String>>(),
        })
    });
    json!({
        "params": comparison.varying.headers,
        "metric": comparison.by.name,
        "others": comparison.others,
        "is_over_sweeps": comparison.is_over_sweeps,
        "rows": rows.collect::<Vec<Value>>(),
        "more": number::count((comparison.trials - comparison.rows.len().min(shown)) as u64),
        "has_more": comparison.trials > shown,
        "trials": number::count(comparison.trials as u64),
    })
}

/// A sweep's evidence: data, runs, failures, cost, config.
pub(super) fn sweep(sweep: &Sweep, source: &Source, runs: &[RunRow]) -> Value {
    let manifest = source.manifest;
    let counts = RunCounts::new(runs);
    let cost = &manifest.cost;
    let seconds = |value: Option<f64>| value.map(number::seconds);
    let range = |[least, most]: [f64; 2]| format!("{} to {}", number::seconds(least), number::seconds(most));
    let planned = seconds(cost.planned_seconds).or(cost.planned_seconds_range.map(range));
    let config = sweep.store.config_text().unwrap_or_default();
    let resolved = sweep.store.resolved_text().unwrap_or_default();
    json!({
        "name": sweep.name,
        "dir": sweep.store.dir().display().to_string(),
        "created": day_and_minute(&manifest.created),
        "data": data_line(manifest),
        "files": manifest.data.get("files"),
        "fingerprint": manifest.fingerprint.chars().take(16).collect::<String>(),
        "profile": profile(manifest),
        "skipped": manifest.data.get("skipped"),
        "warnings": manifest.data.get("warnings"),
        "trials": number::counted(source.trials.rows.len() as u64, "trial"),
        "runs": number::counted(runs.len() as u64, "run"),
        "states": counts.in_words(),
        "unconverged": (counts.unconverged > 0).then(|| number::counted(counts.unconverged, "run")),
        "goes_on": matches!(manifest.keys.get("train.solver").and_then(Value::as_str), Some("auto" | "lbfgs" | "newton")),
        "failures": outcome::failures(runs),
        "select": manifest.select,
        "rungs": rungs(manifest, source.trials),
        "cost": cost_lines(&[
            ("load", None, seconds(cost.load_seconds)),
            ("train", planned, seconds(cost.train_seconds)),
            ("in all, to the tables", None, seconds(cost.total_seconds)),
            ("column epochs", most_epochs(manifest, runs.len()), cost.column_epochs.map(number::count)),
            ("peak memory", None, cost.peak_memory_bytes.map(number::bytes)),
        ]),
        "facts": [
            ["gradsweep", manifest.version],
            ["store format", manifest.format.to_string()],
            ["BLAS kernels", manifest.blas_core],
            ["precision", manifest.precision],
            ["threads", manifest.threads.to_string()],
            ["seed", manifest.seed.to_string()],
            ["plan", manifest.plan_hash.chars().take(16).collect::<String>()],
        ],
        "is_validated": is_validated(source.trials, &manifest.select),
        "config": crate::sanitize::lines(&config),
        "resolved": crate::sanitize::lines(&resolved),
    })
}

/// What was planned beside what it took: only what is known, and no column of plans where nothing was planned.
fn cost_lines(lines: &[(&str, Option<String>, Option<String>); 5]) -> Value {
    let known = lines
        .iter()
        .filter(|(_, planned, actual)| planned.is_some() || actual.is_some());
    let rows = known.map(|(name, planned, actual)| json!({"name": name, "planned": planned, "actual": actual}));
    json!({
        "has_planned": lines.iter().any(|(_, planned, _)| planned.is_some()),
        "rows": rows.collect::<Vec<Value>>(),
    })
}

/// The rungs of a sweep that prunes, each with the share of the trials that reached it.
fn rungs(manifest: &Manifest, trials: &TrialTable) -> Value {
    let rungs = crate::show::rungs(manifest, trials).unwrap_or_default();
    let lines = rungs.iter().map(|rung| {
        let trials = trials.rows.len().max(1);
        json!({
            "rung": rung.number,
            "epochs": number::count(u64::from(rung.epochs)),
            "reached": number::count(rung.reached as u64),
            "share": format!("{:.1}", 100.0 * rung.reached as f64 / trials as f64),
            "pruned": number::count(rung.pruned as u64),
            "failed": number::count(rung.failed as u64),
            "best": rung.best_pruned.map(number::score),
        })
    });
    lines.collect()
}

/// The most epochs that the plan allows.
fn most_epochs(manifest: &Manifest, runs: usize) -> Option<String> {
    let epochs = manifest.keys.get("train.epochs").and_then(Value::as_u64)?;
    Some(format!("at most {}", number::count(epochs * runs as u64)))
}

/// The columns of the data, as far as the manifest has them.
fn profile(manifest: &Manifest) -> Value {
    let rows = manifest.data.get("rows").and_then(Value::as_f64).unwrap_or(f64::NAN);
    let columns = manifest.data.get("profile").and_then(Value::as_array);
    let columns = columns.map_or(&[][..], Vec::as_slice);
    let line = |column: &Value| {
        let figure = |key: &str| {
            column
                .get(key)
                .and_then(Value::as_f64)
                .map(|value| number::significant(value, 4))
        };
        let nulls = column.get("nulls").and_then(Value::as_f64).filter(|nulls| *nulls > 0.0);
        json!({
            "name": column.get("name"),
            "kind": column.get("kind"),
            "width": column.get("width"),
            "missing": nulls.map(|nulls| number::percent(nulls / rows)),
            "mean": figure("mean"),
            "std": figure("std"),
            "levels": levels(column.get("levels")),
        })
    };
    json!({
        "columns": columns.iter().take(MOST_COLUMNS).map(line).collect::<Vec<Value>>(),
        "more": columns.len().saturating_sub(MOST_COLUMNS),
    })
}

/// The first levels of a column, whatever form the manifest keeps them in.
fn levels(value: Option<&Value>) -> Option<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (all, names) = match value? {
        Value::Number(count) => return (count.as_u64() != Some(0)).then(|| count.to_string()),
        Value::Array(levels) => {
            let named = levels.iter().map(|level| {
                level
                    .get("level")
                    .or_else(|| level.get(0))
                    .map_or_else(|| text(level), text)
            });
            (levels.len(), named.take(MOST_LEVELS).collect::<Vec<String>>())
        }
        _ => return None,
    };
    let more = if all > names.len() { ", …" } else { "" };
    (all > 0).then(|| format!("{}{more}", names.join(", ")))
}
