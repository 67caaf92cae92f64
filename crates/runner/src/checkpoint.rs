//! Cohorts on their way, as the store keeps them: to numbers and back, and which of them count when a sweep goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gradsweep_math::Real;
use gradsweep_math::fused::ColumnState;
use gradsweep_math::metric::Metric;
use gradsweep_math::optimizer::Memory;
use gradsweep_store::{Checkpoint, Numbers, RunId, Split, Tensor};
use serde::{Deserialize, Serialize};

use crate::plan::{Cohort, Plan};
use crate::train::{Best, BlockState, HistoryPoint, LiveRun, Standing};

/// The numbers of a state whose bits are those of the training's type.
const WEIGHTS: &str = "weights";
/// All others: epochs, scores, seconds, lengths.
const NUMBERS: &str = "numbers";
/// Of the order of the numbers; another one is not read.
const VERSION: u32 = 2;

/// What a checkpoint says beside its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    version: u32,
    precision: String,
    /// Every metric that a number is of, by place.
    metrics: Vec<String>,
    /// The live runs of each block, by id.
    blocks: Vec<Vec<u64>>,
    /// The runs of each block that wait for a column.
    waiting: Vec<Vec<u64>>,
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

/// A cohort's blocks as a checkpoint.
pub(crate) fn pack<T: Real>(plan: &Plan, cohort: &Cohort, states: &[BlockState<T>]) -> Checkpoint {
    let mut sink = Sink::<T>::default();
    for state in states {
        sink.count(state.passes as usize);
        sink.count(state.batches);
        for run in &state.runs {
            sink.run(run);
        }
    }
    let ids = |state: &BlockState<T>| state.runs.iter().map(|run| plan.runs[run.run].id.0).collect();
    let waiting = |state: &BlockState<T>| state.waiting.iter().map(|&run| plan.runs[run].id.0).collect();
    let notes = Notes {
        version: VERSION,
        precision: T::NAME.to_owned(),
        metrics: sink.metrics.iter().map(|metric| metric.name().to_owned()).collect(),
        blocks: states.iter().map(ids).collect(),
        waiting: states.iter().map(waiting).collect(),
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
        // Five plain fields always have a JSON form.
        notes: serde_json::to_value(notes).unwrap_or_default(),
        tensors: vec![tensor(NUMBERS, Numbers::F64(sink.numbers)), tensor(WEIGHTS, weights)],
    }
}

/// The blocks that a checkpoint holds, or nothing if it is of another precision, version or plan.
fn unpack<T: Real>(plan: &Plan, checkpoint: &Checkpoint) -> Option<Vec<BlockState<T>>> {
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
    let mut source = Source {
        numbers,
        weights: &weights,
        metrics: metrics?,
    };
    let places: HashMap<RunId, usize> = plan.runs.iter().enumerate().map(|(run, own)| (own.id, run)).collect();
    let mut states = Vec::with_capacity(notes.blocks.len());
    if notes.waiting.len() != notes.blocks.len() {
        return None;
    }
    for (ids, waiting) in notes.blocks.iter().zip(&notes.waiting) {
        let (passes, batches) = (u32::try_from(source.count()?).ok()?, source.count()?);
        let runs: Option<Vec<LiveRun<T>>> = ids.iter().map(|id| source.run(*places.get(&RunId(*id))?)).collect();
        let waiting: Option<Vec<usize>> = waiting.iter().map(|id| places.get(&RunId(*id)).copied()).collect();
        states.push(BlockState {
            passes,
            batches,
            runs: runs?,
            waiting: waiting?,
        });
    }
    (source.numbers.is_empty() && source.weights.is_empty()).then_some(states)
}

