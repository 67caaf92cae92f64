//! Trials ranked over all sweeps given.

use std::cmp::Ordering;
use std::collections::HashMap;

use gradsweep_store::{MetricInfo, ParamValue, RunRow, Score, StoreError, TrialRow, TrialState, TrialTable};

use crate::error::ReportError;
use crate::format::Format;
use crate::json::Json;
use crate::number;
use crate::paired::{Difference, FoldScores, split_identity};
use crate::params::{Source, Varying};
use crate::summary::{headline, is_validated};
use crate::sweeps::Sweep;
use crate::table::{Grid, Side, float, whole};

/// A ranking of trials. Its rows are those asked for; ranks and differences are over all trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    by: MetricInfo,
    /// Nothing was held out: training scores rank.
    is_train: bool,
    is_over_sweeps: bool,
    varying: Varying,
    /// The other metrics.
    others: Vec<String>,
    rows: Vec<Row>,
    /// Rows left out by `top`.
    n_left_out: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    rank: usize,
    sweep: String,
    trial: u32,
    state: TrialState,
    params: Vec<ParamValue>,
    score: Score,
    /// To the best trial, where both were scored on the same rows.
    difference: Option<Difference>,
    others: Vec<Score>,
}

/// A trial on its way into the ranking.
struct Candidate<'a> {
    sweep: usize,
    row: &'a TrialRow,
    score: Option<f64>,
}

/// Ranks the trials of all sweeps by a metric (the first sweep's own if none is given), the best `top` of them or all.
///
/// Complete trials come first, then pruned ones by how far they got, waiting ones and failed ones. The difference to the best trial is the
/// mean of the differences fold by fold, with its standard error; it is given where both trials were scored on the same held-out rows (the
/// same data, split in the same way).
pub fn compare(sweeps: &[Sweep], by: Option<&str>, top: Option<usize>) -> Result<Comparison, ReportError> {
    let first = sweeps.first().ok_or(ReportError::NoSweeps)?;
    let wanted = by.unwrap_or(&first.store.manifest().select);
    let tables = sweeps
        .iter()
        .map(|sweep| sweep.store.trials())
        .collect::<Result<Vec<TrialTable>, StoreError>>()?;
    let metrics = all_metrics(&tables);
    let by = metrics.iter().find(|metric| metric.name == wanted).cloned();
    let by = by.ok_or_else(|| ReportError::UnknownMetric {
        name: wanted.to_owned(),
        known: metrics.iter().map(|metric| metric.name.clone()).collect(),
    })?;
    let is_train = !tables.iter().any(|table| is_validated(table, &by.name));
    let ranked = rank(&tables, &by, is_train);
    let kept = &ranked[..top.unwrap_or(ranked.len()).min(ranked.len())];
    let differences = differences(sweeps, &ranked, kept, &by, is_train)?;
    let sources: Vec<Source> = sweeps
        .iter()
        .zip(&tables)
        .map(|(sweep, trials)| Source {
            manifest: sweep.store.manifest(),
            trials,
        })
        .collect();
    let varying = Varying::new(&sources);
    let others: Vec<String> = metrics
        .into_iter()
        .map(|metric| metric.name)
        .filter(|name| *name != by.name)
        .collect();
    let rows = kept.iter().zip(differences).enumerate();
    let rows = rows.map(|(index, (candidate, difference))| {
        let table = &tables[candidate.sweep];
        let score = |name: &str| score_of(table, candidate.row, name);
        Row {
            rank: index + 1,
            sweep: sweeps[candidate.sweep].name.clone(),
            trial: candidate.row.trial,
            state: candidate.row.state,
            params: varying.values(&sources[candidate.sweep], candidate.row),
            score: score(&by.name),
            difference,
            others: others.iter().map(|name| score(name)).collect(),
        }
    });
    let rows: Vec<Row> = rows.collect();
    Ok(Comparison {
        by,
        is_train,
        is_over_sweeps: sweeps.len() > 1,
        varying,
        others,
        n_left_out: ranked.len() - rows.len(),
        rows,
    })
}

