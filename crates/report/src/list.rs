//! The sweeps below a directory.

use std::path::{Path, PathBuf};

use gradsweep_store::{ParamValue, Store, StoreError, TrialState, probe};

use crate::error::ReportError;
use crate::format::Format;
use crate::json::Json;
use crate::number;
use crate::params::in_words;
use crate::summary::{headline, is_validated};
use crate::table::{Grid, Side, float, whole};

/// How many directories deep sweeps are looked for.
const DEEPEST: usize = 5;

/// The sweeps found below a directory, by path.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    dir: PathBuf,
    held: Result<Held, String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Held {
    name: String,
    created: String,
    trials: usize,
    runs: u64,
    failed: u64,
    /// Trials that are not done.
    waiting: usize,
    /// Rows of the data.
    rows: Option<u64>,
    /// Bytes on disk.
    bytes: u64,
    /// The best trial's settings.
    params: String,
    metric: String,
    is_train: bool,
    best: Option<(u32, Option<f64>, Option<f64>)>,
}

/// Lists the sweeps in `dir` and below. A store that cannot be read is listed with the reason.
pub fn list(dir: &Path) -> Result<Listing, ReportError> {
    let mut found = Vec::new();
    find(dir, DEEPEST, true, &mut found)?;
    found.sort();
    let entries = found.into_iter().map(|dir| Entry {
        held: read(&dir).map_err(|error| error.to_string()),
        dir,
    });
    Ok(Listing {
        entries: entries.collect(),
    })
}

/// Directories with a manifest. Links are not followed, and nothing is looked for inside a store.
fn find(dir: &Path, depth: usize, is_named: bool, found: &mut Vec<PathBuf>) -> Result<(), ReportError> {
    if !matches!(probe(dir), Ok(None)) && dir.is_dir() {
        found.push(dir.to_path_buf());
        return Ok(());
    }
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(source) if is_named => {
            return Err(ReportError::List {
                path: dir.to_path_buf(),
                source,
            });
        }
        // A directory somewhere below that cannot be read is not the user's question.
        Err(_) => return Ok(()),
    };
    for entry in entries.flatten() {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if is_dir && !is_hidden && depth > 0 {
            find(&entry.path(), depth - 1, false, found)?;
        }
    }
    Ok(())
}

fn read(dir: &Path) -> Result<Held, StoreError> {
    let store = Store::open(dir)?;
    let (manifest, trials) = (store.manifest(), store.trials()?);
    let is_train = !is_validated(&trials, &manifest.select);
    let index = trials.metrics.iter().position(|held| held.name == manifest.select);
    let best = trials.selected().map(|row| {
        let score = index.map(|index| headline(&row.scores[index], is_train));
        let (mean, se) = score.unwrap_or((None, None));
        (row.trial, mean, se)
    });
    Ok(Held {
        name: manifest.name.clone(),
        created: manifest.created.clone(),
        trials: trials.rows.len(),
        runs: trials.rows.iter().map(|row| u64::from(row.n_runs)).sum(),
        failed: trials.rows.iter().map(|row| u64::from(row.n_failed)).sum(),
        waiting: trials
            .rows
            .iter()
            .filter(|row| row.state == TrialState::Waiting)
            .count(),
        rows: manifest.data.get("rows").and_then(serde_json::Value::as_u64),
        bytes: store.files()?.iter().map(|(_, bytes)| bytes).sum(),
        params: trials
            .selected()
            .map_or_else(String::new, |row| in_words(&trials.params, &row.params)),
        metric: manifest.select.clone(),
        is_train,
        best,
    })
}