/// What is still to be trained, and the cohorts that go on from a checkpoint.
pub(crate) struct Restart<T> {
    /// The runs that are not to be trained.
    pub(crate) finished: BTreeSet<RunId>,
    /// How cohorts stand, by name.
    pub(crate) states: BTreeMap<String, Vec<BlockState<T>>>,
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
    let mut states = BTreeMap::new();
    for cohort in &plan.cohorts {
        let runs = || {
            cohort
                .blocks
                .iter()
                .flat_map(|block| &block.runs)
                .map(|&run| plan.runs[run].id)
        };
        let left: BTreeSet<RunId> = runs().filter(|id| !finished.contains(id)).collect();
        if left.is_empty() {
            continue;
        }
        let name = name(plan, cohort);
        let stood = checkpoints.iter().find(|checkpoint| checkpoint.cohort == name);
        let stood = stood.and_then(|checkpoint| unpack::<T>(plan, checkpoint));
        let own: BTreeSet<RunId> = stood
            .iter()
            .flatten()
            .flat_map(|state| {
                state
                    .runs
                    .iter()
                    .map(|run| run.run)
                    .chain(state.waiting.iter().copied())
            })
            .map(|run| plan.runs[run].id)
            .collect();
        if let Some(stood) =
            stood.filter(|_| left.is_subset(&own) && runs().filter(|id| own.contains(id)).count() == own.len())
        {
            finished.retain(|id| !own.contains(id));
            states.insert(name, stood);
        } else if left.len() < cohort.width() && runs().all(|id| known.contains(&id)) {
            let all: BTreeSet<RunId> = runs().collect();
            finished.retain(|id| !all.contains(id));
        }
    }
    Restart { finished, states }
}

/// Numbers on their way into a checkpoint.
struct Sink<T> {
    numbers: Vec<f64>,
    weights: Vec<T>,
    metrics: Vec<Metric>,
}

impl<T> Default for Sink<T> {
    fn default() -> Self {
        Self {
            numbers: Vec::new(),
            weights: Vec::new(),
            metrics: Vec::new(),
        }
    }
}

impl<T: Real> Sink<T> {
    fn count(&mut self, count: usize) {
        // Exact up to 2^53.
        self.numbers.push(count as f64);
    }

    fn weights(&mut self, weights: &[T]) {
        self.count(weights.len());
        self.weights.extend_from_slice(weights);
    }

    fn optional(&mut self, value: Option<f64>) {
        self.count(usize::from(value.is_some()));
        self.numbers.extend(value);
    }

    fn metric(&mut self, metric: Metric) {
        let place = self.metrics.iter().position(|own| *own == metric).unwrap_or_else(|| {
            self.metrics.push(metric);
            self.metrics.len() - 1
        });
        self.count(place);
    }

    fn scores(&mut self, scores: &[(Metric, f64)]) {
        self.count(scores.len());
        for &(metric, value) in scores {
            self.metric(metric);
            self.numbers.push(value);
        }
    }

    fn standing(&mut self, standing: &Standing) {
        self.count(standing.epoch as usize);
        self.scores(&standing.val);
        self.scores(&standing.train);
        self.optional(standing.loss);
        self.optional(standing.grad_norm);
    }

    fn run(&mut self, run: &LiveRun<T>) {
        self.weights(&run.column.parameters);
        self.count(run.column.memory.moments.len());
        for moment in &run.column.memory.moments {
            self.weights(moment);
        }
        self.count(run.column.memory.powers.len());
        self.numbers.extend_from_slice(&run.column.memory.powers);
        self.weights(&run.before);
        self.numbers.push(run.learning_rate);
        self.count(run.history.len());
        for point in &run.history {
            self.count(point.epoch as usize);
            self.count(usize::from(point.split == Split::Val));
            self.metric(point.metric);
            self.numbers.push(point.value);
        }
        self.standing(&run.standing);
        self.count(usize::from(run.best.is_some()));
        if let Some(best) = &run.best {
            self.numbers.push(best.score);
            self.weights(&best.parameters);
            self.standing(&best.standing);
        }
        self.count(run.first_pass as usize);
        self.numbers.push(run.seconds);
    }
}

/// Numbers on their way out of one; nothing once they do not fit together.
struct Source<'a, T> {
    numbers: &'a [f64],
    weights: &'a [T],
    metrics: Vec<Metric>,
}