/// All metrics of all sweeps, in the order they come.
fn all_metrics(tables: &[TrialTable]) -> Vec<MetricInfo> {
    let mut metrics: Vec<MetricInfo> = Vec::new();
    for metric in tables.iter().flat_map(|table| &table.metrics) {
        if metrics.iter().all(|held| held.name != metric.name) {
            metrics.push(metric.clone());
        }
    }
    metrics
}

fn score_of(table: &TrialTable, row: &TrialRow, metric: &str) -> Score {
    let index = table.metrics.iter().position(|held| held.name == metric);
    index.map_or(Score::default(), |index| row.scores[index])
}

fn rank<'a>(tables: &'a [TrialTable], by: &MetricInfo, is_train: bool) -> Vec<Candidate<'a>> {
    let mut all: Vec<Candidate> = Vec::new();
    for (sweep, table) in tables.iter().enumerate() {
        let index = table.metrics.iter().position(|held| held.name == by.name);
        all.extend(table.rows.iter().map(|row| Candidate {
            sweep,
            row,
            score: index.and_then(|index| headline(&row.scores[index], is_train).0),
        }));
    }
    let stage = |row: &TrialRow| match row.state {
        TrialState::Complete => 0,
        TrialState::Pruned => 1,
        TrialState::Waiting => 2,
        TrialState::Failed => 3,
    };
    let by_score = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) if by.higher_is_better => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    all.sort_by(|a, b| -> Ordering {
        stage(a.row)
            .cmp(&stage(b.row))
            .then(b.row.rung.cmp(&a.row.rung))
            .then(by_score(a.score, b.score))
            .then((a.sweep, a.row.trial).cmp(&(b.sweep, b.row.trial)))
    });
    all
}

/// The difference of each kept trial to the best of all; nothing for the best itself and for trials scored on other rows.
fn differences(
    sweeps: &[Sweep],
    ranked: &[Candidate],
    kept: &[Candidate],
    by: &MetricInfo,
    is_train: bool,
) -> Result<Vec<Option<Difference>>, ReportError> {
    let Some(best) = ranked
        .first()
        .filter(|best| best.score.is_some() && best.row.state == TrialState::Complete && kept.len() > 1)
    else {
        return Ok(vec![None; kept.len()]);
    };
    let identity = split_identity(sweeps[best.sweep].store.manifest());
    let mut folds: HashMap<(usize, u32), FoldScores> = HashMap::new();
    for (index, sweep) in sweeps.iter().enumerate() {
        let is_shown = kept.iter().any(|candidate| candidate.sweep == index);
        let is_paired = split_identity(sweep.store.manifest()) == identity;
        if !(is_paired && (is_shown || index == best.sweep)) {
            continue;
        }
        let runs: Vec<RunRow> = sweep.store.runs()?;
        for of_trial in runs.chunk_by(|a, b| a.trial == b.trial) {
            if let Some(scores) = FoldScores::new(of_trial, &by.name, is_train) {
                folds.insert((index, of_trial[0].trial), scores);
            }
        }
    }
    let key = |candidate: &Candidate| (candidate.sweep, candidate.row.trial);
    let reference = folds.get(&key(best));
    let differences = kept.iter().map(|candidate| {
        if key(candidate) == key(best) {
            return None;
        }
        folds.get(&key(candidate))?.minus(reference?)
    });
    Ok(differences.collect())
}

