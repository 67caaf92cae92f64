//! Exit codes: the contract of the command line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use gradsweep_report::{ExportError, ReportError};
use gradsweep_runner::RunError;
use gradsweep_runner::config::Problems;
use gradsweep_store::ExitKind;

use crate::{diagnostics, terminal};

/// All runs finished.
pub(crate) const OK: u8 = 0;
/// Finished, some runs failed.
pub(crate) const SOME_FAILED: u8 = 1;
/// Config or usage.
pub(crate) const USAGE: u8 = 2;

/// Stopped on the way, resumable.
pub(crate) const STOPPED: u8 = 75;

/// A panic of the program.
const BUG: u8 = 101;

/// Why a verb did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The config has problems.
    Config(Problems),
    /// The sweep could not be run.
    Run(RunError),
    /// A store could not be read.
    Report(ReportError),
    /// An export could not be made.
    Export(ExportError),
    /// A file named on the command line could not be read or written.
    File {
        path: std::path::PathBuf,
        action: &'static str,
        source: std::io::Error,
    },
    /// The command line is wrong in a way that clap does not know.
    Usage { message: String, hint: Option<String> },
    /// The reader of standard output has gone.
    ClosedPipe,
    /// Standard output cannot be written to.
    Output(std::io::Error),
    /// A panic of the program, which has said where on standard error.
    Bug,
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Config(problems) => Self::Config(problems),
            error => Self::Run(error),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Config(problems)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::Report(error)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}

impl From<std::io::Error> for Failure {
    /// Of writing to standard output.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Output(error)
        }
    }
}

/// Does some work, says what went wrong, and gives the process's exit code.
pub(crate) fn code(work: impl FnOnce() -> Result<u8, Failure>) -> ExitCode {
    // Nothing of the work is looked at afterwards.
    let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Failure::Bug));
    ExitCode::from(said(outcome))
}

fn said(outcome: Result<u8, Failure>) -> u8 {
    match outcome {
        Ok(code) => code,
        Err(Failure::Bug) => {
            terminal::error(
                "that is a bug of gradsweep",
                Some(
                    "please report it with the lines above; what sweeps have recorded stays, and gradsweep resume DIR goes on",
                ),
            );
            BUG
        }
        Err(Failure::ClosedPipe) => OK,
        Err(Failure::Config(problems)) => {
            terminal::talk(&diagnostics::render(
                &problems,
                terminal::has_color(),
                terminal::width(),
            ));
            USAGE
        }
        Err(Failure::Run(error)) => {
            say(&error, error.hint().as_deref());
            error.exit_code()
        }
        Err(Failure::Report(error)) => {
            say(&error, error.hint().as_deref());
            of_kind(error.exit_kind())
        }
        Err(Failure::Export(error)) => {
            say(&error, error.hint().as_deref());
            of_kind(error.exit_kind())
        }
        Err(Failure::File { path, action, source }) => {
            terminal::error(&format!("could not {action} {}: {source}", path.display()), None);
            // What the user named is usage; what the disk does is not.
            if action == "read" { USAGE } else { 4 }
        }
        Err(Failure::Usage { message, hint }) => {
            terminal::error(&message, hint.as_deref());
            USAGE
        }
        Err(Failure::Output(error)) => {
            terminal::error(&format!("could not write to standard output: {error}"), None);
            4
        }
    }
}

fn of_kind(kind: ExitKind) -> u8 {
    match kind {
        ExitKind::InUse => 5,
        ExitKind::Disk => 4,
        ExitKind::Usage => USAGE,
    }
}

/// An error with its causes, and what to type next.
fn say(error: &dyn std::error::Error, hint: Option<&str>) {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Transparent errors repeat their source.
        if !message.contains(&text) {
            message += &format!(": {text}");
        }
        cause = error.source();
    }
    terminal::error(&message, hint);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_with_the_code_of_a_bug() {
        let ended = |work: fn() -> Result<u8, Failure>| format!("{:?}", code(work));
        let of = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(ended(|| panic!("on purpose")), of(BUG));
        assert_eq!(ended(|| Ok(SOME_FAILED)), of(SOME_FAILED));
        assert_ne!(of(BUG), of(SOME_FAILED));
    }
}
