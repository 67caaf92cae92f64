//! A block's place in a cohort: the border that a panic in it does not cross.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gradsweep_math::Real;

use super::training::{End, Trainer};
use super::{BlockState, Outcome};

/// The trainer of one block, for as long as no panic has ended it.
pub(super) struct Slot<'a, T> {
    trainer: Box<dyn Trainer<T> + 'a>,
    /// Passes that went well.
    passes: u32,
    is_broken: bool,
    outcomes: Vec<Outcome>,
}

impl<'a, T: Real> Slot<'a, T> {
    pub(super) fn new(trainer: impl Trainer<T> + 'a) -> Self {
        Self {
            passes: trainer.passes(),
            trainer: Box::new(trainer),
            is_broken: false,
            outcomes: Vec::new(),
        }
    }

    /// The trainer, unless a panic has ended it.
    pub(super) fn trainer(&self) -> Option<&(dyn Trainer<T> + 'a)> {
        (!self.is_broken).then_some(self.trainer.as_ref())
    }

    pub(super) fn is_due(&self, epoch: u32) -> bool {
        self.trainer().is_some_and(|trainer| trainer.is_due(epoch))
    }

    /// As [`Trainer::epoch`]. A panic ends the runs that have not left: blocks share nothing that they write to, so the others do
    /// not notice.
    pub(super) fn epoch(&mut self, until: u32, pause: &(dyn Fn() -> bool + Sync)) {
        let live: Vec<usize> = self.trainer.live();
        let trainer = &mut self.trainer;
        // The trainer is asked for nothing afterwards but the books of the epochs before.
        match catch_unwind(AssertUnwindSafe(|| trainer.epoch(until, pause))) {
            Ok(()) => self.passes = self.trainer.passes(),
            Err(panic) => self.break_off(live, panic.as_ref()),
        }
    }

    fn break_off(&mut self, mut live: Vec<usize>, panic: &(dyn Any + Send)) {
        self.is_broken = true;
        self.outcomes = self.trainer.take_outcomes();
        live.retain(|run| self.outcomes.iter().all(|outcome| outcome.run != *run));
        let lost = self.trainer.lost(&live, self.passes, &message(panic));
        self.outcomes.extend(lost);
    }

    pub(super) fn end(&mut self, runs: &[usize], end: End) {
        if !self.is_broken {
            self.trainer.end(runs, end);
        }
    }

    /// As [`Trainer::take_end`]; of a block that a panic has ended nothing could go on.
    pub(super) fn take_end(&mut self) -> Option<BlockState<T>> {
        if self.is_broken {
            return None;
        }
        self.trainer.take_end()
    }

    pub(super) fn take_outcomes(&mut self) -> Vec<Outcome> {
        if self.is_broken {
            return std::mem::take(&mut self.outcomes);
        }
        self.trainer.take_outcomes()
    }
}

/// What a panic said, in one line.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next()).unwrap_or("it said nothing");
    line.chars().take(200).collect()
}
