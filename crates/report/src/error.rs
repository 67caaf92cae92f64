//! Why a report cannot be made.

use std::path::PathBuf;

use gradsweep_store::{ExitKind, RunId, StoreError};

use crate::sanitize::sanitize;

/// How many names or numbers a hint lists.
const LISTED: usize = 8;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A directory could not be listed.
    #[error("cannot list {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// None of the sweeps has this metric.
    #[error("no sweep here reports the metric {:?}", sanitize(name))]
    UnknownMetric {
        /// The name asked for.
        name: String,
        /// The metrics there are.
        known: Vec<String>,
    },
    /// The sweep has no such trial.
    #[error("{} has no trial {}", dir.display(), sanitize(wanted))]
    NoSuchTrial {
        /// The store.
        dir: PathBuf,
        /// What was asked for.
        wanted: String,
        /// The trials there are, ascending.
        trials: Vec<u32>,
    },
    /// No run of the sweep has an id that starts like this.
    #[error("{} has no run whose id starts with {:?}", dir.display(), sanitize(prefix))]
    NoSuchRun {
        /// The store.
        dir: PathBuf,
        /// What was asked for.
        prefix: String,
    },
    /// Several runs have an id that starts like this.
    #[error("{} runs of {} have an id that starts with {prefix:?}", matches.len(), dir.display())]
    AmbiguousRun {
        /// The store.
        dir: PathBuf,
        /// What was asked for.
        prefix: String,
        /// The runs that fit.
        matches: Vec<RunId>,
    },
    /// The sweep has not chosen a trial.
    #[error("{} has no selected trial: none of its trials is complete", dir.display())]
    NothingSelected {
        /// The store.
        dir: PathBuf,
    },
    /// Trials have no such column, or several.
    #[error("no column {:?} here", sanitize(name))]
    UnknownColumn {
        /// The name asked for.
        name: String,
        /// Columns that may be meant.
        meant: Vec<String>,
    },
    /// A filter cannot be read.
    #[error("--where: {}", sanitize(problem))]
    Where {
        /// The filter.
        text: String,
        /// The byte the problem is at.
        at: usize,
        /// What is wrong.
        problem: String,
        /// Columns that may be meant.
        meant: Vec<String>,
    },
    /// No trial meets the filter.
    #[error("none of the {trials} trials has {}", sanitize(text))]
    NoneLeft {
        /// The filter.
        text: String,
        /// The trials there are.
        trials: usize,
    },
    /// A front needs two metrics.
    #[error("a Pareto front is of two metrics, not of {}", metrics.len())]
    NotTwoMetrics {
        /// Those given.
        metrics: Vec<String>,
    },
    /// There is too little to analyze.
    #[error("{what} needs {needed}")]
    TooLittle {
        /// What was asked for.
        what: &'static str,
        /// What it needs.
        needed: &'static str,
    },
    /// A page could not be filled in.
    #[error("cannot fill in the report")]
    Template {
        /// What the template engine said.
        source: minijinja::Error,
    },
    /// Nothing was given to compare.
    #[error("no sweep given")]
    NoSweeps,
}

