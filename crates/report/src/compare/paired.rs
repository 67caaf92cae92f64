//! Scores by fold, and differences of two trials over the folds they share.

use gradsweep_store::{Manifest, RunRow};
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The scores of one trial by fold, restarts averaged.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct FoldScores(Vec<FoldScore>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct FoldScore {
    fold: u32,
    repeat: u32,
    n_train: u64,
    n_val: u64,
    restarts: usize,
    score: f64,
}

/// A difference over folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    pub(crate) mean: f64,
    /// Standard error of the mean of the differences, corrected for the rows that training sets share where that is valid.
    pub(crate) se: Option<f64>,
    /// Two-sided, of no difference; nothing where the test is not valid.
    pub(crate) p: Option<f64>,
    pub(crate) folds: usize,
}

/// Whether the corrected test holds for how the folds were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// Folds are random.
    Valid,
    /// Folds are not a random division of the rows.
    NotValid(&'static str),
}

impl Test {
    /// As the sweep's folds were made.
    pub(crate) fn new(manifest: &Manifest) -> Self {
        match manifest.keys.get("validation.strategy").and_then(Value::as_str) {
            Some("group") => Self::NotValid("group"),
            Some("time") => Self::NotValid("time"),
            Some("predefined") => Self::NotValid("predefined"),
            _ => Self::Valid,
        }
    }
}

impl FoldScores {
    /// Of the runs of one trial, which come by fold, repeat, restart. Nothing if some run has no score.
    pub(crate) fn new(runs: &[RunRow], metric: &str, is_train: bool) -> Option<Self> {
        let mut scores = Vec::new();
        for restarts in runs.chunk_by(|a, b| (a.fold, a.repeat) == (b.fold, b.repeat)) {
            let mut sum = 0.0;
            let (mut n_train, mut n_val) = (0, 0);
            for run in restarts {
                let record = run.record.as_ref()?;
                (n_train, n_val) = (record.n_train, record.n_val);
                sum += if is_train {
                    record.train_score(metric)?
                } else {
                    record.val_score(metric)?
                };
            }
            scores.push(FoldScore {
                fold: restarts[0].fold,
                repeat: restarts[0].repeat,
                n_train,
                n_val,
                restarts: restarts.len(),
                score: sum / restarts.len() as f64,
            });
        }
        (!scores.is_empty()).then_some(Self(scores))
    }

    /// The scores, by fold and repeat.
    pub(crate) fn scores(&self) -> Vec<f64> {
        self.0.iter().map(|held| held.score).collect()
    }

    /// Whether both have the same folds with as many held-out rows, and as many restarts.
    pub(crate) fn pairs_with(&self, other: &Self) -> bool {
        let key = |held: &FoldScore| (held.fold, held.repeat, held.n_val, held.restarts);
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| key(a) == key(b))
    }

    /// `self − other`, if both have the same folds.
    ///
    /// Training sets of different folds share most of their rows, so the J differences are not independent and their plain standard error is too
    /// small. The corrected resampled t-test takes the variance of their mean as `(1/J + n_val/n_train)·s²` and compares with Student's t of
    /// J − 1 degrees of freedom. It is made for random folds; for others the error is the plain one and there is no p-value.
    ///
    /// # Source
    /// Nadeau and Bengio 2003, Inference for the Generalization Error, Machine Learning 52, 239-281.
    pub(crate) fn minus(&self, other: &Self, test: Test) -> Option<Difference> {
        if !self.pairs_with(other) {
            return None;
        }
        let pairs = self.0.iter().zip(&other.0);
        let differences: Vec<f64> = pairs.map(|(a, b)| a.score - b.score).collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        if mean.is_nan() {
            return None;
        }
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        let variance = (differences.len() > 1 && mean.is_finite()).then(|| squares / (n - 1.0));
        let ratio = self
            .0
            .iter()
            .map(|held| held.n_val as f64 / held.n_train as f64)
            .sum::<f64>()
            / n;
        let is_valid = test == Test::Valid && ratio.is_finite();
        let share = 1.0 / n + if is_valid { ratio } else { 0.0 };
        let se = variance.map(|variance| (share * variance).sqrt());
        Some(Difference {
            mean,
            se,
            p: se
                .filter(|_| is_valid)
                .and_then(|se| two_sided(mean, spread(se, &self.0), n - 1.0)),
            folds: differences.len(),
        })
    }
}

/// An error, or 0 where it is no more than the rounding of the scores.
fn spread(se: f64, scores: &[FoldScore]) -> f64 {
    const ROUNDING: f64 = 1e-12;
    let largest = scores.iter().map(|held| held.score.abs()).fold(0.0, f64::max);
    if se > ROUNDING * largest { se } else { 0.0 }
}

/// The chance of a mean at least this far from 0 if there is no difference.
fn two_sided(mean: f64, se: f64, freedom: f64) -> Option<f64> {
    if mean == 0.0 {
        return Some(1.0);
    }
    if se == 0.0 {
        // Equal differences in all folds: no spread to judge them by.
        return None;
    }
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some((2.0 * distribution.cdf(-(mean / se).abs())).clamp(0.0, 1.0))
}

