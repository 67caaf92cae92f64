//! The page, put together.

use std::path::Path;

use base64::Engine;
use gradsweep_store::{RunRow, StoreError, TrialTable, write_file};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value as Text};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::context::{self, Chosen, Test};
use super::{Live, board, details, figures, quality, svg};
use crate::compare::{Comparison, Importance, Query, Ranking, compare_tables, importance_of, rank, sources};
use crate::error::ReportError;
use crate::params::{Source, Varying};
use crate::show::rungs;
use crate::sweeps::Sweep;

const TEMPLATE: &str = include_str!("../../templates/report.html");
const STYLE: &str = include_str!("../../assets/page.css");
const ECHARTS: &str = include_str!("../../assets/echarts.min.js");
/// The page's own script, in the order it needs.
const SCRIPT: [&str; 8] = [
    include_str!("../../assets/data.js"),
    include_str!("../../assets/theme.js"),
    include_str!("../../assets/board.js"),
    include_str!("../../assets/params.js"),
    include_str!("../../assets/map.js"),
    include_str!("../../assets/model.js"),
    include_str!("../../assets/detail.js"),
    include_str!("../../assets/page.js"),
];
/// Trials that the importance of parameters is taken from: a page must not take seconds.
const MOST_FOR_IMPORTANCE: usize = 200;
/// Rows of the leaderboard for readers without JavaScript.
const LEADERS: usize = 20;

/// Writes the page of these sweeps to a file.
pub fn write_html(sweeps: &[Sweep], live: Option<&Live>, path: &Path) -> Result<(), ReportError> {
    Ok(write_file(path, html(sweeps, live)?.as_bytes())?)
}