impl<T: Real> Source<'_, T> {
    fn number(&mut self) -> Option<f64> {
        let (first, rest) = self.numbers.split_first()?;
        self.numbers = rest;
        Some(*first)
    }

    fn count(&mut self) -> Option<usize> {
        let number = self.number()?;
        let is_count = number >= 0.0 && number.fract() == 0.0 && number < 9e15;
        is_count.then_some(number as usize)
    }

    /// A number of things, each of which takes a number or a weight at least.
    fn length(&mut self) -> Option<usize> {
        let length = self.count()?;
        (length <= self.numbers.len() + self.weights.len()).then_some(length)
    }

    fn weights(&mut self) -> Option<Vec<T>> {
        let length = self.count()?;
        let (own, rest) = self.weights.split_at_checked(length)?;
        self.weights = rest;
        Some(own.to_vec())
    }

    #[expect(
        clippy::option_option,
        reason = "the inner one is the value, the outer one says whether the numbers fit together"
    )]
    fn optional(&mut self) -> Option<Option<f64>> {
        Some(if self.count()? == 1 { Some(self.number()?) } else { None })
    }

    fn metric(&mut self) -> Option<Metric> {
        let place = self.count()?;
        self.metrics.get(place).copied()
    }

    fn scores(&mut self) -> Option<Vec<(Metric, f64)>> {
        (0..self.length()?)
            .map(|_| Some((self.metric()?, self.number()?)))
            .collect()
    }

    fn standing(&mut self) -> Option<Standing> {
        Some(Standing {
            epoch: u32::try_from(self.count()?).ok()?,
            val: self.scores()?,
            train: self.scores()?,
            loss: self.optional()?,
            grad_norm: self.optional()?,
        })
    }

    fn run(&mut self, run: usize) -> Option<LiveRun<T>> {
        let parameters = self.weights()?;
        let moments: Option<Vec<Vec<T>>> = (0..self.length()?).map(|_| self.weights()).collect();
        let powers: Option<Vec<f64>> = (0..self.length()?).map(|_| self.number()).collect();
        let column = ColumnState {
            parameters,
            memory: Memory {
                moments: moments?,
                powers: powers?,
            },
        };
        let (before, learning_rate) = (self.weights()?, self.number()?);
        let point = |source: &mut Self| {
            Some(HistoryPoint {
                epoch: u32::try_from(source.count()?).ok()?,
                split: if source.count()? == 1 { Split::Val } else { Split::Train },
                metric: source.metric()?,
                value: source.number()?,
            })
        };
        let history: Option<Vec<HistoryPoint>> = (0..self.length()?).map(|_| point(self)).collect();
        let standing = self.standing()?;
        let best = if self.count()? == 1 {
            Some(Best {
                score: self.number()?,
                parameters: self.weights()?,
                standing: self.standing()?,
            })
        } else {
            None
        };
        Some(LiveRun {
            run,
            column,
            before,
            learning_rate,
            history: history?,
            standing,
            best,
            first_pass: u32::try_from(self.count()?).ok()?,
            seconds: self.number()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states<T: Real>() -> Vec<BlockState<T>> {
        let t = T::from_f64;
        let standing = Standing {
            epoch: 7,
            val: vec![(Metric::LogLoss, 0.1), (Metric::RocAuc, f64::INFINITY)],
            train: Vec::new(),
            loss: Some(1e-300),
            grad_norm: None,
        };
        let run = |run, best: bool| LiveRun {
            run,
            column: ColumnState {
                parameters: vec![t(0.1), t(-0.0), t(1e-40)],
                memory: Memory {
                    moments: vec![vec![t(1.0); 3], vec![t(2.0); 3]],
                    powers: vec![0.9_f64.powi(7)],
                },
            },
            before: vec![t(0.3)],
            learning_rate: 0.1,
            history: vec![HistoryPoint {
                epoch: 7,
                split: Split::Val,
                metric: Metric::LogLoss,
                value: 0.1,
            }],
            standing: standing.clone(),
            best: best.then(|| Best {
                score: 0.1,
                parameters: vec![t(0.7); 3],
                standing: standing.clone(),
            }),
            first_pass: 2,
            seconds: 0.25,
        };
        vec![BlockState {
            passes: 9,
            batches: 3,
            runs: vec![run(0, true), run(1, false)],
            waiting: vec![2],
        }]
    }

    /// Every number of a state comes back with its bits, and no prefix of the numbers is taken for a state.
    fn check<T: Real>() {
        let states = states::<T>();
        let mut sink = Sink::default();
        for run in &states[0].runs {
            sink.run(run);
        }
        let read = |numbers: &[f64], weights: &[T]| {
            let mut source = Source {
                numbers,
                weights,
                metrics: sink.metrics.clone(),
            };
            let runs: Option<Vec<LiveRun<T>>> = (0..2).map(|run| source.run(run)).collect();
            runs.filter(|_| source.numbers.is_empty() && source.weights.is_empty())
        };
        assert_eq!(read(&sink.numbers, &sink.weights).as_ref(), Some(&states[0].runs));
        for end in 0..sink.numbers.len() {
            assert_eq!(read(&sink.numbers[..end], &sink.weights), None);
        }
        for end in 0..sink.weights.len() {
            assert_eq!(read(&sink.numbers, &sink.weights[..end]), None);
        }
    }

    #[test]
    fn states_come_back_as_they_were() {
        check::<f32>();
        check::<f64>();
    }
}
