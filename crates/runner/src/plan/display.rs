//! The plan for a reader.

use std::fmt;

use gradsweep_data::Dataset;
use gradsweep_math::Real;
use gradsweep_math::workspace::WIDEST_BLOCK;
use serde::Serialize;

use super::{BatchSchedule, Cohort, Cost, Plan, Speed, stability};
use crate::config::Config;
use crate::memory;
use crate::rungs::Ladder;
use crate::search;
use crate::train::{RATES, STEPS, View};

/// What `plan` says: sizes, cohorts with the reason for each, memory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanSummary {
    /// Settings.
    pub trials: usize,
    /// Folds.
    pub folds: usize,
    /// Assignments of the rows to folds.
    pub repeats: u32,
    /// Columns to train.
    pub runs: usize,
    /// What there will be in all, where trials follow from the scores of others: `trials` and `runs` count those that are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<AtMost>,
    /// Rows of the data.
    pub rows: usize,
    /// Stored columns.
    pub columns: usize,
    /// Weights of a run, without its intercept.
    pub features: usize,
    /// Columns of the files that are stored as a code per row instead of a number per level, with their levels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<(String, usize)>,
    /// Element type.
    pub precision: &'static str,
    /// Bytes of the stored rows.
    pub data_bytes: u64,
    /// Whether they are in a file of the cache instead of memory.
    pub is_in_file: bool,
    /// Bytes of what memory holds of each row in any case, all rows together: labels, weights, places.
    pub beside_bytes: u64,
    /// Bytes of memory that the sweep will take; see [`PlanSummary::required_bytes`].
    pub memory_bytes: u64,
    /// Bytes of memory that the sweep may take.
    pub limit_bytes: u64,
    /// The passes.
    pub cohorts: Vec<CohortSummary>,
    /// How long first-order training takes here; none until it is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    /// What stands in for a default that is not built yet, and learning rates that will not hold.
    pub notes: Vec<String>,
}

/// How large a sweep may get whose trials follow from the scores of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AtMost {
    /// Settings.
    pub trials: usize,
    /// Columns to train.
    pub runs: usize,
}

/// One pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CohortSummary {
    /// The repeat of the folds, from 0.
    pub repeat: u32,
    /// Which of the different ways of preparing the rows, from 0.
    pub preparation: usize,
    /// Runs in it.
    pub runs: usize,
    /// Columns of each block.
    pub blocks: Vec<usize>,
    /// Its optimizers.
    pub solvers: Vec<&'static str>,
    /// What its runs share and no other cohort does.
    pub why: String,
    /// Its price.
    pub cost: Cost,
}

impl PlanSummary {
    /// The summary of a plan on `data`.
    pub fn new<T: Real>(plan: &Plan, config: &Config, data: &Dataset<T>, view: &View<'_, T>) -> Self {
        let (rows, columns) = data.x.dim();
        let mut summary = Self {
            trials: plan.trials.len(),
            folds: data.folds.labels.len(),
            repeats: config.validation.repeats(),
            runs: plan.runs.len(),
            at_most: None,
            rows,
            columns,
            features: data.encoding.features.len(),
            codes: {
                let codes = data.encoding.codes.iter();
                codes.map(|column| (column.column.clone(), column.levels)).collect()
            },
            precision: T::NAME,
            data_bytes: (rows * columns * size_of::<T>()) as u64,
            is_in_file: data.x.is_in_file(),
            beside_bytes: {
                let weight = data.weight.as_ref().map_or(0, |_| size_of::<f64>() + size_of::<T>());
                // The label twice and the row's number.
                (rows * (size_of::<T>() + size_of::<u32>() + weight)) as u64
            },
            memory_bytes: 0,
            limit_bytes: memory::limit_bytes(config),
            cohorts: plan
                .cohorts
                .iter()
                .map(|cohort| cohort_summary(plan, cohort, data, view))
                .collect(),
            speed: None,
            notes: plan
                .why_auto
                .clone()
                .into_iter()
                .chain(config.leaves_rates_open().then(rates_note))
                .chain(Ladder::new(config, plan.trials.len()).map(|ladder| ladder.note()))
                .chain((plan.preparations.len() > 1).then(|| preparations_note(plan)))
                .chain(waiting_note(plan))
                .chain(stability::note(plan, view))
                .collect(),
        };
        summary.memory_bytes = summary.required_bytes();
        summary
    }

    /// The same, with as many trials still to come, at the most.
    #[must_use]
    pub(crate) fn with_later(mut self, later: usize) -> Self {
        if later > 0 {
            let trials = self.trials + later;
            self.at_most = Some(AtMost {
                trials,
                runs: self.runs * trials / self.trials.max(1),
            });
            self.notes.push(format!(
                "the {} trials above need no scores; the others follow from the scores of those before, {} at a time",
                self.trials,
                search::COHORTS,
            ));
        }
        self
    }
}

