//! Seconds of training, foreseen: the training of the plan itself, for a moment, on some of the rows.

use std::time::{Duration, Instant};

use gradsweep_data::Role;
use gradsweep_math::Real;
use gradsweep_math::optimizer::Kind;
use gradsweep_math::workspace::{WIDEST_BLOCK, padded_width};
use serde::Serialize;

use super::{BatchSchedule, Block, Cohort, Method, Plan};
use crate::config::Config;
use crate::event::Silent;
use crate::rungs::Ladder;
use crate::train::{Rehearsal, Task, View, rehearse, time_tests, time_trip, window};

/// What all cohorts together may be trained for.
pub(crate) const BUDGET: Duration = Duration::from_millis(160);
/// Arithmetic of a first try, in units of 10⁹ operations: a few milliseconds.
const FIRST_GFLOP: f64 = 0.1;
/// Arithmetic of the least that can be tried above which not all blocks are.
const MOST_GFLOP: f64 = 0.5;
/// Blocks that are tried at the most: each takes some time, however little arithmetic it has.
const MOST_BLOCKS: usize = 16;
/// Rows of a trip that are tried, at the least: they keep all threads busy.
const FEWEST_ROWS: usize = 8192;
/// Epochs of a rehearsed run that converges, at the most.
const CONVERGING_EPOCHS: u32 = 4;
/// Trips of all runs over the rows that such a rehearsal takes, as a guess from one of them.
const CONVERGING_TRIPS: f64 = 6.0;
/// Time of an epoch of converging runs over that of a trip of all of them, where there is no time to rehearse: they take it in
/// narrower products, and look for directions.
const OVER_TRIP: f64 = 2.0;
/// Features up to which a converging cohort is rehearsed: the shared curvature takes their cube.
const MOST_FEATURES: usize = 300;
/// Parts of the rows that a cohort is tried on after the first, if they are no larger than all of them.
const WINDOWS: f64 = 4.0;
/// What a run may spend on foreseeing its time, of what its arithmetic would take at [`MODEST`].
const SHARE_OF_RUN: f64 = 0.01;
/// And in any case.
const LEAST: Duration = Duration::from_millis(3);
/// Operations a second that any machine manages.
const MODEST: f64 = 2e10;

/// How long training takes on this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Seconds of an epoch of every cohort of the first rows, in the order of the plan, with its share of what comes before
    /// the first epoch and after the last. Of runs that converge it is a trip of all of them over the rows.
    pub seconds_per_epoch: Vec<f64>,
    /// Seconds of training in all; none where runs may end before their last epoch.
    pub seconds: Option<f64>,
    /// Seconds of training in all where runs may end before their last epoch: if every run has one epoch, and if it has all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_range: Option<[f64; 2]>,
    /// Seconds that measuring took.
    pub measured_for: f64,
}

/// The price of a cohort, in seconds.
#[derive(Debug, Clone, Copy)]
struct Price {
    /// Of an epoch.
    epoch: f64,
    /// Of what is done once.
    once: f64,
    /// Epochs of a run, on average.
    epochs: f64,
}

impl Price {
    fn per_epoch(&self) -> f64 {
        self.epoch + self.once / self.epochs.max(1.0)
    }

    /// In all, if runs have this share of their epochs.
    fn of_share(&self, share: f64) -> f64 {
        self.epoch * self.epochs * share + self.once
    }
}