impl Listing {
    /// The list as text, with a newline at its end.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table if self.entries.is_empty() => "no sweeps here\n".to_owned(),
            Format::Table => self.for_people().to_table(),
            Format::Md => self.for_people().to_md(),
            Format::Csv => self.for_programs().to_csv(),
            Format::Json => Json::object([("sweeps", self.for_programs().to_json())]).render(),
        }
    }

    /// How many sweeps there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn for_people(&self) -> Grid {
        let mut grid = Grid::new();
        for (name, side) in [
            ("sweep", Side::Left),
            ("created", Side::Left),
            ("rows", Side::Right),
            ("trials", Side::Right),
            ("runs", Side::Right),
            ("failed", Side::Right),
            ("waiting", Side::Right),
            ("size", Side::Right),
            ("metric", Side::Left),
            ("score", Side::Right),
            ("best", Side::Right),
            ("settings", Side::Left),
            ("problem", Side::Left),
        ] {
            grid.column(name, side);
        }
        for entry in &self.entries {
            let dir = entry.dir.display().to_string();
            grid.texts(match &entry.held {
                Ok(held) => {
                    let (best, mean, se) = match held.best {
                        Some((trial, mean, se)) => (trial.to_string(), mean, se),
                        None => (number::NONE.to_owned(), None, None),
                    };
                    let of = if held.is_train && mean.is_some() {
                        " (train)"
                    } else {
                        ""
                    };
                    vec![
                        dir,
                        day_and_minute(&held.created),
                        held.rows.map_or_else(String::new, number::count),
                        number::count(held.trials as u64),
                        number::count(held.runs),
                        if held.failed > 0 {
                            number::count(held.failed)
                        } else {
                            String::new()
                        },
                        if held.waiting > 0 {
                            number::count(held.waiting as u64)
                        } else {
                            String::new()
                        },
                        number::bytes(held.bytes),
                        format!("{}{of}", held.metric),
                        number::score_with_error(mean, se),
                        best,
                        held.params.clone(),
                        String::new(),
                    ]
                }
                Err(problem) => {
                    let mut cells = vec![dir];
                    cells.extend(vec![String::new(); 11]);
                    cells.push(problem.clone());
                    cells
                }
            });
        }
        grid.without_empty_columns()
    }

    fn for_programs(&self) -> Grid {
        let mut grid = Grid::new();
        for name in [
            "dir",
            "name",
            "created",
            "trials",
            "runs",
            "failed",
            "metric",
            "on",
            "best_trial",
            "best_mean",
            "best_se",
            "rows",
            "waiting",
            "bytes",
            "problem",
        ] {
            grid.column(name, Side::Left);
        }
        for entry in &self.entries {
            let dir = ParamValue::Text(entry.dir.display().to_string());
            grid.row(match &entry.held {
                Ok(held) => vec![
                    dir,
                    ParamValue::Text(held.name.clone()),
                    ParamValue::Text(held.created.clone()),
                    whole(held.trials),
                    whole(held.runs),
                    whole(held.failed),
                    ParamValue::Text(held.metric.clone()),
                    ParamValue::Text(if held.is_train { "train" } else { "val" }.to_owned()),
                    held.best
                        .map_or(ParamValue::Null, |best| ParamValue::Int(best.0.into())),
                    float(held.best.and_then(|best| best.1)),
                    float(held.best.and_then(|best| best.2)),
                    held.rows.map_or(ParamValue::Null, whole),
                    whole(held.waiting),
                    whole(held.bytes),
                    ParamValue::Null,
                ],
                Err(problem) => {
                    let mut cells = vec![dir];
                    cells.extend(vec![ParamValue::Null; 13]);
                    cells.push(ParamValue::Text(problem.clone()));
                    cells
                }
            });
        }
        grid
    }
}

/// `2026-01-02 03:04` of a time as RFC 3339; anything else as it is.
pub(crate) fn day_and_minute(time: &str) -> String {
    let is_time = time.is_ascii() && time.len() >= 16 && time.as_bytes()[10] == b'T';
    if is_time {
        format!("{} {}", &time[..10], &time[11..16])
    } else {
        time.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shortened_if_they_are_times() {
        assert_eq!(day_and_minute("2026-01-02T03:04:05.123Z"), "2026-01-02 03:04");
        assert_eq!(day_and_minute("yesterday"), "yesterday");
    }
}
