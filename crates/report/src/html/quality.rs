//! How good the chosen model's predictions of held-out rows are: ROC, precision and recall, calibration.

use gradsweep_store::OutOfFold;
use serde_json::{Value, json};

use super::figures::short;
use crate::number;

/// Points of a curve.
const POINTS: usize = 200;
/// Groups of equal size that calibration is looked at in.
const BINS: usize = 10;

/// `{roc, precision_recall, calibration, rows, rate}`; nothing where one of the classes is missing.
pub(super) fn quality(rows: &[OutOfFold]) -> Option<Value> {
    let mut sorted: Vec<(f64, bool)> = rows.iter().map(|row| (row.prob, row.y > 0.5)).collect();
    sorted.retain(|(prob, _)| prob.is_finite());
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = sorted.iter().filter(|(_, is_positive)| *is_positive).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut roc, mut precision) = (vec![(0.0, 0.0)], Vec::new());
    let (mut hits, mut alarms, mut area, mut average) = (0.0, 0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|(_, is_positive)| *is_positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        area += negative * (hits + positive / 2.0);
        hits += positive;
        alarms += negative;
        average += positive * hits / (hits + alarms);
        roc.push((alarms / negatives as f64, hits / positives as f64));
        precision.push((hits / positives as f64, hits / (hits + alarms)));
    }
    let rate = positives as f64 / sorted.len() as f64;
    Some(json!({
        "rows": sorted.len(),
        "rate": short(rate, 5),
        "area": short(area / (positives as f64 * negatives as f64), 5),
        "average_precision": short(average / positives as f64, 5),
        "roc": points(&roc),
        "precision_recall": points(&precision),
        "calibration": calibration(&sorted),
    }))
}

/// The figures of the curves in a sentence.
pub(super) fn in_words(quality: &Value) -> Option<String> {
    let figure = |key: &str| quality[key].as_f64();
    Some(format!(
        "Over {} held-out predictions: area under the ROC curve {}, average precision {} where guessing has {}.",
        number::count(quality["rows"].as_u64()?),
        number::side_score(figure("area")?),
        number::side_score(figure("average_precision")?),
        number::side_score(figure("rate")?),
    ))
}

/// The chosen trial's score on every fold, from its runs as the page's data hold them.
pub(super) fn folds(runs: &Value) -> Vec<Value> {
    let runs = runs.as_array().map_or(&[][..], Vec::as_slice);
    let has_more = |column: usize| runs.iter().any(|run| run[column].as_u64() > Some(0));
    let (has_repeats, has_restarts) = (has_more(2), has_more(3));
    let line = |run: &Value| {
        let mut name = run[1].to_string();
        if has_repeats {
            name += &format!(", repeat {}", run[2]);
        }
        if has_restarts {
            name += &format!(", restart {}", run[3]);
        }
        Some(json!({
            "name": name,
            "rows": run[10].as_u64().map(number::count),
            "score": number::score(run[8].as_f64()?),
        }))
    };
    runs.iter().filter_map(line).collect()
}

/// Some of the points, the ends among them.
fn points(all: &[(f64, f64)]) -> Value {
    let n = all.len();
    let kept = n.min(POINTS);
    let places = (0..kept).map(|point| if kept > 1 { point * (n - 1) / (kept - 1) } else { 0 });
    places
        .map(|place| json!([short(all[place].0, 4), short(all[place].1, 4)]))
        .collect()
}

/// By tenths of the predictions: mean prediction, observed rate, and Wilson's 95 % interval of the rate.
fn calibration(sorted: &[(f64, bool)]) -> Value {
    const Z: f64 = 1.959_963_984_540_054;
    let n = sorted.len();
    let bins = BINS.min(n);
    let bin = |index: usize| {
        let rows = &sorted[index * n / bins..(index + 1) * n / bins];
        let count = rows.len() as f64;
        let mean = rows.iter().map(|(prob, _)| prob).sum::<f64>() / count;
        let rate = rows.iter().filter(|(_, is_positive)| *is_positive).count() as f64 / count;
        let middle = (rate + Z * Z / (2.0 * count)) / (1.0 + Z * Z / count);
        let half = Z / (1.0 + Z * Z / count) * (rate * (1.0 - rate) / count + Z * Z / (4.0 * count * count)).sqrt();
        json!([
            short(mean, 4),
            short(rate, 4),
            short((middle - half).max(0.0), 4),
            short((middle + half).min(1.0), 4),
            rows.len()
        ])
    };
    (0..bins).rev().map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(pairs: &[(f64, f64)]) -> Vec<OutOfFold> {
        let row = |(prob, y): &(f64, f64)| OutOfFold {
            fold: 0,
            repeat: 0,
            y: *y,
            prob: *prob,
        };
        pairs.iter().map(row).collect()
    }

    #[test]
    fn areas_are_those_by_hand() {
        // Pairs of a positive and a negative: 0.9 > 0.8, 0.9 > 0.3, 0.4 < 0.8, 0.4 > 0.3: 3 of 4.
        let quality = quality(&rows(&[(0.9, 1.0), (0.8, 0.0), (0.4, 1.0), (0.3, 0.0)])).expect("both classes");
        assert_eq!(quality["area"], json!(0.75));
        // Precision 1 at the first positive, 2/3 at the second.
        assert_eq!(quality["average_precision"], json!(0.83333));
        assert_eq!(quality["roc"].as_array().map(Vec::len), Some(5));
        assert_eq!(quality["rate"], json!(0.5));
    }

    #[test]
    fn figures_and_folds_are_there_in_words() {
        let quality = quality(&rows(&[(0.9, 1.0), (0.8, 0.0), (0.4, 1.0), (0.3, 0.0)])).expect("both classes");
        assert_eq!(
            in_words(&quality).as_deref(),
            Some(
                "Over 4 held-out predictions: area under the ROC curve 0.7500, average precision 0.8333 where guessing has 0.5000."
            )
        );
        let run = |fold: u32, repeat: u32, score: Option<f64>| {
            json!(["id", fold, repeat, 0, "complete", null, true, 3, score, 0.4, 1200, 0.1])
        };
        let lines = folds(&json!([run(0, 0, Some(0.5)), run(1, 0, None), run(0, 1, Some(0.25))]));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(
            lines[1],
            json!({"name": "0, repeat 1", "rows": "1,200", "score": "0.25000"})
        );
        assert!(folds(&Value::Null).is_empty());
    }

    #[test]
    fn ties_count_half_and_one_class_has_no_curve() {
        let tied = quality(&rows(&[(0.5, 1.0), (0.5, 0.0)])).expect("both classes");
        assert_eq!(tied["area"], json!(0.5));
        assert_eq!(quality(&rows(&[(0.5, 1.0)])), None);
    }
}
