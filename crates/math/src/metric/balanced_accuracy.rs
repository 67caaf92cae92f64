//! Mean of sensitivity and specificity; a class without rows is left out.

use super::ScoredRows;

pub(super) fn value(rows: &ScoredRows) -> f64 {
    let counts = rows.confusion();
    let recalls = [
        counts.true_positives / rows.positives(),
        counts.true_negatives / rows.negatives(),
    ];
    let defined: Vec<f64> = recalls.into_iter().filter(|recall| !recall.is_nan()).collect();
    defined.iter().sum::<f64>() / defined.len() as f64
}
