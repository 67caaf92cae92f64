//! `init`: a look at a table, and a first config for it.

use std::fmt::Write as _;

use gradsweep_data::{self as data, ColumnKind, SkipReason};

use crate::config::{self, Config};
use crate::dataset::load_spec;
use crate::error::RunError;
use crate::sweep::in_pool;

/// Below this share of ones, precision and recall say more than accuracy.
const RARE: f64 = 0.2;
/// Columns named in one comment.
const NAMED: usize = 6;
/// Levels from which a categorical column is worth a word.
const MANY_LEVELS: usize = 100;

/// A commented config for the files at `train`, from what they hold; and what was read.
///
/// # Errors
/// As of loading the data.
pub fn config_for(
    train: &str,
    target: &str,
    name: &str,
    rows: Option<usize>,
) -> Result<(String, data::Summary), RunError> {
    // The data decide nothing but comments, so that the shortest config reads them as the written one will.
    let least = Config::default_for(train, target, name);
    let config = config::parse(&least, "init", name, &[])?;
    let summary = in_pool(&config, || {
        data::load::<f32>(&load_spec(&config, rows)).map(|data| data.summary)
    })??;
    Ok((text(train, target, name, &summary), summary))
}

/// The columns of the files at `train`, for a question about the target.
///
/// # Errors
/// The files cannot be read.
pub fn column_names(train: &str) -> Result<Vec<String>, RunError> {
    let source = data::SourceSpec {
        paths: vec![train.to_owned()],
        ..data::SourceSpec::default()
    };
    let peek = data::peek(&source)?;
    Ok(peek.columns.into_iter().map(|(name, _)| name).collect())
}

fn text(train: &str, target: &str, name: &str, summary: &data::Summary) -> String {
    let share = summary.target.positives as f64 / (summary.target.rows as f64).max(1.0);
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();

    let mut out = format!(
        "# A first sweep of {}: {} rows, {} feature columns. Written by gradsweep init; every key: gradsweep init --full\n\
         version = 1\nname = {}\n\n[data]\ntrain = {}\ntarget = {}\n",
        clean(train),
        crate::plan::grouped(summary.rows as u64),
        summary.columns.len(),
        quoted(name),
        quoted(train),
        quoted(target),
    );
    let labels = (clean(&summary.target.positive), clean(&summary.target.negative));
    let _ = writeln!(
        out,
        "positive = {}    # counts as 1: {:.1} % of the rows; {} counts as 0",
        quoted(&summary.target.positive),
        100.0 * share,
        labels.1,
    );
    let dates = names(
        summary
            .skipped
            .iter()
            .filter(|skipped| skipped.reason == SkipReason::Date)
            .map(|own| &*own.column),
    );
    if !dates.is_empty() {
        let _ = writeln!(
            out,
            "# Dates are no features: {}. To train on the past and score on the future: time = \"…\" here and\n\
             # strategy = \"time\" below [validation].",
            dates.join(", ")
        );
    }
    let ids = names(
        summary
            .skipped
            .iter()
            .filter(|skipped| skipped.reason == SkipReason::OneValuePerRow)
            .map(|own| &*own.column),
    );
    if !ids.is_empty() {
        let _ = writeln!(
            out,
            "# One value per row, so no features: {}. id = \"…\" carries one into predictions.",
            ids.join(", ")
        );
    }
    out += "# exclude = [\"…\"]         # columns that are not features: whatever is not known yet when a prediction is made\n\
            # group = \"…\"             # rows of one household, patient, … stay in one fold (with strategy = \"group\")\n";

    preprocessing(&mut out, summary);
    out += "\n[model]\nkind = \"logistic\"\n";
    let _ = writeln!(
        out,
        "# class_weight = \"balanced\"    # weighs both classes the same; probabilities then are no longer those of the data"
    );
    out += "\n[train]\nsolver = \"auto\"           # to the optimum, with a certificate; or sgd, adam, …\n\
            \n[validation]\nstrategy = \"stratified\"\nfolds = 5\n";
    let report = if share < RARE {
        "[\"log_loss\", \"roc_auc\", \"average_precision\"]    # few ones: accuracy would praise guessing"
    } else {
        "[\"log_loss\", \"roc_auc\", \"accuracy\"]"
    };
    let _ = write!(
        out,
        "\n[metrics]\nreport = {report}\n\n[sweep]\nmethod = \"grid\"           # or random, sobol, halton, tpe, with trials = 64 and ranges without num\n\
         metric = \"log_loss\"       # ranks the trials\n\
         select = \"best\"           # or 1se: the strongest penalty within one standard error of the best\n\
         \n[sweep.parameters]        # every combination of these is a trial\n\
         model.C = {{ min = 1e-4, max = 1e4, num = 17, log = true }}    # small = strong penalty, as in scikit-learn\n\
         # model.l1_ratio = [0.0, 0.5, 1.0]    # the share of L1: above 0, weights become exactly 0\n"
    );
    out
}

