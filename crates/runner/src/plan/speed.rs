//! Seconds of an epoch, measured: the training of the plan itself, for a moment.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gradsweep_data::Role;
use gradsweep_math::Real;
use serde::Serialize;

use super::{BatchSchedule, DataView, Plan, PlanSummary};
use crate::config::Config;
use crate::event::Silent;
use crate::rungs::Ladder;
use crate::train::{Task, Training, View};

/// What all cohorts together may be trained for.
const BUDGET: Duration = Duration::from_millis(160);
/// Share of it in which caches and pages come to rest.
const WARMUP: f64 = 0.2;
/// Operations of one trip of a block over all rows, in units of 10⁹, up to which it is tried: a trip is not left halfway.
const MOST_GFLOP: f64 = 4.0;
/// The time of scoring a held-out row over that of training on one.
const SCORING: f64 = 0.4;

/// How long first-order training takes on this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Seconds of an epoch of every cohort of the first rows, in the order of the plan; none where its runs converge in as
    /// many epochs as they need, or where a single trip is too long to try.
    pub seconds_per_epoch: Vec<Option<f64>>,
    /// Seconds of training in all; none unless every cohort has a fixed number of epochs and was measured.
    pub seconds: Option<f64>,
}

impl Speed {
    /// Trains every cohort of the first rows for a moment.
    pub(crate) fn measure<T: Real>(plan: &Plan, config: &Config, summary: &PlanSummary, view: &View<'_, T>) -> Self {
        let first = || {
            plan.cohorts
                .iter()
                .enumerate()
                .filter(|(_, cohort)| cohort.rows == DataView::FIRST)
        };
        let is_tried = |index: usize| match plan.cohorts[index].schedule {
            BatchSchedule::Converge => false,
            BatchSchedule::Batches { .. } => true,
            BatchSchedule::Full => {
                let blocks = plan.cohorts[index].blocks.len().max(1);
                summary.cohorts[index].cost.gflop_per_epoch / blocks as f64 <= MOST_GFLOP
            }
        };
        let tried = first().filter(|(index, _)| is_tried(*index)).count();
        let budget = BUDGET.div_f64(tried.max(1) as f64);
        let seconds_per_epoch: Vec<Option<f64>> = first()
            .map(|(index, _)| {
                is_tried(index)
                    .then(|| seconds_per_epoch(plan, index, view, budget))
                    .flatten()
            })
            .collect();
        let all: Option<f64> = first()
            .zip(&seconds_per_epoch)
            .map(|((index, _), seconds)| Some((*seconds)? * f64::from(summary.cohorts[index].cost.epochs)))
            .sum();
        let share = Ladder::new(config, plan.trials.len()).map_or(1.0, |ladder| ladder.share());
        let measured: usize = first().map(|(_, cohort)| cohort.width()).sum();
        // Other repeats and preparations take as long for each of their runs.
        let times = plan.runs.len() as f64 / measured.max(1) as f64;
        Self {
            seconds_per_epoch,
            seconds: all.map(|seconds| seconds * share * times),
        }
    }

    /// `0.12 s an epoch on this machine, measured; about 12 s of training`.
    pub(super) fn sentence(&self) -> Option<String> {
        let known: Vec<f64> = self.seconds_per_epoch.iter().copied().flatten().collect();
        if known.is_empty() {
            return None;
        }
        let text = |seconds: f64| match seconds {
            seconds if seconds >= 100.0 => format!("{seconds:.0} s"),
            seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
            seconds => format!("{:.1} ms", 1e3 * seconds),
        };
        let each: Vec<String> = known.iter().copied().map(text).collect();
        let shown = if each.len() > 4 {
            format!("{} in all cohorts together", text(known.iter().sum()))
        } else {
            each.join(" + ")
        };
        let all = self.seconds.map_or_else(
            || "; no total, as not all runs have a fixed number of epochs".to_owned(),
            |seconds| format!("; about {} of training", text(seconds)),
        );
        Some(format!("{shown} an epoch, measured on this machine{all}"))
    }
}

fn seconds_per_epoch<T: Real>(plan: &Plan, cohort: usize, view: &View<'_, T>, budget: Duration) -> Option<f64> {
    let stood = BTreeMap::new();
    let mut training = Training::untested(Task {
        plan,
        cohort,
        view,
        stood: &stood,
        observer: &Silent,
    });
    let start = Instant::now();
    training.advance(u32::MAX, &|| start.elapsed() >= budget.mul_f64(WARMUP));
    let (warm, warm_seconds, since) = (training.progress(), start.elapsed().as_secs_f64(), Instant::now());
    training.advance(u32::MAX, &|| start.elapsed() >= budget);
    let (elapsed, progress) = (since.elapsed().as_secs_f64(), training.progress() - warm);
    if progress <= 0.0 {
        // Small data have had all their epochs by then.
        return (warm > 0.0).then(|| warm_seconds / warm);
    }
    let mut seconds = elapsed / progress;
    let is_batched = matches!(plan.cohorts[cohort].schedule, BatchSchedule::Batches { .. });
    if is_batched && progress < 1.0 {
        // Held-out rows are scored at an epoch's end, which has not been seen.
        let rows = |role: Role| view.rows_as(0, role) as f64;
        seconds *= 1.0 + SCORING * rows(Role::Val) / rows(Role::Train).max(1.0);
    }
    Some(seconds)
}
