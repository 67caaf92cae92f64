//! Rows with their scores and labels, and what several metrics share: confusion counts and the order by score.

use std::cell::OnceCell;

/// Rows ready to be measured.
#[derive(Debug)]
pub struct ScoredRows {
    /// Score and label of each row.
    rows: Vec<(f64, bool)>,
    cut: f64,
    positives: usize,
    by_score: OnceCell<ByScore>,
}

/// Scores of each class from the top, as integers in the order of the scores: sorting integers, each class on its own,
/// takes a third of the time of sorting rows.
#[derive(Debug)]
struct ByScore {
    positives: Vec<u64>,
    negatives: Vec<u64>,
}

/// Counts of a threshold's decisions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Confusion {
    pub(super) true_positives: f64,
    pub(super) false_positives: f64,
    pub(super) true_negatives: f64,
    pub(super) false_negatives: f64,
}

/// Rows of equal score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tie {
    pub(super) positives: f64,
    pub(super) negatives: f64,
}

impl ScoredRows {
    /// Rows with raw scores z (log odds) and labels; probabilities above `threshold` count as positive.
    pub fn new(rows: impl IntoIterator<Item = (f64, bool)>, threshold: f64) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        let positives = rows.iter().filter(|(_, y)| *y).count();
        Self {
            rows,
            cut: cut(threshold),
            positives,
            by_score: OnceCell::new(),
        }
    }

    pub(super) fn rows(&self) -> &[(f64, bool)] {
        &self.rows
    }

    pub(super) fn positives(&self) -> f64 {
        self.positives as f64
    }

    pub(super) fn negatives(&self) -> f64 {
        (self.rows.len() - self.positives) as f64
    }

    pub(super) fn confusion(&self) -> Confusion {
        let count = |above: bool, positive: bool| {
            self.rows
                .iter()
                .filter(|(z, y)| (*z > self.cut) == above && *y == positive)
                .count() as f64
        };
        Confusion {
            true_positives: count(true, true),
            false_positives: count(true, false),
            true_negatives: count(false, false),
            false_negatives: count(false, true),
        }
    }

    /// Groups of equal score, highest first.
    pub(super) fn ties_from_the_top(&self) -> impl Iterator<Item = Tie> {
        let sorted = self.by_score.get_or_init(|| {
            let of_class = |positive: bool| {
                let own = self.rows.iter().filter(|(_, y)| *y == positive);
                let mut keys: Vec<u64> = own.map(|(z, _)| !ordered(*z)).collect();
                keys.sort_unstable();
                keys
            };
            ByScore {
                positives: of_class(true),
                negatives: of_class(false),
            }
        });
        let (mut positives, mut negatives) = (sorted.positives.as_slice(), sorted.negatives.as_slice());
        std::iter::from_fn(move || {
            let top = match (positives.first(), negatives.first()) {
                (None, None) => return None,
                (Some(&one), None) | (None, Some(&one)) => one,
                (Some(&a), Some(&b)) => a.min(b),
            };
            Some(Tie {
                positives: take(&mut positives, top),
                negatives: take(&mut negatives, top),
            })
        })
    }
}

/// Removes the leading entries that equal `key`; returns how many there were.
fn take(keys: &mut &[u64], key: u64) -> f64 {
    let same = keys.iter().take_while(|&&other| other == key).count();
    *keys = &keys[same..];
    same as f64
}

/// An integer that orders as the score does; −0 and 0 are one score.
fn ordered(z: f64) -> u64 {
    let bits = (z + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// The score above which a probability lies above `threshold`: log(t / (1 − t)).
pub fn cut(threshold: f64) -> f64 {
    (threshold / (1.0 - threshold)).ln()
}

#[cfg(test)]
mod tests {
    use super::ordered;

    #[test]
    fn keys_order_as_scores_do() {
        let scores = [
            f64::NEG_INFINITY,
            -1e300,
            -1.5,
            -1e-310,
            0.0,
            1e-310,
            2.0,
            1e300,
            f64::INFINITY,
        ];
        assert!(scores.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert_eq!(ordered(-0.0), ordered(0.0));
    }
}
