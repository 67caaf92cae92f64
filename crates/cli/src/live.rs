//! The report of a sweep that trains, rewritten every few seconds.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gradsweep_report::{self as report, Live};
use gradsweep_runner::event::{Event, Observer};

use crate::standing::Standing;

/// Between two writings.
const BETWEEN: Duration = Duration::from_secs(3);

/// Writes `report.html` into a sweep's directory while it trains. The writing is a thread's of its own: no training waits for it.
pub(crate) struct LiveReport {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    standing: Standing,
    written: Option<Instant>,
    writing: Option<JoinHandle<()>>,
}

impl LiveReport {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            state: Mutex::new(State::default()),
        }
    }

    /// Waits for a writing that is under way, so that none comes after the last one.
    pub(crate) fn finish(&self) {
        let writing = self.state.lock().unwrap_or_else(PoisonError::into_inner).writing.take();
        if let Some(writing) = writing {
            let _ = writing.join();
        }
    }
}

impl Observer for LiveReport {
    fn observe(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.standing.take(event, &self.dir);
        let is_begun = !matches!(event, Event::DataLoaded);
        let is_due = state.written.is_none_or(|at| at.elapsed() >= BETWEEN);
        let is_writing = state.writing.as_ref().is_some_and(|writing| !writing.is_finished());
        if !is_begun || !is_due || is_writing {
            return;
        }
        state.written = Some(Instant::now());
        let (dir, standing) = (self.dir.clone(), Arc::new(state.standing.clone()));
        // A page that cannot be written now is written the next time; the last one says why it cannot.
        state.writing = Some(std::thread::spawn(move || {
            let _ = write(dir, &standing);
        }));
    }
}

fn write(dir: PathBuf, standing: &Standing) -> Result<(), report::ReportError> {
    let out = dir.join(gradsweep_store::REPORT);
    let sweeps = report::open(&[dir])?;
    let scores = standing.ranked().into_iter();
    let live = Live {
        runs: standing.runs,
        done: standing.done,
        failed: standing.failed,
        share: standing.share(),
        scores: scores
            .filter_map(|(trial, score)| Some((u32::try_from(trial).ok()?, score)))
            .collect(),
        seconds: BETWEEN.as_secs() as u32,
    };
    report::write_html(&sweeps, Some(&live), &out)
}

/// Two observers as one.
pub(crate) struct Both<'a>(pub(crate) &'a dyn Observer, pub(crate) Option<&'a LiveReport>);

impl Observer for Both<'_> {
    fn observe(&self, event: &Event) {
        self.0.observe(event);
        if let Some(live) = self.1 {
            live.observe(event);
        }
    }
}
