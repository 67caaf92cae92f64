//! A whole config with every key's value.

use super::data::DataConfig;
use super::key::{Format, Kind, Spec, settings};
use super::metrics::MetricsConfig;
use super::model::ModelConfig;
use super::output::OutputConfig;
use super::preprocess::PreprocessConfig;
use super::run::RunConfig;
use super::sweep::SweepConfig;
use super::train::TrainConfig;
use super::validation::ValidationConfig;

settings! {
    /// A whole config with every key's value.
    pub Config {
        /// The version of this format.
        version "version": u32 = Spec::of(Kind::Integer(1, 1), "1").default("1");
        /// The name of the sweep. Default: the file's stem.
        name "name": String = Spec::of(Kind::Formatted(NAME), "\"flights\"").default("\"sweep\"");
        /// The files, and what their columns are for.
        data "data": DataConfig = Spec::table(DataConfig::KEYS);
        /// From raw columns to features; statistics are taken from each fold's training rows.
        preprocess "preprocess": PreprocessConfig = Spec::table(PreprocessConfig::KEYS);
        /// What is fitted, and how strongly it is penalized.
        model "model": ModelConfig = Spec::table(ModelConfig::KEYS);
        /// How every run is trained.
        train "train": TrainConfig = Spec::table(TrainConfig::KEYS);
        /// Which rows are held out.
        validation "validation": ValidationConfig = Spec::table(ValidationConfig::KEYS);
        /// Which scores are computed.
        metrics "metrics": MetricsConfig = Spec::table(MetricsConfig::KEYS);
        /// Which trials there are, and how they are ranked.
        sweep "sweep": SweepConfig = Spec::table(SweepConfig::KEYS);
        /// The machine. Nothing here but the seed and the precision changes a result.
        run "run": RunConfig = Spec::table(RunConfig::KEYS);
        /// What is written, and where.
        output "output": OutputConfig = Spec::table(OutputConfig::KEYS);
    }
}

const NAME: Format = Format {
    what: "1 to 64 of the characters A-Z a-z 0-9 . _ -",
    check: |text| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match text.chars().find(|c| !is_allowed(*c)) {
            Some(c) => Some(format!("{c:?} is not allowed")),
            None if text.is_empty() => Some("the text is empty".into()),
            None if text.len() > 64 => Some(format!("{} characters are too many", text.len())),
            // The name becomes a directory.
            None if text.chars().all(|c| c == '.') => Some("dots alone are no name".into()),
            None => None,
        }
    },
};

/// The name of a config whose file has this stem.
pub(super) fn name_from(stem: &str) -> String {
    let name: String = stem
        .chars()
        .map(|c| {
            if (NAME.check)(&c.to_string()).is_none() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    if (NAME.check)(&name).is_none() {
        name
    } else {
        "sweep".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_become_names() {
        assert_eq!(name_from("flights 2013"), "flights-2013");
        assert_eq!(name_from(".."), "sweep");
        assert_eq!(name_from(""), "sweep");
        assert_eq!(name_from(&"é".repeat(99)).len(), 64);
    }
}
