//! The rungs of a sweep that prunes: who was compared where.

use gradsweep_store::{Manifest, TrialRow, TrialState, TrialTable};

use crate::number;
use crate::summary::{headline, is_validated};
use crate::table::{Grid, Side};

/// Rungs that a table holds, at the most; the factor is 2 at the least and epochs have 32 bits.
const MOST_RUNGS: u32 = 32;

/// A rung, and what became of the trials that reached it.
pub(crate) struct Rung {
    pub(crate) number: u32,
    pub(crate) epochs: u32,
    pub(crate) reached: usize,
    pub(crate) pruned: usize,
    pub(crate) failed: usize,
    /// The best score of those that were pruned.
    pub(crate) best_pruned: Option<f64>,
}

/// The rungs of a sweep; none where it prunes nothing.
pub(crate) fn rungs(manifest: &Manifest, trials: &TrialTable) -> Option<Vec<Rung>> {
    let epochs = epochs(manifest)?;
    let index = trials.metrics.iter().position(|held| held.name == manifest.select);
    let is_train = !is_validated(trials, &manifest.select);
    let rung = |(rung, epochs): (u32, &u32)| {
        let has_reached = |row: &&TrialRow| row.state == TrialState::Waiting || row.rung.is_some_and(|own| own >= rung);
        let ended = |state: TrialState| {
            trials
                .rows
                .iter()
                .filter(move |row| row.rung == Some(rung) && row.state == state)
        };
        // Trials are sorted by rank nowhere in the table, so the best is looked for.
        let best = ended(TrialState::Pruned).min_by_key(|row| row.rank);
        Rung {
            number: rung,
            epochs: *epochs,
            reached: trials.rows.iter().filter(has_reached).count(),
            pruned: ended(TrialState::Pruned).count(),
            failed: ended(TrialState::Failed).count(),
            best_pruned: best.and_then(|row| headline(&row.scores[index?], is_train).0),
        }
    };
    Some((0..).zip(&epochs).map(rung).collect())
}

/// The table of rungs; none where the sweep prunes nothing.
pub(crate) fn table(manifest: &Manifest, trials: &TrialTable) -> Option<Grid> {
    let mut grid = Grid::new();
    for name in ["rung", "epochs", "trials", "pruned", "failed"] {
        grid.column(name, Side::Right);
    }
    grid.column(format!("best {} of the pruned", manifest.select), Side::Right);
    for rung in rungs(manifest, trials)? {
        grid.texts(vec![
            rung.number.to_string(),
            number::count(u64::from(rung.epochs)),
            number::count(rung.reached as u64),
            number::count(rung.pruned as u64),
            number::count(rung.failed as u64),
            rung.best_pruned.map_or_else(|| number::NONE.to_owned(), number::score),
        ]);
    }
    Some(grid)
}

/// The epochs of every rung, those of the end last.
fn epochs(manifest: &Manifest) -> Option<Vec<u32>> {
    let number = |key: &str| {
        let value = manifest.keys.get(key)?.as_u64()?;
        u32::try_from(value).ok()
    };
    let rule = |of: &str| {
        Some((
            number(&format!("sweep.{of}.factor"))?,
            number(&format!("sweep.{of}.min_epochs"))?,
        ))
    };
    let (factor, first) = rule("halving").or_else(|| rule("hyperband"))?;
    let last = number("train.epochs")?;
    let multiples = std::iter::successors(Some(first), |epochs| epochs.checked_mul(factor));
    let rungs = multiples.take(MOST_RUNGS as usize).take_while(|epochs| *epochs < last);
    Some(rungs.chain([last]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradsweep_store::{MetricInfo, Score};

    #[test]
    fn trials_are_counted_at_every_rung_they_reached() {
        let keys = [
            ("sweep.halving.factor", 3),
            ("sweep.halving.min_epochs", 1),
            ("train.epochs", 9),
        ];
        let manifest = Manifest {
            select: "log_loss".to_owned(),
            keys: keys.map(|(key, value)| (key.to_owned(), value.into())).into(),
            ..Manifest::default()
        };
        let trial = |(number, (state, rung, score)): (u32, (TrialState, u32, f64))| TrialRow {
            trial: number,
            params: Vec::new(),
            scores: vec![Score {
                mean_val: Some(score),
                std_val: None,
                se_val: None,
                mean_train: None,
            }],
            rank: number,
            state,
            rung: Some(rung),
            n_runs: 1,
            n_failed: 0,
            is_selected: false,
        };
        let states = [
            (TrialState::Complete, 2, 0.4),
            (TrialState::Pruned, 1, 0.5),
            (TrialState::Pruned, 0, 0.6),
            (TrialState::Pruned, 0, 0.7),
            (TrialState::Failed, 0, 9.0),
        ];
        let trials = TrialTable {
            params: Vec::new(),
            metrics: vec![MetricInfo {
                name: "log_loss".to_owned(),
                higher_is_better: false,
            }],
            rows: (0..).zip(states).map(trial).collect(),
        };
        let csv = table(&manifest, &trials).expect("a sweep that prunes").to_csv();
        let lines: Vec<&str> = csv.lines().skip(1).collect();
        assert!(lines[0].starts_with("0,1,5,2,1,0.60"), "{csv}");
        assert!(lines[1].starts_with("1,3,2,1,0,0.50"), "{csv}");
        assert!(lines[2].starts_with("2,9,1,0,0,"), "{csv}");
        assert_eq!(table(&Manifest::default(), &trials), None);
    }
}
