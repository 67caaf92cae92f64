//! How good probabilities are.

use gradsweep_math::loss::logistic::sigmoid;
use gradsweep_math::metric::{Metric, ScoredRows};
use serde::Serialize;

use super::Row;

/// Bins of the table.
const BINS: usize = 10;

/// Scores of probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scores {
    /// Mean negative log-likelihood; probabilities of 0 and 1 count as one rounding away from them, as scikit-learn's.
    pub log_loss: f64,
    /// Mean squared error of the probability.
    pub brier_score: f64,
    /// Area under the ROC curve.
    pub roc_auc: f64,
}

/// Rows of about the same prediction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// How many.
    pub rows: usize,
    /// Mean of the probabilities as they are.
    pub predicted: f64,
    /// Mean of the calibrated ones.
    pub calibrated: f64,
    /// Share of rows with the positive label.
    pub observed: f64,
}

impl Scores {
    pub(super) fn of(rows: &[Row]) -> Self {
        let most = ((1.0 - f64::EPSILON) / f64::EPSILON).ln();
        let scored = ScoredRows::new(rows.iter().map(|row| (row.z.clamp(-most, most), row.y)), 0.5);
        Self {
            log_loss: Metric::LogLoss.value(&scored),
            brier_score: Metric::BrierScore.value(&scored),
            roc_auc: Metric::RocAuc.value(&scored),
        }
    }
}

/// Tenths of the rows, by their predictions as they are.
pub(super) fn table(before: &[Row], after: &[Row]) -> Vec<Bin> {
    let mut order: Vec<usize> = (0..before.len()).collect();
    order.sort_by(|&a, &b| before[a].z.total_cmp(&before[b].z));
    let bins = BINS.min(before.len());
    let mean = |own: &[usize], of: &dyn Fn(usize) -> f64| own.iter().map(|&i| of(i)).sum::<f64>() / own.len() as f64;
    (0..bins)
        .map(|bin| {
            let own = &order[before.len() * bin / bins..before.len() * (bin + 1) / bins];
            Bin {
                rows: own.len(),
                predicted: mean(own, &|i| sigmoid(before[i].z)),
                calibrated: mean(own, &|i| sigmoid(after[i].z)),
                observed: mean(own, &|i| f64::from(u8::from(before[i].y))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_all_rows_and_impossible_probabilities_are_finite() {
        let rows: Vec<Row> = (0..23_u8)
            .map(|i| Row {
                z: f64::from(i) - 11.0,
                y: i % 3 == 0,
                part: 0,
            })
            .collect();
        let table = table(&rows, &rows);
        assert_eq!(table.iter().map(|bin| bin.rows).sum::<usize>(), 23);
        assert!(table.is_sorted_by(|a, b| a.predicted < b.predicted));
        let mut wrong = rows[0];
        (wrong.z, wrong.y) = (f64::NEG_INFINITY, true);
        assert!((Scores::of(&[wrong, rows[1]]).log_loss - 36.04 / 2.0).abs() < 0.01);
    }
}
