//! Rows with their scores and labels, and what several metrics share: confusion counts and the order by score.

use std::cell::OnceCell;

/// Rows ready to be measured.
#[derive(Debug)]
pub struct ScoredRows {
    /// Score and label of each row.
    rows: Vec<(f64, bool)>,
    cut: f64,
    positives: usize,
    by_score: OnceCell<Vec<(f64, bool)>>,
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
        Self { rows, cut: cut(threshold), positives, by_score: OnceCell::new() }
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
            self.rows.iter().filter(|(z, y)| (*z > self.cut) == above && *y == positive).count() as f64
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
            let mut sorted = self.rows.clone();
            sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            sorted
        });
        // −0 and 0 are one score.
        sorted.chunk_by(|a, b| a.0 == b.0).map(|tie| {
            let positives = tie.iter().filter(|(_, y)| *y).count();
            Tie { positives: positives as f64, negatives: (tie.len() - positives) as f64 }
        })
    }
}

/// The score above which a probability lies above `threshold`: log(t / (1 − t)).
pub fn cut(threshold: f64) -> f64 {
    (threshold / (1.0 - threshold)).ln()
}
