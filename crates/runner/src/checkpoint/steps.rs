//! Blocks of first-order optimizers as numbers.

use gradsweep_math::Real;
use gradsweep_math::fused::ColumnState;
use gradsweep_math::optimizer::Memory;

use super::numbers::{Sink, Source};
use crate::train::{Best, BlockOfSteps, LiveRun};

pub(super) fn write<T: Real>(block: &BlockOfSteps<T>, sink: &mut Sink<T>) {
    sink.count(block.passes as usize);
    sink.count(block.batches);
    sink.count(block.waiting.len());
    for run in &block.runs {
        write_run(run, sink);
    }
}

/// A block of these runs of the plan, those that wait for a column last.
pub(super) fn read<T: Real>(runs: &[usize], source: &mut Source<'_, T>) -> Option<BlockOfSteps<T>> {
    let (passes, batches) = (source.epochs()?, source.count()?);
    let (runs, waiting) = runs.split_at_checked(runs.len().checked_sub(source.count()?)?)?;
    let runs: Option<Vec<LiveRun<T>>> = runs.iter().map(|&run| read_run(run, source)).collect();
    Some(BlockOfSteps {
        passes,
        batches,
        runs: runs?,
        waiting: waiting.to_vec(),
    })
}

fn write_run<T: Real>(run: &LiveRun<T>, sink: &mut Sink<T>) {
    sink.weights(&run.column.parameters);
    sink.count(run.column.memory.moments.len());
    for moment in &run.column.memory.moments {
        sink.weights(moment);
    }
    sink.list(&run.column.memory.powers);
    sink.weights(&run.before);
    sink.numbers.push(run.learning_rate);
    sink.history(&run.history);
    sink.standing(&run.standing);
    sink.flag(run.best.is_some());
    if let Some(best) = &run.best {
        sink.numbers.push(best.score);
        sink.weights(&best.parameters);
        sink.standing(&best.standing);
    }
    sink.count(run.first_pass as usize);
    sink.numbers.push(run.seconds);
}

fn read_run<T: Real>(run: usize, source: &mut Source<'_, T>) -> Option<LiveRun<T>> {
    let parameters = source.weights()?;
    let moments: Option<Vec<Vec<T>>> = (0..source.length()?).map(|_| source.weights()).collect();
    let column = ColumnState {
        parameters,
        memory: Memory {
            moments: moments?,
            powers: source.list()?,
        },
    };
    let (before, learning_rate) = (source.weights()?, source.number()?);
    let (history, standing) = (source.history()?, source.standing()?);
    let best = if source.flag()? {
        Some(Best {
            score: source.number()?,
            parameters: source.weights()?,
            standing: source.standing()?,
        })
    } else {
        None
    };
    Some(LiveRun {
        run,
        column,
        before,
        learning_rate,
        history,
        standing,
        best,
        first_pass: source.epochs()?,
        seconds: source.number()?,
    })
}

#[cfg(test)]
mod tests {
    use gradsweep_math::metric::Metric;
    use gradsweep_store::Split;

    use super::*;
    use crate::train::{HistoryPoint, Standing};

    fn block<T: Real>() -> BlockOfSteps<T> {
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
        BlockOfSteps {
            passes: 9,
            batches: 3,
            runs: vec![run(0, true), run(1, false)],
            waiting: vec![2],
        }
    }

    /// Every number of a state comes back with its bits, and no prefix of the numbers is taken for a state.
    fn check<T: Real>() {
        let block = block::<T>();
        let mut sink = Sink::default();
        write(&block, &mut sink);
        let back = |numbers: &[f64], weights: &[T]| {
            let mut source = Source::new(numbers, weights, sink.metrics.clone());
            read(&[0, 1, 2], &mut source).filter(|_| source.is_empty())
        };
        assert_eq!(back(&sink.numbers, &sink.weights).as_ref(), Some(&block));
        for end in 0..sink.numbers.len() {
            assert_eq!(back(&sink.numbers[..end], &sink.weights), None);
        }
        for end in 0..sink.weights.len() {
            assert_eq!(back(&sink.numbers, &sink.weights[..end]), None);
        }
    }

    #[test]
    fn states_come_back_as_they_were() {
        check::<f32>();
        check::<f64>();
    }
}
