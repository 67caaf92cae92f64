//! Which runs share a pass, and how their columns are cut into blocks.

use gradsweep_math::elementwise::LANES;
use gradsweep_math::optimizer::Kind;
use gradsweep_math::workspace::WIDEST_BLOCK;

use crate::config::BatchRows;
use crate::search::Trial;

use super::method::Method;
use super::runs::PlannedRun;

/// Columns from which one fold's runs fill blocks of their own, so that no product touches rows the fold holds out.
const WORTH_A_BLOCK: usize = 32;

/// Blocks of a cohort from which runs wait for columns instead, where columns fall free: enough to keep many threads busy.
const BUSY_BLOCKS: usize = 16;

/// Runs of a block that converges, at the most.
const WIDEST_CONVERGING: usize = 1024;
/// Weights of all of its runs, at the most: a run keeps some two dozen vectors of them, in f64.
const MOST_CONVERGING_WEIGHTS: usize = 2 << 20;

/// How the runs of a cohort walk over the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BatchSchedule {
    /// One update per epoch, from all rows.
    Full,
    /// An update per batch of this many training rows.
    Batches {
        /// Training rows per step of a run.
        rows: usize,
        /// Whether rows are dealt anew each epoch.
        shuffle: bool,
    },
    /// Passes over all rows until every run has converged.
    Converge,
}

/// Which stored matrix a cohort walks over: there is one in memory at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataView {
    /// Index into the plan's preparations.
    pub preparation: usize,
    /// The repeat of the folds.
    pub repeat: u32,
}

/// Runs that share a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// When a search that learns from scores asked for their trials: what it asks for later comes into cohorts of its own.
    pub round: u32,
    /// The rows they walk over.
    pub rows: DataView,
    /// What all of them have in common.
    pub schedule: BatchSchedule,
    /// Their columns, cut into products.
    pub blocks: Vec<Block>,
}

/// The columns of one product, sorted so that runs of one fold, and within it of one optimizer, are neighbors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Indices into the plan's runs. Where there are more than [`WIDEST_BLOCK`] and they do not converge, the others wait for
    /// columns that fall free.
    pub runs: Vec<usize>,
}

impl Cohort {
    /// Runs in all blocks.
    pub fn width(&self) -> usize {
        self.blocks.iter().map(|block| block.runs.len()).sum()
    }
}

/// The batch schedule of a trial.
fn schedule(trial: &Trial, method: Method) -> BatchSchedule {
    match (method, trial.train.batch_rows) {
        (Method::QuasiNewton { .. } | Method::Newton, _) => BatchSchedule::Converge,
        (Method::Steps(Kind::Gd), _) | (_, BatchRows::Full) => BatchSchedule::Full,
        (_, BatchRows::Rows(rows)) => BatchSchedule::Batches {
            rows,
            shuffle: trial.train.shuffle,
        },
    }
}

/// Cuts runs into cohorts by what cannot differ inside one pass, and cohorts into blocks. Those of the same rows are neighbors,
/// among the trials that were asked for together.
///
/// `preparations` are the places of the trials' own among the plan's; `may_wait` says whether a run may begin when another ends.
pub(super) fn cut(
    (trials, methods, preparations): (&[Trial], &[Method], &[usize]),
    runs: &[PlannedRun],
    features: usize,
    may_wait: bool,
) -> Vec<Cohort> {
    let may_leave = |run: &usize| {
        let trial = runs[*run].trial;
        trials[trial].train.early_stopping.is_some() || methods[trial] == Method::Steps(Kind::Gd)
    };
    let mut order: Vec<usize> = (0..runs.len()).collect();
    let key = |&run: &usize| {
        let PlannedRun {
            trial,
            fold,
            repeat,
            restart,
            ..
        } = runs[run];
        let schedule = schedule(&trials[trial], methods[trial]);
        let preparation = preparations[trial];
        let rows = DataView { preparation, repeat };
        (
            (trials[trial].round, rows, schedule),
            fold,
            methods[trial],
            trial,
            restart,
        )
    };
    order.sort_by_key(key);
    order
        .chunk_by(|a, b| key(a).0 == key(b).0)
        .map(|cohort| {
            let (round, rows, schedule) = key(&cohort[0]).0;
            let blocks = if schedule == BatchSchedule::Converge {
                wide_blocks(cohort, features)
            } else {
                let waits = may_wait && cohort.iter().any(may_leave);
                blocks(cohort, |run| runs[run].fold, waits)
            };
            Cohort {
                round,
                rows,
                schedule,
                blocks,
            }
        })
        .collect()
}