impl Speed {
    /// Trains every cohort of the first rows for a moment; all of them together for `budget`.
    pub(crate) fn measure<T: Real>(plan: &Plan, config: &Config, view: &View<'_, T>, budget: Duration) -> Self {
        let start = Instant::now();
        let short = shortened(plan);
        let first = plan.cohorts.first().map(|cohort| cohort.rows);
        let tried: Vec<usize> = (0..plan.cohorts.len())
            .filter(|&index| Some(plan.cohorts[index].rows) == first)
            .collect();
        // Other repeats and preparations take as long for each of their runs.
        let measured: usize = tried.iter().map(|&index| plan.cohorts[index].width()).sum();
        let times = plan.pending() as f64 / measured.max(1) as f64;
        let budget = budget.div_f64(tried.len().max(1) as f64);
        let prices: Vec<Price> = tried
            .iter()
            .map(|&index| price(plan, &short, index, view, budget))
            .collect();
        let in_all = |of: &dyn Fn(&Price) -> f64| prices.iter().map(of).sum::<f64>() * times;
        let share = Ladder::new(config, plan.trials.len()).map_or(1.0, |ladder| ladder.share());
        let most = in_all(&|price| price.of_share(share));
        let is_fixed = !may_end_early(plan, config);
        Self {
            seconds_per_epoch: prices.iter().map(Price::per_epoch).collect(),
            seconds: is_fixed.then_some(most),
            seconds_range: (!is_fixed).then(|| [in_all(&Price::per_epoch).min(most), most]),
            measured_for: start.elapsed().as_secs_f64(),
        }
    }

    /// As [`Speed::measure`] before a sweep that trains the runs of `plan`: for a time that its training does not notice.
    pub(crate) fn foreseen<T: Real>(plan: &Plan, config: &Config, view: &View<'_, T>) -> Self {
        let flop: f64 = plan
            .cohorts
            .iter()
            .map(|cohort| 1e9 * gflop_per_epoch(cohort, view) * mean_epochs(plan, cohort))
            .sum();
        let budget = Duration::try_from_secs_f64(SHARE_OF_RUN * flop / MODEST).unwrap_or(BUDGET);
        Self::measure(plan, config, view, budget.clamp(LEAST, BUDGET))
    }

    /// The same for what is trained after this, too.
    pub(crate) fn and(mut self, next: Self) -> Self {
        let range = |speed: &Self| speed.seconds.map(|seconds| [seconds; 2]).or(speed.seconds_range);
        let sum = range(&self)
            .zip(range(&next))
            .map(|(own, other)| [own[0] + other[0], own[1] + other[1]]);
        self.seconds = self.seconds.zip(next.seconds).map(|(own, other)| own + other);
        self.seconds_range = sum.filter(|_| self.seconds.is_none());
        self.seconds_per_epoch.extend(next.seconds_per_epoch);
        self.measured_for += next.measured_for;
        self
    }

    /// `0.12 s an epoch on this machine, measured; about 12 s of training`.
    pub(super) fn sentence(&self) -> Option<String> {
        let text = |seconds: f64| match seconds {
            seconds if seconds >= 100.0 => format!("{seconds:.0} s"),
            seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
            seconds => format!("{:.1} ms", 1e3 * seconds),
        };
        let each: Vec<String> = self.seconds_per_epoch.iter().copied().map(text).collect();
        let shown = match each.len() {
            0 => return None,
            1..=4 => each.join(" + "),
            _ => format!("{} in all cohorts together", text(self.seconds_per_epoch.iter().sum())),
        };
        let all = match (self.seconds, self.seconds_range) {
            (Some(seconds), _) => format!("about {} of training", text(seconds)),
            (None, Some([least, most])) => {
                format!(
                    "{} to {} of training, as runs end when they are done",
                    text(least),
                    text(most)
                )
            }
            (None, None) => return None,
        };
        Some(format!("{shown} an epoch, measured on this machine; {all}"))
    }
}

/// The plan with runs that end as soon as a rehearsal has seen what it needs.
fn shortened(plan: &Plan) -> Plan {
    let mut short = plan.clone();
    for cohort in &plan.cohorts {
        let until = match cohort.schedule {
            BatchSchedule::Full => 1,
            BatchSchedule::Batches { .. } => 2,
            BatchSchedule::Converge => CONVERGING_EPOCHS,
        };
        for &run in cohort.blocks.iter().flat_map(|block| &block.runs) {
            let trial = &mut short.trials[plan.runs[run].trial];
            trial.until = Some(until.min(trial.last_epoch()));
        }
    }
    short
}

