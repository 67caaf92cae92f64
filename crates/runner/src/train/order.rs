//! The batch schedule of one epoch: which rows a step takes, from seed and epoch alone.
//!
//! Rows lie in storage grouped by row group and dealt at random when they were loaded. An epoch reshuffles **strips** of
//! neighboring rows, 32 of them to a batch: copying strips costs little more than reading the rows in order, where copying
//! single rows would double the time of a lone run. A batch takes its share of every group, so every run of
//! every fold steps on every batch.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Strips that a batch is made of, at the least.
const STRIPS_PER_BATCH: usize = 32;
/// Rows of a strip, at the most: more are copied no faster.
const LONGEST_STRIP: usize = 64;

/// One epoch's batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    steps: usize,
    groups: usize,
    /// Storage rows in the order in which they are taken.
    pieces: Vec<Range<u32>>,
    /// Where each (step, group) begins in `pieces`; one more at the end.
    bounds: Vec<u32>,
}

impl Order {
    /// The order of one epoch.
    ///
    /// `groups` are the storage rows of each row group. Without `shuffle` the rows come in storage order.
    pub(super) fn new(groups: &[Range<usize>], steps: usize, shuffle: bool, seed: u64, epoch: u32) -> Self {
        let rows: usize = groups.iter().map(ExactSizeIterator::len).sum();
        let length = (rows / steps / STRIPS_PER_BATCH).clamp(1, LONGEST_STRIP);
        let taken: Vec<Vec<Range<u32>>> = groups
            .iter()
            .enumerate()
            .map(|(group, rows)| strips(rows, length, shuffle.then(|| generator(seed, epoch, group))))
            .collect();
        let mut order = Self {
            steps,
            groups: groups.len(),
            pieces: Vec::new(),
            bounds: Vec::new(),
        };
        // A cursor per group: strip and row within it.
        let mut cursors = vec![(0usize, 0u32); groups.len()];
        for step in 0..steps {
            for (group, rows) in groups.iter().enumerate() {
                order.bounds.push(order.pieces.len() as u32);
                let mut wanted = (share(rows.len(), step + 1, steps, group, groups.len())
                    - share(rows.len(), step, steps, group, groups.len())) as u32;
                let (strip, used) = &mut cursors[group];
                while wanted > 0 {
                    let piece = &taken[group][*strip];
                    let first = piece.start + *used;
                    let last = piece.end.min(first + wanted);
                    // Neighbors in storage are one piece, unless a step begins here.
                    let begins = order.bounds.last() == Some(&(order.pieces.len() as u32));
                    match order.pieces.last_mut() {
                        Some(before) if before.end == first && !begins => before.end = last,
                        _ => order.pieces.push(first..last),
                    }
                    wanted -= last - first;
                    if last == piece.end {
                        (*strip, *used) = (*strip + 1, 0);
                    } else {
                        *used = last - piece.start;
                    }
                }
            }
        }
        order.bounds.push(order.pieces.len() as u32);
        order
    }

    /// Batches of the epoch.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The storage rows that a step takes from a group.
    pub(super) fn rows(&self, step: usize, group: usize) -> &[Range<u32>] {
        let index = step * self.groups + group;
        &self.pieces[self.bounds[index] as usize..self.bounds[index + 1] as usize]
    }
}

/// The orders of the epochs in progress, made once and shared by all blocks of a cohort.
#[derive(Debug)]
pub(super) struct Orders {
    groups: Vec<Range<usize>>,
    steps: usize,
    shuffle: bool,
    seed: u64,
    recent: Mutex<Vec<(u32, Arc<Order>)>>,
}

/// Epochs whose order is kept; blocks advance side by side, so that few are in use.
const KEPT: usize = 3;

impl Orders {
    /// Orders of `steps` batches over the storage rows of each group.
    pub(super) fn new(groups: &[Range<usize>], steps: usize, shuffle: bool, seed: u64) -> Self {
        Self {
            groups: groups.to_vec(),
            steps,
            shuffle,
            seed,
            recent: Mutex::new(Vec::new()),
        }
    }

    /// Batches of an epoch.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Rows that the last batch of an epoch takes from a group.
    pub(super) fn rows_of_last_step(&self, group: usize) -> usize {
        let rows = self.groups[group].len();
        rows - share(rows, self.steps - 1, self.steps, group, self.groups.len())
    }