/// `[preprocess]`, with what there is to preprocess.
fn preprocessing(out: &mut String, summary: &data::Summary) {
    let columns = summary.columns.iter();
    let categorical: Vec<_> = columns
        .filter(|column| column.kind == ColumnKind::Categorical)
        .collect();
    *out += "\n[preprocess]              # statistics come from each fold's training rows\n";
    let missing = names(
        summary
            .columns
            .iter()
            .filter(|column| column.nulls > 0)
            .map(|column| &*column.name),
    );
    if missing.is_empty() {
        *out += "impute = \"mean\"           # nothing is missing\n";
    } else {
        let _ = writeln!(
            out,
            "impute = \"mean\"           # missing in {}\nindicator = false         # true: a 0/1 column beside each of them",
            missing.join(", ")
        );
    }
    *out += "scale = \"standard\"\n";
    if !categorical.is_empty() {
        let levels: Vec<String> = categorical
            .iter()
            .take(NAMED)
            .map(|own| format!("{} {}", clean(&own.name), own.levels))
            .collect();
        let more = if categorical.len() > NAMED { ", …" } else { "" };
        let frequency = if categorical.iter().any(|column| column.levels > MANY_LEVELS) {
            (summary.rows / 1000).max(10)
        } else {
            10
        };
        let _ = writeln!(
            out,
            "# Levels: {}{more}. Those with fewer rows than min_frequency share a column.\n\
             one_hot = {{ min_frequency = {frequency}, other = \"group\" }}",
            levels.join(", ")
        );
    }
    *out += "# types = { zip = \"categorical\" } below [data] takes numbers as names\n";
}

/// Names for a comment.
fn names<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = columns.take(NAMED + 1).map(clean).collect();
    if names.len() > NAMED {
        names.truncate(NAMED);
        names.push("…".to_owned());
    }
    names
}

/// A name from a file in a comment: it must not end the line.
fn clean(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gets_a_config_that_parses() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a b.csv");
        let mut rows = "id,\"n\n[x]\",city,when,late\n".to_owned();
        for i in 0..300 {
            let n = if i % 10 == 3 {
                String::new()
            } else {
                (i % 7).to_string()
            };
            rows += &format!(
                "k{i},{n},{},2020-01-{:02},{}\n",
                ["Oslo", "Rome"][i % 2],
                1 + i % 28,
                if i % 9 == 0 { "yes" } else { "no" }
            );
        }
        std::fs::write(&path, rows).expect("written");
        let train = path.display().to_string();
        let (text, _) = config_for(&train, "late", "a", None).expect("readable");
        let config = config::parse(&text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        assert_eq!(config.data.positive.as_deref(), Some("yes"));
        for said in [
            "11.3 % of the rows",
            "no counts as 0",
            "One value per row, so no features: id",
            "missing in n\u{fffd}[x]",
            "city 2",
            "average_precision",
        ] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        assert_eq!(column_names(&train).expect("names").len(), 5);
        assert!(config_for(&train, "lat", "a", None).is_err());
    }
}
