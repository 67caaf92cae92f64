//! A cohort as a checkpoint of the store.

use std::collections::HashMap;

use gradsweep_math::Real;
use gradsweep_math::metric::Metric;
use gradsweep_store::{Checkpoint, Numbers, RunId, Tensor};
use serde::{Deserialize, Serialize};

use super::numbers::{Sink, Source};
use super::{descents, steps};
use crate::plan::{Cohort, Plan};
use crate::train::BlockState;

/// The numbers of a state whose bits are those of the training's type.
const WEIGHTS: &str = "weights";
/// All others: epochs, scores, seconds, lengths.
const NUMBERS: &str = "numbers";
/// Of the order of the numbers; another one is not read.
const VERSION: u32 = 3;

/// How a cohort stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CohortState<T> {
    /// Rungs whose pruned runs have left it.
    pub(crate) rungs: usize,
    /// The blocks that have runs on their way.
    pub(crate) blocks: Vec<BlockState<T>>,
    /// Blocks as they stood when the first of their runs had had all of its epochs: more epochs go on from there.
    pub(crate) ends: Vec<BlockState<T>>,
    /// Runs that have not begun, where others of the cohort are recorded: these share their blocks with one another alone.
    pub(crate) waiting: Vec<usize>,
}

impl<T> CohortState<T> {
    /// A cohort of which nothing is known.
    pub(crate) fn none() -> Self {
        Self {
            rungs: 0,
            blocks: Vec::new(),
            ends: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// The runs that are still to be trained.
    pub(crate) fn runs(&self) -> impl Iterator<Item = usize> {
        let going = self.blocks.iter().flat_map(BlockState::runs);
        going.chain(self.waiting.iter().copied())
    }
}

/// What a checkpoint says beside its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    version: u32,
    precision: String,
    /// Every metric that a number is of, by place.
    metrics: Vec<String>,
    /// The runs of each block, by id.
    blocks: Vec<Vec<u64>>,
    /// The same of the ends, whose numbers follow.
    ends: Vec<Vec<u64>>,
    waiting: Vec<u64>,
    rungs: usize,
}

/// The name of a cohort: that of all its runs, whichever of them are still live.
pub(crate) fn name(plan: &Plan, cohort: &Cohort) -> String {
    let mut hasher = blake3::Hasher::new();
    for block in &cohort.blocks {
        for &run in &block.runs {
            hasher.update(&plan.runs[run].id.0.to_be_bytes());
        }
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// A cohort on its way as a checkpoint.
pub(crate) fn pack<T: Real>(plan: &Plan, cohort: &Cohort, state: &CohortState<T>) -> Checkpoint {
    let mut sink = Sink::<T>::default();
    for block in state.blocks.iter().chain(&state.ends) {
        match block {
            BlockState::Steps(block) => steps::write(block, &mut sink),
            BlockState::Descents(block) => descents::write(block, &mut sink),
        }
    }
    let id = |run: usize| plan.runs[run].id.0;
    let ids = |block: &BlockState<T>| block.runs().into_iter().map(id).collect();
    let notes = Notes {
        version: VERSION,
        precision: T::NAME.to_owned(),
        metrics: sink.metrics.iter().map(|metric| metric.name().to_owned()).collect(),
        blocks: state.blocks.iter().map(ids).collect(),
        ends: state.ends.iter().map(ids).collect(),
        waiting: state.waiting.iter().copied().map(id).collect(),
        rungs: state.rungs,
    };
    let weights = if T::NAME == "f32" {
        Numbers::F32(sink.weights.iter().map(|value| value.as_f64() as f32).collect())
    } else {
        Numbers::F64(sink.weights.iter().map(|value| value.as_f64()).collect())
    };
    let tensor = |name: &str, numbers| Tensor {
        name: name.to_owned(),
        numbers,
    };
    Checkpoint {
        cohort: name(plan, cohort),
        last_part: 0,
        // Plain fields always have a JSON form.
        notes: serde_json::to_value(notes).unwrap_or_default(),
        tensors: vec![tensor(NUMBERS, Numbers::F64(sink.numbers)), tensor(WEIGHTS, weights)],
    }
}

/// The cohort that a checkpoint holds, or nothing if it is of another precision, version or plan.
pub(crate) fn unpack<T: Real>(plan: &Plan, checkpoint: &Checkpoint) -> Option<CohortState<T>> {
    let notes: Notes = serde_json::from_value(checkpoint.notes.clone()).ok()?;
    if notes.version != VERSION || notes.precision != T::NAME {
        return None;
    }
    let tensor = |name: &str| checkpoint.tensors.iter().find(|tensor| tensor.name == name);
    let Numbers::F64(numbers) = &tensor(NUMBERS)?.numbers else {
        return None;
    };
    let weights: Vec<T> = match &tensor(WEIGHTS)?.numbers {
        Numbers::F32(values) => values.iter().map(|&value| T::from_f64(f64::from(value))).collect(),
        Numbers::F64(values) => values.iter().map(|&value| T::from_f64(value)).collect(),
    };
    let metrics: Option<Vec<Metric>> = notes.metrics.iter().map(|name| Metric::from_name(name)).collect();
    let mut source = Source::new(numbers, &weights, metrics?);
    let places: HashMap<RunId, usize> = plan.runs.iter().enumerate().map(|(run, own)| (own.id, run)).collect();
    let runs_of = |ids: &Vec<u64>| -> Option<Vec<usize>> {
        let places = ids.iter().map(|id| places.get(&RunId(*id)).copied());
        places.collect()
    };
    let block = |ids: &Vec<u64>| {
        let runs = runs_of(ids).filter(|runs| !runs.is_empty())?;
        Some(if plan.method_of(runs[0]).converges() {
            BlockState::Descents(descents::read(&runs, &mut source)?)
        } else {
            BlockState::Steps(steps::read(&runs, &mut source)?)
        })
    };
    let mut blocks: Vec<BlockState<T>> = notes
        .blocks
        .iter()
        .chain(&notes.ends)
        .map(block)
        .collect::<Option<_>>()?;
    let ends = blocks.split_off(notes.blocks.len());
    let state = CohortState {
        rungs: notes.rungs,
        blocks,
        ends,
        waiting: runs_of(&notes.waiting)?,
    };
    source.is_empty().then_some(state)
}
