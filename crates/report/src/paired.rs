//! Scores by fold, and differences of two trials over the folds they share.

use gradsweep_store::{Manifest, RunRow};
use serde_json::Value;

/// The scores of one trial by fold, restarts averaged.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct FoldScores(Vec<FoldScore>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct FoldScore {
    fold: u32,
    repeat: u32,
    n_val: u64,
    score: f64,
}

/// A difference over folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    pub(crate) mean: f64,
    /// Standard error of the mean of the differences.
    pub(crate) se: Option<f64>,
    pub(crate) folds: usize,
}

impl FoldScores {
    /// Of the runs of one trial, which come by fold, repeat, restart. Nothing if some run has no score.
    pub(crate) fn new(runs: &[RunRow], metric: &str, is_train: bool) -> Option<Self> {
        let mut scores = Vec::new();
        for restarts in runs.chunk_by(|a, b| (a.fold, a.repeat) == (b.fold, b.repeat)) {
            let mut sum = 0.0;
            let mut n_val = 0;
            for run in restarts {
                let record = run.record.as_ref()?;
                n_val = record.n_val;
                sum += if is_train {
                    record.train_score(metric)?
                } else {
                    record.val_score(metric)?
                };
            }
            scores.push(FoldScore {
                fold: restarts[0].fold,
                repeat: restarts[0].repeat,
                n_val,
                score: sum / restarts.len() as f64,
            });
        }
        (!scores.is_empty()).then_some(Self(scores))
    }

    /// `self − other`, if both have the same folds with as many held-out rows.
    pub(crate) fn minus(&self, other: &Self) -> Option<Difference> {
        let same = |(a, b): (&FoldScore, &FoldScore)| (a.fold, a.repeat, a.n_val) == (b.fold, b.repeat, b.n_val);
        if self.0.len() != other.0.len() || !self.0.iter().zip(&other.0).all(same) {
            return None;
        }
        let pairs = self.0.iter().zip(&other.0);
        let differences: Vec<f64> = pairs.map(|(a, b)| a.score - b.score).collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let se = (differences.len() > 1 && mean.is_finite()).then(|| {
            let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
            (squares / (n - 1.0) / n).sqrt()
        });
        (!mean.is_nan()).then_some(Difference {
            mean,
            se,
            folds: differences.len(),
        })
    }
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
                    n_val: 10,
                    val: vec![("log_loss".into(), *score)],
                    ..RunRecord::default()
                }),
            })
            .collect()
    }

    fn scores(values: &[f64]) -> FoldScores {
        FoldScores::new(&runs(values), "log_loss", false).expect("every run has a score")
    }

    #[test]
    fn pairing_removes_what_folds_have_in_common() {
        let difference = scores(&[1.5, 2.5, 3.5])
            .minus(&scores(&[1.0, 2.0, 3.0]))
            .expect("the same folds");
        assert_eq!(difference.mean, 0.5);
        assert_eq!(difference.se, Some(0.0));
        assert_eq!(difference.folds, 3);
        // Differences 1 and 3: deviation √2, error √2/√2.
        let difference = scores(&[2.0, 5.0]).minus(&scores(&[1.0, 2.0])).expect("the same folds");
        assert_eq!(difference.mean, 2.0);
        assert!((difference.se.expect("two folds") - 1.0).abs() < 1e-15);
    }

    #[test]
    fn other_folds_are_not_paired() {
        assert_eq!(scores(&[1.0, 2.0]).minus(&scores(&[1.0])), None);
        let mut other = runs(&[1.0, 2.0]);
        if let Some(record) = &mut other[1].record {
            record.n_val = 11;
        }
        let other = FoldScores::new(&other, "log_loss", false).expect("scores");
        assert_eq!(scores(&[1.0, 2.0]).minus(&other), None);
    }

    #[test]
    fn one_fold_has_no_error() {
        let difference = scores(&[2.0]).minus(&scores(&[1.0])).expect("the same fold");
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
