//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gradsweep_report::{ExportFormat, Format};

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
    /// Write a sweep, or several compared, as one HTML page that needs nothing else.
    Report(ReportArgs),
    /// Print a sweep, one of its trials or one of its runs.
    Show(ShowArgs),
    /// List the sweeps below a directory.
    List(ListArgs),
    /// Hand a sweep's results or its model to another tool.
    Export(ExportArgs),
    /// Predict new rows with a model: its label and the probability of each class.
    Predict(PredictArgs),
    /// Calibrate the selected model's probabilities, tune its threshold.
    Calibrate(CalibrateArgs),
    /// Score a model on labelled rows by every metric.
    Evaluate(EvaluateArgs),
    /// Fit a trial of a sweep on other rows and save the model.
    Refit(RefitArgs),
    /// Print one row's computation graph under a run: every value and derivative.
    Explain(ExplainArgs),
    /// Check the fused gradient on a config's own rows against finite differences and the computation graph.
    Gradcheck(GradcheckArgs),
    /// Remove what a sweep needs no more: checkpoints, and parts that were set aside.
    Prune {
        /// The sweep directory.
        store: PathBuf,
    },
    /// Say what the machine and the linked BLAS are; with --ladder and --roofline, how fast it is.
    Doctor(DoctorArgs),
    /// Write a first config for a table; with --full, one with every key.
    Init(InitArgs),
    /// Translate a sweep of another program into a config.
    Import(ImportArgs),
    /// Print the JSON Schema of configs, for editors.
    Schema(SchemaArgs),
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

impl Verb {
    /// Whether it asks anything of BLAS; the others need not wait for better kernels.
    pub(crate) fn multiplies(&self) -> bool {
        match self {
            Self::Run(_)
            | Self::Resume(_)
            | Self::Plan(_)
            | Self::Calibrate(_)
            | Self::Refit(_)
            | Self::Explain(_)
            | Self::Gradcheck(_)
            | Self::Doctor(_) => true,
            Self::Check(_)
            | Self::Compare(_)
            | Self::Report(_)
            | Self::Show(_)
            | Self::List(_)
            | Self::Export(_)
            | Self::Predict(_)
            | Self::Evaluate(_)
            | Self::Prune { .. }
            | Self::Init(_)
            | Self::Import(_)
            | Self::Schema(_)
            | Self::Cache(_)
            | Self::Completions { .. }
            | Self::Other(_) => false,
        }
    }
}

/// A config, and what is laid over it.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The config file (TOML).
    pub(crate) config: PathBuf,
    /// Override a key, as `train.learning_rate=0.1` (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Sweep a key, as `model.C=0.1,1,10` or `model.C=logspace(1e-4,1e4,9)` (repeatable).
    #[arg(long = "sweep", value_name = "KEY=VALUES")]
    pub(crate) sweeps: Vec<String>,
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
    /// Sweep a key, as `model.C=0.1,1,10` or `model.C=logspace(1e-4,1e4,9)` (repeatable).
    #[arg(long = "sweep", value_name = "KEY=VALUES")]
    pub(crate) sweeps: Vec<String>,
    /// Use only the first N rows.
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// What the result is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
    /// Write every event to this file, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Write report.html every few seconds while training, so that a browser shows how it goes.
    #[arg(long)]
    pub(crate) report_live: bool,
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
    /// Train the runs that failed once more.
    #[arg(long)]
    pub(crate) retry_failed: bool,
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
    /// Read the data too, and print what they hold: columns with role, type, missing values, mean, spread and levels; folds.
    #[arg(long)]
    pub(crate) data: bool,
    /// What the data are printed as: table, json, csv or md.
    #[arg(long, default_value = "table", requires = "data")]
    pub(crate) format: Format,
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
    /// Print only the first N rows.
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Compare only trials that meet this, as `param.model.C < 1 and solver == "sgd"`.
    #[arg(long = "where", value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
    /// Print the rows in the order of this column instead of by rank; `-C` is descending.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// Print only the trials that no other beats in both metrics, as `log_loss,accuracy`.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) pareto: Option<Vec<String>>,
    /// Print one row per value of a parameter: how many trials, the best, the median.
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["sort", "pareto", "importance", "changes"])]
    pub(crate) group_by: Option<String>,
    /// Print how much of the differences between trials each parameter explains (fANOVA on a random forest).
    #[arg(long, conflicts_with_all = ["sort", "pareto", "changes"])]
    pub(crate) importance: bool,
    /// Print what differs between the configs and data of the sweeps.
    #[arg(long, conflicts_with_all = ["by", "filter", "sort", "pareto"])]
    pub(crate) changes: bool,
    /// What the table is printed as: table, json, csv or md.
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Sweep directories; several are compared in one page.
    #[arg(required = true, value_name = "STORE")]
    pub(crate) stores: Vec<PathBuf>,
    /// The page; default: report.html in the sweep's directory, or here for several sweeps.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
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
pub(crate) struct ExportArgs {
    /// A sweep directory; for onnx, safetensors and sklearn a model's folder too.
    #[arg(value_name = "STORE|MODEL")]
    pub(crate) store: PathBuf,
    /// The format: csv (as `cv_results_`), json, md, onnx, safetensors, sklearn, optuna, tensorboard or mlflow.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: ExportFormat,
    /// The file to write; for tensorboard a new directory.
    #[arg(long, value_name = "FILE", required_unless_present = "uri")]
    pub(crate) out: Option<PathBuf>,
    /// The tracking server to send to, as `http://127.0.0.1:5000` (mlflow only).
    #[arg(long, value_name = "URI", conflicts_with = "out")]
    pub(crate) uri: Option<String>,
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
    /// Apply what gradsweep calibrate has fitted: calibrated probabilities, the tuned threshold.
    #[arg(long)]
    pub(crate) calibrated: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// The sweep directory.
    pub(crate) store: PathBuf,
    /// How probabilities are calibrated; default: platt, or not at all where only --threshold is given.
    #[arg(long, value_enum, value_name = "METHOD")]
    pub(crate) method: Option<CalibrationMethod>,
    /// Tune the threshold for this metric: `f1`, `balanced_accuracy`, `accuracy` or `matthews_corrcoef`.
    #[arg(long, value_name = "METRIC")]
    pub(crate) threshold: Option<String>,
    /// What the result is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
}

/// Ways to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CalibrationMethod {
    /// A logistic regression on the log odds.
    Platt,
    /// A rising step function of the log odds: for many rows.
    Isotonic,
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
    /// Time the fused pass against what its products and sigmoids allow.
    #[arg(long)]
    pub(crate) roofline: bool,
    /// What the answer is printed as.
    #[arg(long, value_enum, default_value_t = Answer::Table)]
    pub(crate) format: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The table: a file or a glob.
    pub(crate) data: Option<PathBuf>,
    /// The column to predict.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Every key with its default, instead of those that matter first.
    #[arg(long)]
    pub(crate) full: bool,
    /// Look at the first N rows only.
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// Where the config goes; default: the table's name with .toml; `-` is the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Programs whose sweeps can be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// A sweep file of Weights & Biases (YAML).
    Wandb,
    /// Distributions of an Optuna study (JSON: names, each with the distribution as `distribution_to_json` writes it).
    Optuna,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The program it is of.
    pub(crate) program: Program,
    /// The file to translate.
    pub(crate) file: PathBuf,
    /// The table that the config is for.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<String>,
    /// The column to predict.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Where the config goes; default: the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Print the reference page of all keys in Markdown instead.
    #[arg(long)]
    pub(crate) markdown: bool,
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
