//! What a run leaves: its record, its history, its coefficients.

use std::sync::Arc;

/// A metric's or feature's name: cloned freely, allocated once.
pub type Name = Arc<str>;

/// Identity of a run: a hash of everything that decides its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RunId(pub u64);

/// Sixteen hex digits.
impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for RunId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// An enum whose variants are words of the tables: the list, the word of each, and the way back.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word used in tables and on the terminal.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The variant with this word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|variant| variant.name() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

words! {
    /// How a run ended.
    RunState {
        /// It was trained to its end.
        Complete = "complete",
        /// The search stopped it early.
        Pruned = "pruned",
        /// It has no usable result.
        Failed = "failed",
    }
}

words! {
    /// State of a trial: the worst of its runs', `waiting` as long as one of them has no record.
    TrialState {
        /// Some run has no record yet.
        Waiting = "waiting",
        /// All runs were trained to their end.
        Complete = "complete",
        /// The search stopped it early.
        Pruned = "pruned",
        /// Some run failed.
        Failed = "failed",
    }
}

words! {
    /// Why a run ended.
    Reason {
        /// The gradient fell below `tol`.
        Tol = "tol",
        /// It had all its epochs.
        MaxEpochs = "max_epochs",
        /// Its validation score no longer improved.
        EarlyStopped = "early_stopped",
        /// Its weights or its loss were no longer finite.
        Diverged = "diverged",
        /// The classes are separable and nothing bounds the weights.
        Separated = "separated",
        /// A bug.
        Panic = "panic",
    }
}

words! {
    /// Which rows a score is from.
    Split {
        /// The rows a run was trained on.
        Train = "train",
        /// The rows held out from it.
        Val = "val",
    }
}

/// What is known of one run at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Which run.
    pub run: RunId,
    /// How it ended.
    pub state: RunState,
    /// Why it ended.
    pub reason: Option<Reason>,
    /// Whether the solver's own criterion was met.
    pub converged: bool,
    /// Epochs it was trained.
    pub epochs: u32,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u32>,
    /// The pass of its cohort in which it started.
    pub first_pass: u32,
    /// The last rung it reached in a search that prunes.
    pub rung: Option<u32>,
    /// The objective at the end, per unit of training weight.
    pub objective: Option<f64>,
    /// Greatest absolute entry of the gradient at the end.
    pub grad_norm: Option<f64>,
    /// Strength of the L1 penalty on the mean loss.
    pub l1: f64,
    /// Strength of the L2 penalty on the mean loss.
    pub l2: f64,
    /// Training rows.
    pub n_train: u64,
    /// Held-out rows.
    pub n_val: u64,
    /// Scores on the training rows. A score that is not a number is recorded as missing.
    pub train: Vec<(Name, f64)>,
    /// Scores on the held-out rows, as `train`.
    pub val: Vec<(Name, f64)>,
    /// Its share of its cohort's time.
    pub seconds: f64,
}

impl RunRecord {
    /// Whether the solver's own criterion was met; nothing of a run whose solver has none, as those that step on batches.
    pub fn certificate(&self) -> Option<bool> {
        self.grad_norm.map(|_| self.converged)
    }
}

impl Default for RunRecord {
    fn default() -> Self {
        Self {
            run: RunId::default(),
            state: RunState::Complete,
            reason: None,
            converged: false,
            epochs: 0,
            best_epoch: None,
            first_pass: 0,
            rung: None,
            objective: None,
            grad_norm: None,
            l1: 0.0,
            l2: 0.0,
            n_train: 0,
            n_val: 0,
            train: Vec::new(),
            val: Vec::new(),
            seconds: 0.0,
        }
    }
}

impl RunRecord {
    /// The score of `metric` on the held-out rows.
    pub fn val_score(&self, metric: &str) -> Option<f64> {
        score_of(&self.val, metric)
    }

    /// The score of `metric` on the training rows.
    pub fn train_score(&self, metric: &str) -> Option<f64> {
        score_of(&self.train, metric)
    }
}

fn score_of(scores: &[(Name, f64)], metric: &str) -> Option<f64> {
    let (_, value) = scores.iter().find(|(name, _)| &**name == metric)?;
    (!value.is_nan()).then_some(*value)
}

/// One score of one run at the end of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// Which run.
    pub run: RunId,
    /// Which epoch, counted from 1 (0 = before the first).
    pub epoch: u32,
    /// Which rows.
    pub split: Split,
    /// Which metric.
    pub metric: Name,
    /// The score.
    pub value: f64,
}

/// One coefficient of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct CoefficientRow {
    /// Which run.
    pub run: RunId,
    /// Which feature; `(intercept)` for the intercept.
    pub feature: Name,
    /// In the units of the data.
    pub coefficient: f64,
    /// In the space the run was trained in.
    pub coefficient_standardized: f64,
}

/// A piece of a sweep: finished runs with all that belongs to them. History and coefficients of a run lie in the part of its record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// The records.
    pub runs: Vec<RunRecord>,
    /// Their scores by epoch.
    pub history: Vec<HistoryRow>,
    /// Their coefficients, in the order of the features.
    pub coefficients: Vec<CoefficientRow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_are_sixteen_hex_digits() {
        let run = RunId(0xAB);
        assert_eq!(run.to_string(), "00000000000000ab");
        assert_eq!(run.to_string().parse(), Ok(run));
    }

    #[test]
    fn every_word_reads_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.name()), Some(*reason));
        }
        for state in TrialState::ALL {
            assert_eq!(TrialState::parse(state.name()), Some(*state));
        }
        assert_eq!(RunState::parse("waiting"), None);
        assert_eq!(Split::parse("val"), Some(Split::Val));
    }

    #[test]
    fn a_score_that_is_not_a_number_is_missing() {
        let record = RunRecord {
            val: vec![("log_loss".into(), f64::NAN), ("roc_auc".into(), 0.5)],
            ..RunRecord::default()
        };
        assert_eq!(record.val_score("log_loss"), None);
        assert_eq!(record.val_score("roc_auc"), Some(0.5));
        assert_eq!(record.train_score("roc_auc"), None);
    }
}