impl Comparison {
    /// The ranking as text, with a newline at its end. JSON and CSV hold one column per quantity, under the names of the store's tables.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table => format!("{}{}", self.for_people().to_table(), self.notes("")),
            Format::Md => format!("{}{}", self.for_people().to_md(), self.notes("\n")),
            Format::Csv => self.for_programs().to_csv(),
            Format::Json => Json::object([
                ("by", self.by.name.as_str().into()),
                ("higher_is_better", self.by.higher_is_better.into()),
                ("on", if self.is_train { "train" } else { "val" }.into()),
                ("rows", self.for_programs().to_json()),
            ])
            .render(),
        }
    }

    fn for_people(&self) -> Grid {
        let mut grid = Grid::new();
        let has_states = self.rows.iter().any(|row| row.state != TrialState::Complete);
        let has_differences = self.rows.iter().any(|row| row.difference.is_some());
        grid.column("#", Side::Right);
        if self.is_over_sweeps {
            grid.column("sweep", Side::Left);
        }
        grid.column("trial", Side::Right);
        if has_states {
            grid.column("state", Side::Left);
        }
        for (index, header) in self.varying.headers.iter().enumerate() {
            let mut values = self.rows.iter().map(|row| &row.params[index]);
            let is_text = values.any(|value| matches!(value, ParamValue::Text(_)));
            grid.column(header, if is_text { Side::Left } else { Side::Right });
        }
        let of = if self.is_train { " (train)" } else { "" };
        grid.column(format!("{}{of}", self.by.name), Side::Right);
        if has_differences {
            grid.column("Δ to best (paired)", Side::Right);
        }
        for name in &self.others {
            grid.column(format!("{name}{of}"), Side::Right);
        }
        let differences = self.rows.iter().filter_map(|row| row.difference);
        let decimals = number::difference_decimals(differences.filter_map(|held| held.se));
        for row in &self.rows {
            let mut cells = vec![row.rank.to_string()];
            if self.is_over_sweeps {
                cells.push(row.sweep.clone());
            }
            cells.push(row.trial.to_string());
            if has_states {
                cells.push(row.state.to_string());
            }
            cells.extend(row.params.iter().map(number::param));
            let (mean, se) = headline(&row.score, self.is_train);
            cells.push(number::score_with_error(mean, se));
            if has_differences {
                cells.push(match row.difference {
                    Some(difference) => number::difference(difference.mean, difference.se, decimals),
                    None => number::NONE.to_owned(),
                });
            }
            cells.extend(row.others.iter().map(|score| {
                let mean = headline(score, self.is_train).0;
                mean.map_or(number::NONE.to_owned(), number::side_score)
            }));
            grid.texts(cells);
        }
        grid
    }

    /// What a reader of the table has to know beside it.
    fn notes(&self, before: &str) -> String {
        let mut notes = Vec::new();
        if self.n_left_out > 0 {
            let left_out = number::counted(self.n_left_out as u64, "more trial");
            notes.push(format!("{left_out} not shown"));
        }
        let is_unpaired = |row: &Row| row.difference.is_none() && row.score.mean_val.is_some();
        if !self.is_train && self.rows.iter().skip(1).any(is_unpaired) {
            notes.push("Δ is given where a trial was scored on the same held-out rows as the best".to_owned());
        }
        if self.is_train {
            notes.push("no rows were held out: these are scores on the training rows".to_owned());
        }
        let mut text = String::new();
        for note in notes {
            text = format!("{text}{before}{note}\n");
        }
        text
    }

    fn for_programs(&self) -> Grid {
        let mut grid = Grid::new();
        let by = &self.by.name;
        grid.column("rank", Side::Right);
        grid.column("sweep", Side::Left);
        grid.column("trial", Side::Right);
        grid.column("state", Side::Left);
        for path in &self.varying.paths {
            grid.column(format!("param.{path}"), Side::Right);
        }
        for name in std::iter::once(by).chain(&self.others) {
            for quantity in ["mean_val", "std_val", "se_val", "mean_train"] {
                grid.column(format!("{quantity}_{name}"), Side::Right);
            }
        }
        grid.column(format!("delta_{by}"), Side::Right);
        grid.column(format!("se_delta_{by}"), Side::Right);
        grid.column("n_paired", Side::Right);
        for row in &self.rows {
            let mut cells = vec![
                whole(row.rank),
                ParamValue::Text(row.sweep.clone()),
                ParamValue::Int(i64::from(row.trial)),
                ParamValue::Text(row.state.to_string()),
            ];
            cells.extend(row.params.iter().cloned());
            for score in std::iter::once(&row.score).chain(&row.others) {
                let figures = [score.mean_val, score.std_val, score.se_val, score.mean_train];
                cells.extend(figures.map(float));
            }
            let difference = row.difference;
            cells.push(float(difference.map(|difference| difference.mean)));
            cells.push(float(difference.and_then(|difference| difference.se)));
            cells.push(match difference {
                Some(difference) => whole(difference.folds),
                None => ParamValue::Null,
            });
            grid.row(cells);
        }
        grid
    }
}