fn cohort_summary<T: Real>(plan: &Plan, cohort: &Cohort, data: &Dataset<T>, view: &View<'_, T>) -> CohortSummary {
    let mut methods: Vec<_> = cohort
        .blocks
        .iter()
        .flat_map(|block| &block.runs)
        .map(|&run| plan.method_of(run))
        .collect();
    methods.sort_unstable();
    methods.dedup_by_key(|method| method.name());
    CohortSummary {
        repeat: cohort.rows.repeat,
        preparation: cohort.rows.preparation,
        runs: cohort.width(),
        blocks: cohort.blocks.iter().map(|block| block.runs.len()).collect(),
        solvers: methods.iter().map(|method| method.name()).collect(),
        why: why(plan, cohort),
        cost: Cost::new(
            plan,
            cohort,
            data,
            &view.map,
            view.metrics.iter().any(|metric| !metric.is_free()),
        ),
    }
}

/// What stands for a learning rate that is left open.
fn rates_note() -> String {
    format!(
        "learning_rate auto: every run first tries {} rates from {} to {} side by side, {STEPS} steps each, and takes the \
         smallest that gains nearly as much as the best",
        RATES.len(),
        RATES[0],
        RATES[RATES.len() - 1],
    )
}

/// How many runs begin when others have ended.
fn waiting_note(plan: &Plan) -> Option<String> {
    let cohorts = plan
        .cohorts
        .iter()
        .filter(|cohort| cohort.schedule != BatchSchedule::Converge);
    let waiting: usize = cohorts
        .flat_map(|cohort| &cohort.blocks)
        .map(|block| block.runs.len().saturating_sub(WIDEST_BLOCK))
        .sum();
    (waiting > 0).then(|| {
        format!(
            "{} begin when others of their block end, in the columns that these leave (`first_pass` in runs.parquet)",
            many(waiting, "run")
        )
    })
}

/// What several ways of preparing the rows cost.
fn preparations_note(plan: &Plan) -> String {
    format!(
        "the rows are read and prepared in {} ways, one after the other; sizes are those of trial 0's",
        plan.preparations.len()
    )
}

/// What the runs of a cohort share and those of no other do: how their rows are prepared, and how they walk over them.
fn why(plan: &Plan, cohort: &Cohort) -> String {
    let mut reasons = Vec::new();
    if plan.preparations.len() > 1 {
        reasons.push(plan.preparation_words(cohort.rows.preparation));
    }
    if plan.cohorts.iter().any(|other| other.round > 0) {
        let own = plan.trials.iter().filter(|trial| trial.round == cohort.round);
        let numbers: Vec<u32> = own.map(|trial| trial.number).collect();
        let (first, last) = (numbers.first().unwrap_or(&0), numbers.last().unwrap_or(&0));
        reasons.push(format!("trials {first} to {last}"));
    }
    let is_alike = |other: &&Cohort| (other.round, other.rows) == (cohort.round, cohort.rows);
    let of_same_rows = plan.cohorts.iter().filter(is_alike);
    if of_same_rows.count() > 1 {
        reasons.push(walk(cohort.schedule));
    }
    if reasons.is_empty() {
        "all runs share one pass".to_owned()
    } else {
        reasons.join(", ")
    }
}

fn walk(schedule: BatchSchedule) -> String {
    match schedule {
        BatchSchedule::Full => "one update per epoch, from all rows".to_owned(),
        BatchSchedule::Converge => "passes over all rows until converged".to_owned(),
        BatchSchedule::Batches { rows, shuffle: true } => format!("batch_rows = {rows}"),
        BatchSchedule::Batches { rows, shuffle: false } => format!("batch_rows = {rows}, in storage order"),
    }
}

impl PlanSummary {
    /// `4 trials x 5 folds x 3 repeats`.
    pub fn sizes(&self) -> String {
        let repeats = if self.repeats > 1 {
            format!(" x {}", many(self.repeats as usize, "repeat"))
        } else {
            String::new()
        };
        format!("{} x {}{repeats}", many(self.trials, "trial"), many(self.folds, "fold"))
    }

    /// `, of at most 96 trials = 480 runs`; nothing where all trials are known.
    pub fn outlook(&self) -> String {
        let outlook = self.at_most.map(|most| {
            let (trials, runs) = (many(most.trials, "trial"), many(most.runs, "run"));
            format!(", the first of at most {trials} = {runs}")
        });
        outlook.unwrap_or_default()
    }

    /// Bytes of memory that the sweep will take: the program, the stored rows unless they are in a file, what belongs to
    /// them, the largest cohort's weights and state, the scores of held-out rows and the coefficients it will record.
    pub fn required_bytes(&self) -> u64 {
        let coefficients = |cohort: &CohortSummary| {
            let weights = self.columns.max(self.features);
            (cohort.runs * weights * size_of::<f64>() * 4) as u64
        };
        let cohort = self
            .cohorts
            .iter()
            .map(|cohort| cohort.cost.bytes + cohort.cost.score_bytes + coefficients(cohort))
            .max();
        let data = if self.is_in_file { 0 } else { self.data_bytes };
        memory::PROGRAM_BYTES + data + self.beside_bytes + cohort.unwrap_or(0)
    }