    /// Rows of the largest batch.
    pub(super) fn largest_step(&self) -> usize {
        self.groups.iter().map(|rows| rows.len().div_ceil(self.steps)).sum()
    }

    /// The order of an epoch.
    pub(super) fn of_epoch(&self, epoch: u32) -> Arc<Order> {
        // Without shuffling all epochs are alike.
        let epoch = if self.shuffle { epoch } else { 0 };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, order)) = recent.iter().find(|(of, _)| *of == epoch) {
            return Arc::clone(order);
        }
        let order = Arc::new(Order::new(&self.groups, self.steps, self.shuffle, self.seed, epoch));
        if recent.len() == KEPT {
            recent.remove(0);
        }
        recent.push((epoch, Arc::clone(&order)));
        order
    }
}

/// Rows of a group that the first `step` batches take. Groups are staggered, so that batches smaller than the number of
/// groups still take their rows from one group after the other.
fn share(rows: usize, step: usize, steps: usize, group: usize, groups: usize) -> usize {
    (rows * step + steps * group / groups) / steps
}

/// The rows of a group in strips of `length`, shuffled where there is a generator.
fn strips(rows: &Range<usize>, length: usize, random: Option<ChaCha8Rng>) -> Vec<Range<u32>> {
    let mut strips: Vec<Range<u32>> = rows
        .clone()
        .step_by(length)
        .map(|first| first as u32..(first + length).min(rows.end) as u32)
        .collect();
    if let Some(mut random) = random {
        // Fisher and Yates, with a multiplication in the place of a division.
        for last in (1..strips.len()).rev() {
            let chosen = (u64::from(random.next_u32()) * (last as u64 + 1)) >> 32;
            strips.swap(last, chosen as usize);
        }
    }
    strips
}

/// The generator of a group's order in an epoch.
fn generator(seed: u64, epoch: u32, group: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((u64::from(epoch) << 32) | group as u64);
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_rows(order: &Order, groups: usize) -> Vec<u32> {
        (0..order.steps())
            .flat_map(|step| (0..groups).map(move |group| (step, group)))
            .flat_map(|(step, group)| order.rows(step, group).to_vec())
            .flatten()
            .collect()
    }

    #[test]
    fn an_epoch_takes_every_row_once_and_every_batch_its_share() {
        let groups = [0..103, 103..200, 200..501];
        for shuffle in [false, true] {
            let order = Order::new(&groups, 7, shuffle, 1, 3);
            let mut rows = all_rows(&order, 3);
            rows.sort_unstable();
            assert_eq!(rows, (0..501).collect::<Vec<u32>>());
            for step in 0..7 {
                for (group, rows) in groups.iter().enumerate() {
                    let taken: usize = order.rows(step, group).iter().map(ExactSizeIterator::len).sum();
                    assert!(taken.abs_diff(rows.len() / 7) <= 1);
                }
            }
        }
    }

    #[test]
    fn small_batches_take_turns_between_groups() {
        let groups = [0..100, 100..200, 200..300, 300..400, 400..500];
        let order = Order::new(&groups, 400, true, 0, 1);
        let sizes: Vec<usize> = (0..400)
            .map(|step| {
                (0..5)
                    .flat_map(|group| order.rows(step, group))
                    .map(ExactSizeIterator::len)
                    .sum()
            })
            .collect();
        assert!(sizes.iter().all(|&rows| rows == 1 || rows == 2), "{sizes:?}");
    }

    #[test]
    fn storage_order_is_one_piece_per_batch() {
        let order = Order::new(std::slice::from_ref(&(0..100)), 4, false, 0, 1);
        assert_eq!(order.rows(1, 0), std::slice::from_ref(&(25..50)));
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let order = |seed, epoch| Order::new(std::slice::from_ref(&(0..500)), 5, true, seed, epoch);
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
        let shared = Orders::new(std::slice::from_ref(&(0..500)), 5, true, 1);
        assert_eq!(*shared.of_epoch(2), order(1, 2));
        assert!(Arc::ptr_eq(&shared.of_epoch(2), &shared.of_epoch(2)));
    }
}
