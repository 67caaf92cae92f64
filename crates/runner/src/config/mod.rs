//! The config file: one TOML text, checked whole, with every problem at its place.
//!
//! [`parse`] walks the text against one table of keys ([`reference()`]). Every TOML table has a file here that lists its keys
//! as the fields of a struct; the same list makes the checks, the suggestions and the typed [`Config`].

mod check;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod config;
mod data;
mod domain;
mod full;
mod import;
mod key;
mod metrics;
mod model;
mod output;
mod page;
mod parameters;
mod parse;
mod place;
mod preprocess;
mod problem;
mod report;
mod resolve;
mod rules;
mod run;
mod schema;
mod search_rules;
mod sets;
mod setting;
mod short;
mod solver;
mod starter;
mod suggest;
mod sweep;
mod table;
mod train;
mod tree;
mod unknown;
mod validation;
mod value;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use data::{ColumnType, Csv, DataConfig, NullTarget, TextEncoding};
pub use import::{Imported, from_optuna, from_wandb};
pub use key::{Bounds, Choice, Format, Key, Kind, Spec};
pub use metrics::{Metric, MetricsConfig};
pub use model::{Activation, ClassWeight, ModelConfig, ModelKind};
pub use output::{IfExists, OutputConfig, Predictions, SaveModels};
pub use page::page;
pub use parse::{MOST_BYTES, parse};
pub use preprocess::{DropLevel, Impute, OneHot, OtherLevels, PreprocessConfig, Scale};
pub use problem::{Problem, Problems};
pub use run::{OnError, Precision, RunConfig};
pub use schema::schema;
pub use short::short_sweep;
pub use solver::Solver;
pub use sweep::{Assignment, Condition, Domain, Halving, Method, Parameter, Select, SweepConfig};
pub use table::{Table, reference};
pub use train::{BatchRows, EarlyStopping, Init, LearningRate, Schedule, ScheduleKind, TrainConfig};
pub use validation::{Strategy, ValidationConfig};
pub use value::Value;

pub(crate) use key::Setting;
pub(crate) use rules::MOST_TRIALS;
pub(crate) use search_rules::MOST_SOBOL;
pub(crate) use table::sweepable;
