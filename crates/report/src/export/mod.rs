//! What a sweep hands on: its results and its model in the formats of other tools.
//!
//! - [`format`]: the list of formats
//! - [`results`], [`curves`]: trials with their scores by split and by epoch, which the formats share
//! - [`cv_results`], [`json`], [`md`]: tables
//! - [`optuna`], [`tensorboard`], [`mlflow`]: trackers of experiments
//! - [`model`]: what a fitted model adds for each cell, which the model formats share
//! - [`onnx`], [`safetensors`], [`sklearn`]: the fitted model, preprocessing included
//! - [`protobuf`], [`file`](mod@file): how messages and files are written

mod curves;
mod cv_results;
mod error;
mod file;
mod format;
mod json;
mod md;
pub(crate) mod mlflow;
mod model;
mod onnx;
mod optuna;
mod protobuf;
mod results;
mod safetensors;
mod sklearn;
mod tensorboard;

pub use error::ExportError;
pub use format::{ExportFormat, Exported, UnknownExportFormat, export};
pub use mlflow::{Logged, log_to_mlflow};
