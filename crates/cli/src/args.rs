//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gradsweep_report::Format;

/// Trains all runs of a sweep together and compares them.
#[derive(Debug, Parser)]
#[command(
    name = "gradsweep",
    version,
    about = "Trains all runs of a sweep together and compares them",
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    /// Print results and errors only.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Train every run of a sweep and record it.
    Run(RunArgs),
    /// Go on with a sweep: train the runs that are missing; with --until-converged, also those that did not converge.
    Resume(ResumeArgs),
    /// Check a config without reading data; with --data, the data too.
    Check(CheckArgs),
    /// Print trials, runs, cohorts, blocks and memory without training.
    Plan(PlanArgs),
    /// Rank the trials of one or more sweeps.
    Compare(CompareArgs),
    /// Print a sweep, one of its trials or one of its runs.
    Show(ShowArgs),
    /// List the sweeps below a directory.
    List(ListArgs),
    /// Predict new rows with a model: its label and the probability of each class.
    Predict(PredictArgs),
    /// Score a model on labelled rows by every metric.
    Evaluate(EvaluateArgs),
    /// Fit a trial of a sweep on other rows and save the model.
    Refit(RefitArgs),
    /// Print one row's computation graph under a run: every value and derivative.
    Explain(ExplainArgs),
    /// Check the fused gradient on a config's own rows against finite differences and the computation graph.
    Gradcheck(GradcheckArgs),
    /// Say what the machine and the linked BLAS are; with --ladder, how fast each rung is here.
    Doctor(DoctorArgs),
    /// List or clear the prepared rows that did not fit into memory.
    Cache(CacheArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// A config, and what is laid over it.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The config file (TOML).
    pub(crate) config: PathBuf,
    /// Override a key, as `train.learning_rate=0.1` (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Use only the first N rows.
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A config file (TOML), or a data file (with --target): then the config it used is written beside.
    #[arg(value_name = "CONFIG|DATA")]
    pub(crate) input: PathBuf,
    /// The column to predict, when the input is a data file.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Override a key, as `train.learning_rate=0.1` (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Use only the first N rows.
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// What the result is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
    /// Write every event to this file, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The sweep directory.
    pub(crate) store: PathBuf,
    /// Train runs that had all of their epochs further, from where they stood, until they converge.
    #[arg(long)]
    pub(crate) until_converged: bool,
    /// Train them for at most N epochs more; default: as long as they make progress.
    #[arg(long, value_name = "N", requires = "until_converged", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epochs: Option<u32>,
    /// Worker threads; default: those of the config.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// What the result is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
    /// Write every event to this file, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// Forms of an answer that is not a table of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    Table,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) source: ConfigArgs,
    /// Read the data too, and print each column's role, type and encoded width.
    #[arg(long)]
    pub(crate) data: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) source: ConfigArgs,
    /// What the plan is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Sweep directories.
    #[arg(required = true, value_name = "STORE")]
    pub(crate) stores: Vec<PathBuf>,
    /// The metric to rank by; default: the one the first sweep selects by.
    #[arg(long, value_name = "METRIC")]
    pub(crate) by: Option<String>,
    /// Print only the best N trials.
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// What the table is printed as: table, json, csv or md.
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The sweep directory.
    pub(crate) store: PathBuf,
    /// A trial's number, the beginning of a run's id, or `best`.
    #[arg(value_name = "TRIAL|RUN")]
    pub(crate) what: Option<String>,
    /// Print standard errors, tests and intervals of a run fitted without a penalty.
    #[arg(long, requires = "what")]
    pub(crate) inference: bool,
    /// The level of the intervals, between 0 and 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, requires = "inference", value_parser = level)]
    pub(crate) level: f64,
    /// What is printed: table, json, csv or md.
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
}

/// A share strictly between 0 and 1.
fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        Ok(percent) if percent > 1.0 && percent < 100.0 => Err(format!("write {} for {percent} %", percent / 100.0)),
        _ => Err("a level lies between 0 and 1, as 0.95".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The directory to look below.
    #[arg(default_value = "sweeps")]
    pub(crate) dir: PathBuf,
    /// What the list is printed as: table, json, csv or md.
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// A sweep directory, whose selected trial predicts, or a model's folder.
    #[arg(value_name = "STORE|MODEL")]
    pub(crate) model: PathBuf,
    /// The files to predict: paths or globs.
    #[arg(long, required = true, num_args = 1.., value_name = "FILES")]
    pub(crate) data: Vec<String>,
    /// Where the predictions go: a .parquet or .csv file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// A sweep directory, whose selected trial is scored, or a model's folder.
    #[arg(value_name = "STORE|MODEL")]
    pub(crate) model: PathBuf,
    /// The labelled files: paths or globs.
    #[arg(long, required = true, num_args = 1.., value_name = "FILES")]
    pub(crate) data: Vec<String>,
    /// What the scores are printed as: table, json, csv or md.
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct RefitArgs {
    /// The sweep directory.
    pub(crate) store: PathBuf,
    /// The trial's number; default: the selected one.
    #[arg(long, value_name = "N")]
    pub(crate) trial: Option<u32>,
    /// The files to fit it on, all rows of them: paths or globs.
    #[arg(long, required = true, num_args = 1.., value_name = "FILES")]
    pub(crate) data: Vec<String>,
    /// The model's folder; default: models/trial-N in the sweep.
    #[arg(long, value_name = "MODELDIR")]
    pub(crate) out: Option<PathBuf>,
    /// What the result is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The sweep directory, or the config that made it.
    #[arg(value_name = "STORE|CONFIG")]
    pub(crate) store: PathBuf,
    /// The beginning of a run's id, or `best`.
    #[arg(long, default_value = "best")]
    pub(crate) run: String,
    /// The row of the data, counted from 1.
    #[arg(long, default_value_t = 1)]
    pub(crate) row: u64,
    /// Print the graph in Graphviz's language instead.
    #[arg(long)]
    pub(crate) dot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GradcheckArgs {
    #[command(flatten)]
    pub(crate) source: ConfigArgs,
    /// What the result is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Time the rungs of the ladder: loops, vectorized, fused.
    #[arg(long)]
    pub(crate) ladder: bool,
    /// What the answer is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    pub(crate) verb: CacheVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheVerb {
    /// Print the files of prepared rows, the newest first.
    List {
        /// What the list is printed as.
        #[arg(long, value_enum, default_value_t = Answer::Table)]
        format: Answer,
    },
    /// Remove them. A sweep that uses one goes on with it.
    Clear,
}