/// What decides which rows are held out in which fold: two sweeps in which it is equal were scored on the same rows.
pub(crate) fn split_identity(manifest: &Manifest) -> Vec<(String, Value)> {
    let keys = &manifest.keys;
    let is = |key: &str, value: &Value| keys.get(key) == Some(value);
    let is_seedless =
        is("validation.strategy", &Value::from("predefined")) || is("validation.shuffle", &Value::from(false));
    let decides = |key: &str| {
        key.starts_with("validation.")
            || matches!(key, "data.target" | "data.positive" | "data.null_target" | "data.fold")
            || (key == "run.seed" && !is_seedless)
    };
    let mut identity = vec![("fingerprint".to_owned(), manifest.fingerprint.clone().into())];
    identity.extend(
        keys.iter()
            .filter(|(key, _)| decides(key))
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    if !keys.contains_key("run.seed") && !is_seedless {
        identity.push(("run.seed".to_owned(), manifest.seed.into()));
    }
    identity
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "the figures are exact in binary")]

    use super::*;
    use gradsweep_store::{RunId, RunRecord};

    impl FoldScores {
        /// Scores of as many folds, for tests of what is made of them.
        pub(crate) fn of(values: &[f64]) -> Self {
            Self::new(&runs(values), "log_loss", false).expect("every run has a score")
        }
    }

    fn runs(scores: &[f64]) -> Vec<RunRow> {
        (0_u32..)
            .zip(scores)
            .map(|(fold, score)| RunRow {
                run: RunId(0),
                trial: 0,
                fold,
                repeat: 0,
                restart: 0,
                record: Some(RunRecord {
                    n_train: 40,
                    n_val: 10,
                    val: vec![("log_loss".into(), *score)],
                    ..RunRecord::default()
                }),
            })
            .collect()
    }

    const RANDOM: Test = Test::Valid;

    fn scores(values: &[f64]) -> FoldScores {
        FoldScores::of(values)
    }

    #[test]
    fn pairing_removes_what_folds_have_in_common() {
        let difference = scores(&[1.5, 2.5, 3.5])
            .minus(&scores(&[1.0, 2.0, 3.0]), RANDOM)
            .expect("the same folds");
        assert_eq!(difference.mean, 0.5);
        assert_eq!(difference.se, Some(0.0));
        assert_eq!(difference.folds, 3);
        // Differences 1 and 3 have the variance 2; plainly the error is √(2/2).
        let plain = scores(&[2.0, 5.0]).minus(&scores(&[1.0, 2.0]), Test::NotValid("time"));
        let plain = plain.expect("the same folds");
        assert_eq!((plain.mean, plain.p), (2.0, None));
        assert!((plain.se.expect("two folds") - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_error_is_corrected_for_shared_training_rows() {
        // Differences 1, 2, 3, 2, 2: mean 2, variance 1/2; 40 rows trained on, 10 held out: √((1/5 + 1/4)/2), t = 4.216 on 4 degrees.
        let difference = scores(&[1.0, 2.0, 3.0, 2.0, 2.0]).minus(&scores(&[0.0; 5]), RANDOM);
        let difference = difference.expect("the same folds");
        assert_eq!(difference.mean, 2.0);
        assert!((difference.se.expect("five folds") - 0.225_f64.sqrt()).abs() < 1e-15);
        // 2·pt(−2/√0.225, 4).
        assert!(
            (difference.p.expect("valid") - 0.013_516_881_5).abs() < 1e-9,
            "{difference:?}"
        );
    }

    #[test]
    fn no_difference_has_p_one_and_no_spread_has_none() {
        let same = scores(&[1.0, 2.0]).minus(&scores(&[1.0, 2.0]), RANDOM);
        assert_eq!(same.and_then(|difference| difference.p), Some(1.0));
        let shifted = scores(&[1.5, 2.5]).minus(&scores(&[1.0, 2.0]), RANDOM);
        assert_eq!(shifted.and_then(|difference| difference.p), None);
        // Shifted by a number that rounds differently in each fold.
        let rounded = scores(&[1.1, 2.1, 3.1]).minus(&scores(&[1.0, 2.0, 3.0]), RANDOM);
        assert_eq!(rounded.and_then(|difference| difference.p), None);
    }

    #[test]
    fn other_folds_are_not_paired() {
        assert_eq!(scores(&[1.0, 2.0]).minus(&scores(&[1.0]), RANDOM), None);
        let mut other = runs(&[1.0, 2.0]);
        if let Some(record) = &mut other[1].record {
            record.n_val = 11;
        }
        let other = FoldScores::new(&other, "log_loss", false).expect("scores");
        assert_eq!(scores(&[1.0, 2.0]).minus(&other, RANDOM), None);
    }

    #[test]
    fn one_fold_has_no_error() {
        let difference = scores(&[2.0]).minus(&scores(&[1.0]), RANDOM).expect("the same fold");
        assert_eq!((difference.mean, difference.se), (1.0, None));
    }

    #[test]
    fn the_seed_counts_unless_nothing_is_drawn() {
        let manifest = |seed: u64, strategy: &str| Manifest {
            seed,
            keys: [
                ("validation.strategy".to_owned(), Value::from(strategy)),
                ("run.seed".to_owned(), Value::from(seed)),
                ("train.epochs".to_owned(), Value::from(seed)),
            ]
            .into(),
            ..Manifest::default()
        };
        let identity = |seed, strategy| split_identity(&manifest(seed, strategy));
        assert_ne!(identity(1, "stratified"), identity(2, "stratified"));
        assert_eq!(identity(1, "predefined"), identity(2, "predefined"));
        assert_ne!(identity(1, "predefined"), identity(1, "stratified"));
    }
}
