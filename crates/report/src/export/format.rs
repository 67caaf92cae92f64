//! The formats a sweep is exported to.

use std::path::{Path, PathBuf};

use gradsweep_store::{Model, Store, best_model, check_own_model, is_model};

use super::curves::Curves;
use super::error::ExportError;
use super::results::Results;
use super::{cv_results, file, json, md, onnx, optuna, safetensors, sklearn, tensorboard};

/// A format of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// The table that scikit-learn's searches call `cv_results_`.
    Csv,
    /// Everything the tables hold of the trials, as one JSON object.
    Json,
    /// A page with the ranking.
    Md,
    /// The model for any ONNX runtime, preprocessing included.
    Onnx,
    /// The model's tensors with their meaning in the header.
    Safetensors,
    /// The model as JSON, with a script that makes it a fitted scikit-learn pipeline.
    Sklearn,
    /// A journal that Optuna's storage and dashboard open.
    Optuna,
    /// A directory of event files.
    Tensorboard,
    /// A tracking server.
    Mlflow,
}

/// A text that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is none of {}", ExportFormat::ALL.map(ExportFormat::name).join(", "))]
pub struct UnknownExportFormat {
    /// The text.
    pub name: String,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The files, or the directory.
    pub paths: Vec<PathBuf>,
    /// What can be done with them now, as a line to type or to read.
    pub next: String,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Csv,
        Self::Json,
        Self::Md,
        Self::Onnx,
        Self::Safetensors,
        Self::Sklearn,
        Self::Optuna,
        Self::Tensorboard,
        Self::Mlflow,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Md => "md",
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
            Self::Sklearn => "sklearn",
            Self::Optuna => "optuna",
            Self::Tensorboard => "tensorboard",
            Self::Mlflow => "mlflow",
        }
    }

    /// What such an export may be called.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Csv => "cv_results.csv",
            Self::Json => "sweep.json",
            Self::Md => "sweep.md",
            Self::Onnx => "model.onnx",
            Self::Safetensors => "model.safetensors",
            Self::Sklearn => "model.json",
            Self::Optuna => "journal.log",
            Self::Tensorboard => "logs",
            Self::Mlflow => "",
        }
    }
}

impl std::fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for ExportFormat {
    type Err = UnknownExportFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|format| format.name() == text);
        named.ok_or_else(|| UnknownExportFormat { name: text.to_owned() })
    }
}

/// Exports the sweep in `dir` to `out`. The formats of models take the folder of a model too.
pub fn export(dir: &Path, format: ExportFormat, out: Option<&Path>) -> Result<Exported, ExportError> {
    let Some(out) = out else {
        return Err(ExportError::NoFile { format });
    };
    let results = || Results::read(&Store::open(dir)?);
    let model = || logistic(dir, format);
    let one = |next: String| Exported {
        paths: vec![out.to_path_buf()],
        next,
    };
    let name = out.display();
    match format {
        ExportFormat::Csv => {
            file::write(out, cv_results::table(&results()?).as_bytes())?;
            Ok(one(format!("pandas.read_csv(\"{name}\")")))
        }
        ExportFormat::Json => {
            file::write(out, json::text(&results()?).as_bytes())?;
            Ok(one(format!("json.load(open(\"{name}\"))")))
        }
        ExportFormat::Md => {
            file::write(out, md::page(dir)?.as_bytes())?;
            Ok(one("paste it where Markdown is read".to_owned()))
        }
        ExportFormat::Onnx => {
            let model = model()?;
            file::check_ending(out, "onnx")?;
            file::write(out, &onnx::encode(&model))?;
            Ok(one(format!("onnxruntime.InferenceSession(\"{name}\")")))
        }
        ExportFormat::Safetensors => {
            let model = model()?;
            file::check_ending(out, "safetensors")?;
            file::write(out, &safetensors::encode(&model, out)?)?;
            Ok(one(format!("safetensors.numpy.load_file(\"{name}\")")))
        }
        ExportFormat::Sklearn => {
            let model = model()?;
            file::check_ending(out, "json")?;
            let script = out.with_extension("py");
            file::write(&script, sklearn::LOADER.as_bytes())?;
            file::write(out, sklearn::text(&model).as_bytes())?;
            let module = script.file_stem().unwrap_or_default().to_string_lossy();
            Ok(Exported {
                next: format!("from {module} import load; pipeline = load()"),
                paths: vec![out.to_path_buf(), script],
            })
        }
        ExportFormat::Optuna => {
            let results = results()?;
            let curves = Curves::read(&results, &Store::open(dir)?)?;
            file::write(out, optuna::journal(&results, &curves).as_bytes())?;
            Ok(one(format!("optuna-dashboard {name}")))
        }
        ExportFormat::Tensorboard => {
            let results = results()?;
            file::empty_directory(out)?;
            let curves = Curves::read(&results, &Store::open(dir)?)?;
            tensorboard::write(&results, &curves, out)?;
            Ok(one(format!("tensorboard --logdir {name}")))
        }
        ExportFormat::Mlflow => Err(ExportError::Uri { uri: name.to_string() }),
    }
}

/// The model in a folder, or that of the sweep's selected trial.
fn logistic(path: &Path, format: ExportFormat) -> Result<Model, ExportError> {
    let best = best_model(path);
    let folder = if is_model(path) || (path.exists() && !is_model(&best) && Store::open(path).is_err()) {
        path
    } else {
        check_own_model(&best)?;
        &best
    };
    let model = Model::read(folder)?;
    let kind = model.info.kind.clone();
    if kind == "logistic" {
        Ok(model)
    } else {
        Err(ExportError::Kind { format, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for format in ExportFormat::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let error = "pickle".parse::<ExportFormat>().expect_err("not a format");
        assert_eq!(
            error.to_string(),
            "\"pickle\" is none of csv, json, md, onnx, safetensors, sklearn, optuna, tensorboard, mlflow"
        );
    }

    #[test]
    fn endings_that_a_reader_would_not_know_are_refused() {
        let scratch = tempfile::tempdir().expect("scratch directory");
        let error = file::check_ending(&scratch.path().join("model.json"), "onnx").expect_err("another ending");
        assert!(error.hint().is_some_and(|hint| hint.ends_with("model.onnx")));
    }
}