impl Cohort {
    /// Cuts the runs for which `is_left` holds into blocks anew, so that few runs do not lie scattered over many blocks.
    pub(super) fn recut(&mut self, runs: &[PlannedRun], is_left: impl Fn(usize) -> bool) {
        let left: Vec<usize> = self.blocks.iter().flat_map(|block| &block.runs).copied().collect();
        let left: Vec<usize> = left.into_iter().filter(|run| is_left(*run)).collect();
        self.blocks = blocks(&left, |run| runs[run].fold, false);
    }
}

/// Blocks of runs sorted by fold: each fold on its own where it fills a block, several together where it does not. If runs may
/// wait, there are no more blocks than keep threads busy.
fn blocks(sorted: &[usize], fold: impl Fn(usize) -> usize, may_wait: bool) -> Vec<Block> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for one_fold in sorted.chunk_by(|&a, &b| fold(a) == fold(b)) {
        let fits = |last: &Vec<usize>| {
            last.len() < WORTH_A_BLOCK && one_fold.len() < WORTH_A_BLOCK && last.len() + one_fold.len() <= WIDEST_BLOCK
        };
        match parts.last_mut() {
            Some(last) if fits(last) => last.extend(one_fold),
            _ => parts.push(one_fold.to_vec()),
        }
    }
    // A single part would leave all threads but one without work.
    let at_least = if parts.len() == 1 { 2 } else { 1 };
    parts
        .iter()
        .flat_map(|part| {
            let worth = (part.len() / WORTH_A_BLOCK).clamp(1, at_least);
            let mut pieces = part.len().div_ceil(WIDEST_BLOCK).max(worth);
            if may_wait {
                pieces = pieces.min(BUSY_BLOCKS.div_ceil(parts.len()));
            }
            part.chunks(part.len().div_ceil(pieces))
        })
        .map(|runs| Block { runs: runs.to_vec() })
        .collect()
}

/// Blocks of runs that converge: as few as memory for their states allows, since runs that differ only in C help each other
/// to their starts, and rows, not blocks, are what threads share.
fn wide_blocks(sorted: &[usize], features: usize) -> Vec<Block> {
    let most = MOST_CONVERGING_WEIGHTS / features.max(1) / LANES * LANES;
    let pieces = sorted.len().div_ceil(most.clamp(LANES, WIDEST_CONVERGING));
    sorted
        .chunks(sorted.len().div_ceil(pieces.max(1)).max(1))
        .map(|runs| Block { runs: runs.to_vec() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes of the blocks of `per_fold` runs in each of `folds` folds.
    fn sizes(folds: usize, per_fold: usize) -> Vec<usize> {
        let runs: Vec<usize> = (0..folds * per_fold).collect();
        of(&blocks(&runs, |run| run / per_fold, false))
    }

    fn of(blocks: &[Block]) -> Vec<usize> {
        blocks.iter().map(|block| block.runs.len()).collect()
    }

    #[test]
    fn folds_have_blocks_of_their_own_where_they_fill_them() {
        assert_eq!(sizes(5, 64), [64; 5]);
        assert_eq!(sizes(1, 256), [128, 128]);
        assert_eq!(sizes(1, 64), [32, 32]);
        assert_eq!(sizes(1, 1), [1]);
        assert_eq!(sizes(1, 300), [100, 100, 100]);
        assert_eq!(sizes(2, 200), [100; 4]);
    }

    #[test]
    fn many_runs_wait_where_columns_fall_free() {
        let runs: Vec<usize> = (0..10_000).collect();
        let waiting = |per_fold: usize| of(&blocks(&runs[..5 * per_fold], |run| run / per_fold, true));
        assert_eq!(waiting(2000), [500; 20]);
        assert_eq!(waiting(300), sizes(5, 300));
        assert_eq!(of(&blocks(&runs, |_| 0, true)), [625; 16]);
    }

    #[test]
    fn narrow_folds_share_a_block() {
        assert_eq!(sizes(5, 4), [20]);
        assert_eq!(sizes(5, 16), [32, 32, 16]);
        assert_eq!(sizes(3, 1), [3]);
    }

    #[test]
    fn runs_of_many_weights_converge_in_narrower_blocks() {
        let runs: Vec<usize> = (0..320).collect();
        let sizes = |features| {
            wide_blocks(&runs, features)
                .iter()
                .map(|block| block.runs.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(2000), [320]);
        assert_eq!(sizes(100_000), [16; 20]);
        assert_eq!(sizes(50_000), [32; 10]);
    }

    #[test]
    fn every_run_is_in_one_block() {
        for (folds, per_fold) in [(1, 7), (5, 31), (10, 33), (4, 129)] {
            assert_eq!(sizes(folds, per_fold).iter().sum::<usize>(), folds * per_fold);
        }
    }
}