/// The page of these sweeps: one if it is one, a comparison if there are several. `live` is what is known of the first one while it runs.
pub fn html(sweeps: &[Sweep], live: Option<&Live>) -> Result<String, ReportError> {
    let first = sweeps.first().ok_or(ReportError::NoSweeps)?;
    let mut tables = sweeps
        .iter()
        .map(|sweep| sweep.store.trials())
        .collect::<Result<Vec<TrialTable>, StoreError>>()?;
    if let Some(live) = live {
        live.fill(&mut tables[0], &first.store.manifest().select);
    }
    let runs = sweeps
        .iter()
        .map(|sweep| sweep.store.runs())
        .collect::<Result<Vec<Vec<RunRow>>, StoreError>>()?;
    let sources = sources(sweeps, &tables);
    let query = Query::default();
    let ranking = rank(&sources, &query)?;
    let comparison = compare_tables(&sources, &query, |index| Ok(runs[index].clone()))?;
    let varying = Varying::new(&sources);
    let chosen = chosen(sweeps, &sources, &ranking);
    let importance = match importance_of(
        &sources,
        &varying,
        &ranking.candidates,
        first.store.manifest().seed,
        MOST_FOR_IMPORTANCE,
    ) {
        Ok(found) => found,
        // Too few trials: the page has no such figure.
        Err(ReportError::TooLittle { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let chosen_at = chosen.as_ref().and_then(|chosen| position(&ranking, &sources, chosen));
    let (mut detailed, path) = details::detailed(&sources, &ranking, varying.paths.len(), &runs);
    // A choice by the rule of one standard error may lie far down.
    detailed.extend(chosen_at.filter(|at| !detailed.contains(at)));
    let details = details::details(sweeps, &ranking, &detailed, &path, &runs)?;
    let quality = match &chosen {
        Some(chosen) => {
            let sweep = sweeps
                .iter()
                .find(|sweep| sweep.name == chosen.source.name)
                .unwrap_or(first);
            sweep
                .store
                .predictions()?
                .and_then(|predictions| quality::quality(&predictions.of_trial(chosen.row.trial)))
        }
        None => None,
    };
    let data = json!({
        "metric": ranking.by.name,
        "higher": ranking.by.higher_is_better,
        "on": if ranking.is_train { "train" } else { "val" },
        "sweeps": sweeps.iter().map(|sweep| json!({"name": sweep.name, "dir": sweep.store.dir().display().to_string()})).collect::<Vec<_>>(),
        "trials": board::trials(&sources, &ranking, &varying),
        "p_best": chances(&comparison),
        "chosen": chosen_at,
        "details": details,
        "path": path,
        "rungs": (sweeps.len() == 1).then(|| rungs(first.store.manifest(), &tables[0])).flatten().map(|rungs| rungs.iter().map(|rung| json!([rung.epochs, rung.reached])).collect::<Vec<_>>()),
        "importance": importance.iter().map(|held| json!([held.params, figures::short(held.share, 4), figures::short(held.std, 2)])).collect::<Vec<_>>(),
        "quality": quality,
    });
    let of_chosen = &data["details"]["trials"][data["chosen"].to_string()];
    let of_train = of_chosen["curve"]["train"].as_array();
    let facts = json!({
        "title": title(sweeps),
        "is_over_sweeps": sweeps.len() > 1,
        "live": live.map(|live| json!({"words": live.in_words(), "seconds": live.seconds.max(1)})),
        "answer": chosen.as_ref().map(|chosen| context::answer(&comparison, chosen, ranking.candidates.len())),
        "leaders": context::leaders(&comparison, LEADERS),
        "sweeps": sweeps.iter().zip(&sources).zip(&runs).map(|((sweep, source), runs)| context::sweep(sweep, source, runs)).collect::<Vec<_>>(),
        "changes": changes(sweeps)?,
        "has_quality": data["quality"].is_object(),
        "is_train": ranking.is_train,
        "quality_words": quality::in_words(&data["quality"]),
        "folds": quality::folds(&of_chosen["runs"]),
        "has_train_curve": of_train.is_some_and(|scores| scores.iter().filter(|score| !score.is_null()).count() > 1),
        "has_importance": importance.len() > 1,
        "n_trials": ranking.candidates.len(),
        "n_params": varying.paths.len(),
        "metric": ranking.by.name,
        "n_detailed": detailed.len(),
        "has_path": path.len() > 2,
    });
    let plots = plots(&data, &varying, &importance, &ranking);
    fill(facts, &plots, &data)
}

/// What the page is called: by its sweep, or by those that it compares.
fn title(sweeps: &[Sweep]) -> String {
    match sweeps {
        [only] => only.store.manifest().name.clone(),
        [a, b] => format!("{} and {} compared", a.name, b.name),
        more => format!("{} sweeps compared", more.len()),
    }
}

/// The trial the page is about: the sweep's choice, or the best over all sweeps.
fn chosen<'a>(sweeps: &[Sweep], sources: &[Source<'a>], ranking: &Ranking<'a>) -> Option<Chosen<'a>> {
    let best = ranking.candidates.first().filter(|best| best.score.is_some())?;
    let selected = match sources {
        [only] => only.trials.selected(),
        _ => None,
    };
    let row = selected.unwrap_or(best.row);
    Some(Chosen {
        source: sources[best.sweep],
        row,
        test: Test::read(&sweeps[best.sweep], row.trial),
    })
}

fn position(ranking: &Ranking, sources: &[Source], chosen: &Chosen) -> Option<usize> {
    let mut all = ranking.candidates.iter();
    all.position(|held| sources[held.sweep].name == chosen.source.name && held.row.trial == chosen.row.trial)
}

/// The chance of being best of every trial that has one, by place in the ranking.
fn chances(comparison: &Comparison) -> Value {
    let chances = comparison
        .rows
        .iter()
        .filter_map(|row| Some((row.rank - 1, row.p_best.filter(|chance| *chance > 0.0)?)));
    Value::Object(
        chances
            .map(|(place, chance)| (place.to_string(), figures::short(chance, 3)))
            .collect::<Map<_, _>>(),
    )
}

fn changes(sweeps: &[Sweep]) -> Result<Value, ReportError> {
    if sweeps.len() < 2 {
        return Ok(Value::Null);
    }
    let sheet = crate::compare::changes(sweeps)?;
    let (header, rows) = sheet.people.texts_of();
    Ok(json!({"header": header, "rows": rows}))
}

/// The three plots that are there without JavaScript: what the first parameter does, the chosen trial's curve, its coefficients.
fn plots(data: &Value, varying: &Varying, importance: &[Importance], ranking: &Ranking) -> Map<String, Value> {
    let mut plots = Map::new();
    let metric = ranking.by.name.as_str();
    let mut put = |name: &str, plot: Option<String>| {
        if let Some(plot) = plot {
            plots.insert(name.to_owned(), plot.into());
        }
    };
    let numeric = |index: &usize| data["trials"]["params"][index]["kind"] != "text";
    let mut singles = importance
        .iter()
        .filter(|held| held.params.len() == 1)
        .map(|held| held.params[0]);
    let first = singles.find(numeric).or_else(|| (0..varying.paths.len()).find(numeric));
    let numbers = |value: &Value| {
        value.as_array().map_or_else(Vec::new, |all| {
            all.iter().map(|held| held.as_f64().unwrap_or(f64::NAN)).collect()
        })
    };
    if let Some(index) = first {
        let param = &data["trials"]["params"][index];
        let mut best: std::collections::BTreeMap<u64, (f64, f64)> = std::collections::BTreeMap::new();
        let scores = numbers(&data["trials"]["scores"][metric]["mean"]);
        for (x, y) in numbers(&param["values"]).into_iter().zip(scores) {
            if x.is_finite() && y.is_finite() {
                let held = best.entry(x.to_bits()).or_insert((x, y));
                let is_better = crate::compare::better(y, held.1, ranking.by.higher_is_better).is_lt();
                held.1 = if is_better { y } else { held.1 };
            }
        }
        let mut points: Vec<(f64, f64)> = best.into_values().collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let line = svg::Line {
            color: svg::ACCENT,
            points,
            band: Vec::new(),
            has_dots: true,
        };
        let title = format!("Best {metric} for each value of {}", varying.headers[index]);
        put(
            "slice",
            svg::lines(
                &title,
                &varying.headers[index],
                &format!("best {metric}"),
                param["kind"] == "log",
                &[line],
            ),
        );
    }
    let Some(chosen) = data["chosen"].as_u64() else {
        return plots;
    };
    let detail = &data["details"]["trials"][chosen.to_string()];
    let epochs = numbers(&detail["curve"]["epochs"]);
    let zip = |values: Vec<f64>| epochs.iter().copied().zip(values).collect::<Vec<(f64, f64)>>();
    let curves = [
        svg::Line {
            color: svg::SECOND,
            points: zip(numbers(&detail["curve"]["train"])),
            band: Vec::new(),
            has_dots: false,
        },
        svg::Line {
            color: svg::ACCENT,
            points: zip(numbers(&detail["curve"]["val"])),
            band: zip(numbers(&detail["curve"]["low"]))
                .into_iter()
                .zip(numbers(&detail["curve"]["high"]))
                .map(|((x, low), high)| (x, low, high))
                .collect(),
            has_dots: false,
        },
    ];
    put(
        "curve",
        svg::lines(&format!("{metric} by epoch"), "epoch", metric, false, &curves),
    );
    let names = &data["details"]["features"];
    let weights = detail["weights"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<(String, f64, f64)> = weights
        .iter()
        .take(12)
        .filter_map(|held| {
            let name = names[held[0].as_u64()? as usize].as_str()?;
            Some((name.to_owned(), held[1].as_f64()?, held[2].as_f64().unwrap_or(0.0)))
        })
        .collect();
    put("weights", svg::dots("Coefficients", &rows));
    plots
}

/// Fills the template in, with the policy that its own scripts and style make.
fn fill(facts: Value, plots: &Map<String, Value>, data: &Value) -> Result<String, ReportError> {
    let script = SCRIPT.concat();
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}' 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(ECHARTS),
        hash(&script),
        hash(STYLE)
    );
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let wrong = |source| ReportError::Template { source };
    environment.add_template("report.html", TEMPLATE).map_err(wrong)?;
    let safe = |text: &str| Text::from_safe_string(text.to_owned());
    let plots: std::collections::BTreeMap<String, Text> = plots
        .iter()
        .filter_map(|(name, plot)| Some((name.clone(), safe(plot.as_str()?))))
        .collect();
    let context = minijinja::context! {
        page => Text::from(Serde(facts)),
        plots => plots,
        policy => safe(&policy),
        style => safe(STYLE),
        echarts => safe(ECHARTS),
        script => safe(&script),
        data => safe(&embedded(data)),
        license => include_str!("../../assets/echarts.NOTICE"),
    };
    environment
        .get_template("report.html")
        .and_then(|template| template.render(context))
        .map_err(wrong)
}

/// JSON that can stand in a script element: nothing in it can close the element or open another.
fn embedded(data: &Value) -> String {
    let text = data.to_string();
    let mut safe = String::with_capacity(text.len() + text.len() / 64);
    for c in text.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    safe
}

/// As a policy names a script.
fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_close_their_element() {
        let data = json!({"name": "</script><script>alert(1)</script>&\u{2028}"});
        let text = embedded(&data);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), data);
    }

    #[test]
    fn no_script_can_end_its_element_early() {
        for script in SCRIPT.iter().chain([&ECHARTS, &STYLE]) {
            assert!(!script.contains("</script") && !script.contains("</style") && !script.contains("<!--"));
        }
    }
}
