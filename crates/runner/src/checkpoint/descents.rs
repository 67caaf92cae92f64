//! Blocks of runs that converge as numbers.

use gradsweep_math::Real;
use gradsweep_math::solver::{DescentState, Line, ModelState, Standing};
use gradsweep_store::{Reason, RunState};

use super::numbers::{Sink, Source};
use crate::train::{BlockOfDescents, DescentRun, Ended, TripSums};

pub(super) fn write<T: Real>(block: &BlockOfDescents, sink: &mut Sink<T>) {
    sink.count(block.epochs as usize);
    for run in &block.runs {
        write_run(run, sink);
    }
    sink.count(block.ended.len());
    for ended in &block.ended {
        sink.count(ended.column);
        sink.count(place(RunState::ALL, &ended.state));
        sink.count(place(Reason::ALL, &ended.reason));
        sink.flag(ended.note.is_some());
        if let Some(note) = &ended.note {
            let bytes: Vec<f64> = note.bytes().map(f64::from).collect();
            sink.list(&bytes);
        }
    }
    sink.flag(block.trip.is_some());
    if let Some(trip) = &block.trip {
        sink.count(trip.sums.0);
        sink.list(&trip.sums.1);
        sink.flag(trip.hessians.is_some());
        if let Some((units, numbers)) = &trip.hessians {
            sink.count(*units);
            sink.list(numbers);
        }
    }
}

/// A block of these runs of the plan.
pub(super) fn read<T: Real>(runs: &[usize], source: &mut Source<'_, T>) -> Option<BlockOfDescents> {
    let epochs = source.epochs()?;
    let all: Option<Vec<DescentRun>> = runs.iter().map(|&run| read_run(run, source)).collect();
    let ended: Option<Vec<Ended>> = (0..source.length()?).map(|_| read_ended(runs.len(), source)).collect();
    let trip = if source.flag()? {
        let sums = (source.count()?, source.list()?);
        let hessians = if source.flag()? {
            Some((source.count()?, source.list()?))
        } else {
            None
        };
        Some(TripSums { sums, hessians })
    } else {
        None
    };
    Some(BlockOfDescents {
        epochs,
        runs: all?,
        ended: ended?,
        trip,
    })
}

fn place<E: PartialEq>(all: &[E], one: &E) -> usize {
    all.iter().position(|other| other == one).unwrap_or(all.len())
}

fn read_ended<T: Real>(runs: usize, source: &mut Source<'_, T>) -> Option<Ended> {
    let column = source.count().filter(|column| *column < runs)?;
    let state = *RunState::ALL.get(source.count()?)?;
    let reason = *Reason::ALL.get(source.count()?)?;
    let note = if source.flag()? {
        let bytes: Vec<u8> = source.list()?.into_iter().map(|byte| byte as u8).collect();
        Some(String::from_utf8(bytes).ok()?)
    } else {
        None
    };
    Some(Ended {
        column,
        state,
        reason,
        note,
    })
}

fn write_run<T: Real>(run: &DescentRun, sink: &mut Sink<T>) {
    sink.flag(run.descent.is_some());
    if let Some(descent) = &run.descent {
        write_descent(descent, sink);
    }
    sink.count(run.epochs as usize);
    sink.scores(&run.train);
    sink.scores(&run.val);
    sink.history(&run.history);
    sink.numbers.push(run.seconds);
}

fn read_run<T: Real>(run: usize, source: &mut Source<'_, T>) -> Option<DescentRun> {
    let descent = if source.flag()? {
        Some(read_descent(source)?)
    } else {
        None
    };
    Some(DescentRun {
        run,
        descent,
        epochs: source.epochs()?,
        train: source.scores()?,
        val: source.scores()?,
        history: source.history()?,
        seconds: source.number()?,
    })
}

fn write_descent<T: Real>(descent: &DescentState, sink: &mut Sink<T>) {
    sink.list(&descent.trial);
    sink.flag(descent.standing.is_some());
    if let Some(standing) = &descent.standing {
        sink.list(&standing.u);
        sink.list(&standing.gradient);
        sink.numbers.extend([standing.objective, standing.distance]);
    }
    sink.flag(descent.line.is_some());
    if let Some(line) = &descent.line {
        sink.list(&line.direction);
        sink.numbers.extend([line.length, line.slope, line.low, line.high]);
        sink.count(line.tries as usize);
    }
    sink.count(descent.pairs.len());
    for (s, y) in &descent.pairs {
        sink.list(s);
        sink.list(y);
    }
    match &descent.model {
        ModelState::Shared(scale) => {
            sink.flag(false);
            sink.numbers.push(*scale);
        }
        ModelState::Own(matrix) => {
            sink.flag(true);
            sink.matrix(matrix);
        }
    }
    sink.flag(descent.takes_hessians);
    sink.numbers.extend([descent.progress, descent.tol]);
}

