//! A block's place in a cohort: the border that a panic in it does not cross.

use std::collections::BTreeMap;

use gradsweep_math::Real;

use super::training::{End, Trainer};
use super::{BlockState, Outcome};
use crate::bug;

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
        match bug::caught(|| trainer.epoch(until, pause)) {
            Ok(()) => self.passes = self.trainer.passes(),
            Err(panic) => self.break_off(live, &panic),
        }
    }

    /// Ends the runs that have not left, if what came before the training of one of them ended in a panic: nothing is known that
    /// its column could be trained with. `panics` is what these said, by run.
    pub(super) fn end_untested(&mut self, panics: &BTreeMap<usize, String>) {
        let live = self.trainer.live();
        if let Some(panic) = live.iter().find_map(|run| panics.get(run)) {
            self.break_off(live, panic);
        }
    }

    fn break_off(&mut self, mut live: Vec<usize>, panic: &str) {
        self.is_broken = true;
        self.outcomes = self.trainer.take_outcomes();
        live.retain(|run| self.outcomes.iter().all(|outcome| outcome.run != *run));
        let lost = self.trainer.lost(&live, self.passes, panic);
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

#[cfg(test)]
mod tests {
    use gradsweep_store::{Reason, RunState};

    use super::super::Standing;
    use super::*;

    /// A trainer of runs that had their epochs before, one of which has left.
    struct Scripted {
        live: Vec<usize>,
        outcomes: Vec<Outcome>,
    }

    fn outcome(run: usize, state: RunState, epochs: u32, note: &str) -> Outcome {
        Outcome {
            run,
            state,
            reason: (state == RunState::Failed).then_some(Reason::Panic),
            converged: false,
            epochs,
            first_pass: 0,
            found_rate: None,
            best_epoch: None,
            rung: None,
            objective: None,
            grad_norm: None,
            l1: 0.0,
            l2: 0.0,
            parameters: Vec::new(),
            train: Vec::new(),
            val: Vec::new(),
            history: Vec::new(),
            seconds: 0.0,
            note: Some(note.to_owned()),
        }
    }

    impl Trainer<f32> for Scripted {
        fn is_due(&self, _epoch: u32) -> bool {
            !self.live.is_empty()
        }

        fn epoch(&mut self, _until: u32, _pause: &(dyn Fn() -> bool + Sync)) {
            let run = self.live.remove(0);
            self.outcomes.push(outcome(run, RunState::Complete, 3, "whole"));
            panic!("after the first");
        }

        fn live(&self) -> Vec<usize> {
            self.live.clone()
        }

        fn passes(&self) -> u32 {
            2
        }

        fn standings(&self) -> Vec<(usize, Standing)> {
            Vec::new()
        }

        fn end(&mut self, _runs: &[usize], _end: End) {
            self.live.clear();
        }

        fn take_outcomes(&mut self) -> Vec<Outcome> {
            std::mem::take(&mut self.outcomes)
        }

        fn take_end(&mut self) -> Option<BlockState<f32>> {
            None
        }

        fn state(&self) -> BlockState<f32> {
            panic!("nobody goes on from a block that has ended")
        }

        fn lost(&self, runs: &[usize], passes: u32, panic: &str) -> Vec<Outcome> {
            let lost = |&run: &usize| outcome(run, RunState::Failed, passes, panic);
            runs.iter().map(lost).collect()
        }
    }

    fn slot() -> Slot<'static, f32> {
        Slot::new(Scripted {
            live: vec![4, 5, 6],
            outcomes: Vec::new(),
        })
    }

    #[test]
    fn a_panic_ends_the_runs_that_have_not_left() {
        let mut slot = slot();
        slot.epoch(9, &|| false);
        assert!(!slot.is_due(9) && slot.trainer().is_none());
        let expected = [
            outcome(4, RunState::Complete, 3, "whole"),
            outcome(5, RunState::Failed, 2, "after the first"),
            outcome(6, RunState::Failed, 2, "after the first"),
        ];
        assert_eq!(slot.take_outcomes(), expected);
        assert_eq!(slot.take_outcomes(), []);
    }

    #[test]
    fn a_panic_in_the_test_of_a_run_ends_its_block_and_no_other() {
        let mut slot = slot();
        slot.end_untested(&BTreeMap::from([(7, "of another block".to_owned())]));
        assert!(slot.is_due(9));
        slot.end_untested(&BTreeMap::from([(5, "of a test".to_owned())]));
        assert!(!slot.is_due(9));
        let lost = [4, 5, 6].map(|run| outcome(run, RunState::Failed, 2, "of a test"));
        assert_eq!(slot.take_outcomes(), lost);
    }
}
