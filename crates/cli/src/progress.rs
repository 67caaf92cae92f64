//! Events on standard error: a bar on a terminal, a plain line now and then elsewhere; and as JSON lines in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gradsweep_runner::event::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::Failure;
use crate::standing::Standing;
use crate::terminal;

/// Between plain lines, where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Between looks for the best trial so far.
const BETWEEN_RANKINGS: Duration = Duration::from_millis(200);

/// Trials listed below the bar.
const LINES: usize = 3;

/// Shows a sweep while it runs.
pub(crate) struct Progress {
    /// The sweep's directory.
    dir: PathBuf,
    state: Mutex<State>,
    bar: ProgressBar,
    log: Option<Mutex<BufWriter<File>>>,
    is_quiet: bool,
    is_interactive: bool,
}

#[derive(Default)]
struct State {
    standing: Standing,
    /// The best trial's mean.
    best: Option<f64>,
    /// The best trials, as lines.
    table: String,
    ranked: Option<Instant>,
    printed: Option<Instant>,
}

impl Progress {
    /// Shows nothing when quiet; writes events to `log` when there is one.
    pub(crate) fn new(dir: PathBuf, is_quiet: bool, log: Option<&Path>) -> Result<Self, Failure> {
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
            "  training {bar:32.cyan/dim} {percent:>3} %   {prefix}   {elapsed} (about {eta} left){msg}",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▉▊▋▌▍▎▏ ");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Ok(Self {
            dir,
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
        state.take(event, &self.dir);
        // Before there is a plan nothing of it is done; the bar would call that all of it.
        if state.standing.column_epochs == 0 {
            return;
        }
        self.bar.set_length(state.standing.column_epochs);
        self.bar.set_position(state.standing.trained);
        if self.is_interactive {
            self.bar.set_prefix(state.line());
            self.bar.set_message(terminal::clean(&state.table).into_owned());
        } else if state.printed.get_or_insert_with(Instant::now).elapsed() >= BETWEEN_LINES {
            state.printed = Some(Instant::now());
            let share = 100.0 * state.standing.share();
            terminal::say(&format!("  training {share:.0} %   {}", state.line()));
        }
    }
}

impl State {
    fn take(&mut self, event: &Event, dir: &Path) {
        self.standing.take(event, dir);
        let is_epoch = matches!(event, Event::EpochFinished { .. });
        if is_epoch && self.ranked.is_none_or(|at| at.elapsed() >= BETWEEN_RANKINGS) {
            self.ranked = Some(Instant::now());
            let ranked = self.standing.ranked();
            self.best = ranked.first().map(|(_, mean)| *mean);
            self.table = self.standing.table(&ranked, LINES);
        }
    }

    fn line(&self) -> String {
        let held = &self.standing;
        let live = held.runs.saturating_sub(held.done);
        let mut line = format!(
            "runs {live} live · {} done · {} failed",
            held.done - held.failed,
            held.failed
        );
        if let Some(best) = self.best {
            line += &format!("   best {} {best:.4}", held.metric);
        }
        line
    }
}
