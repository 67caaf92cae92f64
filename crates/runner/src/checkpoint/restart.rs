//! What of a sweep goes on from where.

use std::collections::{BTreeMap, BTreeSet};

use gradsweep_math::Real;
use gradsweep_store::{Checkpoint, RunId};

use super::file::{CohortState, name, unpack};
use crate::plan::Plan;

/// What is still to be trained, and the cohorts that go on from a checkpoint.
pub(crate) struct Restart<T> {
    /// The runs that are not to be trained.
    pub(crate) finished: BTreeSet<RunId>,
    /// How cohorts stand, by name.
    pub(crate) states: BTreeMap<String, CohortState<T>>,
    /// Checkpoints that nothing goes on from any more, by name.
    pub(crate) stale: Vec<String>,
    /// Cohorts whose runs are all recorded, and that a process was about to put down, by their place in the plan.
    pub(crate) put_down: Vec<(usize, CohortState<T>)>,
}

/// Decides, cohort by cohort, what goes on from where.
///
/// A checkpoint counts if the cohort's other runs are recorded; runs that ended after it are trained from it once more and
/// give the records they have. Where a cohort that was planned before is recorded in part and has no checkpoint, all of it is
/// trained anew: the rest alone would be a narrower block, whose sums may differ in their last bits.
pub(crate) fn restart<T: Real>(
    plan: &Plan,
    mut finished: BTreeSet<RunId>,
    known: &BTreeSet<RunId>,
    checkpoints: &[Checkpoint],
) -> Restart<T> {
    let mut stood: BTreeMap<&str, CohortState<T>> = BTreeMap::new();
    let mut stale = Vec::new();
    let names: BTreeSet<String> = plan.cohorts.iter().map(|cohort| name(plan, cohort)).collect();
    for checkpoint in checkpoints {
        match unpack::<T>(plan, checkpoint) {
            Some(state) if names.contains(&checkpoint.cohort) => {
                stood.insert(&checkpoint.cohort, state);
            }
            // A cohort that has got more runs since: more epochs still go on from its ends.
            Some(state) if !state.ends.is_empty() => {}
            _ => stale.push(checkpoint.cohort.clone()),
        }
    }
    let (mut states, mut put_down) = (BTreeMap::new(), Vec::new());
    for (index, cohort) in plan.cohorts.iter().enumerate() {
        let runs = || {
            cohort
                .blocks
                .iter()
                .flat_map(|block| &block.runs)
                .map(|&run| plan.runs[run].id)
        };
        let left: BTreeSet<RunId> = runs().filter(|id| !finished.contains(id)).collect();
        let name = name(plan, cohort);
        let stood = stood.remove(name.as_str());
        if left.is_empty() {
            let going = stood.filter(|stood| stood.runs().next().is_some());
            put_down.extend(going.map(|stood| (index, stood)));
            continue;
        }
        let own: BTreeSet<RunId> = stood
            .iter()
            .flat_map(CohortState::runs)
            .map(|run| plan.runs[run].id)
            .collect();
        if let Some(stood) =
            stood.filter(|_| left.is_subset(&own) && runs().filter(|id| own.contains(id)).count() == own.len())
        {
            finished.retain(|id| !own.contains(id));
            if stood.waiting.is_empty() {
                states.insert(name, stood);
            }
        } else if left.len() < cohort.width() && runs().all(|id| known.contains(&id)) {
            let all: BTreeSet<RunId> = runs().collect();
            finished.retain(|id| !all.contains(id));
        }
    }
    Restart {
        finished,
        states,
        stale,
        put_down,
    }
}