fn read_descent<T: Real>(source: &mut Source<'_, T>) -> Option<DescentState> {
    let trial = source.list()?;
    let standing = if source.flag()? {
        Some(Standing {
            u: source.list()?,
            gradient: source.list()?,
            objective: source.number()?,
            distance: source.number()?,
        })
    } else {
        None
    };
    let line = if source.flag()? {
        Some(Line {
            direction: source.list()?,
            length: source.number()?,
            slope: source.number()?,
            low: source.number()?,
            high: source.number()?,
            tries: source.epochs()?,
        })
    } else {
        None
    };
    let pairs: Option<Vec<_>> = (0..source.length()?)
        .map(|_| Some((source.list()?, source.list()?)))
        .collect();
    let model = if source.flag()? {
        ModelState::Own(source.matrix()?)
    } else {
        ModelState::Shared(source.number()?)
    };
    Some(DescentState {
        trial,
        standing,
        line,
        pairs: pairs?,
        model,
        takes_hessians: source.flag()?,
        progress: source.number()?,
        tol: source.number()?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gradsweep_math::metric::Metric;
    use gradsweep_store::Split;
    use ndarray::array;

    use super::*;
    use crate::train::HistoryPoint;

    /// One that waits, two that share a Hessian, one inside a line search, and one that has ended.
    fn block() -> BlockOfDescents {
        let hessian = Arc::new(array![[2.0, 0.1], [0.3, 1e-300]]);
        let descent = |model| DescentState {
            trial: vec![0.1, -0.0],
            standing: Some(Standing {
                u: vec![0.1, 5e-324],
                gradient: vec![f64::INFINITY, 1.0],
                objective: 0.3,
                distance: 0.2,
            }),
            line: None,
            pairs: vec![(vec![1.0, 2.0], vec![3.0, 4.0])],
            model,
            takes_hessians: true,
            progress: 0.7,
            tol: 1e-4,
        };
        let run = |run, descent| DescentRun {
            run,
            descent,
            epochs: 4,
            train: Vec::new(),
            val: vec![(Metric::LogLoss, 0.4), (Metric::Accuracy, 0.5)],
            history: vec![HistoryPoint {
                epoch: 4,
                split: Split::Val,
                metric: Metric::LogLoss,
                value: 0.4,
            }],
            seconds: 0.1,
        };
        let searching = DescentState {
            line: Some(Line {
                direction: vec![1.0, 1.0],
                length: 0.5,
                slope: -1.0,
                low: 0.0,
                high: f64::INFINITY,
                tries: 3,
            }),
            standing: None,
            ..descent(ModelState::Shared(0.25))
        };
        BlockOfDescents {
            epochs: 4,
            runs: vec![
                run(0, None),
                run(1, Some(descent(ModelState::Own(Arc::clone(&hessian))))),
                run(2, Some(descent(ModelState::Own(hessian)))),
                run(3, Some(searching)),
            ],
            ended: vec![Ended {
                column: 2,
                state: RunState::Failed,
                reason: Reason::Separated,
                note: Some("city=Köln".to_owned()),
            }],
            trip: Some(TripSums {
                sums: (16, vec![1.0, 2.0]),
                hessians: Some((32, vec![3.0])),
            }),
        }
    }

    #[test]
    fn blocks_come_back_as_they_were_and_no_part_of_the_numbers_is_one() {
        let block = block();
        let mut sink = Sink::<f32>::default();
        write(&block, &mut sink);
        assert!(sink.weights.is_empty());
        let back = |numbers: &[f64]| {
            let mut source = Source::<f32>::new(numbers, &[], sink.metrics.clone());
            read(&[0, 1, 2, 3], &mut source).filter(|_| source.is_empty())
        };
        let read = back(&sink.numbers).expect("a block");
        assert_eq!(read, block);
        let model = |run: usize| match read.runs[run].descent.as_ref().map(|descent| &descent.model) {
            Some(ModelState::Own(matrix)) => Arc::clone(matrix),
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&model(1), &model(2)), "a shared Hessian is read once");
        for end in 0..sink.numbers.len() {
            assert_eq!(back(&sink.numbers[..end]), None);
        }
    }
}
