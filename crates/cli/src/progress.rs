//! Events on standard error: a bar on a terminal, a plain line now and then elsewhere; and as JSON lines in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gradsweep_runner::event::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Failure;
use crate::terminal;

/// Between plain lines, where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Between looks for the best trial so far.
const BETWEEN_RANKINGS: Duration = Duration::from_millis(200);

/// Shows a sweep while it runs.
pub(crate) struct Progress {
    state: Mutex<State>,
    bar: ProgressBar,
    log: Option<Mutex<BufWriter<File>>>,
    is_quiet: bool,
    is_interactive: bool,
}

#[derive(Default)]
struct State {
    trials: Vec<usize>,
    /// The last validation value of each run.
    values: Vec<f64>,
    metric: &'static str,
    higher_is_better: bool,
    runs: usize,
    done: usize,
    failed: usize,
    column_epochs: u64,
    trained: u64,
    best: Option<f64>,
    ranked: Option<Instant>,
    printed: Option<Instant>,
}

impl Progress {
    /// Shows nothing when quiet; writes events to `log` when there is one.
    pub(crate) fn new(is_quiet: bool, log: Option<&Path>) -> Result<Self, Failure> {
        let log = log
            .map(|path| {
                let file = File::create(path).map_err(|source| Failure::File {
                    path: path.to_path_buf(),
                    action: "write",
                    source,
                })?;
                Ok::<_, Failure>(Mutex::new(BufWriter::new(file)))
            })
            .transpose()?;
        let is_interactive = terminal::is_interactive() && !is_quiet;
        let target = if is_interactive {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template(
            "  training {bar:32.cyan/dim} {percent:>3} %   {msg}   {elapsed} (about {eta} left)",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▉▊▋▌▍▎▏ ");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Ok(Self {
            state: Mutex::new(State::default()),
            bar,
            log,
            is_quiet,
            is_interactive,
        })
    }

    /// Clears the bar and completes the log.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
        if let Some(log) = &self.log {
            let _ = log.lock().unwrap_or_else(PoisonError::into_inner).flush();
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event) {
        if let Some(log) = &self.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            // A log that cannot be written must not stop a sweep.
            let _ = serde_json::to_writer(&mut *log, event)
                .map_err(std::io::Error::from)
                .and_then(|()| log.write_all(b"\n"));
        }
        if self.is_quiet {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take(event);
        self.bar.set_length(state.column_epochs);
        self.bar.set_position(state.trained);
        if self.is_interactive {
            self.bar.set_message(state.line());
        } else if state.printed.get_or_insert_with(Instant::now).elapsed() >= BETWEEN_LINES {
            state.printed = Some(Instant::now());
            let share = 100.0 * state.trained as f64 / state.column_epochs.max(1) as f64;
            terminal::say(&format!("  training {share:.0} %   {}", state.line()));
        }
    }
}

impl State {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Planned {
                runs,
                column_epochs,
                trials,
                metric,
                higher_is_better,
                ..
            } => {
                self.runs = *runs;
                // A sweep whose runs go on is planned anew each time.
                (self.done, self.failed, self.trained) = (0, 0, 0);
                self.column_epochs = *column_epochs;
                self.values = vec![f64::NAN; trials.len()];
                self.trials.clone_from(trials);
                self.metric = metric;
                self.higher_is_better = *higher_is_better;
            }
            Event::EpochFinished {
                columns, validation, ..
            } => {
                self.trained += *columns as u64;
                for (run, value) in validation {
                    self.values[*run] = *value;
                }
                if self.ranked.is_none_or(|at| at.elapsed() >= BETWEEN_RANKINGS) {
                    self.rank();
                }
            }
            Event::RunFinished {
                failed,
                epochs_saved,
                run,
            } => {
                self.done += 1;
                self.trained += u64::from(*epochs_saved);
                if *failed {
                    self.failed += 1;
                    self.values[*run] = f64::NAN;
                }
            }
            Event::DataLoaded | Event::Recorded { .. } => {}
        }
    }

    /// The best mean over a trial's runs.
    fn rank(&mut self) {
        self.ranked = Some(Instant::now());
        let trials = self.trials.iter().max().map_or(0, |last| last + 1);
        let mut sums = vec![(0.0, 0u32); trials];
        for (&trial, &value) in self.trials.iter().zip(&self.values) {
            if value.is_finite() {
                sums[trial].0 += value;
                sums[trial].1 += 1;
            }
        }
        let means = sums
            .iter()
            .filter(|(_, runs)| *runs > 0)
            .map(|(sum, runs)| sum / f64::from(*runs));
        self.best = if self.higher_is_better {
            means.max_by(f64::total_cmp)
        } else {
            means.min_by(f64::total_cmp)
        };
    }

    fn line(&self) -> String {
        let live = self.runs - self.done;
        let mut line = format!(
            "runs {live} live · {} done · {} failed",
            self.done - self.failed,
            self.failed
        );
        if let Some(best) = self.best {
            line += &format!("   best {} {best:.4}", self.metric);
        }
        line
    }
}