/// Whether runs may end before their last epoch, rungs aside.
fn may_end_early(plan: &Plan, config: &Config) -> bool {
    let runs = plan
        .cohorts
        .iter()
        .flat_map(|cohort| &cohort.blocks)
        .flat_map(|block| &block.runs);
    let mut runs = runs.copied();
    config.sweep.target.is_some()
        || runs.any(|run| {
            let method = plan.method_of(run);
            method.converges() || method == Method::Steps(Kind::Gd) || plan.trial_of(run).train.early_stopping.is_some()
        })
}

/// Operations of one epoch's products, in units of 10⁹.
fn gflop_per_epoch<T: Real>(cohort: &Cohort, view: &View<'_, T>) -> f64 {
    let (rows, columns) = view.x.dim();
    let width: usize = cohort.blocks.iter().map(|block| padded_width(block.runs.len())).sum();
    4.0 * rows as f64 * (columns * width) as f64 / 1e9
}

fn mean_epochs(plan: &Plan, cohort: &Cohort) -> f64 {
    let runs = cohort.blocks.iter().flat_map(|block| &block.runs);
    let epochs: u64 = runs.map(|&run| u64::from(plan.trial_of(run).last_epoch())).sum();
    epochs as f64 / cohort.width().max(1) as f64
}

/// Rehearses a cohort on parts of the rows until `budget` is spent.
fn price<T: Real>(plan: &Plan, short: &Plan, index: usize, view: &View<'_, T>, budget: Duration) -> Price {
    let start = Instant::now();
    let cohort = &plan.cohorts[index];
    let rows = view.x.nrows().max(1);
    let steps = match cohort.schedule {
        BatchSchedule::Batches { rows, .. } => {
            let folds = 0..view.folds.roles.len();
            let largest = folds.map(|fold| view.rows_as(fold, Role::Train)).max().unwrap_or(0);
            largest.div_ceil(rows).max(1)
        }
        BatchSchedule::Full | BatchSchedule::Converge => rows.div_ceil(FEWEST_ROWS),
    };
    let gflop = gflop_per_epoch(cohort, view);
    let threads = rayon::current_num_threads();
    // Not all blocks where one step of each would take too long.
    let affordable = (cohort.blocks.len() as f64 * MOST_GFLOP / (gflop / steps as f64)) as usize;
    let kept = affordable
        .clamp(threads, MOST_BLOCKS.max(threads))
        .min(cohort.blocks.len());
    let mut short = std::borrow::Cow::Borrowed(short);
    let is_waited_for = |block: &Block| cohort.schedule != BatchSchedule::Converge && block.runs.len() > WIDEST_BLOCK;
    if kept < cohort.blocks.len() || cohort.blocks.iter().any(is_waited_for) {
        let blocks = &mut short.to_mut().cohorts[index].blocks;
        blocks.truncate(kept);
        for block in blocks.iter_mut().filter(|block| is_waited_for(block)) {
            block.runs.truncate(WIDEST_BLOCK);
        }
    }
    let (all, own) = (widths(cohort), widths(&short.cohorts[index]));
    let scale = Scale::new(cohort.schedule, &all, &own, threads);
    let gflop = gflop / scale.setup;

    let share_of = |wanted: f64| (wanted * steps as f64).round().clamp(1.0, steps as f64) / steps as f64;
    let mut share = share_of(FIRST_GFLOP / gflop);
    let left = || budget.saturating_sub(start.elapsed()).as_secs_f64();
    let epochs = mean_epochs(plan, cohort);
    if cohort.schedule == BatchSchedule::Converge {
        let groups = window(view.groups, share, 0);
        let trip = time_trip(&Task::new(&short, index, &view.part(&groups), &Silent));
        let affordable = share_of(share * left() / WINDOWS / (CONVERGING_TRIPS * trip));
        if view.map.features > MOST_FEATURES || affordable / share * CONVERGING_TRIPS * trip > left() {
            let epoch = OVER_TRIP * scale.epoch * trip / share;
            return Price {
                epoch,
                once: 0.0,
                epochs,
            };
        }
        share = affordable;
    }
    let mut seen: Vec<Rehearsal> = Vec::new();
    let mut tests = 0.0;
    loop {
        let since = Instant::now();
        let groups = window(view.groups, share, seen.len());
        let part = view.part(&groups);
        seen.push(rehearse(Task::new(&short, index, &part, &Silent), share));
        let mut next = since.elapsed().as_secs_f64();
        if seen.len() == 1 {
            tests = scale.setup * time_tests(&Task::new(&short, index, &part, &Silent));
            let larger = share_of(share * left() / WINDOWS / next);
            next *= larger / share;
            share = larger;
        }
        if next > left() {
            break;
        }
    }
    // In the first try pages and caches come to rest.
    let settled = if seen.len() > 1 { &seen[1..] } else { &seen[..] };
    let of = |figure: &dyn Fn(&Rehearsal) -> f64| median(settled.iter().map(figure).collect());
    let epoch = scale.epoch * of(&|seen| seen.epoch / seen.share);
    let end = scale.end * of(&|seen| seen.end / seen.share);
    let setup = scale.setup * of(&|seen| seen.setup);
    match cohort.schedule {
        // What is done once is shared by as many epochs as they were seen to take.
        BatchSchedule::Converge => Price {
            epoch: epoch + of(&|seen| seen.setup / seen.epochs.unwrap_or(1.0)),
            once: 0.0,
            epochs,
        },
        // A full-batch run takes a trip more than it has epochs, the first under its starting weights.
        BatchSchedule::Full => Price {
            epoch,
            once: setup + tests + end + epoch,
            epochs,
        },
        BatchSchedule::Batches { .. } => Price {
            epoch,
            once: setup + tests + end,
            epochs,
        },
    }
}