impl ReportError {
    /// What to type next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::List { .. } => Some("name the directory that the sweeps are in, usually: sweeps".to_owned()),
            Self::UnknownMetric { name, known } => Some(match nearest(name, known) {
                Some(metric) => format!("did you mean {metric}?"),
                None if known.is_empty() => "the sweeps report no metric".to_owned(),
                None => format!("there are: {}", known.join(", ")),
            }),
            Self::NoSuchTrial { dir, trials, .. } => Some(match trials_text(trials) {
                Some(text) => format!("{text}; list them with: gradsweep compare {}", dir.display()),
                None => "it has no trials".to_owned(),
            }),
            Self::NoSuchRun { dir, .. } => Some(format!(
                "a run is named by the start of its id, a trial by its number; see a trial's runs with: gradsweep show {} best",
                dir.display()
            )),
            Self::AmbiguousRun { matches, .. } => {
                let mut texts: Vec<String> = matches.iter().take(LISTED).map(ToString::to_string).collect();
                if matches.len() > LISTED {
                    texts.push("…".to_owned());
                }
                Some(format!("give more digits: {}", texts.join(", ")))
            }
            Self::NothingSelected { dir } => Some(format!("see how far it is with: gradsweep show {}", dir.display())),
            Self::UnknownColumn { meant, .. } => meant_text(meant),
            Self::Where { text, at, meant, .. } => {
                let before = sanitize(&text[..*at]).chars().count();
                let guess = meant_text(meant).map_or_else(String::new, |guess| format!(" {guess}"));
                Some(format!("{}\n{}^{guess}", sanitize(text), " ".repeat(before)))
            }
            Self::NoneLeft { .. } => Some("see them all without --where".to_owned()),
            Self::NotTwoMetrics { .. } => Some("as in --pareto log_loss,accuracy".to_owned()),
            Self::TooLittle { .. } | Self::Template { .. } => None,
            Self::NoSweeps => Some("give one or more sweep directories".to_owned()),
        }
    }

    /// Which exit code this error belongs to.
    pub fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Store(error) => error.exit_kind(),
            Self::List { .. }
            | Self::UnknownMetric { .. }
            | Self::NoSuchTrial { .. }
            | Self::NoSuchRun { .. }
            | Self::AmbiguousRun { .. }
            | Self::NothingSelected { .. }
            | Self::UnknownColumn { .. }
            | Self::Where { .. }
            | Self::NoneLeft { .. }
            | Self::NotTwoMetrics { .. }
            | Self::TooLittle { .. }
            | Self::NoSweeps => ExitKind::Usage,
            Self::Template { .. } => ExitKind::Disk,
        }
    }
}

/// `did you mean C?`, or what there is to choose from.
fn meant_text(meant: &[String]) -> Option<String> {
    match meant {
        [] => None,
        [only] => Some(format!("did you mean {only}?")),
        several => {
            let more = if several.len() > LISTED { ", …" } else { "" };
            let listed = &several[..several.len().min(LISTED)];
            Some(format!("there are: {}{more}", listed.join(", ")))
        }
    }
}

/// The known name that is most like `name`, if any is.
pub(crate) fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    const ALIKE: f64 = 0.75;
    let scored = known
        .iter()
        .map(|metric| (strsim::jaro_winkler(name, metric), metric))
        .filter(|(likeness, _)| *likeness >= ALIKE);
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, metric)| metric)
}

/// `its trials are 0 to 15`, or some of the numbers if there are gaps.
fn trials_text(trials: &[u32]) -> Option<String> {
    let (first, last) = (trials.first()?, trials.last()?);
    if first == last {
        return Some(format!("its only trial is {first}"));
    }
    if (last - first) as usize + 1 == trials.len() {
        return Some(format!("its trials are {first} to {last}"));
    }
    let mut texts: Vec<String> = trials.iter().take(LISTED).map(u32::to_string).collect();
    if trials.len() > LISTED {
        texts.push(format!("… {last}"));
    }
    Some(format!("its trials are {}", texts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_guessed() {
        let known = vec!["log_loss".to_owned(), "roc_auc".to_owned()];
        let hint = |name: &str| {
            let error = ReportError::UnknownMetric {
                name: name.to_owned(),
                known: known.clone(),
            };
            error.hint().expect("always a hint")
        };
        assert_eq!(hint("logloss"), "did you mean log_loss?");
        assert_eq!(hint("roc"), "did you mean roc_auc?");
        assert_eq!(hint("f1"), "there are: log_loss, roc_auc");
    }

    #[test]
    fn trials_are_named_as_a_range_or_one_by_one() {
        assert_eq!(trials_text(&[]), None);
        assert_eq!(trials_text(&[3]).as_deref(), Some("its only trial is 3"));
        assert_eq!(trials_text(&[0, 1, 2]).as_deref(), Some("its trials are 0 to 2"));
        assert_eq!(trials_text(&[0, 2]).as_deref(), Some("its trials are 0, 2"));
    }
}