    /// Whether that is more than it may take.
    pub fn exceeds_limit(&self) -> bool {
        self.required_bytes() > self.limit_bytes
    }

    /// Which columns are stored as codes.
    fn sparse(&self) -> String {
        const SHOWN: usize = 3;
        let column = |(name, levels): &(String, usize)| {
            let name = name.replace(char::is_control, "\u{fffd}");
            format!("{name} ({} levels)", grouped(*levels as u64))
        };
        let shown: Vec<String> = self.codes.iter().take(SHOWN).map(column).collect();
        let rest = self.codes.len() - shown.len();
        let more = if rest > 0 {
            format!(" and {}", many(rest, "more column"))
        } else {
            String::new()
        };
        format!(
            "{}{more}: one code per row in the place of a 0/1 column per level",
            shown.join(", ")
        )
    }

    /// Where the stored rows are, and why.
    fn cache(&self) -> String {
        if self.is_in_file {
            format!("the rows are memory-mapped from {}", memory::cache_dir().display())
        } else {
            "none needed".to_owned()
        }
    }
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.runs as f64 / (self.trials * self.folds * self.repeats as usize).max(1) as f64;
        let restarts = if each > 1.0 {
            format!(" x {each:.0} restarts")
        } else {
            String::new()
        };
        writeln!(
            f,
            "{}{restarts} = {}{}\n",
            self.sizes(),
            many(self.runs, "run"),
            self.outlook()
        )?;
        let titles = [
            "cohort",
            "runs",
            "blocks (columns)",
            "solver",
            "GFLOP/epoch",
            "epochs",
            "why apart",
        ];
        let first = self.cohorts.iter().filter(|cohort| cohort.repeat == 0);
        let rows = first.enumerate().map(|(index, cohort)| cohort.cells(index + 1));
        let rows: Vec<[String; 7]> = std::iter::once(titles.map(String::from)).chain(rows).collect();
        let is_right = [true, true, false, false, true, true, false];
        for row in &rows {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
                if is_right[column] {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let state: u64 = self.cohorts.iter().map(|cohort| cohort.cost.bytes).max().unwrap_or(0);
        writeln!(
            f,
            "\ndata    {} rows x {} columns {} = {} {}, runs {}",
            grouped(self.rows as u64),
            self.columns,
            self.precision,
            bytes(self.data_bytes),
            if self.is_in_file { "on disk" } else { "in memory" },
            bytes(state),
        )?;
        if self.limit_bytes < u64::MAX {
            writeln!(
                f,
                "memory  about {} of {} allowed by run.memory_limit",
                bytes(self.required_bytes()),
                bytes(self.limit_bytes)
            )?;
        }
        if !self.codes.is_empty() {
            writeln!(f, "sparse  {}", self.sparse())?;
        }
        writeln!(f, "cache   {}", self.cache())?;
        writeln!(
            f,
            "folds   imputation, scaling and levels from each fold's own training rows; nothing is shared"
        )?;
        if self.repeats > 1 {
            let others = many(self.repeats as usize - 1, "more assignment");
            writeln!(
                f,
                "repeats the cohorts above, then again for {others} of the rows to folds, the data read anew for each"
            )?;
        }
        if let Some(speed) = self.speed.as_ref().and_then(Speed::sentence) {
            // Cohorts to come are wider, and fill their products better.
            let times = self.at_most.map(|most| most.runs as f64 / self.runs.max(1) as f64);
            let of_all = times.map_or_else(String::new, |times| {
                format!(" (these runs; all of them about {times:.0} times as long)")
            });
            writeln!(f, "time    {speed}{of_all}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note    {note}"))
    }
}

impl CohortSummary {
    /// The cohort as a row of the plan's table.
    fn cells(&self, number: usize) -> [String; 7] {
        let blocks = if self.blocks.len() > 6 {
            format!(
                "{} of up to {}",
                self.blocks.len(),
                self.blocks.iter().max().unwrap_or(&0)
            )
        } else {
            self.blocks.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ")
        };
        [
            number.to_string(),
            self.runs.to_string(),
            blocks,
            self.solvers.join(", "),
            format!("{:.3}", self.cost.gflop_per_epoch),
            self.cost.epochs.to_string(),
            self.why.clone(),
        ]
    }
}

/// A count with its noun.
pub fn many(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{} {one}s", grouped(count as u64))
    }
}

/// A count with a comma every three digits.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the largest decimal unit that leaves at least one digit before the point.
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, f64); 3] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let count = count as f64;
    UNITS.iter().find(|(_, size)| count >= *size).map_or_else(
        || format!("{count} B"),
        |(unit, size)| format!("{:.*} {unit}", usize::from(count / size < 10.0), count / size),
    )
}

#[cfg(test)]
mod tests {
    use super::{bytes, grouped};

    #[test]
    fn counts_and_sizes_read_well() {
        assert_eq!([0, 999, 1000, 327_346].map(grouped), ["0", "999", "1,000", "327,346"]);
        assert_eq!([12, 1500, 208_000_000].map(bytes), ["12 B", "1.5 kB", "208 MB"]);
    }
}