fn widths(cohort: &Cohort) -> Vec<f64> {
    cohort
        .blocks
        .iter()
        .map(|block| padded_width(block.runs.len()) as f64)
        .collect()
}

/// What times of some blocks that wait for each other are to be multiplied by.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    setup: f64,
    epoch: f64,
    end: f64,
}

impl Scale {
    fn new(schedule: BatchSchedule, all: &[f64], kept: &[f64], threads: usize) -> Self {
        let sum = |widths: &[f64]| widths.iter().sum::<f64>();
        let by_width = sum(all) / sum(kept);
        if !matches!(schedule, BatchSchedule::Batches { .. }) {
            // Rows are what threads share.
            return Self {
                setup: by_width,
                epoch: by_width,
                end: by_width,
            };
        }
        // In training a block begins its next epoch when it has ended one, whatever the others do.
        let flowing = (sum(all) / threads as f64).max(all.iter().copied().fold(0.0, f64::max));
        Self {
            setup: by_width,
            epoch: flowing / makespan(kept, threads),
            end: makespan(all, threads) / makespan(kept, threads),
        }
    }
}

/// When the last of some blocks is done, each of which takes the thread that is free first.
fn makespan(widths: &[f64], threads: usize) -> f64 {
    let mut free = vec![0.0f64; threads.max(1)];
    for width in widths {
        let earliest = free.iter_mut().min_by(|a, b| a.total_cmp(b));
        if let Some(thread) = earliest {
            *thread += width;
        }
    }
    free.into_iter().fold(0.0, f64::max)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_wait_for_each_other_leave_threads_without_work() {
        assert_eq!(makespan(&[1.0; 3], 2), 2.0);
        assert_eq!(makespan(&[32.0, 32.0, 16.0], 2), 48.0);
        let batches = BatchSchedule::Batches { rows: 1, shuffle: true };
        let three = Scale::new(batches, &[1.0; 3], &[1.0; 3], 2);
        assert_eq!((three.epoch, three.end), (0.75, 1.0));
        let some = Scale::new(batches, &[1.0; 10], &[1.0; 2], 2);
        assert_eq!((some.setup, some.epoch, some.end), (5.0, 5.0, 5.0));
        let alone = Scale::new(batches, &[1.0], &[1.0], 2);
        assert_eq!(alone.epoch, 1.0);
    }

    #[test]
    fn a_few_slow_tries_do_not_move_a_median() {
        assert_eq!(median(vec![3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 100.0]), 3.0);
    }
}
